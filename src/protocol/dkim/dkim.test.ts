import assert from 'node:assert/strict';
import { generateKeyPairSync, verify } from 'node:crypto';
import test from 'node:test';
import { signableContent, signedField, unsignedField } from './dkim.ts';
import { dkimRecord, zoneLine } from './record.ts';

const facts = {
  algorithm: 'rsa-sha256',
  domain: 'acme.test',
  selector: 's1',
  signedAt: 1_528_637_909_999,
} as const;

function fieldOf(content: string): string {
  return signedField(unsignedField(signableContent(Buffer.from(content)), facts), Buffer.alloc(256, 0xff));
}

function tagsOf(field: string): Map<string, string> {
  assert.ok(field.startsWith('DKIM-Signature:'));
  const value = field.slice('DKIM-Signature:'.length);
  const pairs = value.split(';').map((pair) => pair.replace(/[ \t\r\n]+/g, ''));
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

test('the tags of a signature', () => {
  const tags = tagsOf(fieldOf('From: a@acme.test\r\n\r\n'));
  assert.deepEqual([...tags.keys()], ['v', 'a', 'c', 'd', 's', 't', 'h', 'bh', 'b']);
  assert.deepEqual(
    ['v', 'a', 'c', 'd', 's', 't'].map((tag) => tags.get(tag)),
    ['1', 'rsa-sha256', 'relaxed/relaxed', 'acme.test', 's1', '1528637909'],
  );
  assert.equal(tags.get('b'), Buffer.alloc(256, 0xff).toString('base64'));
});

test('fields are named once more than they stand there, and others only if they do', () => {
  const named = (content: string) => tagsOf(fieldOf(content)).get('h')?.split(':');
  const bare = [
    'from',
    'to',
    'cc',
    'subject',
    'date',
    'message-id',
    'reply-to',
    'mime-version',
    'content-type',
  ];
  assert.deepEqual(named('X: y\r\n\r\n'), bare);
  assert.deepEqual(
    named('FROM : a\r\nTo: b\r\nTo: c\r\nReceived: x\r\nDKIM-Signature: y\r\nList-Unsubscribe: <u>\r\n\r\n'),
    [...['from', 'from', 'to', 'to', 'to'], ...bare.slice(2), 'list-unsubscribe'],
  );
});

test('fields of one name are taken from the bottom up', () => {
  const { canonical } = signableContent(Buffer.from('To: 1\r\nSubject: x\r\nTo: 2\r\n\r\n'));
  assert.equal(canonical, 'to:2\r\nto:1\r\nsubject:x\r\n');
});

test('its lines are short, however many fields are named', () => {
  const field = fieldOf(`${'To: someone\r\nList-Unsubscribe-Post: x\r\n'.repeat(300)}\r\n`);
  assert.ok(field.endsWith('\r\n'));
  for (const line of field.trimEnd().split('\r\n').slice(1)) {
    assert.match(line, /^ /);
    assert.ok(line.length <= 78, line);
  }
});

test('what a name such as __proto__ or a line without a colon does', () => {
  const { names } = signableContent(
    Buffer.from('__proto__: 1\r\nconstructor: 2\r\nnothing\r\nFrom: a\r\n\r\n'),
  );
  assert.equal(names.filter((name) => name === 'from').length, 2);
});

test('content without a body, and without the empty line before it', () => {
  const empty = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
  for (const content of ['From: a\r\n\r\n', 'From: a\r\n', 'From: a']) {
    const signable = signableContent(Buffer.from(content));
    assert.deepEqual([signable.bodyHash, signable.canonical], [empty, 'from:a\r\n'], JSON.stringify(content));
  }
});

test('Ed25519 signs the hash of what RSA signs', () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  const content = signableContent(Buffer.from('From: a\r\n\r\nbody\r\n'));
  const { input } = unsignedField(content, { ...facts, algorithm: 'ed25519-sha256' });
  assert.equal(input.length, 32);
  assert.equal(verify(null, input, publicKey, Buffer.alloc(64)), false);
});

test('records, and the same as a line of a zone file', () => {
  const record = dkimRecord({ ...facts, publicKey: 'A'.repeat(392) });
  assert.deepEqual(record, { name: 's1._domainkey.acme.test', text: `v=DKIM1; k=rsa; p=${'A'.repeat(392)}` });
  const line = zoneLine(record);
  const strings = [...line.matchAll(/"([^"]*)"/g)].map(([, text = '']) => text);
  assert.equal(strings.join(''), record.text);
  assert.ok(strings.every((text) => text.length <= 255));
  assert.match(line, /^s1\._domainkey\.acme\.test\. IN TXT "v=DKIM1; /);
  assert.match(dkimRecord({ ...facts, algorithm: 'ed25519-sha256', publicKey: 'x' }).text, /k=ed25519; p=x$/);
});
