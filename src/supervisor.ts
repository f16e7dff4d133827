/**
 * The supervisor: starts the relay and the office, starts either again when it dies, and stops them in order: the relay
 * first, so that the office can still bring its last events into the ledger.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Clock } from './base/clock.ts';
import { limits } from './base/limits.ts';
import type { Log } from './base/log.ts';
import type { BeginMessage, DrainMessage, ReadyMessage } from './child.ts';
import { type Config, environmentForChild } from './config/config.ts';
import type { ListeningAddress } from './run-file.ts';

export type ChildName = 'relay' | 'office';

export interface Supervisor {
  /** Resolves when both children listen; rejects if one dies before that at the first start. */
  start(): Promise<Record<ChildName, ListeningAddress[]>>;
  /** Drains and ends both. True: both ended by themselves in time. */
  stop(): Promise<boolean>;
  /** Ends both at once. */
  kill(): void;
  pids(): Record<ChildName, number | null>;
}

interface Running {
  process: ChildProcess;
  startedAt: number;
  ended: Promise<void>;
}

const firstRestartMs = 100;
const longestRestartMs = 10_000;
/** A child that lived that long before it died is started again at once. */
const steadyMs = 30_000;
const stopMs = 30_000;

const programs: Record<ChildName, string> = {
  relay: fileURLToPath(new URL('./app-relay.ts', import.meta.url)),
  office: fileURLToPath(new URL('./app-office.ts', import.meta.url)),
};

/** What a child is started with, unless the operator says otherwise. */
const ownEnvironment: Record<ChildName, Record<string, string>> = {
  relay: {},
  office: { UV_THREADPOOL_SIZE: String(limits.officeThreads) },
};

export function createSupervisor(deps: {
  config: Config;
  token: string;
  clock: Clock;
  log: Log;
}): Supervisor {
  const { clock, log } = deps;
  const running = new Map<ChildName, Running>();
  const restartWaits = new Map<ChildName, number>();
  let config = deps.config;
  let stopping = false;

  const spawn = (name: ChildName, first: boolean): Promise<ListeningAddress[]> => {
    const child = fork(programs[name], [], {
      serialization: 'advanced',
      env: { ...ownEnvironment[name], ...environmentForChild({ mayCrash: first }) },
    });
    let wasReady = false;
    const ended = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        running.delete(name);
        resolve();
        // Who dies before it was ready at the first start is not started again: `start` rejects.
        if (!stopping && (wasReady || !first)) onDeath(name, { code, signal });
      });
    });
    // A message to a child that has just died; its end is told by `exit`.
    child.on('error', (fault) => log.warn({ child: name, fault }, 'child process does not listen'));
    running.set(name, { process: child, startedAt: clock.now(), ended });
    child.send({ kind: 'begin', config, token: deps.token } satisfies BeginMessage);
    return new Promise((resolve, reject) => {
      child.on('message', (message: ReadyMessage) => {
        wasReady = true;
        keepPorts(name, message.listening);
        resolve(message.listening);
      });
      if (first) void ended.then(() => reject(new Error(`the ${name} process ended before it was ready`)));
    });
  };

  /** A free port that was chosen once stays: clients know it. */
  const keepPorts = (name: ChildName, listening: ListeningAddress[]) => {
    config = name === 'relay' ? withSmtpPorts(config, listening) : withHttpPort(config, listening);
  };

  const onDeath = (name: ChildName, how: { code: number | null; signal: string | null }) => {
    const waitMs = restartWaits.get(name) ?? firstRestartMs;
    restartWaits.set(name, Math.min(waitMs * 2, longestRestartMs));
    log.error({ child: name, ...how, waitMs }, 'child process died, starting it again');
    void clock.sleep(waitMs, stopSignal.signal).then(async () => {
      if (stopping) return;
      await spawn(name, false);
      log.info({ child: name }, 'child process is back');
      await clock.sleep(steadyMs, stopSignal.signal);
      restartWaits.delete(name);
    });
  };

  const stopSignal = new AbortController();

  const drain = async (name: ChildName): Promise<boolean> => {
    const child = running.get(name);
    if (!child) return true;
    if (child.process.connected) child.process.send({ kind: 'drain' } satisfies DrainMessage);
    const late = new AbortController();
    const inTime = await Promise.race([
      child.ended.then(() => true),
      clock.sleep(stopMs, late.signal).then(() => false),
    ]);
    late.abort();
    if (!inTime) {
      log.error({ child: name, waitedMs: stopMs }, 'child process did not stop in time, ending it');
      child.process.kill('SIGKILL');
      await child.ended;
    }
    return inTime;
  };

  return {
    async start() {
      const [relay, office] = await Promise.all([spawn('relay', true), spawn('office', true)]);
      return { relay, office };
    },
    async stop() {
      stopping = true;
      stopSignal.abort();
      const relayInTime = await drain('relay');
      return (await drain('office')) && relayInTime;
    },
    kill() {
      stopping = true;
      stopSignal.abort();
      for (const child of running.values()) child.process.kill('SIGKILL');
    },
    pids: () => ({
      relay: running.get('relay')?.process.pid ?? null,
      office: running.get('office')?.process.pid ?? null,
    }),
  };
}

function withSmtpPorts(config: Config, listening: ListeningAddress[]): Config {
  const plain = config.smtp.listen.length;
  return {
    ...config,
    smtp: { ...config.smtp, listen: listening.slice(0, plain), implicitTlsListen: listening.slice(plain) },
  };
}

function withHttpPort(config: Config, [listening]: ListeningAddress[]): Config {
  return listening ? { ...config, http: { ...config.http, listen: listening } } : config;
}
