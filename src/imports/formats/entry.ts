/** A line whose mail is known. */
import type { LoggedFacts, LogRecord } from '../record.ts';

export interface Entry {
  at: number;
  host: string;
  program: string;
  id: string;
}

/** Hosts may share a log, and queue ids are unique on one host only. */
export function idOn(host: string, queueId: string): string {
  return `${host} ${queueId}`;
}

export type MailRecord = LogRecord & { kind: 'mail' };

export function mailRecord(
  { at, id }: Pick<Entry, 'at' | 'id'>,
  facts: LoggedFacts,
  marks: { begins?: boolean; accepted?: boolean } = {},
): MailRecord {
  return { kind: 'mail', at, id, begins: marks.begins === true, accepted: marks.accepted === true, facts };
}
