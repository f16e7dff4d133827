import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { type DnsServer, startDnsServer } from '../../test/support/dns-server.ts';
import { manualClock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { createResolver, type Resolver, type ResolverOptions } from './dns.ts';

const clock = manualClock(0);
const digest = Buffer.alloc(32, 7);
let server: DnsServer;
let other: DnsServer;

before(async () => {
  server = await startDnsServer({
    'signed.net': { addresses: ['192.0.2.1'], mx: [[10, 'mx.signed.net']], signed: true },
    'plain.net': { addresses: ['192.0.2.2'] },
    'alias.net': { cname: 'signed.net', signed: true },
    'half-signed.net': { cname: 'plain.net', signed: true },
    'lazy-alias.net': { cname: 'second-alias.net', aliasOnly: true, ttlSeconds: 20, signed: true },
    'second-alias.net': { cname: 'plain.net', aliasOnly: true, ttlSeconds: 90 },
    'circle.net': { cname: 'round.net', aliasOnly: true },
    'round.net': { cname: 'circle.net', aliasOnly: true },
    'empty-alias.net': { cname: 'only-text.net', negativeTtlSeconds: 30 },
    'only-text.net': { txt: ['v=one', 'v=two'], negativeTtlSeconds: 30 },
    'large.net': { addresses: Array.from({ length: 200 }, (_, index) => `192.0.2.${index}`), large: true },
    'tlsa.net': { tlsa: [[3, 1, 1, digest]], signed: true },
    'timed.net': { mx: [[10, 'mx.signed.net']], ttlSeconds: 7 },
    'lame.net': { addresses: ['192.0.2.9'], lame: true },
    'silent.net': { silent: true },
    'broken.net': { rcode: 2 },
  });
  other = await startDnsServer({
    'lame.net': { addresses: ['192.0.2.99'] },
    'silent.net': { addresses: ['192.0.2.98'] },
    'broken.net': { addresses: ['192.0.2.97'] },
  });
  for (let hops = 0; hops < 12; hops += 1) {
    server.names.set(`hop${hops}.net`, { cname: `hop${hops + 1}.net` });
  }
});
after(async () => {
  await server.close();
  await other.close();
});
beforeEach(() => {
  server.questions.length = 0;
  other.questions.length = 0;
  server.refusesEdns = false;
  server.forge = null;
});

/** Long enough for a busy machine; a name that is never answered costs a test as much. */
function resolverWith(options: Partial<ResolverOptions> = {}): Resolver {
  return createResolver({ clock, servers: [server.address], timeoutMs: 2_000, tries: 1, ...options });
}

test('what is validated is told, aliases included', async () => {
  const resolver = resolverWith();
  const secure = async (name: string) => {
    const answer = await resolver.ipv4(name);
    return 'found' in answer && answer.secure;
  };
  assert.equal(await secure('signed.net'), true);
  assert.equal(await secure('plain.net'), false);
  assert.equal(await secure('alias.net'), true);
  assert.equal(await secure('half-signed.net'), false);
  const absent = await resolver.tlsa('none.signed.net');
  assert.deepEqual(absent, { absent: 'domain', secure: true });
});

test('a word of validation counts from this machine only, unless the operator trusts the way', async () => {
  const answers = ['loopback', 'always', 'never'].map(async (trustAd) => {
    const answer = await resolverWith({ trustAd: trustAd as 'loopback' }).ipv4('signed.net');
    return 'found' in answer && answer.secure;
  });
  assert.deepEqual(await Promise.all(answers), [true, true, false]);
});

test('an alias is followed, also where the server does not, and the least TTL counts', async () => {
  const resolver = resolverWith();
  const answer = await resolver.ipv4('lazy-alias.net');
  assert.deepEqual(answer, { found: ['192.0.2.2'], canonicalName: 'plain.net', secure: false });
  assert.deepEqual(server.questions, ['A lazy-alias.net', 'A second-alias.net', 'A plain.net']);
  clock.advance(19_000);
  await resolver.ipv4('lazy-alias.net');
  assert.equal(server.questions.length, 3);
  clock.advance(2_000);
  await resolver.ipv4('lazy-alias.net');
  assert.equal(server.questions.length, 6);
});

test('aliases that go round in a circle, or on and on, are a fault', async () => {
  const resolver = resolverWith();
  assert.deepEqual(await resolver.ipv4('circle.net'), { fault: 'ECNAMELOOP' });
  assert.deepEqual(await resolver.ipv4('hop0.net'), { fault: 'ECNAMELOOP' });
  assert.ok(server.questions.length <= limits.dnsAliases + 3);
});

test('the alias itself can be asked for', async () => {
  const answer = await resolverWith().cname('half-signed.net');
  assert.ok('found' in answer);
  assert.deepEqual(answer.found, ['plain.net']);
});

test('texts and TLSA records', async () => {
  const resolver = resolverWith();
  const text = await resolver.txt('only-text.net');
  assert.deepEqual('found' in text && text.found, ['v=one', 'v=two']);
  const tlsa = await resolver.tlsa('tlsa.net');
  assert.deepEqual('found' in tlsa && tlsa.found, [{ usage: 3, selector: 1, matchingType: 1, data: digest }]);
});

test('an answer that does not fit comes over TCP', async () => {
  const answer = await resolverWith().ipv4('large.net');
  assert.ok('found' in answer);
  assert.equal(answer.found.length, limits.dnsRecords);
  assert.deepEqual(server.questions, ['A large.net', 'A large.net (TCP)']);
});

test('MX answers have their own TTL', async () => {
  const resolver = resolverWith();
  await resolver.mx('timed.net');
  clock.advance(6_900);
  await resolver.mx('timed.net');
  assert.equal(server.questions.length, 1);
  clock.advance(200);
  await resolver.mx('timed.net');
  assert.equal(server.questions.length, 2);
});

test('"there is none" holds as long as the zone says, at the end of aliases as well', async () => {
  const resolver = resolverWith();
  for (const name of ['only-text.net', 'empty-alias.net']) {
    server.questions.length = 0;
    assert.deepEqual(await resolver.ipv4(name), { absent: 'records', secure: false });
    clock.advance(29_999);
    await resolver.ipv4(name);
    assert.equal(server.questions.length, 1, name);
    clock.advance(2);
    await resolver.ipv4(name);
    assert.equal(server.questions.length, 2, name);
  }
});

for (const [name, fault] of [
  ['lame.net', 'ELAME'],
  ['silent.net', 'ETIMEOUT'],
  ['broken.net', 'ESERVFAIL'],
] as const) {
  test(`a server that does not answer (${fault}) is passed over for the next`, async () => {
    assert.deepEqual(await resolverWith().ipv4(name), { fault });
    const both = resolverWith({ servers: [server.address, other.address] });
    const answer = await both.ipv4(name);
    assert.ok('found' in answer);
    assert.equal(other.questions.length, 1);
  });
}

test('the server that answered last is asked first', async () => {
  const both = resolverWith({ servers: [server.address, other.address] });
  await both.ipv4('silent.net');
  await both.mx('silent.net');
  assert.deepEqual(server.questions, ['A silent.net']);
  assert.deepEqual(other.questions, ['A silent.net', 'MX silent.net']);
});

test('a server that does not know EDNS is asked without', async () => {
  server.refusesEdns = true;
  const resolver = resolverWith();
  assert.ok('found' in (await resolver.ipv4('plain.net')));
  assert.ok('found' in (await resolver.ipv4('signed.net')));
  assert.deepEqual(server.questions, ['A plain.net', 'A plain.net', 'A signed.net']);
});

test('a server that is not there', async () => {
  const gone = await startDnsServer({});
  await gone.close();
  const answer = await resolverWith({ servers: [gone.address] }).ipv4('plain.net');
  assert.ok('fault' in answer && ['ECONNREFUSED', 'ETIMEOUT'].includes(answer.fault));
});

test('answers to other questions, or to nobody, are passed over', async () => {
  server.forge = ({ id = 0, questions = [] }) => {
    const forged = { type: 'A' as const, name: 'plain.net', ttl: 300, data: '203.0.113.66' };
    const head = { type: 'response' as const, flags: 0x180, answers: [forged] };
    return [
      { ...head, id: (id + 1) % 65_536, questions },
      { ...head, id, questions: [{ type: 'A', name: 'other.net' }] },
      { ...head, id, questions: [{ type: 'MX', name: 'plain.net' }] },
      { ...head, id, questions: [] },
      { ...head, id, type: 'query', questions },
    ];
  };
  const answer = await resolverWith().ipv4('plain.net');
  assert.deepEqual('found' in answer && answer.found, ['192.0.2.2']);
});

test('names no question can be made of', async () => {
  const names = ['', 'a..b', `${'a'.repeat(64)}.net`, `${'a.'.repeat(130)}net`, 'ä.net', 'a b.net'];
  for (const name of names) {
    assert.deepEqual(await resolverWith().mx(name), { absent: 'domain', secure: false }, name);
  }
  assert.equal(server.questions.length, 0);
});

test('no more questions are under way than the limit', async () => {
  const resolver = resolverWith();
  const names = Array.from({ length: limits.dnsQuestionsOpen + 50 }, (_, index) => `n${index}.plain.net`);
  const answers = await Promise.all(names.map((name) => resolver.ipv4(name)));
  assert.ok(answers.every((answer) => 'absent' in answer));
});

test('a name server is an address', () => {
  for (const address of ['dns.example', '192.0.2.1:x', '']) {
    assert.throws(() => resolverWith({ servers: [address] }), /no address of a name server/);
  }
});

test('what is no DNS message does no harm', async () => {
  const { read } = await import('./answer.ts');
  const packet = await import('dns-packet');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const message = Buffer.concat([Buffer.from([0, 1, 0x81, 0x80, 0, 0, 0, 3, 0, 0, 0, 0]), bytes]);
      try {
        read(packet.decode(message), { name: 'a.net', type: 'A' });
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }),
  );
});
