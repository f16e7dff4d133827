/** Where things stand below the one data directory (invariant I10). */
import { join } from 'node:path';

export function dataPaths(dataDir: string) {
  return {
    store: join(dataDir, 'waybill.sqlite'),
    key: join(dataDir, 'installation.key'),
    spool: join(dataDir, 'spool'),
    ledger: join(dataDir, 'ledger'),
    tls: join(dataDir, 'tls'),
    snapshots: join(dataDir, 'snapshots'),
    lock: (name: 'relay' | 'office' | 'serve' | 'backup') => join(dataDir, 'locks', `${name}.lock`),
    sites: join(dataDir, 'sites.json'),
  };
}
