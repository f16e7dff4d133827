import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { installationKey } from '../base/secret.ts';
import { openStore } from '../store/store.ts';
import { openTenants } from '../tenants/tenants.ts';
import { prepare } from './prepare.ts';
import { senderRight } from './sender-rights.ts';

const directory = mkdtempSync(join(tmpdir(), 'waybill-rights-'));
const store = openStore(join(directory, 'store.sqlite'));
after(() => {
  store.close();
  rmSync(directory, { recursive: true });
});
const tenants = openTenants(store, installationKey(Buffer.alloc(32, 1)), systemClock);

function tenantWith(name: string, domain: string): number {
  const made = tenants.createTenant({ name });
  assert.ok(made.ok);
  tenants.addSendingDomain(made.value.tenant.id, domain);
  return made.value.tenant.id;
}
const tenantId = tenantWith('acme', 'acme.test');
tenantWith('other', 'other.test');

/** '' if the tenant may, else who is in the way. */
function problem(fields: string, { reversePath = 'app@acme.test', trustedNetwork = false } = {}): string {
  const submission = {
    ...{ tenantId, streamId: 10_001, trustedNetwork, origin: '127.0.0.1', greetingName: 'client' },
    ...{ transport: 'smtp' as const, protocol: 'ESMTPA', reversePath, forwardPaths: ['b@example.org'] },
    content: Buffer.from(`${fields}\r\n\r\nx\r\n`),
  };
  const mail = prepare(submission, { mailId: 2 ** 40, acceptedAt: 0, hostname: 'relay.example.net' });
  if (!mail.ok) return mail.reply.text;
  const right = senderRight(tenants, submission, mail);
  return right.ok ? '' : (right.problem.split(' ')[0] ?? '');
}

const own = ['a@acme.test', 'Ann <a@below.acme.test>', '"evil@else.net" <a@acme.test>', 'A@Acme.Test'];
const alsoOwn = [
  'a@acme.test <a@acme.test>',
  'a@acme.test, b@acme.test',
  'Ann (evil@else.net) <a@acme.test>',
  '=?utf-8?Q?evil@else.net?= <a@acme.test>',
  'Ann@home <a@acme.test>',
  '"a b"@acme.test',
];
for (const from of [...own, ...alsoOwn]) {
  test(`own: ${from}`, () => assert.equal(problem(`From: ${from}`), ''));
}

const foreign = [
  ...[
    'evil@else.net',
    'a@acme.test, evil@else.net',
    'evil@else.net, a@acme.test',
    'G: a@acme.test, evil@else.net;',
  ],
  ...['a@acme.test <evil@else.net>', 'evil@else.net <a@acme.test>', '"a@acme.test" <evil@else.net>'],
  ...['(a@acme.test) evil@else.net', '<a@acme.test> <evil@else.net>', '<a@acme.test>evil@else.net'],
  ...['a@acme.test evil@else.net', 'x <a@acme.test> y <evil@else.net>', '"\\"<a@acme.test>" <evil@else.net>'],
  ...['a@acme.test;evil@else.net', '"a@acme.test, " <evil@else.net>'],
];
for (const from of foreign) {
  test(`foreign: ${from}`, () => assert.equal(problem(`From: ${from}`), 'else.net'));
}

test('fields that readers disagree about: two of them, folded, with a space before the colon', () => {
  const twice = 'Message refused: more than one From field';
  assert.equal(problem('From: a@acme.test\r\nFrom: evil@else.net'), twice);
  assert.equal(problem('from : evil@else.net\r\nFROM: a@acme.test'), twice);
  assert.equal(problem('From :\r\n evil@else.net'), 'else.net');
  assert.equal(problem('From: <evil@else.net(>@acme.test)>'), 'the', 'no domain that is one');
});

test('the reverse-path counts as well, and stands in for a From field that is missing', () => {
  const [fields, bare] = ['From: a@acme.test', 'Subject: x'];
  assert.equal(problem(fields, { reversePath: '' }), '');
  assert.equal(problem(fields, { reversePath: 'bounce@below.acme.test' }), '');
  assert.equal(problem(fields, { reversePath: 'x@else.net' }), 'else.net');
  assert.equal(problem(bare), '');
  assert.equal(problem(bare, { reversePath: 'x@else.net' }), 'else.net');
  assert.equal(problem(bare, { reversePath: '' }), 'the');
});

test('a trusted network may use any domain but that of another tenant, in either place', () => {
  const trusted = { trustedNetwork: true };
  assert.equal(problem('From: a@else.net', { ...trusted, reversePath: 'x@more.net' }), '');
  assert.equal(problem('From: a@else.net, b@other.test', trusted), 'other.test');
  assert.equal(problem('From: a@else.net', { ...trusted, reversePath: 'x@other.test' }), 'other.test');
});
