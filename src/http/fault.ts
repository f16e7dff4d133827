/**
 * A fault of ours while a request was answered. The client gets an id, the log gets the fault under that id.
 * A dialect that must answer faults in its own words calls `recordFault` in its `onError`.
 */
import type { Context } from 'hono';
import { randomHex } from '../base/random.ts';

const recorderName = 'faultRecorder';

/** Tells the log of a fault. */
export type FaultRecorder = (faultId: string, fault: unknown) => void;

export function provideFaultRecorder(context: Context, recorder: FaultRecorder): void {
  context.set(recorderName, recorder);
}

/** Returns the id for the client. Without a server around (and so without a log) the fault is thrown on. */
export function recordFault(context: Context, fault: unknown): string {
  const recorder: unknown = context.get(recorderName);
  if (typeof recorder !== 'function') throw fault;
  const faultId = randomHex(8);
  recorder(faultId, fault);
  return faultId;
}
