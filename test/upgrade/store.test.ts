/** The store of every earlier version opens, with all that was in it, and the product works on it. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { migrations, storeVersion } from '../../src/store/migrate.ts';
import { openStore } from '../../src/store/store.ts';
import { mailbabyLog } from '../support/apis.ts';
import { send } from '../support/send.ts';
import { until } from '../support/until.ts';
import { startWaybill, type TenantCredentials } from '../support/waybill.ts';
import { columnsOf, earlierDirectory, rowsOf, tablesOf } from './earlier-stores.ts';

const patienceMs = 90_000;
const earlier = migrations.map((_, index) => index + 1).filter((version) => version < storeVersion);

/** Of the tables that a first start and a few mails leave empty. */
const rare = `
INSERT INTO tenant_limits (tenant_id, recipients_per_mail, quotas) VALUES (1, 50, '{"hour":{"limit":2000,"over":"hold"}}');
INSERT INTO deny_rules (tenant_id, type, data, created_at) VALUES (1, 'destination', 'bob@shop.example', 1);
INSERT INTO suppressions VALUES (1, 'carol@shop.example', 'bounce', '', 1, NULL, '');
INSERT INTO dkim_keys (tenant_id, domain, selector, algorithm, state, public_key, created_at)
  SELECT tenant_id, domain, 'w0', 'ed25519-sha256', 'retired', 'public', 1 FROM sending_domains LIMIT 1;
INSERT INTO retry_schedules VALUES (1, 'transactional', '[3600000]');
INSERT INTO ip_pools VALUES (1, 'bulk', 'slow');
INSERT INTO warm_ups (source, plan, stages, started_at) VALUES ('192.0.2.1', 'own', '[]', 1);
INSERT INTO warm_up_sites VALUES (1, 'example.org', 20000, 1, 5, 0);
INSERT INTO tenant_retention VALUES (1, '{"eventsMs":1}');
INSERT INTO ledger_holds (tenant_id, kind, subject, note, created_at) VALUES (1, 'tenant', '', 'case 1', 1);
INSERT INTO upkeep_runs VALUES ('verify', '{}');
INSERT INTO mta_sts_policies VALUES ('example.org', '1', 'enforce', 'mx.example.org', 86400, 1, 2);
INSERT INTO import_sources (id, tenant_id, format) VALUES (1, 1, 'postfix');
INSERT INTO import_runs (source_id, files, state, updated_at) VALUES (1, '[]', '{}', 1);
INSERT INTO import_mails (source_id, queue_id, first_at, last_at, run_id, headless) VALUES (1, 'A1', 1, 2, 1, 0);
INSERT INTO late_reports (mail_id, n, type, received_at, look_at, report) VALUES (1, 1, 'returned', 1, 4102444800000, '{}');
INSERT INTO never_suppressed (tenant_id, entry, created_at) VALUES (1, 'ann@shop.example', 1);
`;

describe('a store of an earlier version', () => {
  let today: string;
  let tenant: TenantCredentials;
  const cleanUps: (() => unknown)[] = [];

  before(async () => {
    // The office dies with a batch begun: outbox rows are left behind.
    const waybill = await startWaybill(
      { after: (end) => void cleanUps.push(end as () => unknown) },
      {
        environment: { WAYBILL_RETRY_SCHEDULE: '1h', WAYBILL_CRASH_AT: 'batch-begun' },
      },
    );
    const made = waybill.ready.firstStart;
    assert.ok(made);
    tenant = made;
    for (const to of [
      'greylist@example.test',
      'ok@example.test',
      ['greylist@example.org', 'bounce@example.test'],
    ])
      await send(waybill, tenant, { from: `app@${tenant.domain}`, to });
    await until('the office has died', () => /child process died/.test(waybill.log()), patienceMs);
    await waybill.killAll();
    today = waybill.dataDir;
    const database = new DatabaseSync(join(today, 'waybill.sqlite'));
    database.exec(rare);
    database.close();
  });
  after(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  });

  const directoryOf = (version: number) => {
    const directory = earlierDirectory(today, version);
    cleanUps.push(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
    return directory;
  };

  test('the store of today has something in every table', () => {
    const database = new DatabaseSync(join(today, 'waybill.sqlite'));
    for (const table of tablesOf(database)) {
      assert.ok(rowsOf(database, table, columnsOf(database, table)).length > 0, `${table} is empty`);
    }
    database.close();
  });

  for (const version of earlier) {
    test(`of version ${version} opens with all that was in it`, () => {
      const path = join(directoryOf(version), 'waybill.sqlite');
      const old = new DatabaseSync(path);
      const kept = tablesOf(old).map((table) => {
        const columns = columnsOf(old, table);
        return { table, columns, rows: rowsOf(old, table, columns) };
      });
      old.close();
      openStore(path).close();
      const database = new DatabaseSync(path);
      for (const { table, columns, rows } of kept) {
        const still = rowsOf(database, table, columns);
        assert.deepEqual(still, rows, `${table} of version ${version}`);
      }
      assert.deepEqual(schemaOf(path), schemaOf(join(today, 'waybill.sqlite')));
      assert.deepEqual(
        database
          .prepare('PRAGMA integrity_check')
          .all()
          .map((row) => ({ ...row })),
        [{ integrity_check: 'ok' }],
      );
      assert.deepEqual(database.prepare('PRAGMA foreign_key_check').all(), []);
      // What later tables say of earlier rows is said of these too.
      const strangers = database
        .prepare(
          'SELECT count(*) AS n FROM deliveries JOIN mails USING (mail_id) WHERE deliveries.tenant_id <> mails.tenant_id',
        )
        .get();
      assert.equal(strangers?.['n'], 0);
      const due = `SELECT bulk, tenant_id, destination, min(due_at) AS due_at FROM deliveries
WHERE due_at IS NOT NULL AND state <> 'held' GROUP BY bulk, tenant_id, destination ORDER BY 1, 2, 3`;
      const lanes = 'SELECT bulk, tenant_id, destination, due_at FROM lanes ORDER BY 1, 2, 3';
      assert.deepEqual(database.prepare(lanes).all(), database.prepare(due).all());
      database.close();
    });
  }

  test('of the first version goes on: what was queued is listed and delivered, the account is good', async (t) => {
    const waybill = await startWaybill(t, {
      environment: { WAYBILL_DATA_DIR: directoryOf(1), WAYBILL_RETRY_SCHEDULE: '1h' },
    });
    const { stdout } = await waybill.cli('queue', 'list', '--json');
    assert.match(stdout, /greylist@example\.test/);
    assert.match(stdout, /greylist@example\.org/);
    await send(waybill, tenant, { from: `app@${tenant.domain}`, to: 'ok@example.test' });
    const { code, stderr } = await waybill.cli('queue', 'retry', '--all', '--yes');
    assert.equal(code, 0, stderr);
    await until(
      'all have ended, and the log knows every one',
      async () => {
        const all = await mailbabyLog(waybill, tenant);
        const delivered = await mailbabyLog(waybill, tenant, { delivered: '1' });
        return all.total === 5 && delivered.total === 4;
      },
      patienceMs,
    );
    assert.equal(await waybill.stop(), 0);
  });
});

/** Everything but how its text is laid out. */
function schemaOf(path: string): string[] {
  const database = new DatabaseSync(path);
  const rows = database
    .prepare(
      "SELECT type, name, tbl_name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name",
    )
    .all();
  const lines = rows.map(({ type, name, tbl_name: table }) => `${type} ${name} ${table}`);
  const columns = tablesOf(database).map((table) => `${table}: ${columnsOf(database, table).join(' ')}`);
  database.close();
  return [...lines, ...columns];
}
