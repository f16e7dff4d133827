/**
 * Throughput of Waybill beside Postfix: same load, same sink, in turn, rounds alternating; prints one JSON object.
 *
 *   npm run bench:relay -- [--sizes 4096,65536] [--sessions 1,20] [--connections kept,new] [--messages 2000]
 *                          [--rounds 3] [--relays waybill,postfix-tuned] [--peer-scripts DIR]
 *
 * Loopback only. Needs smtp-source, smtp-sink and (for its column) Postfix, and the peers' load scripts.
 * Every mail is synced before its 250; the ledger runs and takes every event.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: '4096' },
    sessions: { type: 'string', default: '1,20' },
    connections: { type: 'string', default: 'kept' },
    messages: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '3' },
    relays: { type: 'string', default: 'waybill,postfix-tuned' },
    'peer-scripts': { type: 'string', default: join(root, '../shared/bench') },
    'warm-up': { type: 'string', default: '2000' },
  },
});

const scripts = options['peer-scripts'];
const sinkPort = 13_526;
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
}

interface RunningRelay {
  name: string;
  address: string;
  pid: number;
  stop(): Promise<void>;
}

/** `waybill-dkim` signs with keys of both algorithms, `waybill-dkim-rsa` with an RSA-2048 key alone. */
const dkimWords: Readonly<Record<string, string[]>> = {
  waybill: [],
  'waybill-dkim': ['dkim', 'create', 'example.test'],
  'waybill-dkim-rsa': ['dkim', 'create', 'example.test', '--algorithm', 'rsa'],
};

async function startWaybill(name: string, dkim: readonly string[]): Promise<RunningRelay> {
  const dataDir = mkdtempSync(join(tmpdir(), 'waybill-bench-'));
  const env = {
    ...process.env,
    WAYBILL_DATA_DIR: dataDir,
    WAYBILL_SMTP_LISTEN: '127.0.0.1:0',
    WAYBILL_HTTP_LISTEN: '127.0.0.1:0',
    WAYBILL_SMTP_TRUSTED: '127.0.0.0/8=default',
    WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sinkPort}?tls=none`,
    WAYBILL_LOG_LEVEL: 'error',
  };
  const child = spawn(process.execPath, [join(root, 'src/main.ts'), 'serve', '--json-ready'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { smtp } = JSON.parse(String(line)) as { smtp: string };
  if (dkim.length > 0) {
    const program = join(root, 'src/main.ts');
    await run(process.execPath, [program, ...dkim], { env });
    await run(process.execPath, [program, 'dkim', 'rotate', 'example.test'], { env });
  }
  return {
    name,
    address: smtp,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
      rmSync(dataDir, { recursive: true });
    },
  };
}

async function startPostfix(variant: string): Promise<RunningRelay> {
  const env = { ...process.env, RELAY_PORT: '13525', SINK_PORT: String(sinkPort) };
  const script = join(scripts, 'peer_postfix.sh');
  await run('bash', [script, 'start', variant], { env });
  const { stdout } = await run('bash', [script, 'status', variant], { env });
  return {
    name: `postfix-${variant}`,
    address: '127.0.0.1:13525',
    pid: Number(stdout.trim().split(' ')[1]),
    stop: async () => {
      await run('bash', [script, 'stop', variant], { env });
    },
  };
}

function startRelay(name: string): Promise<RunningRelay> {
  const variant = /^postfix-(default|tuned|dkim)$/.exec(name)?.[1];
  if (variant) return startPostfix(variant);
  const dkim = dkimWords[name];
  if (dkim) return startWaybill(name, dkim);
  throw new Error(
    `unknown relay "${name}": ${Object.keys(dkimWords).join(', ')}, postfix-default, postfix-tuned or postfix-dkim`,
  );
}

async function load(relay: RunningRelay, cell: Cell, messages: number): Promise<Measured> {
  const { sizeBytes, sessions, persistent } = cell;
  const args = [
    relay.address,
    String(sinkPort),
    '-n',
    messages,
    '-c',
    sessions,
    '-l',
    sizeBytes,
    '-p',
    relay.pid,
  ].map(String);
  const script = [
    join(scripts, 'peer_relay.sh'),
    ...args,
    '-t',
    String(limitSeconds),
    ...(persistent ? [] : ['-r']),
  ];
  const { stdout } = await run('bash', script);
  const result = JSON.parse(stdout) as Record<string, number>;
  return {
    acceptedPerSecond: result['accepted_per_s'] ?? 0,
    relayedPerSecond: result['relayed_per_s'] ?? 0,
    cpuMsPerMail: result['relay_cpu_ms_per_msg'] ?? 0,
    peakRssMb: result['peak_rss_mb'] ?? 0,
  };
}

function median(numbers: number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

const list = (text: string) => text.split(',').map((part) => part.trim());

function cells(): Cell[] {
  return list(options.sizes).flatMap((size) =>
    list(options.sessions).flatMap((sessions) =>
      list(options.connections).map((connections) => ({
        sizeBytes: Number(size),
        sessions: Number(sessions),
        persistent: connections === 'kept',
      })),
    ),
  );
}

/** One relay at a time runs; each round starts it anew and warms it up, so that neither profits from its order. */
async function measure(): Promise<Map<string, Measured[]>> {
  const measured = new Map<string, Measured[]>();
  for (let round = 1; round <= Number(options.rounds); round += 1) {
    for (const name of list(options.relays)) {
      const relay = await startRelay(name);
      try {
        await load(relay, { sizeBytes: 4096, sessions: 20, persistent: true }, Number(options['warm-up']));
        for (const cell of cells()) {
          process.stderr.write(`round ${round}: ${name} ${JSON.stringify(cell)}\n`);
          const key = JSON.stringify({ relay: name, ...cell });
          measured.set(key, [
            ...(measured.get(key) ?? []),
            await load(relay, cell, Number(options.messages)),
          ]);
        }
      } finally {
        await relay.stop();
      }
    }
  }
  return measured;
}

function medians(rounds: readonly Measured[]): Measured {
  const of = (pick: (one: Measured) => number) => Math.round(median(rounds.map(pick)) * 100) / 100;
  return {
    acceptedPerSecond: of((one) => one.acceptedPerSecond),
    relayedPerSecond: of((one) => one.relayedPerSecond),
    cpuMsPerMail: of((one) => one.cpuMsPerMail),
    peakRssMb: of((one) => one.peakRssMb),
  };
}

type Run = { relay: string } & Cell & Measured;

/** Waybill's relayed mails per second over each peer's, cell by cell. */
function ratios(runs: readonly Run[]) {
  const same = (a: Cell, b: Cell) =>
    a.sizeBytes === b.sizeBytes && a.sessions === b.sessions && a.persistent === b.persistent;
  return runs
    .filter((one) => one.relay !== 'waybill')
    .flatMap((peer) => {
      const ours = runs.find((one) => one.relay === 'waybill' && same(one, peer));
      if (!ours || peer.relayedPerSecond === 0) return [];
      const { relay, sizeBytes, sessions, persistent } = peer;
      const relayed = Math.round((ours.relayedPerSecond / peer.relayedPerSecond) * 100) / 100;
      return [{ over: relay, sizeBytes, sessions, persistent, relayed }];
    });
}

async function versions(): Promise<Record<string, string>> {
  const postfix = await run('postconf', ['-h', 'mail_version']).catch(() => ({ stdout: 'missing' }));
  const { version } = JSON.parse((await run('cat', [join(root, 'package.json')])).stdout) as {
    version: string;
  };
  return { waybill: version, node: process.version, postfix: postfix.stdout.trim() };
}

if (!existsSync(join(scripts, 'peer_relay.sh'))) {
  process.stderr.write(`the load scripts are not in ${scripts}; say where with --peer-scripts\n`);
  process.exit(2);
}
const measured = await measure();
const runs = [...measured].map(([key, rounds]) => ({
  ...(JSON.parse(key) as { relay: string } & Cell),
  ...medians(rounds),
}));
const machine = {
  cores: cpus().length,
  cpu: cpus()[0]?.model ?? '',
  memoryGb: Math.round(totalmem() / 2 ** 30),
};
const rounds = Number(options.rounds);
process.stdout.write(
  `${JSON.stringify({ machine, versions: await versions(), rounds, runs, ratios: ratios(runs) })}\n`,
);
