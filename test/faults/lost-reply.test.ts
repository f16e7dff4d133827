/**
 * A remote that takes the content and hangs up before it says so. Nobody can know whether the mail was taken: it is
 * sent again (at least once), and told as delivered once.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { mailgunTotals } from '../support/apis.ts';
import {
  close,
  expectContent,
  expectLine,
  hello,
  reset,
  type Script,
  say,
  startScriptServer,
} from '../support/script-server.ts';
import { relayIdIn, send } from '../support/send.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

const transaction: Script = [
  expectLine(/^MAIL FROM:/),
  say('250 2.1.0 Ok'),
  expectLine(/^RCPT TO:/),
  say('250 2.1.5 Ok'),
  expectLine('DATA'),
  say('354 Go on'),
  expectContent,
];

test('content taken, connection dropped before the reply: delivered again', async (t) => {
  const remote = await startScriptServer([
    [...hello(), ...transaction, reset],
    [...hello(), ...transaction, close],
    [...hello(), ...transaction, say('250 2.0.0 Taken')],
  ]);
  t.after(() => remote.close());
  const waybill = await startWaybill(t, {
    environment: {
      WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${remote.port}?tls=none`,
      WAYBILL_RETRY_SCHEDULE: '50ms,50ms,50ms',
    },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const id = relayIdIn(await send(waybill, tenant, { to: 'ann@example.org' }));
  await remote.finished();
  const contents = remote.connections.map(({ heard }) => heard.find((text) => text.includes(id)) ?? '');
  assert.equal(contents.length, 3);
  assert.equal(new Set(contents).size, 1, 'the same bytes each time');
  const totals = await until('it is told as delivered', async () => {
    const found = await mailgunTotals(waybill, tenant);
    return found.delivered?.total ? found : null;
  });
  assert.equal(totals.delivered?.total, 1);
  assert.equal(totals.failed?.temporary.total, 2, 'each lost reply is a deferral');
});
