/**
 * Crash points in an order, at passes and under traffic that nobody chose: each round ends one process at one of them,
 * on the data that the rounds before have left. The seed stands in the name of the test; `CRASH_SEED` repeats it.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { crashPoints } from '../../src/base/crash-point.ts';
import { accountFor, sendUntilAccepted, type Traffic } from '../support/account.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill, type Waybill } from '../support/waybill.ts';

const rounds = 6;
/** No round begins after that. */
const beginMs = 45_000;
const mostPasses = 12;
/** Points that what goes on together passes once: no round has traffic for many. */
const fewPasses: Record<string, number> = { cleared: 1, leased: 4 };
const mostMails = 10;
/** Traffic of one round, until its point has been passed often enough. */
const mailsPerRound = 120;
/** No reports come in here; their points have a test of their own. */
const points = crashPoints.filter((name) => !name.startsWith('report-'));

const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);

test(`a generated history of crashes (CRASH_SEED=${seed})`, async (t) => {
  const random = generator(seed);
  const among = (count: number) => Math.floor(random() * count);
  const sink = await startSink(t, {
    rcpt: (_address, attempt) => (attempt <= 2 && random() < 0.4 ? { code: 450, text: '4.2.0 Later' } : null),
  });
  const waybill = await startWaybill(t, {
    environment: {
      WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}`,
      WAYBILL_RETRY_SCHEDULE: new Array(50).fill('50ms').join(','),
      WAYBILL_LOG_LEVEL: 'error',
    },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const traffic: Traffic = { waybill, tenant, sink };
  const accepted: string[] = [];
  const startedAt = Date.now();
  for (let round = 0; round < rounds && Date.now() - startedAt < beginMs; round += 1) {
    const point = points[among(points.length)] ?? 'settled';
    const passes = 1 + among(point.startsWith('batch') ? 2 : (fewPasses[point] ?? mostPasses));
    if (random() < 0.5) await waybill.killAll();
    let sent = 0;
    if (await startsWith(waybill, `${point}:${passes}`)) {
      const died = () => waybill.log().includes('child process died');
      while (!died() && sent < mailsPerRound) {
        const count = 1 + among(mostMails);
        accepted.push(...(await sendUntilAccepted(traffic, count, round * 2 * mailsPerRound + sent)));
        sent += count;
      }
      await until(`round ${round}: ${point}:${passes} is passed`, died);
    }
    t.diagnostic(`round ${round}: ${point}:${passes}, ${sent} mails`);
  }
  await accountFor(traffic, accepted);
});

/** False if the point was passed at the start already, on what the round before had left: then it starts without. */
async function startsWith(waybill: Waybill, crashAt: string): Promise<boolean> {
  try {
    await waybill.restart({ WAYBILL_CRASH_AT: crashAt });
    return true;
  } catch (fault) {
    assert.match(String(fault), /ended before it was ready/);
    await waybill.restart();
    return false;
  }
}

/** Mulberry32: the same history for the same seed. */
function generator(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
