/** A backup made under load, restored into a new data directory: nothing is lost, nothing doubled, all is deliverable. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test, { type TestContext } from 'node:test';
import { openEngine } from '../../src/ledger/ledger.ts';
import { runHere } from '../cli/run-waybill.ts';
import { relayIdIn, send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill, type TenantCredentials, type Waybill } from '../support/waybill.ts';

const large = 'A line of a large mail, which goes to a segment file.\n'.repeat(500);

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-backup-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** Sends until told to stop: small and large, some of which no server takes yet. */
function load(waybill: Waybill, tenant: TenantCredentials): () => Promise<string[]> {
  let stopped = false;
  const accepted: string[] = [];
  const one = async (lane: number) => {
    for (let count = 0; !stopped && count < 150; count += 1) {
      const subject = `${lane}-${count}`;
      const to = count % 3 === 0 ? `later${count}@shop.example` : `now${count}@shop.example`;
      const reply = await send(waybill, tenant, {
        to,
        subject,
        text: count % 2 === 0 ? large + subject : subject,
      });
      assert.notEqual(relayIdIn(reply), '');
      accepted.push(subject);
    }
  };
  const lanes = [0, 1].map(one);
  return async () => {
    stopped = true;
    await Promise.all(lanes);
    return accepted;
  };
}

interface StoreFacts {
  appendedTo: number;
  newest: number;
  outbox: number[];
  open: { mail_id: number; facts: string }[];
}

function storeFacts(dataDir: string): StoreFacts {
  const store = new DatabaseSync(join(dataDir, 'waybill.sqlite'), { readOnly: true });
  const rows = (sql: string) => store.prepare(sql).all() as unknown as Record<string, number>[];
  const [cursor] = rows('SELECT appended_to, pending_to FROM ledger_cursor');
  const [sequence] = rows("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'");
  const facts = {
    appendedTo: cursor?.['appended_to'] ?? -1,
    newest: sequence?.['seq'] ?? -1,
    outbox: rows('SELECT sequence FROM outbox ORDER BY sequence').map((row) => row['sequence'] ?? -1),
    open: rows(
      'SELECT mail_id, mails.facts AS facts FROM deliveries JOIN mails USING (mail_id) WHERE due_at IS NOT NULL OR leased_at IS NOT NULL',
    ) as unknown as StoreFacts['open'],
  };
  assert.equal(cursor?.['pending_to'], null);
  store.close();
  return facts;
}

/** Sequences and a digest of whole rows, of the ledger of a server that is stopped. */
async function ledgerFacts(dataDir: string, upTo: number) {
  const engine = await openEngine({ url: null, path: join(dataDir, 'ledger') });
  try {
    const sequences = await engine.ask('SELECT sequence FROM events ORDER BY sequence');
    const [events] = await engine.ask(
      'SELECT count(), groupBitXor(cityHash64(*)) FROM (SELECT * FROM events WHERE sequence <= {upTo:UInt64})',
      { upTo },
    );
    const [counters] = await engine.ask('SELECT sum(count) FROM counters');
    const [deliveries] = await engine.ask('SELECT count() FROM deliveries FINAL');
    return { sequences: sequences.map(([one]) => Number(one)), events, counters, deliveries };
  } finally {
    await engine.close();
  }
}

const upTo = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

test('backups under load are consistent, incremental, and restored whole', async (t) => {
  const folder = temporaryFolder(t);
  const backups = join(folder, 'backups');
  let later = true;
  const sink = await startSink(t, {
    rcpt: (address) => (later && address.startsWith('later') ? { code: 451, text: '4.3.2 not now' } : null),
  });
  const environment = {
    WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}`,
    WAYBILL_RETRY_SCHEDULE: new Array(30).fill('3s').join(','),
  };
  const waybill = await startWaybill(t, { environment });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const stop = load(waybill, tenant);
  const made: { id: string; copiedBytes: number; bytes: number }[] = [];
  for (let round = 1; round <= 2; round += 1) {
    await until('mail has flowed', () => sink.mails.length >= round * 12, 60_000);
    const { code, stdout, stderr } = await waybill.cli('backup', backups, '--json');
    assert.equal(code, 0, stderr);
    made.push(JSON.parse(stdout) as (typeof made)[number]);
  }
  await stop();
  assert.equal(await waybill.stop(), 0);
  assert.equal(existsSync(join(waybill.dataDir, 'snapshots')), false);
  assert.equal(statSync(backups).mode & 0o077, 0);

  const last = made.at(-1);
  assert.ok(last);
  const restored = join(folder, 'restored');
  const environmentThere = { ...environment, WAYBILL_DATA_DIR: restored };
  const there = await startWaybillLater(t, environmentThere, backups);
  const facts = storeFacts(restored);
  const ledger = await ledgerFacts(restored, facts.appendedTo);
  assert.deepEqual(ledger.sequences, upTo(1, facts.appendedTo), 'the ledger ends at the cursor of the store');
  assert.deepEqual(facts.outbox, upTo(facts.appendedTo + 1, facts.newest), 'the outbox goes on from there');
  const original = await ledgerFacts(waybill.dataDir, facts.appendedTo);
  assert.deepEqual(ledger.events, original.events, 'the same events, column by column');
  assert.ok(facts.open.length > 0, 'something was queued at the time of the backup');

  later = false;
  const before = sink.mails.length;
  const server = await there();
  const subjects = facts.open.map((row) => (JSON.parse(row.facts) as { subject: string }).subject);
  const received = () => new Set(sink.mails.slice(before).map(({ content }) => subjectOf(content)));
  await until(
    'all that was queued arrives',
    () => subjects.every((subject) => received().has(subject)),
    60_000,
  );
  for (const { content } of sink.mails.slice(before)) {
    const subject = subjectOf(content);
    const isLarge = Number(subject.split('-')[1]) % 2 === 0;
    assert.ok(
      content.replaceAll('\r\n', '\n').includes(isLarge ? large + subject : subject),
      `${subject} is whole`,
    );
  }
  assert.equal(await server.stop(), 0);
  const after = storeFacts(restored);
  const whole = await ledgerFacts(restored, after.newest);
  assert.deepEqual(whole.sequences, upTo(1, after.newest), 'every event once, after the restore as well');
});

/** Restores at once; the returned function starts a server there. */
async function startWaybillLater(
  t: TestContext,
  environment: Record<string, string>,
  backups: string,
): Promise<() => Promise<Waybill>> {
  assert.equal((await runHere(['backup', 'verify', backups])).code, 0);
  await restoreHere(backups, environment['WAYBILL_DATA_DIR'] ?? '');
  return () => startWaybill(t, { environment });
}

function restoreHere(backups: string, dataDir: string, ...more: string[]): ReturnType<typeof runHere> {
  return runOn(dataDir, 'restore', backups, ...more);
}

/** In this process: another one costs a second. */
async function runOn(dataDir: string, ...words: string[]): ReturnType<typeof runHere> {
  process.env['WAYBILL_DATA_DIR'] = dataDir;
  try {
    return await runHere(words);
  } finally {
    delete process.env['WAYBILL_DATA_DIR'];
  }
}

function subjectOf(content: string): string {
  return /^Subject: (.*?)\r?$/m.exec(content)?.[1] ?? '';
}

test('of a stopped server; refusals; damage; a backup that was broken off', async (t) => {
  const folder = temporaryFolder(t);
  const backups = join(folder, 'backups');
  const waybill = await startWaybill(t);
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await send(waybill, tenant, { to: 'ok@example.test', text: large });
  await send(waybill, tenant, { to: 'defer@example.test', text: large });
  assert.equal(await waybill.stop(), 0);
  const run = (...words: string[]) => runOn(waybill.dataDir, ...words);
  const make = async (...more: string[]) => {
    const { code, out, err } = await run('backup', backups, '--json', ...more);
    assert.equal(code, 0, err);
    return JSON.parse(out) as { id: string; copiedFiles: number; files: number; copiedBytes: number };
  };
  const first = await make();
  assert.equal(first.copiedFiles > 3, true);

  await t.test('a second one copies nothing that did not change', async () => {
    const second = await make();
    // Opening the store for the first backup may have moved its WAL into it.
    assert.ok(second.copiedFiles <= 1, `${second.copiedFiles} files`);
  });

  await t.test(
    'what a backup that was killed has left harms neither the earlier ones nor the next',
    async () => {
      writeFileSync(join(backups, 'objects', 'incoming'), 'half');
      writeFileSync(join(backups, 'manifests', 'x.json.new'), 'half');
      assert.equal((await run('backup', 'verify', backups)).code, 0);
      await make('--keep', '1');
      assert.equal(existsSync(join(backups, 'objects', 'incoming')), false);
      const { out } = await run('backup', 'list', backups, '--json');
      assert.equal((JSON.parse(out) as { backups: unknown[] }).backups.length, 1);
      assert.equal((await run('backup', 'verify', backups)).code, 0);
    },
  );

  await t.test('a directory with something in it is not restored into', async () => {
    const { code, err } = await restoreHere(backups, folder);
    assert.equal(code, 1);
    assert.match(err, /is not empty; a backup is restored into a new data directory/);
    const other = await run('backup', folder);
    assert.match(other.err, /holds other things than backups/);
  });

  await t.test('without the key it is asked for', async () => {
    const keyless = join(folder, 'keyless');
    assert.equal((await run('backup', keyless, '--without-key')).code, 0);
    const target = join(folder, 'from-keyless');
    assert.match((await restoreHere(keyless, target)).err, /name the file that holds it with --key/);
    const key = join(waybill.dataDir, 'installation.key');
    assert.equal((await restoreHere(keyless, target, '--key', key)).code, 0);
    assert.equal(readFileSync(join(target, 'installation.key'), 'utf8'), readFileSync(key, 'utf8'));
    assert.equal(statSync(join(target, 'installation.key')).mode & 0o077, 0);
  });

  await t.test('one of a newer program is refused, and one that was changed', async () => {
    const newer = join(folder, 'newer');
    cpSync(backups, newer, { recursive: true });
    rewriteManifest(newer, (manifest) => ({ ...manifest, storeVersion: 999 }));
    assert.match((await restoreHere(newer, join(folder, 'n'))).err, /made by a newer Waybill .* version 999/);
    rewriteManifest(newer, (manifest) => ({ ...manifest, format: 2 }));
    assert.match(
      (await restoreHere(newer, join(folder, 'n'))).err,
      /format 2, newer than this program knows/,
    );
    rewriteManifest(newer, (manifest) => ({ ...manifest, node: 3 }), 'not the checksum');
    assert.match((await restoreHere(newer, join(folder, 'n'))).err, /was changed after it was written/);
  });

  await t.test('damage is found, and not restored; the directory is marked until it is whole', async () => {
    const damaged = join(folder, 'damaged');
    cpSync(backups, damaged, { recursive: true });
    const [entry] = manifestOf(damaged).files.filter(({ path }) => path === 'waybill.sqlite');
    assert.ok(entry);
    const object = join(damaged, 'objects', entry.sha256.slice(0, 2), entry.sha256);
    const bytes = readFileSync(object);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(object, bytes);
    const { code, out } = await run('backup', 'verify', damaged);
    assert.deepEqual([code, /changed: waybill\.sqlite/.test(out)], [1, true]);
    const target = join(folder, 'half');
    assert.match((await restoreHere(damaged, target)).err, /content of waybill\.sqlite was changed/);
    await assert.rejects(
      startWaybill(t, { environment: { WAYBILL_DATA_DIR: target } }),
      /restore .* did not end/,
    );
    assert.equal((await restoreHere(backups, target)).code, 0);
  });
});

interface ManifestText {
  storeVersion: number;
  format: number;
  node: number;
  files: { path: string; sha256: string }[];
}

function manifestFile(directory: string): string {
  const [name] = readdirSync(join(directory, 'manifests')).filter((one) => one.endsWith('.json'));
  return join(directory, 'manifests', name ?? '');
}

function manifestOf(directory: string): ManifestText {
  const { manifest } = JSON.parse(readFileSync(manifestFile(directory), 'utf8')) as { manifest: string };
  return JSON.parse(manifest) as ManifestText;
}

function rewriteManifest(
  directory: string,
  change: (manifest: ManifestText) => ManifestText,
  sha256?: string,
): void {
  const manifest = JSON.stringify(change(manifestOf(directory)));
  const checksum = sha256 ?? createHash('sha256').update(manifest).digest('hex');
  writeFileSync(manifestFile(directory), JSON.stringify({ sha256: checksum, manifest }));
}
