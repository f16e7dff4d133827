/** Relay, office, or everything is ended with SIGKILL at random moments in mid-traffic, again and again. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { accountFor, sendUntilAccepted, type Traffic } from '../support/account.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

const rounds = 6;
const mailsPerRound = 15;
/** Chooses the moments. */
const seed = 20_261_122;

test(`kill -9 of relay, office or all in mid-traffic (seed ${seed})`, async (t) => {
  const random = generator(seed);
  const sink = await startSink(t);
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
  for (let round = 0; round < rounds; round += 1) {
    const sending = sendUntilAccepted(traffic, mailsPerRound, round * mailsPerRound);
    const moment = Math.floor(random() * mailsPerRound);
    await until('the moment has come', () => sink.mails.length >= accepted.length + moment);
    const victim = (['relay', 'office', 'all'] as const)[round % 3];
    if (victim === 'all') {
      await waybill.killAll();
      await waybill.restart();
    } else {
      const pids = await waybill.childPids();
      if (victim && pids[victim] > 0) process.kill(pids[victim], 'SIGKILL');
    }
    accepted.push(...(await sending));
  }
  assert.equal(accepted.length, rounds * mailsPerRound);
  await accountFor(traffic, accepted);
});

/** A small linear congruential generator: the same moments for the same seed. */
function generator(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
