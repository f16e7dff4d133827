/** The pool of sessions: who waits, how long, and who is next. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LedgerFault } from './fault.ts';
import { createSessions } from './sessions.ts';

const busy = (error: unknown) =>
  error instanceof LedgerFault && error.code === 'busy' && error.temporary && /ask again/.test(error.message);

/** Two at most; `held` are questions that go on until they are let go. */
function poolOfTwo() {
  let opened = 0;
  const closed: number[] = [];
  const open = () => {
    opened += 1;
    const number = opened;
    return { number, close: () => closed.push(number) };
  };
  const sessions = createSessions(open, 2);
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = sessions.use(60_000, async ({ number }) => {
      await promise;
      return number;
    });
    return { done, letGo: resolve };
  };
  return { sessions, hold, closed, opened: () => opened };
}

test('one session serves those who come one after the other; each that is open is closed', async () => {
  const { sessions, closed, opened } = poolOfTwo();
  for (let asked = 0; asked < 3; asked += 1) await sessions.use(1000, async () => {});
  assert.equal(opened(), 1);
  sessions.close();
  assert.deepEqual(closed, [1]);
});

test('who finds none free has the first one given back, in the order of asking', async () => {
  const { sessions, hold } = poolOfTwo();
  const [first, second] = [hold(), hold()];
  const served: string[] = [];
  const asked = ['a', 'b', 'c'].map((name) =>
    sessions.use(60_000, async ({ number }) => {
      served.push(`${name}${number}`);
    }),
  );
  second.letGo();
  await Promise.all(asked);
  assert.deepEqual(served, ['a2', 'b2', 'c2']);
  first.letGo();
  assert.deepEqual(await Promise.all([first.done, second.done]), [1, 2]);
});

test('who waits too long is told so, and takes no session from those behind', async () => {
  const { sessions, hold } = poolOfTwo();
  const held = [hold(), hold()];
  await assert.rejects(
    sessions.use(5, async () => {}),
    busy,
  );
  const behind = sessions.use(60_000, async ({ number }) => number);
  held[0]?.letGo();
  assert.equal(await behind, 1);
  held[1]?.letGo();
  await Promise.all(held.map(({ done }) => done));
});

test('a session is given back by a question that failed', async () => {
  const { sessions, opened } = poolOfTwo();
  for (let asked = 0; asked < 3; asked += 1) {
    await assert.rejects(
      sessions.use(1000, async () => {
        throw new Error('no');
      }),
      /no/,
    );
  }
  assert.equal(opened(), 1);
});
