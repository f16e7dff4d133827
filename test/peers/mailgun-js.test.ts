/**
 * The official client of the imitated service, npm `mailgun.js`, against our server on loopback: what it
 * sends must be understood, what it makes of our replies must be right. It reaches some endpoints by methods of
 * its own; the others are asked through its request object or plain `fetch`.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import FormData from 'form-data';
import Mailgun from 'mailgun.js';
import { Enums } from 'mailgun.js/definitions';
import { generateHistory } from '../support/histories.ts';
import { basicAuth, type MailgunWorld, openMailgunWorld } from '../support/mailgun-world.ts';

const now = Date.parse('2025-02-24T22:44:13Z');
const domain = 'mail0.tenant1.example';
const silent = { warn: () => {} };

type Client = ReturnType<InstanceType<typeof Mailgun>['client']>;

describe('mailgun.js', () => {
  let world: MailgunWorld;
  let url = '';
  let apiKey = '';
  let client: Client;
  const history = generateHistory(7, {
    mails: 200,
    tenants: 1,
    from: Date.parse('2025-02-01T00:00:00Z'),
    to: now,
    edges: false,
  });

  before(async () => {
    world = await openMailgunWorld(now);
    url = await world.listen();
    apiKey = world.createTenant('tenant1', [domain, 'mail1.tenant1.example']).apiKey;
    await world.append(history);
    client = connect(apiKey);
  });
  after(() => world.close());

  function connect(key: string): Client {
    const made = new Mailgun(FormData).client({ username: 'api', key, url });
    // It tells the console of every date it converts, and that the API is deprecated.
    Object.assign(made.stats, { logger: silent });
    Object.assign(made.events, { logger: silent });
    Object.assign(made.metrics, { logger: silent });
    return made;
  }

  /** Counted from the events themselves. */
  function happened(type: string, from: string, to: string, sendingDomain?: string): number {
    return history.events.filter(
      (event) =>
        event.type === type &&
        event.at >= Date.parse(from) &&
        event.at < Date.parse(to) &&
        (sendingDomain === undefined || event.mail.sendingDomain === sendingDomain),
    ).length;
  }

  const totalsOf = (stats: object[], event: string) =>
    stats.map((item) => (item as Record<string, { total: number }>)[event]?.total);

  test('asks for a domain with dates and several events', async () => {
    const stats = await client.stats.getDomain(domain, {
      event: ['accepted', 'delivered'],
      start: new Date('2025-02-20T00:00:00Z'),
      end: new Date('2025-02-22T13:00:00Z'),
    });
    assert.equal(stats.resolution, 'day');
    assert.deepEqual(stats.start, new Date('2025-02-20T00:00:00Z'));
    assert.deepEqual(stats.end, new Date('2025-02-22T00:00:00Z'));
    const days = ['2025-02-20', '2025-02-21', '2025-02-22', '2025-02-23'].map((day) => `${day}T00:00:00Z`);
    assert.deepEqual(
      stats.stats.map(({ time }) => time),
      days.slice(0, 3).map((day) => new Date(day)),
    );
    for (const event of ['accepted', 'delivered']) {
      const expected = days
        .slice(0, 3)
        .map((day, index) => happened(event, day, days[index + 1] ?? '', domain));
      assert.deepEqual(totalsOf(stats.stats, event), expected);
    }
    assert.ok(happened('accepted', '2025-02-20T00:00:00Z', '2025-02-23T00:00:00Z', domain) > 0);
  });

  test('asks for the account with one event and a duration', async () => {
    const stats = await client.stats.getAccount({ event: 'delivered', duration: '1m' });
    assert.equal(stats.resolution, 'month');
    assert.deepEqual(stats.start, stats.end);
    const expected = happened('delivered', '2025-02-01T00:00:00Z', '2025-03-01T00:00:00Z');
    assert.deepEqual(totalsOf(stats.stats, 'delivered'), [expected]);
    assert.ok(expected > 0);
  });

  test('asks for hours', async () => {
    const stats = await client.stats.getAccount({ event: ['failed'], resolution: 'hour', duration: '12h' });
    assert.equal(stats.stats.length, 12);
  });

  test('asks for every event and finds all the keys its types name', async () => {
    const { stats } = await client.stats.getDomain(domain, {
      event: ['accepted', 'delivered', 'failed', 'opened', 'clicked', 'unsubscribed', 'stored', 'complained'],
      duration: '1d',
    });
    assert.deepEqual(
      stats.map((item) => Object.keys(item)),
      [
        [
          'time',
          'accepted',
          'delivered',
          'failed',
          'opened',
          'clicked',
          'unsubscribed',
          'stored',
          'complained',
        ],
      ],
    );
    assert.deepEqual(Object.keys(stats[0]?.delivered ?? {}), ['smtp', 'http', 'optimized', 'total']);
  });

  test('tells its caller what our refusals say', async () => {
    await assert.rejects(client.stats.getDomain('nowhere.example', { event: 'accepted' }), {
      status: 404,
      details: 'Domain not found: nowhere.example',
    });
    await assert.rejects(connect('key-wrong').stats.getAccount({ event: 'accepted' }), {
      status: 401,
      details: 'Forbidden',
    });
    await assert.rejects(client.stats.getAccount({ event: 'accepted', duration: '1w' }), (error: unknown) => {
      const { status, details } = error as { status: number; details: string };
      return status === 400 && details.startsWith('duration: ');
    });
  });

  test('walks through the events of a domain by the pages it is given', async () => {
    const seen: string[] = [];
    let page: string | undefined;
    for (let count = 0; count < 100; count += 1) {
      const list = await client.events.get(
        domain,
        page === undefined ? { limit: 10, event: 'delivered' } : { page },
      );
      if (list.items.length === 0) break;
      seen.push(...list.items.map(({ id }) => id));
      assert.ok(list.items.every(({ event }) => event === 'delivered'));
      page = list.pages.next?.page;
      assert.ok(page);
    }
    const delivered = history.events.filter(
      ({ type, mail }) => type === 'delivered' && mail.sendingDomain === domain,
    );
    assert.ok(delivered.length > 10);
    assert.deepEqual([seen.length, new Set(seen).size], [delivered.length, delivered.length]);
  });

  test('finds what happened to one recipient, oldest first', async () => {
    const [some] = history.events.filter(({ mail }) => mail.sendingDomain === domain);
    assert.ok(some);
    const { items } = await client.events.get(domain, {
      begin: 'Sat, 01 Feb 2025 00:00:00 GMT',
      ascending: 'yes',
      recipient: some.delivery.forwardPath,
    });
    assert.ok(items.length > 0);
    assert.ok(items.every(({ recipient }) => recipient === some.delivery.forwardPath));
    assert.deepEqual(
      items.map(({ timestamp }) => timestamp),
      items.map(({ timestamp }) => timestamp).toSorted((a, b) => a - b),
    );
  });

  test('asks for metrics by time and domain', async () => {
    const result = await client.metrics.getAccount({
      start: new Date('2025-02-01T00:00:00Z'),
      end: new Date('2025-02-28T12:00:00Z'),
      resolution: Enums.Resolution.MONTH,
      dimensions: ['time', 'domain'],
      metrics: ['accepted_count', 'delivered_count', 'delivered_rate'],
      filter: { AND: [{ attribute: 'domain', comparator: '=', values: [{ label: domain, value: domain }] }] },
      include_aggregates: true,
      include_subaccounts: false,
    });
    assert.deepEqual(
      [result.start, result.end],
      [new Date('2025-02-01T00:00:00Z'), new Date('2025-02-01T00:00:00Z')],
    );
    const [from, to] = ['2025-02-01T00:00:00Z', '2025-03-01T00:00:00Z'];
    assert.deepEqual(
      result.items.map(({ dimensions, metrics }) => [
        dimensions.map(({ value }) => value),
        metrics.accepted_count,
        metrics.delivered_count,
      ]),
      [
        [
          ['Sat, 01 Feb 2025 00:00:00 +0000', domain],
          happened('accepted', from, to, domain),
          happened('delivered', from, to, domain),
        ],
      ],
    );
    assert.match(result.aggregates.metrics.delivered_rate ?? '', /^0\.\d{4}$/);
  });

  test('asks for metrics with nothing said', async () => {
    for (const query of [undefined, {}]) {
      const result = await client.metrics.getAccount(query);
      assert.equal(result.status, 200);
      assert.equal(result.items.length, 1);
    }
  });

  test('reaches the other endpoints through its request object', async () => {
    const domains = await client.request.get('/v3/stats/total/domains', {
      searchParams: [
        ['event', 'accepted'],
        ['timestamp', 'Mon, 24 Feb 2025 00:00:00 GMT'],
        ['resolution', 'month'],
      ],
    });
    assert.deepEqual(
      domains.body.stats.map((item: { domain: string; accepted: { total: number } }) => [
        item.domain,
        item.accepted.total,
      ]),
      [domain, 'mail1.tenant1.example'].map((name) => [
        name,
        happened('accepted', '2025-02-01T00:00:00Z', '2025-03-01T00:00:00Z', name),
      ]),
    );
    const filtered = await client.request.get('/v3/stats/filter', {
      searchParams: [
        ['event', 'accepted'],
        ['group', 'domain'],
        ['filter', `domain:${domain}`],
        ['duration', '1m'],
      ],
    });
    assert.deepEqual(filtered.body.stats[0].domain, domain);
  });

  test('and plain requests reach the aggregates', async () => {
    for (const kind of ['providers', 'devices', 'countries']) {
      const reply = await fetch(`${url}/v3/${domain}/aggregates/${kind}`, { headers: basicAuth(apiKey) });
      assert.equal(reply.status, 200);
      const body = (await reply.json()) as Record<string, Record<string, Record<string, number>>>;
      assert.deepEqual(Object.keys(body), [kind]);
      const metrics = new Set(Object.values(body[kind] ?? {}).map((counts) => Object.keys(counts).join(' ')));
      assert.deepEqual(
        [...metrics],
        ['accepted clicked complained delivered opened unique_clicked unique_opened unsubscribed'],
      );
    }
  });
});
