/** Random questions about a history: values that occur in it, values that do not, and text that hurts. */
import fc from 'fast-check';
import { deliveryStates, eventTypes, type MailEvent } from '../../../src/events/event.ts';
import { reasons } from '../../../src/events/reason.ts';
import {
  type BucketUnit,
  type CountDimension,
  type CountQuestion,
  countDimensions,
  type DeliveryFilter,
  type EventFilter,
  type Page,
  type Scope,
  type SearchTerm,
  type StatusCondition,
} from '../../../src/ledger/question.ts';
import { edgeZones, hostileText, zoneEdges } from '../../support/histories.ts';

type Pool = readonly MailEvent[];

/** Case folding of these differs between JavaScript and the engine (final sigma, dotted I), not the ledger's rule. */
const foldsAlike = (text: string) => /^[^Σİſẞǅǈǋ\u0370-\u1fff]*$/u.test(text);

function occurring<T>(pool: Pool, value: (event: MailEvent) => T): fc.Arbitrary<T> {
  return fc.nat({ max: Math.max(0, pool.length - 1) }).map((index) => {
    const event = pool[index];
    if (!event) throw new Error('questions are asked about a history that is not empty');
    return value(event);
  });
}

function textOf(pool: Pool, value: (event: MailEvent) => string): fc.Arbitrary<string> {
  return fc.oneof({ weight: 5, arbitrary: occurring(pool, value) }, { weight: 1, arbitrary: hostileText });
}

/** At most `most` of the given members: more of them would match nothing. */
function someOf<T extends object>(
  members: { [K in keyof T]-?: fc.Arbitrary<NonNullable<T[K]>> },
  most: number,
): fc.Arbitrary<T> {
  const names = Object.keys(members) as (keyof T & string)[];
  return fc
    .tuple(
      fc.record(members as Record<string, fc.Arbitrary<unknown>>),
      fc.subarray(names, { maxLength: most }),
    )
    .map(([all, kept]) => Object.fromEntries(kept.map((name) => [name, all[name]])) as T);
}

export function scopes(pool: Pool): fc.Arbitrary<Scope> {
  return fc
    .tuple(
      occurring(pool, ({ mail }) => mail),
      fc.boolean(),
      fc.boolean(),
    )
    .map(([{ tenantId, streamId, sendingDomain }, byStream, byDomain]) => ({
      tenantId,
      ...(byStream ? { streamId } : {}),
      ...(byDomain ? { sendingDomain } : {}),
    }));
}

export const pages: fc.Arbitrary<Page> = fc.record({
  offset: fc.oneof(fc.constant(0), fc.nat({ max: 300 })),
  limit: fc.constantFrom(0, 1, 3, 50, 10_000),
  direction: fc.constantFrom('ascending', 'descending'),
});

const statusConditions: fc.Arbitrary<StatusCondition> = fc
  .tuple(
    fc.subarray([...deliveryStates]),
    someOf<Omit<StatusCondition, 'states'>>(
      {
        reasons: fc.subarray([...reasons]),
        exceptReasons: fc.subarray([...reasons]),
        engaged: fc.boolean(),
      },
      2,
    ),
  )
  .map(([states, rest]) => ({ states, ...rest }));

function searchTerms(pool: Pool): fc.Arbitrary<SearchTerm> {
  const text = fc.oneof(
    textOf(pool, ({ delivery }) => delivery.forwardPath.toUpperCase()),
    textOf(pool, ({ mail }) => mail.fromField.address),
    textOf(pool, ({ mail }) => mail.template),
  );
  return fc
    .tuple(
      text.filter(foldsAlike),
      fc.option(fc.array(statusConditions, { maxLength: 2 }), { nil: undefined }),
    )
    .map(([text, status]) => (status === undefined ? { text } : { text, status }));
}

const instants = (pool: Pool) =>
  fc.oneof(
    occurring(pool, ({ mail }) => mail.acceptedAt),
    fc.constantFrom(...zoneEdges),
  );

export function deliveryFilters(pool: Pool): fc.Arbitrary<DeliveryFilter> {
  return someOf<DeliveryFilter>(
    {
      from: instants(pool),
      to: instants(pool),
      mailId: occurring(pool, ({ mail }) => mail.mailId),
      n: fc.integer({ min: 1, max: 4 }),
      origin: textOf(pool, ({ mail }) => mail.origin),
      remoteMta: textOf(pool, ({ delivery }) => delivery.remoteMta),
      reversePath: textOf(pool, ({ mail }) => mail.reversePath),
      forwardPath: textOf(pool, ({ delivery }) => delivery.forwardPath),
      subject: textOf(pool, ({ mail }) => mail.subject),
      messageIdContains: needles(pool),
      replyTo: textOf(pool, ({ mail }) => mail.replyTo),
      fromField: textOf(pool, ({ mail }) => mail.fromField.address),
      status: fc.array(statusConditions, { maxLength: 3 }),
      search: fc.array(searchTerms(pool), { maxLength: 2 }),
    },
    3,
  );
}

function needles(pool: Pool): fc.Arbitrary<string> {
  return fc
    .tuple(
      textOf(pool, ({ mail }) => mail.messageIdField).filter(foldsAlike),
      fc.nat({ max: 6 }),
      fc.nat({ max: 6 }),
    )
    .map(([field, cutBefore, cutAfter]) => {
      const whole = `<${field}>`;
      return whole.slice(cutBefore, Math.max(cutBefore, whole.length - cutAfter)).toUpperCase();
    });
}

export function countQuestions(pool: Pool): fc.Arbitrary<CountQuestion> {
  const where: fc.Arbitrary<Partial<Record<CountDimension, string>>> = someOf(
    {
      sendingDomain: textOf(pool, ({ mail }) => mail.sendingDomain),
      provider: textOf(pool, ({ delivery }) => delivery.provider),
      sendingIp: textOf(pool, ({ delivery }) => delivery.sendingIp),
      tag: textOf(pool, ({ mail }) => mail.tags[0] ?? 'untagged'),
      country: textOf(pool, ({ engagement }) => engagement?.country ?? ''),
      device: textOf(pool, ({ engagement }) => engagement?.device ?? ''),
    },
    2,
  );
  const always = fc.record({
    types: fc.oneof(fc.subarray([...eventTypes]), fc.constant([...eventTypes])),
    unit: fc.constantFrom<BucketUnit>('hour', 'day', 'month', 'all'),
    zone: fc.constantFrom(...edgeZones, 'America/Sao_Paulo', 'Africa/Casablanca', '+05:45'),
  });
  const sometimes = someOf<Pick<CountQuestion, 'from' | 'to' | 'groupBy' | 'where'>>(
    { from: instants(pool), to: instants(pool), groupBy: fc.constantFrom(...countDimensions), where },
    4,
  );
  return fc.tuple(always, sometimes).map(([a, b]) => ({ ...a, ...b }));
}

export function eventFilters(pool: Pool): fc.Arbitrary<EventFilter> {
  return someOf<EventFilter>(
    {
      from: occurring(pool, ({ at }) => at),
      to: occurring(pool, ({ at }) => at),
      types: fc.subarray([...eventTypes]),
      mailId: occurring(pool, ({ mail }) => mail.mailId),
      n: fc.integer({ min: 1, max: 4 }),
      forwardPath: textOf(pool, ({ delivery }) => delivery.forwardPath),
      reversePath: textOf(pool, ({ mail }) => mail.reversePath),
    },
    3,
  );
}
