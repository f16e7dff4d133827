/**
 * Loaded into the process of every test file before the file itself: a file that does not end is ended, and
 * fails with the names of what kept it alive. Node's runner itself would wait for it for ever.
 */
import { after } from 'node:test';

/** All tests of one file. */
const fileMs = 10 * 60_000;
/** From the end of the last test to the end of the process: time to close what was opened. */
const lingerMs = 60_000;

function give(ms: number, what: string): void {
  const timer = setTimeout(() => {
    const alive = [...new Set(process.getActiveResourcesInfo())].join(', ');
    process.stderr.write(`${process.argv[1]}: ${what}; kept alive by ${alive}\n`);
    process.exit(1);
  }, ms);
  timer.unref();
}

give(fileMs, `not done after ${fileMs / 1000} s`);
after(() => give(lingerMs, `still running ${lingerMs / 1000} s after its last test`));
