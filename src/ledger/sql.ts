/**
 * An operator's own question in SQL, read-only, within bounds, and on wish within one tenant.
 *
 * What it cannot do is kept from it three times over:
 *   - The text is read as the engine reads it, token by token: one query, no comment, no output file, no settings, no
 *     function that reads files, networks or tables by name. It then stands within `SELECT * FROM ( … )`, where only a
 *     query can stand.
 *   - The engine runs it in a session of its own with `readonly = 1`, in which no setting can be changed any more.
 *   - With a tenant, each table is filtered by the engine itself: the ledger's by their tenant, all others to nothing.
 */
import { limits } from '../base/limits.ts';
import type { Engine } from './engine.ts';
import { LedgerFault } from './fault.ts';
import { type Token, tokensOf } from './sql-tokens.ts';

export const sqlFormats = { json: 'JSONCompact', ndjson: 'JSONEachRow', csv: 'CSVWithNames' } as const;

export interface SqlQuestion {
  sql: string;
  /** Null: all tenants. */
  tenantId: number | null;
  format: keyof typeof sqlFormats;
  /** More rows are an error. */
  maxRows: number;
}

interface KnownTable {
  database: string;
  name: string;
  /** Has rows of tenants, and tells of each whose it is. */
  scoped: boolean;
  ours: boolean;
}

/** Resolves with the answer in the format asked for. */
export async function answerSql(engine: Engine, question: SqlQuestion): Promise<string> {
  const { sql, tenantId, format, maxRows } = question;
  const tokens = tokensOf(sql);
  checkQuery(tokens);
  checkFunctions(tokens, await tableFunctions(engine));
  const tables = tenantId === null ? [] : await knownTables(engine);
  checkNames(tokens, tables);
  const settings: [string, string | number][] = [
    ['max_execution_time', limits.sqlMs / 1000],
    ['max_memory_usage', limits.sqlMemoryBytes],
    ['max_result_rows', maxRows],
    ['max_result_bytes', limits.sqlResultBytes],
    ['result_overflow_mode', 'throw'],
    ['output_format_json_quote_64bit_integers', format === 'json' ? 1 : 0],
    ['do_not_merge_across_partitions_select_final', 1],
  ];
  if (tenantId !== null) settings.push(['additional_table_filters', filtersOf(tables, tenantId)]);
  // Last: from here on none can be changed.
  settings.push(['readonly', 1]);
  const text = sql.trim().replace(/;\s*$/, '');
  return await engine.answer(`SELECT * FROM (\n${text}\n) FORMAT ${sqlFormats[format]}`, settings);
}

function refuse(why: string): LedgerFault {
  return new LedgerFault('question', why);
}

/** One query and nothing beside it. */
function checkQuery(tokens: readonly Token[]): void {
  const first = tokens.find(({ text }) => text !== '(');
  if (!['SELECT', 'WITH', 'FROM'].includes(first?.text.toUpperCase() ?? '')) {
    throw refuse('only a query that begins with SELECT or WITH is answered');
  }
  let depth = 0;
  for (const { text, kind } of tokens) {
    if (kind !== 'sign') continue;
    depth += text === '(' ? 1 : text === ')' ? -1 : 0;
    if (depth < 0) throw refuse('a parenthesis closes that was not opened');
  }
  if (depth !== 0) throw refuse('a parenthesis is not closed');
  for (const [index, { kind, text }] of tokens.entries()) {
    if (kind !== 'word') continue;
    const word = text.toUpperCase();
    if (['INTO', 'OUTFILE', 'SETTINGS'].includes(word)) throw refuse(`${word} cannot be used here`);
    if (word === 'FORMAT' && tokens[index + 1]?.text !== '(')
      throw refuse('FORMAT cannot be used here; --format does');
  }
}

/** Those that make rows out of nothing, or of a query that stands in them. */
const harmlessTableFunctions = new Set([
  ...[
    'numbers',
    'numbers_mt',
    'zeros',
    'zeros_mt',
    'generate_series',
    'generateseries',
    'values',
    'null',
    'view',
  ],
  'format',
]);

/** Functions that look at files, settings or tables by their name. */
const lookingAround =
  /^(file|joinget.*|dict.*|getsetting.*|getserversetting|getmergetreesetting|hascolumnintable|catboost.*)$/;

function checkFunctions(tokens: readonly Token[], functions: ReadonlySet<string>): void {
  for (const [index, { kind, text }] of tokens.entries()) {
    if ((kind !== 'word' && kind !== 'name') || tokens[index + 1]?.text !== '(') continue;
    const name = text.toLowerCase();
    const refused = functions.has(name) && !harmlessTableFunctions.has(name);
    if (refused || lookingAround.test(name)) throw refuse(`the function ${text} cannot be used here`);
  }
}

async function tableFunctions(engine: Engine): Promise<ReadonlySet<string>> {
  const rows = await engine.ask('SELECT lower(name) FROM system.table_functions');
  return new Set(rows.map(([name]) => String(name)));
}

/** All but `system.one`, the row with nothing in it that a query without FROM reads. */
async function knownTables(engine: Engine): Promise<KnownTable[]> {
  const rows = await engine.ask(`SELECT database, name, database = currentDatabase() AS ours,
  ours AND (engine LIKE '%MergeTree' OR engine = 'Distributed') AND (database, name) IN
    (SELECT database, table FROM system.columns WHERE database = currentDatabase() AND name = 'tenant_id') AS scoped
FROM system.tables
WHERE (database, name) != ('system', 'one')`);
  return rows.map(([database, name, ours, scoped]) => ({
    ...{ database: String(database), name: String(name) },
    ...{ ours: Number(ours) === 1, scoped: Number(scoped) === 1 },
  }));
}

function checkNames(tokens: readonly Token[], tables: readonly KnownTable[]): void {
  if (tables.length === 0) return;
  const databases = new Set(tables.filter(({ ours }) => !ours).map(({ database }) => database.toLowerCase()));
  const others = new Set(tables.filter(({ ours, scoped }) => ours && !scoped).map(({ name }) => name));
  for (const { kind, text } of tokens) {
    if (kind !== 'word' && kind !== 'name') continue;
    if (databases.has(text.toLowerCase()) || text.includes('.') || others.has(text)) {
      const known = tables.flatMap(({ scoped, name }) => (scoped ? [name] : []));
      throw refuse(`"${text}" cannot be asked within one tenant; its tables are ${known.join(', ')}`);
    }
  }
}

function filtersOf(tables: readonly KnownTable[], tenantId: number): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const filters = tables.map(({ database, name, scoped }) => {
    const filter = scoped ? `tenant_id = ${Math.trunc(tenantId)}` : '0';
    return `${quote(`${database}.${name}`)}:${quote(filter)}`;
  });
  return `{${filters.join(',')}}`;
}
