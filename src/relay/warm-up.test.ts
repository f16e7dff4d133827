/** How much a day of a plan allows, and when the next one begins. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import {
  asOf,
  beginningOf,
  dayOf,
  hasReached,
  isUnwelcome,
  mailsPerDay,
  mostOf,
  type SiteDay,
} from './warm-up.ts';

const stages = [
  { days: 2, mailsPerDay: 50 },
  { days: 1, mailsPerDay: 100 },
];
const today = 20_000;
const noon = beginningOf(today) + 12 * 3_600_000;
const oneDay = 86_400_000;

const site = (more: Partial<SiteDay> = {}): SiteDay => ({
  ...{ site: 'google', day: today, daysDone: 0, sent: 0, refused: 0 },
  ...more,
});

test('stages follow each other by days that are done; then nothing bounds', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 99].map((done) => mailsPerDay(stages, done)),
    [50, 50, 100, null, null],
  );
});

test('bulk mail leaves a fifth of the day to transactional mail', () => {
  assert.deepEqual([mostOf('transactional', 50), mostOf('bulk', 50), mostOf('bulk', 1)], [50, 40, 1]);
});

test('a day begins at midnight of UTC', () => {
  assert.equal(dayOf(Date.UTC(2026, 0, 2) - 1) + 1, dayOf(Date.UTC(2026, 0, 2)));
  assert.equal(beginningOf(dayOf(noon)), beginningOf(today));
});

const next: [what: string, before: Partial<SiteDay>, daysDone: number][] = [
  ['half of the number was sent', { sent: 25 }, 1],
  ['less was sent', { sent: 24 }, 0],
  ['one of twenty was refused', { sent: 40, refused: 2 }, 1],
  ['more were refused', { sent: 40, refused: 3 }, 0],
  ['the plan is done', { sent: 1000, daysDone: 3 }, 3],
];
for (const [what, before, daysDone] of next)
  test(`the next day, after a day on which ${what}`, () => {
    const now = noon + oneDay;
    assert.deepEqual(asOf(now, site(before), { stages, paused: false }), site({ day: today + 1, daysDone }));
    const kept = site({ day: today + 1, daysDone: before.daysDone ?? 0 });
    assert.deepEqual(asOf(now, site(before), { stages, paused: true }), kept, 'paused: no day is done');
  });

test('days without mail are no days, and the same day goes on', () => {
  const before = site({ sent: 50 });
  const plan = { stages, paused: false };
  assert.deepEqual(asOf(noon + 10 * oneDay, before, plan), site({ day: today + 10, daysDone: 1 }));
  assert.equal(asOf(noon + 3_600_000, before, plan), before);
});

test('a clock that goes back over midnight opens no second day; one that was far ahead is not waited for', () => {
  const before = site({ sent: 50 });
  const plan = { stages, paused: false };
  assert.equal(asOf(noon - oneDay, before, plan), before);
  assert.equal(asOf(noon - 30 * oneDay, before, plan).day, today - 30);
});

test('what reached the site counts, and what was unwelcome is told', () => {
  const status = (stage: DeliveryStatus['stage'], reason: DeliveryStatus['reason']) =>
    ({ stage, reason }) as DeliveryStatus;
  const reached = [status('mail', 'espblock'), status('rcpt', 'bounce'), status('end-of-data', null)];
  const not = [
    status('dns', 'dns'),
    status('connect', 'connect'),
    status('tls', 'tls'),
    status('data', 'internal'),
  ];
  assert.deepEqual(reached.map(hasReached), [true, true, true]);
  assert.deepEqual(not.map(hasReached), [false, false, false, false]);
  assert.deepEqual(reached.map(isUnwelcome), [true, false, false]);
  assert.equal(isUnwelcome(status('greeting', 'rate-limited')), true);
});
