/** `waybill warmup`, on an installation without a server. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { newInstallation } from './run-waybill.ts';

const installation = newInstallation();
after(() => installation.remove());
before(async () => {
  writeFileSync(
    join(installation.folder, 'waybill.toml'),
    '[delivery]\nip_pools = ["main=192.0.2.1", "main=192.0.2.2+2001:db8::2", "bulk=192.0.2.1"]\n',
  );
  await installation.json(['tenant', 'create', 'acme', '--domain', 'acme.test']);
});

const run = (line: string) => installation.run(line.split(' '));
const json = (line: string) => installation.json(line.split(' '));

test('an address is warmed up once, whichever of its names is said; a pool takes the others', async () => {
  assert.partialDeepStrictEqual(await json('warmup start 2001:db8::2 --plan slow'), {
    warmUps: [{ address: '192.0.2.2', pools: ['main'], plan: 'slow', paused: false, sites: [] }],
  });
  const again = await run('warmup start 192.0.2.2');
  assert.deepEqual([again.code, /is being warmed up already/.test(again.err)], [1, true]);
  assert.partialDeepStrictEqual(await json('warmup start --pool main'), {
    warmUps: [{ address: '192.0.2.1', pools: ['main', 'bulk'], plan: 'standard' }],
  });
  const { out } = await run('warmup show');
  assert.match(out, /^192\.0\.2\.1 +main, bulk +active +.*standard: 50 x 2, 100 x 2, /m);
});

test('paused, gone on and stopped, all or none', async () => {
  assert.deepEqual(await json('warmup pause 192.0.2.1 192.0.2.2'), { paused: ['192.0.2.1', '192.0.2.2'] });
  assert.match((await run('warmup show 192.0.2.2')).out, /^192\.0\.2\.2 +main +paused /m);
  const wrong = await run('warmup stop 192.0.2.2 192.0.2.9');
  assert.deepEqual([wrong.code, /192\.0\.2\.9 is not being warmed up/.test(wrong.err)], [1, true]);
  assert.deepEqual(await json('warmup resume 192.0.2.2'), { active: ['192.0.2.2'] });
  assert.deepEqual(await json('warmup stop 192.0.2.1 192.0.2.2'), { stopped: ['192.0.2.1', '192.0.2.2'] });
  assert.deepEqual(await json('warmup show'), { warmUps: [], held: { count: 0, until: null } });
});

test('what is wrong is told, and nothing is started', async () => {
  const problems: [line: string, code: number, problem: RegExp][] = [
    ['warmup start', 2, /say which addresses, or --pool NAME/],
    ['warmup start 192.0.2.1 --pool main', 2, /say which addresses, or --pool NAME/],
    ['warmup start 192.0.2.9', 1, /no address 192\.0\.2\.9 in delivery\.ip_pools/],
    ['warmup start --pool nowhere', 1, /no pool "nowhere"/],
    ['warmup start 192.0.2.1 --plan fast', 1, /--plan: expected standard, slow or a sound file:/],
  ];
  for (const [line, code, problem] of problems) {
    const ran = await run(line);
    assert.deepEqual([ran.code, problem.test(ran.err)], [code, true], `${line}: ${ran.err}`);
  }
});
