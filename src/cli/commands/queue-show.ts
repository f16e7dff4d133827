import { relayIdOf } from '../../base/id.ts';
import { limits } from '../../base/limits.ts';
import type { MailFacts } from '../../events/event.ts';
import type { QueuedDelivery } from '../../queue/queue.ts';
import { type Call, type Command, CommandProblem, exitCodes } from '../command.ts';
import { withInstallation } from '../installation.ts';
import { jsonLine, printable, shownTime } from '../table.ts';
import { idOf } from '../values.ts';
import { type QueueEntry, withMail } from './queue-list.ts';

export const queueShowCommand: Command = {
  name: 'queue show',
  summary: 'Show a mail of the queue with all its deliveries',
  operands: {
    text: 'ID',
    meaning: 'A mail (`relayid`, 18 hex digits) or a single delivery of it (`relayid:n`).',
    min: 1,
    max: 1,
  },
  options: {},
  output:
    '{"relayId","tenant","mail":{…},"deliveries":[{"id","destination","cancelRequested","warmUpUntil","delivery":{…}}]}',
  examples: ['waybill queue show 19ab2c3d4e50000000', 'waybill queue show 19ab2c3d4e50000000:2 --json'],
  run(call) {
    const id = idOf(call.operands[0] ?? '');
    return withInstallation(call, { create: false }, (installation) => {
      const entries = installation.queue
        .list(id, { mailId: 0, n: 0 }, limits.logPageRows)
        .flatMap((queued) => withMail(installation, queued));
      const [first] = entries;
      if (first === undefined) {
        throw new CommandProblem(
          `the queue holds no ${call.operands[0]}; "waybill log ${call.operands[0]}" tells what became of it`,
        );
      }
      show(call, first, entries);
      return exitCodes.ok;
    });
  },
};

function show({ json, terminal }: Call, { tenant, mail }: QueueEntry, entries: readonly QueueEntry[]): void {
  if (json) {
    const deliveries = entries.map(({ id, destination, cancelRequested, warmUpUntil, delivery }) => ({
      id,
      destination,
      cancelRequested,
      warmUpUntil,
      delivery,
    }));
    terminal.out(jsonLine({ relayId: relayIdOf(mail.mailId), tenant, mail, deliveries }));
    return;
  }
  terminal.out(renderFields(mailFields(mail, tenant), ''));
  for (const entry of entries) terminal.out(`\n${entry.id}\n${renderFields(deliveryFields(entry), '  ')}`);
}

function mailFields(mail: MailFacts, tenant: string): [string, string][] {
  return [
    ['mail', relayIdOf(mail.mailId)],
    ['tenant', `${tenant}, stream ${mail.streamId}`],
    ['accepted', shownTime(mail.acceptedAt)],
    ['from', mail.fromField.address],
    ['reverse-path', `<${mail.reversePath}>`],
    ['subject', mail.subject],
    ['message-id', mail.messageIdField],
    ['bytes', String(mail.contentBytes)],
    ['client', `${mail.origin} (${mail.protocol})`],
    ...(mail.tags.length === 0 ? [] : ([['tags', mail.tags.join(', ')]] satisfies [string, string][])),
  ];
}

function deliveryFields({
  destination,
  cancelRequested,
  warmUpUntil,
  delivery,
}: QueueEntry): [string, string][] {
  return [
    ['to', delivery.forwardPath],
    ['destination', destination],
    ['state', stateText(delivery, cancelRequested)],
    ...(warmUpUntil === null ? [] : ([['warm-up', heldText(warmUpUntil)]] satisfies [string, string][])),
    ['attempts', `${delivery.attempts}, the last at ${shownTime(delivery.lastAttemptAt)}`],
    ['next attempt', shownTime(warmUpUntil ?? delivery.nextAttemptAt)],
    ['expires', shownTime(delivery.expiresAt)],
    ['remote', [delivery.remoteMta, delivery.remoteMtaAddress].filter(Boolean).join(' ') || '-'],
    ['last reply', delivery.diagnostic || '-'],
  ];
}

function heldText(until: number): string {
  return `held for warm-up until ${shownTime(until)}`;
}

function stateText(
  { state, stateAt, reason, leased }: QueuedDelivery['facts'],
  cancelRequested: boolean,
): string {
  const notes = [
    ...(reason === null ? [] : [reason]),
    ...(leased ? ['an attempt is under way'] : []),
    ...(cancelRequested ? ['to be canceled after it'] : []),
  ];
  return `${state} since ${shownTime(stateAt)}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`;
}

function renderFields(fields: readonly [string, string][], indent: string): string {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${indent}${name.padEnd(width)}  ${printable(value)}\n`).join('');
}
