/**
 * IP networks in CIDR notation (RFC 4632, RFC 4291 §2.3), and whether an address lies in one. An
 * IPv4-mapped IPv6 address, as a socket on `::` reports it, counts as the IPv4 address it carries.
 */
import { BlockList, isIP, isIPv6 } from 'node:net';

export interface Network {
  /** First address as written, without the prefix length. */
  address: string;
  prefixBits: number;
  family: 'ipv4' | 'ipv6';
}

const widths = { ipv4: 32, ipv6: 128 } as const;

/** `10.0.0.0/8`, `2001:db8::/32`, or a single address. Null if it is neither, or host bits are set. */
export function parseNetwork(text: string): Network | null {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) return null;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const prefixBits = bits === undefined ? widths[family] : prefixOf(bits);
  if (prefixBits === null || prefixBits > widths[family]) return null;
  const network: Network = { address, prefixBits, family };
  return hasHostBits(network) ? null : network;
}

export function printNetwork({ address, prefixBits }: Network): string {
  return `${address}/${prefixBits}`;
}

/** `host:port` as it stands in a URL or an option; an IPv6 address is bracketed. */
export function printHostAndPort({ host, port }: { host: string; port: number }): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

export function networkContains(network: Network, address: string): boolean {
  const plain = unmapped(address);
  const version = isIP(plain);
  if (version === 0 || (version === 4) !== (network.family === 'ipv4')) return false;
  const list = new BlockList();
  list.addSubnet(network.address, network.prefixBits, network.family);
  return list.check(plain, network.family);
}

/** `::ffff:192.0.2.1` → `192.0.2.1`; any other text stays as it is. */
export function unmapped(address: string): string {
  const found = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return found?.[1] ?? address;
}

function prefixOf(text: string): number | null {
  return /^\d{1,3}$/.test(text) ? Number(text) : null;
}

/** `10.1.2.3/8` is more likely a slip than a wish, so it is refused. */
function hasHostBits(network: Network): boolean {
  const bits = addressBits(network);
  return bits.slice(network.prefixBits).includes('1');
}

function addressBits({ address, family }: Network): string {
  return family === 'ipv4'
    ? address
        .split('.')
        .map((part) => binary(Number(part), 8))
        .join('')
    : groupsOf(address)
        .map((group) => binary(group, 16))
        .join('');
}

function binary(value: number, width: number): string {
  return value.toString(2).padStart(width, '0');
}

/** The eight groups of a valid IPv6 address. */
export function groupsOf(address: string): number[] {
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail] = hex.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16));
}
