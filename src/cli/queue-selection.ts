/** Which deliveries of the queue a command is about: named by id, or described by a filter. */
import { relayIdOf } from '../base/id.ts';
import { limits } from '../base/limits.ts';
import { openStates } from '../events/event.ts';
import type { QueuedDelivery, QueueFilter } from '../queue/queue.ts';
import { installationTenant } from '../tenants/tenants.ts';
import type { Call, CommandOption } from './command.ts';
import { type Installation, tenantNamed } from './installation.ts';
import { type MailOrDelivery, statesOf } from './values.ts';

export const filterOptions: Readonly<Record<string, CommandOption>> = {
  tenant: { value: 'NAME', meaning: 'Only mail of this tenant.' },
  to: { value: 'ADDRESS', meaning: 'Only this forward-path, without regard to case.' },
  state: { value: 'STATE', meaning: 'Only this state; several are separated by commas.', repeatable: true },
  destination: {
    value: 'DOMAIN',
    meaning: 'Only mail to this domain; or the destination it was moved to, as `queue show` has it.',
  },
};

export const idOperands = {
  text: '[ID...]',
  meaning: 'Mails (`relayid`, 18 hex digits) or single deliveries of them (`relayid:n`).',
  min: 0,
  max: limits.commandOperands,
};

/** A filter whose tenant is still a name. */
export type Description = QueueFilter & { tenant?: string };

/** Without `--state`: those that have not ended. */
export function descriptionOf(call: Call): Description {
  const [tenant, to, destination] = [call.text('tenant'), call.text('to'), call.text('destination')];
  return {
    states: statesOf(call, 'state') ?? openStates,
    ...(tenant === undefined ? {} : { tenant }),
    ...(to === undefined ? {} : { forwardPath: to }),
    ...(destination === undefined ? {} : { destination: destination.toLowerCase() }),
  };
}

export function filterOf({ tenant, ...filter }: Description, { tenants }: Installation): QueueFilter {
  if (tenant === undefined) return filter;
  const { id } = tenant === installationTenant.name ? installationTenant : tenantNamed(tenants, tenant);
  return { ...filter, tenantId: id };
}

export const beforeAll: DeliveryKey = { mailId: 0, n: 0 };

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

/** Of a mail those that have not ended; if all have, all of them. A key also for what the queue does not hold. */
export function keysOf({ mailId, n }: MailOrDelivery, { queue }: Installation): DeliveryKey[] {
  if (n !== undefined) return [{ mailId, n }];
  const list = (filter: QueueFilter) =>
    queue
      .list({ mailId, ...filter }, beforeAll, limits.logPageRows)
      .map(({ facts }) => ({ mailId, n: facts.n }));
  const open = list({ states: openStates });
  const all = open.length > 0 ? open : list({});
  return all.length > 0 ? all : [{ mailId, n: 1 }];
}
