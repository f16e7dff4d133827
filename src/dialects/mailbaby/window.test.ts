import assert from 'node:assert/strict';
import test from 'node:test';
import { windowOf } from './window.ts';
import type { TimeWindow } from './words.ts';

interface Case {
  time: TimeWindow;
  now: string;
  zone?: string;
  billingDay?: number;
  from: string;
  /** Absent: open. */
  to?: string;
}

const york = 'America/New_York';

const cases: Case[] = [
  { time: '1h', now: '2024-05-15T12:34:56.789Z', from: '2024-05-15T11:34:56.789Z' },
  { time: '24h', now: '2024-05-15T12:34:56.789Z', from: '2024-05-14T12:34:56.789Z' },
  { time: '7d', now: '2024-05-15T12:34:56.789Z', from: '2024-05-08T12:34:56.789Z' },
  { time: 'all', now: '2024-05-15T12:34:56.789Z', from: '1970-01-01T00:00:00Z' },
  { time: 'day', now: '2024-05-15T12:34:56Z', from: '2024-05-15T00:00:00Z' },
  { time: 'day', now: '2024-05-15T00:00:00Z', from: '2024-05-15T00:00:00Z' },
  { time: 'day', now: '2024-05-15T03:59:59Z', zone: york, from: '2024-05-14T04:00:00Z' },
  { time: 'day', now: '2024-05-15T04:00:00Z', zone: york, from: '2024-05-15T04:00:00Z' },
  // The day of 23 hours and that of 25.
  { time: 'day', now: '2024-03-11T03:59:59Z', zone: york, from: '2024-03-10T05:00:00Z' },
  { time: 'day', now: '2024-11-04T04:59:59Z', zone: york, from: '2024-11-03T04:00:00Z' },
  // Midnight that the zone skips: the day begins at one.
  { time: 'day', now: '2024-04-26T12:00:00Z', zone: 'Africa/Cairo', from: '2024-04-25T22:00:00Z' },
  { time: 'month', now: '2024-05-15T12:34:56Z', from: '2024-05-01T00:00:00Z' },
  { time: 'month', now: '2024-05-01T03:00:00Z', zone: york, from: '2024-04-01T04:00:00Z' },
  { time: 'month', now: '2024-03-31T12:00:00Z', zone: york, from: '2024-03-01T05:00:00Z' },
  { time: 'billing', now: '2024-05-15T12:34:56Z', from: '2024-05-01T00:00:00Z', to: '2024-06-01T00:00:00Z' },
  {
    time: 'billing',
    now: '2024-05-14T23:59:59Z',
    billingDay: 15,
    from: '2024-04-15T00:00:00Z',
    to: '2024-05-15T00:00:00Z',
  },
  {
    time: 'billing',
    now: '2024-05-15T00:00:00Z',
    billingDay: 15,
    from: '2024-05-15T00:00:00Z',
    to: '2024-06-15T00:00:00Z',
  },
  {
    time: 'billing',
    now: '2024-01-05T00:00:00Z',
    billingDay: 28,
    from: '2023-12-28T00:00:00Z',
    to: '2024-01-28T00:00:00Z',
  },
  {
    time: 'billing',
    now: '2024-03-20T00:00:00Z',
    zone: york,
    billingDay: 10,
    from: '2024-03-10T05:00:00Z',
    to: '2024-04-10T04:00:00Z',
  },
];

test('where the windows begin and end', () => {
  for (const { time, now, zone = 'UTC', billingDay = 1, from, to } of cases) {
    const range = windowOf(time, Date.parse(now), { zone, billingDay });
    assert.equal(new Date(range.from).toISOString(), new Date(from).toISOString(), `${time} at ${now}`);
    if (to === undefined) assert.ok(range.to > Date.parse('2100-01-01'), `${time} at ${now}`);
    else assert.equal(range.to, Date.parse(to), `${time} at ${now}`);
  }
});
