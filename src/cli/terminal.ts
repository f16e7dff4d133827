/** The three standard streams, and what a command wants of them. A reader who went away ends the output quietly. */
import { createInterface } from 'node:readline/promises';

export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** A person can answer questions. */
  interactive: boolean;
  /** Width to fit tables into; Infinity when nobody looks. */
  columns: number;
  /** All of standard input; null if it has more than `maxBytes`. */
  readInput(maxBytes: number): Promise<Buffer | null>;
  /** A question to be answered with yes or no. */
  confirm(question: string): Promise<boolean>;
  /** Aborts at Ctrl-C or SIGTERM. From its first use on these do not end the process by themselves. */
  interrupted(): AbortSignal;
}

export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', endQuietly);
  let interruption: AbortController | null = null;
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    columns: process.stdout.isTTY === true ? process.stdout.columns : Number.POSITIVE_INFINITY,
    readInput,
    confirm,
    interrupted() {
      interruption ??= abortAtSignal();
      return interruption.signal;
    },
  };
}

function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}

async function readInput(maxBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function confirm(question: string): Promise<boolean> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await reader.question(`${question} [y/N] `)).trim());
  } finally {
    reader.close();
  }
}

function abortAtSignal(): AbortController {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort());
  return controller;
}
