import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type DeliveryPlan, type MailPlan, play } from '../../../test/support/histories.ts';
import { recordedExchanges, skipWithoutRecordings } from '../../../test/support/mailgun-recordings.ts';
import { basicAuth, type MailgunWorld, openMailgunWorld } from '../../../test/support/mailgun-world.ts';
import { limits } from '../../base/limits.ts';
import { createHttpApp } from '../../http/app.ts';
import { LedgerFault } from '../../ledger/ledger.ts';
import { mailgun } from './mailgun.ts';

const now = Date.parse('2025-02-24T22:44:13Z');
const minute = 60_000;

const delivery = (forwardPath: string, facts: Partial<DeliveryPlan> = {}): DeliveryPlan => ({
  forwardPath,
  displayName: '',
  fate: 'delivered',
  deferrals: 0,
  heldFirst: false,
  stepMs: 1000,
  variant: 0,
  engagements: [],
  ...facts,
});

const mail = (
  tenantId: number,
  sendingDomain: string,
  acceptedAt: string,
  facts: Partial<MailPlan> = {},
): MailPlan => ({
  tenantId,
  streamId: 10_001,
  sendingDomain,
  acceptedAt: Date.parse(acceptedAt),
  subject: '',
  fromName: '',
  localPart: 'news',
  replyTo: '',
  tags: [],
  template: '',
  authenticated: true,
  nullReversePath: false,
  variant: 0,
  deliveries: [],
  ...facts,
});

/**
 * Variants pick from the tables of `histories.ts`: 0 is a bounce and the first sending IP, 1 a block by the
 * provider and the second; among engagements 1 is a mobile in `us`, 2 a tablet in `in`, 4 a desktop without
 * country, 7 a bot.
 */
function plansOf(a: number, b: number): MailPlan[] {
  return [
    mail(a, 'mail.a.test', '2025-02-24T10:00:00Z', {
      tags: ['invoice', 'monthly'],
      deliveries: [
        delivery('ann@gmail.com', {
          engagements: [
            { type: 'opened', afterMs: 5 * minute, variant: 1 },
            { type: 'opened', afterMs: 70 * minute, variant: 2 },
            { type: 'clicked', afterMs: minute, variant: 2 },
          ],
        }),
        delivery('bob@shop.example', { fate: 'failed' }),
        delivery('cy@yahoo.com', { deferrals: 1, variant: 1 }),
      ],
    }),
    mail(a, 'news.a.test', '2025-02-24T11:30:00Z', {
      authenticated: false,
      deliveries: [
        delivery('dee@gmail.com', { fate: 'suppressed', variant: 1 }),
        delivery('eve@gmail.com', { fate: 'expired' }),
        delivery('fay@outlook.com', { fate: 'returned' }),
        delivery('gil@gmail.com', { fate: 'canceled' }),
        delivery('hal@gmail.com', { fate: 'failed', variant: 1 }),
      ],
    }),
    // Accepted before midnight, delivered after it.
    mail(a, 'mail.a.test', '2025-02-23T23:59:50Z', {
      deliveries: [delivery('ann@gmail.com', { stepMs: 20_000 })],
    }),
    mail(a, 'mail.a.test', '2025-01-20T08:00:00Z', {
      tags: ['invoice'],
      deliveries: [
        delivery('ivy@gmail.com', {
          engagements: [
            { type: 'unsubscribed', afterMs: minute, variant: 4 },
            { type: 'complained', afterMs: minute, variant: 4 },
            { type: 'opened', afterMs: minute, variant: 7 },
          ],
        }),
      ],
    }),
    mail(a, 'mail.a.test', '2025-02-24T09:00:00Z', {
      deliveries: [delivery('x@gmail.com', { fate: 'rejected' })],
    }),
    mail(b, 'mail.b.test', '2025-02-24T10:00:00Z', {
      deliveries: [delivery('ann@gmail.com'), delivery('bob@gmail.com')],
    }),
  ];
}

describe('the Mailgun dialect', () => {
  let world: MailgunWorld;
  let keyA = '';
  let keyB = '';

  before(async () => {
    world = await openMailgunWorld(now);
    const a = world.createTenant('a', ['news.a.test', 'mail.a.test', 'quiet.a.test', 'stats']);
    const b = world.createTenant('b', ['mail.b.test']);
    [keyA, keyB] = [a.apiKey, b.apiKey];
    await world.append(play(plansOf(a.tenant.id, b.tenant.id)));
  });
  after(() => world.close());

  async function body(path: string, key = keyA) {
    const reply = await world.get(path, key);
    const text = await reply.text();
    assert.equal(reply.status, 200, text);
    assert.equal(reply.headers.get('content-type'), 'application/json; charset=utf-8');
    return JSON.parse(text);
  }

  async function refusal(path: string, key = keyA) {
    const reply = await world.get(path, key);
    return { status: reply.status, body: (await reply.json()) as { message: string } };
  }

  const today = { start: 'Mon, 24 Feb 2025 00:00:00 UTC', end: 'Mon, 24 Feb 2025 00:00:00 UTC' };

  describe('totals', () => {
    test('of the account, one day, all events', async () => {
      const events = [
        'accepted',
        'delivered',
        'failed',
        'opened',
        'clicked',
        'unsubscribed',
        'complained',
        'stored',
      ];
      const query = events.map((event) => `event=${event}`).join('&');
      assert.deepEqual(await body(`/v3/stats/total?${query}&duration=1d`), {
        description: '',
        ...today,
        resolution: 'day',
        stats: [
          {
            time: 'Mon, 24 Feb 2025 00:00:00 UTC',
            accepted: { incoming: 5, outgoing: 3, total: 8 },
            delivered: { smtp: 4, http: 0, optimized: 0, total: 4 },
            failed: {
              temporary: { espblock: 1, total: 1 },
              permanent: {
                'suppress-bounce': 0,
                'suppress-unsubscribe': 0,
                'suppress-complaint': 1,
                bounce: 1,
                'delayed-bounce': 1,
                webhook: 0,
                optimized: 0,
                total: 6,
              },
            },
            opened: { total: 2, unique: 1 },
            clicked: { total: 1, unique: 1 },
            unsubscribed: { total: 0 },
            complained: { total: 0 },
            stored: { total: 0 },
          },
        ],
      });
    });

    test('of a domain, by hour', async () => {
      const query =
        'event=accepted&event=opened&start=1740391200&end=Mon, 24 Feb 2025 12:00:00 %2B0000&resolution=hour';
      const reply = await body(`/v3/mail.a.test/stats/total?${query}`);
      assert.deepEqual(reply, {
        description: '',
        start: 'Mon, 24 Feb 2025 10:00:00 UTC',
        end: 'Mon, 24 Feb 2025 12:00:00 UTC',
        resolution: 'hour',
        stats: [
          {
            time: 'Mon, 24 Feb 2025 10:00:00 UTC',
            accepted: { incoming: 0, outgoing: 3, total: 3 },
            opened: { total: 1, unique: 1 },
          },
          {
            time: 'Mon, 24 Feb 2025 11:00:00 UTC',
            accepted: { incoming: 0, outgoing: 0, total: 0 },
            opened: { total: 1, unique: 0 },
          },
          {
            time: 'Mon, 24 Feb 2025 12:00:00 UTC',
            accepted: { incoming: 0, outgoing: 0, total: 0 },
            opened: { total: 0, unique: 0 },
          },
        ],
      });
    });

    test('count an event on the day it happened, not on that of its mail', async () => {
      const reply = await body('/v3/mail.a.test/stats/total?event=accepted&event=delivered&duration=2d');
      const days = reply.stats.map((item: Record<string, { total: number }>) => [
        item.accepted?.total,
        item.delivered?.total,
      ]);
      assert.deepEqual(days, [
        [1, 0],
        [3, 3],
      ]);
    });

    test('by month', async () => {
      const reply = await body('/v3/stats/total?event=complained&event=unsubscribed&duration=2m');
      assert.deepEqual(reply.stats, [
        { time: 'Wed, 01 Jan 2025 00:00:00 UTC', complained: { total: 1 }, unsubscribed: { total: 1 } },
        { time: 'Sat, 01 Feb 2025 00:00:00 UTC', complained: { total: 0 }, unsubscribed: { total: 0 } },
      ]);
    });

    test('of a domain in another way of writing it', async () => {
      const plain = await body('/v3/mail.a.test/stats/total?event=accepted');
      assert.deepEqual(await body('/v3/MAIL.A.test/stats/total?event=accepted'), plain);
      assert.deepEqual(await body('/v3/mail%2Ea.test/stats/total?event=accepted'), plain);
    });

    test('of a domain without mail are zeros', async () => {
      const reply = await body('/v3/quiet.a.test/stats/total?event=stored&duration=1h');
      assert.deepEqual(reply.stats, [{ time: 'Mon, 24 Feb 2025 22:00:00 UTC', stored: { total: 0 } }]);
    });

    test('answer the recorded question like the recorded reply', {
      skip: skipWithoutRecordings,
    }, async () => {
      const recorded = recordedExchanges('domains.yml').find(({ url }) =>
        url.pathname.endsWith('/stats/total'),
      );
      assert.ok(recorded);
      world.clock.set(recorded.recordedAt);
      const reply = await world.get(`/v3/quiet.a.test/stats/total${recorded.url.search}`, keyA);
      world.clock.set(now);
      assert.equal((await reply.text()).replaceAll(',"unique":0', ''), recorded.body);
      for (const name of ['content-type', 'cache-control', 'access-control-allow-origin']) {
        assert.equal(reply.headers.get(name), recorded.headers.get(name));
      }
    });
  });

  describe('totals by domain', () => {
    const path = '/v3/stats/total/domains?event=accepted&event=delivered&timestamp=1740441600';

    test('have one item for each domain of the tenant, by name, also without mail', async () => {
      assert.deepEqual(await body(path.replace('1740441600', 'Mon, 24 Feb 2025 12:00:00 GMT')), {
        description: '',
        ...today,
        resolution: 'day',
        stats: [
          {
            ...itemOf('mail.a.test'),
            accepted: { incoming: 0, outgoing: 3, total: 3 },
            delivered: { smtp: 3, http: 0, optimized: 0, total: 3 },
          },
          {
            ...itemOf('news.a.test'),
            accepted: { incoming: 5, outgoing: 0, total: 5 },
            delivered: { smtp: 1, http: 0, optimized: 0, total: 1 },
          },
          {
            ...itemOf('quiet.a.test'),
            accepted: { incoming: 0, outgoing: 0, total: 0 },
            delivered: { smtp: 0, http: 0, optimized: 0, total: 0 },
          },
          {
            ...itemOf('stats'),
            accepted: { incoming: 0, outgoing: 0, total: 0 },
            delivered: { smtp: 0, http: 0, optimized: 0, total: 0 },
          },
        ],
      });
    });

    test('skip as many domains as `limit` says', async () => {
      const reply = await body(`${path}&limit=1&resolution=month`);
      assert.deepEqual(
        reply.stats.map((item: { domain: string }) => item.domain),
        ['news.a.test', 'quiet.a.test', 'stats'],
      );
      assert.equal(reply.start, 'Sat, 01 Feb 2025 00:00:00 UTC');
      assert.deepEqual((await body(`${path}&limit=4`)).stats, []);
    });

    function itemOf(domain: string) {
      return { time: 'Mon, 24 Feb 2025 00:00:00 UTC', domain };
    }
  });

  describe('filtered totals', () => {
    const first = 'Mon, 24 Feb 2025 00:00:00 UTC';
    const total = async (query: string) =>
      (await body(`/v3/stats/filter?event=accepted&duration=1d&${query}`)).stats;
    const counts = (incoming: number, outgoing: number) => ({
      incoming,
      outgoing,
      total: incoming + outgoing,
    });

    test('without filter and group are the totals of the account', async () => {
      const query = 'event=accepted&event=failed&duration=40d';
      assert.deepEqual(await body(`/v3/stats/filter?${query}`), await body(`/v3/stats/total?${query}`));
      assert.deepEqual(
        await body(`/v3/stats/filter?${query}&group=time`),
        await body(`/v3/stats/total?${query}`),
      );
      const byMonth = await body(`/v3/stats/total?${query}&resolution=month`);
      assert.deepEqual(await body(`/v3/stats/filter?${query}&group=month&resolution=hour`), byMonth);
      const byDay = await body(`/v3/stats/total?${query}&resolution=day`);
      assert.deepEqual(await body(`/v3/stats/filter?${query}&group=day&resolution=month`), byDay);
    });

    test('by domain', async () => {
      assert.deepEqual(await total('filter=domain:news.a.test'), [{ time: first, accepted: counts(5, 0) }]);
      assert.deepEqual(await total('filter=domain:NEWS.a.test&group=domain'), [
        { time: first, domain: 'news.a.test', accepted: counts(5, 0) },
      ]);
      assert.deepEqual(await total('group=domain'), [
        { time: first, domain: 'mail.a.test', accepted: counts(0, 3) },
        { time: first, domain: 'news.a.test', accepted: counts(5, 0) },
      ]);
    });

    test('by provider', async () => {
      assert.deepEqual(await total('filter=provider:gmail.com'), [{ time: first, accepted: counts(4, 1) }]);
      assert.deepEqual(await total('group=provider&filter=domain:mail.a.test'), [
        { time: first, provider: 'gmail.com', accepted: counts(0, 1) },
        { time: first, provider: 'shop.example', accepted: counts(0, 1) },
        { time: first, provider: 'yahoo.com', accepted: counts(0, 1) },
      ]);
    });

    test('by tag: a mail counts under each of its tags, one without tags under none', async () => {
      assert.deepEqual(await total('filter=tag:monthly'), [{ time: first, accepted: counts(0, 3) }]);
      assert.deepEqual(await total('filter=tag:Monthly'), [{ time: first, accepted: counts(0, 0) }]);
      assert.deepEqual(await total('group=tag'), [
        { time: first, tag: 'invoice', accepted: counts(0, 3) },
        { time: first, tag: 'monthly', accepted: counts(0, 3) },
      ]);
    });

    test('by sending IP, which acceptance has none of', async () => {
      const reply = await body('/v3/stats/filter?event=accepted&event=delivered&duration=1d&group=ip');
      assert.deepEqual(
        reply.stats.map((item: { ip: string; accepted: object; delivered: { total: number } }) => [
          item.ip,
          item.accepted,
          item.delivered.total,
        ]),
        [
          ['192.0.2.10', counts(0, 0), 3],
          ['192.0.2.11', counts(0, 0), 1],
        ],
      );
    });

    test('by country, which only engagement has', async () => {
      const reply = await body('/v3/stats/filter?event=opened&event=accepted&duration=1d&group=country');
      assert.deepEqual(reply.stats, [
        { time: first, country: 'in', opened: { total: 1, unique: 0 }, accepted: counts(0, 0) },
        { time: first, country: 'us', opened: { total: 1, unique: 1 }, accepted: counts(0, 0) },
      ]);
      const us = await body('/v3/stats/filter?event=opened&duration=1d&group=total&filter=country:US');
      assert.deepEqual(us.stats, [{ time: first, opened: { total: 1, unique: 1 } }]);
    });

    test('in one sum for the whole time', async () => {
      const reply = await body('/v3/stats/filter?event=accepted&duration=2m&group=total');
      assert.deepEqual(reply, {
        description: '',
        start: 'Wed, 01 Jan 2025 00:00:00 UTC',
        end: 'Sat, 01 Feb 2025 00:00:00 UTC',
        resolution: 'month',
        stats: [{ time: 'Wed, 01 Jan 2025 00:00:00 UTC', accepted: counts(5, 5) }],
      });
    });

    test('under a condition that nothing meets are zeros, or no values', async () => {
      assert.deepEqual(await total('filter=domain:mail.b.test'), [{ time: first, accepted: counts(0, 0) }]);
      assert.deepEqual(await total('filter=domain:nowhere.test&group=provider'), []);
      assert.deepEqual(await total("filter=tag:' OR 1=1 --"), [{ time: first, accepted: counts(0, 0) }]);
    });
  });

  describe('aggregates', () => {
    const zeros = {
      accepted: 0,
      clicked: 0,
      complained: 0,
      delivered: 0,
      opened: 0,
      unique_clicked: 0,
      unique_opened: 0,
      unsubscribed: 0,
    };

    test('by provider, since ever', async () => {
      assert.deepEqual(await body('/v3/mail.a.test/aggregates/providers'), {
        providers: {
          'gmail.com': {
            accepted: 3,
            clicked: 1,
            complained: 1,
            delivered: 3,
            opened: 3,
            unique_clicked: 1,
            unique_opened: 2,
            unsubscribed: 1,
          },
          'shop.example': { ...zeros, accepted: 1 },
          'yahoo.com': { ...zeros, accepted: 1, delivered: 1 },
        },
      });
    });

    test('by device, all four always there', async () => {
      assert.deepEqual(await body('/v3/mail.a.test/aggregates/devices'), {
        devices: {
          desktop: { ...zeros, complained: 1, unsubscribed: 1 },
          mobile: { ...zeros, opened: 1, unique_opened: 1 },
          tablet: { ...zeros, opened: 1, clicked: 1, unique_clicked: 1 },
          unknown: { ...zeros, opened: 1, unique_opened: 1 },
        },
      });
      const none = { desktop: zeros, mobile: zeros, tablet: zeros, unknown: zeros };
      assert.deepEqual(await body('/v3/quiet.a.test/aggregates/devices'), { devices: none });
    });

    test('by country, in lower case, without what has none', async () => {
      assert.deepEqual(await body('/v3/mail.a.test/aggregates/countries'), {
        countries: {
          in: { ...zeros, opened: 2, clicked: 1, unique_clicked: 1, unique_opened: 1 },
          us: { ...zeros, opened: 1, unique_opened: 1 },
        },
      });
      assert.deepEqual(await body('/v3/quiet.a.test/aggregates/countries'), { countries: {} });
    });
  });

  describe('refusals', () => {
    test('without a right key are the text of the recorded reply', async () => {
      const attempts: Record<string, string>[] = [
        {},
        basicAuth('key-wrong'),
        basicAuth(keyA, 'postmaster'),
        { authorization: `Bearer ${keyA}` },
      ];
      for (const endpoint of mailgun.endpoints) {
        for (const headers of attempts) {
          const reply = await world.app.request(endpoint.path.replace('{domain}', 'mail.a.test'), {
            headers,
            method: endpoint.method,
          });
          assert.equal(reply.status, 401);
          assert.equal(await reply.text(), 'Forbidden');
          assert.equal(reply.headers.get('content-type'), 'text/plain; charset=utf-8');
          assert.equal(reply.headers.get('www-authenticate'), 'Basic realm="MG API"');
          assert.equal(reply.headers.get('cache-control'), 'no-store');
          assert.equal(reply.headers.get('access-control-allow-origin'), '*');
        }
      }
    });

    test('are those of the service', { skip: skipWithoutRecordings }, async () => {
      const [forbidden] = recordedExchanges('exceptions-invalid-api-key.yml');
      assert.ok(forbidden);
      const reply = await world.get('/v3/stats/total?event=accepted', 'key-wrong');
      assert.deepEqual([reply.status, await reply.text()], [forbidden.status, forbidden.body]);
      for (const name of [
        'content-type',
        'www-authenticate',
        'cache-control',
        'access-control-allow-origin',
      ]) {
        assert.equal(reply.headers.get(name), forbidden.headers.get(name));
      }
      const unknown = recordedExchanges('exceptions.yml').find(({ status }) => status === 404);
      assert.ok(unknown);
      const refused = await refusal('/v3/not-our-doma.in/stats/total?event=accepted');
      assert.deepEqual(refused, { status: unknown.status, body: JSON.parse(unknown.body) });
    });

    test('do not tell a domain of another tenant from one that nobody has', async () => {
      for (const path of [
        'stats/total?event=accepted',
        'aggregates/providers',
        'aggregates/devices',
        'aggregates/countries',
      ]) {
        for (const domain of ['mail.b.test', 'nowhere.test', 'a', '-', '%00', 'x'.repeat(300)]) {
          const { status, body: said } = await refusal(`/v3/${domain}/${path}`);
          assert.equal(status, 404);
          assert.deepEqual(said, {
            message: `Domain not found: ${decodeURIComponent(domain).slice(0, limits.domainBytes)}`,
          });
        }
      }
      assert.equal((await refusal('/v3/mail.a.test/stats/total?event=accepted', keyB)).status, 404);
    });

    test('never take a literal path for a domain', async () => {
      assert.equal((await refusal('/v3/stats/stats/total?event=accepted')).status, 404);
      assert.equal((await refusal('/v3/stats/aggregates/providers')).status, 404);
      assert.equal((await refusal('/v3/domains/stats/total?event=accepted')).status, 404);
    });

    const wrong: ReadonlyArray<readonly [query: string, message: RegExp]> = [
      ['', /^event: is required/],
      ['event=accepted,delivered', /^event: unknown event 'accepted,delivered'/],
      ['event=accepted&start=1740441600&end=1740441599', /^start: is later than end/],
      ['event=accepted&start=tomorrow', /^start: 'tomorrow' is neither/],
      ['event=accepted&resolution=hour&start=0', /^resolution: more than 20000 buckets of one hour/],
      ['event=accepted&duration=999999m', /^start: the time asked for begins before 1970/],
    ];
    for (const [query, message] of wrong) {
      test(`tell what is wrong with '${query}'`, async () => {
        for (const path of ['/v3/stats/total', '/v3/mail.a.test/stats/total', '/v3/stats/filter']) {
          const { status, body: said } = await refusal(`${path}?${query}`);
          assert.equal(status, 400);
          assert.match(said.message, message);
          assert.deepEqual(Object.keys(said), ['message']);
        }
      });
    }

    test('tell what is wrong with the question for one bucket', async () => {
      assert.match(
        (await refusal('/v3/stats/total/domains?event=accepted')).body.message,
        /^timestamp: is required/,
      );
      assert.match(
        (await refusal('/v3/stats/total/domains?timestamp=0')).body.message,
        /^event: is required/,
      );
    });

    test('or empty counts, but no faults, stand at the edges of time', async () => {
      const ask = async (query: string) =>
        (await world.get(`/v3/stats/${query}&event=opened&event=accepted`, keyB)).status;
      assert.equal(await ask('total?resolution=month&start=0&end=Fri, 31 Dec 9999 23:59:59 GMT'), 400);
      assert.equal(await ask('total?resolution=month&duration=1m&end=Fri, 31 Dec 9999 23:59:59 GMT'), 200);
      assert.equal(await ask('total?resolution=month&start=0&end=0'), 200);
      assert.equal(await ask('total/domains?timestamp=253402300799&resolution=month'), 200);
      assert.equal(await ask('total/domains?timestamp=0'), 200);
      assert.equal(await ask('filter?group=total&resolution=hour&start=0&end=253402300799'), 200);
    });
  });

  test('each tenant sees his own mail alone', async () => {
    const reply = await body('/v3/stats/total?event=accepted&duration=1d', keyB);
    assert.deepEqual(reply.stats[0].accepted, { incoming: 0, outgoing: 2, total: 2 });
  });

  test('a key of one stream sees the mail of that stream alone', async () => {
    const [tenant] = world.tenants.tenants();
    assert.ok(tenant);
    const issue = (streamId: number, secret: string) =>
      world.tenants.addCredential({
        protocol: 'mailgun',
        tenantId: tenant.id,
        streamId,
        identifier: secret,
        secret,
      });
    issue(10_001, 'key-of-the-stream');
    issue(10_002, 'key-of-another-stream');
    const path = '/v3/stats/total?event=accepted&duration=1d';
    assert.equal((await body(path, 'key-of-the-stream')).stats[0].accepted.total, 8);
    assert.equal((await body(path, 'key-of-another-stream')).stats[0].accepted.total, 0);
  });

  test('a request with a form type and no body is answered', async () => {
    const headers = { ...basicAuth(keyA), 'content-type': 'application/x-www-form-urlencoded' };
    const reply = await world.app.request('/v3/stats/total?event=accepted', { headers });
    assert.equal(reply.status, 200);
  });

  describe('faults', () => {
    /** The reply to a question that fails so, and how often the log heard of it. */
    const faultReply = async (fault: Error) => {
      const broken = mailgun.routes({
        ask: { ...world.ledger, countByBucket: () => Promise.reject(fault) },
        tenants: world.tenants,
        clock: world.clock,
        key: { seal: () => Buffer.of(), open: () => '', tag: () => Buffer.of() },
        settings: new Map(),
      });
      let logged = 0;
      const error = () => {
        logged += 1;
      };
      const app = createHttpApp({
        ...{ apps: [broken], docs: [], version: '0', health: () => true, clock: world.clock },
        log: { info: () => {}, error },
      });
      const reply = await app.request('/v3/stats/total?event=accepted', { headers: basicAuth(keyA) });
      const body = (await reply.json()) as Record<string, unknown>;
      return { status: reply.status, body, logged };
    };

    test('of ours are told in the shape of the service, without their cause', async () => {
      const { status, body, logged } = await faultReply(new Error('disk on fire'));
      assert.deepEqual([status, Object.keys(body), logged], [500, ['message'], 1]);
      assert.doesNotMatch(String(body['message']), /fire/);
    });

    test('of a question that the ledger cannot answer now say what to do', async () => {
      const fault = new LedgerFault('timeout', 'Code: 159. DB::Exception: secret');
      const message = 'the ledger took too long to answer; ask for a shorter range';
      assert.deepEqual(await faultReply(fault), { status: 503, body: { message }, logged: 1 });
    });
  });

  test('a new key works, and its example can be pasted', async () => {
    const { apiKey } = world.createTenant('c', ['mail.c.test']);
    const example = mailgun.example('http://localhost', { apiKey }, 'mail.c.test');
    const [, user, url] = /^--user '(.*)' 'http:\/\/localhost(.*)'$/.exec(example) ?? [];
    assert.equal(user, `api:${apiKey}`);
    assert.equal((await world.get(url ?? '', apiKey)).status, 200);
  });

  test('a second key of the same tenant works beside the first', async () => {
    const { tenant, apiKey } = world.createTenant('d', []);
    const [stream] = world.tenants.streams(tenant.id);
    assert.ok(stream);
    const again = mailgun.issue(world.tenants, tenant, stream);
    assert.notEqual(again.apiKey, apiKey);
    for (const key of [apiKey, again.apiKey ?? '']) {
      assert.equal((await world.get('/v3/stats/total?event=stored', key)).status, 200);
    }
  });
});
