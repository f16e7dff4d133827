/** The number of a warm-up's day holds over an end at the worst moment: the remote has answered, the verdict is not on disk. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { sendUntilAccepted } from '../support/account.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

const perDay = 5;
const mails = 9;

interface Shown {
  warmUps: { sites: { sentToday: number }[] }[];
  held: { count: number };
}

test('SIGKILL at "reply-read" sends no more than the number of the day, and the rest is held', async (t) => {
  const sink = await startSink(t);
  const waybill = await startWaybill(t, {
    environment: {
      WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}?tls=none`,
      WAYBILL_DELIVERY_IP_POOLS: 'main=127.0.0.43',
      WAYBILL_CRASH_AT: 'reply-read:3',
      WAYBILL_LOG_LEVEL: 'error',
    },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const plan = join(waybill.dataDir, 'plan.toml');
  writeFileSync(plan, `[[stage]]\ndays = 9\nmails_per_day = ${perDay}\n`);
  await waybill.cli('pool', 'set', 'acme', '--pool', 'main');
  await waybill.cli('warmup', 'start', '127.0.0.43', '--plan', plan);
  await sendUntilAccepted({ waybill, tenant, sink }, mails);
  await until('the child died', () => waybill.log().includes('child process died'));
  const shown = await until('the rest is held', async () => {
    const { stdout } = await waybill.cli('warmup', 'show', '--json');
    const read = JSON.parse(stdout) as Shown;
    const arrived = new Set(sink.mails.flatMap(({ forwardPaths }) => forwardPaths)).size;
    return read.held.count >= mails - arrived ? read : null;
  });
  assert.equal(shown.warmUps[0]?.sites[0]?.sentToday, perDay);
  assert.ok(sink.mails.length <= perDay, `${sink.mails.length} were sent`);
});
