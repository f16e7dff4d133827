/** Times of one question, asked again and again with other arguments: the same for whoever is asked. */
import { createHash } from 'node:crypto';
import type { Ask, CountRow } from '../../src/ledger/question.ts';
import { randomSource } from '../../test/support/histories.ts';
import { type Question, questions, type Sample, type Sampled } from './questions.ts';

/** Of each question so many answers are kept until the end and told as one checksum. */
const answersCompared = 3;

export interface Timing {
  name: string;
  tenantDeliveries: number;
  /** The first one, with nothing in the engine's caches; the machine's page cache may hold the files. */
  coldMs: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  /** Two who give the same have answered the same. */
  answers: string;
}

const rounded = (ms: number) => Number(ms.toFixed(1));

async function elapsed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

export async function timesOf(
  ask: () => Promise<unknown>,
  repeat: number,
): Promise<Omit<Timing, 'name' | 'tenantDeliveries' | 'answers'>> {
  const coldMs = rounded(await elapsed(ask));
  const times: number[] = [];
  for (let turn = 0; turn < repeat; turn += 1) times.push(await elapsed(ask));
  times.sort((a, b) => a - b);
  const rank = (share: number) => rounded(times[Math.max(0, Math.ceil(times.length * share) - 1)] ?? 0);
  return { coldMs, p50Ms: rank(0.5), p95Ms: rank(0.95), p99Ms: rank(0.99) };
}

export interface Asking {
  samples: readonly Sampled[];
  repeat: number;
  /** Only questions whose names contain it. */
  only: string;
  /** Before each question, so that its first answer is a cold one. */
  dropCaches(): Promise<void>;
}

export async function askAll(ledger: Ask, { samples, repeat, only, dropCaches }: Asking): Promise<Timing[]> {
  const timings: Timing[] = [];
  for (const sampled of samples) {
    for (const [name, question] of Object.entries(questions)) {
      if (!name.includes(only)) continue;
      await dropCaches();
      const sample = { ...sampled, random: randomSource(sampled.tenantId) };
      timings.push(await timed(ledger, { sample, name, question, repeat }));
    }
  }
  return timings;
}

async function timed(
  ledger: Ask,
  { sample, name, question, repeat }: { sample: Sample; name: string; question: Question; repeat: number },
): Promise<Timing> {
  const { tenantDeliveries } = sample;
  const answers: unknown[] = [];
  const times = await timesOf(async () => {
    const answer = await question(ledger, sample);
    if (answers.length < answersCompared) answers.push(answer);
  }, repeat);
  const shown = `${name.padEnd(38)} ${String(tenantDeliveries).padStart(9)} deliveries`;
  console.error(
    `${shown}  cold ${times.coldMs}  p50 ${times.p50Ms}  p95 ${times.p95Ms}  p99 ${times.p99Ms} ms`,
  );
  return { name, tenantDeliveries, ...times, answers: checksum(answers) };
}

function checksum(answers: readonly unknown[]): string {
  return createHash('sha256')
    .update(JSON.stringify(answers.map(inOrder), byName))
    .digest('hex')
    .slice(0, 16);
}

/** Two objects with the same members are the same, in whatever order they were put together. */
function byName(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Cells of counts come in no promised order. */
function inOrder(answer: unknown): unknown {
  const isCounts = (rows: unknown): rows is CountRow[] =>
    Array.isArray(rows) && typeof rows[0] === 'object' && 'bucketAt' in rows[0];
  return isCounts(answer) ? answer.map((row) => JSON.stringify(row)).sort() : answer;
}
