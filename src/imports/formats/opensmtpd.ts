/**
 * OpenSMTPD. A mail is a `msgid` of 8 hex digits, a delivery of it an `evpid`, which begins with them. Three
 * generations of lines: `relay: Ok for EVPID: session=…` (5.x), `mta event=delivery evpid=…` (6.0 to 6.3),
 * `mta delivery evpid=…` (since 6.4). There is no line that ends a mail.
 */
import type { RemoteMta } from '../../events/delivery-status.ts';
import type { DeliveryEvent, LogFormat, LoggedFacts, LogRecord, Parsed, Told } from '../record.ts';
import { createSyslogReader, type SyslogLine } from '../syslog.ts';
import { idOn, mailRecord } from './entry.ts';
import { recentSessions, type Sessions } from './sessions.ts';
import { addressOf, isLoopback, lineOf, pairsIn } from './words.ts';

interface Client {
  address: string;
  authenticated: boolean;
}

export const opensmtpd: LogFormat = {
  name: 'opensmtpd',
  cut: 'lines',
  reader(context) {
    const syslog = createSyslogReader(context);
    const sessions = recentSessions<Client>();
    return (line) => {
      if (line === '') return 'ignored';
      const entry = syslog(line);
      if (entry === null) return /\bevpid=[0-9a-f]{16}\b/.test(line) ? 'unparsed' : 'ignored';
      return /^(?:open)?smtpd$/.test(entry.program) ? parseEntry(entry, sessions) : 'ignored';
    };
  },
};

function parseEntry(entry: SyslogLine, sessions: Sessions<Client>): Parsed {
  const { text } = entry;
  const subject = /^([0-9a-f]{16}) (smtp|mta|mda) (?:event=)?([a-z-]+)\b ?/.exec(text);
  if (subject !== null) {
    const [head, session = '', who = '', what = ''] = subject;
    return parseEvent(
      entry,
      { session: idOn(entry.host, session), what: `${who} ${what}`, sessions },
      text.slice(head.length),
    );
  }
  const old = /^(relay|delivery): (\w+) for ([0-9a-f]{16}): /.exec(text);
  if (old !== null)
    return deliveryOf(entry, oldPairs(text.slice(old[0].length)), {
      evpid: old[3] ?? '',
      result: old[2] ?? '',
    });
  return acceptedByOld(entry);
}

interface Event {
  session: string;
  what: string;
  sessions: Sessions<Client>;
}

function parseEvent(entry: SyslogLine, { session, what, sessions }: Event, text: string): Parsed {
  const pairs = pairsIn(text);
  switch (what) {
    case 'smtp connected':
      sessions.remember(session, { address: ipIn(pairs.get('address') ?? ''), authenticated: false });
      return 'ignored';
    case 'smtp authentication':
      if (pairs.get('result') === 'ok') {
        const address = sessions.of(session)?.address ?? '';
        sessions.remember(session, { address, authenticated: true });
      }
      return 'ignored';
    case 'smtp message':
      return messageOf(entry, pairs, sessions.of(session));
    case 'smtp envelope':
      return envelopeOf(entry, pairs);
    case 'mta delivery':
    case 'mda delivery':
      return deliveryOf(
        entry,
        { pairs, text },
        { evpid: pairs.get('evpid') ?? '', result: pairs.get('result') ?? '' },
      );
    default:
      return 'ignored';
  }
}

/** `msgid=… size=… nrcpt=… proto=ESMTP`; until 6.3 one for each recipient, with `from=` and `to=`. */
function messageOf(entry: SyslogLine, pairs: Pairs, client: Client | undefined): Parsed {
  const messageId = /^[0-9a-f]{8}$/.exec(pairs.get('msgid') ?? '')?.[0];
  if (messageId === undefined) return 'unparsed';
  const id = idOn(entry.host, messageId);
  const [from, to] = [pairs.get('from'), pairs.get('to')];
  const origin = client?.address ?? ipIn(pairs.get('address') ?? '');
  const facts: LoggedFacts = {
    contentBytes: Number(/^\d{1,15}$/.exec(pairs.get('size') ?? '')?.[0] ?? 0),
    protocol: `${pairs.get('proto') === 'SMTP' ? 'SMTP' : 'ESMTP'}${client?.authenticated === true ? 'A' : ''}`,
    transport: 'smtp',
    origin,
    authenticated: client?.authenticated === true,
    ...(from === undefined ? {} : { reversePath: addressOf(from) }),
  };
  const fromHere = isLoopback(origin);
  const mail: LogRecord = { ...mailRecord({ at: entry.at, id }, facts, { accepted: true }), fromHere };
  return to === undefined ? [mail] : [mail, acceptance(entry, id, to)];
}

function envelopeOf(entry: SyslogLine, pairs: Pairs): Parsed {
  const evpid = /^[0-9a-f]{16}$/.exec(pairs.get('evpid') ?? '')?.[0];
  const to = pairs.get('to');
  if (evpid === undefined || to === undefined) return 'unparsed';
  const id = idOn(entry.host, evpid.slice(0, 8));
  const facts = { reversePath: addressOf(pairs.get('from') ?? '') };
  return [mailRecord({ at: entry.at, id }, facts, { accepted: true }), acceptance(entry, id, to)];
}

function acceptance({ at }: SyslogLine, id: string, to: string): LogRecord {
  return { kind: 'delivery', at, id, type: 'accepted', to: { address: addressOf(to) } };
}

/** `smtp-in: Accepted message 4296f490 on session …: from=<a>, to=<b>, size=1, ndest=1, proto=ESMTP`. */
function acceptedByOld(entry: SyslogLine): Parsed {
  const match = /^smtp-in: Accepted message ([0-9a-f]{8}) on session [0-9a-f]{16}: /.exec(entry.text);
  if (match === null) return 'ignored';
  const { pairs } = oldPairs(entry.text.slice(match[0].length));
  pairs.set('msgid', match[1] ?? '');
  return messageOf(entry, pairs, undefined);
}

type Pairs = Map<string, string>;

interface Fields {
  pairs: Pairs;
  text: string;
}

function oldPairs(text: string): Fields {
  return { pairs: pairsIn(text), text };
}

const types: Readonly<Record<string, DeliveryEvent>> = {
  ok: 'delivered',
  tempfail: 'deferred',
  permfail: 'failed',
  expire: 'expired',
  expired: 'expired',
  remove: 'canceled',
  removed: 'canceled',
  loop: 'failed',
};

function deliveryOf(
  entry: SyslogLine,
  { pairs, text }: Fields,
  { evpid, result }: { evpid: string; result: string },
): Parsed {
  const type = types[result.toLowerCase()];
  const to = pairs.get('to');
  if (type === undefined || to === undefined || !/^[0-9a-f]{16}$/.test(evpid)) return 'unparsed';
  const id = idOn(entry.host, evpid.slice(0, 8));
  const words = lineOf(/\bstat=(.*)$/s.exec(text)?.[1]?.replace(/^"(.*)"\s*$/s, '$1') ?? '');
  const told: Told = { text: words, status: '', remoteMta: remoteMtaIn(text), durationMs: 0 };
  const next = /^2\d\d .{0,20}\b([0-9a-f]{8}) Message accepted for delivery/.exec(words)?.[1];
  const from = pairs.get('from');
  const facts = from === undefined ? {} : { reversePath: addressOf(from) };
  return [
    mailRecord({ at: entry.at, id }, facts, { accepted: true }),
    {
      kind: 'delivery',
      at: entry.at,
      id,
      type,
      to: { address: addressOf(to) },
      told,
      ...(next === undefined ? {} : { nextId: idOn(entry.host, next) }),
    },
  ];
}

/** `relay="192.0.2.1 (mx.example.org)"`, in old lines without quotes. */
function remoteMtaIn(text: string): RemoteMta | null {
  const match = /\brelay="?([0-9a-fA-F.:[\]]{2,60})(?: \(([^)]{0,253})\))?/.exec(text);
  if (match === null) return null;
  const address = (match[1] ?? '').replace(/[[\]]/g, '').replace(/^IPv6:/i, '');
  return { name: match[2] || address, address, port: 25 };
}

function ipIn(text: string): string {
  const inner = text.replace(/^(?:smtps?:\/\/)?\[?(?:IPv6:)?([0-9a-fA-F.:]+?)\]?(?::\d+)?$/, '$1');
  return /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)$/.test(inner) ? inner : '';
}
