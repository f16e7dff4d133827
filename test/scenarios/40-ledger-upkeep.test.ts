/**
 * The ledger is proved, made anew, and freed of people and of what is too old, by the command line, while the server
 * runs and while it does not.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeliveriesReply, JobReply, LedgerReply } from '../../src/console-api/console-api.ts';
import { dataPaths } from '../../src/data-paths.ts';
import { openEngine } from '../../src/ledger/ledger.ts';
import { readRunFile } from '../../src/run-file.ts';
import type { Erased, Job, Retained, Verified } from '../../src/upkeep/upkeep.ts';
import { send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill, type Waybill } from '../support/waybill.ts';

async function json<T>(waybill: Waybill, ...words: string[]): Promise<T> {
  const { code, stdout, stderr } = await waybill.cli(...words, '--json');
  assert.equal(code, 0, `waybill ${words.join(' ')}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as T;
}

/** The operator's API of the run, as the command line asks it. */
async function ask<T>(waybill: Waybill, path: string, what?: object): Promise<T> {
  const authorization = `Bearer ${readRunFile(waybill.dataDir)?.token}`;
  const more = what && {
    method: 'POST',
    body: JSON.stringify(what),
    headers: { authorization, 'content-type': 'application/json' },
  };
  const reply = await fetch(`${waybill.http}/api/v1${path}`, more ?? { headers: { authorization } });
  assert.ok(reply.ok, await reply.clone().text());
  return (await reply.json()) as T;
}

async function done(waybill: Waybill, what: object): Promise<Job> {
  const { job } = await ask<JobReply>(waybill, '/ledger/jobs', what);
  return await until('the job has ended', async () => {
    const { current } = await ask<LedgerReply>(waybill, '/ledger');
    return current?.id === job.id && current.state !== 'running' ? current : null;
  });
}

const deliveriesOf = async (waybill: Waybill) =>
  (await ask<DeliveriesReply>(waybill, '/deliveries')).deliveries;
const recipients = async (waybill: Waybill) =>
  (await deliveriesOf(waybill)).map(({ delivery }) => delivery.forwardPath).sort();

test('the upkeep of the ledger', async (t) => {
  const sink = await startSink(t);
  const waybill = await startWaybill(t, {
    environment: { WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}` },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  for (const to of ['ann@shop.example', 'bob@shop.example', 'ann@shop.example'])
    await send(waybill, tenant, { to });
  await until(
    'all have ended',
    async () =>
      (await deliveriesOf(waybill)).filter(({ delivery }) => delivery.state === 'delivered').length === 3,
  );

  await t.test('a sound ledger is proved, and its chain is whole', async () => {
    const { ok, counts, chain } = await json<Verified>(waybill, 'ledger', 'verify', '--chain');
    assert.deepEqual(counts.differences, []);
    assert.deepEqual(chain?.problems, []);
    assert.ok(ok);
    assert.equal(counts.queueLeftOut, null);
    const [node] = chain?.nodes ?? [];
    assert.ok(node && node.batches > 0 && node.intact === node.batches);
  });

  await t.test('projections are made anew while the server runs', async () => {
    const before = await deliveriesOf(waybill);
    const { result, problem } = await done(waybill, { kind: 'rebuild' });
    assert.equal(problem, null);
    assert.ok((result as { events: number }).events >= 6);
    assert.deepEqual(await deliveriesOf(waybill), before);
  });

  await t.test('what is under legal hold is not erased', async () => {
    const words = ['hold', 'add', '--tenant', 'acme', '--address', 'ANN@shop.example'];
    const { id } = await json<{ id: number }>(waybill, 'ledger', ...words);
    const { result } = await done(waybill, { kind: 'erase', address: 'ann@shop.example', tenant: 'acme' });
    const held = result as Erased;
    assert.deepEqual([held.events, held.heldTenants], [0, [tenant.tenant.id]]);
    await json(waybill, 'ledger', 'hold', 'remove', String(id));
  });

  await t.test('an address is erased everywhere; counts, chain and suppression hold', async () => {
    await json(waybill, 'suppression', 'add', 'ann@shop.example', '--tenant', 'acme', '--kind', 'bounce');
    const { code, stderr } = await waybill.cli('ledger', 'erase', 'ann@shop.example');
    assert.equal(code, 2, stderr);
    assert.match(stderr, /say --yes/);
    const erased = await json<Erased>(waybill, 'ledger', 'erase', 'Ann@Shop.example', '--yes');
    assert.ok(erased.events >= 4);
    assert.deepEqual([erased.deliveries, erased.suppressions], [2, 1]);
    const left = await recipients(waybill);
    assert.equal(left.filter((address) => /^erased-[0-9a-f]{20}@erased\.invalid$/.test(address)).length, 2);
    assert.equal(left.length, 3);
    const { result } = await done(waybill, { kind: 'verify', chain: true });
    const { ok, chain } = result as Verified;
    assert.ok(ok, JSON.stringify(result));
    assert.ok((chain?.nodes[0]?.amended ?? 0) > 0);
    await send(waybill, tenant, { to: 'ann@shop.example' });
    const again = (await deliveriesOf(waybill)).find(
      ({ delivery }) => delivery.forwardPath === 'ann@shop.example',
    );
    assert.equal(again?.delivery.state, 'suppressed');
  });

  await t.test('what is kept for a day stays today', async () => {
    await json(waybill, 'retention', 'set', 'acme', '--events', '1d', '--counters', 'none');
    const { removed } = await json<Retained>(waybill, 'retention', 'run', '--yes');
    assert.deepEqual(removed, { events: 0, deliveries: 0, counters: 0 });
    const { stdout } = await waybill.cli('retention', 'show', '--tenant', 'acme');
    assert.match(stdout, /acme +1d \* +90d +for ever \*/);
  });

  await t.test('the last runs are remembered', async () => {
    assert.equal(await waybill.stop(), 0);
    const { current, last } = await json<LedgerReply>(waybill, 'ledger', 'status');
    assert.equal(current, null);
    assert.deepEqual(
      last.map(({ kind, state }) => `${kind} ${state}`),
      ['erase done', 'rebuild done', 'retention done', 'verify done'],
    );
  });

  await t.test(
    'a counter that was lost and an event edited behind its back are told, and what can be mended is, without a server',
    async () => {
      await damage(waybill, [
        "ALTER TABLE counters DELETE WHERE type = 'delivered'",
        "ALTER TABLE events UPDATE diagnostic = '250 forged' WHERE type = 'delivered'",
      ]);
      const { code, stdout } = await waybill.cli('ledger', 'verify', '--chain');
      assert.equal(code, 1);
      assert.match(stdout, /first difference: tenant acme, hour .*, counters delivered: expected 3, found 0/);
      assert.match(stdout, /node0: events? .* edited/);
      await json(waybill, 'ledger', 'rebuild');
      assert.ok((await json<Verified>(waybill, 'ledger', 'verify')).ok);
    },
  );
});

/** While no server runs. */
async function damage({ dataDir }: Waybill, changes: readonly string[]): Promise<void> {
  const engine = await openEngine({ url: null, path: dataPaths(dataDir).ledger });
  try {
    for (const change of changes) await engine.command(`${change} SETTINGS mutations_sync = 2`);
  } finally {
    await engine.close();
  }
}
