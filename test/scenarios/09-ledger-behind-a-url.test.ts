/** The same product with its ledger behind a URL, through ClickHouse's HTTP interface; and what happens while it is away. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { kaleyraLogs, mailbabyLog, mailgunTotals, submailLog } from '../support/apis.ts';
import { send } from '../support/send.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

const front = fileURLToPath(new URL('../support/clickhouse-front.ts', import.meta.url));

async function startFront(t: test.TestContext): Promise<{ url: string; process: ChildProcess }> {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-clickhouse-'));
  const process_ = spawn(process.execPath, [front, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    if (process_.exitCode === null && process_.signalCode === null) {
      process_.kill('SIGKILL');
      await once(process_, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  });
  const [line] = await once(createInterface({ input: process_.stdout }), 'line');
  return { url: String(line).match(/http:\/\/\S+/)?.[0] ?? '', process: process_ };
}

test('a ledger behind a URL tells the same; while it is away mail flows on', async (t) => {
  const { url, process: ledger } = await startFront(t);
  const waybill = await startWaybill(t, { environment: { WAYBILL_LEDGER_URL: url } });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await send(waybill, tenant, { to: ['ok@example.test', 'bounce@example.test'] });
  await until('both have ended', async () => {
    const { delivered, failed } = await mailgunTotals(waybill, tenant);
    return delivered?.total === 1 && failed?.permanent['bounce'] === 1;
  });
  assert.equal((await mailbabyLog(waybill, tenant)).total, 2);
  assert.equal((await submailLog(waybill, tenant)).total, 2);
  assert.equal((await kaleyraLogs(waybill, tenant, '?search=BOUNCE')).total, 1);

  ledger.kill('SIGKILL');
  await once(ledger, 'exit');
  await send(waybill, tenant, { to: 'ok@example.test' });
  await until('it is delivered all the same', async () => {
    const { stdout } = await waybill.cli('queue', 'list', '--json');
    return !/"state":\s*"queued"/.test(stdout);
  });
});
