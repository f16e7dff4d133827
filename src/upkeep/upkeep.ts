/**
 * The upkeep of the ledger: proving it, making its projections anew, removing what is too old, taking people out of
 * it. Each is a job; one runs at a time, in the process that has the ledger open. What is kept for how long, and what
 * must not be touched (legal holds), are settings in the store.
 *
 * This is the module's door. Not here: what the statements are (ledger), who may ask for a job (console-api, cli).
 */
import type { Log } from '../base/log.ts';
import type { Service } from '../base/service.ts';
import type { Store } from '../store/store.ts';
import { type EraseRequest, erase } from './erase.ts';
import { createJobs, type Job, type Started } from './jobs.ts';
import { createNightly } from './nightly.ts';
import { createProved } from './proved.ts';
import { anonymise, type RetainRequest, retain } from './retain.ts';
import { type ChainPart, verify } from './verify.ts';
import type { Work } from './work.ts';

export type { Erased, EraseRequest } from './erase.ts';
export { type Job, type JobKind, jobKinds, lastRuns, type Started } from './jobs.ts';
export type { Anonymised, Retained } from './retain.ts';
export {
  createSettings,
  type HoldKind,
  holdKinds,
  type LegalHold,
  type Retention,
  type RetentionChange,
  retentionSettings,
  type UpkeepSettings,
} from './settings.ts';
export type { Verified } from './verify.ts';

export type JobRequest =
  | { kind: 'verify'; chain: ChainPart }
  | { kind: 'rebuild' }
  | ({ kind: 'retention' } & RetainRequest)
  | ({ kind: 'erase' } & EraseRequest)
  | ({ kind: 'anonymise' } & RetainRequest & { olderThanMs?: number });

export interface Upkeep {
  start(request: JobRequest): Started;
  /** The job that runs or ended last in this process, and the last of each kind. */
  status(): { current: Job | null; last: Job[] };
  /** Null: never by itself. */
  nightly: Service | null;
}

export interface UpkeepDeps extends Omit<Work, 'proved'> {
  store: Store;
  log: Log;
  /** Milliseconds after midnight UTC; null: never by itself. */
  nightlyAt: number | null;
}

export function createUpkeep({ store, log, nightlyAt, ...deps }: UpkeepDeps): Upkeep {
  const work: Work = { ...deps, proved: createProved(store) };
  const jobs = createJobs(store, work.clock, log);
  const start = (request: JobRequest): Started => {
    const remembered = !('preview' in request && request.preview);
    return jobs.start(request.kind, remembered, (onProgress) => carryOut(work, request, onProgress));
  };
  const steps = [
    () => start({ kind: 'verify', chain: 'new' }),
    () => start({ kind: 'retention', preview: false }),
    () => start({ kind: 'anonymise', preview: false }),
  ];
  return {
    start,
    status: () => ({ current: jobs.current(), last: jobs.last() }),
    nightly: nightlyAt === null ? null : createNightly({ at: nightlyAt, steps, clock: work.clock, log }),
  };
}

function carryOut(
  work: Work,
  request: JobRequest,
  onProgress: (done: number, total: number) => void,
): Promise<unknown> {
  switch (request.kind) {
    case 'verify':
      return verify(work, request.chain, onProgress);
    case 'rebuild':
      return work.ledger.maintenance.rebuild({ hold: work.hold, onProgress });
    case 'retention':
      return retain(work, request, onProgress);
    case 'erase':
      return erase(work, request);
    case 'anonymise':
      return anonymise(work, request);
  }
}
