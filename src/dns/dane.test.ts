/** The cases of RFC 7672 §2.2, each asked of a name server. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type DnsServer, type Name, startDnsServer } from '../../test/support/dns-server.ts';
import { manualClock } from '../base/clock.ts';
import { createResolver, type Dane, daneOf } from './dns.ts';

const digest = Buffer.alloc(32, 1);
const otherDigest = Buffer.alloc(32, 2);
const signed = { signed: true };
const address = { addresses: ['192.0.2.1', '2001:db8::1'] };
let server: DnsServer;

before(async () => {
  server = await startDnsServer({});
});
after(() => server.close());

interface Case {
  names: Record<string, Name>;
  domain?: string;
  host?: string;
  port?: number;
  expected: Dane | RegExp;
  /** Whether the records themselves were asked for. */
  asked?: boolean;
}

function records(baseDomain: string, names: string[], data = digest): Dane {
  return {
    ...{ kind: 'records', baseDomain, names },
    records: [{ usage: 3, selector: 1, matchingType: 1, data }],
  };
}

const none: Dane = { kind: 'none' };
const domain: Name = { mx: [[10, 'mx.host.net']], ...signed };
const tlsa: Name = { tlsa: [[3, 1, 1, digest]], ...signed };
const withTlsa = { 'example.net': domain, 'mx.host.net': { ...address, ...signed } };

const cases: Record<string, Case> = {
  'everything is signed: the records count': {
    names: { ...withTlsa, '_25._tcp.mx.host.net': tlsa },
    expected: records('mx.host.net', ['mx.host.net', 'example.net']),
  },
  'the port is that of the connection': {
    names: { ...withTlsa, '_2525._tcp.mx.host.net': tlsa },
    port: 2525,
    expected: records('mx.host.net', ['mx.host.net', 'example.net']),
  },
  'the MX is not signed: no DANE, and nobody is asked (§2.2.1)': {
    names: { ...withTlsa, 'example.net': { ...domain, signed: false }, '_25._tcp.mx.host.net': tlsa },
    expected: none,
    asked: false,
  },
  'the addresses of the host are not signed: no DANE, and nobody is asked (§2.2.2)': {
    names: { 'example.net': domain, 'mx.host.net': address, '_25._tcp.mx.host.net': tlsa },
    expected: none,
    asked: false,
  },
  'the records are not signed: as if there were none (§2.2)': {
    names: { ...withTlsa, '_25._tcp.mx.host.net': { ...tlsa, signed: false } },
    expected: none,
  },
  'there are no records, and that is signed': { names: withTlsa, expected: none },
  'the name exists without records': {
    names: { ...withTlsa, '_25._tcp.mx.host.net': { txt: ['x'], ...signed } },
    expected: none,
  },
  'no answer for the records: the host is not used (§2.1.2)': {
    names: { ...withTlsa, '_25._tcp.mx.host.net': { rcode: 2 } },
    expected: /no answer for the TLSA of _25\._tcp\.mx\.host\.net: ESERVFAIL/,
  },
  'silence about the records: the host is not used': {
    names: { ...withTlsa, '_25._tcp.mx.host.net': { silent: true } },
    expected: /ETIMEOUT/,
  },
  'no answer for the MX': { names: { 'example.net': { rcode: 2 } }, expected: /the MX of example\.net/ },
  'no answer for the addresses': {
    names: { 'example.net': domain, 'mx.host.net': { rcode: 2 } },
    expected: /the address of mx\.host\.net/,
  },
  'the records are behind an alias that is signed': {
    names: {
      ...withTlsa,
      '_25._tcp.mx.host.net': { cname: 'keys.host.net', ...signed },
      'keys.host.net': tlsa,
    },
    expected: records('mx.host.net', ['mx.host.net', 'example.net']),
  },
  'the records are behind an alias that leads out of what is signed': {
    names: {
      ...withTlsa,
      '_25._tcp.mx.host.net': { cname: 'keys.host.net', ...signed },
      'keys.host.net': { ...tlsa, signed: false },
    },
    expected: none,
  },
  'the host is a signed alias: the records at its end count (§2.2.3)': {
    names: {
      'example.net': domain,
      'mx.host.net': { cname: 'real.host.net', ...signed },
      'real.host.net': { ...address, ...signed },
      '_25._tcp.real.host.net': tlsa,
      '_25._tcp.mx.host.net': { tlsa: [[3, 1, 1, otherDigest]], ...signed },
    },
    expected: records('real.host.net', ['real.host.net', 'example.net']),
  },
  'the host is a signed alias without records at its end: those at its beginning count': {
    names: {
      'example.net': domain,
      'mx.host.net': { cname: 'real.host.net', ...signed },
      'real.host.net': { ...address, ...signed },
      '_25._tcp.mx.host.net': { tlsa: [[3, 1, 1, otherDigest]], ...signed },
    },
    expected: records('mx.host.net', ['mx.host.net', 'example.net'], otherDigest),
  },
  'the host is a signed alias to one that is not: the records at its beginning count': {
    names: {
      'example.net': domain,
      'mx.host.net': { cname: 'real.host.net', aliasOnly: true, ...signed },
      'real.host.net': address,
      '_25._tcp.mx.host.net': tlsa,
      '_25._tcp.real.host.net': { tlsa: [[3, 1, 1, otherDigest]], ...signed },
    },
    expected: records('mx.host.net', ['mx.host.net', 'example.net']),
  },
  'the host is an alias that is not signed': {
    names: {
      'example.net': domain,
      'mx.host.net': { cname: 'real.host.net' },
      'real.host.net': { ...address, ...signed },
      '_25._tcp.mx.host.net': tlsa,
      '_25._tcp.real.host.net': tlsa,
    },
    expected: none,
  },
  'the domain is an alias: both names may be in a certificate (§3.2.2)': {
    names: {
      'also.net': { cname: 'example.net', ...signed },
      ...withTlsa,
      '_25._tcp.mx.host.net': tlsa,
    },
    domain: 'also.net',
    expected: records('mx.host.net', ['mx.host.net', 'also.net', 'example.net']),
  },
  'a domain without MX is its own host': {
    names: { 'example.net': { ...address, ...signed }, '_25._tcp.example.net': tlsa },
    host: 'example.net',
    expected: records('example.net', ['example.net']),
  },
  'an address has no records': { names: {}, domain: '[192.0.2.1]', host: '[192.0.2.1]', expected: none },
};

for (const [name, { names, expected, asked, ...given }] of Object.entries(cases)) {
  test(name, async () => {
    server.names.clear();
    for (const [key, entry] of Object.entries(names)) server.names.set(key, entry);
    server.questions.length = 0;
    const options = { clock: manualClock(0), servers: [server.address], timeoutMs: 2_000, tries: 1 };
    const host = { domain: 'example.net', host: 'mx.host.net', port: 25, ...given };
    const dane = await daneOf(host, createResolver(options));
    if (expected instanceof RegExp) {
      assert.ok(dane.kind === 'fault');
      assert.match(dane.text, expected);
    } else assert.deepEqual(dane, expected);
    const wasAsked = server.questions.some((question) => question.startsWith('TLSA'));
    if (asked !== undefined) assert.equal(wasAsked, asked);
  });
}
