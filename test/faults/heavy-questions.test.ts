/** Questions that are too much, on the engine in process: they end at their bounds with words that help, and hold up nobody. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { Hono } from 'hono';
import { systemClock } from '../../src/base/clock.ts';
import { limits } from '../../src/base/limits.ts';
import { installationKey } from '../../src/base/secret.ts';
import { createConsoleApi } from '../../src/console-api/console-api.ts';
import { createHttpApp } from '../../src/http/app.ts';
import { LedgerFault, type OpenLedger, openEngine, openLedger } from '../../src/ledger/ledger.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { openTenants } from '../../src/tenants/tenants.ts';
import { batchesOf, generateHistory } from '../support/histories.ts';

const token = 'token-of-this-run';
/** The bounds of the program, of which a test may lower some for itself. */
const bounds: Record<string, number> = limits;
/** Hours of work. */
const endless = 'SELECT count() FROM numbers(1e15) WHERE sipHash64(number) = 1';

suite('questions that are too much', () => {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-heavy-'));
  const range = { edges: false, from: Date.UTC(2026, 9, 1), to: Date.UTC(2026, 9, 5) };
  const history = generateHistory(7, { ...range, mails: 300, tenants: 1 });
  const batches = batchesOf(history, Math.ceil(history.events.length / 2));
  let ledger: OpenLedger;
  let store: Store;
  let app: Hono;

  before(async () => {
    ledger = await openLedger({ url: null, path: join(folder, 'ledger') });
    store = openStore(join(folder, 'store.sqlite'));
    const tenants = openTenants(store, installationKey(randomBytes(32)), systemClock);
    const notHere = () => {
      throw new Error('not asked here');
    };
    const upkeep = { start: notHere, status: () => ({ current: null, last: [] }) };
    const api = createConsoleApi({
      ...{ ask: ledger, tenants, token, clock: systemClock, upkeep },
      ...{ snapshot: notHere, exportRows: notHere, answerSql: (question) => ledger.sql(question) },
    });
    const log = { info: () => {}, error: () => {} };
    app = createHttpApp({ apps: [api], docs: [], version: '0', health: () => true, log, clock: systemClock });
    const [first] = batches;
    assert.ok(first);
    await ledger.append(first);
  });
  after(async () => {
    await ledger.close();
    store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const headers = { authorization: `Bearer ${token}` };
  const sql = async (question: object) => {
    const body = JSON.stringify(question);
    const length = { 'content-length': String(body.length) };
    return await app.request('/api/v1/sql', { method: 'POST', body, headers: { ...headers, ...length } });
  };
  const told = async (reply: Response) => {
    const { detail } = (await reply.json()) as { detail: string };
    return { status: reply.status, detail };
  };

  test('an SQL question with more rows than it may have', async () => {
    const { status, detail } = await told(
      await sql({ sql: 'SELECT number FROM numbers(1000)', maxRows: 999 }),
    );
    assert.equal(status, 400);
    assert.match(detail, /[Ll]imit for result exceeded, max rows: 999/);
  });

  test('an SQL question that takes longer than it may', async (t) => {
    t.mock.property(bounds, 'sqlMs', 200);
    const { status, detail } = await told(await sql({ sql: endless }));
    assert.equal(status, 503);
    assert.match(detail, /^the ledger took too long to answer; ask for a shorter range/);
  });

  test('a question of a surface that takes longer than it may', async (t) => {
    t.mock.property(bounds, 'ledgerQueryMs', 200);
    const engine = await openEngine({ url: null, path: join(folder, 'ledger') });
    await assert.rejects(engine.ask(endless), (fault) => {
      assert.ok(fault instanceof LedgerFault && fault.code === 'timeout' && fault.temporary);
      assert.match(fault.message, /^the ledger took too long to answer; ask for a shorter range/);
      return true;
    });
  });

  test('events are appended while one goes on', async (t) => {
    t.mock.property(bounds, 'sqlMs', 3_000);
    let over = false;
    const answered = sql({ sql: endless }).then(async (reply) => {
      over = true;
      return await told(reply);
    });
    const [, second] = batches;
    assert.ok(second);
    await ledger.append(second);
    assert.ok(!over, 'the append did not wait for the question');
    assert.equal((await answered).status, 503);
    const count = await sql({ sql: 'SELECT count() AS n FROM events', format: 'ndjson' });
    assert.deepEqual(await count.json(), { n: history.events.length });
  });
});
