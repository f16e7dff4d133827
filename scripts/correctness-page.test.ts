/** docs/correctness.md names tests; each has to be there. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';

const root = dirname(import.meta.dirname);
const page = readFileSync(join(root, 'docs/correctness.md'), 'utf8');

/** `path/to/file` "words of a name", "of another"; a file without its folder stands where the one before it does. */
const named = /`([\w/.*-]+\.(?:ts|smtp))`((?:,? "[^"]+")*)/g;

function textOf(file: string): string {
  const files = file.includes('*')
    ? globSync(file, { cwd: root })
    : [file].filter((one) => existsSync(join(root, one)));
  assert.ok(files.length > 0, `docs/correctness.md names ${file}, which is not there`);
  return files.map((one) => readFileSync(join(root, one), 'utf8')).join('\n');
}

test('every test that docs/correctness.md names is there', () => {
  let folder = '';
  let count = 0;
  for (const [, name = '', words = ''] of page.matchAll(named)) {
    const file = name.includes('/') ? name : join(folder, name);
    folder = dirname(file);
    const text = textOf(file);
    for (const [, quoted = ''] of words.matchAll(/"([^"]+)"/g)) {
      count += 1;
      for (const part of quoted.split('…').map((one) => one.trim()))
        assert.ok(text.includes(part), `${file} holds no test "${quoted}"`);
    }
  }
  assert.ok(count > 20);
});
