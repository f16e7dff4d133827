/** What a tenant may send: quotas that hold and that refuse, changed while the server runs; sizes and recipients. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { kaleyraLogs, mailbabyLog, submailLog } from '../support/apis.ts';
import { relayIdIn, send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill, type TenantCredentials, type Waybill } from '../support/waybill.ts';

interface Refusal {
  responseCode?: number;
  response?: string;
}

const json = async <T>(waybill: Waybill, ...words: string[]): Promise<T> => {
  const { code, stdout, stderr } = await waybill.cli(...words, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as T;
};

/** At MAIL and RCPT a client is told by rules read a moment ago: what was just allowed may need another try. */
const sendSoon = (waybill: Waybill, tenant: TenantCredentials, mail: Parameters<typeof send>[2]) =>
  until('it is welcome', () =>
    send(waybill, tenant, mail).then(
      () => true,
      () => false,
    ),
  );

const refusalOf = (waybill: Waybill, tenant: TenantCredentials, mail: Parameters<typeof send>[2]) =>
  send(waybill, tenant, mail).then(
    () => assert.fail('it was accepted'),
    ({ responseCode, response = '' }: Refusal) => `${responseCode} ${response.slice(4)}`,
  );

test('a quota that holds: accepted, kept over a restart, released oldest first when there is room', async (t) => {
  const sink = await startSink(t);
  const waybill = await startWaybill(t, {
    environment: { WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}` },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const other = await waybill.createTenant('other', 'other.test');
  await json(waybill, 'quota', 'set', 'acme', '--month', '2');
  for (const n of [1, 2]) await send(waybill, tenant, { to: `n${n}@example.org` });
  const third = relayIdIn(await send(waybill, tenant, { to: ['n3@example.org', 'n4@example.org'] }));
  await until('two are delivered', () => sink.mails.length === 2);

  const queue = async () =>
    (
      await json<{ deliveries: { id: string; delivery: { state: string; reason: string } }[] }>(
        waybill,
        ...['queue', 'list'],
      )
    ).deliveries.map(({ id, delivery }) => [id, delivery.state, delivery.reason]);
  const held = [
    [`${third}:1`, 'held', 'rate-limited'],
    [`${third}:2`, 'held', 'rate-limited'],
  ];
  assert.deepEqual(await queue(), held);
  const [first] = (await submailLog(waybill, tenant, {})).data;
  assert.equal(first?.status, 3, 'held, in the words of an API');

  await waybill.killAll();
  await waybill.restart();
  await send(waybill, other, { to: 'free@example.org' });
  await until('others are not concerned', () => sink.mails.length === 3);
  assert.deepEqual(await queue(), held);

  await json(waybill, 'quota', 'set', 'acme', '--month', '3');
  await until('one more goes', () => sink.mails.length === 4);
  assert.deepEqual(sink.mails[3]?.forwardPaths, ['n3@example.org']);
  await send(waybill, tenant, { to: 'n5@example.org' });
  await json(waybill, 'quota', 'set', 'acme', '--month', 'none');
  await until('the others follow', () => sink.mails.length === 6);
  assert.deepEqual(
    sink.mails.flatMap(({ forwardPaths }) => forwardPaths).sort(),
    ['free@example.org', ...[1, 2, 3, 4, 5].map((n) => `n${n}@example.org`)].sort(),
  );
  await until(
    'and are on record',
    async () => (await mailbabyLog(waybill, tenant, { delivered: '1' })).total === 5,
  );
});

test('a quota that refuses: 452, and welcome again when there is room', async (t) => {
  const waybill = await startWaybill(t);
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await json(waybill, 'quota', 'set', 'acme', '--month', '2:refuse');
  await send(waybill, tenant, { to: 'ok@example.test' });
  const { tenants } = await json<{ tenants: { quotas: object[] }[] }>(waybill, 'quota', 'show');
  assert.partialDeepStrictEqual(tenants[0]?.quotas[0], { period: 'month', most: 2, used: 1 });
  await send(waybill, tenant, { to: 'ok@example.test' });
  assert.match(
    await refusalOf(waybill, tenant, { to: 'ok@example.test' }),
    /^452 4\.7\.1 The quota of 2 recipients per month is used up, try again after \d{4}-\d\d-01T00:00:00\.000Z/,
  );
  await waybill.restart();
  assert.match(await refusalOf(waybill, tenant, { to: 'ok@example.test' }), /^452 4\.7\.1 /);
  await json(waybill, 'quota', 'set', 'acme', '--month', '3:refuse');
  await sendSoon(waybill, tenant, { to: 'ok@example.test' });
  assert.equal((await mailbabyLog(waybill, tenant)).total, 3, 'what was refused for now is not on record');
});

test('recipients and sizes of one mail', async (t) => {
  const waybill = await startWaybill(t);
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await json(waybill, 'quota', 'set', 'acme', '--recipients', '2', '--bytes', '5KiB');
  const three = ['a@example.test', 'b@example.test', 'c@example.test'];
  await send(waybill, tenant, { to: three });
  assert.equal((await kaleyraLogs(waybill, tenant)).total, 2, 'the third is for another transaction');
  assert.match(
    await refusalOf(waybill, tenant, { to: 'ok@example.test', text: 'x'.repeat(6000) }),
    /^552 5\.3\.4 Content is larger than the 5120 bytes/,
  );
  await json(waybill, 'quota', 'set', 'acme', '--recipients', 'none', '--bytes', 'none');
  await sendSoon(waybill, tenant, { to: three, text: 'x'.repeat(6000) });
  assert.equal((await kaleyraLogs(waybill, tenant)).total, 5);
});
