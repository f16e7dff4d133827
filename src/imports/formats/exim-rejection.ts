/** `H=name [address] F=<a@b> rejected RCPT <c@d>: why`, before a mail has an id. */
import { createHash } from 'node:crypto';
import type { Parsed } from '../record.ts';
import type { SyslogLine } from '../syslog.ts';
import { idOn, mailRecord } from './entry.ts';
import { addressInBrackets, addressOf, lineOf } from './words.ts';

export function rejectionOf({ at, host }: SyslogLine, text: string): Parsed {
  const match = /(?:temporarily )?rejected RCPT <?([^\s<>]{1,512})>?: /.exec(text);
  if (match === null) return 'ignored';
  const to = addressOf(match[1] ?? '');
  if (!to.includes('@')) return 'ignored';
  const before = text.slice(0, match.index);
  const from = addressOf(/\sF=(<[^>]{0,512}>|\S{1,512})/.exec(before)?.[1] ?? '');
  const hash = createHash('sha256').update(`${at} ${text}`).digest('base64url').slice(0, 16);
  const id = idOn(host, `- ${hash}`);
  const code = match[0].startsWith('temporarily') ? '451' : '550';
  const told = {
    text: `${code} ${lineOf(text.slice(match.index + match[0].length))}`,
    status: '',
    stage: 'rcpt',
    remoteMta: null,
    durationMs: 0,
  } as const;
  return [
    mailRecord({ at, id }, { reversePath: from, origin: addressInBrackets(before) }),
    { kind: 'delivery', at, id, type: 'rejected', to: { address: to }, told },
    { kind: 'ended', at, id },
  ];
}
