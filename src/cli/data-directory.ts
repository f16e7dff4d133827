/** Whether the data directory can be written to, asked before anything is opened in it, and answered in plain words. */
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { CommandProblem } from './command.ts';

/** Makes it if it is not there. */
export function openDataDirectory(path: string): void {
  try {
    accessSync(nearestExisting(path), constants.W_OK | constants.X_OK);
    mkdirSync(path, { recursive: true });
  } catch (fault) {
    const { code, message } = fault as NodeJS.ErrnoException;
    throw new CommandProblem(
      `cannot write to the data directory ${path}: ${reasons[code ?? ''] ?? message}; WAYBILL_DATA_DIR names another`,
    );
  }
}

const reasons: Readonly<Record<string, string>> = {
  EROFS: 'its file system is read-only',
  EACCES: 'this user has no permission',
  ENOSPC: 'its disk is full',
};

function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}
