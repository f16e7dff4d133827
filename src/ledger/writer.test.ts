import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { generateHistory } from '../../test/support/histories.ts';
import { AssertionFault } from '../base/assert.ts';
import { manualClock, systemClock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { MailEvent } from '../events/event.ts';
import { LedgerFault } from './fault.ts';
import type { Batch } from './ledger.ts';
import { createWriter, type Outbox, type Writer } from './writer.ts';

const history = generateHistory(7, { mails: 40 }).events;

/** Survives every writer that works on it, as the store survives the process. */
class MemoryOutbox implements Outbox {
  events: MailEvent[] = [];
  appendedTo = 0;
  pendingTo: number | null = null;

  write(count: number): void {
    for (let left = count; left > 0; left -= 1) {
      const sequence = this.newest() + 1;
      const pattern = history[sequence % history.length];
      if (pattern) this.events.push({ ...pattern, sequence });
    }
  }

  read(after: number, limit: number): MailEvent[] {
    return this.events.filter(({ sequence }) => sequence > after).slice(0, limit);
  }

  cursor() {
    return { appendedTo: this.appendedTo, pendingTo: this.pendingTo };
  }

  begin(pendingTo: number): void {
    this.pendingTo = pendingTo;
  }

  advance(to: number): void {
    this.appendedTo = to;
    this.pendingTo = null;
  }

  newest(): number {
    return this.events.at(-1)?.sequence ?? 0;
  }
}

/** Knows repeated batches by their token, as the ledger does, and nothing else. */
class MemoryLedger {
  readonly sequences: number[] = [];
  readonly batches: string[] = [];
  #tokens = new Set<string>();
  /** What becomes of the next appends: taken, refused, or taken without the writer hearing of it. */
  mishaps: ('refuse' | 'lose the answer')[] = [];

  async append({ node, first, last, events }: Batch): Promise<void> {
    const mishap = this.mishaps.shift();
    await Promise.resolve();
    if (mishap === 'refuse') throw new LedgerFault('unavailable', 'not today');
    const token = `${node}:${first}-${last}`;
    this.batches.push(token);
    if (!this.#tokens.has(token)) this.sequences.push(...events.map(({ sequence }) => sequence));
    this.#tokens.add(token);
    if (mishap === 'lose the answer') throw new LedgerFault('unavailable', 'connection lost');
  }
}

function setUp({ clock = systemClock } = {}) {
  const outbox = new MemoryOutbox();
  const ledger = new MemoryLedger();
  const start = (): Writer => createWriter({ outbox, ledger, clock, node: 'a' });
  return { outbox, ledger, start };
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(() => resolve()));
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

test('catching up brings in everything, in order, once', async () => {
  const { outbox, ledger, start } = setUp();
  const writer = start();
  outbox.write(25);
  assert.equal(await writer.catchUp(1000), true);
  assert.deepEqual(ledger.sequences, upTo(25));
  assert.equal(await writer.catchUp(1000), true);
  assert.equal(ledger.batches.length, 1);
});

test('callers at the same time share one drain', async () => {
  const { outbox, ledger, start } = setUp();
  const writer = start();
  outbox.write(10);
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => writer.catchUp(1000))), [true, true, true]);
  assert.deepEqual(ledger.batches, ['a:1-10']);
});

test('what is written while a drain is under way is caught up as well', async () => {
  const { outbox, ledger, start } = setUp();
  const writer = start();
  outbox.write(3);
  const first = writer.catchUp(1000);
  outbox.write(2);
  const second = writer.catchUp(1000);
  assert.deepEqual(await Promise.all([first, second]), [true, true]);
  assert.deepEqual(ledger.sequences, upTo(5));
});

test('a batch has at most its bound of events', async () => {
  const { outbox, ledger, start } = setUp();
  outbox.write(limits.ledgerBatchEvents + 1);
  await start().catchUp(5000);
  const most = limits.ledgerBatchEvents;
  assert.deepEqual(ledger.batches, [`a:1-${most}`, `a:${most + 1}-${most + 1}`]);
});

test('events of long texts make smaller batches', async () => {
  const { outbox, ledger, start } = setUp();
  outbox.write(4 * limits.ledgerReadEvents);
  const toField = 'x'.repeat(50_000);
  outbox.events = outbox.events.map((event) => ({ ...event, mail: { ...event.mail, toField } }));
  await start().catchUp(5000);
  assert.deepEqual(ledger.batches, ['a:1-2000', 'a:2001-4000']);
});

test('a begun batch is repeated alone and whole after a crash, however much came after it', async () => {
  const { outbox, ledger, start } = setUp();
  outbox.write(10);
  ledger.mishaps = ['lose the answer'];
  assert.equal(await start().catchUp(1000), false);
  assert.deepEqual(outbox.cursor(), { appendedTo: 0, pendingTo: 10 });
  outbox.write(5);
  assert.equal(await start().catchUp(1000), true);
  assert.deepEqual(ledger.batches, ['a:1-10', 'a:1-10', 'a:11-15']);
  assert.deepEqual(ledger.sequences, upTo(15));
});

test('through any crashes and refusals the ledger gets each event once, in order', async () => {
  const mishap = fc.constantFrom('refuse' as const, 'lose the answer' as const);
  const steps = fc.array(
    fc.record({
      written: fc.nat({ max: 30 }),
      mishaps: fc.array(mishap, { maxLength: 2 }),
      restart: fc.boolean(),
    }),
    { maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const { outbox, ledger, start } = setUp();
      let writer = start();
      for (const { written, mishaps, restart } of plan) {
        outbox.write(written);
        ledger.mishaps = mishaps;
        await writer.catchUp(1000);
        if (restart) writer = start();
      }
      ledger.mishaps = [];
      assert.equal(await writer.catchUp(1000), true);
      assert.deepEqual(ledger.sequences, upTo(outbox.newest()));
    }),
    { numRuns: 200 },
  );
});

test('a hole in the outbox is a fault, and nothing after it is carried', async () => {
  const { outbox, ledger, start } = setUp();
  outbox.write(5);
  outbox.events.splice(2, 1);
  const writer = start();
  assert.equal(await writer.catchUp(1000), false);
  await assert.rejects(writer.run(new AbortController().signal), AssertionFault);
  assert.deepEqual(ledger.sequences, []);
});

test('a begun batch that is gone from the outbox is a fault', async () => {
  const { outbox, start } = setUp();
  outbox.write(3);
  outbox.pendingTo = 5;
  await assert.rejects(start().run(new AbortController().signal), /begun batch up to 5/);
});

test('waiting has a bound', async () => {
  const { outbox } = setUp();
  outbox.write(1);
  const never = { append: () => new Promise<void>(() => undefined) };
  const writer = createWriter({ outbox, ledger: never, clock: manualClock(0), node: 'a' });
  assert.equal(await writer.catchUp(5000), false);
});

test('a poke wakes the running writer, and it stops when told', async () => {
  const { outbox, ledger, start } = setUp();
  const writer = start();
  const stop = new AbortController();
  const running = writer.run(stop.signal);
  outbox.write(2);
  writer.poke();
  while (ledger.sequences.length < 2) await nextTurn();
  stop.abort();
  await running;
  assert.deepEqual(ledger.sequences, [1, 2]);
});

test('without a poke it looks once in a while', async () => {
  const clock = manualClock(0);
  const { outbox, ledger, start } = setUp({
    clock: { ...clock, sleep: (ms) => clock.sleep(ms).then(nextTurn) },
  });
  const stop = new AbortController();
  const running = start().run(stop.signal);
  await nextTurn();
  outbox.write(2);
  while (ledger.sequences.length < 2) await nextTurn();
  stop.abort();
  await running;
  assert.ok(clock.now() >= limits.ledgerPollMs);
});

test('what is written during a batch gathers until the next look; a backlog does not wait', async () => {
  const most = limits.ledgerBatchEvents;
  const { outbox, ledger } = setUp();
  const stop = new AbortController();
  const append = ledger.append.bind(ledger);
  ledger.append = async (batch) => {
    await append(batch);
    if (ledger.batches.length < 4) outbox.write(1);
    else stop.abort();
  };
  const waitsAfterBatches: number[] = [];
  const clock = {
    now: () => 0,
    sleep: async () => {
      waitsAfterBatches.push(ledger.batches.length);
    },
  };
  outbox.write(most + 1);
  const writer = createWriter({ outbox, ledger, clock, node: 'a' });
  await writer.run(stop.signal);
  const batch = (from: number, to: number) => `a:${most + from}-${most + to}`;
  assert.deepEqual(ledger.batches, [`a:1-${most}`, batch(1, 2), batch(3, 3), batch(4, 4)]);
  assert.deepEqual([...new Set(waitsAfterBatches)], [2, 3, 4]);
});

test('a ledger that cannot be reached is tried again, later each time, up to a bound', async () => {
  const waits: number[] = [];
  const stop = new AbortController();
  const clock = {
    now: () => 0,
    sleep: async (ms: number) => {
      waits.push(ms);
      if (waits.length === 12) stop.abort();
    },
  };
  const { outbox, ledger, start } = setUp({ clock });
  outbox.write(1);
  ledger.mishaps = Array.from({ length: 50 }, () => 'refuse' as const);
  await start().run(stop.signal);
  assert.deepEqual(waits.slice(0, 4), [500, 1000, 2000, 4000]);
  assert.equal(waits.at(-1), limits.ledgerRetryMs);
  assert.deepEqual(outbox.cursor(), { appendedTo: 0, pendingTo: 1 });
});
