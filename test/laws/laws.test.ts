/**
 * What must hold between the dialects for any history of mail: they are views of one log, so their numbers
 * can be derived from each other. Each test is one law; the truth beside them is the history itself.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { deliveryOfSendId, mailIdOfRelayId, mailIdOfUuid } from '../../src/base/id.ts';
import { statusWords as kaleyraWords } from '../../src/dialects/kaleyra/words.ts';
import { statusWords as submailWords } from '../../src/dialects/submail/words.ts';
import { deliveryStates, openStates } from '../../src/events/event.ts';
import { reasons } from '../../src/events/reason.ts';
import type { DeliveryRow } from '../../src/ledger/ledger.ts';
import { statusHolds } from '../../src/ledger/status-condition.ts';
import { type Asking, askingOf, everyKaleyraDay, type Parameters, sumOf } from './asking.ts';
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
import { queueOf } from './queue-of.ts';

const runs = 8;

/** Months from before the first to after the last event of any history. */
const sinceEver = { start: Date.parse('2024-01-01T00:00:00Z') / 1000, resolution: 'month' };

describe('for any history', () => {
  let world: LawWorld;

  before(async () => {
    world = await openLawWorld();
  });
  after(() => world.close());

  async function settle(life: Life): Promise<{ account: Account; asking: Asking }> {
    const account = await world.live(life);
    return { account, asking: askingOf(world, account) };
  }

  test('law 1: every dialect knows the same recipients', async () => {
    await holdsForAny(lifeArbitrary, runs, async (life) => {
      const { account, asking } = await settle(life);
      const months = await asking.mailgun('/v3/stats/total', sinceEver);
      const rejected = account.rows.filter(hasState('rejected')).length;
      const totals = {
        mailgun: sumOf(months)['accepted.total'],
        mailbaby: await mailbabyTotal(account, asking),
        submail: (await asking.submail()).total - rejected,
        kaleyra: (await asking.kaleyra()).total - rejected,
      };
      const accepted = account.rows.length - rejected;
      assert.deepEqual(totals, {
        mailgun: accepted,
        mailbaby: accepted,
        submail: accepted,
        kaleyra: accepted,
      });
    });
  });

  test('law 2: what MailBaby calls delivered and what it does not are all it has', async () => {
    const filters: fc.Arbitrary<Parameters> = fc.record(
      {
        to: fc.constantFrom('ann@gmail.com', 'Bob@shop.example', "o'h+x@xn--mnchen-3ya.example"),
        headerfrom: fc.constantFrom('news@a.example', 'No-Reply@b.example'),
        endDate: fc.constantFrom('2025-01-01', '2025-06-15 12:00', '2025-11-02 UTC'),
      },
      { requiredKeys: [] },
    );
    await holdsForAny(fc.tuple(lifeArbitrary, filters), runs, async ([life, filter]) => {
      const { account, asking } = await settle(life);
      const [first = 0, second = 0] = account.streamIds;
      for (const asked of [{ id: first }, { id: second }, { ...filter, id: first }]) {
        const all = await asking.mailbaby(asked);
        const delivered = await asking.mailbaby({ ...asked, delivered: 1 });
        const others = await asking.mailbaby({ ...asked, delivered: 0 });
        assert.equal(delivered.total + others.total, all.total);
        const together = [...delivered.emails, ...others.emails];
        assert.deepEqual(
          together.sort((a, b) => b._id - a._id || b.seq - a.seq),
          all.emails,
        );
        assert.ok(delivered.emails.every((entry) => entry.delivered === 1));
        assert.ok(others.emails.every((entry) => entry.delivered === 0));
      }
    });
  });

  test('law 3: the five filter words of SUBMAIL partition its rows', async () => {
    await holdsForAny(lifeArbitrary, runs, async (life) => {
      const { account, asking } = await settle(life);
      const found = await Promise.all(submailWords.map((status) => asking.submail({ status })));
      const all = await asking.submail();
      assert.equal(all.total, account.rows.length);
      assert.equal(sum(found.map(({ total }) => total)), all.total);
      assert.deepEqual(
        found.flatMap(({ data }) => data.map(({ sendID }) => sendID)).sort(),
        all.data.map(({ sendID }) => sendID).sort(),
      );
    });
  });

  test('law 4: the days of Kaleyra add up to its records, and its eight words partition them', async () => {
    await holdsForAny(lifeArbitrary, runs, async (life) => {
      const { account, asking } = await settle(life);
      const all = await asking.kaleyra();
      const found = await Promise.all(kaleyraWords.map((search) => asking.kaleyra({ search })));
      assert.equal(sum(found.map(({ total }) => total)), all.total);
      assert.deepEqual(
        found.flatMap(({ data }) => data.map(idOfRecord)).sort(),
        all.data.map(idOfRecord).sort(),
      );
      for (const [at, word] of kaleyraWords.entries())
        assert.ok(
          found[at]?.data.every(({ status }) => status === word),
          word,
        );

      const uncounted = account.rows.filter(isRefusedAndNotCounted);
      const days = await everyKaleyraDay(asking);
      const counted = days.map(({ stats }) =>
        sum(stats.map(({ metrics }) => metrics.accepted + metrics.blocks)),
      );
      assert.equal(sum(counted) + uncounted.length, all.total);
      for (const [at, { date }] of days.entries()) {
        const ofDay = await asking.kaleyra({ start_date: date, end_date: date });
        const uncountedOfDay = uncounted.filter(({ mail }) => dayIn(account.zone, mail.acceptedAt) === date);
        assert.equal((counted[at] ?? 0) + uncountedOfDay.length, ofDay.total, date);
      }
    });
  });

  test('law 5: every dialect knows the same delivered recipients', async () => {
    await holdsForAny(lifeArbitrary, runs, async (life) => {
      const { account, asking } = await settle(life);
      const stats = sumOf(await asking.mailgun('/v3/stats/total', sinceEver));
      const [delivered, opened] = [
        await asking.kaleyra({ search: 'DELIVERED' }),
        await asking.kaleyra({ search: 'OPEN' }),
      ];
      const totals = {
        mailgun: (stats['delivered.total'] ?? 0) - (stats['failed.permanent.delayed-bounce'] ?? 0),
        mailbaby: await mailbabyTotal(account, asking, { delivered: 1 }),
        submail: (await asking.submail({ status: 'delivered' })).total,
        kaleyra: delivered.total + opened.total,
      };
      const truth = account.rows.filter(hasState('delivered')).length;
      assert.deepEqual(totals, { mailgun: truth, mailbaby: truth, submail: truth, kaleyra: truth });
    });
  });

  test('law 6: hours add up to days, days to months, domains to the account', async () => {
    await holdsForAny(ownedLifeArbitrary, runs, async (life) => {
      const { account, asking } = await settle(life);
      const month = monthOf(life.plans[0]?.acceptedAt ?? Date.parse('2025-03-09T00:00:00Z'));
      const ofMonth = { start: month.start, end: month.end };
      const hours = await asking.mailgun('/v3/stats/total', { ...ofMonth, resolution: 'hour' });
      const days = await asking.mailgun('/v3/stats/total', { ...ofMonth, resolution: 'day' });
      assert.equal(hours.length, days.length * 24);
      for (const [at, day] of days.entries())
        assert.deepEqual(sumOf(hours.slice(at * 24, at * 24 + 24)), sumOf([day]));
      const whole = await asking.mailgun('/v3/stats/total', { ...ofMonth, resolution: 'month' });
      assert.equal(whole.length, 1);
      assert.deepEqual(sumOf(days), sumOf(whole));

      const together = await asking.mailgun('/v3/stats/total/domains', {
        timestamp: month.start,
        resolution: 'month',
      });
      const each = await Promise.all(
        sendingDomains.map((domain) =>
          asking.mailgun(`/v3/${domain}/stats/total`, { ...ofMonth, resolution: 'month' }),
        ),
      );
      assert.deepEqual(together, each.flat());
      assert.deepEqual(sumOf(together), sumOf(whole));
      const type = account.events.filter(({ type, at }) => type === 'accepted' && month.holds(at));
      assert.equal(sumOf(whole)['accepted.total'], type.length);
    });
  });

  test('law 8: what is under way is the same in the ledger and in every dialect that shows it', async () => {
    await holdsForAny(lifeArbitrary, runs, async (life) => {
      const { account, asking } = await settle(life);
      const { tenant, streamIds } = account;
      const open = account.rows.filter(({ delivery }) => openStates.includes(delivery.state));
      const page = { offset: 0, limit: 1000, direction: 'ascending' } as const;
      const queue = await world.ledger.queue({ tenantId: tenant.tenantId }, {}, page);
      const ofMailbaby = await Promise.all(streamIds.map((id) => asking.mailbaby({ id, delivered: 0 })));
      const openKeys = new Set(open.map(({ mail, delivery }) => `${mail.mailId}:${delivery.n}`));
      const mails = {
        queue: queue.rows.map(({ mail }) => mail.mailId),
        mailbaby: ofMailbaby
          .flatMap(({ emails }) => emails)
          .filter(({ _id, seq }) => openKeys.has(`${_id}:${seq}`))
          .map(({ id }) => mailIdOfRelayId(id)),
        submail: (await rowsOfSubmail(asking, ['sending', 'warmup'])).map(
          ({ sendID }) => deliveryOfSendId(world.key, sendID)?.mailId,
        ),
        kaleyra: (await rowsOfKaleyra(asking, ['ACCEPTED', 'DEFERRED'])).map(({ message_id }) =>
          mailIdOfUuid(world.key, message_id.slice(0, 36)),
        ),
      };
      const truth = folded(open.map(({ mail }) => mail.mailId));
      assert.equal(queue.total, truth.length);
      assert.equal(queue.total, mails.queue.length);
      for (const [where, found] of Object.entries(mails)) assert.deepEqual(folded(found), truth, where);
    });
  });

  test('law 8, at its source: the queue of the command line counts what the ledger shows as under way', async () => {
    await holdsForAny(lifeArbitrary, runs, async (life) => {
      const { account, asking } = await settle(life);
      const { tenantId } = account.tenant;
      const { queue, outbox, close } = queueOf(account.events);
      try {
        const underWay = { tenantId, states: openStates };
        const listed = queue.list(underWay, { mailId: 0, n: 0 }, 1000);
        const shown = await world.ledger.queue(
          { tenantId },
          {},
          { offset: 0, limit: 1000, direction: 'ascending' },
        );
        assert.deepEqual(
          folded(listed.map(({ mailId }) => mailId)),
          shown.rows.map(({ mail }) => mail.mailId),
        );
        const counts = {
          queue: queue.count(underWay),
          submail: (await rowsOfSubmail(asking, ['sending', 'warmup'])).length,
          kaleyra: (await rowsOfKaleyra(asking, ['ACCEPTED', 'DEFERRED'])).length,
        };
        assert.deepEqual(counts, { queue: listed.length, submail: listed.length, kaleyra: listed.length });
        assert.deepEqual(outbox.read(0, 10_000), account.events);
      } finally {
        close();
      }
    });
  });

  test('beside the laws: a condition finds the same rows in the ledger as in hand', async () => {
    const conditions = fc.record(
      {
        states: fc.subarray([...deliveryStates]),
        reasons: fc.subarray([...reasons]),
        exceptReasons: fc.subarray([...reasons]),
        engaged: fc.boolean(),
      },
      { requiredKeys: ['states'] },
    );
    const several = fc.array(conditions, { minLength: 1, maxLength: 20 });
    await holdsForAny(fc.tuple(lifeArbitrary, several), runs, async ([life, given]) => {
      const { account } = await settle(life);
      const page = { offset: 0, limit: 1000, direction: 'descending' } as const;
      for (const condition of given) {
        const filter = { status: [condition] };
        const { rows } = await world.ledger.deliveries({ tenantId: account.tenant.tenantId }, filter, page);
        assert.deepEqual(
          rows,
          account.rows.filter((row) => statusHolds(condition, row)),
        );
      }
    });
  });
});

function hasState(state: DeliveryRow['delivery']['state']): (row: DeliveryRow) => boolean {
  return ({ delivery }) => delivery.state === state;
}

/** Refused, and not for the sender's domain: such records stand in the log and in no count. */
function isRefusedAndNotCounted({ delivery }: DeliveryRow): boolean {
  return delivery.state === 'rejected' && delivery.reason !== 'sender-domain';
}

async function mailbabyTotal(
  { streamIds }: Account,
  asking: Asking,
  parameters: Parameters = {},
): Promise<number> {
  const logs = await Promise.all(streamIds.map((id) => asking.mailbaby({ ...parameters, id, limit: 1 })));
  return sum(logs.map(({ total }) => total));
}

async function rowsOfSubmail(asking: Asking, words: readonly string[]) {
  const logs = await Promise.all(words.map((status) => asking.submail({ status })));
  return logs.flatMap(({ data }) => data);
}

async function rowsOfKaleyra(asking: Asking, words: readonly string[]) {
  const logs = await Promise.all(words.map((search) => asking.kaleyra({ search })));
  return logs.flatMap(({ data }) => data);
}

function idOfRecord({ message_id }: { message_id: string }): string {
  return message_id;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((left, right) => left + right, 0);
}

/** Each once, ascending. */
function folded(mailIds: readonly (number | null | undefined)[]): (number | null | undefined)[] {
  return [...new Set(mailIds)].sort((a, b) => Number(a) - Number(b));
}

function dayIn(zone: string, at: number): string {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDate().toString();
}

/** The month in UTC that holds the instant, by its first and last second. */
function monthOf(at: number) {
  const day = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO('UTC').startOfDay();
  const first = day.with({ day: 1 });
  const [from, to] = [first.epochMilliseconds, first.add({ months: 1 }).epochMilliseconds];
  return { start: from / 1000, end: to / 1000 - 1, holds: (other: number) => other >= from && other < to };
}
