/**
 * Facts of events changed where they stand: what `ALTER TABLE events UPDATE` has to assign for them, in the stored form
 * as `event-row.ts` writes it. A text that is told beside a changed one is written anew as well, so that it stays what
 * it was: the domain of a forward-path that becomes another, for one.
 */
import { storedName, textsBeside } from './schema/0001-events.ts';

/** Expressions by the name of the fact. They name facts as these are before the change. */
export type Changes = ReadonlyMap<string, string>;

export function storedAssignments(changes: Changes): string[] {
  const changed = (fact: string) => changes.get(fact) ?? fact;
  const beside = textsBeside.flatMap(({ fact, other }) => {
    const [now, before] = [other(changed), other((name) => name)];
    if (!changes.has(fact) && now === before) return [];
    return [`${storedName(fact)} = ${storedText(fact, changed(fact), now)}`];
  });
  const derived = new Set(textsBeside.map(({ fact }) => fact));
  const plain = [...changes].filter(([fact]) => !derived.has(fact));
  return [...plain.map(([fact, expression]) => `${fact} = ${expression}`), ...beside];
}

/** Events without an attempt have nothing to tell beside. */
function storedText(fact: string, value: string, other: string): string {
  const stored = `multiIf(${value} = ${other}, '=', startsWith(${value}, '='), concat('=', ${value}), ${value})`;
  return fact.startsWith('status_') ? `if(status_outcome = '', '', ${stored})` : stored;
}
