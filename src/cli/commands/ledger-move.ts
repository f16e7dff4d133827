import { existsSync } from 'node:fs';
import { OptionProblem } from '../../base/option.ts';
import { type Config, databaseName, httpUrl } from '../../config/config.ts';
import { dataPaths } from '../../data-paths.ts';
import { LedgerFault, type Moved, moveLedger, openLedger } from '../../ledger/ledger.ts';
import { ledgerOptions } from '../../ledger-options.ts';
import { type Store, storeId } from '../../store/store.ts';
import { progressLine } from '../backup.ts';
import { type Call, type Command, CommandProblem, exitCodes, usageProblem } from '../command.ts';
import { configOrProblem } from '../installation.ts';
import { whileStopped, withFilledLedger } from '../stopped-server.ts';
import { jsonLine } from '../table.ts';

export const ledgerMoveCommand: Command = {
  name: 'ledger move',
  summary: 'Take the ledger inside Waybill to a ClickHouse server',
  description:
    'While Waybill is stopped. What waits in the outbox is brought into the ledger first. Broken off, the command goes on ' +
    'where it was. At the end the tables of both sides are compared, and it is said what to set. The old ledger stays as it is.',
  options: {
    to: { value: 'URL', meaning: 'As in `ledger.url`: `http://user:password@host:8123`.', required: true },
    database: { value: 'NAME', meaning: 'As in `ledger.database`; without it `waybill`.' },
  },
  output:
    '{"events","carried","compared":[{"table","rows","digest"}],"set":{"ledger.url","ledger.database"}}',
  examples: ['waybill ledger move --to http://waybill:password@clickhouse.example.com:8123'],
  run: move,
};

interface Server {
  url: string;
  database: string;
}

async function move(call: Call): Promise<number> {
  const config = configOrProblem(call);
  const server = serverOf(call);
  if (config.ledger.url !== null) {
    throw new CommandProblem(
      'ledger.url is set, so new events go to a server already: unset it until the ledger has moved',
    );
  }
  if (!existsSync(dataPaths(config.dataDir).ledger)) {
    throw new CommandProblem(`${config.dataDir} holds no ledger`);
  }
  const running = `a server runs on ${config.dataDir}; stop it first`;
  try {
    const moved = await whileStopped(config, running, (store) => moveFilled(call, { config, server, store }));
    tell(call, moved, server);
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof LedgerFault) throw new CommandProblem(error.message);
    throw error;
  }
}

interface Move {
  config: Config;
  server: Server;
  store: Store;
}

/**
 * The outbox is emptied into the old ledger first: then no batch is begun that the writer would append again, under a
 * token that the server does not know.
 */
async function moveFilled(call: Call, { config, server, store }: Move): Promise<Moved> {
  const caughtUp = await withFilledLedger(config, store, async (filled) => filled.caughtUp);
  if (!caughtUp) {
    throw new CommandProblem(
      'the ledger here did not take what waits in the outbox; "waybill serve" says why in its log',
    );
  }
  await claim(server, config, storeId(store));
  const line = progressLine(call.terminal);
  try {
    return await moveLedger(ledgerOptions(config), server, ({ carried, total }) =>
      line.show(`${carried} of ${total} events`),
    );
  } finally {
    line.end();
  }
}

async function claim(server: Server, { nodeNumber, dataDir }: Config, store: string): Promise<void> {
  const ledger = await openLedger({ ...server, path: dataPaths(dataDir).ledger });
  try {
    if ((await ledger.claimNode(`node${nodeNumber}`, store)).ours) return;
  } finally {
    await ledger.close();
  }
  throw new CommandProblem(
    `another relay fills that database under node_number ${nodeNumber}: name a database of its own (--database)`,
  );
}

function tell(call: Call, moved: Moved, { url, database }: Server): void {
  if (call.json) {
    call.terminal.out(jsonLine({ ...moved, set: { 'ledger.url': url, 'ledger.database': database } }));
    return;
  }
  const tables = moved.compared.map(({ table, rows }) => `${table} (${rows})`).join(', ');
  const andDatabase = database === 'waybill' ? '' : ` and ledger.database to ${database}`;
  call.terminal.out(
    `${moved.events} events are on the server, ${moved.carried} of them carried now; rows that are the same there: ${tables}\n` +
      `set ledger.url (WAYBILL_LEDGER_URL) to that address${andDatabase}, and start Waybill; ` +
      'the folder "ledger" of the data directory may be removed then\n',
  );
}

function serverOf(call: Call): Server {
  const url = parsed('--to', () => httpUrl.parse(call.text('to') ?? ''));
  const database = parsed('--database', () => databaseName.parse(call.text('database') ?? 'waybill'));
  return { url, database };
}

function parsed<T>(option: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof OptionProblem) throw usageProblem(`${option}: ${error.message}`);
    throw error;
  }
}
