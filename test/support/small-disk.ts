/** A real file system of a few megabytes, for a disk that is full or read-only. Needs the right to mount. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface SmallDisk {
  directory: string;
  /** Fills it to the last byte. */
  fillUp(): void;
  makeRoom(): void;
  setReadOnly(): void;
}

export function mountSmallDisk(t: TestContext, megabytes: number): SmallDisk {
  const directory = mkdtempSync(join(tmpdir(), 'small-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', directory]);
  t.after(() => {
    // Lazily: whatever still has a file open there is about to end.
    execFileSync('umount', ['-l', directory]);
    rmSync(directory, { recursive: true, force: true });
  });
  const ballast = join(directory, 'ballast');
  return {
    directory,
    fillUp: () => fill(ballast),
    makeRoom: () => rmSync(ballast),
    setReadOnly: () => void execFileSync('mount', ['-o', 'remount,ro', directory]),
  };
}

function fill(path: string): void {
  const file = openSync(path, 'a');
  try {
    for (let bytes = 1 << 20; bytes >= 1; ) {
      try {
        writeSync(file, Buffer.alloc(bytes));
      } catch {
        bytes >>= 1;
      }
    }
  } finally {
    closeSync(file);
  }
}

/** The `skip` option of a test that uses a small disk. */
export function skipWithoutMount(): string | false {
  const directory = mkdtempSync(join(tmpdir(), 'small-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory], { stdio: 'ignore' });
    execFileSync('umount', [directory]);
    return false;
  } catch {
    return 'this user may not mount a file system';
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
