/**
 * The header that a balancer writes before the bytes of its client (PROXY protocol, versions 1 and 2): who really
 * connected, and where to. Pure and bounded; everything in it was chosen by whoever may connect from the balancer's
 * address. What version 2 carries beyond addresses (TLVs) is passed over.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { limits } from '../base/limits.ts';
import { unmapped } from '../base/network.ts';

export interface ProxiedClient {
  remoteAddress: string;
  remotePort: number;
  localAddress: string;
  localPort: number;
}

export type ProxyHeader =
  | { state: 'more' }
  /** `bytes` of the input belong to the header. `client` null: the balancer itself speaks, or does not say for whom. */
  | { state: 'header'; bytes: number; client: ProxiedClient | null }
  /** No PROXY header, or a broken one: nothing behind it can be attributed to anybody. */
  | { state: 'malformed'; problem: string };

const more: ProxyHeader = { state: 'more' };
const signatureOf1 = Buffer.from('PROXY ');
const signatureOf2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Version 1, its CRLF included. */
const longestLine = 107;
const fixedBytes = 16;

export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (beginsAlike(bytes, signatureOf2)) return parseBinary(bytes);
  if (beginsAlike(bytes, signatureOf1)) return parseLine(bytes);
  return malformed('no PROXY header');
}

/** As far as they go, both say the same. */
function beginsAlike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.subarray(0, length).equals(signature.subarray(0, length));
}

function parseLine(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, longestLine).indexOf('\r\n');
  if (end === -1) return bytes.length < longestLine ? more : malformed('the line does not end');
  const line = bytes.toString('latin1', signatureOf1.length, end);
  const header = { state: 'header', bytes: end + 2 } as const;
  if (line === 'UNKNOWN' || line.startsWith('UNKNOWN ')) return { ...header, client: null };
  const [family, source = '', destination = '', sourcePort = '', destinationPort = '', ...rest] =
    line.split(' ');
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIpv6 : () => false;
  const sound = [source, destination].every(isAddress) && [sourcePort, destinationPort].every(isPort);
  if (!sound || rest.length > 0) return malformed('the line is malformed');
  return {
    ...header,
    client: clientOf({
      source,
      destination,
      sourcePort: Number(sourcePort),
      destinationPort: Number(destinationPort),
    }),
  };
}

/** Without a zone, which would belong to another machine. */
function isPlainIpv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function parseBinary(bytes: Buffer): ProxyHeader {
  if (bytes.length < fixedBytes) return more;
  const [versionAndCommand = 0, familyAndTransport = 0] = bytes.subarray(signatureOf2.length);
  const length = bytes.readUInt16BE(14);
  if (versionAndCommand >> 4 !== 2) return malformed('the version is not known');
  const command = versionAndCommand & 0x0f;
  if (command > 1) return malformed('the command is not known');
  if (fixedBytes + length > limits.proxyHeaderBytes) return malformed('the header is too long');
  if (bytes.length < fixedBytes + length) return more;
  const header = { state: 'header', bytes: fixedBytes + length, client: null } as const;
  // LOCAL: a health check of the balancer's own.
  if (command === 0) return header;
  return withAddresses(header, familyAndTransport, bytes.subarray(fixedBytes, fixedBytes + length));
}

/** AF_INET or AF_INET6 over STREAM; for anything else the addresses of the connection stand. */
function withAddresses(
  header: Extract<ProxyHeader, { state: 'header' }>,
  familyAndTransport: number,
  block: Buffer,
): ProxyHeader {
  if (familyAndTransport !== 0x11 && familyAndTransport !== 0x21) return header;
  const width = familyAndTransport === 0x11 ? 4 : 16;
  if (block.length < 2 * width + 4) return malformed('the addresses are cut off');
  const printed = width === 4 ? printIpv4 : printIpv6;
  return {
    ...header,
    client: clientOf({
      source: printed(block.subarray(0, width)),
      destination: printed(block.subarray(width, 2 * width)),
      sourcePort: block.readUInt16BE(2 * width),
      destinationPort: block.readUInt16BE(2 * width + 2),
    }),
  };
}

function printIpv4(bytes: Buffer): string {
  return bytes.join('.');
}

/** As the system prints addresses, for they are compared with and shown beside those. */
function printIpv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, n) => bytes.readUInt16BE(2 * n).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

interface Ends {
  source: string;
  destination: string;
  sourcePort: number;
  destinationPort: number;
}

function clientOf({ source, destination, sourcePort, destinationPort }: Ends): ProxiedClient {
  return {
    remoteAddress: plain(source),
    remotePort: sourcePort,
    localAddress: plain(destination),
    localPort: destinationPort,
  };
}

/** One spelling of each address; an IPv4 address in IPv6 clothes counts as what it is. */
function plain(address: string): string {
  if (isIPv4(address)) return address;
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (mapped === null) return unmapped(canonical);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16BE(Number.parseInt(mapped[1] ?? '0', 16), 0);
  bytes.writeUInt16BE(Number.parseInt(mapped[2] ?? '0', 16), 2);
  return bytes.join('.');
}

function malformed(problem: string): ProxyHeader {
  return { state: 'malformed', problem };
}
