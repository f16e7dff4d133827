/** What Waybill takes of a small machine while nothing happens. */
import test from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { rssMb } from '../support/memory.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

const boundMb = 350;

test('the office with an empty ledger has less than 350 MB', async (t) => {
  const waybill = await startWaybill(t);
  await systemClock.sleep(10_000);
  const { supervisor, relay, office } = waybill.ready.pids;
  await until('what the start needed is given back', async () => rssMb(office) < boundMb);
  t.diagnostic(`office ${rssMb(office)} MB, relay ${rssMb(relay)} MB, supervisor ${rssMb(supervisor)} MB`);
});
