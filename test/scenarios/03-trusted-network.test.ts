/** A trusted network may name a tenant that does not exist yet: its clients wait, then submit without AUTH. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createTransport } from 'nodemailer';
import { mailbabyLog } from '../support/apis.ts';
import { startWaybill, type Waybill } from '../support/waybill.ts';

function sendWithoutAuth(waybill: Waybill) {
  const transport = createTransport({ ...waybill.smtp, tls: { rejectUnauthorized: false } });
  return transport
    .sendMail({ from: 'app@acme.test', to: 'ok@example.test', text: 'x' })
    .finally(() => transport.close());
}

test('450 until the tenant exists, then accepted for it', async (t) => {
  const waybill = await startWaybill(t, { environment: { WAYBILL_SMTP_TRUSTED: '127.0.0.0/8=acme' } });
  await assert.rejects(
    sendWithoutAuth(waybill),
    (error: { responseCode?: number }) => error.responseCode === 450,
  );
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await sendWithoutAuth(waybill);
  assert.equal((await mailbabyLog(waybill, tenant)).total, 1);
});

test('without a trusted network AUTH is required', async (t) => {
  const waybill = await startWaybill(t);
  await waybill.createTenant('acme', 'acme.test');
  await assert.rejects(
    sendWithoutAuth(waybill),
    (error: { responseCode?: number }) => error.responseCode === 530,
  );
});
