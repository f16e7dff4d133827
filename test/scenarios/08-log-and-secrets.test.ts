/** What the log may never hold, and what may never break a line of it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'node:test';
import { mailbabyLog, mailgunTotals, submailLog } from '../support/apis.ts';
import { send } from '../support/send.ts';
import { startWaybill, type Waybill } from '../support/waybill.ts';

/** Says all lines at once and reads until the server closes. */
async function converse({ smtp }: Waybill, lines: readonly string[]): Promise<string> {
  const socket = connect(smtp.port, smtp.host);
  let heard = '';
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString();
  });
  socket.write(lines.map((line) => `${line}\r\n`).join(''));
  await once(socket, 'close');
  return heard;
}

test('neither secrets nor content reach the log, at any level', async (t) => {
  const waybill = await startWaybill(t, { environment: { WAYBILL_LOG_LEVEL: 'debug' } });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await send(waybill, tenant, {
    to: 'bounce@example.test',
    subject: 'Subject-Canary',
    text: 'Content-Canary',
  });
  const wrong = Buffer.from('\0acme\0Wrong-Password-Canary').toString('base64');
  await converse(waybill, ['EHLO client', `AUTH PLAIN ${wrong}`, 'QUIT']);
  await mailbabyLog(waybill, tenant);
  await submailLog(waybill, tenant);
  await mailgunTotals(waybill, tenant);
  await fetch(`${waybill.http}/mail/log?subject=Query-Canary`, { headers: { 'x-api-key': 'Key-Canary' } });
  await waybill.stop();

  const log = waybill.log();
  assert.match(log, /"msg"/);
  const { smtp, mailgun, mailbaby, kaleyra, submail } = tenant;
  const secrets = [smtp.password, mailgun.apiKey, mailbaby.apiKey, kaleyra.apiKey, submail.appkey];
  for (const secret of [
    ...secrets,
    wrong,
    'Wrong-Password-Canary',
    'Key-Canary',
    'Query-Canary',
    'Content-Canary',
  ]) {
    assert.ok(!log.includes(secret), `the log holds ${secret}`);
  }
});

test('nothing a client says breaks a line of the log', async (t) => {
  const waybill = await startWaybill(t, { environment: { WAYBILL_LOG_LEVEL: 'debug' } });
  await waybill.createTenant('acme', 'acme.test');
  await converse(waybill, [
    'EHLO \u001b[31mred\u2028{"level":60,"msg":"forged"}',
    'MAIL FROM:<"a\rb"@x.test>',
    'QUIT',
  ]);
  await fetch(`${waybill.http}/${encodeURIComponent('\n{"level":60,"msg":"forged"}')}`);
  await waybill.stop();
  for (const line of waybill.log().trim().split('\n')) {
    const { msg } = JSON.parse(line) as { msg: string };
    assert.notEqual(msg, 'forged');
    assert.doesNotMatch(line, /[\u0000-\u001f\u2028]/);
  }
});

test('a header cannot be smuggled into the mail or its story', async (t) => {
  const waybill = await startWaybill(t);
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await send(waybill, tenant, {
    to: 'ok@example.test',
    subject: 'x',
    headers: { __proto__: 'y', 'X-Constructor': '__proto__' },
  });
  const user = Buffer.from(`\0acme\0${tenant.smtp.password}`).toString('base64');
  const heard = await converse(waybill, [
    ...[
      'EHLO client',
      `AUTH PLAIN ${user}`,
      'MAIL FROM:<app@acme.test>',
      'RCPT TO:<ok@example.test>',
      'DATA',
    ],
    ...[
      'From: app@acme.test',
      '__proto__: polluted',
      'constructor: polluted',
      'Subject: =?utf-8?Q?a=0D=0ABcc:_evil@x.test?=',
      '',
    ],
    ...['body', '.', 'QUIT'],
  ]);
  assert.match(heard, /250 2\.0\.0 Ok: queued as/);
  const { total, emails } = await mailbabyLog(waybill, tenant);
  assert.equal(total, 2);
  const subject = (emails[0] as unknown as { subject: string }).subject;
  assert.equal(subject, 'a Bcc: evil@x.test');
});
