/** A child process of the supervisor, seen from inside: it tells when it is ready and is told when to stop. */

/** What a child says once it takes work. */
export interface ReadyMessage {
  kind: 'ready';
  /** `host:port` of each listener, in the order of the configuration. */
  listening: { host: string; port: number }[];
}

export interface DrainMessage {
  kind: 'drain';
}

export interface Child {
  /** Aborts when the supervisor asks to stop, when it is gone, or at SIGTERM. */
  stop: AbortSignal;
  ready(listening: ReadyMessage['listening']): void;
}

export function joinSupervisor(): Child {
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.on('message', (message: DrainMessage) => {
    if (message.kind === 'drain') stop();
  });
  // A supervisor that was killed takes its children with it: they finish what they have begun.
  process.on('disconnect', stop);
  process.on('SIGTERM', stop);
  // At the terminal Ctrl-C reaches the whole group; the supervisor decides what it means.
  process.on('SIGINT', () => {});
  return {
    stop: stopping.signal,
    ready: (listening) => process.send?.({ kind: 'ready', listening } satisfies ReadyMessage),
  };
}
