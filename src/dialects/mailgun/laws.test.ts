/**
 * Laws that hold between the numbers of this dialect for any history of mail, on a real ledger: what is
 * counted by the hour, by the domain or from the events themselves adds up to the same.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type MailPlan, mailPlanArbitrary, play } from '../../../test/support/histories.ts';
import { type MailgunWorld, openMailgunWorld } from '../../../test/support/mailgun-world.ts';
import type { EventType, MailEvent } from '../../events/event.ts';
import { statsEvents } from './words.ts';

const domains = ['a.example', 'b.example'];
const everyEvent = statsEvents.map((event) => `event=${event}`).join('&');
const runs = 10;

/** Any month that the generated histories touch. */
const month = fc.constantFrom('2024-02', '2025-01', '2025-03', '2025-06', '2025-11');

const seconds = (date: Temporal.PlainDate) => date.toZonedDateTime('UTC').epochMilliseconds / 1000;

type Tree = { [key: string]: Tree | number | string };

/** Adds up the numbers that stand in the same place; texts are left out. */
function add(items: readonly Tree[]): Tree {
  const keys = new Set(items.flatMap((item) => Object.keys(item)));
  const sums = [...keys].map((key) => [key, addValues(items.map((item) => item[key] ?? 0))] as const);
  return Object.fromEntries(sums.filter(([, sum]) => sum !== null)) as Tree;
}

function addValues(values: readonly (Tree | number | string)[]): Tree | number | null {
  if (values.some((value) => typeof value === 'string')) return null;
  const trees = values.filter((value) => typeof value === 'object');
  return trees.length > 0 ? add(trees) : values.reduce<number>((sum, value) => sum + Number(value), 0);
}

describe('for any history', () => {
  let world: MailgunWorld;
  let run = 0;

  before(async () => {
    world = await openMailgunWorld(Date.parse('2025-12-31T23:59:59Z'));
  });
  after(() => world.close());

  /** The plans, lived by a tenant of their own; `domains` are his. */
  async function live(plans: readonly MailPlan[]) {
    run += 1;
    const { tenant, apiKey } = world.createTenant(`t${run}`, domains);
    const own = plans.map((plan) => ({ ...plan, tenantId: tenant.id }));
    const history = play(own, { node: `node-${run}` });
    await world.append(history);
    const stats = async (path: string) => {
      const reply = await world.get(path, apiKey);
      const text = await reply.text();
      assert.equal(reply.status, 200, text);
      return JSON.parse(text).stats as Tree[];
    };
    return { events: history.events, stats };
  }

  const histories = fc.array(mailPlanArbitrary, { minLength: 1, maxLength: 12 });
  const owned = histories.map((plans) =>
    plans.map((plan) => ({ ...plan, sendingDomain: plan.sendingDomain || 'a.example' })),
  );

  test('hours add up to days, days to the month', async () => {
    await fc.assert(
      fc.asyncProperty(histories, month, async (plans, name) => {
        const { stats } = await live(plans);
        const first = Temporal.PlainDate.from(`${name}-01`);
        const range = `${everyEvent}&start=${seconds(first)}&end=${seconds(first.add({ months: 1 })) - 1}`;
        const hours = await stats(`/v3/stats/total?${range}&resolution=hour`);
        const days = await stats(`/v3/stats/total?${range}&resolution=day`);
        assert.equal(days.length, first.daysInMonth);
        for (const [index, day] of days.entries()) {
          assert.deepEqual(add(hours.slice(index * 24, index * 24 + 24)), add([day]));
        }
        const whole = await stats(
          `/v3/stats/total?${everyEvent}&duration=1m&end=${seconds(first.with({ day: 15 }))}`,
        );
        assert.equal(whole.length, 1);
        assert.deepEqual(add(days), add(whole));
      }),
      { numRuns: runs },
    );
  });

  test('the account is the sum of its domains, asked for in three ways', async () => {
    await fc.assert(
      fc.asyncProperty(owned, month, async (plans, name) => {
        const { stats } = await live(plans);
        const at = seconds(Temporal.PlainDate.from(`${name}-10`));
        const account = await stats(`/v3/stats/total?${everyEvent}&duration=1m&end=${at}`);
        const each = await Promise.all(
          domains.map((domain) => stats(`/v3/${domain}/stats/total?${everyEvent}&duration=1m&end=${at}`)),
        );
        assert.deepEqual(add(each.flat()), add(account));
        const together = await stats(
          `/v3/stats/total/domains?${everyEvent}&resolution=month&timestamp=${at}`,
        );
        assert.deepEqual(
          together.map(({ domain }) => domain),
          domains,
        );
        assert.deepEqual(
          together.map(({ domain, ...counts }) => counts),
          each.flat(),
        );
        const grouped = await stats(`/v3/stats/filter?${everyEvent}&duration=1m&end=${at}&group=domain`);
        if (grouped.length > 0) assert.deepEqual(add(grouped), add(account));
        else assert.doesNotMatch(JSON.stringify(account), /:[1-9]/);
        const filtered = await Promise.all(
          domains.map((domain) =>
            stats(`/v3/stats/filter?${everyEvent}&duration=1m&end=${at}&filter=domain:${domain}`),
          ),
        );
        assert.deepEqual(filtered, each);
      }),
      { numRuns: runs },
    );
  });

  test('every number is that of the events', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (plans) => {
        const { events, stats } = await live(plans);
        const [item] = await stats(
          `/v3/stats/filter?${everyEvent}&group=total&start=${seconds(Temporal.PlainDate.from('2024-01-01'))}`,
        );
        assert.deepEqual(item?.accepted, countAccepted(events));
        const { smtp, total: delivered } = (item?.delivered ?? {}) as Record<string, number>;
        assert.deepEqual([smtp, delivered], [count(events, 'delivered'), count(events, 'delivered')]);
        for (const type of ['opened', 'clicked'] as const) {
          assert.deepEqual(item?.[type], { total: count(events, type), unique: recipients(events, type) });
        }
        for (const type of ['unsubscribed', 'complained', 'stored'] as const) {
          assert.deepEqual(item?.[type], { total: count(events, type) });
        }
      }),
      { numRuns: runs },
    );
  });

  test('what permanent failures have no part of their own for are soft bounces, expired, internal, canceled', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (plans) => {
        const { events, stats } = await live(plans);
        const [item] = await stats(
          `/v3/stats/filter?event=failed&group=total&start=${seconds(Temporal.PlainDate.from('2024-01-01'))}`,
        );
        const { temporary, permanent } = (item?.failed ?? {}) as Record<string, Record<string, number>>;
        const { total = 0, ...parts } = permanent ?? {};
        const sum = Object.values(parts).reduce((left, right) => left + right, 0);
        const soft = events.filter(
          ({ type, delivery }) => type === 'failed' && delivery.reason !== 'bounce',
        ).length;
        assert.equal(total - sum, soft + count(events, 'expired') + count(events, 'canceled'));
        assert.equal(parts['delayed-bounce'], count(events, 'returned'));
        assert.equal(temporary?.total, count(events, 'deferred'));
        const blocked = events.filter(
          ({ type, delivery }) => type === 'deferred' && delivery.reason === 'espblock',
        );
        assert.equal(temporary?.espblock, blocked.length);
      }),
      { numRuns: runs },
    );
  });
});

function count(events: readonly MailEvent[], type: EventType): number {
  return events.filter((event) => event.type === type).length;
}

function recipients(events: readonly MailEvent[], type: EventType): number {
  const of = events.filter((event) => event.type === type);
  return new Set(of.map(({ mail, delivery }) => `${mail.mailId}:${delivery.n}`)).size;
}

function countAccepted(events: readonly MailEvent[]) {
  const accepted = events.filter(({ type }) => type === 'accepted');
  const outgoing = accepted.filter(({ mail }) => mail.authenticated).length;
  return { incoming: accepted.length - outgoing, outgoing, total: accepted.length };
}
