import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { limits } from '../base/limits.ts';
import { openStore, type Store } from '../store/store.ts';
import { type ContentPlace, openSpool } from './spool.ts';

function setUp(t: test.TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'waybill-spool-'));
  const store = openStore(join(directory, 'store.sqlite'));
  const spoolDirectory = join(directory, 'spool');
  const spool = openSpool(spoolDirectory, store);
  t.after(() => {
    spool.close();
    store.close();
    rmSync(directory, { recursive: true });
  });
  return { store, spool, spoolDirectory };
}

function insertMail(store: Store, mailId: number, place: ContentPlace): void {
  store.run(
    `INSERT INTO mails (mail_id, tenant_id, facts, open_deliveries, last_sequence, segment, segment_offset, content_bytes, checksum)
     VALUES (?, 1, '{}', 1, 0, ?, ?, ?, ?)`,
    mailId,
    place.segment,
    place.offset,
    place.bytes,
    place.checksum,
  );
}

const large = limits.inlineContentBytes + 1;

test('a content is read back as it was written, small or large, any bytes', (t) => {
  const { spool } = setUp(t);
  let mailId = 0;
  const sizes = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: large - 3, max: large + 3 }));
  fc.assert(
    fc.property(sizes, fc.nat(255), (size, byte) => {
      mailId += 1;
      const content = Buffer.alloc(size, byte);
      const place = spool.write(mailId, content);
      spool.sync();
      assert.equal(place.segment === null, size <= limits.inlineContentBytes);
      assert.deepEqual(spool.read(mailId, place), { ok: true, content });
    }),
    { numRuns: 60 },
  );
});

test('a segment that is gone, cut or changed is said to be so', (t) => {
  const { spool, spoolDirectory } = setUp(t);
  const place = spool.write(1, Buffer.alloc(large, 7));
  spool.sync();
  const [name = ''] = readdirSync(spoolDirectory);
  const path = join(spoolDirectory, name);
  assert.equal(spool.read(1, { ...place, checksum: place.checksum + 1 }).ok, false);
  writeFileSync(path, Buffer.alloc(large, 8));
  assert.deepEqual(spool.read(1, place), { ok: false, problem: 'damaged' });
  truncateSync(path, 5);
  assert.deepEqual(spool.read(1, place), { ok: false, problem: 'missing' });
  unlinkSync(path);
  assert.deepEqual(spool.read(1, place), { ok: false, problem: 'missing' });
});

test('the sweep removes segments no mail names, never those in use nor the one being written', (t) => {
  const { store, spool, spoolDirectory } = setUp(t);
  const kept = spool.write(1, Buffer.alloc(large));
  insertMail(store, 1, kept);
  spool.close();
  spool.write(2, Buffer.alloc(large));
  spool.close();
  spool.write(3, Buffer.alloc(large));
  assert.equal(readdirSync(spoolDirectory).length, 3);
  assert.equal(spool.sweep(), 1);
  assert.equal(readdirSync(spoolDirectory).length, 2);
  assert.equal(spool.read(1, kept).ok, true);
  store.run('DELETE FROM mails');
  assert.equal(spool.sweep(), 1);
});

test('a spool opened again never writes over what was there', (t) => {
  const { store, spool, spoolDirectory } = setUp(t);
  const before = spool.write(1, Buffer.alloc(large, 1));
  spool.sync();
  const again = openSpool(spoolDirectory, store);
  const after = again.write(2, Buffer.alloc(large, 2));
  again.close();
  assert.notEqual(before.segment, after.segment);
  assert.equal(spool.read(1, before).ok, true);
});
