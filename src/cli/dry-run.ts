/** A store that is thrown away: what a command would do can be seen without doing it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openQueue, type Queue } from '../queue/queue.ts';
import { openStore, type Store } from '../store/store.ts';

export async function withDryRun<T>(work: (dry: { store: Store; queue: Queue }) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-dry-run-'));
  const store = openStore(join(folder, 'store.sqlite'), { grouped: true });
  // Nobody reads these events.
  const queue = { ...openQueue(store), rememberMail: () => undefined, record: () => undefined };
  try {
    return await work({ store, queue });
  } finally {
    store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
