/** The ledger with the engine behind HTTP. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '../../../src/ledger/ledger.ts';
import { startClickHouseFront } from '../../support/clickhouse-front.ts';
import { type Implementation, ledgerCases, upkeepStatementCases } from './cases.ts';

const overHttp: Implementation = {
  name: 'over HTTP',
  open: async () => {
    const path = mkdtempSync(join(tmpdir(), 'waybill-ledger-'));
    const front = await startClickHouseFront(path);
    const engine = await openEngine({ url: front.url, path: '' });
    const close = async () => {
      await engine.close();
      await front.close();
      rmSync(path, { recursive: true, force: true });
    };
    return { engine, close };
  },
};

ledgerCases(overHttp);
upkeepStatementCases(overHttp);
