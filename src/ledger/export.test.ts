/** Exports: every row that matches, once, in each format, the same in process as over HTTP. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { batchesOf, generateHistory } from '../../test/support/histories.ts';
import { relayIdOf } from '../base/id.ts';
import type { MailEvent } from '../events/event.ts';
import { exportColumns } from './export.ts';
import { type ExportQuestion, type OpenLedger, openEngine, openLedger } from './ledger.ts';

const tenants = [
  { id: 1, name: 'acme' },
  { id: 2, name: 'globex' },
];

suite('export', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-export-'));
  const path = join(folder, 'ledger');
  let ledger: OpenLedger;
  let history: MailEvent[] = [];

  before(async () => {
    ledger = await openLedger({ url: null, path });
    const range = { from: Date.UTC(2026, 9, 25), to: Date.UTC(2026, 10, 4) };
    const made = generateHistory(7, { ...range, mails: 40, tenants: 2, maxForwardPaths: 3, openRate: 0.3 });
    history = [...made.events];
    for (const batch of batchesOf(made, 1000)) await ledger.append(batch);
  });
  after(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const filesLeft = () =>
    readdirSync(folder, { recursive: true }).filter((name) => String(name).includes('exports/'));
  const bytesOf = async (question: Partial<ExportQuestion>) => {
    const pieces = await Array.fromAsync(
      ledger.export({ rows: 'events', format: 'ndjson', tenants, ...question }),
    );
    return Buffer.concat(pieces);
  };
  const rowsOf = async (question: Partial<ExportQuestion>): Promise<Record<string, unknown>[]> =>
    (await bytesOf(question))
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  test('events: each once, in order of time, with all columns', async () => {
    const rows = await rowsOf({});
    // Compared as text: a difference is told at its first place.
    const text = (cells: unknown[][]) => cells.map((row) => row.join(' ')).join('\n');
    const expected = history.toSorted((a, b) => a.at - b.at || a.sequence - b.sequence);
    assert.equal(
      text(
        rows.map((row) => [row['sequence'], row['relay_id'], row['at'], row['forward_path'], row['tenant']]),
      ),
      text(
        expected.map(({ sequence, mail, at, delivery }) => [
          sequence,
          relayIdOf(mail.mailId),
          new Date(at).toISOString(),
          delivery.forwardPath,
          tenants.find(({ id }) => id === mail.tenantId)?.name,
        ]),
      ),
    );
    assert.deepEqual(Object.keys(rows[0] ?? {}), exportColumns.events);
  });

  test('deliveries: the last known state of each forward-path', async () => {
    const rows = await rowsOf({ rows: 'deliveries' });
    const keys = new Set(history.map(({ mail, delivery }) => `${mail.mailId}:${delivery.n}`));
    assert.deepEqual(new Set(rows.map((row) => `${row['mail_id']}:${row['n']}`)), keys);
    assert.equal(rows.length, keys.size);
  });

  test('filters', async () => {
    const some = history.find(({ mail }) => mail.tenantId === 2);
    assert.ok(some);
    const expectCount = async (question: Partial<ExportQuestion>, match: (event: MailEvent) => boolean) => {
      const found = history.filter(match).length;
      assert.ok(found > 0);
      assert.equal((await rowsOf(question)).length, found);
    };
    await expectCount({ tenantId: 2 }, ({ mail }) => mail.tenantId === 2);
    await expectCount(
      { types: ['delivered', 'failed'] },
      ({ type }) => type === 'delivered' || type === 'failed',
    );
    await expectCount(
      { mailId: some.mail.mailId, n: 1 },
      ({ mail, delivery }) => mail.mailId === some.mail.mailId && delivery.n === 1,
    );
    await expectCount(
      { forwardPath: some.delivery.forwardPath.toUpperCase() },
      ({ delivery }) => delivery.forwardPath === some.delivery.forwardPath,
    );
    await expectCount({ states: ['delivered'] }, ({ delivery }) => delivery.state === 'delivered');
    const times = history.map(({ at }) => at).sort();
    const [from = 0, to = 0] = [times[20], times.at(-20)];
    await expectCount({ from, to }, ({ at }) => at >= from && at < to);
    assert.equal((await rowsOf({ tenantId: 77 })).length, 0);
  });

  test('CSV has one head and the same rows', async () => {
    const lines = (await bytesOf({ format: 'csv' })).toString().split('\n');
    assert.equal(lines[0], exportColumns.events.map((name) => `"${name}"`).join(','));
    assert.equal(lines.filter((line) => line === lines[0]).length, 1);
    assert.equal((await bytesOf({ format: 'csv', tenantId: 77 })).toString(), `${lines[0]}\n`);
  });

  test('Parquet is one file that the engine reads again, and nothing of it stays behind', async () => {
    const file = join(folder, 'events.parquet');
    writeFileSync(file, await bytesOf({ format: 'parquet' }));
    const engine = await openEngine({ url: null, path });
    const [row] = await engine.ask(
      `SELECT count(), uniqExact(sequence), min(at), any(tenant) IN ('acme', 'globex') FROM file('${file}', Parquet)`,
    );
    assert.deepEqual([row?.[0], row?.[1], row?.[3]], [history.length, history.length, 1]);
    assert.deepEqual(filesLeft(), []);
  });

  test('Parquet of deliveries: each once, however many slices it is read in, or none', async () => {
    const file = join(folder, 'deliveries.parquet');
    const engine = await openEngine({ url: null, path });
    const idsIn = async (question: Partial<ExportQuestion>) => {
      writeFileSync(file, await bytesOf({ rows: 'deliveries', format: 'parquet', ...question }));
      const rows = await engine.ask(`SELECT relay_id, n, state FROM file('${file}', Parquet) ORDER BY ALL`);
      return rows.map((row) => row.join(' '));
    };
    const expected = await rowsOf({ rows: 'deliveries' });
    const days = new Set(expected.map((row) => String(row['accepted_at']).slice(0, 10)));
    assert.ok(days.size > 5, 'several slices');
    assert.deepEqual(
      await idsIn({}),
      expected.map((row) => `${row['relay_id']} ${row['n']} ${row['state']}`).toSorted(),
    );
    assert.deepEqual(await idsIn({ tenantId: 99 }), []);
  });

  test('whoever leaves early leaves nothing behind', async () => {
    for await (const piece of ledger.export({ rows: 'events', format: 'parquet', tenants }))
      if (piece.length > 0) break;
    for await (const piece of ledger.export({ rows: 'events', format: 'ndjson', tenants }))
      if (piece.length > 0) break;
    assert.deepEqual(filesLeft(), []);
    assert.equal((await rowsOf({})).length, history.length);
  });
});
