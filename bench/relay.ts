/**
 * Throughput of Waybill beside Postfix: same load, same sink, in turn, rounds alternating.
 *
 *   npm run bench:relay -- [--full] [--sizes 4096,65536] [--sessions 1,20] [--connections kept,new] [--messages 1000]
 *                          [--rounds 3] [--relays waybill,postfix-tuned] [--warm-up 2000] [--peer-scripts DIR]
 *
 * `--full`: all sizes, 1, 20 and 100 sessions, kept and new connections, and Waybill with an RSA-2048 key; about half an
 * hour. What else is given counts more. Progress goes to standard error; standard output gets one JSON object:
 *
 *   runs    the medians of the rounds. `peakRssMb` and `cpuMsPerMail` are those of all processes of the relay,
 *           `relayPeakRssMb` is that of the one process of Waybill that has the queue.
 *   ratios  mails relayed per second: Waybill's over each peer's, and those with signatures over those without.
 *
 * Loopback only. Needs smtp-source, smtp-sink and (for its column) Postfix, the peers' scripts, and Linux.
 * Every mail is synced before its 250; the ledger runs and takes every event.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import {
  forgetPeakRss,
  freePort,
  peakRssMb,
  type RunningRelay,
  relayNames,
  startRelay,
} from './relay/relays.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

const matrices = {
  moderate: { sessions: '1,20', messages: '1000', relays: 'waybill,postfix-tuned' },
  full: { sessions: '1,20,100', messages: '3000', relays: 'waybill,postfix-tuned,waybill-dkim-rsa' },
};

const { values: given } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    sizes: { type: 'string', default: '4096,65536,102400' },
    sessions: { type: 'string' },
    connections: { type: 'string', default: 'kept,new' },
    messages: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    relays: { type: 'string' },
    'peer-scripts': { type: 'string', default: join(root, '../shared/bench') },
    'warm-up': { type: 'string', default: '2000' },
  },
});
const options = { ...(given.full ? matrices.full : matrices.moderate), ...given };

const scripts = options['peer-scripts'];
const limitSeconds = 180;

interface Cell {
  sizeBytes: number;
  sessions: number;
  persistent: boolean;
}

interface Measured {
  acceptedPerSecond: number;
  relayedPerSecond: number;
  cpuMsPerMail: number;
  peakRssMb: number;
  /** Null for a peer. */
  relayPeakRssMb: number | null;
}

type Run = { relay: string } & Cell & Measured;

function wrongUse(problem: string): never {
  process.stderr.write(`${problem}\n`);
  process.exit(2);
}

const list = (text: string) => text.split(',').map((part) => part.trim());

function numbers(text: string, name: string): number[] {
  return list(text).map((part) => {
    if (!/^[1-9]\d*$/.test(part)) wrongUse(`--${name}: "${part}" is no whole number above 0`);
    return Number(part);
  });
}

function cells(): Cell[] {
  const wrong = list(options.connections).find((word) => word !== 'kept' && word !== 'new');
  if (wrong !== undefined) wrongUse(`--connections: "${wrong}" is neither kept nor new`);
  return numbers(options.sizes, 'sizes').flatMap((sizeBytes) =>
    numbers(options.sessions, 'sessions').flatMap((sessions) =>
      list(options.connections).map((word) => ({ sizeBytes, sessions, persistent: word === 'kept' })),
    ),
  );
}

async function load(
  relay: RunningRelay,
  { sizeBytes, sessions, persistent }: Cell,
  { messages, sinkPort }: { messages: number; sinkPort: number },
): Promise<Measured> {
  const count = ['-n', messages, '-c', sessions, '-l', sizeBytes, '-t', limitSeconds].map(String);
  const words = [relay.address, String(sinkPort), ...count, '-p', String(relay.pid)];
  if (relay.relayPid !== null) forgetPeakRss(relay.relayPid);
  const { stdout } = await run('bash', [
    join(scripts, 'peer_relay.sh'),
    ...words,
    ...(persistent ? [] : ['-r']),
  ]);
  const result = JSON.parse(stdout) as Record<string, number>;
  return {
    acceptedPerSecond: result['accepted_per_s'] ?? 0,
    relayedPerSecond: result['relayed_per_s'] ?? 0,
    cpuMsPerMail: result['relay_cpu_ms_per_msg'] ?? 0,
    peakRssMb: result['peak_rss_mb'] ?? 0,
    relayPeakRssMb: relay.relayPid === null ? null : peakRssMb(relay.relayPid),
  };
}

let running: RunningRelay | null = null;

/** Nothing is left behind when somebody has seen enough. */
async function interrupted(): Promise<never> {
  await running?.stop();
  process.exit(130);
}

/** One relay at a time runs; each round starts it anew and warms it up, so that neither profits from its order. */
async function measure(matrix: readonly Cell[]): Promise<Map<string, Measured[]>> {
  const measured = new Map<string, Measured[]>();
  const [messages = 0] = numbers(options.messages, 'messages');
  const [warmUp = 0] = numbers(options['warm-up'], 'warm-up');
  const [rounds = 0] = numbers(options.rounds, 'rounds');
  const sinkPort = await freePort();
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of list(options.relays)) {
      const relay = await startRelay(name, sinkPort, scripts);
      running = relay;
      try {
        const warm = { sizeBytes: 4096, sessions: 20, persistent: true };
        await load(relay, warm, { messages: warmUp, sinkPort });
        for (const cell of matrix) {
          process.stderr.write(`round ${round}: ${name} ${JSON.stringify(cell)}\n`);
          const key = JSON.stringify({ relay: name, ...cell });
          const before = measured.get(key) ?? [];
          measured.set(key, [...before, await load(relay, cell, { messages, sinkPort })]);
        }
      } finally {
        running = null;
        await relay.stop();
      }
    }
  }
  return measured;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

const rounded = (value: number) => Math.round(value * 100) / 100;

function medians(rounds: readonly Measured[]): Measured {
  const of = (pick: (one: Measured) => number) => rounded(median(rounds.map(pick)));
  const isPeer = rounds.every(({ relayPeakRssMb }) => relayPeakRssMb === null);
  return {
    acceptedPerSecond: of((one) => one.acceptedPerSecond),
    relayedPerSecond: of((one) => one.relayedPerSecond),
    cpuMsPerMail: of((one) => one.cpuMsPerMail),
    peakRssMb: of((one) => one.peakRssMb),
    relayPeakRssMb: isPeer ? null : of((one) => one.relayPeakRssMb ?? 0),
  };
}

function ratios(runs: readonly Run[]) {
  const isPair = (one: Run, other: Run) =>
    one.relay === 'waybill' ? other.relay.startsWith('postfix') : other.relay === 'waybill';
  return runs
    .filter(({ relay }) => relay.startsWith('waybill'))
    .flatMap((one) =>
      runs
        .filter((other) => sameCell(one, other) && isPair(one, other) && other.relayedPerSecond > 0)
        .map((other) => ({
          relay: one.relay,
          over: other.relay,
          sizeBytes: one.sizeBytes,
          sessions: one.sessions,
          persistent: one.persistent,
          relayed: rounded(one.relayedPerSecond / other.relayedPerSecond),
        })),
    );
}

function sameCell(one: Cell, other: Cell): boolean {
  return (
    one.sizeBytes === other.sizeBytes &&
    one.sessions === other.sessions &&
    one.persistent === other.persistent
  );
}

async function versions(): Promise<Record<string, string>> {
  const postfix = await run('postconf', ['-dh', 'mail_version']).catch(() => ({ stdout: 'missing' }));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return { waybill: version, node: process.version, postfix: postfix.stdout.trim() };
}

const unknown = list(options.relays).find((name) => !relayNames.includes(name));
if (unknown !== undefined) wrongUse(`unknown relay "${unknown}"; there are ${relayNames.join(', ')}`);
if (!existsSync(join(scripts, 'peer_relay.sh')))
  wrongUse(`the load scripts are not in ${scripts}; say where with --peer-scripts`);
process.once('SIGINT', () => void interrupted());
process.once('SIGTERM', () => void interrupted());
const measured = await measure(cells());
const runs: Run[] = [...measured].map(([key, rounds]) => ({
  ...(JSON.parse(key) as { relay: string } & Cell),
  ...medians(rounds),
}));
const machine = {
  cores: cpus().length,
  cpu: cpus()[0]?.model ?? '',
  memoryGb: Math.round(totalmem() / 2 ** 30),
};
process.stdout.write(
  `${JSON.stringify({ machine, versions: await versions(), runs, ratios: ratios(runs) })}\n`,
);
