/** A filter of the queue as a condition: constant parts, bound values. */
import { openStates } from '../events/event.ts';
import type { Value } from '../store/store.ts';
import type { QueueFilter } from './queue.ts';

/** What waits in its lane may be held: then its facts say so, and all that is asked for has to be looked at closely. */
function statesSql(states: QueueFilter['states']): string {
  const open = openStates.filter((state) => states?.includes(state)).length;
  const state = open === 0 || open === openStates.length ? 'state' : "deliveries.facts ->> 'state'";
  return `${state} IN (SELECT value FROM json_each(?))`;
}

export function whereOf(filter: QueueFilter): { sql: string; values: Value[] } {
  const parts: { sql: string; value: Value }[] = [];
  const add = (sql: string, value: Value | undefined) => {
    if (value !== undefined) parts.push({ sql, value });
  };
  add('mails.tenant_id = ?', filter.tenantId);
  add('mail_id = ?', filter.mailId);
  add('n = ?', filter.n);
  add(statesSql(filter.states), filter.states && JSON.stringify(filter.states));
  // What was moved has another destination than its domain, and one that no domain looks like.
  add(
    "? IN (destination, iif(instr(destination, ':') > 0, deliveries.facts ->> 'domain', NULL))",
    filter.destination,
  );
  add("lower(deliveries.facts ->> 'forwardPath') = ?", filter.forwardPath?.toLowerCase());
  return {
    sql: ['1', ...parts.map((part) => part.sql)].join(' AND '),
    values: parts.map((part) => part.value),
  };
}
