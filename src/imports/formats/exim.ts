/**
 * Exim's main log, written to a file (with its own time) or through syslog (with or without). Each line about a mail
 * has its id, and behind it a flag that tells what happened: `<=` arrived, `=>` `->` `>>` delivered, `**` failed,
 * `==` deferred, `*>` not delivered because of -N; or words. Which fields follow is up to `log_selector`.
 */
import { decodeWords } from 'postal-mime';
import { isoTimeAtHead } from '../civil-time.ts';
import type { LogContext, LogFormat, LoggedFacts, Parsed } from '../record.ts';
import { createSyslogReader, type SyslogLine } from '../syslog.ts';
import { type Entry, idOn, mailRecord } from './entry.ts';
import { deliveryOf } from './exim-delivery.ts';
import { rejectionOf } from './exim-rejection.ts';
import { addressInBrackets, addressOf, lineOf, messageIdOf } from './words.ts';

export const exim: LogFormat = {
  name: 'exim',
  cut: 'lines',
  reader(context) {
    const read = createHeadReader(context);
    return (line) => {
      if (line === '' || line.startsWith('#')) return 'ignored';
      const entry = read(line);
      if (entry === null)
        return /\b\w{6}-\w{6,11}-\w{2,4} (?:<=|=>|->|>>|\*\*|==) /.test(line) ? 'unparsed' : 'ignored';
      return entry.program.startsWith('exim') ? parseEntry(entry) : 'ignored';
    };
  },
};

/** A time of its own, or syslog's head, behind which the time may stand once more. */
function createHeadReader(context: LogContext): (line: string) => SyslogLine | null {
  const syslog = createSyslogReader(context);
  return (line) => {
    const own = isoTimeAtHead(line, syslog.clock);
    if (own !== null) {
      const text = line.slice(own.length + 1);
      // `2016-04-01 11:08:00 host exim[8003]: …`: the time is that of a syslog daemon.
      const tag = /^(\S{1,253}) (exim\S{0,20})\[\d+\]: /.exec(text);
      if (tag === null) return { at: own.at, host: '', program: 'exim', text };
      return { at: own.at, host: tag[1] ?? '', program: 'exim', text: text.slice(tag[0].length) };
    }
    const entry = syslog(line);
    if (entry === null) return null;
    const inner = isoTimeAtHead(entry.text, syslog.clock);
    return inner === null ? entry : { ...entry, at: inner.at, text: entry.text.slice(inner.length + 1) };
  };
}

/** 6-6-2 characters in base 62; since 4.97 6-11-4. The process id may stand before it. */
const idPattern = /^([0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})) /;

function parseEntry(line: SyslogLine): Parsed {
  const text = line.text.replace(/^(?:\[\d{1,10}\] )?(?:\[\d{1,3}[/\\]\d{1,3}\] )?/, '');
  const match = idPattern.exec(text);
  if (match === null) return rejectionOf(line, text);
  const [head, id = ''] = match;
  return parseText({ ...line, id: idOn(line.host, id) }, text.slice(head.length));
}

function parseText(entry: Entry, text: string): Parsed {
  const { at, id } = entry;
  const flag = text.slice(0, 3);
  switch (flag) {
    case '<= ':
      return arrivalOf(entry, text.slice(3));
    case '=> ':
    case '-> ':
    case '>> ':
    case '** ':
    case '== ':
      return deliveryOf(entry, flag.slice(0, 2), text.slice(3)) ?? 'unparsed';
    default:
      if (/^Completed(?: |$)/.test(text)) return [{ kind: 'ended', at, id }];
      if (/^(?:removed|cancelled) by /.test(text)) return [canceled(entry, text)];
      return 'ignored';
  }
}

function canceled({ at, id }: Entry, text: string) {
  const told = { text: lineOf(text), status: '', remoteMta: null, durationMs: 0 };
  return { kind: 'delivery', at, id, type: 'canceled', to: { open: true }, told } as const;
}

/** `sender H=name (helo) [address] P=esmtpsa A=login:user S=1234 id=x@y T="subject" from <a> for b c`. */
function arrivalOf(entry: Entry, text: string): Parsed {
  const sender = /^(?:<>|"[^"]{0,64}"@[^\s]{1,255}|[^\s]{1,320})/.exec(text)?.[0];
  if (sender === undefined) return 'unparsed';
  const fields = text.slice(sender.length);
  const protocol = /\sP=([\w-]{1,40})/.exec(fields)?.[1] ?? '';
  const size = /\sS=(\d{1,15})(?=\s|$)/.exec(fields)?.[1];
  const messageId = /\sid=(\S{1,998})/.exec(fields)?.[1];
  const subject = /\sT="((?:[^"\\]|\\.){0,4000})"/.exec(fields)?.[1];
  const facts: LoggedFacts = {
    reversePath: addressOf(sender),
    origin: addressInBrackets(/\sH=(.{0,600})/s.exec(fields)?.[1] ?? ''),
    authenticated: /\sA=\S/.test(fields),
    transport: 'smtp',
    protocol: protocolOf(protocol),
    ...(size === undefined ? {} : { contentBytes: Number(size) }),
    ...(messageId === undefined ? {} : { messageIdField: messageIdOf(messageId) }),
    ...(subject === undefined ? {} : { subject: lineOf(decodeWords(unescaped(subject))) }),
  };
  return [mailRecord(entry, facts, { begins: true, accepted: true })];
}

/** RFC 3848 keywords as they are; what Exim calls the command line's protocols is no SMTP session. */
function protocolOf(name: string): string {
  return /^e?smtps?a?$/i.test(name) || /^esmtpsa?$/i.test(name) ? name.toUpperCase() : 'SMTP';
}

/** Exim writes quotes, backslashes and control characters with a backslash. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
    code.length === 3 ? ' ' : code === 'n' || code === 't' || code === 'r' ? ' ' : code,
  );
}
