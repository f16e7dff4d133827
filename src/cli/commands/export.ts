import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { systemClock } from '../../base/clock.ts';
import { eventTypes } from '../../events/event.ts';
import { shownBytes } from '../backup.ts';
import { type Call, type Command, CommandProblem, exitCodes, usageProblem } from '../command.ts';
import { createRowCounter } from '../export-rows.ts';
import { configOrProblem } from '../installation.ts';
import { type Parameters, runningServer, streamBytes } from '../running-server.ts';
import { jsonLine } from '../table.ts';
import { addressOf, idOf, momentOf, statesOf } from '../values.ts';

const formats = ['ndjson', 'csv', 'parquet'] as const;
type Format = (typeof formats)[number];

export const exportCommand: Command = {
  name: 'export',
  summary: 'Write every row of the log that matches into a file: NDJSON, CSV or Parquet',
  description:
    'Asks the running server, and takes the same filters as `waybill log`. NDJSON and CSV come in order of time, ' +
    'Parquet in the order of storage. A file that did not arrive whole is removed, and the exit code is 1. How many ' +
    'rows there were is told on standard error.',
  operands: {
    text: 'ROWS',
    meaning: '`events`: what happened; `deliveries`: the last known state of each forward-path.',
    min: 1,
    max: 1,
  },
  options: {
    format: { value: 'FORMAT', meaning: '`ndjson` (if not given), `csv` or `parquet`.' },
    output: { value: 'FILE', meaning: 'Where to write; without it to standard output.' },
    id: { value: 'ID', meaning: 'Only this mail (`relayid`) or delivery (`relayid:n`).' },
    to: { value: 'ADDRESS', meaning: 'Only this forward-path, without regard to case.' },
    from: {
      value: 'ADDRESS',
      meaning: 'Only mail with this address in its From field, without regard to case.',
    },
    status: {
      value: 'STATE',
      meaning: 'Only this state; several are separated by commas.',
      repeatable: true,
    },
    type: {
      value: 'TYPE',
      meaning: 'Only events of this type; several are separated by commas.',
      repeatable: true,
    },
    since: { value: 'TIME', meaning: 'Accepted, or happened, since then; forms as in `waybill log`.' },
    until: { value: 'TIME', meaning: 'Before that time.' },
    tenant: { value: 'NAME', meaning: 'Only mail of this tenant.' },
  },
  output: 'with --output {"rows":count or null for Parquet,"bytes","file"}; else the file itself',
  examples: [
    'waybill export deliveries --status failed --since 7d --format csv --output failed.csv',
    'waybill export events --tenant acme --format parquet --output acme.parquet',
    'waybill export events --since 2026-11-01 --until 2026-12-01 | zstd > november.ndjson.zst',
  ],
  run: exportRows,
};

async function exportRows(call: Call): Promise<number> {
  const format = formatOf(call);
  const file = call.text('output');
  const parameters = parametersOf(call, format);
  const run = runningServer(configOrProblem(call));
  const counter = createRowCounter(format);
  const target = file === undefined ? standardOutput() : fileAside(file);
  try {
    for await (const piece of streamBytes(run, '/api/v1/export', parameters)) {
      counter.take(piece);
      await target.write(piece);
    }
    if (!counter.whole()) throw new CommandProblem('the file ends too early; try again');
  } catch (error) {
    target.discard();
    throw error;
  }
  target.keep();
  const { rows, bytes } = counter.counts();
  if (call.json && file !== undefined) call.terminal.out(jsonLine({ rows, bytes, file }));
  else call.terminal.err(`${rows === null ? '' : `${rows} rows, `}${shownBytes(bytes)}\n`);
  return exitCodes.ok;
}

function formatOf(call: Call): Format {
  const text = call.text('format') ?? 'ndjson';
  const format = formats.find((known) => known === text.toLowerCase());
  if (format === undefined) throw usageProblem(`--format: expected ${formats.join(', ')}, not "${text}"`);
  if (format === 'parquet' && call.text('output') === undefined && process.stdout.isTTY)
    throw usageProblem('Parquet is nothing for a terminal: name a file with --output');
  return format;
}

function parametersOf(call: Call, format: Format): Parameters {
  const now = systemClock.now();
  const [rows = ''] = call.operands;
  if (rows !== 'events' && rows !== 'deliveries')
    throw usageProblem(`export events or deliveries, not "${rows}"`);
  const types = call.texts('type').flatMap((text) => text.split(',').map((word) => word.trim()));
  const unknown = types.find((type) => !eventTypes.some((known) => known === type));
  if (unknown !== undefined)
    throw usageProblem(`--type: "${unknown}" is none; known are ${eventTypes.join(', ')}`);
  const id = call.text('id');
  if (id !== undefined) idOf(id);
  const addresses = (['to', 'from'] as const).map((option): [string, string | undefined] => {
    const text = call.text(option);
    return [option, text === undefined ? undefined : addressOf(option, text).address];
  });
  return [
    ['rows', rows],
    ['format', format],
    ['id', id],
    ...addresses,
    ...(statesOf(call, 'status') ?? []).map((state): [string, string] => ['status', state]),
    ...types.map((type): [string, string] => ['type', type]),
    ['since', momentOf(call, 'since', now)],
    ['until', momentOf(call, 'until', now)],
    ['tenant', call.text('tenant')?.toLowerCase()],
  ];
}

interface Target {
  write(piece: Uint8Array): Promise<void> | void;
  keep(): void;
  discard(): void;
}

/** What arrives stands beside the file until it is whole. */
function fileAside(path: string): Target {
  const aside = `${path}.part`;
  const file = openSync(aside, 'w', 0o600);
  return {
    write: (piece) => {
      for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
    },
    keep: () => {
      closeSync(file);
      renameSync(aside, path);
    },
    discard: () => {
      closeSync(file);
      rmSync(aside, { force: true });
    },
  };
}

function standardOutput(): Target {
  return {
    write: (piece) => new Promise((resolve) => void process.stdout.write(piece, () => resolve())),
    keep: () => {},
    discard: () => {},
  };
}
