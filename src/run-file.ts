/**
 * How the command line finds the running server: a small file in the data directory, written when everything
 * listens and removed at the end. It also holds a token that lets whoever can read the data directory ask the
 * server what only it can answer (the embedded ledger is open in one process).
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ListeningAddress {
  host: string;
  port: number;
}

export interface RunFile {
  pid: number;
  startedAt: number;
  smtp: ListeningAddress[];
  http: ListeningAddress;
  /** Bearer token of the operator's API for this run. */
  token: string;
}

const pathIn = (dataDir: string) => join(dataDir, 'run.json');

export function writeRunFile(dataDir: string, run: RunFile): void {
  const temporary = `${pathIn(dataDir)}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(run)}\n`, { mode: 0o600 });
  renameSync(temporary, pathIn(dataDir));
}

export function removeRunFile(dataDir: string): void {
  rmSync(pathIn(dataDir), { force: true });
}

/** Null when no server runs on that data directory. */
export function readRunFile(dataDir: string): RunFile | null {
  if (!existsSync(pathIn(dataDir))) return null;
  const run = JSON.parse(readFileSync(pathIn(dataDir), 'utf8')) as RunFile;
  return isAlive(run.pid) ? run : null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
