/** Kinds of values that name hosts: where to listen, whom to trust, where to relay to. */
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { type Network, parseNetwork, printHostAndPort, printNetwork } from '../base/network.ts';
import { OptionProblem } from '../base/option.ts';
import { type Kind, textKind } from './kinds.ts';

export interface ListenAddress {
  /** IP address, or a name that resolves to one of this machine. */
  host: string;
  /** 0: the system chooses a free one. */
  port: number;
}

/** Clients in `network` submit as this tenant without authentication. */
export interface TrustedNetwork {
  network: Network;
  tenant: string;
}

/** The one server that all mail is handed to, instead of the MX hosts of each domain. */
export interface NextHop {
  host: string;
  port: number;
  /** How the connection is secured, in the words of `smtp-client`. */
  tls: 'none' | 'opportunistic' | 'required' | 'implicit';
  credentials: { username: string; password: string } | null;
}

const maxHostChars = 253;

const hostNamePattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/**
 * RFC 1123 §2.1; single labels too, as containers and `localhost` have them. A last label is never all
 * digits, so `1.2.3.400` is a slip and not a name.
 */
export function isHostName(text: string): boolean {
  return text.length <= maxHostChars && hostNamePattern.test(text) && !/(?:^|\.)\d+$/.test(text);
}

function isHost(text: string): boolean {
  return isIP(text) !== 0 || isHostName(text);
}

export const hostName: Kind<string> = textKind((text) => {
  if (isHostName(text)) return text.toLowerCase();
  throw new OptionProblem('expected a host name such as mail.example.com');
}, String);

export const localPart: Kind<string> = textKind((text) => {
  if (/^[a-z0-9](?:[a-z0-9._+-]{0,38}[a-z0-9])?$/i.test(text)) return text.toLowerCase();
  throw new OptionProblem('expected a local part such as complaints, of at most 40 letters, digits, . _ + -');
}, String);

/** Of ClickHouse servers. It becomes part of statements. */
export const clusterName: Kind<string> = textKind((text) => {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(text)) return text;
  throw new OptionProblem('expected the name of a cluster: at most 64 letters, digits, _ . -');
}, String);

const listenExpected = 'expected host:port such as 127.0.0.1:2525, [::1]:2525 or 0.0.0.0:0';

export const listenAddress: Kind<ListenAddress> = textKind((text) => {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const [inBrackets, bare, port] = parts === null ? [] : parts.slice(1);
  const host = inBrackets ?? bare ?? '';
  const sound = inBrackets === undefined ? isHost(host) : isIPv6(host);
  if (parts !== null && sound && Number(port) <= 65_535) return { host, port: Number(port) };
  throw new OptionProblem(listenExpected);
}, printHostAndPort);

export const trustedNetwork: Kind<TrustedNetwork> = textKind(
  (text) => {
    const [written = '', tenant = '', ...rest] = text.split('=').map((part) => part.trim());
    const network = parseNetwork(written);
    if (network !== null && tenant !== '' && rest.length === 0) return { network, tenant };
    throw new OptionProblem('expected network=tenant such as 10.0.0.0/8=acme or ::1/128=acme');
  },
  ({ network, tenant }) => `${printNetwork(network)}=${tenant}`,
);

export const network: Kind<Network> = textKind((text) => {
  const parsed = parseNetwork(text);
  if (parsed !== null) return parsed;
  throw new OptionProblem('expected a network such as 10.0.0.0/8 or 2001:db8::/32, or one address');
}, printNetwork);

const nextHopExpected =
  'expected smtp://host, smtp://user:password@host:587 or smtps://host:465, with ?tls=none, ' +
  'opportunistic or required for smtp:// if need be; special characters of the password percent-encoded';

const standardPorts = { 'smtp:': 25, 'smtps:': 465 } as const;

export const nextHop: Kind<NextHop> = textKind((text) => {
  const url = parseSmtpUrl(text);
  const parts = url === null ? null : nextHopOf(url);
  if (parts === null) throw new OptionProblem(nextHopExpected);
  return parts;
}, printNextHop);

function parseSmtpUrl(text: string): URL | null {
  const url = URL.parse(text);
  if (url === null || !(url.protocol in standardPorts)) return null;
  const bare = ['', '/'].includes(url.pathname) && url.hash === '';
  return bare ? url : null;
}

function nextHopOf(url: URL): NextHop | null {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const credentials = credentialsOf(url);
  const tls = tlsOf(url, credentials !== null);
  if (!isHost(host) || credentials === undefined || tls === null) return null;
  return { host, port: portOf(url), tls, credentials };
}

function portOf(url: URL): number {
  return url.port === '' ? standardPorts[url.protocol as keyof typeof standardPorts] : Number(url.port);
}

/** Undefined if there is a name without a password, or the encoding is broken. */
function credentialsOf(url: URL): NextHop['credentials'] | undefined {
  if (url.username === '' && url.password === '') return null;
  if (url.username === '' || url.password === '') return undefined;
  try {
    return { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  } catch {
    return undefined;
  }
}

/** With a password TLS is required unless the URL says otherwise: a stripped STARTTLS must not reveal it. */
function tlsOf(url: URL, withPassword: boolean): NextHop['tls'] | null {
  const wishes = [...url.searchParams];
  if (wishes.length > 1 || wishes.some(([name]) => name !== 'tls')) return null;
  const wish = wishes[0]?.[1];
  if (url.protocol === 'smtps:') return wish === undefined ? 'implicit' : null;
  if (wish === undefined) return withPassword ? 'required' : 'opportunistic';
  return wish === 'none' || wish === 'opportunistic' || wish === 'required' ? wish : null;
}

function printNextHop({ host, port, tls, credentials }: NextHop): string {
  const implicit = tls === 'implicit';
  const login =
    credentials === null
      ? ''
      : `${encodeURIComponent(credentials.username)}:${encodeURIComponent(credentials.password)}@`;
  return `${implicit ? 'smtps' : 'smtp'}://${login}${printHostAndPort({ host, port })}${implicit ? '' : `?tls=${tls}`}`;
}

/** A name server: an address, with or without a port. */
export const nameServer: Kind<string> = textKind((text) => {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const [, inBrackets, bare, port] = parts ?? [];
  const sound =
    parts === null ? isIP(text) !== 0 : inBrackets === undefined ? isIPv4(bare ?? '') : isIPv6(inBrackets);
  if (sound && Number(port ?? 53) >= 1 && Number(port ?? 53) <= 65_535) return text;
  throw new OptionProblem('expected an address such as 192.0.2.53, 127.0.0.1:5353 or [2001:db8::53]:53');
}, String);

/** How mail to some domains is secured; the words are those of `relay/tls-policy.ts`. */
export interface TlsPolicyRule {
  /** `example.com`; `*.example.com`: every name below it; `*`: every domain. Lower case. */
  pattern: string;
  policy: 'published' | 'none' | 'opportunistic' | 'required' | 'dane' | 'mta-sts';
}

const tlsPolicies = ['published', 'none', 'opportunistic', 'required', 'dane', 'mta-sts'] as const;

export const tlsPolicyRule: Kind<TlsPolicyRule> = textKind(
  (text) => {
    const [pattern = '', wish = '', ...rest] = text.split('=').map((part) => part.trim().toLowerCase());
    const policy = tlsPolicies.find((known) => known === wish);
    const sound = pattern === '*' || isHostName(pattern.replace(/^\*\./, ''));
    if (sound && policy !== undefined && rest.length === 0) return { pattern, policy };
    throw new OptionProblem(
      `expected domain=policy such as example.com=required, *.example.net=none or *=published; policies: ${tlsPolicies.join(', ')}`,
    );
  },
  ({ pattern, policy }) => `${pattern}=${policy}`,
);

/** Base URL of an HTTP service; may carry credentials. */
export const httpUrl: Kind<string> = textKind((text) => {
  const url = URL.parse(text);
  if (url !== null && ['http:', 'https:'].includes(url.protocol) && url.hash === '') return text;
  throw new OptionProblem('expected an address such as http://clickhouse.example.com:8123');
}, String);
