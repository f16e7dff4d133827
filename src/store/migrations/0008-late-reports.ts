/** DSNs and complaints of others that wait until it is known what they are about. Times are UTC milliseconds. */
export const lateReports = `
CREATE TABLE late_reports (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  mail_id INTEGER NOT NULL,
  n INTEGER NOT NULL,
  type TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  -- When the ledger is asked; null once it has answered.
  look_at INTEGER,
  -- JSON of \`src/events/late-report.ts\`: what was reported, and what the ledger remembers.
  report TEXT NOT NULL,
  remembered TEXT,
  -- One of each type is enough: a second one changes nothing.
  UNIQUE (mail_id, n, type)
) STRICT;
CREATE INDEX late_reports_to_look_up ON late_reports (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX late_reports_remembered ON late_reports (id) WHERE look_at IS NULL;
`;
