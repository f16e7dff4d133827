/** `docs/reference/events.md`, from the vocabulary under `src/events`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stages } from '../../src/events/delivery-status.ts';
import { deliveryStates, eventTypes } from '../../src/events/event.ts';
import { reasons } from '../../src/events/reason.ts';
import { membersOf, table } from './source-comments.ts';
import { eventMeanings, reasonMeanings, stageMeanings, stateMeanings } from './words.ts';

const records: readonly { file: string; name: string; about: string }[] = [
  { file: 'event.ts', name: 'MailEvent', about: 'One event.' },
  { file: 'event.ts', name: 'MailFacts', about: 'Facts of the mail, fixed when it was accepted.' },
  { file: 'event.ts', name: 'DeliveryFacts', about: 'Facts of the delivery, right after the event.' },
  { file: 'delivery-status.ts', name: 'DeliveryStatus', about: 'The attempt that caused the event.' },
  { file: 'delivery-status.ts', name: 'Reply', about: 'What the remote server said.' },
  { file: 'delivery-status.ts', name: 'EnhancedStatus', about: 'RFC 3463 status.' },
  { file: 'delivery-status.ts', name: 'RemoteMta', about: 'The remote server.' },
  { file: 'delivery-status.ts', name: 'TlsFacts', about: 'How the connection was secured.' },
  { file: 'event.ts', name: 'Engagement', about: 'Who opened, clicked, unsubscribed or complained.' },
];

const introduction = `# Events

One event tells what happened to one forward-path of one mail. The lists on this page are closed: they are all there is,
and members are only ever added. Times are milliseconds since 1970-01-01T00:00:00Z.
`;

export function renderEventsPage(root: string): string {
  return [
    introduction,
    section('Types', 'Type', eventTypes, eventMeanings),
    section('States of a delivery', 'State', deliveryStates, stateMeanings),
    section('Reasons', 'Reason', reasons, reasonMeanings),
    section('Stages of an attempt', 'Stage', stages, stageMeanings),
    ...records.map((record) => renderRecord(root, record)),
  ].join('\n');
}

function section<Word extends string>(
  title: string,
  head: string,
  words: readonly Word[],
  meanings: Readonly<Record<Word, string>>,
): string {
  const rows = words.map((word) => [`\`${word}\``, meanings[word]]);
  return `## ${title}\n\n${table([head, 'Meaning'], rows)}`;
}

function renderRecord(root: string, { file, name, about }: (typeof records)[number]): string {
  const source = readFileSync(join(root, 'src', 'events', file), 'utf8');
  const rows = membersOf(source, `export interface ${name} {`).map((member) => [
    `\`${member.name}\``,
    `\`${member.text}\``,
    member.comment,
  ]);
  return `## ${name}\n\n${about}\n\n${table(['Field', 'Type', 'Meaning'], rows)}`;
}
