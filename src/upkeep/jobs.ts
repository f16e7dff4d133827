/** Work on the whole ledger, one piece at a time: what is running, how far it has come, and how each kind went last. */
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { randomHex } from '../base/random.ts';
import { type Store, text } from '../store/store.ts';

export const jobKinds = ['verify', 'rebuild', 'retention', 'erase', 'anonymise'] as const;
export type JobKind = (typeof jobKinds)[number];

export interface Job {
  id: string;
  kind: JobKind;
  state: 'running' | 'done' | 'failed';
  startedAt: number;
  endedAt: number | null;
  /** In steps of its own. */
  progress: { done: number; total: number };
  /** What it found or did; null while it runs, or if it failed. */
  result: unknown;
  /** Why it failed; null if it did not. */
  problem: string | null;
}

export type OnProgress = (done: number, total: number) => void;

export type Started = { ok: true; job: Job; ended: Promise<Job> } | { ok: false; running: Job };

export interface Jobs {
  /** `remembered`: shown later as the last run of its kind. A preview is not. */
  start(kind: JobKind, remembered: boolean, work: (onProgress: OnProgress) => Promise<unknown>): Started;
  /** The one that runs, or ended last: for whoever waits for it. */
  current(): Job | null;
  /** Of each kind the last that ended. */
  last(): Job[];
}

export function createJobs(store: Store, clock: Clock, log: Log): Jobs {
  let current: Job | null = null;
  const end = (job: Job, changes: Pick<Job, 'state' | 'result' | 'problem'>, remembered: boolean): Job => {
    Object.assign(job, changes, { endedAt: clock.now() });
    if (remembered) keepRun(store, job.kind, job);
    log.info(
      { job: job.id, kind: job.kind, state: job.state, problem: job.problem },
      'upkeep of the ledger ended',
    );
    return job;
  };
  const carryOut = async (
    job: Job,
    remembered: boolean,
    work: (onProgress: OnProgress) => Promise<unknown>,
  ): Promise<Job> => {
    try {
      const result = await work((done, total) => {
        job.progress = { done, total };
      });
      return end(job, { state: 'done', result, problem: null }, remembered);
    } catch (fault) {
      log.error({ fault, job: job.id, kind: job.kind }, 'upkeep of the ledger failed');
      const problem = fault instanceof Error ? fault.message : String(fault);
      return end(job, { state: 'failed', result: null, problem }, remembered);
    }
  };
  return {
    start(kind, remembered, work) {
      if (current?.state === 'running') return { ok: false, running: current };
      const job: Job = {
        ...{ id: randomHex(8), kind, state: 'running', startedAt: clock.now(), endedAt: null },
        ...{ progress: { done: 0, total: 1 }, result: null, problem: null },
      };
      current = job;
      return { ok: true, job, ended: carryOut(job, remembered, work) };
    },
    current: () => current,
    last: () => lastRuns(store),
  };
}

/** What is known of a kind from now on. */
export function keepRun(store: Store, kind: string, run: unknown): void {
  store.run(
    'INSERT INTO upkeep_runs (kind, run) VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET run = excluded.run',
    ...[kind, JSON.stringify(run)],
  );
}

/** Also for whoever has the store only. */
export function lastRuns(store: Store): Job[] {
  return store
    .all(
      'SELECT run FROM upkeep_runs WHERE kind IN (SELECT value FROM json_each(?)) ORDER BY kind',
      JSON.stringify(jobKinds),
    )
    .map((row) => JSON.parse(text(row, 'run')) as Job);
}
