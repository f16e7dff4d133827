/** Transactional mail goes first, and bulk mail does not starve: of so many turns one is bulk's. Pure. */
import { limits } from '../base/limits.ts';
import type { MailClass } from '../protocol/smtp/envelope-options.ts';

/** Whom to ask first at this turn, and whom if there is nothing. Turns are counted from 0. */
export function classesAt(turn: number): readonly [MailClass, MailClass] {
  const bulkFirst = turn % limits.turnsPerBulkTurn === limits.turnsPerBulkTurn - 1;
  return bulkFirst ? ['bulk', 'transactional'] : ['transactional', 'bulk'];
}
