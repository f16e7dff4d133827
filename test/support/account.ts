/** Sends mails through a server that may die meanwhile, and then accounts for every one of them. */
import assert from 'node:assert/strict';
import { kaleyraLogs, mailbabyLog, mailgunTotals, submailLog } from './apis.ts';
import { relayIdIn, send } from './send.ts';
import type { Sink } from './sink.ts';
import { until } from './until.ts';
import type { TenantCredentials, Waybill } from './waybill.ts';

export interface Traffic {
  waybill: Waybill;
  tenant: TenantCredentials;
  sink: Sink;
}

const sendersAtOnce = 4;
/** Over the bound up to which contents stand in the store, so that segment files are in use as well. */
/** Goes into a segment file, whatever else is under way. */
const largeText = 'a line of some length that makes the content large\r\n'.repeat(3000);

/** Sends `count` mails, each again until it is accepted. Resolves with the relay ids of the 250 replies. */
export async function sendUntilAccepted(traffic: Traffic, count: number, first = 0): Promise<string[]> {
  const numbers = Array.from({ length: count }, (_, index) => first + index);
  const accepted: string[] = [];
  const sender = async () => {
    for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
      accepted.push(await sendOne(traffic, number));
    }
  };
  await Promise.all(Array.from({ length: sendersAtOnce }, sender));
  return accepted;
}

function sendOne({ waybill, tenant }: Traffic, number: number): Promise<string> {
  const mail = { to: `r${number}@example.org`, ...(number % 3 === 0 ? { text: largeText } : {}) };
  return until(
    `mail ${number} is accepted`,
    async () => {
      const reply = await send(waybill, tenant, mail).catch(() => '');
      return relayIdIn(reply) || null;
    },
    30_000,
  );
}

/** Waits until the queue is empty, then checks that every accepted mail arrived and that all numbers agree. */
export async function accountFor(traffic: Traffic, accepted: readonly string[]): Promise<void> {
  const { waybill, tenant, sink } = traffic;
  const log = await until(
    'every delivery has ended',
    async () => {
      const page = await mailbabyLog(waybill, tenant, { limit: '10000' }).catch(() => null);
      return page?.emails.every(({ delivered }) => delivered === 1) ? page : null;
    },
    30_000,
  );

  const logged = new Set(log.emails.map(({ id }) => id));
  const arrived = new Set(sink.mails.map(({ content }) => /\bid ([0-9a-f]{18})/.exec(content)?.[1] ?? ''));
  for (const id of accepted) {
    assert.ok(logged.has(id), `accepted mail ${id} is not in the log`);
    assert.ok(arrived.has(id), `accepted mail ${id} did not arrive`);
  }
  assert.equal(logged.size, log.total, 'each mail had one recipient and stands once in the log');

  const totals = await mailgunTotals(waybill, tenant);
  assert.equal(totals.accepted?.total, log.total, 'accepted events are counted once each');
  assert.equal(totals.delivered?.total, log.total, 'delivered events are counted once each');
  assert.equal(totals.failed?.permanent['total'], 0);
  assert.equal((await kaleyraLogs(waybill, tenant, '?search=DELIVERED')).total, log.total);
  assert.equal((await submailLog(waybill, tenant)).total, log.total);
}
