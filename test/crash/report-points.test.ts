/**
 * The process that has a late report in hand is ended at a named point, and started again. The invariant: a report that
 * was answered 250 is settled, once, with everything that follows from it; one that was not is handed in again, and
 * that changes nothing.
 */
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { crashPoints } from '../../src/base/crash-point.ts';
import { mailgunTotals } from '../support/apis.ts';
import { dsnAbout, handIn } from '../support/reports.ts';
import { send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

const points = crashPoints.filter((point) => point.startsWith('report-'));
const withinMs = 60_000;

describe('a crash with a report in hand', { concurrency: 3 }, () => {
  for (const point of points) {
    test(`SIGKILL at "${point}" loses no report and settles none twice`, async (t) => {
      const sink = await startSink(t);
      const waybill = await startWaybill(t, {
        environment: {
          WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}`,
          WAYBILL_BOUNCES_DOMAIN: 'bounces.example.net',
          WAYBILL_CRASH_AT: point,
          WAYBILL_LOG_LEVEL: 'error',
        },
      });
      const tenant = await waybill.createTenant('acme', 'acme.test');
      await send(waybill, tenant, { to: 'gone@example.org' });
      await until('delivered', () => sink.mails.length === 1, withinMs);
      const returnPath = sink.mails[0]?.reversePath ?? '';
      const hand = () => handIn(waybill, returnPath, dsnAbout('gone@example.org')).catch(() => '');
      await until('the report is taken', async () => (await hand()).startsWith('250'), withinMs);
      await until('the child died', () => waybill.log().includes('child process died'), withinMs);
      const bounced = async () =>
        (await mailgunTotals(waybill, tenant).catch(() => null))?.failed?.permanent['delayed-bounce'];
      await until('the report is settled', async () => (await bounced()) === 1, withinMs);
      await until('the sender is told', () => sink.mails.length === 2, withinMs);
      // Once more: it tells nothing new, and a mail after it is delivered after what it could have caused.
      assert.match(await hand(), /^250/);
      await send(waybill, tenant, { to: 'last@example.org' });
      await until('the last mail', () => sink.mails.length === 3, withinMs);
      assert.equal(sink.mails.filter(({ reversePath }) => reversePath === '').length, 1);
      assert.equal(await bounced(), 1);
    });
  }
});
