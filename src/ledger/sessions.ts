/** Sessions of the embedded engine: statements of one come one after the other, those of several beside each other. */
import { Session } from 'chdb';

export interface Sessions {
  /** With a session that nobody else uses meanwhile; waits for its turn when all are in use. */
  use<T>(work: (session: Session) => Promise<T>): Promise<T>;
  close(): void;
}

/** `prepared`: statements that make a new session work in our database and within our limits. */
export function openSession(path: string, prepared: readonly string[]): Session {
  const session = new Session(path);
  for (const statement of prepared) session.query(statement);
  return session;
}

/** At most `most`, each opened when it is needed first. */
export function createSessions(open: () => Session, most: number): Sessions {
  const all: Session[] = [];
  const free: Session[] = [];
  const waiting: ((session: Session) => void)[] = [];

  const take = (): Session | Promise<Session> => {
    const session = free.pop();
    if (session) return session;
    if (all.length === most) return new Promise((resolve) => waiting.push(resolve));
    const opened = open();
    all.push(opened);
    return opened;
  };

  return {
    async use(work) {
      const session = await take();
      try {
        return await work(session);
      } finally {
        const next = waiting.shift();
        if (next) next(session);
        else free.push(session);
      }
    },
    close() {
      for (const session of all) session.close();
    },
  };
}
