import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { domainOf, parseAddress } from './address.ts';

const vectors = new URL('../../../test/vectors/', import.meta.url);

/** Lines of a vector file without its comments, split at tabs. */
function rows(name: string): string[][] {
  const lines = readFileSync(new URL(name, vectors), 'utf8').split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('# ')).map((line) => line.split('\t'));
}

for (const [text = '', kept, domain] of rows('addresses-valid.txt')) {
  test(`valid: ${text}`, () => {
    const parsed = parseAddress(text);
    assert.ok(parsed.ok, parsed.ok ? '' : parsed.problem);
    const address = kept === undefined || kept === '' ? text : kept;
    assert.equal(parsed.address, address);
    assert.equal(parsed.domain, domain ?? address.slice(address.lastIndexOf('@') + 1));
    assert.equal(parsed.localPart, address.slice(0, address.lastIndexOf('@')));
    assert.equal(domainOf(parsed.address), parsed.domain);
    assert.equal(parsed.international, /[^\x00-\x7f]/.test(text));
  });
}

for (const [text = '', reason = ''] of rows('addresses-invalid.txt')) {
  test(`refused: ${text}`, () => {
    const parsed = parseAddress(text);
    assert.ok(!parsed.ok, 'was taken for valid');
    assert.ok(reason !== '' && parsed.problem.includes(reason), parsed.problem);
  });
}

const hostileCharacters = ['\0', '\r', '\n', '\t', '\x7f', '\x85', '\u2028', '\u202e', '\ud800'];

for (const character of hostileCharacters) {
  const shown = JSON.stringify(character);
  test(`refused wherever it stands: ${shown}`, () => {
    for (const text of [
      `a${character}b@example.com`,
      `"a${character}b"@example.com`,
      `a@exa${character}mple.com`,
    ]) {
      assert.equal(parseAddress(text).ok, false, JSON.stringify(text));
    }
  });
}

test('bounds: 254 bytes in all, 64 before "@"', () => {
  const label = 'a'.repeat(61);
  const domain = `${label}.${label}.${label}.abc`;
  const longest = `${'u'.repeat(254 - domain.length - 1)}@${domain}`;
  assert.equal(longest.length, 254);
  assert.equal(parseAddress(longest).ok, true);
  assert.equal(parseAddress(`u${longest}`).ok, false);
  assert.equal(parseAddress(`${'é'.repeat(32)}@example.com`).ok, true);
  assert.equal(parseAddress(`${'é'.repeat(33)}@example.com`).ok, false);
});

test('domainOf gives nothing for what is no address', () => {
  for (const text of ['', 'postmaster', 'example.com', 'a@', 'a@b..c']) assert.equal(domainOf(text), '');
});

test('parsing what was kept changes nothing more', () => {
  const piece = fc.oneof(
    fc.constantFrom('"', '\\', '.', '@', ' ', '[', ']', 'xn--', 'ü', 'A', ':'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const parsed = parseAddress(pieces.join(''));
      if (!parsed.ok) return;
      assert.deepEqual(parseAddress(parsed.address), parsed);
      assert.equal(domainOf(parsed.address), parsed.domain);
      assert.doesNotMatch(parsed.address, /[\x00-\x1f\x7f]/);
    }),
    { numRuns: 2000 },
  );
});
