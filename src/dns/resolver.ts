/**
 * Questions to the DNS with bounds: time, tries, and a cache of known size. An answer that says "there is none"
 * is an answer; only what may be different in a minute is a fault.
 *
 * The system's resolver library tells no TTL of MX records: their answers are kept for `limits.dnsCacheMs`.
 */
import { Resolver as SystemResolver } from 'node:dns/promises';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { Cache } from './cache.ts';

export interface MxRecord {
  preference: number;
  /** '' for the root, which stands for "no mail" (RFC 7505). */
  exchange: string;
}

export type Answer<T> =
  | { found: readonly T[] }
  /** `domain`: the name does not exist. `records`: it does, but has no such record. */
  | { absent: 'domain' | 'records' }
  | { fault: string };

export interface Resolver {
  mx(name: string): Promise<Answer<MxRecord>>;
  ipv4(name: string): Promise<Answer<string>>;
  ipv6(name: string): Promise<Answer<string>>;
}

export interface ResolverOptions {
  clock: Clock;
  /** `192.0.2.1`, `192.0.2.1:53`, `[2001:db8::1]:53`; undefined: those of the system. */
  servers?: readonly string[];
  /** First wait for an answer; it doubles with each try. */
  timeoutMs?: number;
  tries?: number;
}

interface Timed<T> {
  answer: Answer<T>;
  ttlMs: number;
}

export function createResolver({ clock, servers, timeoutMs = 2_000, tries = 3 }: ResolverOptions): Resolver {
  const system = new SystemResolver({ timeout: timeoutMs, tries, maxTimeout: limits.dnsWaitMs });
  if (servers !== undefined) system.setServers(servers);
  const cacheOf = <T>(): Cache<Answer<T>> => new Cache(clock, limits.dnsCacheEntries);
  const mx = cacheOf<MxRecord>();
  const ipv4 = cacheOf<string>();
  const ipv6 = cacheOf<string>();
  return {
    mx: (name) => mx.get(name, () => ask(() => findMx(system, name))),
    ipv4: (name) =>
      ipv4.get(name, () => ask(async () => withTtl(await system.resolve4(name, { ttl: true })))),
    ipv6: (name) =>
      ipv6.get(name, () => ask(async () => withTtl(await system.resolve6(name, { ttl: true })))),
  };
}

async function findMx(system: SystemResolver, name: string): Promise<Timed<MxRecord>> {
  const records = await system.resolveMx(name);
  const found = records.map(({ priority, exchange }) => ({ preference: priority, exchange }));
  return { answer: { found: found.slice(0, limits.dnsRecords) }, ttlMs: limits.dnsCacheMs };
}

function withTtl(records: readonly { address: string; ttl: number }[]): Timed<string> {
  const found = records.slice(0, limits.dnsRecords).map(({ address }) => address);
  const ttlMs = Math.min(limits.dnsCacheMs, ...records.map(({ ttl }) => ttl * 1000));
  return { answer: { found }, ttlMs };
}

/** Translates the refusals of the resolver library; whatever is no answer is a fault, and not kept. */
async function ask<T>(question: () => Promise<Timed<T>>): Promise<{ value: Answer<T>; keepMs: number }> {
  try {
    const { answer, ttlMs } = await question();
    return { value: answer, keepMs: ttlMs };
  } catch (error) {
    const absent = absences.get(codeOf(error));
    if (absent !== undefined) return { value: { absent }, keepMs: limits.dnsNegativeCacheMs };
    return { value: { fault: codeOf(error) }, keepMs: 0 };
  }
}

const absences: ReadonlyMap<string, 'domain' | 'records'> = new Map([
  ['ENOTFOUND', 'domain'],
  // No question can be made of such a name.
  ['EBADNAME', 'domain'],
  ['ENODATA', 'records'],
]);

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  throw error;
}
