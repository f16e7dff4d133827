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
import { send } from '../support/send.ts';
import { until } from '../support/until.ts';
import { startWaybill, type TenantCredentials, type Waybill } from '../support/waybill.ts';

/** Told at the first start of a data directory only. */
const known = new Map<Waybill, TenantCredentials>();

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
  const { url } = await startClickHouse(t, 'here');
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
  // What retention has thinned is not moved, for the server could not know of what is gone.
  const thinned = await openEngine(options);
  await thinned.command(
    "INSERT INTO horizons (table_name, tenant_id, before) VALUES ('events', 1, '2026-09-01')",
  );
  await thinned.close();
  await assert.rejects(
    moveLedger(options, server, () => {}),
    /retention has removed rows/,
  );
  // Nor is anything brought into the tables of a cluster.
  await (await openLedger({ url, path: '', database: 'spread', cluster: 'here' })).close();
  await assert.rejects(
    moveLedger(options, { url, database: 'spread' }, () => {}),
    /are those of a cluster.*"waybill ledger move" goes to one server only/,
  );
});

test('a relay goes on with its ledger on a server, a second one joins it, a third one of a taken number does not start', async (t) => {
  const { url } = await startClickHouse(t);
  const first = await startWaybill(t, { environment: { WAYBILL_CRASH_AT: 'batch-appended' } });
  await sendAs(first);
  await until('the office has died', () => /child process died/.test(first.log()), patienceMs);
  await first.killAll();
  const store = openStore(join(first.dataDir, 'waybill.sqlite'));
  const cursor = store.get('SELECT appended_to, pending_to FROM ledger_cursor');
  store.close();
  assert.ok(Number(cursor?.['pending_to']) > 0, 'a batch is begun that the ledger has');

  const move = ['ledger', 'move', '--to', url, '--database', 'mail', '--json'];
  const { code, stdout, stderr } = await first.cli(...move);
  assert.equal(code, 0, stderr);
  const moved = JSON.parse(stdout) as { events: number; compared: { rows: number }[]; set: object };
  assert.deepEqual(moved.set, { 'ledger.url': url, 'ledger.database': 'mail' });
  assert.ok(moved.events > 0);
  assert.equal(moved.compared[0]?.rows, moved.events);

  const onServer = { WAYBILL_LEDGER_URL: url, WAYBILL_LEDGER_DATABASE: 'mail' };
  await first.restart({ ...onServer, WAYBILL_CRASH_AT: '' });
  await sendAs(first);
  const proven = await first.cli('ledger', 'verify', '--chain', '--json');
  assert.equal(proven.code, 0, `the chain goes on from batch to batch: ${proven.stdout} ${proven.stderr}`);
  const second = await startWaybill(t, { environment: { ...onServer, WAYBILL_NODE_NUMBER: '1' } });
  await sendAs(second);
  for (const relay of [first, second]) {
    // The first tenants of both have the same number, and so one log.
    const delivered = async () => (await mailbabyLog(relay, credentialsOf(relay), { delivered: '1' })).total;
    await until('all are in the log', async () => (await delivered()) === 3, patienceMs);
  }
  const refused = await first.cli('ledger', 'move', '--to', url);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /a server runs on .*; stop it first/);
  for (const relay of [first, second]) assert.equal(await relay.stop(), 0);

  const [events, distinct, counted, deliveries] = await ask(url, 'mail', counts);
  assert.deepEqual([distinct, counted, deliveries], [events, events, 3]);
  const newest = `SELECT sum(newest) FROM (SELECT max(sequence) AS newest FROM events GROUP BY outbox_node)`;
  assert.deepEqual(await ask(url, 'mail', newest), [events], 'of each from the first to the last, each once');
  await assert.rejects(
    startWaybill(t, { environment: onServer }),
    /another relay fills this ledger under node_number 0: give this one a number of its own/,
  );
});

function credentialsOf(relay: Waybill): TenantCredentials {
  const credentials = relay.ready.firstStart ?? known.get(relay);
  assert.ok(credentials);
  known.set(relay, credentials);
  return credentials;
}

async function sendAs(relay: Waybill): Promise<void> {
  const tenant = credentialsOf(relay);
  await send(relay, tenant, { from: `app@${tenant.domain}`, to: 'ok@example.test' });
}
