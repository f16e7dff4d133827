/** Sessions of the embedded engine: statements of one come one after the other, those of several beside each other. */
import { Session } from 'chdb';
import { Deadline } from '../base/deadline.ts';
import { LedgerFault } from './fault.ts';

export interface Sessions<S> {
  /** With a session that nobody else uses meanwhile; waits for its turn, but not longer than said, when all are in use. */
  use<T>(waitMs: number, work: (session: S) => Promise<T>): Promise<T>;
  close(): void;
}

/** `prepared`: statements that make a new session work in our database and within our limits. */
export function openSession(path: string, prepared: readonly string[]): Session {
  const session = new Session(path);
  for (const statement of prepared) session.query(statement);
  return session;
}

/** At most `most`, each opened when it is needed first. */
export function createSessions<S extends { close(): void }>(open: () => S, most: number): Sessions<S> {
  const all: S[] = [];
  const free: S[] = [];
  const waiting = new Set<(session: S) => void>();

  const take = (waitMs: number): S | Promise<S> => {
    const session = free.pop();
    if (session) return session;
    if (all.length === most) return turn(waitMs);
    const opened = open();
    all.push(opened);
    return opened;
  };

  const turn = (waitMs: number) =>
    new Promise<S>((resolve, reject) => {
      const given = (session: S) => {
        deadline.clear();
        resolve(session);
      };
      const deadline = new Deadline(() => {
        waiting.delete(given);
        reject(new LedgerFault('busy', `the ledger answers ${most} other questions; ask again later`));
      });
      deadline.set(waitMs);
      waiting.add(given);
    });

  const giveBack = (session: S) => {
    const [next] = waiting;
    if (!next) return free.push(session);
    waiting.delete(next);
    return next(session);
  };

  return {
    async use(waitMs, work) {
      const session = await take(waitMs);
      try {
        return await work(session);
      } finally {
        giveBack(session);
      }
    },
    close() {
      for (const session of all) session.close();
    },
  };
}
