/** Wrong command lines end with exit code 2, a word of help, and nothing done. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { newInstallation, runHere } from './run-waybill.ts';

const installation = newInstallation();
after(() => installation.remove());

const wrong: [string[], RegExp][] = [
  [[], /^Waybill, a mail relay/],
  [['sevre'], /there is no command "sevre"; did you mean "serve"\?/],
  [['tenat', 'list'], /did you mean "tenant list"\?/],
  [['frobnicate'], /waybill --help lists them/],
  [['tenant'], /"tenant" needs a second word: tenant create, tenant list/],
  [['tenant', 'crate'], /did you mean "tenant create"\?/],
  [['help', 'qeueu'], /did you mean "queue"\?/],
  [['tenant', 'create', '--domain', 'acme.test'], /needs NAME/],
  [['tenant', 'create', 'acme'], /needs --domain DOMAIN/],
  [['tenant', 'create', 'acme', '--domian', 'acme.test'], /no option --domian; did you mean --domain\?/],
  [['tenant', 'create', 'acme', '--domain'], /--domain needs a value/],
  [['tenant', 'create', 'acme', '--domain', '--json'], /--domain needs a value/],
  [['tenant', 'create', 'acme', '--domain', 'a.test', '--domain', 'b.test'], /--domain is given twice/],
  [['tenant', 'create', 'acme', 'shop', '--domain', 'a.test'], /does not take "shop"/],
  [['tenant', 'list', '--json=yes'], /--json takes no value/],
  [['tenant', 'list', '--__proto__'], /no option --__proto__/],
  [['tenant', 'list', '-x'], /no option -x/],
  [['log', '--status', 'delivred'], /did you mean delivered\?/],
  [['log', '--status', 'sent'], /"sent" is no state of a delivery; known are queued, held/],
  [['log', '--since', 'yesterday'], /--since: expected a time such as 15m/],
  [['log', '--since', '2026-02-30'], /--since: expected a time/],
  [['log', '--limit', '0'], /--limit: expected a number from 1 to 10000/],
  [['log', '--to', 'nobody'], /--to: "nobody" is no mail address/],
  [['log', 'xyz'], /"xyz" is no id/],
  [['log', '--follow', '--until', '1h'], /--follow goes on for ever/],
  [['queue', 'list', '--state', 'lost'], /--state: "lost" is no state/],
  [['queue', 'show', '19ab2c3d4e50000000:0'], /is no id/],
  [['queue', 'cancel'], /name deliveries by id, describe them/],
  [['queue', 'retry', '19ab2c3d4e50000000', '--to', 'a@b.test'], /not both/],
  [['queue', 'move', '--all'], /needs --via WAY/],
  [['queue', 'move', '--via', 'mx'], /name deliveries by id, describe them/],
  [['queue', 'move', '--via', 'http://x', '--all'], /--via: expected mx, configured, smtp:\/\/host:port/],
  // A password is neither taken nor repeated.
  [['queue', 'move', '--via', 'smtp://user:secret@host', '--all'], /--via: a login is not taken(?!.*secret)/],
  [['queue', 'move', '--via', 'smtp://user:secret@host?x=y', '--all'], /--via: expected mx(?!.*secret)/],
  [['send', '--from', 'a@b.test', '--to', 'x', '--subject', 's'], /--to: "x" is no mail address/],
  [['send', '--from', 'a@b.test', '--subject', 's'], /needs --to ADDRESS/],
  [['send', '--from=a@b.test', '--to=a@b.test', '--subject=s', '--body=x', '--file=y'], /exclude each other/],
];

for (const [words, problem] of wrong) {
  test(`refuses: waybill ${words.join(' ')}`, async () => {
    const { code, out, err } = await runHere(words);
    assert.equal(code, 2, err);
    assert.equal(out, '');
    assert.match(err, words.length === 0 ? problem : new RegExp(`^waybill: .*${problem.source}`));
  });
}

test('the process ends with the exit code and makes nothing', async () => {
  const { code, out, err } = await installation.run(['tenant', 'create', 'acme']);
  assert.deepEqual({ code, out }, { code: 2, out: '' });
  assert.match(err, /^waybill: .*needs --domain/);
  assert.ok(!existsSync(join(installation.folder, 'data')));
});

describe('before there is anything', () => {
  for (const words of [
    ['tenant', 'list'],
    ['queue', 'list'],
    ['log'],
    ['queue', 'cancel', '19ab2c3d4e50000000'],
  ]) {
    test(`waybill ${words.join(' ')} says so and makes nothing`, async () => {
      const { code, out, err } = await installation.run(words);
      assert.deepEqual({ code, out }, { code: 1, out: '' });
      assert.match(err, /^waybill: (.*holds no Waybill data|no server runs on)/);
      assert.ok(!existsSync(join(installation.folder, 'data')));
    });
  }
});

test('--version prints the version', async () => {
  const { code, out } = await installation.run(['--version']);
  assert.equal(code, 0);
  assert.match(out, /^\d+\.\d+\.\d+\n$/);
});

test('common options may stand before the command and between its words', async () => {
  const { code, out } = await installation.run(['--json', 'config', '--config', '/dev/null', 'check']);
  assert.equal(code, 1, 'a device is no file');
  assert.equal(JSON.parse(out).ok, false);
});
