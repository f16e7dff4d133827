/** The engine in this process, in a folder of its own: what suites are run over. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '../../../src/ledger/ledger.ts';

export const inProcess = {
  name: 'in process',
  open: async () => {
    const path = mkdtempSync(join(tmpdir(), 'waybill-ledger-'));
    const engine = await openEngine({ url: null, path });
    const close = async () => {
      await engine.close();
      rmSync(path, { recursive: true, force: true });
    };
    return { engine, close };
  },
};
