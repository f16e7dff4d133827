/**
 * A whole Waybill as a user runs it: `serve` in processes of its own, on free ports, in a new data directory; the
 * command line beside it. Everything is ended and removed when the test ends.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface Address {
  host: string;
  port: number;
}

export interface Ready {
  addresses: { smtp: Address[]; http: Address };
  pids: { supervisor: number; relay: number; office: number };
  /** Of the first start on a data directory. */
  firstStart?: TenantCredentials & { operator: { username: string; password: string } };
}

export interface TenantCredentials {
  tenant: { id: number; name: string };
  domain: string;
  smtp: { username: string; password: string };
  mailgun: { apiKey: string };
  mailbaby: { apiKey: string; orderId: string };
  kaleyra: { sid: string; apiKey: string };
  submail: { appid: string; appkey: string };
}

export interface Waybill {
  dataDir: string;
  smtp: Address;
  http: string;
  ready: Ready;
  /** Standard error so far. */
  log(): string;
  cli(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  createTenant(name: string, domain: string): Promise<TenantCredentials>;
  /** Process ids of the children as they are now. */
  childPids(): Promise<{ relay: number; office: number }>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number>;
  /** Ends the supervisor and both children with SIGKILL. */
  killAll(): Promise<void>;
  /** Starts again on the same data directory and ports. */
  restart(environment?: Record<string, string>): Promise<void>;
}

export interface StartOptions {
  environment?: Record<string, string>;
}

const startTimeoutMs = 120_000;

export async function startWaybill(
  t: Pick<TestContext, 'after'>,
  { environment = {} }: StartOptions = {},
): Promise<Waybill> {
  const dataDir = mkdtempSync(join(tmpdir(), 'waybill-'));
  const base: Record<string, string> = {
    WAYBILL_DATA_DIR: dataDir,
    WAYBILL_SMTP_LISTEN: '127.0.0.1:0',
    WAYBILL_HTTP_LISTEN: '127.0.0.1:0',
    WAYBILL_HOSTNAME: 'relay.example.net',
    WAYBILL_LOG_LEVEL: 'warn',
    WAYBILL_LOG_FORMAT: 'json',
    ...environment,
  };
  let server = await start(base);
  t.after(async () => {
    await end(server);
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });
  const cli: Waybill['cli'] = (...args) => run(args, base);
  const waybill: Waybill = {
    dataDir,
    get smtp() {
      return firstOf(server.ready);
    },
    get http() {
      const { host, port } = server.ready.addresses.http;
      return `http://${host}:${port}`;
    },
    get ready() {
      return server.ready;
    },
    log: () => server.stderr.join(''),
    cli,
    async createTenant(name, domain) {
      const { code, stdout, stderr } = await cli('tenant', 'create', name, '--domain', domain, '--json');
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout) as TenantCredentials;
    },
    childPids: () => childPidsOf(server.child),
    async stop() {
      server.child.kill('SIGTERM');
      return exitCode(server.child);
    },
    async killAll() {
      const { relay, office } = await childPidsOf(server.child);
      // 0 would mean the group of this process: a child that is just being started again has no id yet.
      for (const pid of [server.child.pid ?? 0, relay, office].filter((id) => id > 0))
        process.kill(pid, 'SIGKILL');
      await exitCode(server.child);
    },
    async restart(more = {}) {
      await end(server);
      const { smtp, http } = server.ready.addresses;
      const ports = {
        WAYBILL_SMTP_LISTEN: smtp.map(({ host, port }) => `${host}:${port}`).join(','),
        WAYBILL_HTTP_LISTEN: `${http.host}:${http.port}`,
      };
      server = await start({ ...base, ...ports, ...more });
    },
  };
  return waybill;
}

interface Started {
  child: ChildProcess;
  ready: Ready;
  stderr: string[];
}

/** A test file that is ended as hanging must not leave its servers to the machine; their children follow them. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

async function start(environment: Record<string, string>): Promise<Started> {
  const child = spawn(process.execPath, [program, 'serve', '--json-ready'], {
    env: { ...withoutOurs(process.env), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const stderr: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk.toString()));
  assert.ok(child.stdout);
  const lines = createInterface({ input: child.stdout });
  const timer = setTimeout(() => child.kill('SIGKILL'), startTimeoutMs);
  const line = await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => null)]);
  clearTimeout(timer);
  if (line === null) throw new Error(`Waybill did not start: ${stderr.join('')}`);
  return { child, ready: JSON.parse(String(line[0])) as Ready, stderr };
}

async function end({ child }: Started): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), startTimeoutMs);
  await exitCode(child);
  clearTimeout(timer);
}

async function exitCode(child: ChildProcess): Promise<number> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode ?? 128;
}

function firstOf(ready: Ready): Address {
  const [address] = ready.addresses.smtp;
  assert.ok(address);
  return address;
}

/** Read from the kernel: the ready line tells of the first children only. */
async function childPidsOf(child: ChildProcess): Promise<{ relay: number; office: number }> {
  const path = `/proc/${child.pid}/task/${child.pid}/children`;
  const pids = readFileSync(path, 'utf8').trim().split(/\s+/).map(Number);
  const find = (name: string) => pids.find((pid) => commandLineOf(pid).includes(`app-${name}.ts`)) ?? 0;
  return { relay: find('relay'), office: find('office') };
}

/** Nothing of a process that has ended since it was listed. */
function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function run(args: string[], environment: Record<string, string>): ReturnType<Waybill['cli']> {
  return new Promise((resolve) => {
    const options = { env: { ...withoutOurs(process.env), ...environment }, maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, [program, ...args], options, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
    });
  });
}

function withoutOurs(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('WAYBILL_')));
}
