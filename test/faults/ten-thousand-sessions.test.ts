/** As many sessions as there is room for, all at once, with the product as it is started by default. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import test from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { submailLog } from '../support/apis.ts';
import { rssMb } from '../support/memory.ts';
import { send } from '../support/send.ts';
import { until } from '../support/until.ts';
import { type Address, startWaybill } from '../support/waybill.ts';

/** Connections that are being made at once; a listener's backlog is longer. */
const opening = 100;
const boundMb = 300;
/** Of open files, for this process and for each it starts. */
const fileLimit = Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim());
const skip = fileLimit < limits.smtpSessions + 500 && `only ${fileLimit} files may be open (ulimit -Hn)`;

test('ten thousand sessions are open, and mail flows; one more is told 421', { skip }, async (t) => {
  const waybill = await startWaybill(t);
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const before = rssMb(waybill.ready.pids.relay);
  const sessions: Socket[] = [];
  t.after(() => {
    for (const socket of sessions) socket.destroy();
  });
  // One place is left, for the mail.
  while (sessions.length < limits.smtpSessions - 1) {
    const missing = Math.min(opening, limits.smtpSessions - 1 - sessions.length);
    const replies = await Promise.all(Array.from({ length: missing }, () => greeted(waybill.smtp, sessions)));
    for (const reply of replies) assert.match(reply, /^220 /);
  }
  await send(waybill, tenant, { to: 'ok@example.test' });
  await until('the mail is delivered', async () => (await submailLog(waybill, tenant)).total === 1);

  assert.match(await freePlace(waybill.smtp, sessions), /^220 /);
  assert.match(await greeted(waybill.smtp, sessions), /^421 /);
  const after = rssMb(waybill.ready.pids.relay);
  t.diagnostic(
    `the relay has ${after} MB with ${limits.smtpSessions} sessions, and had ${before} MB without`,
  );
  assert.ok(after < before + boundMb, `${after} MB`);

  for (const socket of sessions) socket.destroy();
  assert.match(await freePlace(waybill.smtp, sessions), /^220 /);
});

/** Opens a connection and waits for the first line. */
function greeted({ host, port }: Address, sessions: Socket[]): Promise<string> {
  const socket = connect({ host, port });
  sessions.push(socket);
  return new Promise((resolve, reject) => {
    socket.once('data', (bytes) => resolve(bytes.toString('latin1')));
    socket.on('error', reject);
  });
}

/** The place of a session that has ended is free a moment later. */
async function freePlace(smtp: Address, sessions: Socket[]): Promise<string> {
  let reply = '';
  await until('there is a place', async () => {
    reply = await greeted(smtp, sessions);
    return reply.startsWith('220 ');
  });
  return reply;
}
