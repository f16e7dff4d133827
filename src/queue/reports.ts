/**
 * Late reports on their way: written by the relay before it answers for them, looked up in the ledger by the office,
 * settled by the relay. `docs/queue-states.md` shows the states.
 */
import { limits } from '../base/limits.ts';
import type { LateReport, Remembered } from '../events/late-report.ts';
import { integer, type Row, type Store, text } from '../store/store.ts';

export interface WaitingReport {
  id: number;
  receivedAt: number;
  report: LateReport;
}

export interface QueueReports {
  /** `known`: one like it waits already. `full`: too many wait. Within a transaction. */
  addReport(report: LateReport, now: number): 'added' | 'known' | 'full';
  /** Those that the ledger is to be asked about now. */
  reportsToLookUp(now: number, limit: number): WaitingReport[];
  postponeReport(id: number, until: number): void;
  rememberReport(id: number, remembered: Remembered): void;
  /** Those that the ledger has answered about. */
  reportsRemembered(limit: number): (WaitingReport & { remembered: Remembered })[];
  removeReport(id: number): void;
  countReports(): number;
}

export function createQueueReports(store: Store): QueueReports {
  const countReports = () => {
    const row = store.get('SELECT count(*) AS count FROM late_reports');
    return row ? integer(row, 'count') : 0;
  };
  return {
    countReports,
    addReport(report, now) {
      if (countReports() >= limits.lateReportsWaiting) return 'full';
      const { mailId, n, type } = report;
      const { changes } = store.run(
        `INSERT INTO late_reports (mail_id, n, type, received_at, look_at, report) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING`,
        ...[mailId, n, type, now, now, JSON.stringify(report)],
      );
      return changes > 0 ? 'added' : 'known';
    },
    reportsToLookUp: (now, limit) =>
      store
        .all('SELECT * FROM late_reports WHERE look_at <= ? ORDER BY look_at LIMIT ?', now, limit)
        .map(waitingReportOf),
    postponeReport: (id, until) => {
      store.run('UPDATE late_reports SET look_at = ? WHERE id = ?', until, id);
    },
    rememberReport: (id, remembered) => {
      const told = JSON.stringify(remembered);
      store.run('UPDATE late_reports SET remembered = ?, look_at = NULL WHERE id = ?', told, id);
    },
    reportsRemembered: (limit) =>
      store.all('SELECT * FROM late_reports WHERE look_at IS NULL ORDER BY id LIMIT ?', limit).map((row) => ({
        ...waitingReportOf(row),
        remembered: JSON.parse(text(row, 'remembered')) as Remembered,
      })),
    removeReport: (id) => {
      store.run('DELETE FROM late_reports WHERE id = ?', id);
    },
  };
}

function waitingReportOf(row: Row): WaitingReport {
  return {
    id: integer(row, 'id'),
    receivedAt: integer(row, 'received_at'),
    report: JSON.parse(text(row, 'report')) as LateReport,
  };
}
