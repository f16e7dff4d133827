/**
 * Help is what people read first: its text is pinned here. `node test/cli/help.test.ts --update` writes the files anew.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { commands } from '../../src/cli/commands.ts';
import { renderReferencePage } from '../../src/cli/help.ts';
import { newInstallation, root, runHere } from './run-waybill.ts';

const update = process.argv.includes('--update');
const folder = join(import.meta.dirname, 'help');
const installation = newInstallation();
after(() => installation.remove());

/** What follows from other tables is pinned there. */
const epilogueBegins = 'Options of the configuration:\n';

const pinned = new Map([
  ['waybill', ['--help']],
  ...commands.map(({ name }): [string, string[]] => [
    name.replaceAll(' ', '-'),
    [...name.split(' '), '--help'],
  ]),
  ['tenant', ['tenant', '--help']],
  ['queue', ['help', 'queue']],
]);

for (const [file, words] of pinned) {
  test(`help: waybill ${words.join(' ')}`, async () => {
    const { code, out, err } = await runHere(words);
    assert.deepEqual({ code, err }, { code: 0, err: '' });
    const [text = ''] = out.split(epilogueBegins);
    const path = join(folder, `${file}.txt`);
    if (update) writeFileSync(path, text);
    assert.equal(text, existsSync(path) ? readFileSync(path, 'utf8') : '');
    for (const line of text.split('\n').filter((one) => !/^(Usage: | *\{)/.test(one))) {
      assert.ok(line.length <= 110, `not too wide: ${line}`);
    }
  });
}

test('no help text is pinned for a command that is gone', () => {
  assert.deepEqual(readdirSync(folder).sort(), [...pinned.keys()].map((file) => `${file}.txt`).sort());
});

test('config show --help tells every option of the configuration', async () => {
  const { out } = await installation.run(['config', 'show', '--help']);
  const [, options = ''] = out.split(epilogueBegins);
  for (const key of ['smtp.listen', 'retry_schedule', 'dialects.']) assert.ok(options.includes(key), key);
});

test('docs/command-line.md says what the table of commands says', () => {
  const page = readFileSync(join(root, 'docs/command-line.md'), 'utf8');
  assert.ok(page.endsWith(renderReferencePage(commands)), 'out of date; run npm run docs');
});
