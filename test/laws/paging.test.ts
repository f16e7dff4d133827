/** Law 7: pages of any size hold each row once, in the order of the whole; the total is the same on each. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { eventWords } from '../../src/dialects/mailgun/words.ts';
import { type Asking, askingOf, type MailgunEvents, type Parameters } from './asking.ts';
import {
  type Account,
  holdsForAny,
  type LawWorld,
  type Life,
  lifeArbitrary,
  openLawWorld,
  ownedLifeArbitrary,
  sendingDomains,
} from './law-world.ts';

const runs = 6;
/** More pages than any history fills: a walk that goes on for longer goes round in circles. */
const maxPages = 1000;
const pageSizes = fc.integer({ min: 1, max: 7 });

interface Page {
  /** Null where the API tells none. */
  total: number | null;
  rows: unknown[];
}

type AskPage = (page: { offset: number; limit: number }) => Promise<Page>;

async function assertPages(ask: AskPage, limit: number, whole: Page): Promise<void> {
  const rows: unknown[] = [];
  for (let offset = 0; offset <= whole.rows.length + limit; offset += limit) {
    const page = await ask({ offset, limit });
    assert.equal(page.total, whole.total);
    rows.push(...page.rows);
  }
  assert.deepEqual(rows, whole.rows);
  if (whole.total !== null) assert.equal(whole.total, whole.rows.length);
  assert.equal(new Set(rows.map((row) => JSON.stringify(row))).size, rows.length);
}

describe('law 7: for any history and page size', () => {
  let world: LawWorld;

  before(async () => {
    world = await openLawWorld();
  });
  after(() => world.close());

  async function settle(life: Life): Promise<{ account: Account; asking: Asking }> {
    const account = await world.live(life);
    return { account, asking: askingOf(world, account) };
  }

  test('MailBaby, by recipient and by message, in both directions', async () => {
    await holdsForAny(fc.tuple(lifeArbitrary, pageSizes), runs, async ([life, size]) => {
      const { account, asking } = await settle(life);
      for (const groupby of ['recipient', 'message']) {
        const newest = await asking.mailbaby({ groupby });
        const oldest = await asking.mailbaby({ groupby, dir: 'asc' });
        const keys = (emails: typeof newest.emails) => emails.map(({ _id, seq }) => `${_id}:${seq}`);
        if (groupby === 'recipient') assert.deepEqual(keys(oldest.emails).toReversed(), keys(newest.emails));
        for (const [dir, whole] of [['desc', newest] as const, ['asc', oldest] as const]) {
          const ask: AskPage = async ({ offset, limit }) => {
            const { total, emails } = await asking.mailbaby({ groupby, dir, skip: offset, limit });
            return { total, rows: emails };
          };
          await assertPages(ask, size, { total: whole.total, rows: whole.emails });
        }
      }
      const shown = account.rows.filter(
        ({ mail, delivery }) => mail.streamId === account.streamIds[0] && delivery.state !== 'rejected',
      );
      const { emails } = await asking.mailbaby();
      assert.deepEqual(
        emails.map(({ _id, seq }) => [_id, seq]),
        shown.map(({ mail, delivery }) => [mail.mailId, delivery.n]),
      );
    });
  });

  test('SUBMAIL', async () => {
    await holdsForAny(fc.tuple(lifeArbitrary, pageSizes), runs, async ([life, size]) => {
      const { account, asking } = await settle(life);
      const whole = await asking.submail();
      const ask: AskPage = async ({ offset, limit }) => {
        const { total, data } = await asking.submail({ offset, rows: limit });
        return { total, rows: data };
      };
      await assertPages(ask, size, { total: whole.total, rows: whole.data });
      assert.deepEqual(
        whole.data.map(({ send_at, to_address }) => [send_at, to_address]),
        account.rows.map(({ mail, delivery }) => [Math.floor(mail.acceptedAt / 1000), delivery.forwardPath]),
      );
    });
  });

  test('Kaleyra, its records and its days', async () => {
    await holdsForAny(fc.tuple(lifeArbitrary, pageSizes), runs, async ([life, size]) => {
      const { account, asking } = await settle(life);
      const numbered = ({ offset, limit }: { offset: number; limit: number }): Parameters => ({
        page: offset / limit + 1,
        limit,
      });
      const logs = await asking.kaleyra();
      const askLogs: AskPage = async (page) => {
        const { total, data } = await asking.kaleyra(numbered(page));
        return { total, rows: data };
      };
      await assertPages(askLogs, size, { total: logs.total, rows: logs.data });
      assert.deepEqual(
        logs.data.map(({ to_mail }) => to_mail),
        account.rows.map(({ delivery }) => delivery.forwardPath),
      );
      const days = await asking.kaleyraDays();
      const askDays: AskPage = async (page) => ({
        total: null,
        rows: await asking.kaleyraDays(numbered(page)),
      });
      await assertPages(askDays, size, { total: null, rows: days });
      const dates = days.map(({ date }) => date);
      assert.deepEqual(dates, [...new Set(dates)].sort());
    });
  });

  test('Mailgun events, onwards and back, in both directions', async () => {
    const ways = fc.record({
      size: pageSizes,
      domain: fc.constantFrom(...sendingDomains),
      ascending: fc.constantFrom('yes', 'no'),
    });
    await holdsForAny(
      fc.tuple(ownedLifeArbitrary, ways),
      runs,
      async ([life, { size, domain, ascending }]) => {
        const { account, asking } = await settle(life);
        const range = ascending === 'yes' ? 'begin=1704067200' : 'end=1704067200';
        const url = `/v3/${domain}/events?${range}&ascending=${ascending}`;
        const whole = await everyItem(asking, `${url}&limit=300`, 'next');
        const first = `${url}&limit=${size}`;
        assert.deepEqual(await everyItem(asking, first, 'next'), whole);
        const { last } = (await asking.mailgunEvents(first)).paging;
        assert.deepEqual(await everyItem(asking, last, 'previous'), whole);
        assert.equal(new Set(whole.map(({ id }) => id)).size, whole.length);
        const shown = account.events.filter(
          ({ type, mail }) => eventWords[type] !== undefined && mail.sendingDomain === domain,
        );
        assert.equal(whole.length, shown.length);
        const times = whole.map(({ timestamp }) => (ascending === 'yes' ? timestamp : -timestamp));
        assert.deepEqual(
          times,
          times.toSorted((a, b) => a - b),
        );
      },
    );
  });
});

/** Until a page is empty, as the clients of that API do. */
async function everyItem(
  asking: Asking,
  from: string,
  way: 'next' | 'previous',
): Promise<MailgunEvents['items']> {
  const pages: MailgunEvents['items'][] = [];
  let url = from;
  while (pages.length < maxPages) {
    const { items, paging } = await asking.mailgunEvents(url);
    if (items.length === 0) return (way === 'next' ? pages : pages.toReversed()).flat();
    pages.push(items);
    url = paging[way];
  }
  assert.fail('the pages have no end');
}
