/**
 * Every option of the installation, each said once: the type of the configuration, the file, the
 * environment, help and the reference page derive from this table. Options of dialects stand with their
 * dialect. What changes while running (tenants, keys, routes) is data in the store, not configuration.
 *
 * To add one: a line here, and its use. The property path is the key in camel case; a test compares them.
 */
import { maxNode } from '../base/id.ts';
import { limits } from '../base/limits.ts';
import type { Option } from '../base/option.ts';
import {
  clusterName,
  hostName,
  httpUrl,
  listenAddress,
  localPart,
  nameServer,
  network,
  nextHop,
  tlsPolicyRule,
  trustedNetwork,
} from './addresses.ts';
import { poolEntry } from './ip-pools.ts';
import {
  byteSize,
  databaseName,
  duration,
  type Kind,
  listOf,
  oneOf,
  optional,
  path,
  timeOfDay,
  wholeNumber,
} from './kinds.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

type Said<T> = Pick<Option<T>, 'key' | 'default' | 'meaning' | 'example'>;

/** The member of `Said` names the type, so that a default of `null` does not narrow it. */
function option<T>(kind: Kind<T>, said: Said<NoInfer<T>>): Option<T> {
  return { ...said, parse: kind.parse, print: kind.print };
}

const maxListEntries = 100;

const listenAddresses = listOf(listenAddress, { min: 0, max: maxListEntries });

/**
 * Two quick tries, then the half hour that RFC 5321 §4.5.4.1 asks for, and slower from there; given up
 * just before five days, as it recommends.
 */
const retryWaits = [
  ...[5 * minute, 15 * minute, 30 * minute],
  ...[hour, 2 * hour, 4 * hour, 8 * hour, 8 * hour],
  ...new Array<number>(8).fill(12 * hour),
];

const waits = listOf(duration(1, 30 * day), { min: 1, max: limits.retryWaits });

export const schema = {
  dataDir: option(path, {
    key: 'data_dir',
    default: './data',
    meaning: 'Folder that holds everything Waybill keeps; created if missing.',
    example: '/var/lib/waybill',
  }),
  hostname: option(optional(hostName), {
    key: 'hostname',
    default: null,
    meaning:
      "Name of this relay in greetings, trace fields and DSNs; empty: the machine's own name. Should resolve to the sending address.",
    example: 'mail.example.com',
  }),
  nodeNumber: option(wholeNumber(0, maxNode), {
    key: 'node_number',
    default: 0,
    meaning: 'Number of this relay among those that share a ledger, 0 to 30; part of every mail id.',
    example: '1',
  }),
  smtp: {
    listen: option(listenAddresses, {
      key: 'smtp.listen',
      default: [{ host: '127.0.0.1', port: 2525 }],
      meaning: 'Addresses for SMTP submission with STARTTLS, separated by commas; port 0 takes a free one.',
      example: '0.0.0.0:587, [::]:587',
    }),
    implicitTlsListen: option(listenAddresses, {
      key: 'smtp.implicit_tls_listen',
      default: [],
      meaning: 'Addresses for SMTP submission with TLS from the first byte (RFC 8314), separated by commas.',
      example: '0.0.0.0:465',
    }),
    trusted: option(listOf(trustedNetwork, { min: 0, max: maxListEntries }), {
      key: 'smtp.trusted',
      default: [],
      meaning: 'Networks whose clients submit without authentication, each with the tenant they submit as.',
      example: '127.0.0.0/8=acme, ::1/128=acme',
    }),
    proxyNetworks: option(listOf(network, { min: 0, max: maxListEntries }), {
      key: 'smtp.proxy_networks',
      default: [],
      meaning:
        'Networks of balancers: connections from there begin with a PROXY header (version 1 or 2), and the address in it is the client. They can name any address, so list nothing else.',
      example: '10.0.0.5, 10.0.1.0/24',
    }),
    maxHold: option(duration(0, 365 * day), {
      key: 'smtp.max_hold',
      default: 30 * day,
      meaning:
        'Longest time a client may have a mail held before its first attempt (FUTURERELEASE, RFC 4865), up to 365d; 0s: not offered.',
      example: '7d',
    }),
    maxContentBytes: option(byteSize(1024, GiB), {
      key: 'smtp.max_content_bytes',
      default: limits.contentBytes,
      meaning: 'Largest content accepted, announced as SIZE (RFC 1870); 1KiB to 1GiB.',
      example: '25MiB',
    }),
    maxForwardPaths: option(wholeNumber(1, 10_000), {
      key: 'smtp.max_forward_paths',
      default: limits.forwardPathsPerMail,
      meaning: 'Most forward-paths of one mail, 1 to 10000; RFC 5321 §4.5.3.1.8 asks for at least 100.',
      example: '100',
    }),
    authWithoutTls: option(oneOf('loopback', 'always', 'never'), {
      key: 'smtp.auth_without_tls',
      default: 'loopback',
      meaning:
        'Where AUTH is offered on a connection without TLS: `loopback` clients only, `always` or `never`.',
      example: 'never',
    }),
    tlsCert: option(optional(path), {
      key: 'smtp.tls_cert',
      default: null,
      meaning: 'PEM file with the certificate chain; empty: a certificate made by Waybill itself.',
      example: '/etc/waybill/fullchain.pem',
    }),
    tlsKey: option(optional(path), {
      key: 'smtp.tls_key',
      default: null,
      meaning: 'PEM file with the private key of `smtp.tls_cert`.',
      example: '/etc/waybill/privkey.pem',
    }),
  },
  http: {
    listen: option(listenAddress, {
      key: 'http.listen',
      default: { host: '127.0.0.1', port: 8025 },
      meaning: 'Address for the HTTP APIs and the console; port 0 takes a free one.',
      example: '0.0.0.0:8025',
    }),
  },
  nextHop: option(optional(nextHop), {
    key: 'next_hop',
    default: null,
    meaning:
      'Server that all mail is handed to; empty: the MX hosts of each domain. With a password TLS is required unless `?tls=` says otherwise.',
    example: 'smtp://user:password@smtp.example.com:587',
  }),
  retrySchedule: option(waits, {
    key: 'retry_schedule',
    default: retryWaits,
    meaning:
      'Waits between the attempts of a delivery, separated by commas; it expires when the attempt after the last wait fails.',
    example: '5m, 15m, 1h, 4h, 1d',
  }),
  retryScheduleBulk: option(optional(waits), {
    key: 'retry_schedule_bulk',
    default: null,
    meaning:
      'The same for bulk mail (MT-PRIORITY below 0); empty: as `retry_schedule`. A tenant may have schedules of its own (`waybill retry set`).',
    example: '1h, 6h, 1d',
  }),
  notices: {
    to: option(oneOf('own', 'any', 'none'), {
      key: 'notices.to',
      default: 'own',
      meaning:
        'Which senders are told by a DSN that their mail was not delivered: those whose reverse-path is under a verified sending domain of their tenant (`own`), `any`, or `none`. With `any` a client that forges its reverse-path makes Waybill write to strangers.',
      example: 'none',
    }),
    warnAfter: option(duration(0, 30 * day), {
      key: 'notices.warn_after',
      default: 4 * hour,
      meaning:
        'How long a delivery may be deferred before its sender is warned, once; 0s: only those who ask for it (NOTIFY=DELAY), after 4 hours.',
      example: '1d',
    }),
  },
  bounces: {
    domain: option(optional(hostName), {
      key: 'bounces.domain',
      default: null,
      meaning:
        'Domain of the return paths that mail goes out with, one for each delivery, and of the mailbox for complaints; its MX has to lead to `smtp.listen`. Empty: the reverse-path of the sender, and what comes back later is not seen (docs/return-path.md).',
      example: 'bounces.example.com',
    }),
    complaintMailbox: option(localPart, {
      key: 'bounces.complaint_mailbox',
      default: 'complaints',
      meaning: 'Local part at `bounces.domain` that mailbox providers send feedback reports to.',
      example: 'fbl',
    }),
  },
  delivery: {
    maxSessions: option(wholeNumber(1, 10_000), {
      key: 'delivery.max_sessions',
      default: limits.openAttempts,
      meaning: 'Most attempts under way at a time, 1 to 10000.',
      example: '500',
    }),
    maxSessionsPerDestination: option(wholeNumber(1, 1000), {
      key: 'delivery.max_sessions_per_destination',
      default: limits.attemptsPerDestination,
      meaning:
        'Most attempts under way at a time to one site, 1 to 1000, where the shaping table does not say otherwise (docs/shaping.md).',
      example: '5',
    }),
    shapingFile: option(optional(path), {
      key: 'delivery.shaping_file',
      default: null,
      meaning:
        'TOML file that changes the table of how much each site is sent (docs/shaping.md); empty: the table as Waybill comes with it.',
      example: '/etc/waybill/shaping.toml',
    }),
    ipPools: option(listOf(poolEntry, { min: 0, max: 1000 }), {
      key: 'delivery.ip_pools',
      default: [],
      meaning:
        'Source addresses by pool, each with a name for EHLO if it has one of its own; which pool the mail of a tenant leaves from is set with `waybill pool set` (docs/shaping.md).',
      example: 'main=192.0.2.10, bulk=192.0.2.11+2001:db8::11=out1.example.com',
    }),
    tlsPolicy: option(listOf(tlsPolicyRule, { min: 0, max: 1000 }), {
      key: 'delivery.tls_policy',
      default: [],
      meaning:
        'How mail to a domain is secured where it is not left to what the domain publishes, the first match counts: `published`, `none`, `opportunistic`, `required`, `dane` or `mta-sts` (docs/transport-security.md).',
      example: 'bank.example=required, *.corp.example=none',
    }),
  },
  dns: {
    servers: option(listOf(nameServer, { min: 0, max: limits.dnsServers }), {
      key: 'dns.servers',
      default: [],
      meaning:
        'Name servers that are asked, in turn; empty: those of the system. They have to answer for every domain.',
      example: '127.0.0.1, 192.0.2.53:53',
    }),
    trustAd: option(oneOf('loopback', 'always', 'never'), {
      key: 'dns.trust_ad',
      default: 'loopback',
      meaning:
        'Which name servers are believed that an answer was validated with DNSSEC, which DANE needs: those on this machine (`loopback`), `always`, or `never`.',
      example: 'never',
    }),
  },
  ledger: {
    url: option(optional(httpUrl), {
      key: 'ledger.url',
      default: null,
      meaning: 'Address of a ClickHouse server for the ledger; empty: the engine inside Waybill.',
      example: 'http://waybill:password@clickhouse.example.com:8123',
    }),
    database: option(databaseName, {
      key: 'ledger.database',
      default: 'waybill',
      meaning: 'Database of the ledger on that server; made if it is missing.',
      example: 'mail',
    }),
    cluster: option(optional(clusterName), {
      key: 'ledger.cluster',
      default: null,
      meaning:
        'Cluster behind `ledger.url` that the ledger is spread over and copied within, as its servers call it in `remote_servers`; empty: one server has it.',
      example: 'waybill',
    }),
    maxMemory: option(byteSize(256 * MiB, 1024 * GiB), {
      key: 'ledger.max_memory',
      default: GiB,
      meaning: 'Memory the engine inside Waybill may take for queries and merges, from 256MiB.',
      example: '4GiB',
    }),
    threads: option(wholeNumber(1, 256), {
      key: 'ledger.threads',
      default: 2,
      meaning: 'Threads that one query of the engine inside Waybill may use, 1 to 256.',
      example: '8',
    }),
    mergeThreads: option(wholeNumber(1, 64), {
      key: 'ledger.merge_threads',
      default: 2,
      meaning: 'Merges that the engine inside Waybill does at once, each in a thread of its own, 1 to 64.',
      example: '1',
    }),
    mergeMemory: option(optional(byteSize(64 * MiB, 1024 * GiB)), {
      key: 'ledger.merge_memory',
      default: null,
      meaning:
        'No merge is begun while those under way take more memory than this, from 64MiB; empty: half of `ledger.max_memory`.',
      example: '256MiB',
    }),
    keepEvents: option(optional(duration(day, 36_500 * day)), {
      key: 'ledger.keep_events',
      default: 90 * day,
      meaning: 'How long events are kept, from 1d; empty: for ever. A tenant may have a time of its own.',
      example: '365d',
    }),
    keepDeliveries: option(optional(duration(day, 36_500 * day)), {
      key: 'ledger.keep_deliveries',
      default: 90 * day,
      meaning:
        'How long the last known state of each delivery is kept after its acceptance, from 1d; empty: for ever.',
      example: '365d',
    }),
    keepCounters: option(optional(duration(day, 36_500 * day)), {
      key: 'ledger.keep_counters',
      default: null,
      meaning: 'How long statistics are kept, from 1d; empty: for ever.',
      example: '730d',
    }),
    keepEventsBytes: option(optional(byteSize(MiB, 1024 * 1024 * GiB)), {
      key: 'ledger.keep_events_bytes',
      default: null,
      meaning:
        'Space on disk that events may take before the oldest days go, from 1MiB; empty: without a bound.',
      example: '200GiB',
    }),
    keepDeliveriesBytes: option(optional(byteSize(MiB, 1024 * 1024 * GiB)), {
      key: 'ledger.keep_deliveries_bytes',
      default: null,
      meaning: 'The same for the last known states of deliveries.',
      example: '50GiB',
    }),
    anonymiseAfter: option(optional(duration(hour, 36_500 * day)), {
      key: 'ledger.anonymise_after',
      default: null,
      meaning: 'How long after acceptance recipients are taken out of what is kept, from 1h; empty: never.',
      example: '30d',
    }),
    nightlyAt: option(optional(timeOfDay), {
      key: 'ledger.nightly_at',
      default: 3 * hour,
      meaning:
        'Time of day (UTC) at which the ledger is verified and what is too old is removed; empty: never by itself.',
      example: '01:30',
    }),
  },
  log: {
    level: option(oneOf('debug', 'info', 'warn', 'error'), {
      key: 'log.level',
      default: 'info',
      meaning: 'The least important lines to write: `debug`, `info`, `warn` or `error`.',
      example: 'warn',
    }),
    format: option(oneOf('auto', 'json', 'pretty'), {
      key: 'log.format',
      default: 'auto',
      meaning: 'Form of the log on standard error: `json`, `pretty`, or `auto` (pretty at a terminal).',
      example: 'json',
    }),
  },
} as const;

type Values<S> = { [K in keyof S]: S[K] extends Option<infer T> ? T : Values<S[K]> };

export type SchemaValues = Values<typeof schema>;

interface Branch {
  readonly [name: string]: Option<never> | Branch;
}

export function isOption(node: object): node is Option<unknown> {
  return 'parse' in node && typeof node.parse === 'function';
}

/** All options of the table, in its order. */
export const coreOptions: readonly Option<unknown>[] = leavesOf(schema);

function leavesOf(branch: object): Option<unknown>[] {
  return Object.values(branch as Branch).flatMap((node) => (isOption(node) ? [node] : leavesOf(node)));
}
