/**
 * Whoever is killed in the middle of an append, the writer's process with the engine in it or a server at
 * the other end of HTTP: once the batch is appended again the ledger holds each event once, in `events` and
 * in every projection. A missing event would be lost for ever, a doubled one would falsify every count.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Ledger, openEngine, openLedger } from '../../../src/ledger/ledger.ts';
import { randomSource } from '../../support/histories.ts';
import { crashBatches, crashHistory, kills } from './crash-history.ts';
import { Subject } from './subject.ts';

const batches = crashBatches();

/** A process that can be told to append a batch, and killed. */
interface Appender {
  append(index: number): Promise<unknown>;
  kill(): Promise<void>;
}

async function killed(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function startChild(path: string): Promise<Appender> {
  const child = fork(join(import.meta.dirname, 'append-child.ts'), [path], { execArgv: [] });
  await once(child, 'message');
  return {
    append: (index) => {
      child.send(index);
      return Promise.race([once(child, 'message'), once(child, 'exit')]);
    },
    kill: () => killed(child),
  };
}

async function startServer(path: string): Promise<Appender> {
  const script = join(import.meta.dirname, '../../support/clickhouse-front.ts');
  const server = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(server.stdout, 'data')) as [Buffer];
  const ledger: Ledger = await openLedger({ url: line.toString().trim(), path: '' });
  return {
    append: async (index) => {
      const batch = batches[index];
      if (batch) await ledger.append(batch);
    },
    kill: async () => {
      await killed(server);
      await ledger.close();
    },
  };
}

/** Kills at moments spread over the time an append takes; the seed makes a failure repeatable. */
async function killInMidAppend(start: (path: string) => Promise<Appender>, path: string): Promise<number> {
  const random = randomSource(99);
  let appender = await start(path);
  const begun = performance.now();
  await appender.append(0);
  const appendMs = performance.now() - begun;
  let disturbed = 0;
  for (let index = 1; index <= kills; index += 1) {
    let done = false;
    const appending = appender.append(index).then(
      () => {
        done = true;
      },
      () => undefined,
    );
    await new Promise((resolve) => setTimeout(resolve, appendMs * random()));
    if (!done) disturbed += 1;
    await appender.kill();
    await appending;
    appender = await start(path);
    await appender.append(index);
  }
  await appender.append(kills + 1);
  await appender.kill();
  return disturbed;
}

for (const [name, start] of [
  ['the process that appends', startChild],
  ['the server behind HTTP', startServer],
] as const) {
  test(`${name} is killed ${kills} times in the middle of an append`, { timeout: 240_000 }, async () => {
    const path = mkdtempSync(join(tmpdir(), 'waybill-crash-'));
    const disturbed = await killInMidAppend(start, path);
    assert.ok(disturbed > 0, 'at least one kill fell into an append');
    const engine = await openEngine({ url: null, path });
    const subject = await Subject.over(engine);
    await subject.assertHolds(crashHistory().events);
    await engine.close();
    rmSync(path, { recursive: true, force: true });
  });
}
