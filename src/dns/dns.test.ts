import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type DnsServer, startDnsServer } from '../../test/support/dns-server.ts';
import { manualClock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import {
  createFindTargets,
  createResolver,
  type FindTargets,
  type MxLookup,
  mxTargets,
  type Resolver,
} from './dns.ts';

const clock = manualClock(0);
let server: DnsServer;
let resolver: Resolver;

before(async () => {
  server = await startDnsServer({
    'one.net': { mx: [[10, 'mx.one.net']] },
    'mx.one.net': { addresses: ['192.0.2.1', '2001:db8::1'] },
    'three.net': {
      mx: [
        [20, 'c.three.net'],
        [10, 'a.three.net'],
        [10, 'B.Three.Net'],
      ],
    },
    'a.three.net': { addresses: ['192.0.2.11'] },
    'b.three.net': { addresses: ['192.0.2.12'] },
    'c.three.net': { addresses: ['192.0.2.13'] },
    'self.net': { addresses: ['192.0.2.20'] },
    'empty.net': {},
    'null.net': { mx: [[0, '']] },
    'null-and-more.net': {
      mx: [
        [0, ''],
        [10, 'mx.one.net'],
      ],
    },
    'alias.net': { cname: 'one.net' },
    'to-alias.net': { mx: [[10, 'mx-alias.net']] },
    'mx-alias.net': { cname: 'mx.one.net' },
    'broken.net': { rcode: 2, addresses: ['192.0.2.30'] },
    'refused.net': { rcode: 5 },
    'silent.net': { silent: true },
    'address-as-mx.net': { mx: [[10, '192.0.2.40']] },
    'dangling.net': {
      mx: [
        [10, 'nowhere.dangling.net'],
        [20, 'empty.net'],
      ],
    },
    'half-dangling.net': {
      mx: [
        [10, 'nowhere.dangling.net'],
        [20, 'mx.one.net'],
      ],
    },
    'half-broken.net': {
      mx: [
        [10, 'nowhere.dangling.net'],
        [20, 'broken.net'],
      ],
    },
    'loopback.net': { mx: [[10, 'localhost.loopback.net']] },
    'localhost.loopback.net': {
      addresses: ['127.0.0.1', '::1', '0.0.0.0', '169.254.1.1', '224.0.0.1', 'fe80::1'],
    },
    'ours.net': {
      mx: [
        [5, 'a.three.net'],
        [10, 'relay.test'],
        [10, 'b.three.net'],
        [20, 'c.three.net'],
      ],
    },
    'only-ours.net': {
      mx: [
        [10, 'Relay.Test'],
        [20, 'c.three.net'],
      ],
    },
    'relay.test': { addresses: ['192.0.2.50'] },
    'many.net': { mx: Array.from({ length: 30 }, (_, index) => [index, `h${index}.many.net`] as const) },
    'short.net': { addresses: ['192.0.2.60'], ttlSeconds: 2 },
    'long.net': { addresses: ['192.0.2.61'], ttlSeconds: 86_400 },
    'v4-broken.net': { addresses: ['2001:db8::7'], rcode: 2, rcodeFor: 'a' },
  });
  for (let index = 0; index < 30; index += 1) {
    server.names.set(`h${index}.many.net`, { addresses: [`192.0.2.${index}`] });
  }
});
after(() => server.close());
beforeEach(() => {
  resolver = createResolver({ clock, servers: [server.address], timeoutMs: 2_000, tries: 1 });
  server.questions.length = 0;
});

/** The lots fall so that equal ones keep their order. */
function inSequence(): () => number {
  let lot = 0;
  return () => (lot += 1 / 1024);
}

function find(domain: string, random = inSequence()): Promise<MxLookup> {
  return mxTargets(domain, {
    resolver,
    random,
    ownNames: ['relay.test'],
    isOurs: () => false,
    loopback: false,
  });
}

function targets(...hosts: [string, ...string[]][]): MxLookup {
  const authentic = hosts.every(([name]) => name.startsWith('['));
  return { targets: hosts.map(([name, ...addresses]) => ({ name, addresses })), authentic };
}

const found: [domain: string, expected: MxLookup][] = [
  ['one.net', targets(['mx.one.net', '192.0.2.1', '2001:db8::1'])],
  [
    'three.net',
    targets(['a.three.net', '192.0.2.11'], ['b.three.net', '192.0.2.12'], ['c.three.net', '192.0.2.13']),
  ],
  ['self.net', targets(['self.net', '192.0.2.20'])],
  ['null-and-more.net', targets(['mx.one.net', '192.0.2.1', '2001:db8::1'])],
  ['alias.net', targets(['mx.one.net', '192.0.2.1', '2001:db8::1'])],
  ['to-alias.net', targets(['mx-alias.net', '192.0.2.1', '2001:db8::1'])],
  ['half-dangling.net', targets(['mx.one.net', '192.0.2.1', '2001:db8::1'])],
  ['ours.net', targets(['a.three.net', '192.0.2.11'])],
  ['v4-broken.net', targets(['v4-broken.net', '2001:db8::7'])],
  ['[192.0.2.9]', targets(['[192.0.2.9]', '192.0.2.9'])],
  ['[ipv6:2001:db8::9]', targets(['[ipv6:2001:db8::9]', '2001:db8::9'])],
];
for (const [domain, expected] of found) {
  test(`targets of ${domain}`, async () => assert.deepEqual(await find(domain), expected));
}

const missing: [domain: string, cause: string, status: string, text: RegExp][] = [
  ['null.net', 'null-mx', '5.1.10', /accepts no mail/],
  ['nothing-here.net', 'no-mx', '5.1.2', /does not exist/],
  ['empty.net', 'no-mx', '5.4.4', /usable address/],
  ['dangling.net', 'no-mx', '5.4.4', /usable address/],
  ['address-as-mx.net', 'no-mx', '5.4.4', /host name/],
  ['loopback.net', 'no-mx', '5.4.4', /usable address/],
  ['only-ours.net', 'dns', '5.4.6', /loops back/],
  ['[127.0.0.1]', 'no-mx', '5.4.4', /usable/],
  ['[::ffff:127.0.0.1]', 'no-mx', '5.4.4', /usable/],
  ['[ipv6:::1]', 'no-mx', '5.4.4', /usable/],
  ['[example]', 'no-mx', '5.1.2', /no address/],
  ['[192.0.2.1', 'no-mx', '5.1.2', /no address/],
  ['', 'no-mx', '5.1.2', /no domain name/],
  ['a..net', 'no-mx', '5.1.2', /no domain name/],
  ['192.0.2.1', 'no-mx', '5.1.2', /no domain name/],
  [`${'a'.repeat(64)}.net`, 'no-mx', '5.1.2', /no domain name/],
  ['a b.net', 'no-mx', '5.1.2', /no domain name/],
  ['broken.net', 'dns', '4.4.3', /ESERVFAIL/],
  ['refused.net', 'dns', '4.4.3', /EREFUSED/],
  ['silent.net', 'dns', '4.4.3', /ETIMEOUT/],
  ['half-broken.net', 'dns', '4.4.3', /broken\.net/],
];
for (const [domain, cause, status, text] of missing) {
  test(`no targets for "${domain.slice(0, 30)}": ${cause} ${status}`, async () => {
    const answer = await find(domain);
    assert.ok('failed' in answer);
    assert.equal(answer.failed.cause, cause);
    assert.equal(answer.failed.enhancedStatus, status);
    assert.match(answer.failed.text, text);
    assert.equal(answer.failed.stage, 'dns');
  });
}

test('hosts of equal preference are shuffled, others never', async () => {
  const orders = new Set<string>();
  for (const first of [0.1, 0.9]) {
    const lots = [0.5, first, 0.5];
    const answer = await find('three.net', () => lots.shift() ?? 0.5);
    assert.ok('targets' in answer);
    orders.add(answer.targets.map(({ name }) => name[0]).join(''));
  }
  assert.deepEqual(orders, new Set(['abc', 'bac']));
});

test('no more hosts are asked for than will be tried', async () => {
  const answer = await find('many.net');
  assert.ok('targets' in answer);
  assert.equal(answer.targets.length, limits.mxTargets);
  assert.equal(server.questions.length, 1 + 2 * limits.mxTargets);
});

test('an answer is asked for once, also by many at the same time', async () => {
  await Promise.all(Array.from({ length: 20 }, () => find('one.net')));
  await find('one.net');
  assert.deepEqual(server.questions.toSorted(), ['A mx.one.net', 'AAAA mx.one.net', 'MX one.net']);
});

test('an answer is kept as long as its TTL, but not longer than the limit', async () => {
  await resolver.ipv4('short.net');
  clock.advance(1_999);
  await resolver.ipv4('short.net');
  assert.equal(server.questions.length, 1);
  clock.advance(2);
  await resolver.ipv4('short.net');
  assert.equal(server.questions.length, 2);
  await resolver.ipv4('long.net');
  clock.advance(limits.dnsCacheMs + 1);
  await resolver.ipv4('long.net');
  assert.equal(server.questions.length, 4);
});

test('"there is none" is kept for a while, a failure is not', async () => {
  assert.deepEqual(await resolver.mx('nothing-here.net'), { absent: 'domain', secure: false });
  await resolver.mx('nothing-here.net');
  assert.equal(server.questions.length, 1);
  clock.advance(limits.dnsNegativeCacheMs + 1);
  await resolver.mx('nothing-here.net');
  assert.equal(server.questions.length, 2);
  await resolver.mx('broken.net');
  await resolver.mx('broken.net');
  assert.equal(server.questions.length, 4);
});

function finder(): FindTargets {
  return createFindTargets({ clock, resolver, port: 2525, loopback: true });
}

test('targets in order, one for each address', async () => {
  assert.deepEqual(await finder().mx('one.net'), {
    ok: true,
    targets: [
      { name: 'mx.one.net', address: '192.0.2.1', port: 2525 },
      { name: 'mx.one.net', address: '2001:db8::1', port: 2525 },
    ],
    authentic: false,
  });
  const missed = await finder().mx('null.net');
  assert.ok(!missed.ok && missed.observation.cause === 'null-mx');
});

test('loopback addresses count in a laboratory', async () => {
  const answer = await finder().mx('[127.0.0.1]');
  assert.deepEqual(answer, {
    ok: true,
    targets: [{ name: '[127.0.0.1]', address: '127.0.0.1', port: 2525 }],
    authentic: true,
  });
});

test('a next hop: an address, or a name the system knows', async () => {
  assert.deepEqual(await finder().host('192.0.2.7', 587), {
    ok: true,
    targets: [{ name: '192.0.2.7', address: '192.0.2.7', port: 587 }],
    authentic: true,
  });
  const bracketed = await finder().host('[2001:db8::7]', 587);
  assert.ok(bracketed.ok && bracketed.targets[0]?.address === '2001:db8::7');
  const local = await finder().host('localhost', 25);
  assert.ok(local.ok && local.targets.some(({ address }) => address === '127.0.0.1'));
});

test('a next hop without an address is a temporary failure', async () => {
  const answer = await finder().host('no such host', 25);
  assert.ok(!answer.ok);
  assert.equal(answer.observation.enhancedStatus, '4.4.3');
  assert.equal(answer.observation.cause, 'dns');
});

const listening: [where: string, listener: { host: string; port: number }, domain: string, loops: boolean][] =
  [
    ['the same address and port', { host: '192.0.2.11', port: 2525 }, 'a.three.net', true],
    ['another port', { host: '192.0.2.11', port: 587 }, 'a.three.net', false],
    ['another address', { host: '192.0.2.12', port: 2525 }, 'a.three.net', false],
    ['all addresses of this machine', { host: '0.0.0.0', port: 2525 }, 'localhost.loopback.net', true],
    [
      'all addresses of this machine, but not those of others',
      { host: '::', port: 2525 },
      'a.three.net',
      false,
    ],
    ['an address literal', { host: '192.0.2.9', port: 2525 }, '[192.0.2.9]', true],
    ['a mapped address literal', { host: '192.0.2.9', port: 2525 }, '[ipv6:::ffff:192.0.2.9]', true],
  ];
for (const [where, listener, domain, loops] of listening) {
  test(`an MX host found where we listen is we: ${where}`, async () => {
    const find = createFindTargets({
      ...{ clock, resolver, port: 2525, loopback: true },
      ownListeners: [listener],
    });
    const answer = await find.mx(domain);
    assert.equal(!answer.ok && answer.observation.enhancedStatus === '5.4.6', loops);
  });
}

test('hosts that are better than our own listener are tried, others not', async () => {
  const find = createFindTargets({
    ...{ clock, resolver, port: 2525 },
    ownListeners: [{ host: '192.0.2.13', port: 2525 }],
  });
  const answer = await find.mx('three.net');
  assert.ok(answer.ok);
  assert.deepEqual(answer.targets.map(({ name }) => name).toSorted(), ['a.three.net', 'b.three.net']);
});
