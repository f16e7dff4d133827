/** Runs the real command line in processes of its own, on data directories of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runCommandLine } from '../../src/cli/cli.ts';

export const root = dirname(dirname(import.meta.dirname));
const program = join(root, 'src/main.ts');

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

export interface Installation {
  folder: string;
  /** Working directory of the commands: a `waybill.toml` in it is read. */
  run(words: readonly string[], how?: How): Promise<Ran>;
  /** As `run`, but the exit code must be 0; returns what `--json` printed. */
  json(words: readonly string[], how?: How): Promise<unknown>;
  start(words: readonly string[], how?: How): Running;
  remove(): void;
}

export interface How {
  environment?: Record<string, string>;
  input?: string;
}

export interface Running {
  process: ChildProcess;
  out(): string;
  err(): string;
  /** Resolves when standard output matches; rejects if the process ends before. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  ended: Promise<Ran>;
}

export function newInstallation(): Installation {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-cli-'));
  const run = (words: readonly string[], how: How = {}) => start(folder, words, how).ended;
  return {
    folder,
    run,
    async json(words, how) {
      const { code, out, err } = await run([...words, '--json'], how);
      if (code !== 0) throw new Error(`waybill ${words.join(' ')} ended with ${code}: ${err}`);
      return JSON.parse(out);
    },
    start: (words, how = {}) => start(folder, words, how),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function start(folder: string, words: readonly string[], { environment = {}, input = '' }: How): Running {
  const child = spawn(process.execPath, [program, ...words], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      WAYBILL_DATA_DIR: join(folder, 'data'),
      WAYBILL_SMTP_LISTEN: '127.0.0.1:0',
      WAYBILL_HTTP_LISTEN: '127.0.0.1:0',
      ...environment,
    },
  });
  let [out, err] = ['', ''];
  const grown = new EventTarget();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    grown.dispatchEvent(new Event('grown'));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  child.stdin.on('error', () => {}).end(input);
  const ended = once(child, 'close').then(([code]): Ran => ({ code: code as number | null, out, err }));
  return {
    process: child,
    out: () => out,
    err: () => err,
    ended,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(out);
          if (found) resolve(found);
        };
        grown.addEventListener('grown', look);
        look();
        void ended.then(({ code }) =>
          reject(new Error(`ended with ${code} before ${pattern}: ${out}${err}`)),
        );
      }),
  };
}

/**
 * Runs the command line in this process, for what needs no other one: a process costs a third of a second. `answer`
 * is what a person at the terminal says to a question; without it nobody is there.
 */
export async function runHere(
  words: readonly string[],
  answer?: boolean,
): Promise<Ran & { asked: string[] }> {
  let [out, err] = ['', ''];
  const asked: string[] = [];
  const code = await runCommandLine(words, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    interactive: answer !== undefined,
    columns: Number.POSITIVE_INFINITY,
    readInput: () => Promise.reject(new Error('nothing is read')),
    confirm: (question) => {
      asked.push(question);
      return Promise.resolve(answer === true);
    },
    interrupted: () => new AbortController().signal,
  });
  return { code, out, err, asked };
}
