/** What the commands of backups share: a snapshot of the data directory, and progress at the terminal. */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BackupProblem, holdsBackups, type Snapshot, takeSnapshot } from '../backup/backup.ts';
import { systemClock } from '../base/clock.ts';
import type { Config } from '../config/config.ts';
import { dataPaths } from '../data-paths.ts';
import { type RunFile, readRunFile } from '../run-file.ts';
import { CommandProblem } from './command.ts';
import { streamLines } from './running-server.ts';
import { locked, whileStopped, withFilledLedger } from './stopped-server.ts';
import type { Terminal } from './terminal.ts';

/** What keeps a backup from being made or restored is told in its own words. */
export async function withProblems<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BackupProblem) throw new CommandProblem(error.message);
    throw error;
  }
}

/** Holds the folder of backups against a second command; made if it is missing. */
export async function withBackupFolder<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const found = existsSync(directory) ? readdirSync(directory).filter((name) => name !== 'lock') : [];
  if (found.length > 0 && !holdsBackups(directory)) {
    throw new CommandProblem(`${directory} holds other things than backups; name an empty folder`);
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return await locked(join(directory, 'lock'), `another command works on ${directory}`, work);
}

/** Of the running server, or of a data directory that no server has open. It is removed when `work` has ended. */
export async function withSnapshot<T>(config: Config, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const paths = dataPaths(config.dataDir);
  if (!existsSync(paths.store)) throw new CommandProblem(`${config.dataDir} holds no Waybill data`);
  const run = readRunFile(config.dataDir);
  return await locked(paths.lock('backup'), `another backup of ${config.dataDir} is being made`, async () => {
    try {
      return await work(run === null ? await snapshotOfStopped(config) : await snapshotOfRunning(run));
    } finally {
      rmSync(paths.snapshots, { recursive: true, force: true });
    }
  });
}

async function snapshotOfRunning(run: RunFile): Promise<Snapshot> {
  let last: { snapshot?: Snapshot; problem?: string } = {};
  for await (const line of streamLines(run, '/api/v1/snapshots', { method: 'POST' }))
    if (line !== '') last = JSON.parse(line) as typeof last;
  if (last.snapshot !== undefined) return last.snapshot;
  throw new CommandProblem(last.problem ?? 'the server ended before the snapshot was made; try again');
}

/** Holds the locks of a server, so that none starts meanwhile. */
async function snapshotOfStopped(config: Config): Promise<Snapshot> {
  const paths = dataPaths(config.dataDir);
  const busy = `a server is starting or stopping on ${config.dataDir}; try again`;
  return await whileStopped(config, busy, async (store) => {
    if (config.ledger.url !== null)
      return await takeSnapshot({ paths, between: (work) => work(), freeze: async () => null });
    return await withFilledLedger(config, store, ({ ledger, writer }) =>
      takeSnapshot({
        paths,
        between: (work) => writer.between(work),
        freeze: (into) => ledger.freeze(into),
      }),
    );
  });
}

/** One line that is written over; nothing when nobody looks. */
export function progressLine(terminal: Terminal): { show(text: string): void; end(): void } {
  let shownAt = 0;
  if (!terminal.interactive) return { show: () => {}, end: () => {} };
  return {
    show(text) {
      const now = systemClock.now();
      if (now - shownAt < 200) return;
      shownAt = now;
      terminal.err(`\r\u001b[K${text}`);
    },
    end: () => terminal.err('\r\u001b[K'),
  };
}

/** `12.3 MiB`. */
export function shownBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${power === 0 ? bytes : (bytes / 1024 ** power).toFixed(1)} ${units[power]}`;
}

export function folderOperand(operands: readonly string[]): string {
  return resolve(operands[0] ?? '.');
}
