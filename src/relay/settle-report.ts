/**
 * What follows from a report about a delivery that had ended: the event, the suppression, the word to the sender, all in
 * one transaction with the end of the report (invariant I2). The one move after an end is delivered to failed, by a DSN
 * that came later; `deliveredAt` stays. A complaint moves nothing.
 */
import type { Clock } from '../base/clock.ts';
import { crashPoint } from '../base/crash-point.ts';
import { relayIdOf } from '../base/id.ts';
import { limits } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { DeliveryStatus } from '../events/delivery-status.ts';
import type { DeliveryFacts } from '../events/event.ts';
import { type LateReport, noEngagement, type Remembered } from '../events/late-report.ts';
import type { Queue } from '../queue/queue.ts';
import type { GroupCommit } from '../store/store.ts';
import type { SuppressionKind, Tenants } from '../tenants/tenants.ts';
import type { Notify } from './notices.ts';

export interface SettleReportDeps {
  clock: Clock;
  queue: Queue;
  tenants: Tenants;
  commit: GroupCommit;
  notify: Notify;
  log: Log;
}

/** Returns how many were settled. */
export async function settleReports(deps: SettleReportDeps): Promise<number> {
  const { queue, commit } = deps;
  if (queue.reportsRemembered(1).length === 0) return 0;
  const settled = await commit.run(() => {
    const reports = queue.reportsRemembered(limits.lateReportsTogether);
    for (const { id, report, remembered } of reports) {
      queue.removeReport(id);
      settleReport(report, remembered, deps);
    }
    return reports.length;
  });
  crashPoint('report-settled');
  return settled;
}

function settleReport(report: LateReport, remembered: Remembered, deps: SettleReportDeps): void {
  const { mailId, n, type } = report;
  if (changesNothing(report, remembered)) {
    deps.log.info({ type, delivery: `${relayIdOf(mailId)}:${n}` }, 'report that tells nothing new');
    return;
  }
  // The mail may have been cleared; with no delivery that is open it will be again, once the ledger has the event.
  if (deps.queue.mail(mailId) === null) deps.queue.insertMail({ facts: remembered.mail, content: null });
  if (type === 'returned') settleReturned(report, remembered, deps);
  else {
    const { queue, clock } = deps;
    const event = { mailId, type, at: clock.now(), delivery: remembered.delivery };
    queue.record({ ...event, status: null, engagement: noEngagement });
  }
  if (report.suppress) suppress(report, remembered, deps);
}

function changesNothing({ type }: LateReport, { delivery, complained, unsubscribed }: Remembered): boolean {
  switch (type) {
    case 'returned':
      return delivery.state !== 'delivered';
    case 'complained':
      return complained;
    case 'unsubscribed':
      return unsubscribed;
  }
}

function settleReturned(report: LateReport, remembered: Remembered, deps: SettleReportDeps): void {
  const { mailId, quiet } = report;
  const { queue, clock, notify } = deps;
  const now = clock.now();
  const before = remembered.delivery;
  const status = statusOf(report, now);
  const facts: DeliveryFacts = {
    ...before,
    ...{ state: 'failed', stateAt: now, nextAttemptAt: null, leased: false, reason: report.reason },
    replyCode: status.reply?.code ?? null,
    ...{ enhancedStatus: report.enhancedStatus, diagnostic: report.diagnostic },
  };
  queue.record({ mailId, type: 'returned', at: now, delivery: facts, status, engagement: null });
  const options = quiet ? { notify: ['NEVER' as const], orcpt: '' } : null;
  notify(mailId, [{ type: 'returned', before, facts, status, options, remoteNotifies: false }]);
}

/** What another server heard from the next one. */
function statusOf(report: LateReport, now: number): DeliveryStatus {
  const { replyCode, replyText, enhancedStatus, reason, diagnostic } = report;
  return {
    ...{ outcome: 'failed', stage: 'end-of-data', reason, diagnostic },
    reply: replyCode === 0 ? null : { code: replyCode, text: replyText },
    enhancedStatus: { value: enhancedStatus, origin: 'received' },
    ...{ remoteMta: null, sendingIp: '', tls: null, startedAt: now, durationMs: 0 },
  };
}

const kinds: Readonly<Record<LateReport['type'], SuppressionKind>> = {
  returned: 'bounce',
  complained: 'complaint',
  unsubscribed: 'unsubscribe',
};

/**
 * A bounce is forgotten after a while, a wish is not. Who complained wants nothing of the tenant any more; who
 * unsubscribed does so from the one sending domain.
 */
function suppress(
  { type, diagnostic }: LateReport,
  { mail, delivery }: Remembered,
  { tenants, clock }: SettleReportDeps,
): void {
  const createdAt = clock.now();
  tenants.suppress({
    ...{ tenantId: mail.tenantId, address: delivery.forwardPath, kind: kinds[type], createdAt },
    domain: type === 'unsubscribed' ? mail.sendingDomain : '',
    expiresAt: type === 'returned' ? createdAt + limits.suppressedAfterBounceMs : null,
    detail: diagnostic,
  });
}
