/** Which deliveries of the queue a command is about: named by id, or described by a filter. */
import { relayIdOf } from '../base/id.ts';
import { limits } from '../base/limits.ts';
import { openStates } from '../events/event.ts';
import type { QueuedDelivery, QueueFilter } from '../queue/queue.ts';
import { type Call, type CommandOption, CommandProblem, exitCodes, usageProblem } from './command.ts';
import { type Installation, tenantNamed, withInstallation } from './installation.ts';
import { jsonLine } from './table.ts';
import { idOf, statesOf } from './values.ts';

export const filterOptions: Readonly<Record<string, CommandOption>> = {
  tenant: { value: 'NAME', meaning: 'Only mail of this tenant.' },
  to: { value: 'ADDRESS', meaning: 'Only this forward-path, without regard to case.' },
  state: { value: 'STATE', meaning: 'Only this state; several are separated by commas.', repeatable: true },
  destination: { value: 'DOMAIN', meaning: 'Only mail to this domain.' },
};

export const idOperands = {
  text: '[ID...]',
  meaning: 'Mails (`relayid`, 18 hex digits) or single deliveries of them (`relayid:n`).',
  min: 0,
  max: limits.commandOperands,
};

/** Without `--state`: those that have not ended. */
export function filterOf(call: Call, { tenants }: Installation): QueueFilter {
  const [tenant, to, destination] = [call.text('tenant'), call.text('to'), call.text('destination')];
  return {
    states: statesOf(call, 'state') ?? openStates,
    ...(tenant === undefined ? {} : { tenantId: tenantNamed(tenants, tenant).id }),
    ...(to === undefined ? {} : { forwardPath: to }),
    ...(destination === undefined ? {} : { destination: destination.toLowerCase() }),
  };
}

const beforeAll = { mailId: 0, n: 0 };

/** Deliveries that a filter describes, in order, read page by page; `change` may take them out of the filter. */
export function* pagesOf(installation: Installation, filter: QueueFilter): Generator<QueuedDelivery[]> {
  let after = beforeAll;
  for (;;) {
    const page = installation.queue.list(filter, after, limits.queueChangeRows);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = { mailId: last.mailId, n: last.facts.n };
  }
}

export interface DeliveryKey {
  mailId: number;
  n: number;
}

export function deliveryIdOf({ mailId, n }: DeliveryKey): string {
  return `${relayIdOf(mailId)}:${n}`;
}

/** A change of one delivery, to be made within a transaction; returns the word for what came of it. */
export type Change<R extends string> = (installation: Installation, key: DeliveryKey, now: number) => R;

export interface ChangeWords<R extends string> {
  /** What is about to be done, with a number behind it: `cancel`. */
  verb: string;
  /** What came of it, for people. */
  results: Readonly<Record<R, string>>;
  /** Of these the exit code is 0. */
  good: readonly R[];
}

/** `queue retry` and `queue cancel`: the deliveries named, or after a question those described. */
export function changeDeliveries<R extends string>(
  call: Call,
  change: Change<R>,
  words: ChangeWords<R>,
): Promise<number> {
  const filtered = Object.keys(filterOptions).some((option) => call.flag(option)) || call.flag('all');
  if (call.operands.length > 0 && filtered)
    throw usageProblem('name deliveries by id or describe them, not both');
  if (call.operands.length === 0 && !filtered) {
    throw usageProblem(
      `name deliveries by id, describe them (--tenant, --to, --state, --destination), or say --all`,
    );
  }
  return withInstallation(call, { create: false }, (installation) =>
    call.operands.length > 0
      ? changeNamed(call, installation, change, words)
      : changeDescribed(call, installation, change, words),
  );
}

function changeNamed<R extends string>(
  call: Call,
  installation: Installation,
  change: Change<R>,
  words: ChangeWords<R>,
): number {
  const { store, queue, clock } = installation;
  const keys = call.operands.map(idOf).flatMap(({ mailId, n }): DeliveryKey[] => {
    if (n !== undefined) return [{ mailId, n }];
    const all = queue
      .list({ mailId }, beforeAll, limits.logPageRows)
      .map(({ facts }) => ({ mailId, n: facts.n }));
    return all.length > 0 ? all : [{ mailId, n: 1 }];
  });
  const results = store.transaction(() =>
    keys.map((key) => ({ id: deliveryIdOf(key), result: change(installation, key, clock.now()) })),
  );
  if (call.json) call.terminal.out(jsonLine({ results }));
  else for (const { id, result } of results) call.terminal.out(`${id}  ${words.results[result]}\n`);
  return results.every(({ result }) => words.good.includes(result)) ? exitCodes.ok : exitCodes.failed;
}

async function changeDescribed<R extends string>(
  call: Call,
  installation: Installation,
  change: Change<R>,
  words: ChangeWords<R>,
): Promise<number> {
  const filter = filterOf(call, installation);
  const count = installation.queue.count(filter);
  if (count > 0) await makeSure(call, `${words.verb} ${count} ${count === 1 ? 'delivery' : 'deliveries'}`);
  const counts = new Map<R, number>();
  for (const page of pagesOf(installation, filter)) {
    installation.store.transaction(() => {
      for (const { mailId, facts } of page) {
        const result = change(installation, { mailId, n: facts.n }, installation.clock.now());
        counts.set(result, (counts.get(result) ?? 0) + 1);
      }
    });
  }
  if (call.json) call.terminal.out(jsonLine({ matched: count, results: Object.fromEntries(counts) }));
  else if (counts.size === 0) call.terminal.out('no delivery of the queue is described so\n');
  for (const [result, number] of call.json ? [] : counts)
    call.terminal.out(`${number}  ${words.results[result]}\n`);
  return exitCodes.ok;
}

/** `--yes`, or the answer of a person. */
async function makeSure({ flag, terminal }: Call, what: string): Promise<void> {
  if (flag('yes')) return;
  if (!terminal.interactive) throw usageProblem(`this would ${what}; say --yes to do it`);
  if (!(await terminal.confirm(`This will ${what}. Go on?`))) throw new CommandProblem('nothing was changed');
}
