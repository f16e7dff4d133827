/** Where the ledger of an installation stands, as the configuration says. */
import type { Config } from './config/config.ts';
import { dataPaths } from './data-paths.ts';
import type { LedgerOptions } from './ledger/ledger.ts';

export function ledgerOptions({ dataDir, ledger }: Config): LedgerOptions {
  const { url, database, cluster } = ledger;
  const path = dataPaths(dataDir).ledger;
  // Inside Waybill nobody else has databases, and a backup names this one.
  if (url !== null) return { url, path, database, cluster };
  const { maxMemory, threads, mergeThreads, mergeMemory } = ledger;
  return { url, path, maxMemoryBytes: maxMemory, threads, mergeThreads, mergeMemoryBytes: mergeMemory };
}
