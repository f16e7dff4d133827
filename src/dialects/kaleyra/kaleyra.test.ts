import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import fc from 'fast-check';
import type { Hono } from 'hono';
import { rowsOf } from '../../../test/support/delivery-rows.ts';
import { type DialectWorld, openDialectWorld, type TestTenant } from '../../../test/support/dialect-world.ts';
import {
  edgeZones,
  generateHistory,
  type History,
  historyArbitrary,
  play,
} from '../../../test/support/histories.ts';
import { uuidOf } from '../../base/id.ts';
import { type DeliveryRow, LedgerFault } from '../../ledger/ledger.ts';
import { errorBody, foreignSid, type Refusal, unknownMessage, wrongKey } from './errors.ts';
import { kaleyra } from './kaleyra.ts';
import type { DayStats, LogRow, MessageStats, Metrics } from './render.ts';
import { statusWords, wordOf } from './words.ts';

interface LogsBody {
  data: LogRow[];
  error: object;
  total: number;
  limit: string;
  offset: string;
  page: string;
}

interface StatsBody {
  data: DayStats[];
  error: object;
}

let world: DialectWorld;
let app: Hono;
let owner: TestTenant;
let history: History;
/** What the owner's log must show, newest first. */
let rows: DeliveryRow[];

before(async () => {
  world = await openDialectWorld([kaleyra], Date.UTC(2026, 0, 2));
  app = world.serve();
  owner = world.createTenant('America/New_York');
  history = await world.append(generateHistory(1, { mails: 60, tenants: 1 }), owner);
  rows = rowsOf(history);
  await world.append(generateHistory(2, { mails: 20, tenants: 1 }), world.createTenant());
});
after(() => world.close());

function credentialsOf(tenant: TestTenant): { sid: string; apiKey: string } {
  const { sid = '', apiKey = '' } = tenant.credentials.kaleyra ?? {};
  return { sid, apiKey };
}

async function get(path: string, tenant = owner, through = app): Promise<Response> {
  const { sid, apiKey } = credentialsOf(tenant);
  return await through.request(`/v1/${sid}/email/${path}`, { headers: { 'api-key': apiKey } });
}

async function ask<Body>(path: string, tenant = owner): Promise<Body> {
  const response = await get(path, tenant);
  const body = await response.json();
  assert.equal(response.status, 200, JSON.stringify(body));
  assert.deepEqual((body as { error: object }).error, {});
  return body as Body;
}

async function assertRefused(response: Response, refusal: Refusal): Promise<void> {
  assert.equal(response.status, refusal.status);
  assert.deepEqual(await response.json(), errorBody(refusal));
}

/** Every row of a query, page by page. */
async function allRows(query: string, tenant = owner, limit = 100): Promise<LogRow[]> {
  const found: LogRow[] = [];
  for (let page = 1; ; page += 1) {
    const body = await ask<LogsBody>(`logs?limit=${limit}&page=${page}&${query}`, tenant);
    assert.deepEqual([body.limit, body.offset, body.page], [String(limit), '', String(page)]);
    found.push(...body.data);
    if (body.data.length === 0) {
      assert.equal(found.length, body.total);
      return found;
    }
  }
}

const idOf = ({ mail, delivery }: DeliveryRow) => `${uuidOf(world.key, mail.mailId)}:${delivery.n}`;
const idsOf = (found: readonly { message_id: string }[]) => found.map(({ message_id }) => message_id);

test('a key opens its own account only', async () => {
  const { sid, apiKey } = credentialsOf(owner);
  const stranger = credentialsOf(world.createTenant());
  assert.match(sid, /^WB\d{10}$/);
  for (const path of ['logs', 'stats', `stats/${uuidOf(world.key, rows[0]?.mail.mailId ?? 0)}:1`]) {
    const url = `/v1/${sid}/email/${path}`;
    assert.equal((await app.request(url, { headers: { 'API-Key': apiKey } })).status, 200);
    await assertRefused(await app.request(url), wrongKey);
    for (const wrong of ['', 'x', sid, `${apiKey} x`]) {
      await assertRefused(await app.request(url, { headers: { 'api-key': wrong } }), wrongKey);
    }
    await assertRefused(await app.request(url, { headers: { 'api-key': stranger.apiKey } }), foreignSid);
    await assertRefused(
      await app.request(`/v1/WB0/email/${path}`, { headers: { 'api-key': apiKey } }),
      foreignSid,
    );
  }
});

test('the whole log, newest first, within a mail the highest number first', async () => {
  const found = await allRows('');
  assert.deepEqual(idsOf(found), rows.map(idOf));
  assert.deepEqual(
    found.map(({ status, from_mail, to_mail, template_name, company_id, type = '' }) => [
      status,
      from_mail,
      to_mail,
      template_name,
      company_id,
      type,
    ]),
    rows.map((row) => [
      wordOf(row),
      row.mail.fromField.address,
      row.delivery.forwardPath,
      row.mail.template,
      credentialsOf(owner).sid,
      row.mail.category,
    ]),
  );
});

test('without page and limit: 50 rows, page "0"', async () => {
  const body = await ask<LogsBody>('logs');
  assert.deepEqual(
    { ...body, data: body.data.length },
    { data: 50, error: {}, total: rows.length, limit: '50', offset: '', page: '0' },
  );
});

test('pages of any size return each row once, in the order of the whole', async () => {
  for (const limit of [7, 33, 100]) assert.deepEqual(idsOf(await allRows('', owner, limit)), rows.map(idOf));
});

test('searching each word partitions the log of any history', async () => {
  const property = fc.asyncProperty(historyArbitrary, async (generated) => {
    const tenant = world.createTenant();
    const expected = rowsOf(await world.append(generated, tenant));
    const found: string[] = [];
    for (const word of statusWords) {
      const shown = await allRows(`search=${word.toLowerCase()}`, tenant);
      for (const { status } of shown) assert.equal(status, word);
      found.push(...idsOf(shown));
    }
    assert.deepEqual(found.sort(), expected.map(idOf).sort());
  });
  await fc.assert(property, { numRuns: 12 });
});

test('accepted and blocks over all days are the records, but for refusals of another reason', async () => {
  const property = fc.asyncProperty(
    historyArbitrary,
    fc.constantFrom(...edgeZones),
    async (generated, zone) => {
      const tenant = world.createTenant(zone);
      const expected = rowsOf(await world.append(generated, tenant));
      const { data } = await ask<StatsBody>('stats?limit=100', tenant);
      const counted = data
        .flatMap(({ stats }) => stats)
        .map(({ metrics }) => metrics.accepted + metrics.blocks);
      const others = expected.filter((row) => row.delivery.state === 'rejected' && wordOf(row) === 'FAILED');
      assert.equal(
        counted.reduce((sum, count) => sum + count, 0),
        expected.length - others.length,
      );
    },
  );
  await fc.assert(property, { numRuns: 12 });
});

/** The stats counted again from the events, by the days of a zone. */
function countedAgain({ events }: History, zone: string): DayStats[] {
  const days = new Map<string, Metrics>();
  const dayOf = (at: number) =>
    Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDate().toString();
  const count = (at: number, metric: keyof Metrics) => {
    const metrics = days.get(dayOf(at)) ?? { blocks: 0, deferred: 0, delivered: 0, opens: 0, accepted: 0 };
    metrics[metric] += 1;
    days.set(dayOf(at), metrics);
  };
  for (const { type, at, delivery } of events) {
    if (type === 'accepted' || type === 'delivered') count(at, type);
    if (type === 'opened') count(at, 'opens');
    if (type === 'deferred' && delivery.deferrals === 1) count(at, 'deferred');
    if (type === 'rejected' && delivery.reason === 'sender-domain') count(at, 'blocks');
  }
  return [...days]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([date, metrics]) => ({ date, stats: [{ metrics }] }));
}

test('stats: sparse days of the account zone, each event on its own day', async () => {
  const days = countedAgain(history, 'America/New_York');
  assert.ok(days.length > 20);
  const { data } = await ask<StatsBody>('stats?limit=100');
  assert.equal(JSON.stringify(data), JSON.stringify(days.slice(0, 100)));
  for (const [page, limit] of [
    [1, 1],
    [2, 7],
    [4, 7],
    [1, 100],
    [99, 100],
  ] as const) {
    const expected = days.slice((page - 1) * limit, page * limit);
    assert.deepEqual((await ask<StatsBody>(`stats?page=${page}&limit=${limit}`)).data, expected);
  }
  const fromIndex = 3;
  const [from, to] = [days[fromIndex], days[9]];
  assert.ok(from && to);
  const range = (query: string) => ask<StatsBody>(`stats?limit=100&${query}`);
  assert.deepEqual(
    (await range(`start_date=${from.date}&end_date=${to.date}`)).data,
    days.slice(fromIndex, 10),
  );
  assert.deepEqual((await range(`end_date=${to.date}`)).data, days.slice(0, 10));
  assert.deepEqual((await range(`start_date=${from.date}&end_date=${from.date}`)).data, [from]);
});

/** One delivered mail accepted at each of these times. */
async function mailsAt(times: readonly string[], zone: string): Promise<TestTenant> {
  const tenant = world.createTenant(zone);
  const plans = times.map((text) => ({
    ...{
      tenantId: 1,
      streamId: 1,
      sendingDomain: 'a.example',
      subject: text,
      fromName: '',
      localPart: 'news',
    },
    ...{ replyTo: '', tags: [], template: '', authenticated: true, nullReversePath: false, variant: 1 },
    acceptedAt: Date.parse(text),
    deliveries: [
      {
        ...{ forwardPath: 'ann@shop.example', displayName: '', fate: 'queued' as const, deferrals: 0 },
        ...{ heldFirst: false, stepMs: 10, variant: 1, engagements: [] },
      },
    ],
  }));
  await world.append(play(plans), tenant);
  return tenant;
}

test('a day of 23 and one of 25 hours begin and end where the zone says', async () => {
  const table: [string, string[]][] = [
    ['2025-03-09', ['2025-03-09T05:00:00Z', '2025-03-10T03:59:59.999Z']],
    ['2025-11-02', ['2025-11-02T04:00:00Z', '2025-11-03T04:59:59.999Z']],
  ];
  for (const [day, inside] of table) {
    const [first = '', last = ''] = inside;
    const outside = [Date.parse(first) - 1, Date.parse(last) + 1].map((at) => new Date(at).toISOString());
    const tenant = await mailsAt([...inside, ...outside], 'America/New_York');
    const range = `start_date=${day}&end_date=${day}`;
    const logged = await allRows(range, tenant);
    assert.deepEqual(
      logged.map(({ submitted_at }) => submitted_at),
      [`${day} 23:59:59`, `${day} 00:00:00`],
    );
    const { data } = await ask<StatsBody>(`stats?${range}`, tenant);
    assert.deepEqual(
      data.map(({ date, stats }) => [date, stats[0]?.metrics.accepted]),
      [[day, 2]],
    );
  }
});

test('one message: its record, all its records, none', async () => {
  const several = rows.filter(
    ({ mail }) => mail.mailId === rows.find(({ delivery }) => delivery.n === 3)?.mail.mailId,
  );
  assert.equal(several.length, 3);
  const [third] = several;
  assert.ok(third);
  const uuid = uuidOf(world.key, third.mail.mailId);
  const all = await ask<{ data: MessageStats[] }>(`stats/${uuid}`);
  assert.deepEqual(idsOf(all.data), [`${uuid}:1`, `${uuid}:2`, `${uuid}:3`]);
  assert.deepEqual(
    all.data.map(({ recipients }) => recipients.map(({ to, status }) => [to, status])),
    several.toReversed().map((row) => [[row.delivery.forwardPath, wordOf(row)]]),
  );
  for (const path of [`stats/${uuid}:3`, `stats/${uuid}%3A3`]) {
    assert.deepEqual((await ask<{ data: MessageStats[] }>(path)).data, [all.data[2]]);
  }
  for (const id of [`${uuid}:4`, `${uuid}:0`, 'x', 'a12a270d-acee-4554-87da-0106f8967c54:2']) {
    await assertRefused(await get(`stats/${id}`), unknownMessage);
  }
  await assertRefused(await get(`stats/${uuid}:3`, world.createTenant()), unknownMessage);
});

test('filters of the log: address, message id, terms that must all match', async () => {
  const row = rows.find(({ mail, delivery }) => mail.template !== '' && delivery.state !== 'queued');
  assert.ok(row);
  const { forwardPath } = row.delivery;
  const { address } = row.mail.fromField;
  const wanted = (holds: (one: DeliveryRow) => boolean) => rows.filter(holds).map(idOf);
  const found = async (query: Record<string, string> | string[][]) =>
    idsOf(await allRows(new URLSearchParams(query).toString()));
  assert.deepEqual(
    await found({ toMail: forwardPath }),
    wanted(({ delivery }) => delivery.forwardPath === forwardPath),
  );
  assert.deepEqual(await found({ messageId: idOf(row) }), [idOf(row)]);
  assert.deepEqual(
    await found({ messageId: uuidOf(world.key, row.mail.mailId) }),
    wanted(({ mail }) => mail.mailId === row.mail.mailId),
  );
  assert.deepEqual(await found({ messageId: idOf(row), end_date: '2024-01-01' }), []);
  assert.deepEqual(await found({ messageId: 'x' }), []);
  assert.deepEqual(
    await found({ search: forwardPath.toUpperCase() }),
    wanted(({ delivery }) => delivery.forwardPath.toUpperCase() === forwardPath.toUpperCase()),
  );
  assert.deepEqual(
    await found({ search: 'Welcome-1' }),
    wanted(({ mail }) => mail.template === 'welcome-1'),
  );
  assert.deepEqual(
    await found({ search: address }),
    wanted(({ mail }) => mail.fromField.address === address),
  );
  assert.deepEqual(await found({ search: address.slice(1) }), [], 'whole, not a part');
  const terms = ['search', address] as const;
  assert.deepEqual(
    await found([[...terms], ['search', wordOf(row)], ['search', 'welcome-1']]),
    wanted(
      (one) =>
        one.mail.fromField.address === address &&
        wordOf(one) === wordOf(row) &&
        one.mail.template === 'welcome-1',
    ),
  );
  assert.deepEqual(
    await found([
      ['search', 'OPEN'],
      ['search', 'BOUNCE'],
    ]),
    [],
  );
});

test('delivered mail shows the configured price', async () => {
  const priced = world.serve({ 'dialects.kaleyra.price': 0.25 });
  const body = (await (await get('logs?limit=100', owner, priced)).json()) as LogsBody;
  for (const { status, sale_price } of body.data) {
    assert.equal(sale_price, status === 'DELIVERED' || status === 'OPEN' ? 0.25 : 0);
  }
});

test('wrong parameters are refused in the envelope of every reply', async () => {
  for (const query of [
    'page=0',
    'limit=101',
    'start_date=2022-02-30',
    'start_date=2022-01-02&end_date=2022-01-01',
  ]) {
    for (const path of ['stats', 'logs']) {
      const response = await get(`${path}?${query}`);
      const body = (await response.json()) as { data: unknown[]; error: { code: string; message: string } };
      assert.deepEqual([response.status, body.data, body.error.code], [400, [], '400']);
      assert.ok(body.error.message.startsWith(query.split('=')[0] ?? ''), body.error.message);
    }
  }
});

test('a fault of ours says so and tells nothing', async () => {
  const broken = { ...world.ledger, deliveries: () => Promise.reject(new Error('secret path /var/lib')) };
  const response = await get('logs', owner, world.serve({}, { ask: broken }));
  assert.equal(response.status, 500);
  assert.deepEqual(await response.json(), { data: [], error: { code: '500', message: 'Internal error' } });
});

test('a question that the ledger cannot answer now says what to do', async () => {
  const busy = () => Promise.reject(new LedgerFault('timeout', 'Code: 159. DB::Exception: secret'));
  const response = await get('logs', owner, world.serve({}, { ask: { ...world.ledger, deliveries: busy } }));
  assert.equal(response.status, 503);
  const message = 'the ledger took too long to answer; ask for a shorter range';
  assert.deepEqual(await response.json(), { data: [], error: { code: '503', message } });
});

test('the example asks with the issued credentials', () => {
  const { sid, apiKey } = credentialsOf(owner);
  const example = kaleyra.example('http://localhost:1', { sid, apiKey }, 'example.com');
  assert.equal(example, `-H 'api-key: ${apiKey}' 'http://localhost:1/v1/${sid}/email/logs?limit=10'`);
});
