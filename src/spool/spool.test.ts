import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { limits } from '../base/limits.ts';
import { openStore, type Store } from '../store/store.ts';
import { type ContentPlace, openSpool, type Spool } from './spool.ts';

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

/** Places a content and keeps it, as a submission does. */
async function write(spool: Spool, mailId: number, content: Buffer): Promise<ContentPlace> {
  const place = await spool.place(content, false);
  spool.keep(mailId, place, content);
  spool.settled(place);
  return place;
}

test('a content is read back as it was written, small or large, any bytes', async (t) => {
  const { spool } = setUp(t);
  let mailId = 0;
  const sizes = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: large - 3, max: large + 3 }));
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(255), async (size, byte) => {
      mailId += 1;
      const content = Buffer.alloc(size, byte);
      const place = await write(spool, mailId, content);
      assert.equal(place.segment === null, size <= limits.inlineContentBytes);
      assert.deepEqual(spool.read(mailId, place), { ok: true, content });
    }),
    { numRuns: 60 },
  );
});

test('a rather large content that is alone goes into the store, a very large one does not', async (t) => {
  const { spool } = setUp(t);
  const most = limits.inlineContentBytesAlone;
  for (const [bytes, inStore] of [
    [large, true],
    [most, true],
    [most + 1, false],
  ] as const) {
    const place = await spool.place(Buffer.alloc(bytes, 1), true);
    assert.equal(place.segment === null, inStore, `${bytes} bytes`);
    spool.settled(place);
  }
});

test('a segment that is gone, cut or changed is said to be so', async (t) => {
  const { spool, spoolDirectory } = setUp(t);
  const place = await write(spool, 1, Buffer.alloc(large, 7));
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

test('the sweep removes segments no mail names, never those in use nor the one being written', async (t) => {
  const { store, spool, spoolDirectory } = setUp(t);
  const kept = await write(spool, 1, Buffer.alloc(large));
  insertMail(store, 1, kept);
  spool.close();
  await write(spool, 2, Buffer.alloc(large));
  spool.close();
  await write(spool, 3, Buffer.alloc(large));
  assert.equal(readdirSync(spoolDirectory).length, 3);
  assert.equal(spool.sweep(), 1);
  assert.equal(readdirSync(spoolDirectory).length, 2);
  assert.equal(spool.read(1, kept).ok, true);
  store.run('DELETE FROM mails');
  assert.equal(spool.sweep(), 1);
});

test('a spool opened again never writes over what was there', async (t) => {
  const { store, spool, spoolDirectory } = setUp(t);
  const before = await write(spool, 1, Buffer.alloc(large, 1));
  const again = openSpool(spoolDirectory, store);
  const after = await write(again, 2, Buffer.alloc(large, 2));
  again.close();
  assert.notEqual(before.segment, after.segment);
  assert.equal(spool.read(1, before).ok, true);
});

test('a segment is kept while the mail of a content in it is not committed yet', async (t) => {
  const { store, spool } = setUp(t);
  const place = await spool.place(Buffer.alloc(large), false);
  spool.close();
  assert.equal(spool.sweep(), 0);
  insertMail(store, 1, place);
  spool.settled(place);
  assert.equal(spool.sweep(), 0);
  store.run('DELETE FROM mails');
  assert.equal(spool.sweep(), 1);
});

test('many contents at once are all there', async (t) => {
  const { spool } = setUp(t);
  const contents = Array.from({ length: 40 }, (_, index) => Buffer.alloc(large + index, index));
  const places = await Promise.all(contents.map((content) => spool.place(content, false)));
  for (const [index, content] of contents.entries()) {
    const place = places[index];
    assert.ok(place);
    assert.deepEqual(spool.read(index, place), { ok: true, content });
  }
});
