/**
 * The process that passes a named point is ended there with SIGKILL, under traffic; the supervisor starts it again.
 *
 * The invariant: what was answered 250 is delivered, and each event is counted once. A mail the client got no
 * answer for may be there as well (it sends it again), and a remote may get a mail twice (at least once): both are
 * tolerable. A mail that is missing, or a number that counts an event twice or not at all, is not.
 */
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { type CrashPoint, crashPoints } from '../../src/base/crash-point.ts';
import { accountFor, sendUntilAccepted, type Traffic } from '../support/account.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

const mails = 12;

/** A later pass lets traffic be under way when the end comes. */
const passes: Partial<Record<CrashPoint, number>> = {
  'content-written': 5,
  'mail-committed': 5,
  'reply-read': 4,
  settled: 4,
};

// Most of their time is waiting for processes to start: several at once.
describe('a crash at a named point', { concurrency: 3 }, () => {
  for (const point of crashPoints.filter((name) => !name.startsWith('report-'))) {
    test(`SIGKILL at "${point}" loses nothing and counts nothing twice`, async (t) => {
      // Every address is refused once, so that there are leases written by the scheduler.
      const sink = await startSink(t, {
        rcpt: (_address, attempt) => (attempt === 1 ? { code: 450, text: '4.2.0 Later' } : null),
      });
      const waybill = await startWaybill(t, {
        environment: {
          WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}`,
          WAYBILL_RETRY_SCHEDULE: new Array(50).fill('50ms').join(','),
          WAYBILL_CRASH_AT: `${point}:${passes[point] ?? 1}`,
          WAYBILL_LOG_LEVEL: 'error',
        },
      });
      const tenant = await waybill.createTenant('acme', 'acme.test');
      const traffic: Traffic = { waybill, tenant, sink };
      const accepted = await sendUntilAccepted(traffic, mails);
      await until('the child died', () => waybill.log().includes('child process died'));
      await accountFor(traffic, accepted);
      assert.equal(accepted.length, mails);
    });
  }
});

test('a relay that dies while the office is still starting is started again', async (t) => {
  const isOpen = { value: false };
  const sink = await startSink(t, {
    rcpt: () => (isOpen.value ? null : { code: 450, text: '4.2.0 Later' }),
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
  const accepted = await sendUntilAccepted(traffic, 3);
  await waybill.killAll();
  isOpen.value = true;
  // What is due is leased as soon as the relay is ready; the office has a database to open.
  await waybill.restart({ WAYBILL_CRASH_AT: 'leased' });
  accepted.push(...(await sendUntilAccepted(traffic, 3, 100)));
  await accountFor(traffic, accepted);
});
