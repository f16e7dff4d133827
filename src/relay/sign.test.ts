/** Signatures over prepared mail, checked by another implementation. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { anyContent, mailauthVerdicts } from '../../test/support/dkim.ts';
import { systemClock } from '../base/clock.ts';
import { installationKey } from '../base/secret.ts';
import type { MailFacts } from '../events/event.ts';
import { dkimRecord } from '../protocol/dkim/record.ts';
import { openStore } from '../store/store.ts';
import { type DkimKeyPair, generateDkimKeyPair, openTenants, type Tenants } from '../tenants/tenants.ts';
import { prepare } from './prepare.ts';
import { createSigner } from './sign.ts';

const pairs: DkimKeyPair[] = await Promise.all([
  generateDkimKeyPair('rsa-sha256'),
  generateDkimKeyPair('ed25519-sha256'),
]);

function setUp(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-sign-'));
  const store = openStore(join(directory, 'store.sqlite'));
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });
  const tenantsWith = (seed: number) =>
    openTenants(store, installationKey(Buffer.alloc(32, seed)), systemClock);
  const tenants = tenantsWith(1);
  const made = tenants.createTenant({ name: 'acme' });
  assert.ok(made.ok);
  const own = { tenantId: made.value.tenant.id, domain: 'acme.test' };
  tenants.addSendingDomain(own.tenantId, own.domain);
  const rotate = (algorithms = pairs) => {
    assert.ok(tenants.addDkimKeys(own, algorithms).ok);
    assert.ok(tenants.rotateDkimKeys(own, 1000).ok);
  };
  return { tenants, tenantsWith, own, rotate };
}

function prepared(content: string | Buffer, tenantId: number): { facts: MailFacts; content: Buffer } {
  const submission = {
    ...{ tenantId, streamId: 10_001, trustedNetwork: false, origin: '127.0.0.1', greetingName: 'client' },
    ...{
      transport: 'smtp' as const,
      protocol: 'ESMTPA',
      reversePath: 'app@acme.test',
      forwardPaths: ['a@example.test'],
    },
    content: Buffer.from(content),
  };
  const circumstances = { mailId: 2 ** 40, acceptedAt: Date.now(), hostname: 'relay.example.net' };
  const made = prepare(submission, circumstances);
  assert.ok(made.ok, JSON.stringify(made));
  return { facts: { ...made.facts, sendingDomain: 'acme.test' }, content: made.content };
}

function verdicts(content: Buffer, tenants: Tenants, own: { tenantId: number; domain: string }) {
  return mailauthVerdicts(content, tenants.dkimKeys(own).map(dkimRecord));
}

const bothPass = ['ed25519-sha256 acme.test pass', 'rsa-sha256 acme.test pass'];

const contents: Record<string, string | Buffer> = {
  plain: 'From: a@acme.test\r\nTo: b@example.test\r\nSubject: x\r\n\r\nbody\r\n',
  'no fields at all': '\r\nbody\r\n',
  'no empty line': 'From: a@acme.test\r\nbody without a header section\r\n',
  'no body': 'From: a@acme.test\r\n\r\n',
  'no body and no empty line': 'From: a@acme.test\r\n',
  'no CRLF at the end': 'From: a@acme.test\r\n\r\nbody',
  'empty lines at the end': 'From: a@acme.test\r\n\r\nbody\r\n\r\n\r\n',
  'empty lines alone': 'From: a@acme.test\r\n\r\n\r\n\r\n',
  'blank lines alone': 'From: a@acme.test\r\n\r\n \t\r\n  \r\n',
  'white space everywhere':
    'From:\t a@acme.test \t\r\nSubject : \t two  words\t \r\n\r\n\tone \t two  \r\n three\r\n',
  'folded fields':
    'From: "A\r\n\tB"\r\n <a@acme.test>\r\nSubject:\r\n one\r\n  two \r\n \r\n three\r\n\r\nbody\r\n',
  '8-bit': Buffer.from(
    'From: \u00fc <a@acme.test>\r\nSubject: \u00a0\u00e9\u00a0\r\n\r\n\u00a0\u00fc \r\n',
    'latin1',
  ),
  'UTF-8': 'From: \u00fc <a@acme.test>\r\nSubject: \u2028 \u3000\r\n\r\n\u65e5\u672c\r\n',
  'fields twice': 'From: a@acme.test\r\nSubject: 1\r\nX: y\r\nSubject: 2\r\nTo: a\r\nTo: b\r\n\r\nbody\r\n',
  'names in odd case':
    'fROM: a@acme.test\r\nSUBJECT: x\r\nmime-VERSION: 1.0\r\nlist-ID: <l.acme.test>\r\n\r\nbody\r\n',
  'signed already': `DKIM-Signature: v=1; a=rsa-sha256; d=elsewhere.test; s=x;\r\n h=from; bh=; b=\r\nFrom: a@acme.test\r\n\r\nb\r\n`,
  'dots and long lines': `From: a@acme.test\r\n\r\n.\r\n..\r\n${'x '.repeat(499)}\r\n`,
  'larger than the window': `From: a@acme.test\r\n\r\n${'some  words \tin a line \r\n'.repeat(10_000)}\r\n\r\n`,
};

for (const [name, content] of Object.entries(contents)) {
  test(`both signatures of a mail are right: ${name}`, async (t) => {
    const { tenants, own, rotate } = setUp(t);
    rotate();
    const mail = prepared(content, own.tenantId);
    const signed = await createSigner(tenants)(mail.facts, mail.content);
    assert.ok(signed.ok);
    assert.ok(signed.content.subarray(-mail.content.length).equals(mail.content), 'nothing else is changed');
    const others = name === 'signed already' ? 1 : 0;
    const found = await verdicts(signed.content, tenants, own);
    assert.deepEqual(
      found.filter((line) => line.includes('acme.test')),
      bothPass,
    );
    assert.equal(found.length, bothPass.length + others);
  });
}

test('both signatures of any mail are right', async (t) => {
  const { tenants, own, rotate } = setUp(t);
  rotate();
  const sign = createSigner(tenants);
  await fc.assert(
    fc.asyncProperty(anyContent, async (content) => {
      const mail = prepared(content, own.tenantId);
      const signed = await sign(mail.facts, mail.content);
      assert.ok(signed.ok);
      assert.deepEqual(await verdicts(signed.content, tenants, own), bothPass);
    }),
    { numRuns: 150 },
  );
});

test('a field that is added later, or bytes that change, break the signatures', async (t) => {
  const { tenants, own, rotate } = setUp(t);
  rotate();
  const mail = prepared('From: a@acme.test\r\nSubject: x\r\n\r\nbody\r\n', own.tenantId);
  const signed = await createSigner(tenants)(mail.facts, mail.content);
  assert.ok(signed.ok);
  const text = signed.content.toString('latin1');
  const neither = ['ed25519-sha256 acme.test fail', 'rsa-sha256 acme.test fail'];
  for (const name of [
    'Subject',
    'From',
    'To',
    'Cc',
    'Reply-To',
    'Date',
    'MIME-Version',
    'Content-Type',
    'Message-ID',
  ]) {
    const added = text.replace('\r\n\r\n', `\r\n${name}: added\r\n\r\n`);
    assert.deepEqual(await verdicts(Buffer.from(added, 'latin1'), tenants, own), neither, name);
    assert.deepEqual(
      await verdicts(Buffer.from(`${name}: added\r\n${text}`, 'latin1'), tenants, own),
      neither,
      name,
    );
  }
  assert.notDeepEqual(
    await verdicts(Buffer.from(text.replace('body', 'Body'), 'latin1'), tenants, own),
    bothPass,
  );
  assert.deepEqual(
    await verdicts(Buffer.from(`Received: later\r\n${text}`, 'latin1'), tenants, own),
    bothPass,
  );
});

test('only active keys of the tenant’s own domain sign, and a change holds from the next mail on', async (t) => {
  const { tenants, own, rotate } = setUp(t);
  const sign = createSigner(tenants);
  const mail = prepared('From: a@acme.test\r\n\r\nbody\r\n', own.tenantId);
  const selectors = async (facts = mail.facts) => {
    const signed = await sign(facts, mail.content);
    assert.ok(signed.ok);
    return [...signed.content.toString('latin1').matchAll(/ s=([^;]+);/g)].map(([, selector]) => selector);
  };
  assert.deepEqual(await selectors(), [], 'no keys');
  assert.ok(tenants.addDkimKeys(own, pairs).ok);
  assert.deepEqual(await selectors(), [], 'pending');
  assert.ok(tenants.rotateDkimKeys(own, 1000).ok);
  const first = await selectors();
  assert.equal(first.length, 2);
  rotate(pairs.slice(0, 1));
  const second = await selectors();
  assert.deepEqual([second[0], second.length, second[1] === first[1]], [first[0], 2, false], 'RSA rotated');
  assert.deepEqual(await selectors({ ...mail.facts, sendingDomain: 'unknown.test' }), []);
  assert.deepEqual(await selectors({ ...mail.facts, sendingDomain: '' }), []);
  assert.deepEqual(await selectors({ ...mail.facts, tenantId: own.tenantId + 1 }), []);
  assert.ok(
    tenants.retireDkimKeys(
      own,
      second.map((selector) => selector ?? ''),
      1000,
    ).ok,
  );
  assert.deepEqual(await selectors(), [], 'retired');
});

test('a key that cannot be read has the mail refused for now, without a word about the key', async (t) => {
  const { tenants, tenantsWith, own, rotate } = setUp(t);
  rotate();
  const mail = prepared('From: a@acme.test\r\n\r\nbody\r\n', own.tenantId);
  const refused = await createSigner(tenantsWith(2))(mail.facts, mail.content);
  assert.equal(refused.ok, false);
  assert.deepEqual(refused.ok ? null : [refused.reply.code, refused.reply.enhancedStatus], [451, '4.7.5']);
  assert.doesNotMatch(refused.ok ? '' : refused.reply.text, /wb2|acme/);
  assert.match(refused.ok ? '' : refused.privateReason, /^signing for acme\.test with wb\w+, wb\w+ failed: /);
  const signed = await createSigner(tenants)(mail.facts, mail.content);
  assert.ok(signed.ok, 'and with the right key it is taken');
});

test('many mails at once are all signed, also after some whose key did not sign', async (t) => {
  const { own } = setUp(t);
  const mail = prepared('From: a@acme.test\r\n\r\nbody\r\n', own.tenantId);
  // A key for another purpose: it opens, and cannot sign.
  const wrong = generateKeyPairSync('x25519').privateKey;
  let right = false;
  const sign = createSigner({
    signingKeys: () => [{ id: right ? 2 : 1, selector: 's', algorithm: 'rsa-sha256' }],
    openSigningKey: (id) => (id === 2 && pairs[0] ? pairs[0].privateKey : wrong),
  });
  const outcomes = async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => sign(mail.facts, mail.content)));
    return all.map((one) => (one.ok ? 250 : one.reply.code));
  };
  assert.deepEqual(await outcomes(), new Array(20).fill(451));
  right = true;
  assert.deepEqual(await outcomes(), new Array(20).fill(250));
});
