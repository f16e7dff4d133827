import { limits } from '../../base/limits.ts';
import type { MailFacts } from '../../events/event.ts';
import type { QueuedDelivery } from '../../queue/queue.ts';
import { type Call, type Command, exitCodes } from '../command.ts';
import { type Installation, withInstallation } from '../installation.ts';
import { beforeAll, deliveryIdOf, descriptionOf, filterOf, filterOptions } from '../queue-selection.ts';
import { jsonLine, renderTable, shownTime } from '../table.ts';
import { countOf } from '../values.ts';

export const queueListCommand: Command = {
  name: 'queue list',
  summary: 'List deliveries that stand in the queue, oldest mail first',
  description:
    'Without `--state` those that have not ended: queued, held, deferred. What has ended leaves the queue soon after; ' +
    '`waybill log` remembers it.',
  options: {
    ...filterOptions,
    limit: { value: 'COUNT', meaning: `Most rows, 1 to ${limits.logPageRows}; 100 if not given.` },
  },
  output:
    '{"total","deliveries":[{"id","tenant","destination","cancelRequested","warmUpUntil","mail":{…},"delivery":{…}}]}',
  examples: [
    'waybill queue list',
    'waybill queue list --state deferred --destination gmail.com',
    'waybill queue list --tenant acme --json',
  ],
  run(call) {
    const limit = countOf(call, 'limit', { standard: 100, max: limits.logPageRows });
    const description = descriptionOf(call);
    return withInstallation(call, { create: false }, (installation) => {
      const filter = filterOf(description, installation);
      const total = installation.queue.count(filter);
      const rows = installation.queue
        .list(filter, beforeAll, limit)
        .flatMap((queued) => withMail(installation, queued));
      show(call, rows, total);
      return exitCodes.ok;
    });
  },
};

export interface QueueEntry {
  id: string;
  tenant: string;
  /** The domain, unless it was moved. */
  destination: string;
  cancelRequested: boolean;
  /** It waits for a warm-up, until then at least; null: it does not. */
  warmUpUntil: number | null;
  mail: MailFacts;
  delivery: QueuedDelivery['facts'];
}

/** Nothing if the mail was cleared between two reads. */
export function withMail({ queue, tenants, clock }: Installation, queued: QueuedDelivery): QueueEntry[] {
  const mail = queue.mail(queued.mailId);
  if (mail === null) return [];
  const { mailId, destination, cancelRequested, facts } = queued;
  return [
    {
      id: deliveryIdOf({ mailId, n: facts.n }),
      tenant: tenants.tenant(mail.facts.tenantId)?.name ?? String(mail.facts.tenantId),
      destination,
      cancelRequested,
      warmUpUntil: queue.warmUpUntil(mailId, facts.n, clock.now()),
      mail: mail.facts,
      delivery: facts,
    },
  ];
}

function isMoved({ destination, delivery }: QueueEntry): boolean {
  return destination !== delivery.domain;
}

function stateWord({ delivery, warmUpUntil }: QueueEntry): string {
  if (delivery.leased) return 'trying';
  return warmUpUntil === null ? delivery.state : 'held';
}

function show({ json, terminal }: Call, entries: readonly QueueEntry[], total: number): void {
  if (json) {
    terminal.out(jsonLine({ total, deliveries: entries }));
    return;
  }
  const anyMoved = entries.some(isMoved);
  const rows = entries.map((entry) => [
    entry.id,
    stateWord(entry),
    entry.tenant,
    entry.mail.fromField.address,
    entry.delivery.forwardPath,
    ...(anyMoved ? [isMoved(entry) ? entry.destination : ''] : []),
    String(entry.delivery.attempts),
    shownTime(entry.warmUpUntil ?? entry.delivery.nextAttemptAt),
    entry.delivery.diagnostic,
  ]);
  const heads = [
    ...['ID', 'STATE', 'TENANT', 'FROM', 'TO'],
    ...(anyMoved ? ['VIA'] : []),
    ...['ATTEMPTS', 'NEXT ATTEMPT', 'LAST REPLY'],
  ];
  terminal.out(renderTable(heads, rows, terminal.columns));
  if (total > entries.length) terminal.err(`${entries.length} of ${total}; --limit shows more\n`);
}
