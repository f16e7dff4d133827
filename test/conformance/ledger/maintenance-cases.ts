/** Rebuilding, refusing, and leaving alone what belongs to a newer program. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../../src/ledger/engine.ts';
import { LedgerFault } from '../../../src/ledger/ledger.ts';
import { rebuildProjections } from '../../../src/ledger/rebuild.ts';
import { migrate } from '../../../src/ledger/schema/schema.ts';
import { generateHistory } from '../../support/histories.ts';
import { everything, type SubjectOf } from './subject.ts';

const isFault = (code: string) => (fault: unknown) => fault instanceof LedgerFault && fault.code === code;

export function maintenanceCases(subjectOf: SubjectOf): void {
  test('projections made anew from the events are the same', async () => {
    const subject = subjectOf();
    const range = { edges: false, from: Date.UTC(2024, 11, 20), to: Date.UTC(2025, 0, 10) };
    const history = subject.own(
      generateHistory(41, { ...range, mails: 100, tenants: 1, latenessMs: 60_000 }),
    );
    await subject.append(history, 300);
    const before = await projections(subject.engine);
    for (let turn = 0; turn < 2; turn += 1) {
      await rebuildProjections(subject.engine);
      assert.deepEqual(await projections(subject.engine), before);
    }
    await subject.assertHolds(history.events);
  });

  test('what it will not answer is refused in words', async () => {
    const { ledger } = subjectOf();
    const scope = { tenantId: 1 };
    const question = { types: ['accepted'] as const, unit: 'day' as const, zone: 'Europe/Atlantis' };
    await assert.rejects(ledger.countByBucket(scope, question), isFault('question'));
    await assert.rejects(ledger.deliveries(scope, {}, { ...everything, limit: 10_001 }), isFault('question'));
    await assert.rejects(ledger.deliveries(scope, {}, { ...everything, offset: -1 }), isFault('question'));
    await assert.rejects(ledger.events(scope, {}, 'ascending', null, 0), isFault('question'));
    await assert.rejects(ledger.top(scope, 'origin', 0, 1, 0.5), isFault('question'));
  });

  test('a statement the engine refuses is a fault that says why', async () => {
    const { engine } = subjectOf();
    await assert.rejects(engine.ask('SELECT * FROM nowhere'), /nowhere/);
    await assert.rejects(engine.ask('SELECT * FROM nowhere'), isFault('engine'));
    const slow = 'SELECT count() FROM numbers(1e12) WHERE sipHash64(number) = 1';
    await assert.rejects(engine.command(`${slow} SETTINGS max_execution_time = 0.05`), isFault('timeout'));
  });

  test('tables of a newer program are left alone', async () => {
    const { engine } = subjectOf();
    await engine.command("INSERT INTO migrations (number, name) VALUES (9999, 'from the future')");
    await assert.rejects(migrate(engine), /newer version/);
    await engine.command('ALTER TABLE migrations DELETE WHERE number = 9999 SETTINGS mutations_sync = 1');
    assert.deepEqual(await migrate(engine), []);
  });
}

/** Every row of every projection, folded, in one order. */
async function projections(engine: Engine): Promise<unknown> {
  return [
    await engine.ask('SELECT * FROM deliveries FINAL ORDER BY tenant_id, mail_id, n'),
    await engine.ask('SELECT * FROM engagement FINAL ORDER BY tenant_id, mail_id, n'),
    await engine.ask('SELECT * FROM counters FINAL ORDER BY ALL'),
    await engine.ask('SELECT * FROM totals FINAL ORDER BY ALL'),
  ];
}
