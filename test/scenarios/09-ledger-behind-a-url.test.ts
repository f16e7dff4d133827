/** The same product with its ledger behind a URL, through ClickHouse's HTTP interface; and what happens while it is away. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { kaleyraLogs, mailbabyLog, mailgunTotals, submailLog } from '../support/apis.ts';
import { startClickHouse } from '../support/clickhouse-process.ts';
import { send } from '../support/send.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

test('a ledger behind a URL tells the same; while it is away mail flows on', async (t) => {
  const { url, process: ledger } = await startClickHouse(t);
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
