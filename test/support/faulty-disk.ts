/**
 * A disk that refuses when a test tells it to: a shim, compiled here, stands between the program and the C library
 * (`faulty-disk.c`). Where there is no C compiler the tests that need one are left out.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inCi } from './environment.ts';

export interface FaultyDisk {
  /** For the process whose disk it is. */
  environment: Record<string, string>;
  /** From now on writes to files whose path contains the piece fail with ENOSPC. */
  fillUp(piece: string): void;
  /** From now on syncs of files whose path contains the piece fail with EIO. */
  refuseSync(piece: string): void;
  /** The next such sync takes a while and fails; those after it work. */
  refuseOneSync(piece: string): void;
  heal(): void;
}

const source = fileURLToPath(new URL('./faulty-disk.c', import.meta.url));

export function createFaultyDisk(t: TestContext): FaultyDisk {
  const folder = mkdtempSync(join(tmpdir(), 'faulty-disk-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const library = join(folder, 'faulty-disk.so');
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], { stdio: 'inherit' });
  return {
    environment: { LD_PRELOAD: library, FAULTY_DISK: folder },
    fillUp: (piece) => writeFileSync(join(folder, 'full'), piece),
    refuseSync: (piece) => writeFileSync(join(folder, 'no-sync'), piece),
    refuseOneSync: (piece) => writeFileSync(join(folder, 'no-sync-once'), piece),
    heal: () => {
      rmSync(join(folder, 'full'), { force: true });
      rmSync(join(folder, 'no-sync'), { force: true });
    },
  };
}

/** The `skip` option of a test that uses a faulty disk. */
export function skipWithoutCompiler(): string | false {
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return inCi() ? false : 'no C compiler (Debian package gcc)';
  }
}
