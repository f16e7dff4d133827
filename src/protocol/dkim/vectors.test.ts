/** Signatures made by others, checked over our canonical forms: RFC 8463 Appendix A, a mail server, a mailbox provider. */
import assert from 'node:assert/strict';
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { skipWithoutTestdata, testdataFolder } from '../../../test/support/environment.ts';
import { relaxedBodyHash, relaxedField } from './canonical.ts';

const skip = skipWithoutTestdata('dkim-a');
const folder = testdataFolder('dkim-a');

type FindKey = (tags: Record<string, string>) => KeyObject | null;

interface Checked {
  /** Of the tag `b=`. */
  value: string;
  bodyRight: boolean;
  signatureRight: boolean;
}

/** All relaxed/relaxed signatures of a content whose key is known. */
function check(content: Buffer, findKey: FindKey): Checked[] {
  const text = content.toString('latin1').replace(/\r?\n/g, '\r\n');
  const end = text.indexOf('\r\n\r\n');
  const fields = text.slice(0, end).split(/\r\n(?![ \t])/);
  return fields
    .filter((field) => /^dkim-signature:/i.test(field))
    .flatMap((field) => {
      const tags = tagsOf(field);
      const key = findKey(tags);
      if (tags['c'] !== 'relaxed/relaxed' || tags['l'] !== undefined || !key) return [];
      const input = Buffer.from(
        `${named(fields, tags['h'] ?? '')}${relaxedField(withoutValue(field))}`,
        'latin1',
      );
      const signature = Buffer.from(tags['b'] ?? '', 'base64');
      const ed25519 = key.asymmetricKeyType === 'ed25519';
      const digest = createHash('sha256').update(input).digest();
      const signatureRight = ed25519
        ? verify(null, digest, key, signature)
        : verify('sha256', input, key, signature);
      const bodyRight = relaxedBodyHash(Buffer.from(text.slice(end + 4), 'latin1')) === tags['bh'];
      return [{ value: tags['b'] ?? '', bodyRight, signatureRight }];
    });
}

function tagsOf(field: string): Record<string, string> {
  const value = field.slice(field.indexOf(':') + 1).replace(/\s+/g, '');
  const pairs = value.split(';').filter(Boolean);
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}

function withoutValue(field: string): string {
  return field.replace(/(;\s*b=)[^;]*/, '$1');
}

function named(fields: readonly string[], names: string): string {
  const left = fields.toReversed();
  return names
    .split(':')
    .flatMap((name) => {
      const at = left.findIndex(
        (field) => field.slice(0, field.indexOf(':')).trim().toLowerCase() === name.toLowerCase(),
      );
      return at === -1 ? [] : [`${relaxedField(left.splice(at, 1)[0] ?? '')}\r\n`];
    })
    .join('');
}

function keyOf(type: string, base64: string): KeyObject {
  const ed25519Prefix = Buffer.from('302a300506032b6570032100', 'hex');
  const bytes = Buffer.from(base64, 'base64');
  const der = type === 'ed25519' ? Buffer.concat([ed25519Prefix, bytes]) : bytes;
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

function zoneOf(text: string): FindKey {
  const records = text.replace(/\\\n/g, '').split('\n');
  // A selector may have several records: the one of the signature's algorithm counts.
  return ({ s = '', d = '', a = '' }) => {
    const named = records.filter((line) => line.startsWith(`${s}._domainkey.${d}:`));
    const record = named.find((line) => line.includes(`k=${a.split('-')[0]};`));
    const [, type = '', base64 = ''] = /k=(\w+);\s*p=(\S+)/.exec(record ?? '') ?? [];
    return base64 === '' ? null : keyOf(type, base64);
  };
}

/** What else a verifier looks at (key types, domains, limits) is not ours: only the signatures it found right are asked. */
test('the vectors of a mail server, RFC 8463 among them', { skip }, () => {
  const files = readdirSync(join(folder, 'chasquid'));
  const read = (name: string) => readFileSync(join(folder, 'chasquid', name));
  let good = 0;
  for (const dns of files.filter((name) => name.endsWith('.dns'))) {
    const checked = check(read(dns.replace('.dns', '.msg')), zoneOf(read(dns).toString()));
    const { Results: results } = JSON.parse(read(dns.replace('.dns', '.result')).toString()) as {
      Results: { State: string; B: string }[] | null;
    };
    for (const { value, bodyRight, signatureRight } of checked) {
      if (!results?.some(({ State, B }) => State === 'SUCCESS' && B === value)) continue;
      assert.deepEqual({ bodyRight, signatureRight }, { bodyRight: true, signatureRight: true }, dns);
      good += 1;
    }
  }
  assert.ok(good >= 5, `only ${good} signatures were checked`);
});

test('a mailbox provider’s signature', { skip }, () => {
  const key = createPublicKey(readFileSync(join(folder, 'mimekit', 'gmail.pub')));
  const checked = check(readFileSync(join(folder, 'mimekit', 'gmail.msg')), () => key);
  assert.deepEqual(
    checked.map(({ bodyRight, signatureRight }) => [bodyRight, signatureRight]),
    [[true, true]],
  );
});
