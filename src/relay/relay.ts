/**
 * The relay: takes mail in, schedules and attempts deliveries, settles what becomes of them. The steps of one mail
 * are lists in `submit.ts` and `deliver.ts`; `classify.ts` is the policy.
 *
 * This is the module's door. Not here: protocols (smtp-server, smtp-client), the tables (queue), the memory of what
 * happened (ledger). RFC 5321 §4.5.4.1 (retries), RFC 6409 (submission).
 */
import { crashPoint } from '../base/crash-point.ts';
import { createMailIds } from '../base/id.ts';
import { limits } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { DeliveryFacts } from '../events/event.ts';
import type { Queue } from '../queue/queue.ts';
import type { Spool } from '../spool/spool.ts';
import type { GroupCommit } from '../store/store.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { clearEnded } from './clear.ts';
import { type AttemptedMail, type DeliverDeps, deliver } from './deliver.ts';
import { createEarlyChecks, type EarlyChecks } from './early-checks.ts';
import { createLeases, type LeaseBounds } from './leases.ts';
import { releaseWithinQuotas } from './quota-release.ts';
import { type RefusedPath, recordRefusedPath } from './rejection.ts';
import type { RetryPlan } from './retry.ts';
import { createScheduler, type DueAttempt } from './schedule.ts';
import { ownDomainOf } from './sender-rights.ts';
import { settle, type Verdict } from './settle.ts';
import { createSigner } from './sign.ts';
import type { Submission, SubmissionResult } from './submission.ts';
import { submit } from './submit.ts';

export { type ReleaseResult, releaseDelivery } from './hold.ts';
export { type MoveResult, moveDelivery } from './move.ts';
export { createMtaStsPolicies, type MtaStsPolicies } from './mta-sts.ts';
export { createFetchPolicy, type FetchPolicyOptions } from './mta-sts-fetch.ts';
export type { RefusedPath } from './rejection.ts';
export type { NextHop, Via } from './route.ts';
export {
  type CancelResult,
  cancelDelivery,
  type HoldResult,
  holdDelivery,
  type RetryResult,
  retryDelivery,
} from './settle.ts';
export type { Submission, SubmissionRefusal, SubmissionResult } from './submission.ts';
export type { FindTargets, Targets } from './targets.ts';
export { createTlsPolicies, type TlsPolicies, type TlsPolicyRule } from './tls-policy.ts';

export interface RelayDeps extends DeliverDeps {
  node: { number: number; name: string };
  plan: RetryPlan;
  bounds: LeaseBounds;
  tenants: Tenants;
  queue: Queue;
  spool: Spool;
  commit: GroupCommit;
  log: Log;
}

export interface Relay extends EarlyChecks {
  /** On record as `rejected`, for a forward-path that `checkForwardPath` called denied. */
  recordDenied(path: RefusedPath): Promise<void>;
  submit(submission: Submission): Promise<SubmissionResult>;
  /** Schedules until aborted, then waits for the attempts under way, at most `drainMs`. */
  run(signal: AbortSignal): Promise<void>;
  /** Attempts under way. */
  open(): number;
}

/** A lease and what is tried under it. `content` is null when it has to be read from the spool. */
export interface Attempt extends DueAttempt {
  content: Buffer | null;
}

const firstSettleWaitMs = 500;
const longestSettleWaitMs = 30_000;
const drainMs = 20_000;
const drainLookMs = 20;
const clearEveryMs = 1_000;
/** How late the opening of a quota may be noticed. */
const quotaLookMs = 250;

export function createRelay(deps: RelayDeps): Relay {
  const { clock, queue, spool, commit, log } = deps;
  const leases = createLeases({ now: () => clock.now(), nextHop: deps.nextHop, bounds: deps.bounds });
  const sign = createSigner(deps.tenants);
  const newMailId = createMailIds(clock, deps.node.number, queue.highestMailId());

  const attempt = async (begun: Attempt) => {
    const { lease, mail, deliveries } = begun;
    const statuses = await attemptStatuses(begun).catch((fault: unknown) => {
      // A fault of ours ends the attempt, not the process.
      log.error({ fault, mailId: mail.mailId }, 'attempt failed by a fault');
      return deliveries.map(() => ownDeferral(clock.now()));
    });
    crashPoint('reply-read');
    await settleUntilWritten(verdictsOf(mail.mailId, deliveries, statuses));
    leases.release(lease);
    scheduler.placeFreed();
  };

  /** A store that refuses (a full disk) must not make us forget what the remote has answered. */
  const settleUntilWritten = async (verdicts: Verdict[]) => {
    for (let waitMs = firstSettleWaitMs; ; waitMs = Math.min(waitMs * 2, longestSettleWaitMs)) {
      try {
        await settle(verdicts, deps);
        return;
      } catch (fault) {
        log.error(
          { fault, mailId: verdicts[0]?.mailId, waitMs },
          'verdict could not be written, trying again',
        );
        await clock.sleep(waitMs);
      }
    }
  };

  const attemptStatuses = async (begun: Attempt) => {
    const { mail, content, deliveries } = begun;
    const read = content ? { ok: true as const, content } : readContent(mail.mailId, deps);
    if (read.ok) return deliver(attemptedMail(begun, read.content), deps);
    log.error({ mailId: mail.mailId, problem: read.problem }, 'content cannot be read');
    return deliveries.map(() => ownFailure(clock.now(), `the content of the mail is ${read.problem}`));
  };

  const scheduler = createScheduler({
    clock,
    queue,
    tenants: deps.tenants,
    commit,
    leases,
    log,
    begin: (due) => void attempt({ ...due, content: null }),
  });

  const begin = (attempts: Attempt[]) => {
    for (const begun of attempts) void attempt(begun);
  };

  const clearLoop = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      await clearEnded({ queue, spool, commit, log });
      await clock.sleep(clearEveryMs, signal);
    }
  };

  /** Quotas open by the clock, and change by the command line. */
  const quotaLoop = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      const released = await releaseWithinQuotas(deps).catch((fault: unknown) => {
        log.error({ fault }, 'held deliveries could not be released');
        return 0;
      });
      if (released > 0) scheduler.poke();
      await clock.sleep(quotaLookMs, signal);
    }
  };

  const forgetLoop = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      await forgetExpired(deps);
      await clock.sleep(limits.forgetSuppressionsEveryMs, signal);
    }
  };

  return {
    ...createEarlyChecks(deps.tenants, clock),
    recordDenied: (path) =>
      recordRefusedPath(path, ownDomainOf(deps.tenants, path.tenantId, path.reversePath), {
        ...deps,
        node: deps.node.name,
        newMailId,
      }),
    submit: (submission) =>
      submit(submission, { ...deps, node: deps.node.name, newMailId, leases, sign, begin }),
    async run(signal) {
      await Promise.all([scheduler.run(signal), clearLoop(signal), quotaLoop(signal), forgetLoop(signal)]);
      const giveUpAt = clock.now() + drainMs;
      while (leases.open() > 0 && clock.now() < giveUpAt) await clock.sleep(drainLookMs);
      await commit.drain();
    },
    open: () => leases.open(),
  };
}

function readContent(mailId: number, { queue, spool }: Pick<RelayDeps, 'queue' | 'spool'>) {
  const place = queue.mail(mailId)?.content;
  return place ? spool.read(mailId, place) : { ok: false as const, problem: 'missing' as const };
}

function attemptedMail({ lease, mail, deliveries, envelope }: Attempt, content: Buffer): AttemptedMail {
  return { facts: mail, content, deliveries, destination: lease.destination, envelope };
}

async function forgetExpired({ tenants, commit, log }: RelayDeps): Promise<void> {
  try {
    const most = limits.forgottenSuppressions;
    while ((await commit.run(() => tenants.forgetExpiredSuppressions(most))) === most);
  } catch (fault) {
    log.error({ fault }, 'expired suppressions could not be removed');
  }
}

function verdictsOf(
  mailId: number,
  deliveries: readonly DeliveryFacts[],
  statuses: readonly DeliveryStatus[],
) {
  return deliveries.flatMap(({ n }, index) => {
    const status = statuses[index];
    return status ? [{ mailId, n, status }] : [];
  });
}

function ownDeferral(now: number): DeliveryStatus {
  return {
    ...ownFailure(now, 'internal fault, tried again later'),
    outcome: 'deferred',
    enhancedStatus: { value: '4.3.0', origin: 'assigned' },
  };
}

function ownFailure(now: number, diagnostic: string): DeliveryStatus {
  return {
    outcome: 'failed',
    stage: 'data',
    reply: null,
    enhancedStatus: { value: '5.3.0', origin: 'assigned' },
    reason: 'internal',
    diagnostic,
    remoteMta: null,
    sendingIp: '',
    tls: null,
    startedAt: now,
    durationMs: 0,
  };
}
