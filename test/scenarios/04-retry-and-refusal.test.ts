/** Replies of a real server decide: each forward-path goes its own way, and a next hop that is down is waited for. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { mailbabyLog } from '../support/apis.ts';
import { send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

test('one mail, three answers', async (t) => {
  const sink = await startSink(t, {
    rcpt: (address, attempt) => {
      if (address.startsWith('nobody')) return { code: 550, text: '5.1.1 No such user' };
      if (address.startsWith('later') && attempt === 1)
        return { code: 450, text: '4.2.0 Greylisted, come back' };
      return null;
    },
  });
  const environment = {
    WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${sink.port}`,
    WAYBILL_RETRY_SCHEDULE: '200ms,200ms',
    WAYBILL_NOTICES_TO: 'none',
  };
  const waybill = await startWaybill(t, { environment });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await send(waybill, tenant, { to: ['yes@example.org', 'nobody@example.org', 'later@example.org'] });
  await until(
    'the greylisted one is delivered',
    async () => (await mailbabyLog(waybill, tenant, { delivered: '1' })).total === 2,
  );
  const { emails } = await mailbabyLog(waybill, tenant);
  assert.deepEqual(Object.fromEntries(emails.map(({ recipient, code }) => [recipient.split('@')[0], code])), {
    yes: 250,
    nobody: 550,
    later: 250,
  });
  assert.deepEqual(
    sink.mails.map(({ forwardPaths }) => forwardPaths),
    [['yes@example.org'], ['later@example.org']],
  );
});

test('a next hop that is down is tried again until it is up', async (t) => {
  const gone = await startSink(t);
  await gone.close();
  const environment = {
    WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${gone.port}`,
    WAYBILL_RETRY_SCHEDULE: new Array(60).fill('200ms').join(','),
  };
  const waybill = await startWaybill(t, { environment });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await send(waybill, tenant, { to: 'jane@example.org' });
  await until('a failed connection is on record', async () => {
    const { emails } = await mailbabyLog(waybill, tenant);
    return emails[0]?.code === null && emails[0].response !== null;
  });
  const sink = await startSink(t, { port: gone.port });
  await until('delivered', () => sink.mails.length === 1);
  await until(
    'and told so',
    async () => (await mailbabyLog(waybill, tenant, { delivered: '1' })).total === 1,
  );
});

test('when the schedule is used up the mail expires, also what waits for a next hop that rests', async (t) => {
  const gone = await startSink(t);
  await gone.close();
  const environment = {
    WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${gone.port}`,
    WAYBILL_RETRY_SCHEDULE: '300ms,300ms',
    WAYBILL_NOTICES_TO: 'none',
  };
  const waybill = await startWaybill(t, { environment });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const people = Array.from({ length: 12 }, (_, index) => `person${index}@example.org`);
  for (const to of people) await send(waybill, tenant, { to });
  const states = async () => {
    const { stdout } = await waybill.cli('log', '--tenant', 'acme', '--json');
    return stdout
      .matchAll(/"state":"(\w+)"/g)
      .map(([, state]) => state)
      .toArray();
  };
  await until('all have expired', async () => {
    const found = await states();
    return found.length === people.length && found.every((state) => state === 'expired');
  });
  const { stdout } = await waybill.cli('queue', 'list', '--json');
  assert.doesNotMatch(stdout, /"(?:queued|deferred)"/);
});
