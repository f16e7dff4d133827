/** An address that bounced is not tried again, one that was only blocked is; lists by hand; the allow list. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { mailgunTotals } from '../support/apis.ts';
import { send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill, type Waybill } from '../support/waybill.ts';

interface Entry {
  tenant: string;
  address: string;
  kind: string;
  domain: string;
  createdAt: number;
  expiresAt: number | null;
  detail: string;
}

const json = async <T>(waybill: Waybill, ...words: string[]): Promise<T> => {
  const { code, stdout, stderr } = await waybill.cli(...words, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as T;
};

const entriesOf = async (waybill: Waybill) =>
  (await json<{ suppressions: Entry[] }>(waybill, 'suppression', 'list')).suppressions;

test('a hard bounce suppresses the address, for its tenant; a policy block does not', async (t) => {
  const commands: string[] = [];
  const sink = await startSink(t, {
    rcpt: (address) => {
      commands.push(address);
      if (address.startsWith('gone')) return { code: 550, text: '5.1.1 User unknown' };
      return address.startsWith('blocked')
        ? { code: 550, text: '5.7.1 Message refused, your IP is on a blocklist' }
        : null;
    },
  });
  const waybill = await startWaybill(t, {
    environment: { WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}`, WAYBILL_NOTICES_TO: 'none' },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const other = await waybill.createTenant('other', 'other.test');
  const both = ['gone@example.org', 'blocked@example.org'];
  await send(waybill, tenant, { to: both });
  const entries = await until('the address is on the list', async () => {
    const found = await entriesOf(waybill);
    return found.length > 0 ? found : null;
  });
  assert.equal(entries.length, 1);
  const [entry] = entries;
  assert.partialDeepStrictEqual(entry, {
    tenant: 'acme',
    address: 'gone@example.org',
    kind: 'bounce',
    domain: '',
  });
  assert.match(entry?.detail ?? '', /5\.1\.1 User unknown/);
  assert.equal((entry?.expiresAt ?? 0) - (entry?.createdAt ?? 0), 90 * 86_400_000);

  await until('both were refused', () => commands.length === 2);
  await send(waybill, tenant, { to: ['GONE@example.org', 'blocked@example.org'] });
  await send(waybill, other, { to: 'gone@example.org' });
  await until('one of each was tried', () => commands.length === 4);
  assert.deepEqual(commands.slice(2).sort(), ['blocked@example.org', 'gone@example.org']);
  await until('told as suppressed', async () => {
    const { failed } = await mailgunTotals(waybill, tenant);
    return failed?.permanent['suppress-bounce'] === 1 && failed.permanent['bounce'] === 1;
  });
  assert.equal((await mailgunTotals(waybill, other)).failed?.permanent['suppress-bounce'], 0);

  await json(waybill, 'suppression', 'remove', 'gone@example.org', '--tenant', 'acme');
  await send(waybill, tenant, { to: 'gone@example.org' });
  await until('tried again', () => commands.length === 5);
});

test('lists by hand, for all or for one sending domain, and the allow list', async (t) => {
  const sink = await startSink(t);
  const waybill = await startWaybill(t, {
    environment: { WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}` },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const add = (...words: string[]) => json(waybill, 'suppression', 'add', ...words, '--tenant', 'acme');
  await add('all@example.org', '--kind', 'complaint', '--days', '30', '--note', 'asked by phone');
  await add('news@example.org', '--domain', 'news.test');
  await add('vip@partner.example');
  await json(waybill, 'suppression', 'allow', 'partner.example', '--tenant', 'acme');
  await send(waybill, tenant, { to: ['all@example.org', 'news@example.org', 'vip@partner.example'] });
  await until('two have arrived', () => sink.mails.flatMap(({ forwardPaths }) => forwardPaths).length === 2);
  assert.deepEqual(sink.mails.flatMap(({ forwardPaths }) => forwardPaths).sort(), [
    'news@example.org',
    'vip@partner.example',
  ]);
  await until('told as a complaint', async () => {
    const { failed } = await mailgunTotals(waybill, tenant);
    return failed?.permanent['suppress-complaint'] === 1;
  });
  const never = await waybill.cli('suppression', 'add', 'bob@partner.example', '--tenant', 'acme');
  assert.deepEqual(
    [never.code, never.stdout],
    [1, 'bob@partner.example  never suppressed: on the allow list\n'],
  );
});
