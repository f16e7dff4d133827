/**
 * Postfix. What its daemons log about a mail carries the queue id; the tag is `syslog_name/daemon`, where the name may
 * be anything (`postfix-out`, `postfix/submission`). Lines without a queue id are of interest only as `NOQUEUE`.
 *
 * Not mail: probes whether an address exists (`status=deliverable`). Not read: what `anvil`, `postscreen`, `tlsproxy`
 * and others say about connections.
 */
import { decodeWords } from 'postal-mime';
import type { LogFormat, LoggedFacts, LogRecord, Parsed } from '../record.ts';
import { createSyslogReader, type SyslogLine } from '../syslog.ts';
import { type Entry, idOn, mailRecord } from './entry.ts';
import { deliveryOf } from './postfix-delivery.ts';
import { rejectionOf } from './postfix-rejection.ts';
import { addressInBrackets, addressOf, isLoopback, lineOf, messageIdOf } from './words.ts';

export const postfix: LogFormat = {
  name: 'postfix',
  cut: 'lines',
  reader(context) {
    const syslog = createSyslogReader(context);
    return (line) => {
      if (line === '') return 'ignored';
      const entry = syslog(line);
      if (entry === null) return /postfix[^ ]*\/\w+\[\d+\]/.test(line.slice(0, 300)) ? 'unparsed' : 'ignored';
      return daemonPattern.test(entry.program) ? parseEntry(entry) : 'ignored';
    };
  },
};

const daemonPattern =
  /\/(?:smtpd?|lmtp|[no]?qmgr|cleanup|local|virtual|pipe|error|retry|discard|bounce|defer|trace|pickup|postsuper|postscreen)$/;

/** A queue file's name: hexadecimal, or since 2.9 in base 52 without vowels (`enable_long_queue_ids`). */
const queueIdPattern = /^(NOQUEUE|[0-9A-F]{5,24}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{12,24}): /;

function parseEntry(entry: SyslogLine): Parsed {
  const match = queueIdPattern.exec(entry.text);
  if (match === null) return 'ignored';
  const [head, queueId = ''] = match;
  const text = entry.text.slice(head.length);
  if (queueId === 'NOQUEUE') return rejectionOf(entry, null, text);
  return parseText({ ...entry, id: idOn(entry.host, queueId) }, text);
}

function parseText(entry: Entry, text: string): Parsed {
  if (text.startsWith('to=')) return deliveryOf(entry, text) ?? 'unparsed';
  if (text.startsWith('from=')) return senderOf(entry, text);
  if (text.startsWith('client=')) return [clientOf(entry, text)];
  if (text.startsWith('uid=')) return pickedUp(entry, text);
  if (text.startsWith('message-id=')) {
    return [mailRecord(entry, { messageIdField: messageIdOf(decoded(text.slice('message-id='.length))) })];
  }
  return otherwise(entry, text);
}

/** What stands alone behind the queue id. */
function otherwise(entry: Entry, text: string): Parsed {
  const all = { open: true } as const;
  switch (text) {
    case 'removed':
      return removed(entry);
    case 'placed on hold':
      return [{ kind: 'delivery', at: entry.at, id: entry.id, type: 'held', to: all }];
    case 'released from hold':
      return [{ kind: 'delivery', at: entry.at, id: entry.id, type: 'released', to: all }];
    default:
      return subjectOf(entry, text) ?? rejectionOf(entry, entry.id, text);
  }
}

/** By the queue manager: everything is done. By `postsuper`: an operator deleted it. */
function removed({ at, id, program }: Entry): LogRecord[] {
  const ended: LogRecord = { kind: 'ended', at, id };
  if (!program.endsWith('/postsuper')) return [ended];
  const told = { text: 'removed from the queue by an operator', status: '', remoteMta: null, durationMs: 0 };
  return [{ kind: 'delivery', at, id, type: 'canceled', to: { open: true }, told }, ended];
}

/** `from=<a@b>, size=1, nrcpt=1 (queue active)`, or the end of its time in the queue. */
function senderOf(entry: Entry, text: string): Parsed {
  const end = text.indexOf('>, ');
  const bracketed = text.startsWith('from=<') && end !== -1;
  const from = bracketed ? text.slice('from=<'.length, end) : /^from=([^,\s]*)/.exec(text)?.[1];
  if (from === undefined) return 'unparsed';
  const rest = bracketed ? text.slice(end + 3) : text;
  const facts: LoggedFacts = { reversePath: addressOf(from) };
  if (/status=(?:force-)?expired\b/.test(rest)) {
    const told = { text: 'expired, returned to sender', status: '4.4.7', remoteMta: null, durationMs: 0 };
    return [
      mailRecord(entry, facts, { accepted: true }),
      { kind: 'delivery', at: entry.at, id: entry.id, type: 'expired', to: { open: true }, told },
    ];
  }
  const size = /\bsize=(\d{1,15})/.exec(rest)?.[1];
  if (size === undefined) return 'unparsed';
  return [mailRecord(entry, { ...facts, contentBytes: Number(size) }, { accepted: true })];
}

/** `client=name[address], sasl_method=PLAIN, sasl_username=x, orig_queue_id=…, orig_client=…`. */
function clientOf(entry: Entry, text: string): LogRecord {
  const [client = ''] = text.slice('client='.length).split(', ', 1);
  const address = addressInBrackets(client);
  // A proxy before the queue tells for whom it speaks.
  const speaksFor = addressInBrackets(/, orig_client=([^,]{1,300})/.exec(text)?.[1] ?? '');
  const authenticated = text.includes(', sasl_username=') || text.includes(', sasl_method=');
  const facts: LoggedFacts = {
    origin: speaksFor || address,
    authenticated,
    transport: entry.program.includes('/smtps/') ? 'smtps' : 'smtp',
    protocol: authenticated ? 'ESMTPA' : 'ESMTP',
  };
  const original = /, orig_queue_id=([0-9A-Za-z]{5,24})\b/.exec(text)?.[1];
  const fromHere = isLoopback(address) || client.startsWith('localhost[');
  return {
    ...mailRecord(entry, facts, { begins: true }),
    fromHere,
    ...(original === undefined ? {} : { continues: idOn(entry.host, original) }),
  };
}

/** `uid=0 from=<root>`: submitted on the machine; `orig_id=` after `postsuper -r`. */
function pickedUp(entry: Entry, text: string): Parsed {
  const from = /\bfrom=<([^>]*)>/.exec(text)?.[1] ?? '';
  const original = /\borig_id=([0-9A-Za-z]{5,24})\b/.exec(text)?.[1];
  const facts: LoggedFacts = { reversePath: addressOf(from), protocol: 'SMTP', transport: 'smtp' };
  const record = mailRecord(entry, facts, { begins: true, accepted: true });
  return [original === undefined ? record : { ...record, continues: idOn(entry.host, original) }];
}

const subjectPattern = /^(?:warning|info): header Subject: ?/;

/** Logged where `header_checks` asks for it: `info: header Subject: text from client; from=<> to=<> proto=…`. */
function subjectOf(entry: Entry, text: string): Parsed | null {
  const head = subjectPattern.exec(text)?.[0];
  if (head === undefined) return null;
  const end = text.lastIndexOf('; from=<');
  const shown = text.slice(head.length, end === -1 ? undefined : end);
  const from = shown.lastIndexOf(' from ');
  const subject = from === -1 ? shown : shown.slice(0, from);
  return [mailRecord(entry, { subject: lineOf(decoded(subject)) })];
}

/** The log shows `?` where the header was folded. */
function decoded(text: string): string {
  return text.includes('=?')
    ? decodeWords(text.replaceAll('?= ?', '?= ').replace(/\?=\? =\?/g, '?= =?'))
    : text;
}
