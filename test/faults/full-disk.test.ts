/**
 * A full disk: submissions are answered 4xx and leave nothing, what was accepted is kept, and everything goes on by
 * itself once there is room. Once with a real file system, once with a disk that refuses the store alone.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { accountFor, sendUntilAccepted, type Traffic } from '../support/account.ts';
import { createFaultyDisk, skipWithoutCompiler } from '../support/faulty-disk.ts';
import { send } from '../support/send.ts';
import { startSink } from '../support/sink.ts';
import { mountSmallDisk, skipWithoutMount } from '../support/small-disk.ts';
import { until } from '../support/until.ts';
import { startWaybill } from '../support/waybill.ts';

const diskMegabytes = 64;
const largeText = 'a line of some length that makes the content large\r\n'.repeat(1000);

const environment = (port: number) => ({
  WAYBILL_NEXT_HOP: `smtp://127.0.0.1:${port}`,
  WAYBILL_RETRY_SCHEDULE: new Array(100).fill('2s').join(','),
  WAYBILL_LOG_LEVEL: 'error',
});

interface Refusing {
  fillUp(): void;
  makeRoom(): void;
}

/** Some mails before, one under way while it is full, refusals meanwhile, and more mails afterwards. */
async function fullDisk(traffic: Traffic, disk: Refusing, isOpen: { value: boolean }): Promise<void> {
  const { waybill, tenant, sink } = traffic;
  const accepted = await sendUntilAccepted(traffic, 6);
  assert.equal(sink.mails.length, 0, 'the sink defers for now');

  await until('all of them wait', async () => {
    const { stdout } = await waybill.cli('queue', 'list', '--state', 'deferred', '--json');
    return (JSON.parse(stdout) as { total: number }).total === accepted.length;
  });
  disk.fillUp();
  const { relay } = await waybill.childPids();
  for (const text of ['Hello.', largeText]) {
    await until('a submission is refused', () =>
      send(waybill, tenant, { to: 'full@example.org', text }).then(
        () => false,
        (fault: Error & { responseCode?: number }) => fault.responseCode === 451,
      ),
    );
  }
  // What waits becomes due while the lease cannot be written, or was under way and its verdict cannot be.
  const met = /deliveries could not be leased|verdict could not be written/;
  await until('an attempt met the full disk', () => met.test(waybill.log()));
  isOpen.value = true;
  assert.equal((await waybill.childPids()).relay, relay, 'the relay process stays');

  disk.makeRoom();
  accepted.push(...(await sendUntilAccepted(traffic, 6, 100)));
  await accountFor(traffic, accepted);
  assert.equal((await waybill.childPids()).relay, relay, 'the relay process stayed');
}

const deferringSink = (t: test.TestContext, isOpen: { value: boolean }) =>
  startSink(t, { rcpt: () => (isOpen.value ? null : { code: 450, text: '4.2.0 Later' }) });

test('a full file system', { skip: skipWithoutMount() }, async (t) => {
  const isOpen = { value: false };
  const sink = await deferringSink(t, isOpen);
  const disk = mountSmallDisk(t, diskMegabytes);
  const waybill = await startWaybill(t, {
    environment: { ...environment(sink.port), WAYBILL_DATA_DIR: disk.directory },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  await fullDisk({ waybill, tenant, sink }, disk, isOpen);
});

test('a disk that has no room for the store', { skip: skipWithoutCompiler() }, async (t) => {
  const isOpen = { value: false };
  const sink = await deferringSink(t, isOpen);
  const disk = createFaultyDisk(t);
  const waybill = await startWaybill(t, {
    environment: { ...environment(sink.port), ...disk.environment },
  });
  const tenant = await waybill.createTenant('acme', 'acme.test');
  const refusing = { fillUp: () => disk.fillUp('waybill.sqlite'), makeRoom: disk.heal };
  await fullDisk({ waybill, tenant, sink }, refusing, isOpen);
});
