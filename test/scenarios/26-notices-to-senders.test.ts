/** A sender whose mail does not arrive is told so by mail, and no log or number of the tenant shows that mail. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { readReport } from '../../src/relay/receive-report.ts';
import { mailbabyLog, mailgunTotals } from '../support/apis.ts';
import { send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

test('failed and expired mail is reported to its sender, and only to a sender of the tenant', async (t) => {
  const sink = await startSink(t, {
    rcpt: (address) => {
      if (address.startsWith('nobody')) return { code: 550, text: '5.1.1 No such user' };
      return address.startsWith('later') ? { code: 450, text: '4.2.0 Come back' } : null;
    },
  });
  const waybill = await startWaybill(t, {
    environment: {
      WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}`,
      WAYBILL_SMTP_TRUSTED: '127.0.0.0/8=acme',
      WAYBILL_RETRY_SCHEDULE: '100ms',
      WAYBILL_NOTICES_WARN_AFTER: '0s',
    },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const forged = { envelopeFrom: 'victim@elsewhere.test', withoutAuth: true };
  await send(waybill, tenant, { to: 'nobody@example.org', ...forged });
  await send(waybill, tenant, { to: 'nobody@example.org', envelopeFrom: '' });
  await send(waybill, tenant, { to: ['nobody@example.org', 'nobody2@example.org', 'fine@example.org'] });
  await send(waybill, tenant, { to: 'later@example.org' });
  const notices = () => sink.mails.filter(({ reversePath }) => reversePath === '');
  await until('both notices have arrived', () => notices().length === 2);
  assert.deepEqual(
    notices()
      .map(({ forwardPaths, content }) => ({
        to: forwardPaths,
        about: readReport(Buffer.from(content)).recipients.map(({ finalRecipient, action, status }) => [
          finalRecipient,
          action,
          status,
        ]),
      }))
      .toSorted((a, b) => b.about.length - a.about.length),
    [
      {
        to: ['app@acme.test'],
        about: [
          ['nobody@example.org', 'failed', '5.1.1'],
          ['nobody2@example.org', 'failed', '5.1.1'],
        ],
      },
      { to: ['app@acme.test'], about: [['later@example.org', 'failed', '4.2.0']] },
    ],
  );
  const log = await mailbabyLog(waybill, tenant);
  assert.deepEqual(
    [log.total, log.emails.filter(({ recipient }) => recipient.endsWith('acme.test'))],
    [6, []],
  );
  const totals = await mailgunTotals(waybill, tenant);
  assert.deepEqual([totals.accepted?.total, totals.delivered?.total], [6, 1]);
  const own = await waybill.cli('log', '--tenant', '_installation', '--json');
  assert.match(own.stdout, /app@acme\.test/);
});
