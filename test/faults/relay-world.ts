/** A relay in this process, with a real store and spool, under a clock that a test moves. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { installationKey } from '../../src/base/secret.ts';
import type { EventType } from '../../src/events/event.ts';
import { createOutboxReader, openQueue } from '../../src/queue/queue.ts';
import { createRelay, type FindTargets, type RelayDeps } from '../../src/relay/relay.ts';
import { connect, createSessionPool } from '../../src/smtp-client/smtp-client.ts';
import { openSpool } from '../../src/spool/spool.ts';
import { createGroupCommit, openStore, type Store } from '../../src/store/store.ts';
import { openTenants } from '../../src/tenants/tenants.ts';
import { createSteppedClock, type SteppedClock } from '../support/stepped-clock.ts';
import { until } from '../support/until.ts';

export interface RelayWorldOptions {
  waitsMs: number[];
  attempts?: number;
  findTargets?: FindTargets;
  clock?: SteppedClock;
  /** What else the relay is made of. */
  more?: (parts: { store: Store; clock: SteppedClock }) => Partial<RelayDeps>;
}

const start = Date.UTC(2026, 5, 1, 12);
const noTargets: FindTargets = {
  mx: () => Promise.reject(new Error('nothing is looked up')),
  host: () => Promise.reject(new Error('nothing is looked up')),
};

export function openRelayWorld(t: TestContext, options: RelayWorldOptions) {
  const { waitsMs, attempts = 10, findTargets = noTargets } = options;
  const clock = options.clock ?? createSteppedClock(start);
  const directory = mkdtempSync(join(tmpdir(), 'waybill-faults-'));
  const store = openStore(join(directory, 'store.sqlite'), { grouped: true });
  const spool = openSpool(join(directory, 'spool'), store);
  const queue = openQueue(store);
  const tenants = openTenants(store, installationKey(Buffer.alloc(32, 1)), clock);
  const made = tenants.createTenant({ name: 'acme' });
  assert.ok(made.ok);
  const { tenant, stream } = made.value;
  tenants.addSendingDomain(tenant.id, 'acme.test');
  const sessions = createSessionPool(connect, systemClock);
  const deps: RelayDeps = {
    ...{ clock, hostname: 'relay.example.net', nextHop: null, findTargets, sessions },
    ...{
      node: { number: 0, name: 'relay' },
      plan: { waitsMs },
      notices: null,
      bounds: { attempts, perDestination: attempts },
    },
    ...{ tenants, queue, spool, log: silentLog },
    commit: createGroupCommit(store, (fault) => {
      throw fault;
    }),
    ...options.more?.({ store, clock }),
  };
  let running = runRelay(deps, clock);
  t.after(async () => {
    await running.stop();
    await sessions.close();
    spool.close();
    store.close();
    rmSync(directory, { recursive: true });
  });
  const outbox = createOutboxReader(store);
  return {
    ...{ clock, store, queue, tenants, tenant },
    /** Ends the relay and starts another one on the same store. */
    async restart() {
      await running.stop();
      running = runRelay(deps, clock);
    },
    async accepted(...forwardPaths: string[]): Promise<number> {
      const result = await running.relay.submit({
        ...{ tenantId: tenant.id, streamId: stream.id, trustedNetwork: false, origin: '127.0.0.1' },
        ...{ greetingName: 'client', transport: 'smtp', protocol: 'ESMTPA' },
        ...{ reversePath: 'app@acme.test', forwardPaths },
        content: Buffer.from('From: app@acme.test\r\nSubject: x\r\n\r\nbody\r\n'),
      });
      assert.ok(result.ok);
      return result.mailId;
    },
    /** Waits in real time until no attempt is under way. */
    idle: () => until('no attempt is under way', () => running.relay.open() === 0),
    story: (mailId: number): EventType[] =>
      outbox
        .read(0, 10_000)
        .filter(({ mail }) => mail.mailId === mailId)
        .map(({ type }) => type),
  };
}

function runRelay(deps: RelayDeps, clock: SteppedClock) {
  const relay = createRelay(deps);
  const stopping = new AbortController();
  const running = relay.run(stopping.signal);
  return {
    relay,
    stop: async () => {
      stopping.abort();
      let ended = false;
      const done = () => {
        ended = true;
      };
      running.then(done, done);
      while (!ended) await clock.pass(20);
      await running;
    },
  };
}
