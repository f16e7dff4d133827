/**
 * Reads other systems' logs into the ledger, so that their history is there before any mail goes through here.
 *
 *   pieces of a file → records (a format) → mails and events (assemble) → outbox and progress (writer)
 *
 * This is the module's door. A format of log files is a file in `formats/`; that of a service whose API is spoken
 * stands with its dialect. Not here: how events reach the ledger (the office drains the outbox as always).
 */
import type { Clock } from '../base/clock.ts';
import type { Queue } from '../queue/queue.ts';
import type { Store } from '../store/store.ts';
import type { Owner } from './facts.ts';
import { exim } from './formats/exim.ts';
import { haraka } from './formats/haraka.ts';
import { opensmtpd } from './formats/opensmtpd.ts';
import { postfix } from './formats/postfix.ts';
import type { LogFormat } from './record.ts';

export { isZone, zoneHere } from './civil-time.ts';
export type { Owner } from './facts.ts';
export { followLog } from './follow.ts';
export { type LogFile, openLogFile, standardInput } from './log-file.ts';
export { importLogs } from './read-logs.ts';
export type { Progress, Summary } from './summary.ts';

export const logFormats: readonly LogFormat[] = [postfix, exim, haraka, opensmtpd];

export interface ImportDeps {
  store: Store;
  queue: Queue;
  clock: Clock;
  owner: Owner;
  format: LogFormat;
  /** IANA zone of times that name none. */
  zone: string;
  /** Year of the first line, if somebody said so. */
  year: number | null;
  /** True while a server carries events to the ledger: then an import does not run far ahead of it. */
  isCarried(): boolean;
  signal: AbortSignal;
  tell(progress: import('./summary.ts').Progress): void;
}
