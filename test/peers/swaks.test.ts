/** swaks, as an operator uses it: each way of AUTH, with and without TLS, and what it reads when refused. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import test from 'node:test';
import { mailbabyLog } from '../support/apis.ts';
import { peerCommand, skipWithout } from '../support/environment.ts';
import { startWaybill, type TenantCredentials, type Waybill } from '../support/waybill.ts';

function swaks(waybill: Waybill, args: string[]): Promise<{ code: number; transcript: string }> {
  const server = ['--server', waybill.smtp.host, '--port', String(waybill.smtp.port), '--timeout', '20'];
  return new Promise((resolve) => {
    execFile(peerCommand('swaks'), [...server, ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, transcript: stdout + stderr });
    });
  });
}

const login = ({ smtp }: TenantCredentials) => [
  '--auth-user',
  smtp.username,
  '--auth-password',
  smtp.password,
];

test('swaks sends with AUTH PLAIN and LOGIN, with STARTTLS and without', {
  skip: skipWithout('swaks'),
}, async (t) => {
  const waybill = await startWaybill(t);
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const envelope = ['--from', 'app@acme.test', '--to', 'ok@example.test'];
  for (const way of [['PLAIN'], ['LOGIN'], ['PLAIN', '--tls'], ['LOGIN', '--tls']]) {
    const [mechanism = '', ...rest] = way;
    const { code, transcript } = await swaks(waybill, [
      ...envelope,
      ...login(tenant),
      '--auth',
      mechanism,
      ...rest,
    ]);
    assert.equal(code, 0, transcript);
    assert.match(transcript, /250 2\.0\.0 Ok: queued as [0-9a-f]{18}/);
  }
  assert.equal((await mailbabyLog(waybill, tenant)).total, 4);
});

test('swaks is told why it is refused', { skip: skipWithout('swaks') }, async (t) => {
  const waybill = await startWaybill(t);
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const envelope = ['--from', 'app@acme.test', '--to', 'ok@example.test'];
  const wrong = await swaks(waybill, [
    ...envelope,
    '--auth',
    'PLAIN',
    '--auth-user',
    'acme',
    '--auth-password',
    'wrong',
  ]);
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.transcript, /535 5\.7\.8/);
  const none = await swaks(waybill, envelope);
  assert.match(none.transcript, /530 5\.7\.0/);
  const foreign = await swaks(waybill, [
    '--from',
    'x@else.test',
    '--to',
    'ok@example.test',
    ...login(tenant),
    '--auth',
    'PLAIN',
  ]);
  assert.match(foreign.transcript, /550 5\.7\.1 Sender refused: else\.test/);
});
