import { limits } from '../../base/limits.ts';
import type { Config } from '../../config/config.ts';
import { dataPaths } from '../../data-paths.ts';
import { LedgerFault, openLedger } from '../../ledger/ledger.ts';
import { ledgerOptions } from '../../ledger-options.ts';
import { readRunFile } from '../../run-file.ts';
import { takeInstanceLock } from '../../store/store.ts';
import { type Call, type Command, CommandProblem, exitCodes, usageProblem } from '../command.ts';
import { configOrProblem, tenantNamed, withInstallation } from '../installation.ts';
import { postToServer } from '../running-server.ts';
import { renderTable } from '../table.ts';
import { countOf } from '../values.ts';

const formats = ['table', 'json', 'csv', 'ndjson'] as const;
type Format = (typeof formats)[number];

export const sqlCommand: Command = {
  name: 'sql',
  summary: 'Ask the ledger in SQL, read-only',
  description:
    'One query in the SQL of ClickHouse, to the running server or to a ledger that none has open. With `--tenant` only the ' +
    `rows of that tenant are there, in every table. Bounds: ${limits.sqlMs / 1000} seconds, ${limits.sqlMemoryBytes / 1024 ** 2} MiB of memory, and \`--max-rows\`.`,
  operands: { text: 'QUERY', meaning: 'Begins with SELECT or WITH.', min: 1, max: 1 },
  options: {
    tenant: { value: 'NAME', meaning: 'Only rows of this tenant.' },
    format: { value: 'FORMAT', meaning: '`table` (if not given), `json`, `csv` or `ndjson`.' },
    'max-rows': {
      value: 'COUNT',
      meaning: `More rows are an error; 10000 if not given, at most ${limits.sqlResultRows}.`,
    },
  },
  output:
    '{"meta":[{"name","type"}],"data":[[cell,…]],"rows",…}: JSONCompact of ClickHouse, 64-bit numbers in quotes',
  examples: [
    'waybill sql "SELECT state, count() FROM deliveries FINAL GROUP BY state"',
    'waybill sql --tenant acme --format csv "SELECT domain, count() FROM deliveries FINAL GROUP BY domain"',
    'waybill sql "SELECT name, type FROM system.columns WHERE table = \'events\'"',
  ],
  run: runSql,
};

async function runSql(call: Call): Promise<number> {
  const format = call.json ? 'json' : formatOf(call);
  const question = {
    sql: call.operands[0] ?? '',
    tenant: call.text('tenant')?.toLowerCase(),
    format: format === 'table' ? ('json' as const) : format,
    maxRows: countOf(call, 'max-rows', { standard: 10_000, max: limits.sqlResultRows }),
  };
  const config = configOrProblem(call);
  const run = readRunFile(config.dataDir);
  const answer =
    run === null
      ? await askStopped(call, config, question)
      : await postToServer(run, '/api/v1/sql', question);
  call.terminal.out(format === 'table' ? tableOf(answer, call.terminal.columns) : answer);
  return exitCodes.ok;
}

function formatOf(call: Call): Format {
  const text = call.text('format') ?? 'table';
  const format = formats.find((known) => known === text.toLowerCase());
  if (format !== undefined) return format;
  throw usageProblem(`--format: expected ${formats.join(', ')}, not "${text}"`);
}

interface Question {
  sql: string;
  tenant: string | undefined;
  format: 'json' | 'csv' | 'ndjson';
  maxRows: number;
}

/** No server has the ledger open: this command does, for as long as it takes. */
function askStopped(call: Call, config: Config, { tenant, ...question }: Question): Promise<string> {
  return withInstallation(call, { create: false }, async ({ tenants }) => {
    const tenantId = tenant === undefined ? null : tenantNamed(tenants, tenant).id;
    const lock = takeInstanceLock(dataPaths(config.dataDir).lock('office'), 0);
    if (lock === null) {
      throw new CommandProblem(`a server is starting or stopping on ${config.dataDir}; try again`);
    }
    try {
      const opened = await openLedger(ledgerOptions(config));
      try {
        return await opened.sql({ ...question, tenantId });
      } finally {
        await opened.close();
      }
    } catch (error) {
      if (!(error instanceof LedgerFault)) throw error;
      throw new CommandProblem(error.cause instanceof Error ? error.cause.message : error.message);
    } finally {
      lock.release();
    }
  });
}

interface JsonCompact {
  meta: { name: string }[];
  data: unknown[][];
}

function tableOf(answer: string, columns: number): string {
  const { meta, data } = JSON.parse(answer) as JsonCompact;
  const rows = data.map((cells) =>
    cells.map((cell) => (typeof cell === 'string' ? cell : JSON.stringify(cell))),
  );
  return renderTable(
    meta.map(({ name }) => name),
    rows,
    columns,
  );
}
