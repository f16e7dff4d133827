/** What a log told of a session or a transaction, for the lines about it that follow; the oldest are forgotten. */
import { limits } from '../../base/limits.ts';

export interface Sessions<T> {
  remember(id: string, facts: T): void;
  of(id: string): T | undefined;
}

export function recentSessions<T>(): Sessions<T> {
  const known = new Map<string, T>();
  return {
    remember(id, facts) {
      known.delete(id);
      known.set(id, facts);
      if (known.size <= limits.importSessions) return;
      const [oldest] = known.keys();
      if (oldest !== undefined) known.delete(oldest);
    },
    of: (id) => known.get(id),
  };
}
