/** Times of one question, asked again and again with other arguments. */
import type { Ledger } from '../../src/ledger/ledger.ts';
import { type Question, questions, type Sample, sampleOf } from './questions.ts';

export interface Timing {
  name: string;
  tenantDeliveries: number;
  /** The first one, with nothing in the engine's caches; the machine's page cache may hold the files. */
  coldMs: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
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
): Promise<Omit<Timing, 'name' | 'tenantDeliveries'>> {
  const coldMs = rounded(await elapsed(ask));
  const times: number[] = [];
  for (let turn = 0; turn < repeat; turn += 1) times.push(await elapsed(ask));
  times.sort((a, b) => a - b);
  const rank = (share: number) => rounded(times[Math.max(0, Math.ceil(times.length * share) - 1)] ?? 0);
  return { coldMs, p50Ms: rank(0.5), p95Ms: rank(0.95), p99Ms: rank(0.99) };
}

export interface Asking {
  tenants: readonly number[];
  repeat: number;
  /** Only questions whose names contain it. */
  only: string;
  /** Before each question, so that its first answer is a cold one. */
  dropCaches(): Promise<void>;
}

export async function askAll(
  ledger: Ledger,
  { tenants, repeat, only, dropCaches }: Asking,
): Promise<Timing[]> {
  const timings: Timing[] = [];
  for (const tenant of tenants) {
    const sample = await sampleOf(ledger, tenant);
    for (const [name, question] of Object.entries(questions)) {
      if (!name.includes(only)) continue;
      await dropCaches();
      timings.push(await timed(ledger, { sample, name, question, repeat }));
    }
  }
  return timings;
}

async function timed(
  ledger: Ledger,
  { sample, name, question, repeat }: { sample: Sample; name: string; question: Question; repeat: number },
): Promise<Timing> {
  const { tenantDeliveries } = sample;
  const times = await timesOf(() => question(ledger, sample), repeat);
  const shown = `${name.padEnd(38)} ${String(tenantDeliveries).padStart(9)} deliveries`;
  console.error(
    `${shown}  cold ${times.coldMs}  p50 ${times.p50Ms}  p95 ${times.p95Ms}  p99 ${times.p99Ms} ms`,
  );
  return { name, tenantDeliveries, ...times };
}
