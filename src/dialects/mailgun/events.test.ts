import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { generateHistory, historyArbitrary, play } from '../../../test/support/histories.ts';
import { basicAuth, type MailgunWorld, openMailgunWorld } from '../../../test/support/mailgun-world.ts';
import type { MailEvent } from '../../events/event.ts';
import { mailgun } from './mailgun.ts';
import { eventWords } from './words.ts';

const now = Date.parse('2025-12-31T23:59:59Z');
const domain = 'mail0.tenant1.example';

type Entry = Record<string, unknown> & { id: string; event: string; timestamp: number; recipient: string };
type Links = Record<'next' | 'previous' | 'first' | 'last', string>;

interface PageBody {
  items: Entry[];
  paging: Links;
}

describe('the event log', () => {
  let world: MailgunWorld;
  let apiKey = '';
  const history = generateHistory(11, {
    mails: 120,
    tenants: 2,
    from: now - 30 * 86_400_000,
    to: now - 86_400_000,
    edges: false,
  });
  const shown = history.events.filter(
    ({ type, mail }) =>
      mail.tenantId === 1 && mail.sendingDomain === domain && eventWords[type] !== undefined,
  );

  before(async () => {
    world = await openMailgunWorld(now);
    apiKey = world.createTenant('one', [domain, 'mail1.tenant1.example']).apiKey;
    await world.append(history);
  });
  after(() => world.close());

  async function page(url: string, key = apiKey): Promise<PageBody> {
    const { pathname, search } = new URL(url, 'http://localhost');
    const reply = await world.get(pathname + search, key);
    const text = await reply.text();
    assert.equal(reply.status, 200, text);
    return JSON.parse(text);
  }

  /** All entries from a page on, by one of its links. */
  async function walk(url: string, link: 'next' | 'previous', key = apiKey): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (let body = await page(url, key); body.items.length > 0; body = await page(body.paging[link], key)) {
      entries.push(...(link === 'next' ? body.items : body.items.toReversed()));
      assert.ok(entries.length <= 10_000, 'the walk ends');
    }
    return entries;
  }

  const stamps = (entries: readonly Entry[]) => entries.map(({ timestamp }) => timestamp);
  const timesOf = (events: readonly MailEvent[]) => events.map(({ at }) => at / 1000);
  const events = (query: string) => page(`/v3/${domain}/events?${query}`);
  const all = (query: string) => walk(`/v3/${domain}/events?limit=300&${query}`, 'next');

  test('shows every event of the domain that has a name there, newest first', async () => {
    assert.ok(shown.length > 100);
    const entries = await all('');
    assert.deepEqual(
      stamps(entries),
      timesOf(shown).sort((a, b) => b - a),
    );
    assert.equal(new Set(entries.map(({ id }) => id)).size, shown.length);
  });

  test('has pages of 100 with four links, absolute and of one segment behind the log', async () => {
    const { items, paging } = await events('');
    assert.equal(items.length, 100);
    assert.deepEqual(Object.keys(paging), ['next', 'previous', 'first', 'last']);
    for (const link of Object.values(paging)) {
      assert.match(link, /^http:\/\/localhost\/v3\/mail0\.tenant1\.example\/events\/[A-Za-z0-9_-]+$/);
    }
    assert.notEqual(paging.next, paging.last);
  });

  test('leads to the same page by its first link, and to the other end by its last', async () => {
    const start = await events('limit=7');
    assert.deepEqual((await page(start.paging.first)).items, start.items);
    const end = await page(start.paging.last);
    assert.deepEqual(
      stamps(end.items),
      timesOf(shown)
        .sort((a, b) => b - a)
        .slice(-7),
    );
    assert.deepEqual((await page(end.paging.next)).items, []);
  });

  test('holds the events at both ends of its range', async () => {
    const times = timesOf(shown).toSorted((a, b) => a - b);
    const [from = 0, to = 0] = [times[10], times[20]];
    const within = times.filter((time) => time >= from && time <= to);
    assert.deepEqual(stamps(await all(`begin=${from}&end=${to}`)), within);
    assert.deepEqual(stamps(await all(`begin=${to}&end=${from}`)), within.toReversed());
  });

  test('goes on where it ended when new events have come', async () => {
    const { tenant, apiKey: key } = world.createTenant('poll', ['poll.example']);
    const plan = (acceptedAt: number) => ({
      tenantId: tenant.id,
      streamId: 10_009,
      sendingDomain: 'poll.example',
      acceptedAt,
      subject: '',
      fromName: '',
      localPart: 'a',
      replyTo: '',
      tags: [],
      template: '',
      authenticated: true,
      nullReversePath: false,
      variant: 0,
      deliveries: [
        {
          forwardPath: 'x@y.example',
          displayName: '',
          fate: 'delivered' as const,
          deferrals: 0,
          heldFirst: false,
          stepMs: 5,
          variant: 0,
          engagements: [],
        },
      ],
    });
    await world.append(play([plan(now - 5000)], { node: 'poll' }));
    const first = await page(`/v3/poll.example/events?ascending=yes&begin=${(now - 10_000) / 1000}`, key);
    assert.deepEqual(
      first.items.map(({ event }) => event),
      ['accepted', 'delivered'],
    );
    const empty = await page(first.paging.next, key);
    assert.deepEqual(empty.items, []);
    assert.deepEqual((await page(empty.paging.previous, key)).items, first.items);
    await world.append(play([plan(now - 1000)], { node: 'poll', firstSequence: 4 }));
    for (const link of [first.paging.next, empty.paging.next]) {
      const more = await page(link, key);
      assert.deepEqual(
        more.items.map(({ event }) => event),
        ['accepted', 'delivered'],
      );
      assert.ok(more.items.every(({ timestamp }) => timestamp >= (now - 1000) / 1000));
    }
  });

  test('has links under the public address, if there is one', async () => {
    const settings = new Map([['dialects.mailgun.public_url', 'https://api.example.com/mail']]);
    const key = { seal: () => Buffer.of(), open: () => '', tag: () => Buffer.of() };
    const app = mailgun.routes({
      ask: world.ledger,
      tenants: world.tenants,
      clock: world.clock,
      key,
      settings,
    });
    const reply = await app.request(`/v3/${domain}/events`, { headers: basicAuth(apiKey) });
    const { paging } = (await reply.json()) as PageBody;
    assert.match(
      paging.next,
      /^https:\/\/api\.example\.com\/mail\/v3\/mail0\.tenant1\.example\/events\/[\w-]+$/,
    );
  });

  describe('under a filter', () => {
    const matching: ReadonlyArray<readonly [query: string, holds: (event: MailEvent) => boolean]> = [
      ['event=delivered', ({ type }) => type === 'delivered'],
      ['event=DELIVERED', ({ type }) => type === 'delivered'],
      [
        'event=rejected OR failed',
        ({ type }) =>
          ['rejected', 'deferred', 'failed', 'expired', 'suppressed', 'canceled', 'returned'].includes(type),
      ],
      [
        'event=NOT failed',
        ({ type }) => !['deferred', 'failed', 'expired', 'suppressed', 'canceled', 'returned'].includes(type),
      ],
      ['severity=temporary', ({ type }) => type === 'deferred'],
      [
        'event=failed&severity=permanent',
        ({ type }) => ['failed', 'expired', 'suppressed', 'canceled', 'returned'].includes(type),
      ],
      ['event=delivered&severity=permanent', () => false],
      ['event=bounced', () => false],
      ['tags=invoice', ({ mail }) => mail.tags.includes('invoice')],
      [
        'tags=invoice&tags=-monthly',
        ({ mail }) => mail.tags.includes('invoice') && !mail.tags.includes('monthly'),
      ],
      [
        'tags=__proto__ OR welcome',
        ({ mail }) => mail.tags.some((tag) => ['__proto__', 'welcome'].includes(tag)),
      ],
      ['subject="your invoice"', ({ mail }) => mail.subject.startsWith('Your invoice')],
      ['subject=reset password', ({ mail }) => mail.subject.startsWith('Reset your password')],
      ['from=billing', ({ mail }) => mail.fromField.address.startsWith('billing@')],
      ['to=gmail.com', ({ mail }) => mail.toField.includes('gmail.com')],
      ['size=>50000', ({ mail }) => mail.contentBytes > 50_000],
      ['size=>20000 <30000', ({ mail }) => mail.contentBytes > 20_000 && mail.contentBytes < 30_000],
      ['list=any@example.com', () => false],
      ['attachment=report.pdf', () => false],
    ];
    for (const [query, holds] of matching) {
      test(query, async () => {
        const expected = shown.filter(holds);
        assert.deepEqual(
          stamps(await all(query)),
          timesOf(expected).sort((a, b) => b - a),
        );
      });
    }

    test('of a recipient', async () => {
      const [some] = shown;
      assert.ok(some);
      const { forwardPath } = some.delivery;
      const expected = shown.filter(({ delivery }) => delivery.forwardPath === forwardPath);
      assert.equal((await all(`recipient=${encodeURIComponent(forwardPath)}`)).length, expected.length);
      assert.equal((await all(`recipients=${encodeURIComponent(forwardPath)}`)).length, expected.length);
      assert.equal((await all('recipient=nobody@nowhere.example')).length, 0);
    });

    test('of a Message-ID, with and without brackets', async () => {
      const some = shown.at(-1);
      assert.ok(some);
      const { messageIdField, mailId } = some.mail;
      const expected = shown.filter(({ mail }) => mail.mailId === mailId).length;
      assert.ok(expected > 0);
      for (const written of [messageIdField, `<${messageIdField}>`, messageIdField.toUpperCase()]) {
        assert.equal((await all(`message-id=${encodeURIComponent(written)}`)).length, expected, written);
      }
      assert.equal((await all('message-id=nothing@nowhere.example')).length, 0);
      assert.equal((await all(`message-id=${encodeURIComponent(messageIdField.slice(1))}`)).length, 0);
    });

    test('keeps it from page to page, in both directions', async () => {
      const expected = shown.filter(({ type }) => type === 'delivered').length;
      const few = await walk(`/v3/${domain}/events?event=delivered&limit=3`, 'next');
      assert.equal(few.length, expected);
      const { paging } = await events('event=delivered&limit=3');
      assert.deepEqual(await walk(paging.last, 'previous'), few.toReversed());
    });
  });

  describe('an entry', () => {
    const first = async (query: string) => {
      const [entry] = (await events(`limit=1&${query}`)).items;
      assert.ok(entry);
      return entry;
    };

    /** Members of the samples in the service's OpenAPI file that this installation knows. */
    const members: Record<string, string[]> = {
      'event=accepted': ['method', 'originating-ip', 'envelope', 'flags', 'message'],
      'event=delivered': ['envelope', 'flags', 'delivery-status', 'message'],
      'event=failed': ['severity', 'reason', 'envelope', 'flags', 'delivery-status', 'message'],
      'event=rejected': ['reject', 'flags', 'message'],
      'event=opened': ['ip', 'geolocation', 'client-info', 'message'],
      'event=unsubscribed': ['ip', 'geolocation', 'client-info', 'message'],
      'event=complained': ['flags', 'message'],
    };
    const common = [
      'event',
      'id',
      'timestamp',
      'log-level',
      'recipient',
      'recipient-domain',
      'recipient-provider',
      'tags',
      'campaigns',
      'user-variables',
    ];
    for (const [query, own] of Object.entries(members)) {
      test(`of ${query} has the members of its name`, async () => {
        const entry = await first(query);
        for (const name of [...common, ...own]) assert.ok(name in entry, name);
        assert.match(entry.id, /^[A-Za-z0-9_-]{22}$/);
        assert.equal(typeof entry.timestamp, 'number');
        assert.ok(Math.abs(entry.timestamp * 1000 - now) < 60 * 86_400_000, 'seconds, not milliseconds');
      });
    }

    test('names the same event by the same id at each look', async () => {
      const [left, right] = [await events('limit=5'), await events('limit=5')];
      assert.deepEqual(left.items, right.items);
    });
  });

  describe('refuses', () => {
    const refusal = async (path: string, key = apiKey) => {
      const reply = await world.get(path, key);
      return { status: reply.status, message: ((await reply.json()) as { message: string }).message };
    };

    test('a token that is none', async () => {
      for (const token of ['W3siYiI6ICIyMDE3', 'x', encodeURIComponent('../../stats')]) {
        assert.equal((await refusal(`/v3/${domain}/events/${token}`)).status, 400);
      }
    });

    test('the page of another tenant: a token opens nothing', async () => {
      const { paging } = await events('limit=2');
      const { apiKey: other } = world.createTenant('other', ['other.example']);
      const { pathname } = new URL(paging.next);
      assert.equal((await refusal(pathname, other)).status, 404);
      const moved = await page(pathname.replace(domain, 'other.example'), other);
      assert.deepEqual(moved.items, []);
    });

    test('a contradiction', async () => {
      const { status, message } = await refusal(`/v3/${domain}/events?begin=100&end=50&ascending=yes`);
      assert.equal(status, 400);
      assert.match(message, /^ascending: /);
    });
  });

  test('any walk with any page size meets each event once, in order, there and back', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        historyArbitrary,
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        async (generated, limit, ascending) => {
          run += 1;
          const { tenant, apiKey: key } = world.createTenant(`walk-${run}`, ['a.example']);
          const own = generated.events.map((event) => ({
            ...event,
            mail: { ...event.mail, tenantId: tenant.id },
            delivery: { ...event.delivery, node: `walk-${run}` },
          }));
          await world.append({ node: `walk-${run}`, events: own });
          const begin = ascending ? 'begin=0&ascending=yes' : '';
          const url = `/v3/a.example/events?${begin}&limit=${limit}`;
          const whole = (await page(url.replace(/limit=\d+/, 'limit=300'), key)).items;
          const visible = own.filter(
            ({ type, mail }) => mail.sendingDomain === 'a.example' && eventWords[type] !== undefined,
          );
          assert.equal(whole.length, visible.length);
          assert.deepEqual(
            stamps(whole),
            stamps(whole).toSorted((a, b) => (ascending ? a - b : b - a)),
          );
          assert.deepEqual(await walk(url, 'next', key), whole);
          const first = await page(url, key);
          const second = await page(first.paging.next, key);
          assert.deepEqual((await page(second.paging.previous, key)).items, first.items);
          assert.deepEqual((await walk(first.paging.last, 'previous', key)).toReversed(), whole);
        },
      ),
      { numRuns: 10 },
    );
  });
});
