/**
 * Takes people out of what is remembered. The events stay, with every count; the address does not:
 *
 *   erase       one address, everywhere: replaced by a keyed hash, the same in every place
 *   anonymise   every recipient of mail older than some time: replaced by one word for all
 *
 * Both change `events` and `deliveries` in place, so that a rebuild gives the same again: `deliveries` fact by fact,
 * `events` in its stored form.
 */
import type { InstallationKey } from '../base/secret.ts';
import { changeEvents } from './amend.ts';
import type { BoundValues, Engine } from './engine.ts';
import { type AgeGroup, ofEndedMails, olderThan, sparing } from './old-mail.ts';
import { changeRows, countRows, partitionsWith, type Which } from './partitions.ts';
import type { Hold } from './rebuild.ts';
import { type Changes, storedAssignments } from './stored-assignments.ts';

/** Who everybody is once mail was anonymised. */
export const anonymous = 'anonymous@erased.invalid';

export interface Erasure {
  tenantIds: readonly number[];
  /** In lower case. */
  address: string;
  /** What stands in its place, by tenant. */
  erased: ReadonlyMap<number, string>;
  /** Mails of which nothing changes. */
  spared: readonly number[];
  hold: Hold;
}

export interface ErasedCounts {
  events: number;
  deliveries: number;
}

/** Texts that others wrote, in which the address may stand somewhere. */
const mailTexts = ['reverse_path', 'from_address', 'reply_to', 'subject', 'message_id_field'] as const;
const deliveryTexts = ['forward_path', 'diagnostic'] as const;
const statusTexts = ['status_reply_text', 'status_diagnostic'] as const;

interface Table {
  name: 'events' | 'deliveries';
  texts: readonly string[];
  /** Has what the recipient's own client said. */
  engagement: boolean;
}

const tables: readonly Table[] = [
  { name: 'events', texts: [...mailTexts, ...deliveryTexts, ...statusTexts, 'url'], engagement: true },
  { name: 'deliveries', texts: [...mailTexts, ...deliveryTexts], engagement: false },
];

/** As it is written, and as URLs write it. */
const plainForms = (local: string, domain: string) => [`${local}@${domain}`, `${local}%40${domain}`];
/** As return addresses carry it (VERP). */
const verpForm = (local: string, domain: string) => `${local}=${domain}`;

function partsOf(address: string): [local: string, domain: string] {
  const at = address.lastIndexOf('@');
  return [address.slice(0, at), address.slice(at + 1)];
}

/** What stands before an address and belongs to it makes it somebody else's: "joann@…", and "news+ann@…". */
const ofLocalPart = "A-Za-z0-9.!#$%&'*/?^_`{|}~";

const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function patternOf(address: string): string {
  const [local, domain] = partsOf(address);
  const plain = plainForms(local, domain).map(literally).join('|');
  const verp = literally(verpForm(local, domain));
  return `(?i)(?:(^|[^${ofLocalPart}+-])(?:${plain})|(^|[^${ofLocalPart}-])${verp})\\b`;
}

/** What stands in the address's place: of each tenant another. */
const erasedHere =
  'transform(tenant_id, {erasedTenants:Array(UInt64)}, {erasedNames:Array(String)}, {erasedNames:Array(String)}[1])';

/** What stood before it stays. */
const withoutAddress = (text: string) =>
  `replaceRegexpAll(${text}, {pattern:String}, concat('\\\\1\\\\2', ${erasedHere}))`;
const tagsWithoutAddress = `arrayMap(tag -> ${withoutAddress('toString(tag)')}, tags)`;
const tagged = 'arrayExists(tag -> match(tag, {pattern:String}), tags)';

function whereOf({ texts }: Table, erasure: Erasure): Which {
  const { tenantIds, address, spared } = erasure;
  const columns = [...texts, 'to_field'];
  const somewhere = columns.map(
    (column) =>
      `(multiSearchAnyCaseInsensitiveUTF8(toString(${column}), {forms:Array(String)}) AND match(toString(${column}), {pattern:String}))`,
  );
  return sparing(spared, {
    condition: `tenant_id IN {tenantIds:Array(UInt64)} AND (${[...somewhere, tagged].join(' OR ')})`,
    values: {
      tenantIds,
      forms: [...plainForms(...partsOf(address)), verpForm(...partsOf(address))],
      pattern: patternOf(address),
    },
  });
}

export async function countErasable(engine: Engine, erasure: Erasure): Promise<ErasedCounts> {
  const counts: ErasedCounts = { events: 0, deliveries: 0 };
  for (const table of tables) {
    const rows = table.name === 'deliveries' ? 'deliveries FINAL' : 'events';
    counts[table.name] = await countRows(engine, rows, whereOf(table, erasure));
  }
  return counts;
}

export async function eraseAddress(
  engine: Engine,
  key: InstallationKey | null,
  erasure: Erasure,
): Promise<ErasedCounts> {
  const counts = await countErasable(engine, erasure);
  await eraseTags(engine, erasure);
  for (const table of tables) {
    const { condition, values } = whereOf(table, erasure);
    const all = { condition, values: { ...values, ...erasedValues(erasure) } };
    const change = () => update(engine, table.name, changesOf(table), all);
    if (table.name === 'events')
      await changeEvents(engine, key, { kind: 'erased', condition, values, change });
    else await change();
  }
  return counts;
}

function erasedValues({ erased, address }: Erasure): BoundValues {
  return { erasedTenants: [...erased.keys()], erasedNames: [...erased.values()], address };
}

/** A To field that names the address is replaced whole: the name of its owner stands beside it. */
function changesOf({ texts, engagement }: Table): Changes {
  const isRecipient = 'lowerUTF8(forward_path) = {address:String}';
  const ofRecipient = ['display_name', ...(engagement ? ['client_ip', 'user_agent'] : [])];
  return new Map([
    ...texts.map((column) => [column, withoutAddress(`toString(${column})`)] as const),
    ['to_field', `if(match(to_field, {pattern:String}), ${erasedHere}, to_field)`],
    ['from_name', "if(lowerUTF8(from_address) = {address:String}, '', from_name)"],
    ['tags', tagsWithoutAddress],
    ...ofRecipient.map((column) => [column, `if(${isRecipient}, '', ${column})`] as const),
  ]);
}

async function update(engine: Engine, table: Table['name'], changes: Changes, which: Which): Promise<void> {
  const assignments =
    table === 'events'
      ? storedAssignments(changes)
      : [...changes].map(([fact, expression]) => `${fact} = ${expression}`);
  for (const partition of await partitionsWith(engine, table, which))
    await changeRows(engine, { table, partition }, which, assignments);
}

/**
 * Tags are a part of the key of counters: what is counted under them moves to another row. What is taken off (a number
 * that makes the sum 0, as numbers of 64 bits wrap) and what is put there stand side by side in one block of one
 * partition, which is there whole or not at all: a crash before the rows are removed leaves every sum as it has to be,
 * and the next run moves what is left, which is nothing. Nothing may be counted under these tags between the two.
 */
async function eraseTags(engine: Engine, erasure: Erasure): Promise<void> {
  const which = {
    condition: `tenant_id IN {tenantIds:Array(UInt64)} AND ${tagged}`,
    values: { tenantIds: erasure.tenantIds, pattern: patternOf(erasure.address) },
  };
  const [row] = await engine.ask(`SELECT count() FROM counters WHERE ${which.condition}`, which.values);
  if (Number(row?.[0] ?? 0) === 0) return;
  await erasure.hold(async () => {
    await engine.command(
      `INSERT INTO counters SELECT * EXCEPT (tags, total, moved), moved.1 AS tags, moved.2 AS count
FROM (
  SELECT *, arrayJoin([(tags, -total), (${tagsWithoutAddress}, total)]) AS moved
  FROM (SELECT * EXCEPT (count), toInt64(sum(count)) AS total FROM counters WHERE ${which.condition} GROUP BY ALL HAVING total != 0)
) SETTINGS insert_deduplicate = 0, max_threads = 1, max_insert_threads = 1`,
      { ...which.values, ...erasedValues(erasure) },
    );
    for (const partition of await partitionsWith(engine, 'counters', which))
      await changeRows(engine, { table: 'counters', partition }, which, null);
  });
}

/* ---- everybody of old mail ---- */

export interface Anonymising {
  /** Tenants by the time before which their mail was accepted; groups of one time each. */
  groups: readonly AgeGroup[];
  spared: readonly number[];
}

const anyAddress = '[^\\s<>"\'()\\[\\],;:@]+@[^\\s<>"\'()\\[\\],;:@]+';

function oldWhere({ groups, spared }: Anonymising): Which | null {
  const old = olderThan(groups, 'toUnixTimestamp64Milli(accepted_at)');
  if (old === null) return null;
  const named = { ...old, condition: `${old.condition} AND forward_path != '${anonymous}'` };
  return sparing(spared, ofEndedMails(named));
}

export async function countNamed(engine: Engine, anonymising: Anonymising): Promise<ErasedCounts> {
  const where = oldWhere(anonymising);
  if (where === null) return { events: 0, deliveries: 0 };
  return {
    events: await countRows(engine, 'events', where),
    deliveries: await countRows(engine, 'deliveries FINAL', where),
  };
}

const nameless = (column: string) =>
  [column, `replaceRegexpAll(toString(${column}), {anyAddress:String}, '${anonymous}')`] as const;

const namelessDeliveries: Changes = new Map([
  ['forward_path', `'${anonymous}'`],
  ['to_field', `'${anonymous}'`],
  ['display_name', "''"],
  ['subject', "''"],
  nameless('diagnostic'),
  ['reverse_path', `if(position(reverse_path, '=') > 0, '${anonymous}', reverse_path)`],
]);

const namelessEvents: Changes = new Map([
  ...namelessDeliveries,
  ...statusTexts.map(nameless),
  ...['client_ip', 'user_agent', 'url'].map((column) => [column, "''"] as const),
]);

export async function anonymiseOld(
  engine: Engine,
  key: InstallationKey | null,
  anonymising: Anonymising,
): Promise<ErasedCounts> {
  const counts = await countNamed(engine, anonymising);
  const where = oldWhere(anonymising);
  if (where === null || counts.events + counts.deliveries === 0) return counts;
  const values = { ...where.values, anyAddress };
  await changeEvents(engine, key, {
    kind: 'anonymised',
    ...where,
    change: () => update(engine, 'events', namelessEvents, { condition: where.condition, values }),
  });
  await update(engine, 'deliveries', namelessDeliveries, { condition: where.condition, values });
  return counts;
}
