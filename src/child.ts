/** A child process of the supervisor, seen from inside: it is told what to do, tells when it listens, is told to stop. */
import { systemClock } from './base/clock.ts';
import type { Config } from './config/config.ts';
import type { ListeningAddress } from './run-file.ts';

/** From the supervisor, first of all. */
export interface BeginMessage {
  kind: 'begin';
  config: Config;
  /** Bearer token of the operator's API for this run. */
  token: string;
}

export interface DrainMessage {
  kind: 'drain';
}

/** What a child says once it takes work. */
export interface ReadyMessage {
  kind: 'ready';
  /** One per listener, in the order of the configuration. */
  listening: ListeningAddress[];
}

export interface Child extends Pick<BeginMessage, 'config' | 'token'> {
  /** Aborts when the supervisor asks to stop, when it is gone, or at SIGTERM. */
  stop: AbortSignal;
  ready(listening: ListeningAddress[]): void;
}

const orphanMs = 30_000;

/** Resolves with the supervisor's orders. */
export function joinSupervisor(): Promise<Child> {
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  // A supervisor that was killed takes its children with it: they finish what they have begun, within a bound.
  process.on('disconnect', () => {
    stop();
    void systemClock.sleep(orphanMs).then(() => process.exit(1));
  });
  // It may have been killed before we could listen for that.
  if (!process.connected) stop();
  process.on('SIGTERM', stop);
  // At the terminal Ctrl-C reaches the whole group; the supervisor decides what it means.
  process.on('SIGINT', () => {});
  const ready = (listening: ListeningAddress[]) => {
    process.send?.({ kind: 'ready', listening } satisfies ReadyMessage);
  };
  return new Promise((resolve) => {
    process.on('message', (message: BeginMessage | DrainMessage) => {
      if (message.kind === 'drain') stop();
      else resolve({ config: message.config, token: message.token, stop: stopping.signal, ready });
    });
  });
}

/** Ends the process when the work has, also if a library still holds a handle. */
export async function runChild(work: (child: Child) => Promise<void>): Promise<never> {
  try {
    await work(await joinSupervisor());
    process.exit(0);
  } catch (fault) {
    process.stderr.write(`${describe(fault)}\n`);
    process.exit(1);
  }
}

/** What the machine refuses is told in words an operator can act on; a fault of ours with its stack. */
function describe(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  const { code, address, port } = fault as NodeJS.ErrnoException & { address?: string; port?: number };
  const listener = `${address ?? ''}:${port ?? ''}`;
  if (code === 'EADDRINUSE') return `another program listens on ${listener}; see smtp.listen and http.listen`;
  if (code === 'EACCES' && port !== undefined) return `this user may not listen on ${listener}`;
  if (code === 'EADDRNOTAVAIL')
    return `${listener} is no address of this machine; see smtp.listen and http.listen`;
  return fault.stack ?? fault.message;
}
