/** Numbered, forward-only migrations; the number reached stands in the file itself (`user_version`). */
import type { DatabaseSync } from 'node:sqlite';
import { first } from './migrations/0001-first.ts';
import { dkimKeys } from './migrations/0002-dkim-keys.ts';
import { limitsAndSuppressions } from './migrations/0003-limits-and-suppressions.ts';
import { envelopeOptions } from './migrations/0004-envelope-options.ts';
import { mtaStsPolicies } from './migrations/0005-mta-sts-policies.ts';
import { lanes } from './migrations/0006-lanes.ts';
import { imports } from './migrations/0007-imports.ts';
import { lateReports } from './migrations/0008-late-reports.ts';
import { retrySchedules } from './migrations/0009-retry-schedules.ts';
import { ipPools } from './migrations/0010-ip-pools.ts';
import { expiry } from './migrations/0011-expiry.ts';
import { warmUps } from './migrations/0012-warm-ups.ts';
import { upkeep } from './migrations/0013-upkeep.ts';
import { installation } from './migrations/0014-installation.ts';

/** In order; never edit one that was released, add another. */
export const migrations: readonly string[] = [
  first,
  dkimKeys,
  limitsAndSuppressions,
  envelopeOptions,
  mtaStsPolicies,
  lanes,
  imports,
  lateReports,
  retrySchedules,
  ipPools,
  expiry,
  warmUps,
  upkeep,
  installation,
];

export const storeVersion = migrations.length;

export function migrate(database: DatabaseSync): void {
  if (versionOf(database) === storeVersion) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Read again under the lock: another process may have migrated in between.
    const version = versionOf(database);
    if (version > storeVersion) {
      throw new Error(`the store is of version ${version}, newer than this program knows (${storeVersion})`);
    }
    for (const sql of migrations.slice(version)) database.exec(sql);
    database.exec(`PRAGMA user_version = ${storeVersion}`);
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}
