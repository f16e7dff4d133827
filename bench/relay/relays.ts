/** The relays that `bench/relay.ts` measures: how each is started, on loopback, with its mail going to one sink. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface RunningRelay {
  address: string;
  /** Of the process that all others are below. */
  pid: number;
  /** The process that has the queue and speaks SMTP; null where that is many. */
  relayPid: number | null;
  stop(): Promise<void>;
}

/** `waybill-dkim` signs with keys of both algorithms, `waybill-dkim-rsa` with an RSA-2048 key alone. */
const waybills: Readonly<Record<string, readonly string[]>> = {
  waybill: [],
  'waybill-dkim-rsa': ['dkim', 'create', 'example.test', '--algorithm', 'rsa'],
  'waybill-dkim': ['dkim', 'create', 'example.test'],
};
const postfixes = ['postfix-default', 'postfix-tuned', 'postfix-dkim'];

export const relayNames: readonly string[] = [...Object.keys(waybills), ...postfixes];

export async function startRelay(name: string, sinkPort: number, scripts: string): Promise<RunningRelay> {
  const dkim = waybills[name];
  return dkim ? startWaybill(dkim, sinkPort) : startPostfix(name.replace('postfix-', ''), sinkPort, scripts);
}

async function startWaybill(dkim: readonly string[], sinkPort: number): Promise<RunningRelay> {
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
  const child = spawn(process.execPath, [program, 'serve', '--json-ready'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { smtp } = JSON.parse(String(line)) as { smtp: string };
  if (dkim.length > 0) {
    await run(process.execPath, [program, ...dkim], { env });
    await run(process.execPath, [program, 'dkim', 'rotate', 'example.test'], { env });
  }
  const pid = child.pid ?? 0;
  return {
    ...{ address: smtp, pid, relayPid: childOf(pid, 'app-relay') },
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
      rmSync(dataDir, { recursive: true });
    },
  };
}

/** In a folder of its own, so that nothing is shared with another one that runs here. */
async function startPostfix(variant: string, sinkPort: number, scripts: string): Promise<RunningRelay> {
  const folder = mkdtempSync(join(tmpdir(), 'postfix-bench-'));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const env = {
    ...process.env,
    PEER_DIR: folder,
    RELAY_PORT: String(port),
    SINK_PORT: String(sinkPort),
    MILTER_PORT: String(await freePort()),
  };
  const script = (...words: string[]) => run('bash', [join(scripts, 'peer_postfix.sh'), ...words], { env });
  const { stdout } = await script('start', variant);
  return {
    address: `127.0.0.1:${port}`,
    pid: (JSON.parse(stdout) as { pid: number }).pid,
    relayPid: null,
    async stop() {
      await script('stop', variant);
      rmSync(folder, { recursive: true });
    },
  };
}

function childOf(pid: number, word: string): number | null {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  return children.find((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes(word)) ?? null;
}

/** From now on the peak is counted anew. */
export function forgetPeakRss(pid: number): void {
  if (existsSync(`/proc/${pid}/clear_refs`)) writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

export function peakRssMb(pid: number): number {
  const match = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0) / 1024;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
