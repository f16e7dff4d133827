/** Postfix and Exim take a mail, find out later that they cannot deliver it, and write to our keyed return path. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { kaleyraLogs, mailbabyLog, submailLog } from '../support/apis.ts';
import { makeCertificate } from '../support/certificates.ts';
import { skipWithout } from '../support/environment.ts';
import { freePort } from '../support/free-port.ts';
import { startExim, startPostfix } from '../support/mail-servers.ts';
import { send } from '../support/send.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

const identity = await makeCertificate({ names: ['localhost'] });

for (const [name, peer, startServer] of [
  ['Postfix', 'postfix', startPostfix],
  ['Exim', 'exim4', startExim],
] as const) {
  test(`${name} takes a mail and bounces it: returned, in every API`, {
    skip: skipWithout(peer),
  }, async (t) => {
    const port = await freePort();
    const server = await startServer({ identity, onwardPort: port });
    t.after(() => server.stop());
    const waybill = await startWaybill(t, {
      environment: {
        WAYBILL_SMTP_LISTEN: `127.0.0.1:${port}`,
        WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${server.port}`,
        WAYBILL_BOUNCES_DOMAIN: 'onward.net',
        WAYBILL_NOTICES_TO: 'none',
      },
    });
    const tenant = await waybill.createTenant('acme', 'acme.test');
    await send(waybill, tenant, { to: ['gone@peer.net', 'good@peer.net'] });

    const states = await until(
      'the mail is returned',
      async () => {
        const { data } = await kaleyraLogs(waybill, tenant);
        return data.some(({ status }) => status === 'BOUNCE') ? data : null;
      },
      120_000,
    ).catch((late) => assert.fail(`${late}\n${server.log()}\n${waybill.log()}`));
    assert.deepEqual(states.map(({ to_mail, status }) => [to_mail, status]).toSorted(), [
      ['gone@peer.net', 'BOUNCE'],
      ['good@peer.net', 'DELIVERED'],
    ]);
    const { emails } = await mailbabyLog(waybill, tenant);
    assert.deepEqual(emails.map(({ recipient, delivered }) => [recipient, delivered]).toSorted(), [
      ['gone@peer.net', 0],
      ['good@peer.net', 1],
    ]);
    const { data } = await submailLog(waybill, tenant);
    assert.deepEqual(data.map(({ to_address, bounce }) => [to_address, bounce]).toSorted(), [
      ['gone@peer.net', 1],
      ['good@peer.net', 0],
    ]);
    const { stdout } = await waybill.cli('log', '--to', 'gone@peer.net', '--json');
    assert.match(stdout, /mailbox is gone/i);
  });
}
