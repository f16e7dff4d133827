import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { generateHistory, mailPlanArbitrary, play } from '../../../test/support/histories.ts';
import { basicAuth, type MailgunWorld, openMailgunWorld } from '../../../test/support/mailgun-world.ts';
import type { EventType, MailEvent } from '../../events/event.ts';
import { countMetrics, metrics as everyMetric, rateMetrics } from './metric-words.ts';

const now = Date.parse('2025-02-24T22:44:13Z');
const domains = ['mail0.tenant1.example', 'mail1.tenant1.example'];

interface Item {
  dimensions: { dimension: string; value: string; display_value: string }[];
  metrics: Record<string, number | string>;
}

interface Body {
  start: string;
  end: string;
  resolution: string;
  duration?: string;
  dimensions: string[];
  pagination: { sort: string; skip: number; limit: number; total: number };
  items: Item[];
  aggregates: { metrics: Item['metrics'] };
}

describe('metrics', () => {
  let world: MailgunWorld;
  let apiKey = '';
  const history = generateHistory(5, {
    mails: 300,
    tenants: 1,
    from: Date.parse('2025-02-10T00:00:00Z'),
    to: Date.parse('2025-02-24T20:00:00Z'),
    edges: false,
  });

  before(async () => {
    world = await openMailgunWorld(now);
    apiKey = world.createTenant('one', domains).apiKey;
    await world.append(history);
  });
  after(() => world.close());

  async function post(body: unknown, key = apiKey): Promise<Response> {
    const headers = { ...basicAuth(key), 'content-type': 'application/json' };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return await world.app.request('/v1/analytics/metrics', { method: 'POST', headers, body: text });
  }

  async function ask(body: unknown, key = apiKey): Promise<Body> {
    const reply = await post(body, key);
    const text = await reply.text();
    assert.equal(reply.status, 200, text);
    return JSON.parse(text);
  }

  async function refusal(body: unknown): Promise<[number, string]> {
    const reply = await post(body);
    const said = (await reply.json()) as { message: string };
    assert.deepEqual(Object.keys(said), ['message']);
    return [reply.status, said.message];
  }

  const count = (type: EventType, holds: (event: MailEvent) => boolean = () => true) =>
    history.events.filter((event) => event.type === type && holds(event)).length;
  const whole = { start: '1738368000', resolution: 'month' };
  const valuesOf = ({ items }: Body) => items.map(({ dimensions }) => dimensions.map(({ value }) => value));

  test('answer a question as the recorded service did', async () => {
    const { tenant, apiKey: key } = world.createTenant('recorded', ['recorded.example']);
    const plan = (acceptedAt: string) => ({
      ...examplePlan,
      tenantId: tenant.id,
      acceptedAt: Date.parse(acceptedAt),
    });
    const times = ['2024-11-27T12:10:00Z', '2024-11-27T13:20:00Z', '2024-11-28T15:30:00Z'];
    await world.append(play(times.map(plan), { node: 'recorded' }));
    const body = await ask(
      {
        resolution: 'hour',
        metrics: ['accepted_count', 'delivered_count', 'clicked_rate', 'opened_rate'],
        include_aggregates: true,
        start: 'Tue, 26 Nov 2024 20:56:50 -0500',
        duration: '1m',
        filter: {
          AND: [
            {
              attribute: 'domain',
              comparator: '!=',
              values: [{ label: 'example.com', value: 'example.com' }],
            },
          ],
        },
        dimensions: ['time'],
        end: 'Tue, 30 Nov 2024 20:56:50 -0500',
        include_subaccounts: true,
      },
      key,
    );
    const values = (counted: number) => ({
      accepted_count: counted,
      delivered_count: counted,
      opened_rate: '0.0000',
      clicked_rate: '0.0000',
    });
    const item = (time: string) => ({
      dimensions: [{ dimension: 'time', value: time, display_value: time }],
      metrics: values(1),
    });
    assert.deepEqual(body, {
      start: 'Fri, 01 Nov 2024 01:00:00 +0000',
      end: 'Sun, 01 Dec 2024 01:00:00 +0000',
      resolution: 'hour',
      duration: '1m',
      dimensions: ['time'],
      pagination: { sort: '', skip: 0, limit: 1500, total: 3 },
      items: [
        item('Wed, 27 Nov 2024 12:00:00 +0000'),
        item('Wed, 27 Nov 2024 13:00:00 +0000'),
        item('Thu, 28 Nov 2024 15:00:00 +0000'),
      ],
      aggregates: { metrics: values(3) },
    });
  });

  test('of nothing but an empty object are all metrics of the last seven days in one item', async () => {
    for (const body of [
      {},
      { start: '', end: '' },
      { start: null, filter: { AND: [] }, pagination: { sort: '' } },
      '',
    ]) {
      const { items, dimensions, pagination, start, end, resolution, aggregates } = await ask(body);
      assert.deepEqual(dimensions, []);
      assert.deepEqual(pagination, { sort: '', skip: 0, limit: 10, total: 1 });
      assert.deepEqual(
        [start, end, resolution],
        ['Mon, 17 Feb 2025 00:00:00 +0000', 'Mon, 24 Feb 2025 00:00:00 +0000', 'day'],
      );
      assert.deepEqual(
        items.map((item) => item.dimensions),
        [[]],
      );
      assert.deepEqual(Object.keys(items[0]?.metrics ?? {}), [...everyMetric]);
      assert.deepEqual(aggregates, { metrics: {} });
    }
  });

  test('take a duration back from the bucket of the end, both included', async () => {
    const range = async (body: object) => {
      const { start, end, resolution } = await ask({ ...body, metrics: ['sent_count'] });
      return [start, end, resolution];
    };
    const hour = 'Mon, 24 Feb 2025 22:00:00 +0000';
    const day = 'Mon, 24 Feb 2025 00:00:00 +0000';
    assert.deepEqual(await range({ duration: '2h' }), ['Mon, 24 Feb 2025 20:00:00 +0000', hour, 'hour']);
    assert.deepEqual(await range({ duration: '7d' }), ['Mon, 17 Feb 2025 00:00:00 +0000', day, 'day']);
    assert.deepEqual(await range({ duration: '1m' }), ['Fri, 24 Jan 2025 00:00:00 +0000', day, 'day']);
    assert.deepEqual(await range({ duration: '1d', resolution: 'hour' }), [
      'Sun, 23 Feb 2025 22:00:00 +0000',
      hour,
      'hour',
    ]);
  });

  test('come as a form, too', async () => {
    const headers = { ...basicAuth(apiKey), 'content-type': 'application/x-www-form-urlencoded' };
    const body = `metrics=accepted_count&dimensions=domain&duration=2m&include_aggregates=true`;
    const reply = await world.app.request('/v1/analytics/metrics', { method: 'POST', headers, body });
    const expected = await ask({
      metrics: ['accepted_count'],
      dimensions: ['domain'],
      duration: '2m',
      include_aggregates: true,
    });
    assert.deepEqual(await reply.json(), expected);
    assert.equal(expected.items.length, 2);
  });

  test('are counted as the vendor defines them', async () => {
    const { items } = await ask(whole);
    const seen = items[0]?.metrics ?? {};
    const permanent =
      count('failed') + count('expired') + count('suppressed') + count('canceled') + count('returned');
    const reason = (word: string) => (event: MailEvent) => event.delivery.reason === word;
    const delivered = count('delivered');
    const later = count('delivered', ({ delivery }) => delivery.attempts > 1);
    const soft = count('failed', ({ delivery }) => delivery.reason !== 'bounce') + count('canceled');
    const expected = {
      accepted_incoming_count: count('accepted', ({ mail }) => !mail.authenticated),
      accepted_outgoing_count: count('accepted', ({ mail }) => mail.authenticated),
      accepted_count: count('accepted'),
      delivered_smtp_count: delivered,
      delivered_http_count: 0,
      delivered_optimized_count: 0,
      delivered_count: delivered,
      stored_count: 0,
      processed_count: delivered + permanent - count('returned'),
      sent_count: delivered + permanent - count('suppressed'),
      opened_count: count('opened'),
      clicked_count: count('clicked'),
      unsubscribed_count: count('unsubscribed'),
      complained_count: count('complained'),
      failed_count: permanent + count('deferred'),
      temporary_failed_count: count('deferred'),
      permanent_failed_count: permanent,
      esp_block_count: count('deferred', reason('espblock')),
      temporary_failed_esp_block_count: count('deferred', reason('espblock')),
      permanent_failed_esp_block_count: count('failed', reason('espblock')),
      rate_limit_count: count('held'),
      webhook_count: 0,
      permanent_failed_optimized_count: 0,
      permanent_failed_old_count: count('expired'),
      bounced_count: permanent - count('suppressed'),
      hard_bounces_count: count('failed', reason('bounce')),
      soft_bounces_count: soft,
      delayed_bounce_count: count('returned'),
      suppressed_bounces_count: count('suppressed', reason('suppress-bounce')),
      suppressed_unsubscribed_count: count('suppressed', reason('suppress-unsubscribe')),
      suppressed_complaints_count: count('suppressed', reason('suppress-complaint')),
      delivered_first_attempt_count: delivered - later,
      delayed_first_attempt_count: later + count('expired'),
      delivered_subsequent_count: later,
      delivered_two_plus_attempts_count: later,
      delivered_rate: (delivered / (delivered + permanent - count('suppressed'))).toFixed(4),
      bounce_rate: ((permanent - count('suppressed')) / (delivered + permanent - count('returned'))).toFixed(
        4,
      ),
      permanent_fail_rate: (permanent / (delivered + permanent - count('returned'))).toFixed(4),
      opened_rate: (count('opened') / delivered).toFixed(4),
      delayed_rate: (later / delivered).toFixed(4),
    };
    for (const [metric, value] of Object.entries(expected)) assert.equal(seen[metric], value, metric);
    for (const value of [delivered, permanent, later, count('held'), count('suppressed')])
      assert.ok(value > 0);
    for (const metric of countMetrics) assert.equal(typeof seen[metric], 'number');
    for (const metric of rateMetrics) assert.match(String(seen[metric]), /^\d+\.\d{4}$/);
  });

  test('of no mail have rates of zero', async () => {
    const { apiKey: key } = world.createTenant('empty', []);
    const { items, aggregates, pagination } = await ask(
      { ...whole, include_aggregates: true, dimensions: ['time'], metrics: ['delivered_rate', 'sent_count'] },
      key,
    );
    assert.deepEqual([items, pagination.total], [[], 0]);
    assert.deepEqual(aggregates.metrics, { sent_count: 0, delivered_rate: '0.0000' });
  });

  describe('by dimensions', () => {
    test('of domain', async () => {
      const body = await ask({ ...whole, dimensions: ['domain'], metrics: ['accepted_count'] });
      assert.deepEqual(
        body.items,
        domains.map((value) => ({
          dimensions: [{ dimension: 'domain', value, display_value: value }],
          metrics: { accepted_count: count('accepted', ({ mail }) => mail.sendingDomain === value) },
        })),
      );
    });

    test('two at once, and three', async () => {
      const body = await ask({
        ...whole,
        dimensions: ['domain', 'recipient_provider'],
        metrics: ['delivered_count'],
        pagination: { limit: 1000 },
      });
      assert.equal(body.pagination.total, body.items.length);
      assert.ok(body.items.length > 10);
      for (const { dimensions, metrics } of body.items) {
        const [domain, provider] = dimensions.map(({ value }) => value);
        const expected = count(
          'delivered',
          ({ mail, delivery }) => mail.sendingDomain === domain && delivery.provider === provider,
        );
        assert.equal(metrics.delivered_count, expected, `${domain} ${provider}`);
      }
      assert.equal(
        body.items.reduce((sum, { metrics }) => sum + Number(metrics.delivered_count), 0),
        count('delivered'),
      );
      const three = await ask({
        ...whole,
        resolution: 'day',
        dimensions: ['ip', 'time', 'domain'],
        metrics: ['delivered_count'],
        pagination: { limit: 1500 },
      });
      assert.deepEqual(three.dimensions, ['ip', 'time', 'domain']);
      assert.equal(
        three.items.reduce((sum, { metrics }) => sum + Number(metrics.delivered_count), 0),
        count('delivered'),
      );
      for (const { dimensions, metrics } of three.items) {
        const [ip, time, domain] = dimensions.map(({ value }) => value);
        const day = Date.parse(time ?? '');
        const expected = count(
          'delivered',
          ({ at, mail, delivery }) =>
            delivery.sendingIp === ip && mail.sendingDomain === domain && at >= day && at < day + 86_400_000,
        );
        assert.equal(metrics.delivered_count, expected);
      }
    });

    test('without events of a value there is no item', async () => {
      const body = await ask({
        ...whole,
        dimensions: ['ip'],
        metrics: ['accepted_count', 'delivered_count'],
      });
      assert.ok(
        body.items.every(
          ({ metrics }) => metrics.accepted_count === 0 && Number(metrics.delivered_count) > 0,
        ),
      );
      assert.ok(body.items.every(({ dimensions }) => dimensions[0]?.value !== ''));
    });
  });

  describe('under a filter', () => {
    const filtered = async (attribute: string, comparator: string, ...values: string[]) => {
      const filter = {
        AND: [{ attribute, comparator, values: values.map((value) => ({ value, label: value })) }],
      };
      const { items } = await ask({ ...whole, filter, metrics: ['accepted_count'] });
      return items[0]?.metrics.accepted_count ?? 0;
    };
    const accepted = (holds: (event: MailEvent) => boolean) => count('accepted', holds);
    const provider = (holds: (value: string) => boolean) =>
      accepted(({ delivery }) => holds(delivery.provider));

    test('compares values', async () => {
      assert.equal(
        await filtered('domain', '=', domains[0] ?? ''),
        accepted(({ mail }) => mail.sendingDomain === domains[0]),
      );
      assert.equal(
        await filtered('domain', '=', (domains[0] ?? '').toUpperCase()),
        accepted(({ mail }) => mail.sendingDomain === domains[0]),
      );
      assert.equal(
        await filtered('domain', '!=', domains[0] ?? ''),
        accepted(({ mail }) => mail.sendingDomain !== domains[0]),
      );
      assert.equal(
        await filtered('recipient_provider', '=', 'gmail.com', 'yahoo.com'),
        provider((value) => ['gmail.com', 'yahoo.com'].includes(value)),
      );
      assert.equal(
        await filtered('recipient_provider', '!=', 'gmail.com', 'yahoo.com'),
        provider((value) => !['gmail.com', 'yahoo.com'].includes(value)),
      );
      assert.equal(
        await filtered('recipient_provider', 'contains', 'shop'),
        provider((value) => value.includes('shop')),
      );
      assert.equal(
        await filtered('recipient_provider', 'not contains', 'shop', 'mail'),
        provider((value) => !/shop|mail/.test(value)),
      );
      assert.equal(
        await filtered('tag', '=', 'invoice'),
        accepted(({ mail }) => mail.tags.includes('invoice')),
      );
      assert.equal(await filtered('domain', '=', 'nowhere.example'), 0);
      assert.equal(await filtered('domain', '=', "' OR 1=1 --"), 0);
    });

    test('wants all conditions, also on a dimension of the items', async () => {
      const filter = {
        AND: [
          { attribute: 'recipient_provider', comparator: '!=', values: [{ value: 'gmail.com' }] },
          { attribute: 'domain', comparator: '=', values: [{ value: domains[1] }] },
          { attribute: 'recipient_provider', comparator: 'contains', values: [{ value: '.com' }] },
        ],
      };
      const body = await ask({
        ...whole,
        filter,
        dimensions: ['recipient_provider'],
        metrics: ['accepted_count'],
        include_aggregates: true,
      });
      assert.deepEqual(valuesOf(body), [['outlook.com'], ['yahoo.com']]);
      const expected = accepted(
        ({ mail, delivery }) =>
          mail.sendingDomain === domains[1] && ['outlook.com', 'yahoo.com'].includes(delivery.provider),
      );
      assert.equal(body.aggregates.metrics.accepted_count, expected);
      const contradiction = {
        AND: domains.map((value) => ({ attribute: 'domain', comparator: '=', values: [{ value }] })),
      };
      assert.deepEqual((await ask({ ...whole, filter: contradiction, dimensions: ['domain'] })).items, []);
    });
  });

  describe('in pages', () => {
    const providers = { ...whole, dimensions: ['recipient_provider'], metrics: ['accepted_count'] };

    test('meet each item once, whatever the size', async () => {
      const all = await ask({ ...providers, pagination: { limit: 1000 } });
      for (const limit of [7, 50]) {
        const items: Item[] = [];
        for (let skip = 0; skip < all.pagination.total; skip += limit) {
          const page = await ask({ ...providers, pagination: { skip, limit } });
          assert.deepEqual(page.pagination, { sort: '', skip, limit, total: all.pagination.total });
          items.push(...page.items);
        }
        assert.deepEqual(items, all.items);
      }
    });

    test('are sorted by a metric or a dimension', async () => {
      const numbers = async (sort: string) => {
        const body = await ask({
          ...providers,
          metrics: ['accepted_count', 'delivered_rate'],
          pagination: { sort, limit: 1000 },
        });
        assert.equal(body.pagination.sort, sort);
        return body;
      };
      const byCount = (await numbers('accepted_count:desc')).items.map(({ metrics }) =>
        Number(metrics.accepted_count),
      );
      assert.deepEqual(
        byCount,
        byCount.toSorted((a, b) => b - a),
      );
      const byRate = (await numbers('delivered_rate')).items.map(({ metrics }) =>
        Number(metrics.delivered_rate),
      );
      assert.deepEqual(
        byRate,
        byRate.toSorted((a, b) => a - b),
      );
      const byName = valuesOf(await numbers('recipient_provider:desc')).flat();
      assert.deepEqual(byName, byName.toSorted().reverse());
      const byTime = valuesOf(
        await ask({
          ...whole,
          resolution: 'day',
          dimensions: ['time'],
          pagination: { sort: 'timestamp:desc' },
        }),
      ).flat();
      assert.deepEqual(
        byTime,
        byTime.toSorted((a, b) => Date.parse(b) - Date.parse(a)),
      );
      assert.ok(byTime.length > 5);
    });

    test('have 10 items, 1500 of time, and never more than the bound', async () => {
      const limitOf = async (body: object) =>
        (await ask({ ...whole, metrics: ['accepted_count'], ...body })).pagination.limit;
      assert.equal(await limitOf({ dimensions: ['domain'] }), 10);
      assert.equal(await limitOf({ dimensions: ['time', 'domain'] }), 1500);
      assert.equal(await limitOf({ dimensions: ['domain'], pagination: { limit: 5000 } }), 1000);
      assert.equal(await limitOf({ dimensions: ['time'], pagination: { limit: 5000 } }), 1500);
    });
  });

  const wrong: ReadonlyArray<readonly [body: unknown, status: number, message: RegExp]> = [
    ['{', 400, /JSON/],
    ['[1]', 400, /JSON object/],
    [{ start: 'yesterday' }, 400, /^start: 'yesterday'/],
    [{ start: 5 }, 400, /^start: /],
    [{ end: '1', start: '2' }, 400, /^start: is later than end/],
    [{ resolution: 'week' }, 400, /^resolution: unknown resolution 'week'/],
    [{ duration: '1w' }, 400, /^duration: '1w'/],
    [{ duration: '999999m' }, 400, /^start: .*1970/],
    [{ dimensions: ['colour'] }, 400, /^dimensions: unknown dimension 'colour'; known are time, domain/],
    [{ dimensions: ['bot'] }, 400, /^dimensions: unknown dimension 'bot'/],
    [{ dimensions: ['time', 'domain', 'ip', 'tag'] }, 400, /^dimensions: /],
    [{ dimensions: 'time' }, 400, /^dimensions: /],
    [{ metrics: ['happiness'] }, 400, /^metrics: unknown metric 'happiness'/],
    [{ metrics: ['__proto__'] }, 400, /^metrics: /],
    [{ metrics: Array(11).fill('sent_count') }, 400, /^metrics: at most 10/],
    [
      { filter: { AND: [{ attribute: 'subaccount', comparator: '=', values: [{ value: '1' }] }] } },
      400,
      /^filter: unknown attribute 'subaccount'/,
    ],
    [
      { filter: { AND: [{ attribute: 'domain', comparator: '~', values: [{ value: '1' }] }] } },
      400,
      /^filter: unknown comparator '~'/,
    ],
    [{ filter: { AND: [{ attribute: 'domain', comparator: '=', values: [] }] } }, 400, /^filter: /],
    [
      { filter: { AND: [{ attribute: 'tag', comparator: '!=', values: [{ value: 'x' }] }] } },
      400,
      /^filter: a tag is compared with =/,
    ],
    [
      { pagination: { sort: 'sent_count:desc' }, metrics: ['accepted_count'] },
      400,
      /^pagination: 'sent_count:desc' is no order/,
    ],
    [{ pagination: { sort: 'constructor' } }, 400, /^pagination: /],
    [{ pagination: { skip: -1 } }, 400, /^pagination: /],
    [{ include_aggregates: 'yes' }, 400, /^include_aggregates: /],
  ];
  for (const [body, status, message] of wrong) {
    test(`refuse ${JSON.stringify(body).slice(0, 90)}`, async () => {
      const [seen, said] = await refusal(body);
      assert.match(said, message);
      assert.equal(seen, status);
    });
  }

  test('refuse more combinations than the bound', async () => {
    const { tenant, apiKey: key } = world.createTenant('wide', ['wide.example']);
    const deliveries = Array.from({ length: 400 }, (_, index) => ({
      ...exampleDelivery,
      forwardPath: `a@d${index}.example`,
    }));
    await world.append(
      play([{ ...examplePlan, tenantId: tenant.id, acceptedAt: now - 60_000, deliveries }], { node: 'wide' }),
    );
    const reply = await post(
      { dimensions: ['recipient_provider', 'domain'], metrics: ['accepted_count'] },
      key,
    );
    assert.equal(reply.status, 400);
    assert.match(await reply.text(), /more than 300 combinations/);
    assert.equal(
      (await ask({ dimensions: ['domain', 'recipient_provider'], metrics: ['accepted_count'] }, key))
        .pagination.total,
      400,
    );
  });

  test('for any history, failures are the sum of their kinds, and items that of the aggregate', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(mailPlanArbitrary, { minLength: 1, maxLength: 10 }), async (plans) => {
        run += 1;
        const { tenant, apiKey: key } = world.createTenant(`law-${run}`, ['a.example']);
        const own = plans.map((plan) => ({
          ...plan,
          tenantId: tenant.id,
          sendingDomain: plan.sendingDomain || 'a.example',
        }));
        await world.append(play(own, { node: `law-${run}` }));
        const range = {
          start: '1704067200',
          end: '1767225600',
          resolution: 'month',
          include_aggregates: true,
        };
        const { aggregates } = await ask(range, key).then(async (body) => ({
          aggregates: body.aggregates.metrics,
        }));
        const number = (metric: string) => Number(aggregates[metric]);
        const kinds = [
          'hard_bounces_count',
          'soft_bounces_count',
          'permanent_failed_old_count',
          'delayed_bounce_count',
        ];
        const suppressed = [
          'suppressed_bounces_count',
          'suppressed_unsubscribed_count',
          'suppressed_complaints_count',
        ];
        const sum = (names: string[]) => names.reduce((total, name) => total + number(name), 0);
        assert.equal(number('permanent_failed_count'), sum([...kinds, ...suppressed]));
        assert.equal(number('bounced_count'), sum(kinds));
        assert.equal(
          number('delivered_count'),
          sum(['delivered_first_attempt_count', 'delivered_two_plus_attempts_count']),
        );
        const metrics = ['accepted_count', 'failed_count', 'unique_opened_count', 'clicked_count'];
        const byTime = await ask({ ...range, metrics, dimensions: ['time', 'domain'] }, key);
        for (const metric of metrics) {
          assert.equal(
            byTime.items.reduce((total, item) => total + Number(item.metrics[metric]), 0),
            number(metric),
            metric,
          );
        }
      }),
      { numRuns: 6 },
    );
  });
});

const exampleDelivery = {
  forwardPath: 'ann@gmail.com',
  displayName: '',
  fate: 'delivered' as const,
  deferrals: 0,
  heldFirst: false,
  stepMs: 10,
  variant: 0,
  engagements: [],
};

const examplePlan = {
  streamId: 10_001,
  sendingDomain: 'recorded.example',
  subject: '',
  fromName: '',
  localPart: 'news',
  replyTo: '',
  tags: [],
  template: '',
  authenticated: true,
  nullReversePath: false,
  variant: 0,
  deliveries: [exampleDelivery],
};
