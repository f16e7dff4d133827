/** Relay, office, or everything is ended with SIGKILL at random moments in mid-traffic, again and again. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import { accountFor, sendUntilAccepted, type Traffic } from '../support/account.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

const rounds = 6;
const mailsPerRound = 15;
const officeKills = 8;
const mailsPerKill = 6;
/** Between a batch that was seen to be begun and the end of the office. */
const longestPauseMs = 100;
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

test(`kill -9 of the office in its drains: every projection and the chain hold each event once (seed ${seed})`, async (t) => {
  const random = generator(seed);
  const sink = await startSink(t);
  const waybill = await startWaybill(t, {
    environment: { WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}`, WAYBILL_LOG_LEVEL: 'error' },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const traffic: Traffic = { waybill, tenant, sink };
  const store = new DatabaseSync(join(waybill.dataDir, 'waybill.sqlite'), { readOnly: true });
  t.after(() => store.close());
  const cursor = store.prepare('SELECT pending_to FROM ledger_cursor');
  const batchIsBegun = () => cursor.get()?.['pending_to'] !== null;
  const accepted: string[] = [];
  for (let kill = 0, killed = 0; kill < officeKills; kill += 1) {
    const office = await until(
      'the office runs again',
      async () => {
        const pid = (await waybill.childPids().catch(() => null))?.office ?? 0;
        return pid > 0 && pid !== killed && pid;
      },
      60_000,
    );
    let sent = false;
    const sending = sendUntilAccepted(traffic, mailsPerKill, kill * mailsPerKill).finally(() => {
      sent = true;
    });
    await until('a batch is begun, or everything is sent', () => batchIsBegun() || sent, 60_000);
    await pause(random() * longestPauseMs);
    process.kill(office, 'SIGKILL');
    killed = office;
    accepted.push(...(await sending));
  }
  const answers = async () => (await fetch(`${waybill.http}/healthz`).catch(() => null))?.ok ?? false;
  await until('the office answers', answers, 120_000);
  await accountFor(traffic, accepted);
  const { code, stdout, stderr } = await waybill.cli('ledger', 'verify', '--chain');
  assert.equal(code, 0, `${stdout}${stderr}`);
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A small linear congruential generator: the same moments for the same seed. */
function generator(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
