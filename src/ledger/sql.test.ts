/** An operator's own SQL: what it answers, and everything it must not be able to do. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { batchesOf, generateHistory } from '../../test/support/histories.ts';
import { LedgerFault, type OpenLedger, openEngine, openLedger } from './ledger.ts';

suite('sql', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-sql-'));
  const path = join(folder, 'ledger');
  let ledger: OpenLedger;
  let own = 0;
  let all = 0;

  before(async () => {
    ledger = await openLedger({ url: null, path });
    const range = { from: Date.UTC(2026, 9, 1), to: Date.UTC(2026, 9, 20) };
    const history = generateHistory(7, {
      ...range,
      mails: 60,
      tenants: 3,
      maxForwardPaths: 3,
      openRate: 0.3,
    });
    for (const batch of batchesOf(history, 1000)) await ledger.append(batch);
    all = history.events.length;
    own = history.events.filter(({ mail }) => mail.tenantId === 1).length;
    assert.ok(own > 10 && own < all);
  });
  after(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const rows = async (sql: string, tenantId: number | null = 1): Promise<unknown[][]> => {
    const text = await ledger.sql({ sql, tenantId, format: 'json', maxRows: 10_000 });
    return (JSON.parse(text) as { data: unknown[][] }).data;
  };
  const count = async (sql: string, tenantId: number | null = 1) =>
    Number((await rows(sql, tenantId))[0]?.[0]);
  const said = async (sql: string, tenantId: number | null = 1): Promise<string> => {
    try {
      return `answered: ${JSON.stringify(await rows(sql, tenantId)).slice(0, 200)}`;
    } catch (error) {
      assert.ok(error instanceof LedgerFault, String(error));
      return error.cause instanceof Error ? error.cause.message : error.message;
    }
  };

  test('answers in each format', async () => {
    const ask = (format: 'json' | 'csv' | 'ndjson') =>
      ledger.sql({
        sql: "SELECT 1 AS a, 'x;y' AS b, 9007199254740993 AS c;",
        tenantId: null,
        format,
        maxRows: 1,
      });
    assert.equal(await ask('csv'), '"a","b","c"\n1,"x;y",9007199254740993\n');
    assert.equal(await ask('ndjson'), '{"a":1,"b":"x;y","c":9007199254740993}\n');
    assert.deepEqual(JSON.parse(await ask('json')).data, [[1, 'x;y', '9007199254740993']]);
    assert.equal(await count('SELECT count() FROM events', null), all);
  });

  /** Ways to count events of a tenant; each must count its own. */
  const ways = [
    'SELECT count() FROM events',
    'SELECT count() FROM waybill.events AS e',
    'SELECT count() FROM `waybill`.`events`',
    'FROM events SELECT count()',
    '(SELECT count() FROM events)',
    'SELECT count() FROM events PREWHERE 1',
    'SELECT count() FROM events WHERE tenant_id > 0 OR 1',
    'SELECT count() FROM (SELECT * FROM (SELECT tenant_id FROM events))',
    'WITH x AS (SELECT * FROM events) SELECT count() FROM x',
    'SELECT (SELECT count() FROM events)',
    'SELECT count() FROM view(SELECT * FROM events)',
    'SELECT sum(c) FROM (SELECT count() AS c FROM events WHERE tenant_id = 1 UNION ALL SELECT count() FROM events WHERE tenant_id <> 1)',
    'SELECT countIf(1) FROM events AS a LEFT ANY JOIN (SELECT DISTINCT tenant_id FROM events) AS b USING tenant_id',
    'SELECT count() FROM events AS deliveries',
    'SELECT sum(1) FROM events WHERE tenant_id IN (SELECT tenant_id FROM deliveries)',
    'SELECT sum(count) FROM counters',
  ];
  for (const sql of ways) {
    test(`only the tenant's rows: ${sql}`, async () => {
      assert.equal(await count(sql), own);
      assert.equal(await count(sql, 999), 0);
    });
  }

  test('every table that it may name shows one tenant only', async () => {
    for (const table of ['events', 'deliveries', 'engagement', 'counters', 'totals']) {
      assert.deepEqual(await rows(`SELECT DISTINCT tenant_id FROM ${table}`), [['1']], table);
    }
  });

  /** Ways out of the tenant, of reading, or of the bounds. */
  const refusals: [sql: string, words: RegExp][] = [
    ["SELECT count() FROM merge('waybill', '^events$')", /merge cannot be used/],
    ["SELECT count() FROM `merge`('waybill', '^events$')", /merge cannot be used/],
    ["SELECT count() FROM remote('127.0.0.1', waybill.events)", /remote cannot be used/],
    ['SELECT count() FROM loop(waybill.events)', /loop cannot be used/],
    ["SELECT count() FROM mergeTreeIndex('waybill', 'events')", /cannot be used/],
    ["SELECT file('/etc/passwd')", /file cannot be used/],
    ["SELECT file /* */ ('/etc/passwd')", /a comment cannot be used/],
    ["SELECT * FROM file('/etc/passwd', 'LineAsString')", /file cannot be used/],
    ["SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')", /url cannot be used/],
    ["SELECT * FROM s3('http://127.0.0.1:1/x')", /s3 cannot be used/],
    ["SELECT * FROM executable('ls', 'TSV', 'x String')", /executable cannot be used/],
    ["SELECT * FROM sqlite('/tmp/x', 't')", /sqlite cannot be used/],
    ['SELECT * FROM system.tables', /"system" cannot be asked/],
    ['SELECT * FROM "system"."processes"', /"system" cannot be asked/],
    ['SELECT * FROM INFORMATION_SCHEMA.tables', /cannot be asked within one tenant/],
    ['SELECT * FROM events_feed', /Unknown table|cannot be asked/],
    ['SELECT count() FROM deliveries_feed', /"deliveries_feed" cannot be asked/],
    ['SELECT * FROM migrations', /"migrations" cannot be asked/],
    ["SELECT count() FROM events INTO OUTFILE '/tmp/waybill-leak'", /INTO cannot be used/],
    ["SELECT 1) INTO OUTFILE '/tmp/waybill-leak' SELECT (1", /parenthesis closes|INTO/],
    ['SELECT 1) UNION ALL SELECT * FROM (SELECT 2', /parenthesis closes/],
    ['SELECT count() FROM events SETTINGS additional_table_filters = {}', /SETTINGS cannot be used/],
    ['SELECT count() FROM events SETTINGS readonly = 0', /SETTINGS cannot be used/],
    ['SET readonly = 0', /begins with SELECT or WITH/],
    ['SELECT 1; SELECT 2', /a second statement/],
    ['SELECT 1 -- \n) FORMAT CSV', /a comment/],
    ['SELECT $$x$$', /the character "\$"/],
    ['SELECT \u2018x\u2019', /the character/],
    ['SELECT `sys\\x74em`', /the character "`"/],
    ["SELECT 'open", /the character "'"/],
    ["SELECT getSetting('additional_table_filters')", /getSetting cannot be used/],
    ["SELECT joinGet('waybill.events', 'n', 1)", /joinGet cannot be used/],
    ['INSERT INTO events SELECT * FROM events', /begins with SELECT or WITH/],
    ['DROP TABLE events', /begins with SELECT or WITH/],
    ['KILL QUERY WHERE 1', /begins with SELECT or WITH/],
    ['SYSTEM STOP MERGES', /begins with SELECT or WITH/],
    ['EXPLAIN SELECT 1', /begins with SELECT or WITH/],
    ['SHOW TABLES', /begins with SELECT or WITH/],
    ['SELECT 1 FORMAT CSV', /FORMAT cannot be used/],
    ['SELECT number FROM numbers(10001)', /max rows: 10\.00 thousand/],
    ["SELECT repeat('x', 1000000) FROM numbers(9000)", /Limit for result exceeded|memory limit/i],
    ['SELECT groupArray(number) FROM numbers(1000000000)', /memory limit exceeded|Timeout/i],
    ['SELECT nothing FROM events', /nothing/],
    ['', /begins with SELECT or WITH/],
  ];
  for (const [sql, words] of refusals) {
    test(`refused: ${sql}`, async () => {
      assert.match(await said(sql), words);
      assert.equal(existsSync('/tmp/waybill-leak'), false);
    });
  }

  test('nothing of another tenant in any table of any database, should a name slip through', async () => {
    const engine = await openEngine({ url: null, path });
    const tables = await engine.ask(
      "SELECT database, name FROM system.tables WHERE (database, name) != ('system', 'one') AND NOT (database = currentDatabase() AND name IN ('events', 'deliveries', 'engagement', 'counters', 'totals'))",
    );
    const filters = tables.map(([database, name]) => `'${database}.${name}':'0'`).join(',');
    const settings = [
      ['additional_table_filters', `{${filters}}`],
      ['readonly', 1],
    ] as const;
    for (const [database, name] of tables) {
      const text = await engine
        .answer(
          `SELECT count() FROM (SELECT * FROM \`${database}\`.\`${name}\` LIMIT 1) FORMAT CSV`,
          settings,
        )
        .catch(() => 'refused');
      assert.match(text, /^(0\n|refused)$/, `${database}.${name}`);
    }
  });

  test('an unknown column is a mistake of the query, not a ledger that is away', async () => {
    const question = {
      sql: 'SELECT nothing FROM events',
      tenantId: null,
      format: 'json',
      maxRows: 1,
    } as const;
    await assert.rejects(ledger.sql(question), (error) => error instanceof LedgerFault && !error.temporary);
  });

  test('the settings of a question hold for it alone; it changes nothing', async () => {
    await rows('SELECT 1');
    const more = generateHistory(8, {
      from: Date.UTC(2026, 9, 1),
      to: Date.UTC(2026, 9, 2),
      mails: 2,
      tenants: 1,
      maxForwardPaths: 1,
      openRate: 0,
    });
    const events = more.events.map((event, index) => ({ ...event, sequence: all + 1 + index }));
    await ledger.append({ node: 'other', first: all + 1, last: all + events.length, events });
    assert.equal(await count('SELECT count() FROM events', null), all + events.length);
  });

  test('an operator may look at the tables of the engine, and at no file', async () => {
    writeFileSync(join(folder, 'secret'), 'x');
    assert.ok((await count("SELECT count() FROM system.columns WHERE table = 'events'", null)) > 50);
    assert.match(await said(`SELECT file('${join(folder, 'secret')}')`, null), /file cannot be used/);
    assert.match(
      await said(`SELECT * FROM file('${join(folder, 'secret')}', 'LineAsString')`, null),
      /cannot be used/,
    );
  });
});
