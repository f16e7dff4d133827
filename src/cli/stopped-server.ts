/** What commands do in place of a server that is not running: they hold its locks, so that none starts meanwhile. */
import { systemClock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { loadInstallationKey } from '../base/secret.ts';
import type { Config } from '../config/config.ts';
import { dataPaths } from '../data-paths.ts';
import { type OpenLedger, openLedger } from '../ledger/ledger.ts';
import { createWriter, type Writer } from '../ledger/writer.ts';
import { ledgerOptions } from '../ledger-options.ts';
import { createOutboxReader } from '../queue/queue.ts';
import { openStore, type Store, takeInstanceLock } from '../store/store.ts';
import { CommandProblem } from './command.ts';

export async function locked<T>(path: string, otherwise: string, work: () => Promise<T>): Promise<T> {
  const lock = takeInstanceLock(path, 0);
  if (lock === null) throw new CommandProblem(otherwise);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** `otherwise`: what is said when a server has the data directory. */
export async function whileStopped<T>(
  { dataDir }: Config,
  otherwise: string,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const paths = dataPaths(dataDir);
  return await locked(paths.lock('serve'), otherwise, () =>
    locked(paths.lock('office'), otherwise, async () => {
      const store = openStore(paths.store);
      try {
        return await work(store);
      } finally {
        store.close();
      }
    }),
  );
}

export interface FilledLedger {
  ledger: OpenLedger;
  writer: Writer;
  /** The ledger holds everything that was in the outbox. */
  caughtUp: boolean;
}

/** The ledger, after what waited in the outbox was brought into it. */
export async function withFilledLedger<T>(
  config: Config,
  store: Store,
  work: (filled: FilledLedger) => Promise<T>,
): Promise<T> {
  // With the key, so that these batches are links of the chain like all others.
  const key = loadInstallationKey(dataPaths(config.dataDir).key);
  const ledger = await openLedger({ ...ledgerOptions(config), key });
  const node = `node${config.nodeNumber}`;
  const writer = createWriter({ outbox: createOutboxReader(store), ledger, clock: systemClock, node });
  try {
    const caughtUp = await writer.catchUp(limits.backupCatchUpMs);
    return await work({ ledger, writer, caughtUp });
  } finally {
    await ledger.close();
  }
}
