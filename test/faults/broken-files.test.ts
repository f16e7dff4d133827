/** Files of a data directory that are not what they were: after SIGKILL, and before the next start. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { newInstallation } from '../cli/run-waybill.ts';
import { accountFor, sendUntilAccepted, type Traffic } from '../support/account.ts';
import { relayIdIn, send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { mountSmallDisk, skipWithoutMount } from '../support/small-disk.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

/** Goes into a segment file, whatever else is under way. */
const largeText = 'a line of some length that makes the content large\r\n'.repeat(3000);
const frameHeadBytes = 24;

/** Some mails that wait, and then SIGKILL. The sink takes them once it is told to. */
async function killedWithMails(t: test.TestContext, count: number) {
  const isOpen = { value: false };
  const sink = await startSink(t, {
    rcpt: () => (isOpen.value ? null : { code: 450, text: '4.2.0 Later' }),
  });
  const waybill = await startWaybill(t, {
    environment: {
      WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}`,
      WAYBILL_RETRY_SCHEDULE: new Array(100).fill('200ms').join(','),
      WAYBILL_LOG_LEVEL: 'error',
    },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const traffic: Traffic = { waybill, tenant, sink };
  const accepted = await sendUntilAccepted(traffic, count);
  return { traffic, accepted, isOpen };
}

const damages: Record<string, (wal: string) => void> = {
  'garbage after the last frame': (wal) => {
    writeFileSync(wal, Buffer.alloc(10_000, 0xa5), { flag: 'a' });
  },
  'a last frame that was cut off': (wal) => {
    truncateSync(wal, statSync(wal).size - 1_000);
  },
  'a last frame with a changed byte': (wal) => {
    const bytes = readFileSync(wal);
    const at = lastFrameOf(bytes) + frameHeadBytes + 100;
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at);
    writeFileSync(wal, bytes);
  },
};

/** Offset of the last frame that belongs to the WAL as it is: those of the round before have other salts. */
function lastFrameOf(wal: Buffer): number {
  const frameBytes = frameHeadBytes + wal.readUInt32BE(8);
  const salts = wal.subarray(16, 24);
  let last = 0;
  for (
    let at = 32;
    at + frameBytes <= wal.length && wal.subarray(at + 8, at + 16).equals(salts);
    at += frameBytes
  )
    last = at;
  assert.ok(last > 0, 'the WAL has frames');
  return last;
}

test('a damaged end of the WAL: the store opens, and the mails before it are there', async (t) => {
  const { traffic, accepted, isOpen } = await killedWithMails(t, 4);
  const { waybill } = traffic;
  for (const [round, [name, damage]] of Object.entries(damages).entries()) {
    accepted.push(...(await sendUntilAccepted(traffic, 2, 100 * (round + 1))));
    // What is done to the last transaction undoes it: that must not be one of the mails.
    await until('later transactions follow', async () => {
      const { stdout } = await waybill.cli('queue', 'list', '--state', 'deferred', '--json');
      return (JSON.parse(stdout) as { total: number }).total === accepted.length;
    });
    await waybill.killAll();
    damage(join(waybill.dataDir, 'waybill.sqlite-wal'));
    await waybill.restart().catch((fault: unknown) => assert.fail(`${name}: ${fault}`));
  }
  isOpen.value = true;
  await accountFor(traffic, accepted);
});

const harms: Record<string, (segment: string) => void> = {
  gone: (segment) => rmSync(segment),
  'cut off': (segment) => truncateSync(segment, 100),
  changed: (segment) => writeFileSync(segment, Buffer.alloc(statSync(segment).size, 7)),
};

test('a segment file that is gone, cut off or changed: its mail fails and says why, all others go on', async (t) => {
  const { traffic, isOpen } = await killedWithMails(t, 0);
  const { waybill, tenant, sink } = traffic;
  const spool = join(waybill.dataDir, 'spool');
  const lost: string[] = [];
  for (const harm of Object.values(harms)) {
    const before = new Set(readdirSync(spool));
    lost.push(relayIdIn(await send(waybill, tenant, { to: 'lost@example.org', text: largeText })));
    await waybill.killAll();
    const segment = readdirSync(spool).find((name) => !before.has(name));
    assert.ok(segment);
    harm(join(spool, segment));
    await waybill.restart();
  }
  const kept = relayIdIn(await send(waybill, tenant, { to: 'kept@example.org', text: largeText }));
  isOpen.value = true;
  await until('the other mail arrived', () => sink.mails.some(({ content }) => content.includes(kept)));
  const failed = await until('the lost ones have failed', async () => {
    const { stdout } = await waybill.cli('log', '--json', '--status', 'failed');
    return lost.every((id) => stdout.includes(id)) ? stdout : null;
  });
  assert.match(failed, /the content of the mail is missing/);
  assert.match(failed, /the content of the mail is damaged/);
  assert.ok(sink.mails.every(({ forwardPaths }) => !forwardPaths.includes('lost@example.org')));
});

test('a data directory on a read-only file system: said plainly, exit code 1', {
  skip: skipWithoutMount(),
}, async (t) => {
  const disk = mountSmallDisk(t, 16);
  disk.setReadOnly();
  await refusesToStart(disk.directory);
});

test('a data directory we may not write to', {
  skip: process.getuid?.() === 0 ? 'root may' : false,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-read-only-'));
  t.after(() => rmSync(directory, { recursive: true }));
  chmodSync(directory, 0o555);
  await refusesToStart(directory);
});

async function refusesToStart(directory: string): Promise<void> {
  const installation = newInstallation();
  const environment = { WAYBILL_DATA_DIR: join(directory, 'data'), WAYBILL_SMTP_LISTEN: '127.0.0.1:0' };
  const { code, err } = await installation.run(['serve', '--json-ready'], { environment });
  installation.remove();
  assert.equal(code, 1);
  assert.match(err, /^waybill: cannot write to the data directory .*(read-only|permission)/);
  assert.doesNotMatch(err, /\n\s+at /, 'no stack');
}
