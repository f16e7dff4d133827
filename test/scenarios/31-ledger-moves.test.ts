/** From the ledger inside Waybill to a server, and several relays into one ledger there. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { moveLedger, openEngine, openLedger } from '../../src/ledger/ledger.ts';
import { openStore } from '../../src/store/store.ts';
import { mailbabyLog } from '../support/apis.ts';
import { startClickHouse } from '../support/clickhouse-process.ts';
import { batchesOf, generateHistory } from '../support/histories.ts';
import { relayIdIn, send } from '../support/send.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

/** Of loaded machines. */
const patienceMs = 90_000;

async function ask(url: string, database: string, statement: string): Promise<number[]> {
  const engine = await openEngine({ url, path: '', database });
  try {
    const [row] = await engine.ask(statement);
    return (row ?? []).map(Number);
  } finally {
    await engine.close();
  }
}

const counts = `SELECT (SELECT count() FROM events), (SELECT uniqExact(outbox_node, sequence) FROM events),
  (SELECT sum(count) FROM totals), (SELECT count() FROM deliveries FINAL)`;

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-move-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

test('a move that was broken off goes on, also with what came since, and is compared', async (t) => {
  const { url } = await startClickHouse(t);
  const options = { url: null, path: join(temporaryFolder(t), 'ledger') };
  const server = { url, database: 'mail' };
  const range = { from: Date.UTC(2026, 8, 29), to: Date.UTC(2026, 9, 3), edges: false };
  const history = generateHistory(7, { ...range, mails: 40, tenants: 2, node: 'node0', nodeNumber: 0 });
  const batches = batchesOf(history, 50);
  const later = batches.splice(-1);
  const fill = async (some: typeof batches) => {
    const ledger = await openLedger(options);
    for (const batch of some) await ledger.append(batch);
    await ledger.close();
  };
  await fill(batches);
  const brokenOff = new Error('broken off');
  const stopAt = (times: number) => () => {
    times -= 1;
    if (times < 0) throw brokenOff;
  };
  await assert.rejects(moveLedger(options, server, stopAt(1)), brokenOff);
  // As a crash between the append and its note leaves it: the batch is begun, and nobody knows that it arrived.
  const engine = await openEngine({ ...server, path: '' });
  t.after(() => engine.close());
  await engine.command('DELETE FROM moves WHERE done');
  const [before] = await ask(url, 'mail', 'SELECT count() FROM events');
  assert.ok(Number(before) > 0 && Number(before) < history.events.length, `${before} events were carried`);

  await fill(later);
  const progress: number[] = [];
  const moved = await moveLedger(options, server, ({ carried }) => progress.push(carried));
  assert.equal(moved.events, history.events.length);
  assert.equal(progress.at(-1), history.events.length);
  assert.deepEqual(
    moved.compared.map(({ table }) => table),
    ['events', 'deliveries', 'engagement', 'totals', 'counters'],
  );
  const { length } = history.events;
  assert.deepEqual((await ask(url, 'mail', counts)).slice(0, 3), [length, length, length]);
  assert.equal((await moveLedger(options, server, () => {})).carried, 0, 'a second move finds nothing to do');

  // One row that is not the same there is found, whatever its table.
  await engine.command('INSERT INTO totals SELECT * REPLACE (1 AS count) FROM totals LIMIT 1');
  await assert.rejects(
    moveLedger(options, server, () => {}),
    /totals on the server differs from what was moved/,
  );
  // And a database that another relay filled under the same number is left alone.
  const other = await openLedger({ url, path: '', database: 'other' });
  const strange = generateHistory(8, { ...range, mails: 3, tenants: 1, node: 'node0', nodeNumber: 0 });
  for (const batch of batchesOf(strange, 1000)) await other.append(batch);
  await other.close();
  await assert.rejects(
    moveLedger(options, { url, database: 'other' }, () => {}),
    /other events of node0 in .* than this ledger/,
  );
  assert.deepEqual(await ask(url, 'other', 'SELECT count() FROM events'), [strange.events.length]);
});

test('a relay goes on with its ledger on a server; what it had appended is not appended again', async (t) => {
  const { url } = await startClickHouse(t);
  const waybill = await startWaybill(t, { environment: { WAYBILL_CRASH_AT: 'batch-appended' } });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await send(waybill, tenant, { to: 'ok@example.test' });
  await until('the office has died', () => /child process died/.test(waybill.log()), patienceMs);
  await waybill.killAll();
  const store = openStore(join(waybill.dataDir, 'waybill.sqlite'));
  const cursor = store.get('SELECT appended_to, pending_to FROM ledger_cursor');
  store.close();
  assert.ok(Number(cursor?.['pending_to']) > 0, 'a batch is begun that the ledger has');

  const { code, stdout, stderr } = await waybill.cli(
    'ledger',
    'move',
    '--to',
    url,
    '--database',
    'mail',
    '--json',
  );
  assert.equal(code, 0, stderr);
  const moved = JSON.parse(stdout) as { events: number; compared: { rows: number }[]; set: object };
  assert.deepEqual(moved.set, { 'ledger.url': url, 'ledger.database': 'mail' });
  assert.ok(moved.events > 0);
  assert.equal(moved.compared[0]?.rows, moved.events);

  await waybill.restart({ WAYBILL_LEDGER_URL: url, WAYBILL_LEDGER_DATABASE: 'mail', WAYBILL_CRASH_AT: '' });
  await send(waybill, tenant, { to: 'ok@example.test' });
  await until(
    'both are in the log',
    async () => {
      const { emails } = await mailbabyLog(waybill, tenant);
      const { stdout: queued } = await waybill.cli('queue', 'list', '--json');
      return emails.length === 2 && !/"state"/.test(queued);
    },
    patienceMs,
  );
  const refused = await waybill.cli('ledger', 'move', '--to', url);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /a server runs on .*; stop it first/);
  assert.equal(await waybill.stop(), 0);
  const [events, distinct, counted, deliveries] = await ask(url, 'mail', counts);
  assert.deepEqual([distinct, counted, deliveries], [events, events, 2]);
  const [newest] = await ask(url, 'mail', 'SELECT max(sequence) FROM events');
  assert.equal(newest, events, 'from the first to the last, each once');
});

test('two relays drain into one ledger; a third one of a number that is taken does not start', async (t) => {
  const { url } = await startClickHouse(t);
  const onServer = (node: number) => ({ WAYBILL_LEDGER_URL: url, WAYBILL_NODE_NUMBER: String(node) });
  const relays = await Promise.all([1, 2].map((node) => startWaybill(t, { environment: onServer(node) })));
  const ids: string[] = [];
  const tenants = new Map(relays.map((relay) => [relay, relay.ready.firstStart]));
  const submit = async (relay: (typeof relays)[number], mails: number) => {
    const tenant = tenants.get(relay);
    assert.ok(tenant);
    for (let mail = 0; mail < mails; mail += 1)
      ids.push(relayIdIn(await send(relay, tenant, { from: `app@${tenant.domain}`, to: 'ok@example.test' })));
  };
  const [one, two] = relays;
  assert.ok(one && two);
  await Promise.all([
    submit(one, 10),
    submit(two, 5).then(async () => {
      await two.killAll(); // in mid-drain
      await two.restart();
      await submit(two, 5);
    }),
  ]);
  for (const relay of relays) assert.equal(await relay.stop(), 0);
  assert.equal(new Set(ids).size, 20);
  const [events, distinct, counted, deliveries] = await ask(url, 'waybill', counts);
  assert.deepEqual([distinct, counted, deliveries], [events, events, 20]);
  const told = await ask(
    url,
    'waybill',
    `SELECT uniqExact(mail_id), uniqExact(outbox_node), countIf(type = 'accepted'),
  uniqExactIf(mail_id, outbox_node = 'node1'), uniqExactIf(mail_id, outbox_node = 'node2') FROM events`,
  );
  assert.deepEqual(told, [20, 2, 20, 10, 10]);

  const refusal = await startWaybill(t, { environment: onServer(1) }).then(
    () => assert.fail('it started'),
    (error: Error) => error.message,
  );
  assert.match(
    refusal,
    /another relay fills this ledger under node_number 1: give this one a number of its own/,
  );
});
