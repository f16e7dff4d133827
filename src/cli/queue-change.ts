/** `queue retry`, `cancel`, `hold`, `release` and `move`: the deliveries named, or after a question those described. */
import type { DeliveryState } from '../events/event.ts';
import { type Call, type Command, exitCodes, usageProblem } from './command.ts';
import { type Installation, withInstallation } from './installation.ts';
import { makeSure } from './make-sure.ts';
import {
  type DeliveryKey,
  type Description,
  deliveryIdOf,
  descriptionOf,
  filterOf,
  filterOptions,
  idOperands,
  keysOf,
  pagesOf,
} from './queue-selection.ts';
import { jsonLine } from './table.ts';
import { idOf, type MailOrDelivery } from './values.ts';

interface QueueChange<R extends string> {
  /** What is about to be done, with a number behind it: `cancel`. */
  verb: string;
  /** A description means deliveries in these states, instead of all that have not ended. */
  states?: readonly DeliveryState[];
  /** Makes of the call what changes one delivery within a transaction and returns the word for what came of it. */
  change(call: Call): (installation: Installation, key: DeliveryKey, now: number) => R;
  /** What came of it, for people. */
  results: Readonly<Record<R, string>>;
  /** If a delivery that was named comes to anything else, the exit code is 1. */
  good: readonly R[];
}

type QueueChangeCommand<R extends string> = QueueChange<R> &
  Pick<Command, 'summary' | 'description' | 'examples'> & {
    /** What `--all` means: `Every delivery that waits.` */
    all: string;
    /** Besides those of the filter. */
    options?: Command['options'];
  };

export function queueChangeCommand<R extends string>(change: QueueChangeCommand<R>): Command {
  const { verb, summary, description = '', all, options = {}, results, examples } = change;
  return {
    name: `queue ${verb}`,
    summary,
    description: `${description} Described by options, all that match are meant, after a question that says how many, or with \`--yes\`.`,
    operands: idOperands,
    options: {
      ...options,
      ...filterOptionsOf(change),
      all: { meaning: all },
      yes: { meaning: 'Do not ask.' },
    },
    output: `{"results":[{"id","result"}]}, or for a description {"matched","results":{"result":count}}; results are ${Object.keys(results).join(', ')}`,
    examples,
    run: (call) => changeDeliveries(call, change),
  };
}

/** What is looked for in certain states only cannot be asked for in others. */
function filterOptionsOf({ states }: Pick<QueueChange<string>, 'states'>): Command['options'] {
  const { state, ...others } = filterOptions;
  return states || !state ? others : { ...filterOptions };
}

interface ReadyChange<R extends string> extends Omit<QueueChange<R>, 'change'> {
  change: ReturnType<QueueChange<R>['change']>;
}

function changeDeliveries<R extends string>(call: Call, asked: QueueChange<R>): Promise<number> {
  const change = { ...asked, change: asked.change(call) };
  const described = ['all', ...Object.keys(filterOptions)].some((option) => call.flag(option));
  if (call.operands.length > 0 && described) {
    throw usageProblem('name deliveries by id or describe them, not both');
  }
  if (call.operands.length === 0 && !described) {
    throw usageProblem(`name deliveries by id, describe them (${describing(call)}), or say --all`);
  }
  const ids = call.operands.map(idOf);
  const description = { ...descriptionOf(call), ...(change.states ? { states: change.states } : {}) };
  return withInstallation(call, { create: false }, (installation) =>
    described
      ? changeDescribed(call, installation, description, change)
      : changeNamed(call, installation, ids, change),
  );
}

function describing({ command }: Call): string {
  return Object.keys(filterOptions)
    .filter((option) => option in command.options)
    .map((option) => `--${option}`)
    .join(', ');
}

function changeNamed<R extends string>(
  { json, terminal }: Call,
  installation: Installation,
  ids: readonly MailOrDelivery[],
  { change, results, good }: ReadyChange<R>,
): number {
  const { store, clock } = installation;
  const changed = store.transaction(() =>
    ids
      .flatMap((id) => keysOf(id, installation))
      .map((key) => ({ id: deliveryIdOf(key), result: change(installation, key, clock.now()) })),
  );
  if (json) terminal.out(jsonLine({ results: changed }));
  else for (const { id, result } of changed) terminal.out(`${id}  ${results[result]}\n`);
  return changed.every(({ result }) => good.includes(result)) ? exitCodes.ok : exitCodes.failed;
}

async function changeDescribed<R extends string>(
  call: Call,
  installation: Installation,
  description: Description,
  { verb, change, results }: ReadyChange<R>,
): Promise<number> {
  const filter = filterOf(description, installation);
  const matched = installation.queue.count(filter);
  if (matched > 0) await makeSure(call, `${verb} ${matched} ${matched === 1 ? 'delivery' : 'deliveries'}`);
  const counts = new Map<R, number>();
  for (const page of pagesOf(installation, filter)) {
    installation.store.transaction(() => {
      for (const { mailId, facts } of page) {
        const result = change(installation, { mailId, n: facts.n }, installation.clock.now());
        counts.set(result, (counts.get(result) ?? 0) + 1);
      }
    });
  }
  const { json, terminal } = call;
  if (json) terminal.out(jsonLine({ matched, results: Object.fromEntries(counts) }));
  else if (counts.size === 0) terminal.out('the queue holds no such delivery\n');
  else for (const [result, count] of counts) terminal.out(`${count}  ${results[result]}\n`);
  return exitCodes.ok;
}
