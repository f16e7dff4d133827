/** What can be done to the ledger as a whole: make its projections anew, prove them, remove, erase. */
import type { InstallationKey } from '../base/secret.ts';
import { type Compared, type CompareOptions, compareProjections } from './compare.ts';
import type { Engine } from './engine.ts';
import {
  type Anonymising,
  anonymiseOld,
  countErasable,
  countNamed,
  type ErasedCounts,
  type Erasure,
  eraseAddress,
} from './erase.ts';
import type { AgedTable } from './horizons.ts';
import { type RebuildOptions, type Rebuilt, rebuildProjections } from './rebuild.ts';
import {
  countOld,
  dayForSize,
  mailsTo,
  type RemovalOptions,
  type Removed,
  removeOld,
  tenantsIn,
} from './retention.ts';
import { type ChainOptions, type ChainVerified, verifyChain } from './verify-chain.ts';

export type { Compared, Difference, QueueCounts } from './compare.ts';
export type { ErasedCounts } from './erase.ts';
export type { AgedTable } from './horizons.ts';
export type { Hold, Rebuilt } from './rebuild.ts';
export type { Removal, Removed } from './retention.ts';
export type { ChainProblem, ChainVerified, NodeChain, ProvedTo } from './verify-chain.ts';

export interface Maintenance {
  /** Every projection anew from the events, while questions are answered and events appended. */
  rebuild(options: RebuildOptions): Promise<Rebuilt>;
  /** What the projections and the queue say, against the events. */
  compare(options: CompareOptions): Promise<Compared>;
  /** Null for a ledger without a chain. */
  verifyChain(options: ChainOptions): Promise<ChainVerified | null>;
  countOld(options: RemovalOptions): Promise<Removed>;
  removeOld(options: RemovalOptions): Promise<Removed>;
  /** The day before which rows have to go so that the table, or a tenant's share of it, is small enough. */
  dayForSize(table: AgedTable, tenantId: number | null, bytes: number): Promise<number | null>;
  /** Tenants of whom anything is remembered. */
  tenants(): Promise<number[]>;
  /** Mails of a tenant to any of these addresses (lower case). */
  mailsTo(tenantId: number, addresses: readonly string[]): Promise<number[]>;
  countErasable(erasure: Erasure): Promise<ErasedCounts>;
  erase(erasure: Erasure): Promise<ErasedCounts>;
  countNamed(anonymising: Anonymising): Promise<ErasedCounts>;
  anonymise(anonymising: Anonymising): Promise<ErasedCounts>;
}

export function maintenanceOf(engine: Engine, key: InstallationKey | null): Maintenance {
  return {
    rebuild: (options) => rebuildProjections(engine, options),
    compare: (options) => compareProjections(engine, options),
    verifyChain: async (options) => (key === null ? null : verifyChain(engine, key, options)),
    countOld: (options) => countOld(engine, options),
    removeOld: (options) => removeOld(engine, key, options),
    dayForSize: (table, tenantId, bytes) => dayForSize(engine, table, tenantId, bytes),
    tenants: () => tenantsIn(engine),
    mailsTo: (tenantId, addresses) => mailsTo(engine, tenantId, addresses),
    countErasable: (erasure) => countErasable(engine, erasure),
    erase: (erasure) => eraseAddress(engine, key, erasure),
    countNamed: (anonymising) => countNamed(engine, anonymising),
    anonymise: (anonymising) => anonymiseOld(engine, key, anonymising),
  };
}
