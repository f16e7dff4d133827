/** What the engine in process may take is configuration, and it keeps to that under load. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { loadConfig } from '../../src/config/load.ts';
import { LedgerFault, ledgerOver, openEngine } from '../../src/ledger/ledger.ts';
import { migrate } from '../../src/ledger/schema/schema.ts';
import { ledgerOptions } from '../../src/ledger-options.ts';
import { batchesOf, generateHistory } from '../support/histories.ts';

const MiB = 1024 * 1024;

function optionsOf(dataDir: string) {
  const loaded = loadConfig({
    environment: {
      WAYBILL_DATA_DIR: dataDir,
      WAYBILL_LEDGER_MAX_MEMORY: '512MiB',
      WAYBILL_LEDGER_THREADS: '1',
      WAYBILL_LEDGER_MERGE_THREADS: '1',
      WAYBILL_LEDGER_MERGE_MEMORY: '128MiB',
    },
  });
  assert.ok(loaded.ok);
  return ledgerOptions(loaded.config);
}

test('the engine keeps to the memory, threads and merges of its configuration while it is filled and asked', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-limits-'));
  const engine = await openEngine(optionsOf(folder));
  t.after(async () => {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await migrate(engine);
  const ledger = ledgerOver(engine);

  await t.test('they are what the engine says of itself', async () => {
    const settings = await engine.ask(`SELECT name, value FROM system.server_settings
WHERE name IN ('max_server_memory_usage', 'background_pool_size', 'background_merges_mutations_concurrency_ratio',
  'merges_mutations_memory_usage_soft_limit') ORDER BY name`);
    assert.deepEqual(settings, [
      ['background_merges_mutations_concurrency_ratio', '1'],
      ['background_pool_size', '1'],
      ['max_server_memory_usage', String(512 * MiB)],
      ['merges_mutations_memory_usage_soft_limit', String(128 * MiB)],
    ]);
    assert.deepEqual(await engine.ask("SELECT getSetting('max_threads')"), [[1]]);
  });

  await t.test('small batches, which make many merges, with questions beside them', async () => {
    const range = { edges: false, from: Date.UTC(2026, 2, 1), to: Date.UTC(2026, 2, 28) };
    const history = generateHistory(11, { ...range, mails: 1000, tenants: 3 });
    const batches = batchesOf(history, 200);
    const seen = { merges: 0, memory: 0 };
    let over = false;
    const watched = (async () => {
      while (!over) {
        const [row] = await engine.ask(`SELECT (SELECT count() FROM system.merges),
  (SELECT value FROM system.metrics WHERE metric = 'MemoryTracking')`);
        seen.merges = Math.max(seen.merges, Number(row?.[0]));
        seen.memory = Math.max(seen.memory, Number(row?.[1]));
        await systemClock.sleep(10);
      }
    })();
    for (const batch of batches) await ledger.append(batch);
    over = true;
    await watched;
    const [merged] = await engine.ask(`SELECT value FROM system.events WHERE event = 'Merge'`);
    t.diagnostic(
      `${batches.length} batches, ${merged?.[0]} merges, ${seen.merges} at once; ${Math.round(seen.memory / MiB)} MiB`,
    );
    assert.ok(Number(merged?.[0]) > 5, 'there were merges to bound');
    assert.ok(seen.merges <= 1, `${seen.merges} merges at once`);
    assert.ok(seen.memory <= 512 * MiB, `${seen.memory} bytes`);
    assert.deepEqual(await engine.ask('SELECT count() FROM events'), [[history.events.length]]);
  });

  await t.test('a question that wants more memory is refused, and says how to ask for less', async () => {
    const greedy = engine.ask(
      'SELECT max(length(a)) FROM (SELECT groupArray(number) AS a FROM numbers(1e9))',
    );
    await assert.rejects(greedy, (fault) => {
      assert.ok(fault instanceof LedgerFault);
      t.diagnostic(`${fault.code}: ${fault.message}`);
      return true;
    });
    assert.deepEqual(await engine.ask('SELECT 1'), [[1]]);
  });
});
