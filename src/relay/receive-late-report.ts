/**
 * Takes a report that another server hands in: read, tied to a delivery, on disk; then the server may forget it
 * (invariant I1). What is no report of ours is taken and dropped: to refuse it would only make a report of the refusal.
 */
import type { Clock } from '../base/clock.ts';
import { crashPoint } from '../base/crash-point.ts';
import { relayIdOf } from '../base/id.ts';
import { limits } from '../base/limits.ts';
import type { Log } from '../base/log.ts';
import type { Queue } from '../queue/queue.ts';
import type { GroupCommit } from '../store/store.ts';
import { type LateReading, readLateReport } from './late-report.ts';
import type { ReportMailbox, ReturnPaths } from './return-path.ts';
import { refusal, type SubmissionRefusal } from './submission.ts';

export interface ReceivedReport {
  /** IP address of the client. */
  origin: string;
  forwardPaths: readonly string[];
  content: Buffer;
}

export interface ReportReception {
  /** Whether a forward-path takes reports; null: it is none of ours. */
  mailboxOf(forwardPath: string): 'welcome' | 'unknown' | null;
  /** Resolves when the report is on disk. Null: taken. */
  receive(report: ReceivedReport): Promise<SubmissionRefusal | null>;
  /** Largest content, and how many mailboxes at once. */
  bounds: { contentBytes: number; mailboxes: number };
}

interface ReceptionDeps {
  returnPaths: ReturnPaths;
  queue: Queue;
  commit: GroupCommit;
  clock: Clock;
  log: Log;
}

export function createReportReception(deps: ReceptionDeps): ReportReception {
  const { returnPaths, queue, commit, clock, log } = deps;
  const mailboxes = (forwardPaths: readonly string[]): ReportMailbox[] =>
    forwardPaths.flatMap((path) => {
      const mailbox = returnPaths.mailboxOf(path);
      return mailbox === null || mailbox === 'unknown' ? [] : [mailbox];
    });
  return {
    bounds: { contentBytes: limits.lateReportBytes, mailboxes: limits.lateReportMailboxes },
    mailboxOf(forwardPath) {
      const mailbox = returnPaths.mailboxOf(forwardPath);
      return mailbox === null || mailbox === 'unknown' ? mailbox : 'welcome';
    },
    async receive({ origin, forwardPaths, content }) {
      const readings = mailboxes(forwardPaths).map((box) => readLateReport(content, box, returnPaths));
      for (const reading of readings) tell(log, origin, reading);
      const reports = readings.flatMap((reading) => (reading.ok ? [reading.report] : []));
      if (reports.length === 0) return null;
      const now = clock.now();
      const added = await commit.run(() => reports.map((report) => queue.addReport(report, now)));
      crashPoint('report-written');
      return added.includes('full') ? refusal(452, '4.3.1', 'Too many reports wait, try again later') : null;
    },
  };
}

function tell(log: Log, origin: string, reading: LateReading): void {
  if (reading.ok) {
    const { type, mailId, n } = reading.report;
    log.info({ origin, type, delivery: `${relayIdOf(mailId)}:${n}` }, 'report received');
  } else log.info({ origin, why: reading.why }, 'mail to the bounce domain that nothing follows from');
}
