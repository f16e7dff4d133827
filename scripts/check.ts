/**
 * `npm run check`: everything about the source that can be said without running it. CI runs this and the
 * tests, nothing else.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';

const root = dirname(import.meta.dirname);

interface Step {
  name: string;
  command: string;
  words: readonly string[];
}

function script(name: string, ...words: string[]): Step {
  return {
    name: [name, ...words].join(' '),
    command: process.execPath,
    words: [`scripts/${name}.ts`, ...words],
  };
}

const steps: readonly Step[] = [
  { name: 'format and lint', command: 'biome', words: ['check', '--error-on-warnings', '.'] },
  { name: 'types', command: 'tsc', words: ['-p', '.'] },
  script('check-imports'),
  script('check-vendor-names'),
  script('check-lock-file'),
  script('generate-docs', '--check'),
];

/** Output of a step is shown only when it fails. */
function passes(step: Step): boolean {
  const startedAt = performance.now();
  const command = step.command.includes('/')
    ? step.command
    : join(root, 'node_modules', '.bin', step.command);
  const answer = spawnSync(command, step.words, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const passed = answer.status === 0;
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${seconds.padStart(5)} s  ${step.name}`);
  if (!passed) console.log(`${answer.error?.message ?? ''}${answer.stdout ?? ''}${answer.stderr ?? ''}`);
  return passed;
}

const failed = steps.filter((step) => !passes(step));
console.log(
  failed.length === 0
    ? `check: all ${steps.length} steps passed`
    : `check: ${failed.length} of ${steps.length} steps failed: ${failed.map((step) => step.name).join(', ')}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
