/**
 * What a DNS message says about a question: the records at the end of its aliases, that there are none, or that
 * somebody else has to be asked. Pure. RFC 1034 §3.6.2 (aliases), RFC 2308 (how long "there is none" holds).
 */
import type * as packet from 'dns-packet';
import { limits } from '../base/limits.ts';
import type { Message, Question } from './exchange.ts';

export type Data = Exclude<packet.Answer, packet.OptAnswer>['data'];

export type Said =
  | { found: readonly Data[]; canonicalName: string; ttlMs: number }
  | { absent: 'domain' | 'records'; ttlMs: number }
  /** The aliases lead there, and the server did not follow. */
  | { follow: string; ttlMs: number }
  /** This server gives no answer; another may. */
  | { fault: string };

const faults: ReadonlyMap<number, string> = new Map([
  [1, 'EFORMERR'],
  [2, 'ESERVFAIL'],
  [4, 'ENOTIMP'],
  [5, 'EREFUSED'],
]);
const nxdomain = 3;

export function rcodeOf(message: Message): number {
  return (message.flags ?? 0) & 0xf;
}

export function read(message: Message, { name, type }: Question): Said {
  const rcode = rcodeOf(message);
  if (rcode === nxdomain) return { absent: 'domain', ttlMs: negativeTtlMs(message) };
  if (rcode !== 0) return { fault: faults.get(rcode) ?? `ERCODE${rcode}` };
  const records = message.answers?.filter(isRecord) ?? [];
  const chain = aliases(records, name, type);
  if (chain === null) return { fault: 'ECNAMELOOP' };
  const own = records.filter((record) => record.type === type && sameName(record.name, chain.last));
  const ttlMs = Math.min(chain.ttlMs, ...own.map(ttlOf));
  if (own.length > 0) {
    return {
      found: own.slice(0, limits.dnsRecords).map(({ data }) => data),
      canonicalName: chain.last,
      ttlMs,
    };
  }
  if (soaOf(message) === undefined) {
    if (!sameName(chain.last, name)) return { follow: chain.last, ttlMs };
    // Neither the owner of the zone nor willing to ask him: it points us somewhere else.
    if (!message.flag_aa && !message.flag_ra) return { fault: 'ELAME' };
  }
  return { absent: 'records', ttlMs: negativeTtlMs(message) };
}

type Record = Exclude<packet.Answer, packet.OptAnswer>;

function isRecord(answer: packet.Answer): answer is Record {
  return answer.type !== 'OPT';
}

/** Null: the aliases go round in a circle, or on and on. */
function aliases(
  records: readonly Record[],
  name: string,
  type: Question['type'],
): { last: string; ttlMs: number } | null {
  let last = name.toLowerCase();
  let ttlMs = Number.POSITIVE_INFINITY;
  if (type === 'CNAME') return { last, ttlMs };
  for (let hops = 0; hops <= limits.dnsAliases; hops += 1) {
    const alias = records.find((record) => record.type === 'CNAME' && sameName(record.name, last));
    if (alias === undefined) return { last, ttlMs };
    last = withoutDot(String(alias.data));
    ttlMs = Math.min(ttlMs, ttlOf(alias));
  }
  return null;
}

export function withoutDot(name: string): string {
  return name.replace(/\.$/, '').toLowerCase();
}

function sameName(a: string, b: string): boolean {
  return withoutDot(a) === withoutDot(b);
}

/** RFC 2181 §8: a value with the highest bit set is none. */
function ttlOf({ ttl = 0 }: Record): number {
  return ttl > 0x7fff_ffff ? 0 : ttl * 1000;
}

function soaOf(message: Message): packet.SoaAnswer | undefined {
  return message.authorities?.find((record): record is packet.SoaAnswer => record.type === 'SOA');
}

/** RFC 2308 §5: the lesser of the record's own TTL and its last field. */
function negativeTtlMs(message: Message): number {
  const soa = soaOf(message);
  if (soa === undefined) return limits.dnsNegativeCacheMs;
  return Math.min(ttlOf(soa), (soa.data.minimum ?? 0) * 1000);
}
