import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { rowsOf } from '../../test/support/delivery-rows.ts';
import { batchesOf, generateHistory, type History } from '../../test/support/histories.ts';
import { manualClock } from '../base/clock.ts';
import { relayIdOf } from '../base/id.ts';
import { createHttpApp } from '../http/app.ts';
import type { HttpLog } from '../http/log.ts';
import { type Ask, type DeliveryRow, type Ledger, LedgerFault, openLedger } from '../ledger/ledger.ts';
import type { Tenant } from '../tenants/tenants.ts';
import {
  createConsoleApi,
  type DeliveryEntry,
  type EventEntry,
  endpoints,
  reference,
} from './console-api.ts';

const token = 'token-of-this-run';
const day = Date.UTC(2026, 0, 15);
const clock = manualClock(day);
const tenantList: Tenant[] = [1, 2, 3].map((id) => ({ id, name: `tenant-${id}`, zone: 'UTC', createdAt: 0 }));

const tenants = {
  tenants: () => tenantList,
  tenantNamed: (name: string) => tenantList.find((tenant) => tenant.name === name) ?? null,
};

describe("the operator's API", () => {
  let folder: string;
  let ledger: Ledger;
  let history: History;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'waybill-console-api-'));
    ledger = await openLedger({ url: null, path: join(folder, 'ledger') });
    const range = { from: day, to: day + 3_600_000, edges: false };
    history = generateHistory(7, { ...range, mails: 45, tenants: 3, maxForwardPaths: 3, openRate: 0.3 });
    for (const batch of batchesOf(history, 1000)) await ledger.append(batch);
  });
  after(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true });
  });

  const notHere = () => {
    throw new Error('not asked here');
  };
  /** test/scenarios/ has a real one. */
  const upkeep = { start: notHere, status: () => ({ current: null, last: [] }) };
  const more = { snapshot: notHere, exportRows: notHere, answerSql: notHere, upkeep };
  const api = (ask: Ask = ledger) => createConsoleApi({ ask, tenants, token, clock, ...more });
  const get = async (path: string, headers: Record<string, string> = { authorization: `Bearer ${token}` }) =>
    await api().request(`http://localhost${path}`, { headers });
  const ok = async (path: string): Promise<unknown> => {
    const reply = await get(path);
    assert.equal(reply.status, 200, await reply.clone().text());
    return await reply.json();
  };
  const refusal = async (path: string) => {
    const reply = await get(path);
    assert.equal(reply.headers.get('content-type'), 'application/problem+json');
    return { status: reply.status, detail: ((await reply.json()) as { detail: string }).detail };
  };
  /** All pages of a question. */
  const pages = async <T>(path: string, member: 'deliveries' | 'events'): Promise<T[]> => {
    const found: T[] = [];
    let next: string | null = '';
    for (let page = 0; next !== null && page < 1000; page += 1) {
      const address: string = next === '' ? path : `${path}${path.includes('?') ? '&' : '?'}cursor=${next}`;
      const reply = (await ok(address)) as Record<string, unknown>;
      found.push(...(reply[member] as T[]));
      next = reply['next'] as string | null;
    }
    assert.equal(next, null, 'the pages have an end');
    return found;
  };
  const idOf = ({ mail, delivery }: Pick<DeliveryRow, 'mail' | 'delivery'>) =>
    `${relayIdOf(mail.mailId)}:${delivery.n}`;
  const newest = () => rowsOf(history);

  for (const [what, headers] of [
    ['no token', {}],
    ['another token', { authorization: 'Bearer token-of-that-run' }],
    ['a token as a password', { authorization: `Basic ${Buffer.from(`:${token}`).toString('base64')}` }],
    ['an empty token', { authorization: 'Bearer ' }],
  ] as [string, Record<string, string>][]) {
    test(`refuses ${what}`, async () => {
      for (const path of ['/api/v1/deliveries', '/api/v1/events?page=x']) {
        const reply = await get(path, headers);
        assert.equal(reply.status, 401);
        assert.match(reply.headers.get('www-authenticate') ?? '', /^Bearer/);
        assert.equal(((await reply.json()) as { title: string }).title, 'Unauthorized');
      }
    });
  }

  test('shows the newest deliveries of all tenants, with their ids', async () => {
    const { deliveries } = (await ok('/api/v1/deliveries')) as { deliveries: DeliveryEntry[] };
    const expected = newest().slice(0, 50);
    assert.deepEqual(
      deliveries.map(({ id }) => id),
      expected.map(idOf),
    );
    const [first] = deliveries;
    assert.ok(first);
    assert.equal(first.relayId, relayIdOf(first.mail.mailId));
    assert.equal(first.tenant, `tenant-${first.mail.tenantId}`);
    assert.deepEqual(first.delivery, expected[0]?.delivery);
    assert.deepEqual(first.engagement, expected[0]?.engagement);
  });

  for (const limit of [1, 7, 100, 1000]) {
    test(`pages of ${limit} hold every delivery once`, async () => {
      const question = limit === 1 ? '&tenant=tenant-2' : '';
      const found = await pages<DeliveryEntry>(`/api/v1/deliveries?limit=${limit}${question}`, 'deliveries');
      const expected = newest().filter(({ mail }) => limit > 1 || mail.tenantId === 2);
      assert.deepEqual(
        found.map(({ id }) => id),
        expected.map(idOf),
      );
    });
  }

  test('filters by tenant, state, time and id', async () => {
    const all = newest();
    const middle = day + 1_800_000;
    const times = `since=${new Date(middle).toISOString()}&until=${middle + 600_000}`;
    const [some] = all;
    assert.ok(some);
    const questions: [string, (row: DeliveryRow) => boolean][] = [
      ['tenant=tenant-1', ({ mail }) => mail.tenantId === 1],
      ['status=deferred&status=failed', ({ delivery }) => ['deferred', 'failed'].includes(delivery.state)],
      [times, ({ mail }) => mail.acceptedAt >= middle && mail.acceptedAt < middle + 600_000],
      [`id=${relayIdOf(some.mail.mailId)}`, ({ mail }) => mail.mailId === some.mail.mailId],
      [`id=${idOf(some)}`, (row) => idOf(row) === idOf(some)],
    ];
    for (const [question, matches] of questions) {
      const found = await pages<DeliveryEntry>(`/api/v1/deliveries?limit=40&${question}`, 'deliveries');
      assert.deepEqual(
        found.map(({ id }) => id),
        all.filter(matches).map(idOf),
        question,
      );
      assert.ok(found.length > 0, question);
    }
  });

  test('finds addresses without regard to case', async () => {
    const [some] = newest();
    assert.ok(some);
    const { forwardPath } = some.delivery;
    const found = await pages<DeliveryEntry>(
      `/api/v1/deliveries?to=${encodeURIComponent(forwardPath.toUpperCase())}`,
      'deliveries',
    );
    const same = newest().filter(
      ({ delivery }) => delivery.forwardPath.toLowerCase() === forwardPath.toLowerCase(),
    );
    assert.deepEqual(
      found.map(({ id }) => id),
      same.map(idOf),
    );

    const { address } = some.mail.fromField;
    const sent = await pages<DeliveryEntry>(
      `/api/v1/deliveries?from=${encodeURIComponent(address.toUpperCase())}`,
      'deliveries',
    );
    const authored = newest().filter(
      ({ mail }) => mail.fromField.address.toLowerCase() === address.toLowerCase(),
    );
    assert.deepEqual(
      sent.map(({ id }) => id),
      authored.map(idOf),
    );
    const none = await pages<DeliveryEntry>(
      `/api/v1/deliveries?to=${encodeURIComponent(address)}`,
      'deliveries',
    );
    assert.deepEqual(none, [], 'an author is no forward-path');
  });

  test('tells every event once, in both orders', async () => {
    const expected = history.events
      .toSorted((a, b) => a.at - b.at || a.sequence - b.sequence)
      .map(({ sequence }) => sequence);
    const forward = await pages<EventEntry>('/api/v1/events?limit=333', 'events');
    assert.deepEqual(
      forward.map(({ sequence }) => sequence),
      expected,
    );
    assert.equal(new Set(forward.map(({ id }) => id)).size, forward.length);
    const backward = await pages<EventEntry>('/api/v1/events?order=descending&limit=1000', 'events');
    assert.deepEqual(
      backward.map(({ sequence }) => sequence),
      expected.toReversed(),
    );
  });

  test('tells the life of one mail', async () => {
    const [some] = newest();
    assert.ok(some);
    const events = await pages<EventEntry>(`/api/v1/events?id=${relayIdOf(some.mail.mailId)}`, 'events');
    const expected = history.events
      .filter(({ mail }) => mail.mailId === some.mail.mailId)
      .toSorted((a, b) => a.at - b.at || a.sequence - b.sequence);
    assert.deepEqual(
      events.map(({ sequence, type, at, deliveryId }) => ({ sequence, type, at, deliveryId })),
      expected.map((event) => ({ ...pick(event), deliveryId: idOf(event) })),
    );
  });

  test('filters events by type, state and address', async () => {
    const byTime = history.events.toSorted((a, b) => a.at - b.at || a.sequence - b.sequence);
    const address = byTime[0]?.delivery.forwardPath ?? '';
    const questions: [string, (event: (typeof byTime)[number]) => boolean][] = [
      ['type=opened&type=clicked', ({ type }) => type === 'opened' || type === 'clicked'],
      ['status=failed', ({ delivery }) => delivery.state === 'failed'],
      [`to=${encodeURIComponent(address)}`, ({ delivery }) => delivery.forwardPath === address],
      [`since=${day + 1_000_000}`, ({ at }) => at >= day + 1_000_000],
    ];
    for (const [question, matches] of questions) {
      const found = await pages<EventEntry>(`/api/v1/events?limit=100&${question}`, 'events');
      assert.deepEqual(
        found.map(({ sequence }) => sequence),
        byTime.filter(matches).map(({ sequence }) => sequence),
        question,
      );
      assert.ok(found.length > 0, question);
    }
  });

  for (const [question, problem] of [
    ['page=2', /page/],
    ['__proto__=1', /__proto__/],
    ['limit=0', /limit/],
    ['limit=1001', /limit/],
    ['limit=ten', /limit: expected a number/],
    ['since=yesterday', /since: expected a time/],
    ['since=2026-02-30T00:00:00Z', /since: expected a time/],
    ['status=lost', /status/],
    ['id=zz', /id: expected a relay id/],
    ['id=0193f0000000000000:0', /id/],
    ['cursor=x', /cursor/],
    [`cursor=${Buffer.from('{"mailId":-1,"n":1}').toString('base64url')}`, /cursor/],
    [`to=${'a'.repeat(300)}@example.test`, /to/],
    [`${'x'.repeat(2000)}=1`, /…$/],
  ] as const) {
    test(`refuses ${question.slice(0, 40)}`, async () => {
      const { status, detail } = await refusal(`/api/v1/deliveries?${question}`);
      assert.equal(status, 400);
      assert.match(detail, problem);
      assert.ok(detail.length <= 501);
    });
  }

  test('says that there is no such tenant', async () => {
    assert.deepEqual(await refusal('/api/v1/events?tenant=nobody'), {
      status: 404,
      detail: 'There is no tenant nobody.',
    });
  });

  test('asks for a name when there are too many tenants', async () => {
    const many = Array.from({ length: 201 }, (_, id) => ({ id, name: `t${id}`, zone: 'UTC', createdAt: 0 }));
    const app = createConsoleApi({
      ask: ledger,
      tenants: { ...tenants, tenants: () => many },
      token,
      clock,
      ...more,
    });
    const reply = await app.request('/api/v1/deliveries', { headers: { authorization: `Bearer ${token}` } });
    assert.equal(reply.status, 400);
    assert.match(await reply.text(), /name one/);
  });

  const served = (ask: Ask, log: HttpLog = { info: () => {}, error: () => {} }) =>
    createHttpApp({ apps: [api(ask)], docs: [reference], version: '0', health: () => true, log, clock });

  for (const [code, status, told] of [
    ['timeout', 503, /too slow/],
    ['question', 400, /too slow/],
    ['engine', 500, /fault/],
  ] as const) {
    test(`answers a fault of the ledger (${code}) with ${status} and an id that the log has`, async () => {
      const logged: unknown[] = [];
      const broken: Ask = { ...ledger, deliveries: () => Promise.reject(new LedgerFault(code, 'too slow')) };
      const app = served(broken, { info: () => {}, error: ({ faultId }) => logged.push(faultId) });
      const reply = await app.request('/api/v1/deliveries', {
        headers: { authorization: `Bearer ${token}` },
      });
      assert.equal(reply.status, status);
      const { detail, faultId } = (await reply.json()) as { detail: string; faultId: string };
      assert.match(detail, told);
      assert.deepEqual(logged, [faultId]);
    });
  }

  test('runs four exports at a time, and counts each until it has ended, however it ends', async () => {
    const waiting: PromiseWithResolvers<void>[] = [];
    const exportRows = async function* () {
      assert.ok(waiting.length < 4, 'a fifth one was begun');
      const row = Promise.withResolvers<void>();
      waiting.push(row);
      await row.promise;
      yield Buffer.from('{}\n');
      yield Buffer.from('{}\n');
    };
    const app = createConsoleApi({ ask: ledger, tenants, token, clock, ...more, exportRows });
    const ask = async (method = 'GET') =>
      await app.request('/api/v1/export?rows=events', {
        method,
        headers: { authorization: `Bearer ${token}` },
      });
    const ways: ((reply: Promise<Response>) => Promise<unknown>)[] = [
      async (reply) => assert.equal(await (await reply).text(), '{}\n{}\n'),
      async (reply) => await (await reply).body?.cancel(),
      async (reply) => await leave((await reply).body),
      async (reply) => await assert.rejects(reply, /broken/),
    ];
    for (let round = 0; round < 2; round += 1) {
      assert.equal((await ask('HEAD')).status, 200);
      const replies = ways.map(() => ask());
      const refused = await ask();
      assert.equal(refused.status, 400);
      assert.match(await refused.text(), /4 exports are under way/);
      waiting.pop()?.reject(new Error('broken'));
      for (const { resolve } of waiting.splice(0)) resolve();
      for (const [index, reply] of replies.entries()) await ways[index]?.(reply);
    }
    assert.deepEqual(waiting, [], 'a HEAD asks the ledger nothing');
  });

  test('has a reference page', async () => {
    const page = await served(ledger).request(`/docs/${reference.name}/openapi.json`);
    const { paths } = (await page.json()) as {
      paths: Record<string, { get: { parameters: { name: string }[] } }>;
    };
    assert.deepEqual(
      Object.keys(paths),
      endpoints.map(({ path }) => path),
    );
    assert.deepEqual(
      paths['/api/v1/deliveries']?.get.parameters.map(({ name }) => name),
      ['tenant', 'to', 'from', 'status', 'id', 'since', 'until', 'limit', 'cursor'],
    );
  });
});

async function leave(body: Response['body']): Promise<void> {
  const reader = body?.getReader();
  await reader?.read();
  await reader?.cancel();
}

function pick({ sequence, type, at }: { sequence: number; type: string; at: number }) {
  return { sequence, type, at };
}
