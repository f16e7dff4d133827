/**
 * What Postfix refuses: `reject: RCPT from client: 554 5.7.1 <x>: why; from=<a> to=<b> proto=ESMTP helo=<c>`, with a
 * queue id if an earlier recipient of the mail was taken, `NOQUEUE` otherwise; and `milter-reject`, `discard`.
 */
import { createHash } from 'node:crypto';
import type { Stage } from '../../events/delivery-status.ts';
import type { LogRecord, Parsed } from '../record.ts';
import { mailRecord } from './entry.ts';
import { addressInBrackets, addressOf, lineOf } from './words.ts';

const pattern = /^(reject|milter-reject|milter-discard|discard|proxy-reject): ([A-Za-z-]{2,20})(?: from)? ?/;

const stages: Readonly<Record<string, Stage>> = {
  MAIL: 'mail',
  RCPT: 'rcpt',
  DATA: 'data',
  BDAT: 'data',
  header: 'end-of-data',
  body: 'end-of-data',
  'END-OF-MESSAGE': 'end-of-data',
};

interface Where {
  at: number;
  host: string;
}

/** `id`: null for `NOQUEUE`. What names no recipient refused nobody's mail that could be asked about. */
export function rejectionOf(entry: Where, id: string | null, text: string): Parsed {
  const match = pattern.exec(text);
  if (match === null) return 'ignored';
  const [head, , command = ''] = match;
  const ends = text.lastIndexOf('; from=<');
  const to = ends === -1 ? undefined : />,? to=<([^>]{1,1000})>/.exec(text.slice(ends))?.[1];
  if (to === undefined || stages[command] === undefined) return 'ignored';
  const said = text.slice(head.length, ends);
  const from = /^; from=<([^>]{0,1000})>/.exec(text.slice(ends))?.[1] ?? '';
  const told = {
    text: lineOf(replyIn(said)),
    status: '',
    stage: stages[command],
    remoteMta: null,
    durationMs: 0,
  };
  const { at } = entry;
  const mailId = id ?? refusedId(entry, text);
  const records: LogRecord[] = [
    { kind: 'delivery', at, id: mailId, type: 'rejected', to: { address: addressOf(to) }, told },
  ];
  if (id !== null) return records;
  const facts = { reversePath: addressOf(from), origin: addressInBrackets(said) };
  return [mailRecord({ at, id: mailId }, facts), ...records, { kind: 'ended', at, id: mailId }];
}

/** A refused mail has no id of its own: the line makes one, so that the same line is the same mail. */
function refusedId({ host, at }: Where, text: string): string {
  return `${host} - ${createHash('sha256').update(`${at} ${text}`).digest('base64url').slice(0, 16)}`;
}

/** Behind the client: `name[address]: 554 5.7.1 …`. */
function replyIn(said: string): string {
  return /[\])\d]: ((?:[45]\d\d |\d\.\d{1,3}\.\d{1,3} ).*)$/s.exec(said)?.[1] ?? said;
}
