/**
 * A batch of events in one transaction: copied into `events`, and folded here into one row per delivery and counter,
 * which are then merged into the other tables.
 */
import { pipeline } from 'node:stream/promises';
import type { EventType, MailEvent } from '../../../src/events/event.ts';
import type { Batch } from '../../../src/ledger/ledger.ts';
import type { Sql } from './server.ts';
import {
  type Column,
  changingColumns,
  deliveryColumns,
  eventColumns,
  keysOfTotals,
  typeOf,
  type Value,
  versionOf,
} from './tables.ts';

const hourMs = 3_600_000;
const pieceCharacters = 256 * 1024;
const besideState: ReadonlySet<EventType> = new Set([
  ...(['opened', 'clicked', 'complained', 'unsubscribed', 'stored', 'notified'] as const),
]);
const verdicts: ReadonlySet<EventType> = new Set([
  ...(['rejected', 'held', 'deferred', 'failed', 'expired', 'suppressed', 'canceled', 'returned'] as const),
]);

export async function append(sql: Sql, { node, last, events }: Batch): Promise<void> {
  await sql.begin(async (transaction) => {
    const tx = transaction as unknown as Sql;
    // A batch is there whole or not at all.
    if ((await tx`SELECT 1 FROM events WHERE outbox_node = ${node} AND sequence = ${last}`).length > 0)
      return;
    await copy(
      tx,
      'events',
      eventColumns,
      events.map((event) => ({ ...event, outboxNode: node })),
    );
    await mergeDeliveries(tx, events);
    await mergeEngagement(tx, events);
    await merge(tx, counted(events, totalsColumns), {
      ...{ table: 'totals', columns: [...totalsColumns, countColumn], keys: keysOfTotals },
      update: 'count = old.count + excluded.count',
    });
    // Hardly two batches count the same: rows are added, and added up when they are read.
    await copy(tx, 'counters', [...countersColumns, countColumn], counted(events, countersColumns));
  });
}

async function mergeDeliveries(tx: Sql, events: readonly MailEvent[]): Promise<void> {
  const states = new Map<string, { event: MailEvent; version: bigint }>();
  for (const event of events) {
    if (besideState.has(event.type)) continue;
    const [key, version] = [`${event.mail.mailId}:${event.delivery.n}`, versionOf(event)];
    const known = states.get(key);
    if (known === undefined || version > known.version) states.set(key, { event, version });
  }
  const rows = [...states.values()].map(({ event }) => event);
  const changing = [...changingColumns.map(([name]) => name), 'version'];
  await merge(tx, rows, {
    ...{ table: 'deliveries', columns: deliveryColumns, keys: 'mail_id, n' },
    update: `${changing.map((name) => `${name} = excluded.${name}`).join(', ')}
      WHERE excluded.version > old.version`,
  });
}

interface Engaged {
  first: MailEvent;
  opens: number;
  clicks: number;
  opened: MailEvent | null;
  clicked: MailEvent | null;
  complainedAt: number | null;
  unsubscribedAt: number | null;
}

const firstColumns = (name: string, of: (row: Engaged) => MailEvent | null): Column<Engaged>[] => [
  [`${name}_at`, 'time', (row) => of(row)?.at ?? null],
  [`${name}_country`, 'text', (row) => of(row)?.engagement?.country ?? null],
  [`${name}_device`, 'text', (row) => of(row)?.engagement?.device ?? null],
  [`${name}_sending_ip`, 'text', (row) => of(row)?.delivery.sendingIp ?? null],
];
const addedColumns: readonly Column<Engaged>[] = [
  ['opens', 'integer', ({ opens }) => opens],
  ['clicks', 'integer', ({ clicks }) => clicks],
];
const firstsColumns: readonly Column<Engaged>[] = [
  ['complained_at', 'time', ({ complainedAt }) => complainedAt],
  ['unsubscribed_at', 'time', ({ unsubscribedAt }) => unsubscribedAt],
  ...firstColumns('opened', ({ opened }) => opened),
  ...firstColumns('clicked', ({ clicked }) => clicked),
];
const engagementColumns: readonly Column<Engaged>[] = [
  ['tenant_id', 'integer', ({ first }) => first.mail.tenantId],
  ['mail_id', 'bigint', ({ first }) => first.mail.mailId],
  ['n', 'integer', ({ first }) => first.delivery.n],
  ['stream_id', 'integer', ({ first }) => first.mail.streamId],
  ['sending_domain', 'text', ({ first }) => first.mail.sendingDomain],
  ['provider', 'text', ({ first }) => first.delivery.provider],
  ['authenticated', 'boolean', ({ first }) => first.mail.authenticated],
  ['tags', 'text[]', ({ first }) => first.mail.tags],
  ...addedColumns,
  ...firstsColumns,
];

/** Events come in the order of time, so the first that is known stays the first. */
async function mergeEngagement(tx: Sql, events: readonly MailEvent[]): Promise<void> {
  const rows = new Map<string, Engaged>();
  for (const event of events) {
    if (event.engagement === null) continue;
    const key = `${event.mail.mailId}:${event.delivery.n}`;
    const none = { opened: null, clicked: null, complainedAt: null, unsubscribedAt: null };
    const row = rows.get(key) ?? { first: event, opens: 0, clicks: 0, ...none };
    rows.set(key, row);
    if (event.type === 'opened') row.opens += 1;
    if (event.type === 'clicked') row.clicks += 1;
    if (event.type === 'opened') row.opened ??= event;
    if (event.type === 'clicked') row.clicked ??= event;
    if (event.type === 'complained') row.complainedAt ??= event.at;
    if (event.type === 'unsubscribed') row.unsubscribedAt ??= event.at;
  }
  await merge(tx, [...rows.values()], {
    ...{ table: 'engagement', columns: engagementColumns, keys: 'tenant_id, mail_id, n' },
    update: [
      ...addedColumns.map(([name]) => `${name} = old.${name} + excluded.${name}`),
      ...firstsColumns.map(([name]) => `${name} = coalesce(old.${name}, excluded.${name})`),
    ].join(', '),
  });
}

interface Counted {
  event: MailEvent;
  count: number;
}

const totalsColumns: readonly Column<Counted>[] = [
  ['tenant_id', 'integer', ({ event }) => event.mail.tenantId],
  ['type', 'text', ({ event }) => event.type],
  ['hour', 'time', ({ event }) => event.at - (event.at % hourMs)],
  ['stream_id', 'integer', ({ event }) => event.mail.streamId],
  ['sending_domain', 'text', ({ event }) => event.mail.sendingDomain],
  ['reason', 'text', ({ event }) => (verdicts.has(event.type) ? (event.delivery.reason ?? '') : '')],
  ['authenticated', 'boolean', ({ event }) => event.mail.authenticated],
  ['first', 'boolean', ({ event }) => isFirst(event)],
];
const countersColumns: readonly Column<Counted>[] = [
  ...totalsColumns,
  ['provider', 'text', ({ event }) => event.delivery.provider],
  ['sending_ip', 'text', ({ event }) => event.delivery.sendingIp],
  ['country', 'text', ({ event }) => event.engagement?.country ?? ''],
  ['device', 'text', ({ event }) => event.engagement?.device ?? ''],
  ['tags', 'text[]', ({ event }) => event.mail.tags],
];
const countColumn: Column<Counted> = ['count', 'integer', ({ count }) => count];

function isFirst({ type, delivery }: MailEvent): boolean {
  return (
    (type === 'deferred' && delivery.deferrals === 1) || (type === 'delivered' && delivery.attempts === 1)
  );
}

/** In the order of their keys, so that what is asked together lies together. */
function counted(events: readonly MailEvent[], columns: readonly Column<Counted>[]): Counted[] {
  const rows = new Map<string, Counted>();
  for (const event of events) {
    const one = { event, count: 1 };
    const key = columns.map(([, , value]) => value(one)).join('\t');
    const known = rows.get(key);
    if (known) known.count += 1;
    else rows.set(key, one);
  }
  const order = ({ event }: Counted) => event.mail.tenantId;
  const sorted = [...rows.values()];
  return sorted.sort(
    (a, b) =>
      order(a) - order(b) ||
      (a.event.type < b.event.type ? -1 : Number(a.event.type > b.event.type)) ||
      a.event.at - b.event.at,
  );
}

interface Merge<Row> {
  table: string;
  columns: readonly Column<Row>[];
  keys: string;
  update: string;
}

async function merge<Row>(
  tx: Sql,
  rows: readonly Row[],
  { table, columns, keys, update }: Merge<Row>,
): Promise<void> {
  const names = columns.map(([name]) => name).join(', ');
  const ddl = columns.map(([name, type]) => `${name} ${typeOf(type)}`).join(', ');
  await tx.unsafe(`CREATE TEMPORARY TABLE IF NOT EXISTS new_${table} (${ddl}) ON COMMIT DELETE ROWS`);
  await copy(tx, `new_${table}`, columns, rows);
  await tx.unsafe(`INSERT INTO ${table} AS old (${names}) SELECT ${names} FROM new_${table}
    ON CONFLICT (${keys}) DO UPDATE SET ${update}`);
}

async function copy<Row>(
  tx: Sql,
  table: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
): Promise<void> {
  const names = columns.map(([name]) => name).join(', ');
  const into = await tx.unsafe(`COPY ${table} (${names}) FROM STDIN`).writable();
  await pipeline(pieces(columns, rows), into);
}

function* pieces<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Generator<string> {
  let piece = '';
  for (const row of rows) {
    columns.forEach(([, type, value], index) => {
      piece += `${index === 0 ? '' : '\t'}${copied(type, value(row))}`;
    });
    piece += '\n';
    if (piece.length < pieceCharacters) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

function copied(type: string, value: Value): string {
  if (value === null) return '\\N';
  if (type === 'time') return new Date(Number(value)).toISOString();
  if (typeof value === 'string') return escaped(value);
  if (typeof value === 'object')
    return escaped(`{${value.map((one) => `"${one.replace(/[\\"]/g, '\\$&')}"`).join(',')}}`);
  return String(value);
}

function escaped(text: string): string {
  if (!/[\\\t\n\r]/.test(text)) return text;
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('\t', '\\t')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
}
