/**
 * What can go wrong with the ledger, in words an operator can act on. The message for people says what
 * happened and what to do; the engine's own words stay in `cause`.
 */

export type LedgerFaultCode =
  /** The engine cannot be reached, opened, or is closed. */
  | 'unavailable'
  /** Too many questions at once: this one did not have its turn in time. */
  | 'busy'
  /** The question took longer than `limits.ledgerQueryMs`. */
  | 'timeout'
  /** The question needs more memory than the ledger may use. */
  | 'memory'
  /** The question itself is impossible: unknown zone, page out of bounds, too many rows. */
  | 'question'
  /** What is stored, or was to be stored, contradicts itself. */
  | 'inconsistent'
  /** Anything else the engine says. */
  | 'engine';

export class LedgerFault extends Error {
  override name = 'LedgerFault';
  readonly code: LedgerFaultCode;

  constructor(code: LedgerFaultCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  /** The same request may succeed later without anyone doing anything. */
  get temporary(): boolean {
    return ['unavailable', 'busy', 'timeout', 'memory'].includes(this.code);
  }
}

/** ClickHouse error codes that have a meaning of their own here (src/Common/ErrorCodes.cpp). */
const meanings: ReadonlyMap<string, LedgerFaultCode> = new Map([
  ['159', 'timeout'], // TIMEOUT_EXCEEDED
  ['160', 'timeout'], // TOO_SLOW
  ['241', 'memory'], // MEMORY_LIMIT_EXCEEDED
  ['173', 'memory'], // CANNOT_ALLOCATE_MEMORY
  ['396', 'question'], // TOO_MANY_ROWS_OR_BYTES
  ['202', 'busy'], // TOO_MANY_SIMULTANEOUS_QUERIES
  ['209', 'unavailable'], // SOCKET_TIMEOUT
  ['210', 'unavailable'], // NETWORK_ERROR
  ['236', 'unavailable'], // ABORTED
  ['252', 'unavailable'], // TOO_MANY_PARTS
  ['516', 'unavailable'], // AUTHENTICATION_FAILED
]);

const advice: Record<LedgerFaultCode, string> = {
  unavailable: 'the ledger cannot be reached; mail is not affected and events wait in the outbox',
  busy: 'the ledger has too many questions to answer; ask again later',
  timeout: 'the ledger took too long to answer; ask for a shorter range',
  memory: 'the ledger ran out of its memory limit; ask for a shorter range or raise the limit',
  question: 'the ledger cannot answer so much at once; ask for less',
  inconsistent: 'the ledger found events that contradict each other',
  engine: 'the ledger refused the statement',
};

/** Turns whatever the engine or the network threw into a `LedgerFault`. */
export function faultOf(error: unknown): LedgerFault {
  if (error instanceof LedgerFault) return error;
  const said = error instanceof Error ? error.message : String(error);
  const code = meaningOf(error);
  return new LedgerFault(code, `${advice[code]} (${firstLine(said)})`, error);
}

/** For those who asked: what to do, where asking later or for less may help. Null: only the log can explain it. */
export function adviceAbout(fault: unknown): string | null {
  return fault instanceof LedgerFault && fault.temporary ? advice[fault.code] : null;
}

function meaningOf(error: unknown): LedgerFaultCode {
  const code = codeIn(error) ?? (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') return 'engine';
  if (/^\d+$/.test(code)) return meanings.get(code) ?? 'engine';
  return 'unavailable'; // ECONNREFUSED, ENOTFOUND, CHDB_CONNECTION and their like
}

/** A session of the embedded engine tells the engine's code in its words only. */
function codeIn(error: unknown): string | undefined {
  return error instanceof Error ? /\bCode: (\d+)\. DB::/.exec(error.message)?.[1] : undefined;
}

/** The engine repeats the statement in long messages; the first line says enough. */
function firstLine(said: string): string {
  const [line = ''] = said.split('\n', 1);
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
