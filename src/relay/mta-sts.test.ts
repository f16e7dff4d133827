import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeCertificate } from '../../test/support/certificates.ts';
import { startDnsServer } from '../../test/support/dns-server.ts';
import { type PolicyReply, policyFile, startPolicyServer } from '../../test/support/policy-server.ts';
import { until } from '../../test/support/until.ts';
import { manualClock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { silentLog } from '../base/log.ts';
import { createResolver } from '../dns/dns.ts';
import { openStore } from '../store/store.ts';
import { createMtaStsPolicies } from './mta-sts.ts';
import { createFetchPolicy } from './mta-sts-fetch.ts';

const authority = await makeCertificate({ names: ['authority.test'], authority: true });
const identity = await makeCertificate({
  names: ['mta-sts.example.net', 'mta-sts.second.net'],
  by: authority,
});

const policy = { mode: 'enforce', mx: ['mx.example.net'], maxAgeSeconds: 604_800 } as const;

async function setUp(t: TestContext, served = identity) {
  const web = await startPolicyServer(t, served);
  web.replies.set('mta-sts.example.net', { body: policyFile('enforce', ['mx.example.net']) });
  const dns = await startDnsServer({
    '_mta-sts.example.net': { txt: ['v=STSv1; id=1;'], ttlSeconds: 0 },
    'mta-sts.example.net': { addresses: ['127.0.0.1'] },
  });
  t.after(() => dns.close());
  const directory = mkdtempSync(join(tmpdir(), 'waybill-mta-sts-'));
  const store = openStore(join(directory, 'store.sqlite'));
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  const clock = manualClock(Date.parse('2030-01-01T00:00:00Z'));
  const resolver = createResolver({ clock, servers: [dns.address], timeoutMs: 2_000, tries: 1 });
  const open = (authorities = [authority.cert], port = web.port) =>
    createMtaStsPolicies({
      ...{ store, resolver, clock, log: silentLog },
      fetchPolicy: createFetchPolicy({ resolver, port, loopback: true, authorities }),
    });
  const record = (...txt: string[]) => dns.names.set('_mta-sts.example.net', { txt, ttlSeconds: 0 });
  return { web, dns, store, clock, resolver, open, record };
}

test('a policy is fetched once, from the one place where it may stand', async (t) => {
  const { web, open } = await setUp(t);
  const policies = open();
  const answers = await Promise.all([1, 2, 3].map(() => policies.of('example.net')));
  for (const answer of answers) assert.deepEqual(answer, policy);
  await policies.of('example.net');
  assert.deepEqual(web.requests, ['mta-sts.example.net/.well-known/mta-sts.txt']);
});

test('a policy outlives the process', async (t) => {
  const { web, open } = await setUp(t);
  await open().of('example.net');
  const again = await open().of('example.net');
  assert.deepEqual(again, { ...policy, id: '1', fetchedAt: Date.parse('2030-01-01T00:00:00Z') });
  assert.equal(web.requests.length, 1);
});

test('no record, no policy: nobody is asked for one', async (t) => {
  const { web, open, record } = await setUp(t);
  const policies = open();
  for (const records of [[], ['v=spf1 -all'], ['v=STSv1; id=1;', 'v=STSv1; id=2;'], ['v=STSv1; broken']]) {
    record(...records);
    assert.equal(await policies.of('example.net'), null);
  }
  assert.equal(await policies.of('nowhere.net'), null);
  assert.equal(await policies.of('[192.0.2.1]'), null);
  assert.equal(web.requests.length, 0);
});

test('a policy holds until its age is over, whatever becomes of the record', async (t) => {
  const { dns, clock, open, record } = await setUp(t);
  const policies = open();
  await policies.of('example.net');
  record();
  assert.equal((await policies.of('example.net'))?.mode, 'enforce');
  dns.names.set('_mta-sts.example.net', { rcode: 2 });
  assert.equal((await policies.of('example.net'))?.mode, 'enforce');
  dns.names.set('_mta-sts.example.net', { silent: true });
  clock.advance(policy.maxAgeSeconds * 1000 - 1);
  assert.equal((await policies.of('example.net'))?.mode, 'enforce');
  clock.advance(1);
  assert.equal(await policies.of('example.net'), null);
});

test('another id brings the new policy; where that fails the old one holds', async (t) => {
  const { web, clock, open, record } = await setUp(t);
  const policies = open();
  await policies.of('example.net');
  record('v=STSv1; id=2;');
  web.replies.set('mta-sts.example.net', { status: 500 });
  assert.equal((await policies.of('example.net'))?.mode, 'enforce');
  await policies.of('example.net');
  assert.equal(web.requests.length, 2, 'a failed try is not repeated at once');
  web.replies.set('mta-sts.example.net', { body: policyFile('testing', ['new.example.net']) });
  clock.advance(limits.mtaStsRetryMs);
  assert.deepEqual(await policies.of('example.net'), {
    ...{ mode: 'testing', mx: ['new.example.net'], maxAgeSeconds: 604_800 },
  });
});

test('a failed try with another id in the record is another try', async (t) => {
  const { web, open, record } = await setUp(t);
  const policies = open();
  web.replies.clear();
  assert.equal(await policies.of('example.net'), null);
  record('v=STSv1; id=2;');
  assert.equal(await policies.of('example.net'), null);
  assert.equal(web.requests.length, 2);
});

test('a policy in use is renewed before its age is over', async (t) => {
  const { web, clock, store, open } = await setUp(t);
  const policies = open();
  await policies.of('example.net');
  clock.advance(limits.mtaStsRenewMs + 1);
  assert.equal((await policies.of('example.net'))?.mode, 'enforce');
  await until('the second request', () => web.requests.length === 2);
  const renewed = () => store.get('SELECT fetched_at FROM mta_sts_policies')?.['fetched_at'] === clock.now();
  await until('the renewed policy', renewed);
});

test('a policy of mode none is a policy', async (t) => {
  const { web, open } = await setUp(t);
  web.replies.set('mta-sts.example.net', { body: policyFile('none', []) });
  assert.equal((await open().of('example.net'))?.mode, 'none');
});

test('the policy of one domain is not that of another', async (t) => {
  const { web, dns, open } = await setUp(t);
  dns.names.set('_mta-sts.second.net', { txt: ['v=STSv1; id=1;'] });
  dns.names.set('mta-sts.second.net', { addresses: ['127.0.0.1'] });
  web.replies.set('mta-sts.second.net', { body: policyFile('testing', ['mx.second.net']) });
  const policies = open();
  assert.equal((await policies.of('example.net'))?.mode, 'enforce');
  assert.equal((await policies.of('second.net'))?.mode, 'testing');
});

const refused: [name: string, reply: PolicyReply][] = [
  ['not found', { status: 404, body: policyFile('enforce', ['mx.example.net']) }],
  ['another kind of success', { status: 203, body: policyFile('enforce', ['mx.example.net']) }],
  ['a redirect, which is not followed', { status: 301, headers: { location: '/other' } }],
  ['a web page', { headers: { 'content-type': 'text/html' }, body: policyFile('enforce', ['a.b']) }],
  ['no policy', { body: '<h1>Welcome</h1>' }],
  ['too long', { body: `${policyFile('enforce', ['a.b'])}${'x'.repeat(limits.mtaStsPolicyBytes)}` }],
];
for (const [name, reply] of refused) {
  test(`no policy is taken from: ${name}`, async (t) => {
    const { web, open } = await setUp(t);
    web.replies.set('mta-sts.example.net', reply);
    assert.equal(await open().of('example.net'), null);
    assert.equal(web.requests.length, 1);
  });
}

test('a media type may have parameters', async (t) => {
  const { web, open } = await setUp(t);
  const headers = { 'content-type': 'Text/Plain; charset=utf-8' };
  web.replies.set('mta-sts.example.net', { headers, body: policyFile('enforce', ['mx.example.net']) });
  assert.deepEqual(await open().of('example.net'), policy);
});

const past = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2020-02-01T00:00:00Z') };
const certificates = {
  'nobody we know': { names: ['mta-sts.example.net'] },
  'another name': { names: ['www.example.net'], by: authority },
  'the domain without mta-sts': { names: ['example.net'], by: authority },
  'a wildcard two labels up': { names: ['*.net'], by: authority },
  'the past': { names: ['mta-sts.example.net'], by: authority, ...past },
};
for (const [whose, wish] of Object.entries(certificates)) {
  test(`no policy is taken under a certificate of ${whose}`, async (t) => {
    const { web, open } = await setUp(t, await makeCertificate(wish));
    assert.equal(await open().of('example.net'), null);
    assert.equal(web.requests.length, 0);
  });
}

test('no policy is asked for at addresses of this machine or network', async (t) => {
  const { web, resolver } = await setUp(t);
  const fetchPolicy = createFetchPolicy({ resolver, port: web.port, authorities: [authority.cert] });
  const fetched = await fetchPolicy('example.net');
  assert.ok('problem' in fetched);
  assert.match(fetched.problem, /no usable address/);
  assert.equal(web.requests.length, 0);
});

test('a web server that is not there', async (t) => {
  const { open } = await setUp(t);
  assert.equal(await open([authority.cert], 1).of('example.net'), null);
});

test('a web server that does not come to an end', async (t) => {
  const { web, resolver } = await setUp(t);
  web.replies.set('mta-sts.example.net', { endless: true });
  const place = { resolver, port: web.port, loopback: true, authorities: [authority.cert] };
  const fetched = await createFetchPolicy({ ...place, timeoutMs: 200 })('example.net');
  assert.deepEqual(fetched, { problem: 'no policy within 0.2 seconds' });
});

test('no more policies are kept than the limit, and none after its age', async (t) => {
  const { store, clock, open } = await setUp(t);
  store.run(
    `INSERT INTO mta_sts_policies
     WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     SELECT i || '.net', '1', 'enforce', 'a.b', 1, 0, ? + i FROM n`,
    ...[limits.mtaStsPolicies, clock.now()],
  );
  await open().of('example.net');
  const has = (domain: string) =>
    store.get('SELECT 1 FROM mta_sts_policies WHERE domain = ?', domain) !== undefined;
  assert.equal(store.get('SELECT count(*) AS kept FROM mta_sts_policies')?.['kept'], limits.mtaStsPolicies);
  assert.deepEqual(['example.net', '0.net', '1.net', '2.net'].map(has), [true, false, false, true]);
});
