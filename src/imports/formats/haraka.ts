/**
 * Haraka, in its three formats (`log.ini`: default, logfmt, json), with the time it writes itself or syslog's. A mail
 * is a transaction, `UUID.n`; what goes out is cut by domain into `UUID.n.m`. Outbound lines name the domain or only
 * that number, not the recipients: these are known from the transaction.
 */
import type { DeliveryEvent, LogFormat, LogRecord, Parsed, Recipients, Told } from '../record.ts';
import { createSyslogReader } from '../syslog.ts';
import { type Entry, idOn, mailRecord } from './entry.ts';
import { fieldsOf, type HarakaLine, harakaLine } from './haraka-line.ts';
import { recentSessions, type Sessions } from './sessions.ts';
import { addressOf, lineOf, messageIdOf } from './words.ts';

interface Transaction {
  from: string;
  origin: string;
  messageId: string;
  bytes: number;
  /** In the order of RCPT. */
  to: string[];
  queuedAt: number | null;
}

export const haraka: LogFormat = {
  name: 'haraka',
  cut: 'lines',
  reader(context) {
    const syslog = createSyslogReader(context);
    const known = { transactions: recentSessions<Transaction>(), clients: recentSessions<string>() };
    return (line) => {
      if (line === '') return 'ignored';
      const entry = harakaLine(line, syslog);
      if (entry === 'timeless') return 'unparsed';
      if (entry === null || entry.uuid === '' || entry.uuid === '-') return 'ignored';
      return parseEntry(entry, known);
    };
  },
};

interface Known {
  transactions: Sessions<Transaction>;
  clients: Sessions<string>;
}

function parseEntry(line: HarakaLine, known: Known): Parsed {
  const [, connection = '', n, m] = /^([0-9A-Fa-f-]{8,40})(?:\.(\d+))?(?:\.(\d+))?$/.exec(line.uuid) ?? [];
  if (connection === '') return 'ignored';
  if (n === undefined) {
    const ip = /^connect\b/.test(line.text) ? fieldsOf(line).get('ip') : undefined;
    if (ip !== undefined) known.clients.remember(connection, ip);
    return 'ignored';
  }
  const id = idOn(line.host, `${connection}.${n}`);
  const entry: Entry = { at: line.at, host: line.host, program: 'haraka', id };
  const transaction = known.transactions.of(id) ?? newTransaction(known.clients.of(connection) ?? '');
  known.transactions.remember(id, transaction);
  if (line.origin.startsWith('outbound') || m !== undefined) {
    return outboundLine(entry, line, { transaction, part: m === undefined ? null : Number(m) });
  }
  return inboundLine(entry, line, transaction);
}

function newTransaction(origin: string): Transaction {
  return { from: '', origin, messageId: '', bytes: 0, to: [], queuedAt: null };
}

function inboundLine(entry: Entry, line: HarakaLine, transaction: Transaction): Parsed {
  const { text } = line;
  const path = /^(sender|recipient) <([^>]{0,1000})>/.exec(text);
  if (path !== null)
    return envelopeLine(entry, line, { transaction, kind: path[1] ?? '', address: addressOf(path[2] ?? '') });
  if (/^message\b/.test(text)) {
    const fields = fieldsOf(line);
    transaction.messageId = messageIdOf(fields.get('mid') ?? '');
    transaction.bytes = Number(/^\d{1,15}$/.exec(fields.get('size') ?? '')?.[0] ?? 0);
    return 'ignored';
  }
  if (/^queue\b/.test(text) && fieldsOf(line).get('code') === 'OK') return queued(entry, transaction);
  return 'ignored';
}

interface Path {
  transaction: Transaction;
  kind: string;
  address: string;
}

function envelopeLine(entry: Entry, line: HarakaLine, { transaction, kind, address }: Path): Parsed {
  const fields = fieldsOf(line);
  const code = fields.get('code') ?? '';
  if (kind === 'sender') {
    transaction.from = address;
    return 'ignored';
  }
  transaction.from ||= addressOf(fields.get('sender') ?? '');
  if (code === 'OK' || code === 'CONT') {
    if (transaction.to.length < 10_000) transaction.to.push(address);
    return 'ignored';
  }
  const soft = code.includes('SOFT');
  const told = {
    text: `${soft ? 450 : 550} ${lineOf(fields.get('msg') ?? '')}`,
    status: '',
    stage: 'rcpt',
    remoteMta: null,
    durationMs: 0,
  } as const;
  return [
    mailRecord(entry, { reversePath: transaction.from, origin: transaction.origin }),
    { kind: 'delivery', at: entry.at, id: entry.id, type: 'rejected', to: { address }, told },
  ];
}

function queued(entry: Entry, transaction: Transaction): LogRecord[] {
  transaction.queuedAt = entry.at;
  const { from, origin, messageId, bytes, to } = transaction;
  const facts = {
    reversePath: from,
    origin,
    messageIdField: messageId,
    contentBytes: bytes,
    protocol: 'ESMTP',
  };
  return [
    mailRecord(entry, facts, { begins: true, accepted: true }),
    ...to.map(
      (address): LogRecord => ({
        kind: 'delivery',
        at: entry.at,
        id: entry.id,
        type: 'accepted',
        to: { address },
      }),
    ),
  ];
}

interface Part {
  transaction: Transaction;
  /** Which of the parts that the transaction was cut into, from 1. */
  part: number | null;
}

/** Recipients refused or deferred one by one were told of before; the line about all of them adds nothing. */
const someRecipients = /^(?:Some recipients )/;

function outboundLine(entry: Entry, line: HarakaLine, about: Part): Parsed {
  const { text } = line;
  const one = /^recipient <([^>]{1,1000})> (deferred|rejected): /.exec(text);
  if (one !== null) {
    const to = { address: addressOf(one[1] ?? '') };
    return [
      delivery(entry, one[2] === 'deferred' ? 'deferred' : 'failed', to, toldOf(text.slice(one[0].length))),
    ];
  }
  const fields =
    text.includes('delivered file=') || line.fields?.has('delivered file') ? fieldsOf(line) : null;
  if (fields !== null) return delivered(entry, fields, about);
  const deferred = /^Temp failing \S+ for [\d.]+ seconds: /.exec(text);
  if (deferred !== null) return unlessSome(entry, 'deferred', text.slice(deferred[0].length), about);
  const bounced = /^bouncing mail: /.exec(text);
  if (bounced === null) return 'ignored';
  const why = text.slice(bounced[0].length);
  const expired = why.startsWith('Too many failures');
  return expired
    ? [delivery(entry, 'expired', partOf(about), toldOf(why))]
    : unlessSome(entry, 'failed', why, about);
}

function unlessSome(entry: Entry, type: DeliveryEvent, why: string, about: Part): Parsed {
  return someRecipients.test(why) ? 'ignored' : [delivery(entry, type, partOf(about), toldOf(why))];
}

function delivery({ at, id }: Entry, type: DeliveryEvent, to: Recipients, told: Told): LogRecord {
  return { kind: 'delivery', at, id, type, to, told };
}

function delivered(entry: Entry, fields: Map<string, string>, about: Part): Parsed {
  const domain = fields.get('domain') ?? '';
  const response = fields.get('response') ?? '';
  const remoteMta = {
    name: fields.get('host') ?? '',
    address: fields.get('ip') ?? '',
    port: Number(/^\d{1,5}$/.exec(fields.get('port') ?? '')?.[0] ?? 25),
  };
  const [count = 0] = (fields.get('rcpts') ?? '').split('/').map(Number);
  const one = about.part === null ? undefined : about.transaction.to[about.part - 1];
  const several = one === undefined || count === 0 ? {} : { count, one };
  const told = { ...toldOf(`250 ${lineOf(response)}`), remoteMta };
  return [delivery(entry, 'delivered', { open: true, domain: domain.toLowerCase(), ...several }, told)];
}

function toldOf(text: string): Told {
  return {
    text: lineOf(text.replace(/^(?:Error: )?Upstream error: /, '')),
    status: '',
    remoteMta: null,
    durationMs: 0,
  };
}

/** The recipients of a part: it is cut by domain, or (`always_split`) for each recipient. */
function partOf({ transaction: { to }, part }: Part): Recipients {
  if (part === null) return { open: true };
  const domains = [...new Set(to.map(domainIn))];
  const domain = domains[part - 1];
  if (domain !== undefined) return { open: true, domain };
  const nth = to[part - 1];
  return nth === undefined ? { open: true } : { address: nth };
}

function domainIn(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}
