/** What comes back after a mail was delivered: each report finds its delivery, also long after the mail was cleared. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import { kaleyraLogs, mailbabyLog, submailLog } from '../support/apis.ts';
import { complaintAbout, dsnAbout, handIn } from '../support/reports.ts';
import { send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill, type TenantCredentials, type Waybill } from '../support/waybill.ts';

const domain = 'bounces.example.net';

/** Of the newest bucket, which the last hour is in. */
async function lateTotals(waybill: Waybill, { mailgun, domain: own }: TenantCredentials) {
  const url = `${waybill.http}/v3/${own}/stats/total?event=delivered&event=failed&event=complained&duration=1m`;
  const authorization = `Basic ${Buffer.from(`api:${mailgun.apiKey}`).toString('base64')}`;
  const reply = await fetch(url, { headers: { authorization } });
  const { stats } = (await reply.json()) as {
    stats: {
      delivered: { total: number };
      failed: { permanent: Record<string, number> };
      complained: { total: number };
    }[];
  };
  const [bucket] = stats;
  assert.ok(bucket);
  return {
    delivered: bucket.delivered.total,
    delayedBounce: bucket.failed.permanent['delayed-bounce'],
    bounce: bucket.failed.permanent['bounce'],
    permanent: bucket.failed.permanent['total'],
    complained: bucket.complained.total,
  };
}

test('a DSN and a complaint, handed in by other servers, are seen in every API', async (t) => {
  const sink = await startSink(t);
  const waybill = await startWaybill(t, {
    environment: { WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}`, WAYBILL_BOUNCES_DOMAIN: domain },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await send(waybill, tenant, { to: ['gone@example.org', 'cross@example.org', 'fine@example.org'] });
  await until('all three are there', () => sink.mails.length === 3);
  const returnPaths = new Map(
    sink.mails.map(({ forwardPaths, reversePath }) => [forwardPaths[0], reversePath]),
  );
  const returnPathOf = (address: string) => returnPaths.get(address) ?? '';
  assert.equal(new Set(returnPaths.values()).size, 3, 'one for each delivery');
  for (const path of returnPaths.values()) assert.match(path, /^b[0-9a-f]{46}@bounces\.example\.net$/);

  const store = new DatabaseSync(join(waybill.dataDir, 'waybill.sqlite'), { readOnly: true });
  t.after(() => store.close());
  const rows = (table: string) => store.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.['count'];
  await until('the mail is cleared', () => rows('mails') === 0);

  const forged = returnPathOf('gone@example.org').replace(
    /^b(.)/,
    (_, digit) => `b${digit === '0' ? '1' : '0'}`,
  );
  await assert.rejects(handIn(waybill, forged, dsnAbout('gone@example.org')), /550 5\.1\.1/);
  await assert.rejects(handIn(waybill, 'someone@example.org', 'Subject: relay me\n\nx\n'), /530 5\.7\.0/);
  const big = `${dsnAbout('gone@example.org')}${'x'.repeat(70).concat('\n').repeat(160_000)}`;
  await assert.rejects(handIn(waybill, returnPathOf('fine@example.org'), big), /552 5\.3\.4/);

  const delayed = dsnAbout('fine@example.org', { status: '4.4.1', diagnostic: '451 4.4.1 not yet' });
  await handIn(waybill, returnPathOf('fine@example.org'), delayed);
  // The domain of a return path has no case, nor has its local part on the way through some servers.
  await handIn(
    waybill,
    returnPathOf('gone@example.org').toUpperCase(),
    dsnAbout('forwarded@elsewhere.example'),
  );
  await handIn(waybill, returnPathOf('gone@example.org'), dsnAbout('gone@example.org'));
  await handIn(waybill, `complaints@${domain}`, complaintAbout(returnPathOf('cross@example.org')));
  await handIn(waybill, `complaints@${domain}`, complaintAbout(forged));

  const late = { delivered: 3, delayedBounce: 1, bounce: 0, permanent: 1, complained: 1 };
  await until('both are counted', async () => {
    const totals = await lateTotals(waybill, tenant);
    return totals.delayedBounce === 1 && totals.complained === 1;
  });
  await until('no report waits', () => rows('late_reports') === 0);
  assert.deepEqual(await lateTotals(waybill, tenant), late);

  const { emails } = await mailbabyLog(waybill, tenant);
  assert.deepEqual(emails.map(({ recipient, delivered, code }) => [recipient, delivered, code]).toSorted(), [
    ['cross@example.org', 1, 250],
    ['fine@example.org', 1, 250],
    ['gone@example.org', 0, 550],
  ]);
  const { data } = await submailLog(waybill, tenant);
  assert.deepEqual(data.map(({ to_address, status, bounce }) => [to_address, status, bounce]).toSorted(), [
    ['cross@example.org', 6, 0],
    ['fine@example.org', 6, 0],
    ['gone@example.org', 8, 1],
  ]);
  const kaleyra = await kaleyraLogs(waybill, tenant);
  assert.deepEqual(kaleyra.data.map(({ to_mail, status }) => [to_mail, status]).toSorted(), [
    ['cross@example.org', 'DELIVERED'],
    ['fine@example.org', 'DELIVERED'],
    ['gone@example.org', 'BOUNCE'],
  ]);

  const lists = await waybill.cli('suppression', 'list', '--json');
  const { suppressions } = JSON.parse(lists.stdout) as {
    suppressions: { address: string; kind: string; expiresAt: number | null }[];
  };
  assert.deepEqual(
    suppressions.map(({ address, kind, expiresAt }) => [address, kind, expiresAt === null]),
    [
      ['cross@example.org', 'complaint', true],
      ['gone@example.org', 'bounce', false],
    ],
  );
  await until('the sender is told once', () => sink.mails.length === 4);
  assert.deepEqual(
    sink.mails.slice(3).map(({ reversePath, forwardPaths }) => [reversePath, forwardPaths]),
    [['', ['app@acme.test']]],
  );
});
