/**
 * `npm run dev`: the product from the sources, started again at every change under `src/`. Further words go
 * to `waybill serve`.
 */
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';

const words = [
  '--watch-path=src',
  '--watch-preserve-output',
  'src/main.ts',
  'serve',
  ...process.argv.slice(2),
];
const child = spawn(process.execPath, words, {
  cwd: dirname(import.meta.dirname),
  env: { WAYBILL_LOG_LEVEL: 'debug', ...process.env },
  stdio: 'inherit',
});

/** The terminal sends these to the whole group; what others send must be passed on. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 0);
});
