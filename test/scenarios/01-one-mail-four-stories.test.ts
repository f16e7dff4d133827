/** One mail to two people, delivered over SMTP; the four APIs tell the same of it at once. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { kaleyraLogs, kaleyraStats, mailbabyLog, mailgunTotals, submailLog } from '../support/apis.ts';
import { relayIdIn, send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

test('a mail goes in, is delivered, and its story is told by four APIs', async (t) => {
  const sink = await startSink(t);
  const waybill = await startWaybill(t, {
    environment: { WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}` },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const to = ['jane@example.org', 'joe@example.net'];
  const relayId = relayIdIn(
    await send(waybill, tenant, { to, subject: 'Grüße', text: '.leading dot\r\n..two\r\n' }),
  );
  assert.match(relayId, /^[0-9a-f]{18}$/);

  // Sent, then looked up, without waiting: the mail is there whatever became of it so far.
  assert.equal((await mailbabyLog(waybill, tenant)).total, 2);

  await until(
    'both are delivered',
    async () => (await mailbabyLog(waybill, tenant, { delivered: '1' })).total === 2,
  );
  const [received] = sink.mails;
  assert.equal(sink.mails.length, 1);
  assert.deepEqual(received?.forwardPaths, to);
  assert.equal(received?.reversePath, 'app@acme.test');
  assert.match(received?.content ?? '', /^Received: .*\r\n/);
  assert.match(received?.content ?? '', /\r\n\.leading dot\r\n\.\.two\r\n/);

  const mailbaby = await mailbabyLog(waybill, tenant, { mailid: relayId });
  assert.deepEqual(
    mailbaby.emails
      .map(({ id, recipient, delivered, code }) => ({ id, recipient, delivered, code }))
      .reverse(),
    to.map((recipient) => ({ id: relayId, recipient, delivered: 1, code: 250 })),
  );
  const submail = await submailLog(waybill, tenant);
  assert.equal(submail.total, 2);
  assert.deepEqual(
    submail.data.map(({ status, bounce }) => [status, bounce]),
    [
      [6, 0],
      [6, 0],
    ],
  );
  const kaleyra = await kaleyraLogs(waybill, tenant);
  assert.deepEqual(
    kaleyra.data.map(({ status }) => status),
    ['DELIVERED', 'DELIVERED'],
  );
  const [record] = kaleyra.data;
  assert.ok(record);
  const story = await kaleyraStats(waybill, tenant, record.message_id);
  assert.match(JSON.stringify(story), /"status":"DELIVERED"/);
  const totals = await mailgunTotals(waybill, tenant);
  assert.equal(totals.accepted?.outgoing, 2);
  assert.equal(totals.delivered?.smtp, 2);
  assert.equal(totals.failed?.permanent['total'], 0);
});
