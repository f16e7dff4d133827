/**
 * Questions to the DNS with bounds: time, tries, and a cache of known size. An answer that says "there is none"
 * is an answer; only what may be different in a minute is a fault, and is not kept.
 *
 * Answers are kept for as long as their TTL says (RFC 1035 §3.2.1, RFC 2308), within limits. Servers are asked in turn,
 * beginning with the one that answered last. Whether an answer was validated (AD, RFC 4035 §4.9.3) is believed only
 * where nobody can have changed it on the way: the servers of `trustAd`.
 */
import { getServers } from 'node:dns';
import { isIP } from 'node:net';
import type * as packet from 'dns-packet';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { networkContains, parseNetwork } from '../base/network.ts';
import { type Data, rcodeOf, read } from './answer.ts';
import { Cache } from './cache.ts';
import { exchange, type NameServer, type Question, type QuestionType } from './exchange.ts';

export interface MxRecord {
  preference: number;
  /** '.' for the root, which stands for "no mail" (RFC 7505). */
  exchange: string;
}

/** RFC 6698 §2.1. */
export interface TlsaRecord {
  usage: number;
  selector: number;
  matchingType: number;
  data: Buffer;
}

export type Answer<T> =
  | {
      found: readonly T[];
      /** The name at the end of the aliases, in lower case. */
      canonicalName: string;
      /** Validated with DNSSEC, aliases included. */
      secure: boolean;
    }
  /** `domain`: the name does not exist. `records`: it does, but has no such record. */
  | { absent: 'domain' | 'records'; secure: boolean }
  | { fault: string };

export interface Resolver {
  mx(name: string): Promise<Answer<MxRecord>>;
  ipv4(name: string): Promise<Answer<string>>;
  ipv6(name: string): Promise<Answer<string>>;
  /** The strings of each record joined. */
  txt(name: string): Promise<Answer<string>>;
  /** The alias itself, not what it leads to. */
  cname(name: string): Promise<Answer<string>>;
  tlsa(name: string): Promise<Answer<TlsaRecord>>;
}

export interface ResolverOptions {
  clock: Clock;
  /** `192.0.2.1`, `192.0.2.1:53`, `[2001:db8::1]:53`; undefined: those of the system. */
  servers?: readonly string[] | undefined;
  /** Whose word counts that an answer was validated; `loopback`: servers on this machine. */
  trustAd?: 'loopback' | 'always' | 'never';
  /** First wait for an answer; it doubles with each try. */
  timeoutMs?: number;
  tries?: number;
}

interface Server extends NameServer {
  /** What it says of validation is believed. */
  trusted: boolean;
  edns: boolean;
}

type Found = { answer: Answer<Data>; ttlMs: number };

export function createResolver(options: ResolverOptions): Resolver {
  const cache = new Cache<Answer<Data>>(options.clock, limits.dnsCacheEntries);
  const servers = new Servers(options);
  const look = async <T>(name: string, type: QuestionType, of: (data: Data) => T): Promise<Answer<T>> => {
    const answer = await cache.get(`${type} ${name.toLowerCase()}`, async () => {
      const { answer: value, ttlMs } = await lookUp({ name, type }, servers);
      return { value, keepMs: ttlMs };
    });
    return 'found' in answer ? { ...answer, found: answer.found.map(of) } : answer;
  };
  return {
    mx: (name) => look(name, 'MX', mxOf),
    ipv4: (name) => look(name, 'A', String),
    ipv6: (name) => look(name, 'AAAA', String),
    txt: (name) => look(name, 'TXT', textOf),
    cname: (name) => look(name, 'CNAME', (data) => String(data).toLowerCase()),
    tlsa: (name) => look(name, 'TLSA', tlsaOf),
  };
}

/** Follows aliases that the servers did not follow. */
async function lookUp(question: Question, servers: Servers): Promise<Found> {
  if (!isAskable(question.name)) return { answer: { absent: 'domain', secure: false }, ttlMs: 0 };
  let { name } = question;
  let aliasTtlMs: number = limits.dnsCacheMs;
  let secure = true;
  for (let hops = 0; hops <= limits.dnsAliases; hops += 1) {
    const said = await servers.ask({ ...question, name });
    if ('fault' in said) return { answer: said, ttlMs: 0 };
    secure &&= said.secure;
    if ('follow' in said) {
      name = said.follow;
      aliasTtlMs = Math.min(aliasTtlMs, said.ttlMs);
    } else if ('absent' in said) {
      const ttlMs = Math.min(limits.dnsNegativeCacheMs, aliasTtlMs, said.ttlMs);
      return { answer: { absent: said.absent, secure }, ttlMs };
    } else {
      const { found, canonicalName, ttlMs } = said;
      return { answer: { found, canonicalName, secure }, ttlMs: Math.min(aliasTtlMs, ttlMs) };
    }
  }
  return { answer: { fault: 'ECNAMELOOP' }, ttlMs: 0 };
}

type Said = Exclude<ReturnType<typeof read>, { fault: string }> & { secure: boolean };

/** The name servers of the installation, and which of them answers. */
class Servers {
  readonly #servers: readonly Server[];
  readonly #timeoutMs: number;
  readonly #tries: number;
  readonly #places = new Places(limits.dnsQuestionsOpen);
  #preferred = 0;

  constructor({
    servers = getServers(),
    trustAd = 'loopback',
    timeoutMs = 2_000,
    tries = 3,
  }: ResolverOptions) {
    this.#servers = servers.slice(0, limits.dnsServers).map((text) => serverOf(text, trustAd));
    this.#timeoutMs = timeoutMs;
    this.#tries = tries;
  }

  async ask(question: Question): Promise<Said | { fault: string }> {
    let fault = 'ENOSERVER';
    for (let round = 0; round < this.#tries; round += 1) {
      const timeoutMs = Math.min(this.#timeoutMs * 2 ** round, limits.dnsWaitMs);
      const first = this.#preferred;
      for (let step = 0; step < this.#servers.length; step += 1) {
        const index = (first + step) % this.#servers.length;
        const server = this.#servers[index];
        if (server === undefined) continue;
        const said = await this.#places.take(() => this.#askOne(question, server, timeoutMs));
        if (!('fault' in said)) {
          this.#preferred = index;
          return said;
        }
        fault = said.fault;
      }
    }
    return { fault };
  }

  async #askOne(question: Question, server: Server, timeoutMs: number): Promise<Said | { fault: string }> {
    const heard = await exchange({ ...question, server, timeoutMs, edns: server.edns });
    if ('fault' in heard) return heard;
    const { message } = heard;
    if (server.edns && (rcodeOf(message) === formErr || rcodeOf(message) === notImp)) {
      server.edns = false;
      return this.#askOne(question, server, timeoutMs);
    }
    const said = read(message, question);
    return 'fault' in said ? said : { ...said, secure: server.trusted && message.flag_ad };
  }
}

const formErr = 1;
const notImp = 4;

/** So many at a time; who comes later waits. */
class Places {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free -= 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

const dnsPort = 53;

function serverOf(text: string, trustAd: ResolverOptions['trustAd']): Server {
  const parts = isIP(text) === 0 ? /^\[?([^\]]*)\]?:(\d{1,5})$/.exec(text) : [text, text, String(dnsPort)];
  const [, host = '', port = ''] = parts ?? [];
  if (isIP(host) === 0) throw new Error(`${text} is no address of a name server`);
  const trusted = trustAd === 'always' || (trustAd === 'loopback' && isLoopback(host));
  return { host, port: Number(port), trusted, edns: true };
}

function isLoopback(address: string): boolean {
  return ['127.0.0.0/8', '::1'].some((text) => {
    const network = parseNetwork(text);
    return network !== null && networkContains(network, address);
  });
}

/** Labels of 1 to 63 octets, 253 in all (RFC 1035 §2.3.4): of others no question can be made. */
function isAskable(name: string): boolean {
  const bare = name.replace(/\.$/, '');
  return (
    bare.length <= 253 &&
    /^[\x21-\x7e]+$/.test(bare) &&
    bare.split('.').every((label) => label.length > 0 && label.length <= 63)
  );
}

function mxOf(data: Data): MxRecord {
  const { preference = 0, exchange: host } = data as packet.MxData;
  return { preference, exchange: host };
}

function textOf(data: Data): string {
  return [data as packet.TxtData]
    .flat()
    .map((part) => (Buffer.isBuffer(part) ? part.toString('latin1') : part))
    .join('');
}

function tlsaOf(data: Data): TlsaRecord {
  const { usage, selector, matchingType, certificate } = data as packet.TlsaData;
  return { usage, selector, matchingType, data: certificate };
}
