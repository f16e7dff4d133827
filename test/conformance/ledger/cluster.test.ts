/** The ledger on a cluster, as far as one engine can be one: distributed tables over local ones, one shard, no Keeper. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { Engine } from '../../../src/ledger/engine.ts';
import { openEngine } from '../../../src/ledger/ledger.ts';
import { migrate } from '../../../src/ledger/schema/schema.ts';
import { type ClickHouseFront, startClickHouseFront } from '../../support/clickhouse-front.ts';
import { repetitionCases } from './append-cases.ts';
import { Subject } from './subject.ts';

const path = mkdtempSync(join(tmpdir(), 'waybill-ledger-'));
let front: ClickHouseFront;
before(async () => {
  front = await startClickHouseFront(path, { cluster: 'here' });
});
after(async () => {
  await front.close();
  rmSync(path, { recursive: true, force: true });
});

suite('ledger, on a cluster of one', () => {
  let subject: Subject;
  before(async () => {
    subject = await Subject.over(await openEngine({ url: front.url, cluster: 'here', path: '' }));
  });
  after(() => subject.engine.close());

  repetitionCases(() => subject);

  test('a bound in bytes is refused, not left unkept in silence', async () => {
    await assert.rejects(
      subject.ledger.maintenance.dayForSize('events', null, 1),
      /cannot be kept on a cluster.*set a time instead/,
    );
  });
});

suite('meeting a cluster', () => {
  const opening = (cluster: string | null, database: string) =>
    openEngine({ url: front.url, cluster, database, path: '' });
  const within = async (engine: Engine, work: (engine: Engine) => Promise<unknown>) => {
    try {
      await work(engine);
    } finally {
      await engine.close();
    }
  };

  test('questions and appends name distributed tables, which hold nothing themselves', async () => {
    await within(await opening('here', 'one'), async (engine) => {
      await migrate(engine);
      const kinds = await engine.ask(
        "SELECT name, engine FROM system.tables WHERE database = 'one' AND engine LIKE '%MergeTree' = endsWith(name, '_local') AND engine != 'MaterializedView'",
      );
      const names = new Set(kinds.map(([name]) => String(name)));
      for (const [name, kind] of kinds) {
        if (String(name).endsWith('_local')) continue;
        assert.equal(kind, 'Distributed');
        assert.ok(names.has(`${name}_local`));
      }
      assert.ok(names.has('events') && names.has('migrations'));
      assert.deepEqual(await migrate(engine), []);
    });
  });

  test('an unknown cluster is refused with those there are', async () => {
    await assert.rejects(
      opening('there', 'two'),
      /knows no cluster "there" \(it knows: here\); set ledger\.cluster/,
    );
  });

  test('tables of the other form are left alone', async () => {
    await within(await opening(null, 'alone'), migrate);
    await assert.rejects(opening('here', 'alone'), /are those of one server, not of a cluster/);
    await within(await opening('here', 'spread'), migrate);
    await assert.rejects(opening(null, 'spread'), /are those of a cluster; set ledger\.cluster/);
  });
});
