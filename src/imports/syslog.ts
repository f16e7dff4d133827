/**
 * The head of a line that went through syslog: BSD's (RFC 3164), with a time of ISO 8601, RFC 5424, and the JSON and
 * text exports of systemd's journal. Pure.
 */
import { createYearlessClock, isoTimeAtHead, type YearlessClock } from './civil-time.ts';
import type { LogContext } from './record.ts';

export interface SyslogLine {
  at: number;
  host: string;
  /** As logged: `postfix/smtp`, `exim`, `smtpd`. */
  program: string;
  text: string;
}

export type SyslogReader = (line: string) => SyslogLine | null;

export function createSyslogReader(context: LogContext): SyslogReader & { clock: YearlessClock } {
  const clock = createYearlessClock(context);
  const read = (raw: string): SyslogLine | null => {
    const line = raw.startsWith('<') ? raw.replace(/^<\d{1,3}>/, '') : raw;
    if (line.startsWith('{')) return fromJournal(line);
    const head = bsdTime(line, clock) ?? newerTime(line, clock);
    if (head === null) return null;
    return head.rfc5424 ? fromRfc5424(line, head) : fromHead(line, head);
  };
  return Object.assign(read, { clock });
}

interface Head {
  at: number;
  /** Where the host stands. */
  rest: number;
  rfc5424: boolean;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const bsdPattern = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? /;

function bsdTime(line: string, clock: YearlessClock): Head | null {
  const match = bsdPattern.exec(line);
  if (match === null) return null;
  const [head, name = '', day, year, hour, minute, second, fraction = ''] = match;
  const civil = {
    month: months.indexOf(name) + 1,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    millisecond: Number(fraction.padEnd(3, '0').slice(0, 3)),
  };
  const at = year === undefined ? clock.epochMs(civil) : clock.epochMsIn(Number(year), civil);
  return at === null ? null : { at, rest: head.length, rfc5424: false };
}

/** `2024-01-02T03:04:05+01:00 host`, `1 2024-…Z host` (RFC 5424), `Tue 2024-01-02 03:04:05 UTC host`. */
function newerTime(line: string, clock: YearlessClock): Head | null {
  const rfc5424 = line.startsWith('1 ');
  const skip = rfc5424 ? 2 : /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?=\d)/.test(line) ? 4 : 0;
  const time = isoTimeAtHead(skip === 0 ? line : line.slice(skip), clock);
  return time === null ? null : { at: time.at, rest: skip + time.length + 1, rfc5424 };
}

/** `host program[pid]: text`; some write the facility behind the host. */
const tagPattern =
  /^(\S+) (?:\w+\.(?:emerg|alert|crit|err|warn|warning|notice|info|debug) )?([^\s[:]+)(?:\[[^\]]{1,20}\])?: ?/;

function fromHead(line: string, { at, rest }: Head): SyslogLine | null {
  const tag = tagPattern.exec(line.slice(rest, rest + 600));
  if (tag === null) return null;
  const [head, host = '', program = ''] = tag;
  // Solaris: `[ID 197553 mail.info] text`.
  const text = line.slice(rest + head.length).replace(/^\[ID \d+ \w+\.\w+\] /, '');
  return { at, host, program, text };
}

/** `host program pid msgid structured-data text`. */
function fromRfc5424(line: string, { at, rest }: Head): SyslogLine | null {
  const match = /^(\S+) (\S+) \S+ \S+ (?:-|(?:\[[^\]]{0,2000}\])+) ?/.exec(line.slice(rest));
  if (match === null) return null;
  const [head, host = '', program = ''] = match;
  const text = line.slice(rest + head.length).replace(/^\uFEFF/, '');
  return { at, host, program, text };
}

/** `journalctl -o json`. */
function fromJournal(line: string): SyslogLine | null {
  const entry = parsed(line);
  const [micros, text] = [Number(entry['__REALTIME_TIMESTAMP']), entry['MESSAGE']];
  const program = entry['SYSLOG_IDENTIFIER'];
  if (!Number.isFinite(micros) || typeof text !== 'string' || typeof program !== 'string') return null;
  return { at: Math.floor(micros / 1000), host: String(entry['_HOSTNAME'] ?? ''), program, text };
}

function parsed(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
