/** `DeliveryFilter` as conditions on `deliveries`. */
import type { DeliveryFilter, Scope, SearchTerm, StatusCondition } from '../question.ts';
import { inScope, type Where } from './where.ts';

/** Filters that compare one column exactly. A closed map: no name from outside becomes part of a statement. */
const exactColumns = {
  origin: 'origin',
  reversePath: 'reverse_path',
  subject: 'subject',
  replyTo: 'reply_to',
} as const;

export function deliveriesWhere(scope: Scope, filter: DeliveryFilter): Where {
  const where = inScope(scope);
  acceptedBetween(where, filter.from, filter.to);
  if (filter.mailId !== undefined) ofMail(where, filter.mailId);
  if (filter.n !== undefined) where.fixed(`n = ${where.bind('n', 'UInt32', filter.n)}`);
  exactly(where, filter);
  if (filter.messageIdContains !== undefined) messageIdContains(where, filter.messageIdContains);
  if (filter.remoteMta !== undefined) {
    where.changing(`remote_mta = ${where.bind('remoteMta', 'String', filter.remoteMta)}`);
  }
  if (filter.status !== undefined) where.changing(anyStatus(where, filter.status));
  for (const term of filter.search ?? []) search(where, term);
  where.rare ||= rareFilters.some((name) => (filter[name]?.length ?? 0) > 0);
  where.ofForwardPaths = forwardPathFilters.some((name) => filter[name] !== undefined);
  return where;
}

export function ofMail(where: Where, mailId: number): void {
  where.fixed(`mail_id = ${where.bind('mailId', 'UInt64', mailId)}`);
  where.mailId = mailId;
  where.rare = true;
}

export function acceptedBetween(where: Where, from: number | undefined, to: number | undefined): void {
  if (from !== undefined) where.fixed(`accepted_at >= ${moment(where, 'from', from)}`);
  if (to !== undefined) where.fixed(`accepted_at < ${moment(where, 'to', to)}`);
  where.range = { from, to };
}

/** A bound time. Bounds outside of what the engine can hold lie outside of every event as well. */
export function moment(where: Where, name: string, at: number): string {
  const bounded = Math.min(Math.max(Math.ceil(at), 0), Date.UTC(2299, 0));
  return `fromUnixTimestamp64Milli(${where.bind(name, 'Int64', bounded)}, 'UTC')`;
}

function exactly(where: Where, filter: DeliveryFilter): void {
  for (const [name, column] of Object.entries(exactColumns) as [keyof typeof exactColumns, string][]) {
    const value = filter[name];
    if (value !== undefined) where.fixed(`${column} = ${where.bind(name, 'String', value)}`);
  }
  if (filter.forwardPath !== undefined) sameText(where, 'forward_path', 'forwardPath', filter.forwardPath);
  if (filter.fromField !== undefined) sameText(where, 'from_address', 'fromField', filter.fromField);
}

const forwardPathFilters = ['n', 'forwardPath', 'search'] as const;
/** What usually names few rows among many, unless it is empty. */
const rareFilters = ['forwardPath', 'subject', 'messageIdContains', 'search'] as const;

/** The index of these columns is on their lower case, which `search` needs; equal text has equal lower case. */
function sameText(where: Where, column: string, name: string, value: string): void {
  const bound = where.bind(name, 'String', value);
  where.fixed(`${column} = ${bound} AND lowerUTF8(${column}) = lowerUTF8(${bound})`);
}

/** Compared with the field in its angle brackets, so that it matches with and without them. */
function messageIdContains(where: Where, needle: string): void {
  if (needle === '') return;
  const escaped = needle.replace(/[\\%_]/g, (special) => `\\${special}`);
  const bound = where.bind('messageIdContains', 'String', `%${escaped}%`);
  where.fixed(`lowerUTF8(concat('<', message_id_field, '>')) LIKE lowerUTF8(${bound})`);
}

function search(where: Where, { text, status }: SearchTerm): void {
  const bound = where.bind('search', 'String', text);
  const texts = ['from_address', 'forward_path', 'template'].map(
    (column) => `lowerUTF8(${column}) = lowerUTF8(${bound})`,
  );
  if (status === undefined || status.length === 0) where.fixed(`(${texts.join(' OR ')})`);
  else where.changing(`(${texts.join(' OR ')} OR ${anyStatus(where, status)})`);
}

/** No condition at all cannot hold: "any of none" is false. */
function anyStatus(where: Where, conditions: readonly StatusCondition[]): string {
  if (conditions.length === 0) return 'false';
  return `(${conditions.map((condition) => statusHolds(where, condition)).join(' OR ')})`;
}

function statusHolds(where: Where, { states, reasons, exceptReasons, engaged }: StatusCondition): string {
  const parts = [`state IN ${where.bind('states', 'Array(String)', [...states])}`];
  if (reasons !== undefined) parts.push(`reason IN ${where.bind('reasons', 'Array(String)', [...reasons])}`);
  if (exceptReasons !== undefined) {
    parts.push(`reason NOT IN ${where.bind('exceptReasons', 'Array(String)', [...exceptReasons])}`);
  }
  if (engaged !== undefined)
    parts.push(`(mail_id, n) ${engaged ? 'IN' : 'NOT IN'} (${engagedDeliveries(where)})`);
  return `(${parts.join(' AND ')})`;
}

function engagedDeliveries(where: Where): string {
  const tenantId = where.bind('tenantId', 'UInt64', where.tenantId);
  return `SELECT mail_id, n FROM engagement WHERE tenant_id = ${tenantId} AND (opens > 0 OR clicks > 0)`;
}
