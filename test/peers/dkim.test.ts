/** Mail as it leaves the relay, its signatures checked by python3-dkim and mailauth. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { createTransport } from 'nodemailer';
import { systemClock } from '../../src/base/clock.ts';
import { installationKey } from '../../src/base/secret.ts';
import { dkimRecord } from '../../src/protocol/dkim/record.ts';
import { prepare } from '../../src/relay/prepare.ts';
import { createSigner } from '../../src/relay/sign.ts';
import { openStore } from '../../src/store/store.ts';
import { generateDkimKeyPair, openTenants } from '../../src/tenants/tenants.ts';
import { currentContent, dkimpyVerdicts, mailauthVerdicts } from '../support/dkim.ts';
import { skipWithout } from '../support/environment.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill, type TenantCredentials, type Waybill } from '../support/waybill.ts';

const skip = skipWithout('dkimverify');
const bothPass = ['ed25519-sha256 acme.test pass', 'rsa-sha256 acme.test pass'];

interface ShownKeys {
  keys: { selector: string; state: string; record: { name: string; text: string } }[];
}

async function dkim(waybill: Waybill, ...words: string[]): Promise<ShownKeys> {
  const { code, stdout, stderr } = await waybill.cli('dkim', ...words, '--json');
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stdout + stderr, /PRIVATE|sealed/i);
  return JSON.parse(stdout) as ShownKeys;
}

async function sendRaw(waybill: Waybill, { smtp }: TenantCredentials, raw: string): Promise<void> {
  const { host, port } = waybill.smtp;
  const auth = { user: smtp.username, pass: smtp.password };
  const transport = createTransport({ host, port, auth, tls: { rejectUnauthorized: false } });
  await transport.sendMail({ raw, envelope: { from: 'app@acme.test', to: ['someone@example.org'] } });
  transport.close();
}

test('a mail that went through the relay: unsigned, signed, signed with the next key', {
  skip,
}, async (t) => {
  const sink = await startSink(t);
  const waybill = await startWaybill(t, {
    environment: { WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}` },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const raw = [
    ...[
      'From: "A  B"\r\n\t<app@below.acme.test>',
      'To: someone@example.org',
      'Subject: =?utf-8?Q?x?=  \r\n  y\t',
    ],
    ...['MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit'],
    ...['', 'Grüße,  mit\tTab ', '.', '..Punkte', '', '  ', '', ''],
  ].join('\r\n');
  const received = async (count: number) => {
    const number = `X-Number: ${count}\r\n`;
    await sendRaw(waybill, tenant, number + raw);
    const mail = await until(
      'it arrives',
      () => sink.mails.find(({ content }) => content.includes(number)) ?? null,
    );
    return Buffer.from(mail.content);
  };
  const verdictsOf = async (content: Buffer) => {
    const records = (await dkim(waybill, 'show', 'acme.test')).keys.map(({ record }) => record);
    const [byPython] = await dkimpyVerdicts([content], records);
    return { byPython, byMailauth: await mailauthVerdicts(content, records) };
  };

  await dkim(waybill, 'create', 'acme.test');
  assert.doesNotMatch((await received(1)).toString(), /^DKIM-Signature:/m, 'keys are pending');

  await dkim(waybill, 'rotate', 'acme.test');
  const first = await received(2);
  assert.deepEqual(await verdictsOf(first), { byPython: bothPass, byMailauth: bothPass });

  await dkim(waybill, 'create', 'acme.test', '--algorithm', 'rsa');
  await dkim(waybill, 'rotate', 'acme.test');
  const second = await received(3);
  assert.match(second.toString(), / s=wb\d{6}c;/);
  assert.doesNotMatch(second.toString(), / s=wb\d{6}a;/);
  assert.deepEqual(await verdictsOf(second), { byPython: bothPass, byMailauth: bothPass });
  assert.deepEqual(
    await verdictsOf(first),
    { byPython: bothPass, byMailauth: bothPass },
    'the old record stays',
  );
  assert.equal(await waybill.stop(), 0);
  assert.doesNotMatch(waybill.log(), /PRIVATE/);
});

test('any mail, checked by python3-dkim', { skip }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-dkimpy-'));
  const store = openStore(join(directory, 'store.sqlite'));
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  const tenants = openTenants(store, installationKey(Buffer.alloc(32, 1)), systemClock);
  const made = tenants.createTenant({ name: 'acme' });
  assert.ok(made.ok);
  const own = { tenantId: made.value.tenant.id, domain: 'acme.test' };
  tenants.addSendingDomain(own.tenantId, own.domain);
  const pairs = [await generateDkimKeyPair('rsa-sha256'), await generateDkimKeyPair('ed25519-sha256')];
  assert.ok(tenants.addDkimKeys(own, pairs).ok && tenants.rotateDkimKeys(own, 1).ok);
  const sign = createSigner(tenants);

  const contents = fc.sample(currentContent, 60);
  const signed = await Promise.all(
    contents.map(async (content) => {
      const submission = {
        ...{ tenantId: own.tenantId, streamId: 10_001, trustedNetwork: false, origin: '127.0.0.1' },
        ...{ greetingName: 'client', transport: 'smtp' as const, protocol: 'ESMTPA' },
        ...{ reversePath: 'app@acme.test', forwardPaths: ['a@example.org'], content: Buffer.from(content) },
      };
      const circumstances = { mailId: 2 ** 40, acceptedAt: Date.now(), hostname: 'relay.example.net' };
      const mail = prepare(submission, circumstances);
      assert.ok(mail.ok);
      const result = await sign({ ...mail.facts, sendingDomain: 'acme.test' }, mail.content);
      assert.ok(result.ok);
      // On its way the last line gets its end, if it lacks one.
      const sent = result.content.toString('latin1').replace(/(?<!\r\n)$/, '\r\n');
      return Buffer.from(sent, 'latin1');
    }),
  );
  const verdicts = await dkimpyVerdicts(signed, tenants.dkimKeys(own).map(dkimRecord));
  for (const [index, found] of verdicts.entries()) {
    assert.deepEqual(found, bothPass, JSON.stringify(signed[index]?.toString('latin1')));
  }
});
