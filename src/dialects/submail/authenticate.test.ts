import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { fieldsOf } from '../../http/query.ts';
import type { Tenants } from '../../tenants/tenants.ts';
import { authenticate, signatureOf } from './authenticate.ts';

const now = 1_640_190_000_900;
const appkey = 'KEY';

/** The vector was made with the vendor's own Node.js client (npm `submail` 0.0.2). */
const vector = {
  appid: '10001',
  end_date: '1640186400',
  rows: '50',
  start_date: '1640100000',
  timestamp: '1640190000',
};
const digests = {
  md5: 'bad5b80959f2f3dffb711777ddc3c31e',
  sha1: '0cd0d8e77d6473b75bd22f2467072b99089adfd6',
} as const;

type Lookups = Pick<Tenants, 'credentialByIdentifier' | 'stream'>;

function tenantsWith(state: 'active' | 'suspended', secret: string | null = appkey): Tenants {
  const lookups: Lookups = {
    credentialByIdentifier: (protocol, identifier) =>
      protocol === 'submail' && identifier === '10001'
        ? { tenantId: 7, streamId: 10_001, identifier, secret }
        : null,
    stream: (id) => ({ id, tenantId: 7, name: 'main', state }),
  };
  return lookups as Tenants;
}

function outcome(parameters: Record<string, string>, tenants = tenantsWith('active'), at = now) {
  const result = authenticate(fieldsOf(Object.entries(parameters)), tenants, at);
  return result.ok ? result.tenantId : result.code;
}

test('both digests of the vector are accepted, in any order of the parameters', () => {
  for (const [sign_type, signature] of Object.entries(digests)) {
    assert.equal(outcome({ ...vector, sign_type, signature }), 7);
    const reversed = Object.fromEntries(Object.entries({ ...vector, sign_type, signature }).reverse());
    assert.equal(outcome(reversed), 7);
    assert.equal(outcome({ ...vector, sign_type, signature: signature.toUpperCase() }), 7);
  }
});

test('each refusal', () => {
  const md5 = { ...vector, sign_type: 'md5', signature: digests.md5 };
  const normal = { appid: '10001', signature: appkey };
  const table: [string, Record<string, string>, number][] = [
    ['nothing sent', {}, 101],
    ['empty app', { appid: '', signature: appkey }, 101],
    ['unknown app', { ...normal, appid: '10002' }, 101],
    ['no signature', { appid: '10001' }, 111],
    ['empty signature', { ...normal, signature: '' }, 111],
    ['wrong key', { ...normal, signature: 'key' }, 109],
    ['unknown sign type', { ...normal, sign_type: 'sha256' }, 107],
    ['sign type in other letters', { ...md5, sign_type: 'MD5' }, 107],
    ['key in the clear where a digest is due', { ...md5, signature: appkey }, 108],
    ['digest of the other kind', { ...md5, signature: digests.sha1 }, 108],
    ['changed parameter', { ...md5, rows: '51' }, 108],
    ['added parameter', { ...md5, offset: '0' }, 108],
    ['timestamp of words', { ...md5, timestamp: 'now' }, 151],
    ['timestamp with a sign', { ...md5, timestamp: '-1640190000' }, 151],
    ['empty timestamp', { ...md5, timestamp: '' }, 151],
  ];
  for (const [about, parameters, code] of table) assert.equal(outcome(parameters), code, about);
});

test('a digest without a timestamp is refused, however well signed', () => {
  const { timestamp: _, ...rest } = vector;
  const parameters = { ...rest, sign_type: 'md5' };
  const signature = signatureOf(fieldsOf(Object.entries(parameters)), appkey, 'md5');
  assert.equal(outcome({ ...parameters, signature }), 151);
});

test('a timestamp holds for six seconds, in both directions', () => {
  const md5 = { ...vector, sign_type: 'md5', signature: digests.md5 };
  for (const [seconds, expected] of [
    [6, 7],
    [7, 152],
    [-6, 7],
    [-7, 152],
  ] as const) {
    assert.equal(outcome(md5, tenantsWith('active'), now + seconds * 1000), expected, `${seconds} s`);
  }
});

test('with the key in the clear, a timestamp is ignored', () => {
  assert.equal(outcome({ appid: '10001', signature: appkey, timestamp: '1', sign_type: 'normal' }), 7);
  assert.equal(outcome({ appid: '10001', signature: appkey, sign_type: '' }), 7);
});

test('a suspended app is told so only if it knows its key', () => {
  const suspended = tenantsWith('suspended');
  assert.equal(outcome({ appid: '10001', signature: appkey }, suspended), 102);
  assert.equal(outcome({ appid: '10001', signature: 'x' }, suspended), 109);
});

test('a key that cannot be read again opens nothing, not even to an empty key', () => {
  const sealed = tenantsWith('active', null);
  assert.equal(outcome({ appid: '10001', signature: 'x' }, sealed), 109);
  const parameters = { ...vector, sign_type: 'sha1' };
  const signature = signatureOf(fieldsOf(Object.entries(parameters)), '', 'sha1');
  assert.equal(outcome({ ...parameters, signature }, sealed), 108);
});

test('whatever is sent can be signed, and no other value has the same signature', () => {
  const name = fc
    .string({ minLength: 1, maxLength: 12 })
    .filter((text) => !(text in { ...vector, signature: '' }));
  const parameters = fc.dictionary(name, fc.string({ unit: 'grapheme', maxLength: 20 }), { maxKeys: 6 });
  fc.assert(
    fc.property(parameters, fc.constantFrom('md5', 'sha1'), fc.string(), (more, sign_type, other) => {
      const sent = { ...more, appid: '10001', timestamp: '1640190000', sign_type };
      const signature = signatureOf(fieldsOf(Object.entries(sent)), appkey, sign_type);
      assert.equal(outcome({ ...sent, signature }), 7);
      const [first] = Object.keys(more).filter((one) => one !== 'attachments');
      if (first !== undefined && more[first] !== other) {
        assert.equal(outcome({ ...sent, [first]: other, signature }), 108);
      }
    }),
  );
});
