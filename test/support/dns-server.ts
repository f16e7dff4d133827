/**
 * A name server on loopback that answers from a table (RFC 1035), over UDP and TCP, for tests of look-ups. It validates
 * nothing: a name is said to be signed (AD) if the table says so.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import * as packet from 'dns-packet';

export interface Name {
  /** Preference and exchange; '' is the root. */
  mx?: readonly (readonly [number, string])[];
  /** IPv4 and IPv6. */
  addresses?: readonly string[];
  cname?: string;
  txt?: readonly string[];
  /** Usage, selector, matching type, data. */
  tlsa?: readonly (readonly [number, number, number, Buffer])[];
  /** Says nothing at all. */
  silent?: boolean;
  /** 2 SERVFAIL, 5 REFUSED; of all types, or of the one. */
  rcode?: number;
  rcodeFor?: 'mx' | 'a' | 'aaaa' | 'cname' | 'txt' | 'tlsa';
  ttlSeconds?: number;
  /** TTL in the SOA record that comes with "there is none"; undefined: no such record. */
  negativeTtlSeconds?: number;
  /** The answer says that it was validated; for an alias its target has to be signed as well. */
  signed?: boolean;
  /** The answer fits into TCP only. */
  large?: boolean;
  /** Points somewhere else instead of answering. */
  lame?: boolean;
  /** Gives the alias and leaves it to the client to follow. */
  aliasOnly?: boolean;
}

export interface DnsServer {
  /** As `ResolverOptions.servers` has it. */
  address: string;
  names: Map<string, Name>;
  /** `MX example.net`, in the order asked; over TCP with ` (TCP)` behind. */
  questions: string[];
  /** Answers questions with EDNS by "this makes no sense". */
  refusesEdns: boolean;
  /** Before each answer over UDP: what a forger sends. */
  forge: ((query: packet.DecodedPacket) => packet.Packet[]) | null;
  close(): Promise<void>;
}

const codes = { formErr: 1, nxdomain: 3 };
const bits = { tc: 0x200, rd: 0x100, ra: 0x80, ad: 0x20 };

export async function startDnsServer(names: Record<string, Name>): Promise<DnsServer> {
  const { udp, tcp, port } = await listen();
  const sockets = new Set<Socket>();
  const server: DnsServer = {
    address: `127.0.0.1:${port}`,
    names: new Map(Object.entries(names)),
    questions: [],
    refusesEdns: false,
    forge: null,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };
  udp.on('message', (bytes, from) => {
    const query = packet.decode(bytes);
    for (const forged of server.forge?.(query) ?? []) {
      udp.send(packet.encode(forged), from.port, from.address);
    }
    const response = answer(server, query, 'udp');
    if (response !== null) udp.send(packet.encode(response), from.port, from.address);
  });
  tcp.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      const response = answer(server, packet.streamDecode(bytes), 'tcp');
      if (response !== null) socket.write(packet.streamEncode(response));
    });
  });
  return server;
}

/** One port for both. */
async function listen(): Promise<{ udp: UdpSocket; tcp: Server; port: number }> {
  for (;;) {
    const tcp = createServer();
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
    const address = tcp.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const udp = createSocket('udp4');
    const bound = await new Promise<boolean>((resolve) => {
      udp.once('error', () => resolve(false));
      udp.bind(port, '127.0.0.1', () => resolve(true));
    });
    if (bound) return { udp, tcp, port };
    tcp.close();
  }
}

function answer(server: DnsServer, query: packet.Packet, by: 'udp' | 'tcp'): packet.Packet | null {
  const [question] = query.questions ?? [];
  if (question === undefined) return null;
  const name = question.name.toLowerCase();
  server.questions.push(`${question.type} ${name}${by === 'tcp' ? ' (TCP)' : ''}`);
  const entry = server.names.get(name);
  if (entry?.silent) return null;
  const head = { type: 'response' as const, id: query.id ?? 0, questions: [question] };
  const flags = bits.rd | (entry?.lame ? 0 : bits.ra);
  if (server.refusesEdns && (query.additionals?.length ?? 0) > 0) {
    return { ...head, flags: flags | codes.formErr };
  }
  const rcode = rcodeOf(entry, question.type);
  if (by === 'udp' && entry?.large) return { ...head, flags: flags | bits.tc };
  const answers = rcode === 0 && !entry?.lame ? answersOf(server.names, name, question.type) : [];
  return {
    ...head,
    flags: flags | rcode | (isSigned(server.names, name) ? bits.ad : 0),
    answers,
    authorities: authoritiesOf(entry, question, answers),
  };
}

function rcodeOf(entry: Name | undefined, type: string): number {
  if (entry === undefined) return codes.nxdomain;
  const concerned = entry.rcodeFor === undefined || type === entry.rcodeFor.toUpperCase();
  return concerned ? (entry.rcode ?? 0) : 0;
}

/** A name the table does not have is as its zone is: the nearest name above. */
function isSigned(names: Map<string, Name>, name: string): boolean {
  const entry = names.get(name);
  if (entry === undefined) return name.includes('.') && isSigned(names, name.slice(name.indexOf('.') + 1));
  const target = entry.cname === undefined || entry.aliasOnly || isSigned(names, entry.cname);
  return entry.signed === true && target;
}

function answersOf(names: Map<string, Name>, name: string, type: string): packet.Answer[] {
  const entry = names.get(name);
  if (entry === undefined) return [];
  const ttl = entry.ttlSeconds ?? 300;
  if (entry.cname !== undefined) {
    const alias = { type: 'CNAME' as const, name, ttl, data: entry.cname };
    if (type === 'CNAME' || entry.aliasOnly) return [alias];
    return [alias, ...answersOf(names, entry.cname, type)];
  }
  return recordsOf(entry, type).map((record) => ({ ...record, name, ttl }) as packet.Answer);
}

function recordsOf(entry: Name, type: string): { type: string; data: unknown }[] {
  switch (type) {
    case 'MX':
      return (entry.mx ?? []).map(([preference, exchange]) => ({
        type,
        data: { preference, exchange: exchange === '' ? '.' : exchange },
      }));
    case 'A':
    case 'AAAA':
      return (entry.addresses ?? [])
        .filter((address) => address.includes(':') === (type === 'AAAA'))
        .map((data) => ({ type, data }));
    case 'TXT':
      return (entry.txt ?? []).map((data) => ({ type, data }));
    case 'TLSA':
      return (entry.tlsa ?? []).map(([usage, selector, matchingType, certificate]) => ({
        type,
        data: { usage, selector, matchingType, certificate },
      }));
    default:
      return [];
  }
}

function authoritiesOf(
  entry: Name | undefined,
  { name, type }: packet.Question,
  answers: readonly packet.Answer[],
): packet.Answer[] {
  if (entry?.lame) return [{ type: 'NS', name, ttl: 300, data: 'elsewhere.test' }];
  const minimum = entry?.negativeTtlSeconds;
  if (answers.some((given) => given.type === type) || minimum === undefined) return [];
  const timers = { serial: 1, refresh: 1, retry: 1, expire: 1, minimum };
  return [{ type: 'SOA', name, ttl: 3600, data: { mname: 'ns.test', rname: 'admin.test', ...timers } }];
}
