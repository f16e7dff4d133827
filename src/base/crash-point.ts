/**
 * Named places where a crash test ends the process with SIGKILL: between two steps that must not be torn apart.
 * Without an armed point this is one comparison.
 */

export const crashPoints = [
  /** Content is in the segment file, the transaction is not committed. */
  'content-written',
  /** The mail is on disk, the client has no answer yet. */
  'mail-committed',
  /** The lease is on disk, nothing was sent. */
  'leased',
  /** The remote has answered, the verdict is not on disk. */
  'reply-read',
  /** The verdict is on disk. */
  'settled',
  /** The end of the batch is on disk, the ledger has not got it. */
  'batch-begun',
  /** The ledger has the batch, the cursor does not say so. */
  'batch-appended',
  /** The cursor stands behind the batch. */
  'batch-advanced',
  /** A report of another server is on disk, that server has no answer yet. */
  'report-written',
  /** What the ledger remembers of the reported delivery is on disk. */
  'report-remembered',
  /** What the report says of the delivery is on disk, and the report is gone. */
  'report-settled',
  /** Ended mails are removed from the store. */
  'cleared',
] as const;
export type CrashPoint = (typeof crashPoints)[number];

let armed: { point: CrashPoint; passes: number } | null = null;

/** `point` or `point:3`, to end the process at the third pass. */
export function armCrashPoint(text: string): void {
  const [name, passes = '1'] = text.split(':');
  const point = crashPoints.find((candidate) => candidate === name);
  if (!point || !/^\d+$/.test(passes))
    throw new Error(`"${text}" is no crash point: ${crashPoints.join(', ')}`);
  armed = { point, passes: Number(passes) };
}

export function crashPoint(point: CrashPoint): void {
  if (armed?.point !== point) return;
  armed.passes -= 1;
  if (armed.passes <= 0) process.kill(process.pid, 'SIGKILL');
}
