import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePath } from './path.ts';

const valid: [text: string, address: string, domain: string, parameters?: [string, string | null][]][] = [
  ['<>', '', ''],
  [' <>', '', ''],
  ['<user@example.com>', 'user@example.com', 'example.com'],
  ['   <user@example.com>', 'user@example.com', 'example.com'],
  ['<user@EXAMPLE.com>  ', 'user@EXAMPLE.com', 'example.com'],
  ['<Postmaster>', 'Postmaster', ''],
  ['<"a>b"@example.com>', '"a>b"@example.com', 'example.com'],
  ['<"a\\"> b"@example.com> SIZE=1', '"a\\"> b"@example.com', 'example.com', [['SIZE', '1']]],
  ['<@one.example:user@example.com>', 'user@example.com', 'example.com'],
  ['<@one.example,@[192.0.2.1]:user@example.com>', 'user@example.com', 'example.com'],
  [
    '<a@b> size=10 BODY=8BITMIME',
    'a@b',
    'b',
    [
      ['SIZE', '10'],
      ['BODY', '8BITMIME'],
    ],
  ],
  ['<a@b>  SMTPUTF8', 'a@b', 'b', [['SMTPUTF8', null]]],
  ['<> AUTH=<>', '', '', [['AUTH', '<>']]],
  ['<a@b> ORCPT=rfc822;a+40b', 'a@b', 'b', [['ORCPT', 'rfc822;a+40b']]],
  ['user@example.com', 'user@example.com', 'example.com'],
  [' user@example.com  SIZE=1', 'user@example.com', 'example.com', [['SIZE', '1']]],
  ['"us er"@example.com SIZE=1', '"us er"@example.com', 'example.com', [['SIZE', '1']]],
  ['@one.example:user@example.com', 'user@example.com', 'example.com'],
  ['<a@b> X-1=ü', 'a@b', 'b', [['X-1', 'ü']]],
];

for (const [text, address, domain, parameters = []] of valid) {
  test(`path: ${text}`, () => {
    const path = parsePath(text);
    assert.ok(path.ok, path.ok ? '' : path.problem);
    assert.deepEqual([path.address, path.domain], [address, domain]);
    assert.deepEqual(
      path.parameters.map(({ keyword, value }) => [keyword, value]),
      parameters,
    );
  });
}

const refused: [text: string, at: 'path' | 'parameters', reason: string][] = [
  ['', 'path', 'no path'],
  ['   ', 'path', 'no path'],
  ['user', 'path', 'no "@"'],
  ['user@example.com>', 'path', 'malformed'],
  ['user@example.com x=', 'parameters', 'malformed'],
  ['"us er@example.com SIZE=1', 'path', 'not closed'],
  ['<user@example.com', 'path', 'not closed'],
  ['<"user>@example.com', 'path', 'not closed'],
  ['< user@example.com>', 'path', 'malformed'],
  ['<user>', 'path', 'no "@"'],
  ['<<user@example.com>>', 'path', 'malformed'],
  ['<user@example.com>x', 'path', 'something else'],
  ['<user@example.com>>', 'path', 'something else'],
  ['<user@example.com>SIZE=1', 'path', 'something else'],
  ['<@one.example user@example.com>', 'path', 'source route'],
  ['<@one.example:>', 'path', 'no "@"'],
  ['<@:user@example.com>', 'path', 'source route'],
  ['<one.example:user@example.com>', 'path', 'malformed'],
  ['<@one..example:user@example.com>', 'path', 'source route'],
  ['<a@b> SIZE=', 'parameters', 'malformed'],
  ['<a@b> =1', 'parameters', 'malformed'],
  ['<a@b> SIZE=1=2', 'parameters', 'malformed'],
  ['<a@b> -X=1', 'parameters', 'malformed'],
  ['<a@b> SIZE=1 size=2', 'parameters', 'SIZE is given twice'],
  ['<a@b> X=\x01', 'parameters', 'malformed'],
];

for (const [text, at, reason] of refused) {
  test(`refused: ${JSON.stringify(text)}`, () => {
    const path = parsePath(text);
    assert.ok(!path.ok, 'was taken for valid');
    assert.equal(path.at, at);
    assert.ok(path.problem.includes(reason), path.problem);
  });
}

test('whatever comes is answered', () => {
  const piece = fc.oneof(fc.constantFrom('<', '>', '"', '\\', '@', ':', ',', ' ', '='), fc.string());
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const path = parsePath(pieces.join(''));
      assert.ok(path.ok ? !path.address.includes('\n') : path.problem !== '');
    }),
    { numRuns: 2000 },
  );
});
