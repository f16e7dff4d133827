/**
 * Asks the ledger what it remembers of deliveries that reports came in about; the mails may have been cleared long ago.
 * Runs in the office. What follows is the relay's (`settle-report.ts`): here nothing is decided but how long to wait for
 * a delivery that is not known, or whose end is not on record yet: a server can be faster than our own commit.
 */
import type { Clock } from '../base/clock.ts';
import { crashPoint } from '../base/crash-point.ts';
import { relayIdOf } from '../base/id.ts';
import { limits } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { Service } from '../base/service.ts';
import { openStates } from '../events/event.ts';
import type { Remembered, ReportedDelivery } from '../events/late-report.ts';
import type { QueueReports, WaitingReport } from '../queue/queue.ts';

export interface FindReportedDeps {
  reports: QueueReports;
  /** Null: not known. `later`: the ledger is behind. */
  find(delivery: ReportedDelivery): Promise<Remembered | 'later' | null>;
  clock: Clock;
  log: Log;
}

export function createReportFinder(deps: FindReportedDeps): Service {
  return {
    name: 'late reports',
    async run(signal) {
      while (!signal.aborted) {
        await findReported(deps);
        await deps.clock.sleep(limits.lateReportsLookMs, signal);
      }
    },
  };
}

/** Returns how many were found. */
export async function findReported(deps: FindReportedDeps): Promise<number> {
  const { reports, clock, find } = deps;
  let found = 0;
  for (const waiting of reports.reportsToLookUp(clock.now(), limits.lateReportsTogether)) {
    const remembered = await find(waiting.report);
    if (remembered === null || remembered === 'later' || openStates.includes(remembered.delivery.state)) {
      wait(waiting, deps);
      continue;
    }
    reports.rememberReport(waiting.id, remembered);
    crashPoint('report-remembered');
    found += 1;
  }
  return found;
}

/** As long again as it has waited already; in the end it is given up. */
function wait({ id, receivedAt, report }: WaitingReport, { reports, clock, log }: FindReportedDeps): void {
  const now = clock.now();
  const ageMs = now - receivedAt;
  if (ageMs < limits.lateReportKeptMs) {
    reports.postponeReport(id, now + Math.max(limits.lateReportWaitMs, ageMs));
    return;
  }
  const { type, mailId, n } = report;
  log.warn({ type, delivery: `${relayIdOf(mailId)}:${n}` }, 'report about a delivery that is not known');
  reports.removeReport(id);
}
