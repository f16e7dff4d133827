import { open } from 'node:fs/promises';
import { systemClock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import {
  followLog,
  type ImportDeps,
  importLogs,
  isZone,
  type LogFile,
  type Owner,
  openLogFile,
  type Progress,
  type Summary,
  standardInput,
  zoneHere,
} from '../../imports/imports.ts';
import type { LogFormat } from '../../imports/record.ts';
import { readRunFile } from '../../run-file.ts';
import type { Tenant, Tenants } from '../../tenants/tenants.ts';
import { type Call, type Command, CommandProblem, exitCodes, usageProblem } from '../command.ts';
import { withDryRun } from '../dry-run.ts';
import { importFormats } from '../import-formats.ts';
import { type Installation, tenantNamed, withInstallation } from '../installation.ts';
import { createProgressLine } from '../progress-line.ts';
import { jsonLine } from '../table.ts';

const names = () => importFormats.map(({ name }) => name).join(', ');

export const importCommand: Command = {
  name: 'import',
  summary: "Read other systems' logs into the ledger",
  description:
    'Every API, "waybill log" and the statistics then tell of that mail as of any other. What was imported before is ' +
    'known again, whatever file it stands in: an import can be broken off, repeated and overlap with others. Several ' +
    'files are read oldest first. Files may be compressed with gzip. The server may run meanwhile; without one the ' +
    'events wait in the store for its next start.',
  operands: {
    text: 'FORMAT FILE...',
    meaning: 'One of the formats below, and the log files; `-` reads standard input.',
    min: 1,
    max: limits.commandOperands,
  },
  options: {
    tenant: { value: 'NAME', meaning: 'Whose mail it was.', required: true },
    zone: {
      value: 'ZONE',
      meaning:
        'Time zone of times that name none, such as `Europe/Berlin`; that of this machine if not given.',
    },
    year: {
      value: 'YYYY',
      meaning:
        'Year of the first line, where times have none. If not given, no line is newer than its file, and none older than a year before.',
    },
    follow: { meaning: 'Go on reading as the file grows, also through its rotation, until Ctrl-C.' },
    'dry-run': { meaning: 'Count only, and change nothing.' },
  },
  output:
    '{"lines","mails","deliveries","delivered","deferred","failed","expired","unparsed","ignored","rejected",' +
    '"suppressed","canceled","held","queued","deferrals","newEvents","complete"}: sums of all that the files hold, also of what an earlier ' +
    'import has read of them; "newEvents" is what this one added, "complete" false if it was interrupted',
  examples: [
    'waybill import postfix /var/log/mail.log* --tenant acme',
    'waybill import postfix --follow /var/log/mail.log --tenant acme',
    'waybill import exim mainlog.gz --tenant acme --zone Europe/Berlin --dry-run --json',
  ],
  epilogue: () => `Formats: ${names()}\n`,
  async run(call) {
    const [name = '', ...paths] = call.operands;
    const format = formatNamed(name);
    if (paths.length === 0) throw usageProblem('waybill import needs FORMAT FILE...: no file was named');
    if (call.flag('follow')) checkFollow(call, format, paths);
    const [zone, year] = [zoneOf(call), yearOf(call)];
    return withInstallation(call, { create: false }, async (installation) => {
      const owner = ownerOf(
        installation.tenants,
        tenantNamed(installation.tenants, call.text('tenant') ?? ''),
      );
      const question = { call, format, paths, zone, year, owner };
      const summary = call.flag('dry-run')
        ? await withDryRun((dry) => run(question, { ...installation, ...dry }))
        : await run(question, installation);
      call.terminal.out(call.json ? jsonLine(summary) : inWords(summary));
      if (summary.newEvents > 0 && !call.flag('dry-run')) tellOfServer(call, installation);
      return summary.complete ? exitCodes.ok : exitCodes.failed;
    });
  },
};

function formatNamed(name: string): LogFormat {
  const format = importFormats.find((known) => known.name === name.toLowerCase());
  if (format !== undefined) return format;
  throw usageProblem(`"${name.slice(0, limits.echoedChars)}" is no format of logs; known are ${names()}`);
}

function checkFollow(call: Call, { name, cut }: LogFormat, paths: readonly string[]): void {
  if (cut !== 'lines') throw usageProblem(`--follow: ${name} is no log that grows line by line`);
  if (paths.length > 1 || paths[0] === '-') throw usageProblem('--follow needs one file, by its name');
  if (call.flag('dry-run')) throw usageProblem('--follow and --dry-run do not go together');
}

function zoneOf(call: Call): string {
  const zone = call.text('zone') ?? zoneHere();
  if (!isZone(zone))
    throw usageProblem(`--zone: "${zone.slice(0, 60)}" is no time zone, such as Europe/Berlin or UTC`);
  return zone;
}

function yearOf(call: Call): number | null {
  const text = call.text('year');
  if (text === undefined) return null;
  if (!/^(?:19[7-9]\d|20\d\d)$/.test(text)) throw usageProblem('--year: expected a year from 1970 to 2099');
  return Number(text);
}

function ownerOf(tenants: Tenants, tenant: Tenant): Owner {
  const [stream] = tenants.streams(tenant.id);
  if (stream === undefined) throw new Error(`tenant ${tenant.name} has no stream`);
  const verified = tenants.sendingDomains(tenant.id).filter(({ verifiedAt }) => verifiedAt !== null);
  const domains = new Set(verified.map(({ domain }) => domain));
  return { tenantId: tenant.id, streamId: stream.id, domains };
}

interface Question {
  call: Call;
  format: LogFormat;
  paths: readonly string[];
  zone: string;
  year: number | null;
  owner: Owner;
}

async function run(question: Question, installation: Installation): Promise<Summary> {
  const { call, format, paths, zone, year, owner } = question;
  const { store, queue, clock, config } = installation;
  const line = createProgressLine(call.terminal, clock);
  const deps: ImportDeps = {
    ...{ store, queue, clock, owner, format, zone, year },
    isCarried: () => readRunFile(config.dataDir) !== null,
    signal: call.terminal.interrupted(),
    tell: (progress) => line.show(progressText(progress)),
  };
  try {
    if (call.flag('follow')) {
      await checkReadable(paths[0] ?? '');
      return await followLog(deps, paths[0] ?? '');
    }
    const files: LogFile[] = [];
    for (const path of paths) files.push(await openOrProblem(path));
    return await importLogs(deps, files);
  } catch (error) {
    throw asProblem(error, paths);
  } finally {
    line.clear();
  }
}

async function openOrProblem(path: string): Promise<LogFile> {
  if (path === '-') return standardInput(systemClock.now());
  try {
    return await openLogFile(path);
  } catch (error) {
    throw asProblem(error, [path]);
  }
}

async function checkReadable(path: string): Promise<void> {
  await (await open(path)).close();
}

const causes: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission is denied',
  Z_DATA_ERROR: 'its compressed data is damaged; what stands before that is imported',
  Z_BUF_ERROR: 'its compressed data ends too early; what stands before that is imported',
};

/** What a file is to blame for; anything else is a fault. */
function asProblem(error: unknown, paths: readonly string[]): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const cause = causes[String(error.code)];
  if (cause === undefined) return error;
  const name = 'path' in error ? String(error.path) : paths.join(', ');
  return new CommandProblem(`${name} cannot be read: ${cause}`);
}

function progressText({ file, lines, bytes, totalBytes, share }: Progress): string {
  const part = totalBytes > 0 ? `${Math.min(100, Math.floor((bytes / totalBytes) * 100))} %` : '';
  return `${file} ${part}  ${lines} lines, ${share.mails} mails, ${share.deliveries} deliveries`;
}

const headings: readonly (readonly [string, string])[] = [
  ['lines', 'read'],
  ['mails', 'taken by the system'],
  ['deliveries', 'pairs of a mail and a forward-path'],
  ['delivered', ''],
  ['deferred', 'and nothing more was told'],
  ['failed', ''],
  ['expired', ''],
  ['suppressed', ''],
  ['canceled', ''],
  ['held', ''],
  ['queued', ''],
  ['rejected', 'refused before they were taken'],
  ['deferrals', 'attempts that were to be repeated'],
  ['ignored', 'lines that tell nothing of a mail'],
  ['unparsed', 'lines that could not be understood'],
  ['newEvents', 'added by this import'],
];

function inWords(summary: Summary): string {
  const always = [
    'lines',
    'mails',
    'deliveries',
    'delivered',
    'deferred',
    'failed',
    'expired',
    'unparsed',
    'newEvents',
  ];
  const shown = headings.filter(([name]) => always.includes(name) || summary[name] !== 0);
  const width = Math.max(...shown.map(([name]) => String(summary[name]).length));
  const rows = shown.map(([name, meaning]) => {
    const label = name === 'newEvents' ? 'events' : name;
    return `${String(summary[name]).padStart(width)}  ${label}${meaning === '' ? '' : ` (${meaning})`}\n`;
  });
  return rows.join('') + (summary.complete ? '' : 'interrupted; the same command goes on from here\n');
}

function tellOfServer(call: Call, { config }: Installation): void {
  if (readRunFile(config.dataDir) !== null) return;
  call.terminal.err('waybill: no server runs; the events come into the ledger when it starts\n');
}
