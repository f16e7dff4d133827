import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import fc from 'fast-check';
import type { Hono } from 'hono';
import { rowsOf } from '../../../test/support/delivery-rows.ts';
import { type DialectWorld, openDialectWorld, type TestTenant } from '../../../test/support/dialect-world.ts';
import { type GenerateOptions, generateHistory, historyArbitrary } from '../../../test/support/histories.ts';
import { relayIdOf } from '../../base/id.ts';
import { type DeliveryRow, LedgerFault } from '../../ledger/ledger.ts';
import type { ErrorBody } from './errors.ts';
import { mailbaby } from './mailbaby.ts';
import type { Log, LogEntry, Stats } from './render.ts';

const hour = 3_600_000;
const now = Date.UTC(2026, 0, 2, 12, 0, 0, 500);

let world: DialectWorld;
let app: Hono;
let owner: TestTenant;
/** The first order of another account. */
let stranger: TestTenant;
/** What the owner's log must show, newest first. */
let rows: DeliveryRow[];

before(async () => {
  world = await openDialectWorld([mailbaby], now);
  app = world.serve();
  owner = world.createTenant();
  stranger = world.createTenant();
  rows = shown(rowsOf(await world.append(generateHistory(1, { mails: 80, tenants: 1 }), owner)));
  await world.append(generateHistory(2, { mails: 20, tenants: 1 }), stranger);
});
after(() => world.close());

/** Refused submissions never were mail. */
function shown(all: DeliveryRow[]): DeliveryRow[] {
  return all.filter(({ delivery }) => delivery.state !== 'rejected');
}

function keyOf(tenant: TestTenant): string {
  return tenant.credentials.mailbaby?.apiKey ?? '';
}

async function get(path: string, tenant = owner, through = app): Promise<Response> {
  return await through.request(path, { headers: { 'x-api-key': keyOf(tenant) } });
}

async function ok<Body>(path: string, tenant = owner, through = app): Promise<Body> {
  const response = await get(path, tenant, through);
  const body = await response.json();
  assert.equal(response.status, 200, `${path}: ${JSON.stringify(body)}`);
  assert.equal(response.headers.get('content-type'), 'application/json');
  return body as Body;
}

const log = (query: string | Record<string, string>, tenant = owner) =>
  ok<Log>(`/mail/log?${new URLSearchParams(query)}`, tenant);

async function assertRefused(response: Response, status: number): Promise<void> {
  assert.equal(response.status, status);
  const body = (await response.json()) as ErrorBody;
  assert.deepEqual(Object.keys(body), ['code', 'message']);
  assert.equal(body.code, status);
  assert.match(body.message, /^[\w ,()]+\.$/);
}

const idsOf = (emails: readonly LogEntry[]) => emails.map(({ id, seq }) => `${id}:${seq}`);
const expectedIds = (expected: readonly DeliveryRow[]) =>
  expected.map(({ mail, delivery }) => `${relayIdOf(mail.mailId)}:${delivery.n}`);

/** The model `MailLogEntry` as the vendor publishes it: type of each member, `?` where null is allowed. */
const entryModel: Record<keyof LogEntry, string> = {
  _id: 'integer',
  id: 'string',
  from: 'string',
  to: 'string',
  subject: 'string?',
  messageId: 'string?',
  created: 'string',
  time: 'integer',
  user: 'string',
  transtype: 'string',
  origin: 'string',
  interface: 'string',
  sendingZone: 'string?',
  bodySize: 'integer?',
  seq: 'integer?',
  delivered: 'integer?',
  code: 'integer?',
  recipient: 'string?',
  domain: 'string?',
  locked: 'integer?',
  lockTime: 'string?',
  assigned: 'string?',
  queued: 'string?',
  mxHostname: 'string?',
  response: 'string?',
};

function assertModel(entry: LogEntry): void {
  assert.deepEqual(Object.keys(entry).sort(), Object.keys(entryModel).sort());
  for (const [name, type] of Object.entries(entryModel)) {
    const value = entry[name as keyof LogEntry];
    if (value === null) assert.ok(type.endsWith('?'), `${name} is null`);
    else if (type.startsWith('integer')) assert.ok(Number.isSafeInteger(value), `${name}: ${value}`);
    else assert.equal(typeof value, 'string', name);
  }
  assert.match(entry.id, /^[0-9a-f]{18}$/);
  assert.match(entry.created, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  assert.match(String(entry.queued), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.match(String(entry.lockTime ?? 0), /^\d+$/);
  assert.match(entry.user, /^mb\d{5,}$/);
}

test('the credentials: a key, and the number of the order', () => {
  const { apiKey, orderId, ...others } = owner.credentials.mailbaby ?? {};
  assert.deepEqual(others, {});
  assert.match(String(apiKey), /^[a-z0-9]{32}$/);
  assert.equal(orderId, String(owner.streamId));
});

test('every endpoint but ping wants a key', async () => {
  for (const path of ['/mail/log', '/mail/stats', '/mail/log?id=x', '/mail/stats?time=all']) {
    await assertRefused(await app.request(path), 401);
    for (const wrong of ['', 'x', `${keyOf(owner)}x`, keyOf(owner).toUpperCase(), `Bearer ${keyOf(owner)}`]) {
      await assertRefused(await app.request(path, { headers: { 'x-api-key': wrong } }), 401);
    }
    await assertRefused(
      await app.request(`${path}${path.includes('?') ? '&' : '?'}X-API-KEY=${keyOf(owner)}`),
      401,
    );
  }
  const ping = await app.request('/ping');
  assert.equal(ping.status, 200);
  assert.match(ping.headers.get('content-type') ?? '', /^text\/plain/);
  assert.notEqual(await ping.text(), '');
});

test('the log: every member of every entry, newest first', async () => {
  const { total, skip, limit, emails, ...others } = await log('limit=10000');
  assert.deepEqual(others, {});
  assert.deepEqual({ total, skip, limit }, { total: rows.length, skip: 0, limit: 10_000 });
  assert.deepEqual(idsOf(emails), expectedIds(rows));
  assert.ok(emails.some(({ code }) => code === 250) && emails.some(({ code }) => code === null));
  for (const entry of emails) assertModel(entry);
  for (const [at, { mail, delivery }] of rows.entries()) {
    const entry = emails[at];
    assert.deepEqual(
      [entry?._id, entry?.recipient, entry?.delivered, entry?.subject, entry?.mxHostname ?? ''],
      [
        mail.mailId,
        delivery.forwardPath,
        delivery.state === 'delivered' ? 1 : 0,
        mail.subject,
        delivery.remoteMta,
      ],
    );
  }
});

test('pages of any size show each row once, in the order of the whole', async () => {
  for (const [dir, expected] of [
    ['desc', rows],
    ['asc', rows.toReversed()],
  ] as const) {
    const found: string[] = [];
    for (let skip = 0; skip < rows.length + 7; skip += 7) {
      const page = await log({ skip: String(skip), limit: '7', dir });
      assert.deepEqual([page.total, page.skip, page.limit], [rows.length, skip, 7]);
      found.push(...idsOf(page.emails));
    }
    assert.deepEqual(found, expectedIds(expected));
  }
  const past = await log('skip=10000000');
  assert.deepEqual([past.total, past.emails.length], [rows.length, 0]);
});

test('skip and limit show the values in force', async () => {
  assert.deepEqual(
    await Promise.all(
      ['limit=0', 'limit=10001', 'skip=-3', 'skip=&limit='].map(async (query) => {
        const { skip, limit } = await log(query);
        return [skip, limit];
      }),
    ),
    [
      [0, 1],
      [0, 10_000],
      [0, 100],
      [0, 100],
    ],
  );
});

test('each filter finds what it names, and nothing else', async () => {
  const some = rows.find(
    ({ mail, delivery }) => mail.replyTo !== '' && mail.reversePath !== '' && delivery.remoteMta !== '',
  );
  assert.ok(some);
  const { mail, delivery } = some;
  const filters: [query: Record<string, string>, matches: (row: DeliveryRow) => boolean][] = [
    [{ origin: mail.origin }, (row) => row.mail.origin === mail.origin],
    [{ mx: delivery.remoteMta }, (row) => row.delivery.remoteMta === delivery.remoteMta],
    [{ from: mail.reversePath }, (row) => row.mail.reversePath === mail.reversePath],
    [{ to: delivery.forwardPath }, (row) => row.delivery.forwardPath === delivery.forwardPath],
    [{ subject: mail.subject }, (row) => row.mail.subject === mail.subject],
    [{ mailid: relayIdOf(mail.mailId) }, (row) => row.mail.mailId === mail.mailId],
    [
      { messageId: mail.messageIdField.toUpperCase() },
      (row) => row.mail.messageIdField === mail.messageIdField,
    ],
    [
      { messageId: `<${mail.messageIdField.slice(0, 5)}` },
      (row) => row.mail.messageIdField.startsWith(mail.messageIdField.slice(0, 5)),
    ],
    [{ messageId: '%' }, (row) => row.mail.messageIdField.includes('%')],
    [{ replyto: mail.replyTo }, (row) => row.mail.replyTo === mail.replyTo],
    [{ headerfrom: mail.fromField.address }, (row) => row.mail.fromField.address === mail.fromField.address],
    [{ delivered: '1' }, (row) => row.delivery.state === 'delivered'],
    [{ delivered: '0' }, (row) => row.delivery.state !== 'delivered'],
    [{ id: String(owner.streamId) }, () => true],
    [
      { startDate: String(Math.floor(mail.acceptedAt / 1000)) },
      (row) => row.mail.acceptedAt >= Math.floor(mail.acceptedAt / 1000) * 1000,
    ],
    [
      { endDate: String(Math.floor(mail.acceptedAt / 1000)) },
      (row) => Math.floor(row.mail.acceptedAt / 1000) <= Math.floor(mail.acceptedAt / 1000),
    ],
    [
      { startDate: '2025-02-01', endDate: '2025-03-01 12:00' },
      (row) =>
        row.mail.acceptedAt >= Date.UTC(2025, 1) && row.mail.acceptedAt < Date.UTC(2025, 2, 1, 12, 0, 1),
    ],
    [
      { startDate: 'first day of january 2025', end_date: 'last monday' },
      (row) => row.mail.acceptedAt >= Date.UTC(2025, 0) && row.mail.acceptedAt <= Date.UTC(2025, 11, 29),
    ],
  ];
  for (const [query, matches] of filters) {
    const expected = rows.filter(matches);
    const { total, emails } = await log({ ...query, limit: '10000' });
    assert.deepEqual(idsOf(emails), expectedIds(expected), JSON.stringify(query));
    assert.equal(total, expected.length);
  }
});

test('text is compared exactly where the vendor says exactly', async () => {
  const none: Record<string, string>[] = [
    { subject: 'your invoice' },
    { to: 'ANN@GMAIL.COM' },
    { mx: 'google.com' },
    { mailid: '0'.repeat(18) },
    { mailid: 'z'.repeat(19) },
    { subject: "' OR 1=1 --" },
    { messageId: "'; DROP TABLE events --" },
    { startDate: 'tomorrow' },
    { endDate: '@0' },
  ];
  for (const query of none) {
    const { total, emails } = await log(query);
    assert.deepEqual([total, emails], [0, []], JSON.stringify(query));
  }
});

test('grouped by message: one row each, that of the first recipient that matches', async () => {
  const byMail = new Map<number, DeliveryRow>();
  // Descending, so that the lowest number is seen last.
  for (const row of rows) byMail.set(row.mail.mailId, row);
  assert.ok(byMail.size < rows.length);
  const { total, emails } = await log('groupby=message&limit=10000');
  assert.equal(total, byMail.size);
  assert.deepEqual(idsOf(emails), expectedIds([...byMail.values()]));
  const delivered = await log('groupby=message&delivered=1&limit=10000');
  const mails = new Set(
    rows.filter(({ delivery }) => delivery.state === 'delivered').map(({ mail }) => mail.mailId),
  );
  assert.deepEqual(
    delivered.emails.map(({ _id }) => _id),
    [...mails],
  );
});

test('an order of the account, or none: unknown, foreign and suspended ones are not found', async () => {
  const account = world.createTenant();
  const second = { ...account, streamId: world.addStream(account.tenantId) };
  await world.append(generateHistory(3, { mails: 3, tenants: 1, fateWeights: { delivered: 1 } }), account);
  const others = await world.append(
    generateHistory(4, { mails: 4, tenants: 1, nodeNumber: 2, fateWeights: { delivered: 1 } }),
    second,
  );
  const ofSecond = expectedIds(rowsOf(others));
  const first = await log('limit=1000', account);
  assert.ok(first.total > 0);
  assert.ok(first.emails.every(({ user }) => user === `mb${account.streamId}`));
  assert.deepEqual(idsOf((await log(`id=${second.streamId}`, account)).emails), ofSecond);
  for (const id of [stranger.streamId, 0, -1, 1, 999_999_999_999_999]) {
    await assertRefused(await get(`/mail/log?id=${id}`, account), 404);
  }
  world.suspendStream(account.streamId);
  await assertRefused(await get(`/mail/log?id=${account.streamId}`, account), 404);
  assert.deepEqual(idsOf((await log('', account)).emails), ofSecond);
  world.suspendStream(second.streamId);
  await assertRefused(await get('/mail/log', account), 404);
  await assertRefused(await get('/mail/stats', account), 400);
});

test('wrong parameters are refused in the shape of the vendor', async () => {
  for (const query of [
    'id=x',
    'origin=x',
    'mx=a b',
    'from=x',
    'to=x',
    'replyto=x',
    'headerfrom=x',
    'mailid=1',
  ]) {
    await assertRefused(await get(`/mail/log?${query}`), 400);
  }
  for (const query of [
    'delivered=2',
    'skip=x',
    'limit=x',
    'startDate=xx',
    'endDate=xx',
    'sort=x',
    'dir=x',
    'groupby=x',
  ]) {
    await assertRefused(await get(`/mail/log?${query}`), 400);
  }
});

test('local times follow the configured zone', async () => {
  const york = world.serve({ 'dialects.mailbaby.zone': 'America/New_York' });
  const [entry] = (await ok<Log>('/mail/log?startDate=2025-02-01&dir=asc&limit=1', owner, york)).emails;
  const first = rows.findLast(({ mail }) => mail.acceptedAt >= Date.parse('2025-02-01T05:00:00Z'));
  assert.ok(entry && first);
  assert.equal(entry._id, first.mail.mailId);
  const offset = -5 * hour;
  const local = new Date(first.mail.acceptedAt + offset).toISOString().slice(0, 19).replace('T', ' ');
  assert.equal(entry.created, local);
});

interface Counts {
  received: number;
  sent: number;
  volume: Stats['volume'];
}

/** Counted in the plainest way. */
function countsOf(all: readonly DeliveryRow[], from: number, to: number): Counts {
  const within = shown([...all]).filter(({ mail }) => mail.acceptedAt >= from && mail.acceptedAt < to);
  const mails = (some: readonly DeliveryRow[]) => new Set(some.map(({ mail }) => mail.mailId)).size;
  const volumeBy = (key: (row: DeliveryRow) => string) =>
    Object.fromEntries(
      [...Map.groupBy(within, key)]
        .map(([name, some]): [string, number] => [name, mails(some)])
        .sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1)),
    );
  return {
    received: mails(within),
    sent: mails(within.filter(({ delivery }) => delivery.state === 'delivered')),
    volume: {
      to: volumeBy(({ delivery }) => delivery.forwardPath),
      from: volumeBy(({ mail }) => mail.reversePath),
      ip: volumeBy(({ mail }) => mail.origin),
    },
  };
}

test('the statistics of every window, over all active orders', async () => {
  const account = world.createTenant();
  const second = { ...account, streamId: world.addStream(account.tenantId) };
  const third = { ...account, streamId: world.addStream(account.tenantId) };
  const slice = (owned: TestTenant, options: Partial<GenerateOptions>) =>
    world.append(
      generateHistory(options.nodeNumber ?? 0, { mails: 12, tenants: 1, edges: false, ...options }),
      owned,
    );
  const ofFirst = [
    await slice(account, { nodeNumber: 5, from: now - hour, to: now }),
    await slice(account, { nodeNumber: 6, from: now - 30 * hour, to: now - hour }),
  ].flatMap(rowsOf);
  const ofSecond = rowsOf(await slice(second, { nodeNumber: 7, from: now - 40 * 24 * hour, to: now }));
  const ofThird = rowsOf(await slice(third, { nodeNumber: 8, from: now - hour, to: now }));
  const windows: [time: Stats['time'], from: number, to: number][] = [
    ['1h', now - hour, Infinity],
    ['24h', now - 24 * hour, Infinity],
    ['7d', now - 7 * 24 * hour, Infinity],
    ['day', Date.UTC(2026, 0, 2), Infinity],
    ['month', Date.UTC(2026, 0, 1), Infinity],
    ['billing', Date.UTC(2026, 0, 1), Date.UTC(2026, 1, 1)],
    ['all', 0, Infinity],
  ];
  const compare = async (all: readonly DeliveryRow[]) => {
    const usage = countsOf(all, Date.UTC(2026, 0, 1), Date.UTC(2026, 1, 1)).received;
    const cost = 1 + Math.ceil(usage / 50) / 100;
    for (const [time, from, to] of windows) {
      const stats = await ok<Stats>(`/mail/stats?time=${time}`, account);
      const expected = { time, usage, currency: 'USD', cost, ...countsOf(all, from, to) };
      assert.equal(JSON.stringify(stats), JSON.stringify(expected), time);
      assert.ok(stats.sent <= stats.received);
    }
  };
  await compare([...ofFirst, ...ofSecond, ...ofThird]);
  world.suspendStream(third.streamId);
  await compare([...ofFirst, ...ofSecond]);
  world.suspendStream(second.streamId);
  await compare(ofFirst);
  assert.deepEqual(await ok('/mail/stats', account), await ok('/mail/stats?time=1h', account));
  assert.deepEqual(await ok('/mail/stats?time=2h', account), await ok('/mail/stats?time=1h', account));
});

test('without mail the statistics are zeros and empty maps', async () => {
  const stats = await ok<Stats>('/mail/stats?time=all', world.createTenant());
  const volume = { to: {}, from: {}, ip: {} };
  assert.deepEqual(stats, { time: 'all', usage: 0, currency: 'USD', cost: 1, received: 0, sent: 0, volume });
});

test('prices, currency and billing day come from the configuration', async () => {
  const settings = {
    'dialects.mailbaby.base_price': 5,
    'dialects.mailbaby.price_per_thousand': 1000,
    'dialects.mailbaby.currency': 'EUR',
    'dialects.mailbaby.billing_day': 3,
  };
  const account = world.createTenant();
  const history = generateHistory(9, {
    mails: 10,
    tenants: 1,
    edges: false,
    from: Date.UTC(2025, 11, 3),
    to: Date.UTC(2025, 11, 31),
  });
  const usage = countsOf(rowsOf(await world.append(history, account)), 0, Infinity).received;
  const stats = await ok<Stats>('/mail/stats?time=billing', account, world.serve(settings));
  assert.deepEqual(
    [stats.currency, stats.usage, stats.cost, stats.received],
    ['EUR', usage, 5 + usage, usage],
  );
});

test('whatever happened, the laws of the log hold', async () => {
  await fc.assert(
    fc.asyncProperty(historyArbitrary, async (history) => {
      const account = world.createTenant();
      const expected = shown(rowsOf(await world.append(history, account)));
      const [all, delivered, rest, byMessage] = await Promise.all(
        ['', 'delivered=1', 'delivered=0', 'groupby=message'].map((query) =>
          log(`limit=10000&${query}`, account),
        ),
      );
      const stats = await ok<Stats>('/mail/stats?time=all', account);
      assert.deepEqual(idsOf(all?.emails ?? []), expectedIds(expected));
      assert.equal((delivered?.total ?? 0) + (rest?.total ?? 0), all?.total);
      assert.equal(byMessage?.total, stats.received);
      const sums = Object.values(stats.volume.to).reduce((sum, count) => sum + count, 0);
      assert.ok(stats.sent <= stats.received && sums <= (all?.total ?? 0));
      for (const entry of all?.emails ?? []) assertModel(entry);
    }),
    { numRuns: 15 },
  );
});

test('HEAD answers as GET does, OPTIONS without a key, other methods are not ours', async () => {
  for (const path of ['/mail/log', '/mail/stats', '/ping']) {
    const headers = { 'x-api-key': keyOf(owner) };
    const head = await app.request(path, { method: 'HEAD', headers });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
    const options = await app.request(path, { method: 'OPTIONS' });
    assert.equal(options.status, 200);
    assert.equal(await options.text(), '');
    assert.equal(options.headers.get('access-control-allow-origin'), '*');
    assert.match(options.headers.get('access-control-allow-headers') ?? '', /X-API-KEY/);
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      assert.equal((await app.request(path, { method, headers })).status, 405, `${method} ${path}`);
    }
  }
  assert.equal((await get('/mail/log')).headers.get('access-control-allow-origin'), '*');
  assert.equal((await app.request('/mail/log')).headers.get('access-control-allow-origin'), '*');
});

test('a fault is answered in the shape of the vendor, without what is behind it', async () => {
  const broken = async (): Promise<never> => {
    throw new Error('the private reason');
  };
  const ask = { ...world.ledger, deliveries: broken, mailTotals: broken };
  for (const path of ['/mail/log', '/mail/stats']) {
    const response = await get(path, owner, world.serve({}, { ask }));
    assert.equal(response.status, 500);
    const body = (await response.json()) as ErrorBody;
    assert.equal(body.code, 500);
    assert.match(body.message, /^Internal error; the log of the server tells more under [0-9a-f]{16}\.$/);
  }
});

test('a question that the ledger cannot answer now says what to do', async () => {
  const busy = () => Promise.reject(new LedgerFault('timeout', 'Code: 159. DB::Exception: secret'));
  const response = await get(
    '/mail/log',
    owner,
    world.serve({}, { ask: { ...world.ledger, deliveries: busy } }),
  );
  assert.equal(response.status, 503);
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  const message = 'the ledger took too long to answer; ask for a shorter range';
  assert.deepEqual(await response.json(), { code: 503, message });
});

test('the example for people works', async () => {
  const credentials = owner.credentials.mailbaby ?? {};
  const example = mailbaby.example('http://127.0.0.1:1', credentials, 'mail.example.com');
  const [, key = '', path = ''] =
    /^-H 'X-API-KEY: ([^']+)' 'http:\/\/127\.0\.0\.1:1([^']+)'$/.exec(example) ?? [];
  assert.equal((await app.request(path, { headers: { 'x-api-key': key } })).status, 200);
});
