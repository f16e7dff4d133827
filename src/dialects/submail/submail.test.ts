import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import fc from 'fast-check';
import type { Hono } from 'hono';
import { rowsOf } from '../../../test/support/delivery-rows.ts';
import { type DialectWorld, openDialectWorld, type TestTenant } from '../../../test/support/dialect-world.ts';
import { generateHistory, historyArbitrary } from '../../../test/support/histories.ts';
import { sendIdOf } from '../../base/id.ts';
import { fieldsOf } from '../../http/query.ts';
import { type DeliveryRow, LedgerFault } from '../../ledger/ledger.ts';
import { signatureOf } from './authenticate.ts';
import type { ErrorBody } from './errors.ts';
import type { LogBody } from './render.ts';
import { submail } from './submail.ts';
import { situationOf, standardWords, statusWords } from './words.ts';

/** The generated year and a day more. */
const now = Date.UTC(2026, 0, 2, 12, 0, 0, 500);
const allTime = { start_date: '0', end_date: String(Math.floor(now / 1000)) };
const everyQuery = { 'dialects.submail.query_interval': 0 };

let world: DialectWorld;
let owner: TestTenant;
/** What the owner's log must show, newest first. */
let rows: DeliveryRow[];

before(async () => {
  world = await openDialectWorld([submail], now);
  owner = world.createTenant();
  const stranger = world.createTenant();
  rows = rowsOf(await world.append(generateHistory(1, { mails: 60, tenants: 1 }), owner));
  await world.append(generateHistory(2, { mails: 20, tenants: 1 }), stranger);
});
after(() => world.close());

function credentialsOf(tenant: TestTenant): { appid: string; signature: string } {
  const { appid = '', appkey = '' } = tenant.credentials.submail ?? {};
  return { appid, signature: appkey };
}

async function post(app: Hono, parameters: Record<string, string>, path = '/mail/log'): Promise<Response> {
  return await app.request(path, { method: 'POST', body: new URLSearchParams(parameters) });
}

async function logOf(app: Hono, parameters: Record<string, string>, tenant = owner): Promise<LogBody> {
  const response = await post(app, { ...credentialsOf(tenant), ...parameters });
  assert.equal(response.status, 200);
  const body = (await response.json()) as LogBody;
  assert.equal(body.status, 'success', JSON.stringify(body));
  return body;
}

async function codeOf(app: Hono, parameters: Record<string, string>): Promise<ErrorBody['code']> {
  const response = await post(app, parameters);
  assert.equal(response.status, 200);
  const body = (await response.json()) as ErrorBody;
  assert.deepEqual([body.status, typeof body.msg], ['error', 'string']);
  return body.code;
}

const sendIds = (expected: readonly DeliveryRow[]) =>
  expected.map(({ mail, delivery }) => sendIdOf(world.key, { mailId: mail.mailId, n: delivery.n }));

test('the three body types, with and without the format, answer alike', async () => {
  const app = world.serve(everyQuery);
  const parameters = { ...credentialsOf(owner), ...allTime, rows: '7' };
  const form = new FormData();
  for (const [name, value] of Object.entries(parameters)) form.set(name, value);
  form.set('attachments', new Blob(['not a parameter']), 'a.txt');
  const json = JSON.stringify({ ...parameters, start_date: 0, end_date: Number(allTime.end_date), rows: 7 });
  const requests: RequestInit[] = [
    { body: new URLSearchParams(parameters) },
    { body: form },
    { body: json, headers: { 'content-type': 'application/json' } },
  ];
  const bodies: unknown[] = [];
  for (const request of requests) {
    for (const path of ['/mail/log', '/mail/log.json']) {
      const response = await app.request(path, { method: 'POST', ...request });
      assert.equal(response.headers.get('content-type'), 'application/json');
      bodies.push(await response.json());
    }
  }
  for (const body of bodies) assert.deepEqual(body, bodies[0]);
  assert.deepEqual(
    (bodies[0] as LogBody).data.map(({ sendID }) => sendID),
    sendIds(rows.slice(0, 7)),
  );
});

test('a signed request: the time is fetched first, then holds for six seconds', async () => {
  const app = world.serve(everyQuery);
  const { appid, signature: appkey } = credentialsOf(owner);
  for (const sign_type of ['md5', 'sha1'] as const) {
    const { timestamp } = (await (await app.request('/service/timestamp')).json()) as { timestamp: number };
    const parameters = {
      appid,
      ...allTime,
      to: '张+三@example.com',
      timestamp: String(timestamp),
      sign_type,
    };
    const signature = signatureOf(fieldsOf(Object.entries(parameters)), appkey, sign_type);
    assert.equal((await logOf(app, { ...parameters, signature })).total, 0);
    assert.equal(await codeOf(app, { ...parameters, to: 'other', signature }), '108');
    world.clock.advance(7_000);
    assert.equal(await codeOf(app, { ...parameters, signature }), '152');
    world.clock.advance(-7_000);
  }
});

test('the whole log, newest first, as the history left it', async () => {
  const body = await logOf(world.serve(everyQuery), { ...allTime, rows: '1000' });
  assert.deepEqual([body.total, body.results, body.offset], [rows.length, 1000, 0]);
  assert.deepEqual([body.start_date, body.end_date], [0, Math.floor(now / 1000)]);
  assert.deepEqual(
    body.data.map(({ sendID }) => sendID),
    sendIds(rows),
  );
  assert.deepEqual(
    body.data.map(({ to_address, subject, status, send_at, appid }) => [
      to_address,
      subject,
      status,
      send_at,
      appid,
    ]),
    rows.map((row) => [
      row.delivery.forwardPath,
      row.mail.subject,
      standardWords.numbers[situationOf(row)],
      Math.floor(row.mail.acceptedAt / 1000),
      String(owner.streamId),
    ]),
  );
});

test('without dates: the last day', async () => {
  const recent = world.createTenant();
  const at = (ago: number) =>
    generateHistory(3, {
      mails: 1,
      tenants: 1,
      edges: false,
      from: now - ago,
      to: now - ago + 1,
      maxForwardPaths: 1,
    });
  await world.append(at(86_400_000), recent);
  await world.append(at(86_402_000), recent);
  const body = await logOf(world.serve(everyQuery), {}, recent);
  assert.deepEqual([body.end_date - body.start_date, body.total, body.results], [86_400, 1, 50]);
});

test('both ends of the window are included, to the second', async () => {
  const app = world.serve(everyQuery);
  for (const { mail } of [rows[0], rows[17], rows.at(-1)].filter((row) => row !== undefined)) {
    const second = Math.floor(mail.acceptedAt / 1000);
    const within = rows.filter((row) => Math.floor(row.mail.acceptedAt / 1000) === second).length;
    const total = async (from: number, to: number) =>
      (await logOf(app, { start_date: String(from), end_date: String(to) })).total;
    assert.equal(await total(second, second), within);
    assert.equal(await total(second + 1, second), 0);
  }
});

test('filters: address, send id, app, and all of them together', async () => {
  const app = world.serve(everyQuery);
  const [row] = rows.slice(10);
  assert.ok(row);
  const { forwardPath } = row.delivery;
  const [send_id = ''] = sendIds([row]);
  const toSame = rows.filter(({ delivery }) => delivery.forwardPath === forwardPath);
  assert.deepEqual(
    (await logOf(app, { ...allTime, to: forwardPath })).data.map(({ sendID }) => sendID),
    sendIds(toSame),
  );
  const one = { ...allTime, to: forwardPath, send_id, app: String(owner.streamId) };
  assert.deepEqual(
    (await logOf(app, one)).data.map(({ sendID }) => sendID),
    [send_id],
  );
  assert.equal((await logOf(app, { ...one, to: 'other@example.com' })).total, 0);
  assert.equal((await logOf(app, { send_id })).total, 0, 'the window holds for a send id as well');
  assert.equal((await logOf(app, { ...allTime, send_id: 'f52cf56f666a4d9b588d20cc6f0ca644' })).total, 0);
  assert.equal((await logOf(app, { ...allTime, status: 'sent' })).total, 0);
});

test('an app of the account narrows the log; any other is refused', async () => {
  const app = world.serve(everyQuery);
  const account = world.createTenant();
  const second = world.addStream(account.tenantId);
  await world.append(generateHistory(4, { mails: 5, tenants: 1 }), account);
  await world.append(generateHistory(5, { mails: 8, tenants: 1 }), { ...account, streamId: second });
  const all = await logOf(app, { ...allTime, rows: '1000' }, account);
  const narrowed = await logOf(app, { ...allTime, rows: '1000', app: String(second) }, account);
  assert.deepEqual(
    narrowed.data,
    all.data.filter(({ appid }) => appid === String(second)),
  );
  assert.ok(narrowed.total > 0 && narrowed.total < all.total);
  for (const foreign of [String(owner.streamId), '1', 'x', '-1', '9'.repeat(40)]) {
    assert.equal(await codeOf(app, { ...credentialsOf(account), app: foreign }), '119', foreign);
  }
});

test('a suspended app is refused, and only its own key is', async () => {
  const account = world.createTenant();
  world.suspendStream(account.streamId);
  assert.equal(await codeOf(world.serve(), credentialsOf(account)), '102');
});

test('the five words partition the log of any history', async () => {
  const app = world.serve(everyQuery);
  const property = fc.asyncProperty(historyArbitrary, async (history) => {
    const tenant = world.createTenant();
    const expected = rowsOf(await world.append(history, tenant));
    const whole = await logOf(app, { ...allTime, rows: '1000' }, tenant);
    const found: string[] = [];
    for (const status of statusWords) {
      const body = await logOf(app, { ...allTime, rows: '1000', status }, tenant);
      assert.equal(body.total, body.data.length);
      found.push(...body.data.map(({ sendID }) => sendID));
    }
    assert.equal(whole.total, expected.length);
    assert.deepEqual(found.sort(), sendIds(expected).sort());
  });
  await fc.assert(property, { numRuns: 12 });
});

test('pages of any size return each row once, in the order of the whole', async () => {
  const app = world.serve(everyQuery);
  for (const size of [7, 64, 1000]) {
    const paged: string[] = [];
    for (let offset = 0; offset < rows.length + size; offset += size) {
      const body = await logOf(app, { ...allTime, rows: String(size), offset: String(offset) });
      assert.deepEqual([body.total, body.offset, body.results], [rows.length, offset, size]);
      paged.push(...body.data.map(({ sendID }) => sendID));
    }
    assert.deepEqual(paged, sendIds(rows));
  }
});

test('one query a minute: until then the previous reply, whatever is asked', async () => {
  const app = world.serve();
  assert.equal(await codeOf(app, { ...credentialsOf(owner), signature: 'wrong' }), '109');
  assert.equal(await codeOf(app, { ...credentialsOf(owner), app: '1' }), '119');
  const ask = (more: Record<string, string>) => post(app, { ...credentialsOf(owner), ...allTime, ...more });
  const first = await ask({ rows: '3' });
  assert.equal(first.headers.get('age'), null);
  const text = await first.text();
  assert.equal((JSON.parse(text) as LogBody).results, 3);
  world.clock.advance(59_999);
  const again = await ask({ rows: '5', status: 'bounce' });
  assert.equal(again.headers.get('age'), '59');
  assert.equal(await again.text(), text);
  assert.equal(await codeOf(app, { ...credentialsOf(owner), signature: 'wrong' }), '109');
  world.clock.advance(1);
  assert.equal(((await (await ask({ rows: '5' })).json()) as LogBody).results, 5);
  world.clock.set(now);
  assert.equal(((await (await ask({ rows: '6' })).json()) as LogBody).results, 6, 'the clock went back');
});

test('with the cache key `app-and-query`, another question is answered at once', async () => {
  const app = world.serve({ 'dialects.submail.cache_key': 'app-and-query' });
  assert.equal((await logOf(app, { ...allTime, rows: '3' })).results, 3);
  assert.equal((await logOf(app, { ...allTime, rows: '5' })).results, 5);
  const again = await post(app, { ...credentialsOf(owner), ...allTime, rows: '3' });
  assert.equal(again.headers.get('age'), '0');
});

test('a mail of the minute is in the first reply after it', async () => {
  const app = world.serve();
  const tenant = world.createTenant();
  assert.equal((await logOf(app, allTime, tenant)).total, 0);
  await world.append(generateHistory(6, { mails: 1, tenants: 1, maxForwardPaths: 1 }), tenant);
  assert.equal((await logOf(app, allTime, tenant)).total, 0);
  world.clock.advance(60_000);
  assert.equal((await logOf(app, allTime, tenant)).total, 1);
  world.clock.set(now);
});

test('the code of an error is a number where the option says so', async () => {
  const app = world.serve({ 'dialects.submail.error_code_type': 'number' });
  assert.equal(await codeOf(app, { appid: '1' }), 101);
});

test('bodies that cannot be read are refused in the words of the dialect', async () => {
  const app = world.serve();
  const table: [RequestInit, number, string][] = [
    [{}, 200, '101'],
    [{ body: '' }, 200, '101'],
    [{ body: '{', headers: { 'content-type': 'application/json' } }, 200, '101'],
    [{ body: '[1]', headers: { 'content-type': 'application/json' } }, 200, '101'],
    [{ body: '<log/>', headers: { 'content-type': 'text/xml' } }, 200, '101'],
    [{ body: 'appid=1', headers: { 'content-type': 'multipart/form-data' } }, 200, '101'],
    [
      {
        body: JSON.stringify({ appid: { $ne: 1 }, signature: ['a'] }),
        headers: { 'content-type': 'application/json' },
      },
      200,
      '101',
    ],
    [{ body: new URLSearchParams({ appid: 'x'.repeat(2_000_000) }) }, 413, '413'],
  ];
  for (const [request, status, code] of table) {
    const response = await app.request('/mail/log', { method: 'POST', ...request });
    assert.equal(response.status, status, JSON.stringify(request.headers));
    assert.equal(((await response.json()) as ErrorBody).code, code);
  }
});

test('a fault of ours says so and tells nothing', async () => {
  const broken = { ...world.ledger, deliveries: () => Promise.reject(new Error('secret path /var/lib')) };
  const app = world.serve({}, { ask: broken });
  const response = await post(app, credentialsOf(owner));
  assert.equal(response.status, 500);
  assert.deepEqual(await response.json(), { status: 'error', code: '500', msg: 'Internal error' });
  assert.equal((await post(app, credentialsOf(owner))).status, 500, 'a fault is not kept as a reply');
});

test('a question that the ledger cannot answer now says what to do', async () => {
  const busy = () => Promise.reject(new LedgerFault('timeout', 'Code: 159. DB::Exception: secret'));
  const app = world.serve({}, { ask: { ...world.ledger, deliveries: busy } });
  const response = await post(app, credentialsOf(owner));
  assert.equal(response.status, 503);
  const msg = 'the ledger took too long to answer; ask for a shorter range';
  assert.deepEqual(await response.json(), { status: 'error', code: '503', msg });
});

test('the log is not read by GET; the service endpoints are', async () => {
  const app = world.serve();
  assert.equal((await app.request('/mail/log')).status, 405);
  for (const path of ['/service/timestamp', '/service/timestamp.json']) {
    assert.deepEqual(await (await app.request(path)).json(), { timestamp: Math.floor(now / 1000) });
  }
  for (const path of ['/service/status', '/service/status.json']) {
    assert.deepEqual(await (await app.request(path)).json(), { status: 'runing', runtime: 0 });
  }
});

test('the issued credentials open the log by the example given', () => {
  const example = submail.example('http://localhost:1', owner.credentials.submail ?? {}, 'example.com');
  const { appid, signature } = credentialsOf(owner);
  assert.equal(example, `-d 'appid=${appid}&signature=${signature}' 'http://localhost:1/mail/log'`);
});
