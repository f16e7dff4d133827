import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { vendorNameProblems } from './check-vendor-names.ts';

function problems(context: TestContext, path: string, text: string): string[] {
  const root = mkdtempSync(join(tmpdir(), 'check-vendor-names-'));
  context.after(() => rmSync(root, { recursive: true }));
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  return vendorNameProblems(root, [path]);
}

for (const place of [
  'src/dialects/dialects.ts',
  'docs/a.md',
  'test/a.ts',
  'src/http/a.test.ts',
  'README.md',
]) {
  test(`a vendor may be named in ${place}`, (context) => {
    assert.deepEqual(problems(context, place, 'mailgun'), []);
  });
}

test('a vendor is not named elsewhere, in any case of letters', (context) => {
  assert.deepEqual(problems(context, 'src/relay/a.ts', 'one\n// like MailBaby does'), [
    'src/relay/a.ts:2: vendor name MailBaby outside src/dialects',
  ]);
});

test('a vendor does not name a file elsewhere', (context) => {
  assert.deepEqual(problems(context, 'src/relay/kaleyra.ts', ''), [
    "src/relay/kaleyra.ts:1: a vendor's name in the file's own name",
  ]);
});
