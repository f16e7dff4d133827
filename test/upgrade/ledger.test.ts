/** The ledger of every earlier version opens, and answers as one that today's program has filled from its first event. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Engine } from '../../src/ledger/engine.ts';
import { type Batch, ledgerOver, ledgerVersion, openEngine, openLedger } from '../../src/ledger/ledger.ts';
import { projections } from '../../src/ledger/projections.ts';
import { migrate, migrations } from '../../src/ledger/schema/schema.ts';
import { batchesOf, generateHistory } from '../support/histories.ts';

const tables = ['events', ...projections.map(({ table }) => table)];
const earlier = migrations.map(({ number }) => number).filter((number) => number < ledgerVersion);

describe('a ledger of an earlier version', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-upgrade-ledger-'));
  const range = { from: Date.UTC(2026, 8, 29), to: Date.UTC(2026, 9, 3), edges: false };
  const history = generateHistory(11, { ...range, mails: 40, tenants: 2, openRate: 0.4 });
  const batches = batchesOf(history, 100);
  const late = batches.splice(-1);
  const optionsOf = (database: string) => ({ url: null, path: join(folder, 'ledger'), database });
  after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

  const within = async (database: string, work: (engine: Engine) => Promise<unknown>) => {
    const engine = await openEngine(optionsOf(database));
    try {
      await work(engine);
    } finally {
      await engine.close();
    }
  };
  /** As the program that knew the migrations up to that one left it. */
  const fillAs = async (engine: Engine, version: number) => {
    await migrate(engine, { known: migrations.slice(0, version) });
    await fill(ledgerOver(engine), batches);
  };
  const assertLikeToday = async (engine: Engine, database: string) => {
    for (const table of tables) {
      const rows = (of: string) => `SELECT * FROM ${of}.${table} ${table === 'events' ? '' : 'FINAL'}`;
      const [[here, there, more, less] = []] = await engine.ask(
        `SELECT (SELECT count() FROM (${rows(database)})), (SELECT count() FROM (${rows('today')})),
(SELECT count() FROM (${rows(database)} EXCEPT ${rows('today')})), (SELECT count() FROM (${rows('today')} EXCEPT ${rows(database)}))`,
      );
      assert.ok(Number(there) > 0, `${table} is empty`);
      assert.deepEqual([here, more, less], [there, 0, 0], table);
    }
    const recorded = await engine.ask('SELECT number FROM migrations ORDER BY number');
    assert.deepEqual(
      recorded.map(([number]) => number),
      migrations.map(({ number }) => number),
    );
  };

  before(async () => {
    const ledger = await openLedger(optionsOf('today'));
    await fill(ledger, [...batches, ...late]);
    await ledger.close();
  });

  for (const version of earlier) {
    test(`of version ${version} opens with all that was in it, and takes what comes`, async () => {
      const database = `version${version}`;
      await within(database, async (engine) => {
        await fillAs(engine, version);
        await migrate(engine);
        await fill(ledgerOver(engine), late);
        await assertLikeToday(engine, database);
      });
    });
  }

  test('whose migration was broken off is migrated anew at the next start', async () => {
    const brokenOff = new Error('broken off');
    const onProgress = (done: number, total: number) => {
      if (done * 2 > total) throw brokenOff;
    };
    await within('broken', async (engine) => {
      await fillAs(engine, 1);
      await assert.rejects(migrate(engine, { onProgress }), brokenOff);
      assert.deepEqual(await engine.ask('SELECT number FROM migrations'), [[1]], 'nothing is recorded yet');
    });
    const ledger = await openLedger(optionsOf('broken'));
    await fill(ledger, late);
    await ledger.close();
    await within('broken', (engine) => assertLikeToday(engine, 'broken'));
  });
});

async function fill(
  ledger: { append(batch: Batch): Promise<void> },
  batches: readonly Batch[],
): Promise<void> {
  for (const batch of batches) await ledger.append(batch);
}
