/** Exports and SQL of a ledger behind a URL: the same rows as in process, and words when the server is away. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type ClickHouseFront, startClickHouseFront } from '../../test/support/clickhouse-front.ts';
import { batchesOf, generateHistory } from '../../test/support/histories.ts';
import { type ExportQuestion, LedgerFault, type OpenLedger, openEngine, openLedger } from './ledger.ts';

const tenants = [
  { id: 1, name: 'acme' },
  { id: 2, name: "o'hara \\ sons" },
];

suite('export and sql over HTTP', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-remote-'));
  const path = join(folder, 'ledger');
  let front: ClickHouseFront;
  let embedded: OpenLedger;
  let remote: OpenLedger;
  let events = 0;

  before(async () => {
    embedded = await openLedger({ url: null, path });
    const range = { from: Date.UTC(2026, 9, 25), to: Date.UTC(2026, 10, 4) };
    const history = generateHistory(8, { ...range, mails: 30, tenants: 2, maxForwardPaths: 2 });
    events = history.events.length;
    for (const batch of batchesOf(history, 1000)) await embedded.append(batch);
    front = await startClickHouseFront(path);
    remote = await openLedger({ url: front.url, path: '' });
  });
  after(async () => {
    await remote.close();
    await front.close();
    await embedded.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const bytesOf = async (ledger: OpenLedger, question: Partial<ExportQuestion>) =>
    Buffer.concat(
      await Array.fromAsync(ledger.export({ rows: 'events', format: 'ndjson', tenants, ...question })),
    );
  const isFault = (code: string) => (fault: unknown) => fault instanceof LedgerFault && fault.code === code;

  test('the same bytes as in process', async () => {
    const filters: Partial<ExportQuestion>[] = [{}, { tenantId: 2, states: ['delivered'] }];
    for (const rows of ['events', 'deliveries'] as const) {
      for (const format of ['ndjson', 'csv'] as const) {
        for (const filter of filters) {
          const question = { ...filter, rows, format };
          const there = await bytesOf(remote, question);
          assert.equal(there.toString(), (await bytesOf(embedded, question)).toString());
        }
      }
    }
    assert.equal((await bytesOf(remote, {})).toString().trimEnd().split('\n').length, events);
  });

  test('Parquet is one whole file', async () => {
    const file = join(folder, 'events.parquet');
    writeFileSync(file, await bytesOf(remote, { format: 'parquet' }));
    const engine = await openEngine({ url: null, path });
    const [row] = await engine.ask(`SELECT count(), uniqExact(sequence) FROM file('${file}', Parquet)`);
    assert.deepEqual(row, [events, events]);
  });

  test('SQL answers the same, within one tenant as well, and refuses the same', async () => {
    const sql = 'SELECT tenant_id, type, count() AS n FROM events GROUP BY ALL ORDER BY ALL';
    for (const tenantId of [null, 1]) {
      for (const format of ['csv', 'ndjson'] as const) {
        const question = { sql, tenantId, format, maxRows: 1000 };
        const there = await remote.sql(question);
        assert.equal(there, await embedded.sql(question));
        assert.ok(there.length > 20);
      }
    }
    const asked = { tenantId: 1, format: 'csv', maxRows: 3 } as const;
    await assert.rejects(remote.sql({ ...asked, sql: 'SELECT type FROM events' }), isFault('question'));
    await assert.rejects(remote.sql({ ...asked, sql: 'SELECT * FROM system.tables' }), /cannot be asked/);
    await assert.rejects(remote.sql({ ...asked, sql: 'DROP TABLE events' }), isFault('question'));
  });

  test('a server that is away is told as such', async () => {
    const away = await startClickHouseFront(path);
    const ledger = await openLedger({ url: away.url, path: '' });
    await away.close();
    await assert.rejects(bytesOf(ledger, {}), isFault('unavailable'));
    await assert.rejects(
      ledger.sql({ sql: 'SELECT 1', tenantId: null, format: 'csv', maxRows: 1 }),
      isFault('unavailable'),
    );
    await ledger.close();
  });
});
