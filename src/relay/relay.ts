/**
 * The relay: takes mail in, schedules and attempts deliveries, settles what becomes of them. The steps of one mail
 * are lists in `submit.ts` and `deliver.ts`; `classify.ts` is the policy.
 *
 * This is the module's door. Not here: protocols (smtp-server, smtp-client), the tables (queue), the memory of what
 * happened (ledger). RFC 5321 §4.5.4.1 (retries), RFC 6409 (submission).
 */
import { crashPoint } from '../base/crash-point.ts';
import { createMailIds } from '../base/id.ts';
import type { Log } from '../base/log.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { DeliveryFacts } from '../events/event.ts';
import type { Queue } from '../queue/queue.ts';
import type { Spool } from '../spool/spool.ts';
import type { GroupCommit } from '../store/store.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { doChores } from './chores.ts';
import { type AttemptedMail, type DeliverDeps, deliver } from './deliver.ts';
import { createEarlyChecks, type EarlyChecks } from './early-checks.ts';
import { createLeases, type Lease, type LeaseBounds } from './leases.ts';
import { createNotify } from './notices.ts';
import type { NoticePolicy } from './notify-sender.ts';
import { createReportReception, type ReportReception } from './receive-late-report.ts';
import { type RefusedPath, recordRefusedPath } from './rejection.ts';
import { createRetryPlans, type RetryPlan } from './retry.ts';
import type { ReturnPaths } from './return-path.ts';
import { createScheduler, type DueAttempt } from './schedule.ts';
import { ownDomainOf } from './sender-rights.ts';
import { settle, type Verdict } from './settle.ts';
import type { ShapingTable } from './shaping.ts';
import { createSigner, createSignNow } from './sign.ts';
import { siteNewsOf } from './site-news.ts';
import { createSites, type SiteSnapshot, type Sites } from './sites.ts';
import { createSources, type Source } from './sources.ts';
import type { Submission, SubmissionResult } from './submission.ts';
import { submit } from './submit.ts';
import type { WarmUps } from './warm-ups.ts';

export { createReportFinder } from './find-reported.ts';
export { type ReleaseResult, releaseDelivery } from './hold.ts';
export { type MoveResult, moveDelivery } from './move.ts';
export { createMtaStsPolicies, type MtaStsPolicies } from './mta-sts.ts';
export { createFetchPolicy, type FetchPolicyOptions } from './mta-sts-fetch.ts';
export { defaultNoticePolicy } from './notify-sender.ts';
export type { ReceivedReport, ReportReception } from './receive-late-report.ts';
export type { RefusedPath } from './rejection.ts';
export { createReturnPaths } from './return-path.ts';
export type { NextHop, Via } from './route.ts';
export {
  type CancelResult,
  cancelDelivery,
  type HoldResult,
  holdDelivery,
  type RetryResult,
  retryDelivery,
} from './settle.ts';
export { ruleFor, type ShapingTable, shapingOf, siteKey } from './shaping.ts';
export type { SiteSnapshot } from './sites.ts';
export type { Submission, SubmissionRefusal, SubmissionResult } from './submission.ts';
export type { FindTargets, Targets } from './targets.ts';
export { createTlsPolicies, type TlsPolicies, type TlsPolicyRule } from './tls-policy.ts';
export { asOf, mailsPerDay, type SiteDay, type WarmUp, type WarmUpStage } from './warm-up.ts';
export {
  createWarmUpRegister,
  createWarmUps,
  type WarmUpRegister,
  type WarmUps,
  warmUpNameOf,
} from './warm-ups.ts';

export interface RelayDeps extends DeliverDeps {
  node: { number: number; name: string };
  plan: RetryPlan;
  /** For bulk mail, if it has another one. */
  bulkPlan?: RetryPlan;
  bounds: LeaseBounds;
  /** Null: mail goes out with the reverse-path of its sender, and no reports are taken. */
  returnPaths?: ReturnPaths | null;
  /** Null: senders are not notified. */
  notices: NoticePolicy | null;
  /** How much each site is sent; absent: as much as `bounds` has it. */
  shaping?: ShapingTable;
  /** Source addresses by pool; absent: the system chooses. */
  ipPools?: readonly Source[];
  /** Absent: no source is warmed up. */
  warmUps?: WarmUps;
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
  /** Takes reports about mail that was sent; null: this installation has no addresses for them. */
  reports: ReportReception | null;
  /** Schedules until aborted, then waits for the attempts under way, at most `drainMs`. */
  run(signal: AbortSignal): Promise<void>;
  /** Attempts under way. */
  open(): number;
  /** Sites with attempts under way or a back-off. */
  sites(): SiteSnapshot[];
}

/** A lease and what is tried under it. `content` is null when it has to be read from the spool. */
export interface Attempt extends DueAttempt {
  content: Buffer | null;
}

const firstSettleWaitMs = 500;
const longestSettleWaitMs = 30_000;
const drainMs = 20_000;
const drainLookMs = 20;

export function createRelay(deps: RelayDeps): Relay {
  const { clock, queue, commit, log } = deps;
  const now = () => clock.now();
  const sites = createSites({ ...deps, now, table: deps.shaping });
  const sources = createSources({ ...deps, now, pools: deps.ipPools ?? [] });
  const leases = createLeases({
    ...{ now, sites, sources, warmUps: deps.warmUps, bounds: deps.bounds },
    onLearned: () => scheduler.poke(),
  });
  const delivering = { ...shapedDelivery(deps, sites), onSourceFailed: sources.failed };
  const sign = createSigner(deps.tenants);
  const newMailId = createMailIds(clock, deps.node.number, queue.highestMailId());
  const { plan, bulkPlan = plan } = deps;
  const plans = createRetryPlans(deps.tenants, { transactional: plan, bulk: bulkPlan });
  const notify = createNotify({
    ...deps,
    node: deps.node.name,
    policy: deps.notices,
    newMailId,
    signNow: createSignNow(deps.tenants, deps.hostname, log),
  });

  const attempt = async (begun: Attempt) => {
    const { lease, mail, deliveries } = begun;
    const statuses = await attemptStatuses(begun).catch((fault: unknown) => {
      // A fault of ours ends the attempt, not the process.
      log.error({ fault, mailId: mail.mailId }, 'attempt failed by a fault');
      return deliveries.map(() => ownDeferral(clock.now()));
    });
    crashPoint('reply-read');
    lease.reservation?.settle(statuses);
    await settleUntilWritten(verdictsOf(mail.mailId, deliveries, statuses), lease);
    leases.release(lease, siteNewsOf(statuses));
    scheduler.placeFreed();
  };

  /** A store that refuses (a full disk) must not make us forget what the remote has answered. */
  const settleUntilWritten = async (verdicts: Verdict[], lease: Lease) => {
    for (let waitMs = firstSettleWaitMs; ; waitMs = Math.min(waitMs * 2, longestSettleWaitMs)) {
      try {
        await settle(verdicts, { ...deps, plans, notify, alongside: () => lease.reservation?.write() });
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
    if (read.ok) return deliver(attemptedMail(begun, read.content), delivering);
    log.error({ mailId: mail.mailId, problem: read.problem }, 'content cannot be read');
    return deliveries.map(() => ownFailure(clock.now(), `the content of the mail is ${read.problem}`));
  };

  const scheduler = createScheduler({
    ...{ clock, queue, tenants: deps.tenants, commit, leases, plans, log, notify },
    begin: (due) => void attempt({ ...due, content: null }),
  });

  const begin = (attempts: Attempt[]) => {
    for (const begun of attempts) void attempt(begun);
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
      submit(submission, { ...deps, node: deps.node.name, newMailId, plans, leases, sign, notify, begin }),
    reports: deps.returnPaths ? createReportReception({ ...deps, returnPaths: deps.returnPaths }) : null,
    async run(signal) {
      const chores = doChores({ ...deps, notify, onReleased: scheduler.poke }, signal);
      await Promise.all([scheduler.run(signal), chores]);
      const giveUpAt = clock.now() + drainMs;
      while (leases.open() > 0 && clock.now() < giveUpAt) await clock.sleep(drainLookMs);
      await commit.drain();
    },
    open: () => leases.open(),
    sites: () => sites.snapshot(),
  };
}

function readContent(mailId: number, { queue, spool }: Pick<RelayDeps, 'queue' | 'spool'>) {
  const place = queue.mail(mailId)?.content;
  return place ? spool.read(mailId, place) : { ok: false as const, problem: 'missing' as const };
}

function attemptedMail({ lease, mail, deliveries, envelope }: Attempt, content: Buffer): AttemptedMail {
  return { facts: mail, content, deliveries, destination: lease.destination, source: lease.source, envelope };
}

function shapedDelivery(deps: DeliverDeps, sites: Sites): DeliverDeps {
  return {
    ...deps,
    findTargets: sites.watching(deps.findTargets),
    shapingOf: (destination) => sites.shapingOf(destination),
  };
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
