/**
 * Has the ledger worked on: by the running server, which has it open, or by this command itself while none runs. How
 * far it has come is told on standard error when a person looks.
 */
import { existsSync } from 'node:fs';
import { systemClock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { createLog } from '../base/log.ts';
import { loadInstallationKey } from '../base/secret.ts';
import type { Config } from '../config/config.ts';
import type { JobReply, LedgerReply } from '../console-api/console-api.ts';
import { dataPaths } from '../data-paths.ts';
import { closeOfficeLedger, openOfficeLedger } from '../office-ledger.ts';
import { type RunFile, readRunFile } from '../run-file.ts';
import { openStore } from '../store/store.ts';
import { openTenants } from '../tenants/tenants.ts';
import type { Job, JobKind, JobRequest, Started } from '../upkeep/upkeep.ts';
import { type Call, CommandProblem } from './command.ts';
import { configOrProblem, tenantNamed, withInstallation } from './installation.ts';
import { askServer, tellServer } from './running-server.ts';
import { locked } from './stopped-server.ts';

/** A request whose tenant is still a name. */
export interface NamedRequest {
  kind: JobKind;
  tenant?: string;
  chain?: boolean;
  preview?: boolean;
  address?: string;
  olderThanMs?: number;
}

/** Resolves with what the job found or did. */
export async function runJob<R>(call: Call, request: NamedRequest): Promise<R> {
  const config = configOrProblem(call);
  const run = readRunFile(config.dataDir);
  const job = run ? await byServer(call, run, request) : await byOurselves(call, config, request);
  if (job.state === 'done') return job.result as R;
  throw new CommandProblem(
    job.problem ?? 'the server ended before the work did; look at "waybill ledger status"',
  );
}

async function byServer(call: Call, run: RunFile, request: NamedRequest): Promise<Job> {
  const { job } = await tellServer<JobReply>(run, '/api/v1/ledger/jobs', request);
  const show = progressOf(call);
  for (let seen: Job = job; ; ) {
    show(seen.progress.done, seen.progress.total);
    if (seen.state !== 'running') return seen;
    await systemClock.sleep(limits.jobLookMs);
    const { current } = await askServer<LedgerReply>(run, '/api/v1/ledger', []);
    if (current?.id !== job.id) {
      throw new CommandProblem(
        'the server was started anew before the work ended; see "waybill ledger status"',
      );
    }
    seen = current;
  }
}

async function byOurselves(call: Call, config: Config, request: NamedRequest): Promise<Job> {
  const paths = dataPaths(config.dataDir);
  if (!existsSync(paths.store)) return withInstallation(call, { create: false }, () => Promise.reject()); // says so
  const otherwise = 'the ledger is open in another process; try again in a moment';
  return await locked(paths.lock('office'), otherwise, async () => {
    const store = openStore(paths.store);
    try {
      const key = loadInstallationKey(paths.key);
      const tenants = openTenants(store, key, systemClock);
      const log = createLog({ level: 'error', format: config.log.format, name: 'ledger' });
      const officeLedger = await openOfficeLedger({ config, store, tenants, key, clock: systemClock, log });
      try {
        const idOf = (name: string) => tenantNamed(tenants, name).id;
        return await watched(call, officeLedger.upkeep.start(withTenantId(request, idOf)));
      } finally {
        await closeOfficeLedger(officeLedger);
      }
    } finally {
      store.close();
    }
  });
}

/** Until it has ended. */
async function watched(call: Call, started: Started): Promise<Job> {
  if (!started.ok) throw new CommandProblem('the ledger is being worked on');
  const looking = new AbortController();
  const shown = lookAgain(started.job, progressOf(call), looking.signal);
  const job = await started.ended;
  looking.abort();
  await shown;
  return job;
}

async function lookAgain(
  job: Job,
  show: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await systemClock.sleep(limits.jobLookMs, signal);
    show(job.progress.done, job.progress.total);
  }
}

function withTenantId(request: NamedRequest, idOf: (name: string) => number): JobRequest {
  const { kind, tenant, chain = false, preview = false, address = '', olderThanMs } = request;
  const which = { preview, ...(tenant === undefined ? {} : { tenantId: idOf(tenant) }) };
  switch (kind) {
    case 'verify':
      return { kind, chain: chain ? 'everything' : 'nothing' };
    case 'rebuild':
      return { kind };
    case 'retention':
      return { kind, ...which };
    case 'erase':
      return { kind, ...which, address };
    case 'anonymise':
      return { kind, ...which, ...(olderThanMs === undefined ? {} : { olderThanMs }) };
  }
}

/** A line that is written over, for a person only. */
function progressOf({ terminal, json }: Call): (done: number, total: number) => void {
  if (json || !terminal.interactive) return () => {};
  let last = -1;
  return (done, total) => {
    const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
    if (percent === last) return;
    last = percent;
    terminal.err(`\r${percent} %${percent === 100 ? '\n' : ''}`);
  };
}
