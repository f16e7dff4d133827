/** A name server on loopback that answers from a table (RFC 1035), for tests of look-ups. */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

export interface Name {
  /** Preference and exchange; '' is the root. */
  mx?: readonly (readonly [number, string])[];
  /** IPv4 and IPv6. */
  addresses?: readonly string[];
  cname?: string;
  /** Says nothing at all. */
  silent?: boolean;
  /** 2 SERVFAIL, 5 REFUSED; of all types, or of the one. */
  rcode?: number;
  rcodeFor?: 'mx' | 'a' | 'aaaa';
  ttlSeconds?: number;
}

export interface DnsServer {
  /** For `setServers`. */
  address: string;
  names: Map<string, Name>;
  /** `MX example.net`, in the order asked. */
  questions: string[];
  close(): Promise<void>;
}

const types = new Map([
  [1, 'A'],
  [5, 'CNAME'],
  [15, 'MX'],
  [28, 'AAAA'],
]);
const nxdomain = 3;

export async function startDnsServer(names: Record<string, Name>): Promise<DnsServer> {
  const table = new Map(Object.entries(names));
  const questions: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const { name, type, end } = readQuestion(query);
    questions.push(`${types.get(type) ?? type} ${name}`);
    const entry = table.get(name);
    if (entry?.silent) return;
    const rcode = rcodeOf(entry, type);
    const answers = rcode === 0 ? answersOf(table, name, type) : [];
    socket.send(response(query.subarray(0, end), rcode, answers), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    names: table,
    questions,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function rcodeOf(entry: Name | undefined, type: number): number {
  if (entry === undefined) return nxdomain;
  const concerned = entry.rcodeFor === undefined || types.get(type) === entry.rcodeFor.toUpperCase();
  return concerned ? (entry.rcode ?? 0) : 0;
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length !== 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function answersOf(table: Map<string, Name>, name: string, type: number): Buffer[] {
  const entry = table.get(name);
  if (entry === undefined) return [];
  const ttl = entry.ttlSeconds ?? 300;
  if (entry.cname !== undefined) {
    return [record(name, 5, ttl, encodeName(entry.cname)), ...answersOf(table, entry.cname, type)];
  }
  if (type === 15)
    return (entry.mx ?? []).map(([preference, host]) => record(name, 15, ttl, mx(preference, host)));
  const addresses = (entry.addresses ?? []).filter((address) => isIPv6(address) === (type === 28));
  return type === 1 || type === 28
    ? addresses.map((address) => record(name, type, ttl, encodeAddress(address)))
    : [];
}

function mx(preference: number, exchange: string): Buffer {
  return Buffer.concat([uint16(preference), encodeName(exchange)]);
}

function encodeAddress(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const gap = 8 - groups(head).length - groups(tail).length;
  return Buffer.concat([...groups(head), ...new Array(gap).fill(0), ...groups(tail)].map(uint16));
}

function record(name: string, type: number, ttl: number, content: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(ttl, 4);
  head.writeUInt16BE(content.length, 8);
  return Buffer.concat([encodeName(name), head, content]);
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1')),
    Buffer.alloc(1),
  ]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function response(question: Buffer, rcode: number, answers: readonly Buffer[]): Buffer {
  const head = Buffer.from(question);
  head.writeUInt16BE(0x8180 | rcode, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(answers.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, ...answers]);
}
