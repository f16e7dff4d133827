/**
 * A real ledger and a real store with dialects in front of them, in a folder of their own. Time stands
 * still where the test puts it.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { type EpochMs, manualClock } from '../../src/base/clock.ts';
import { type InstallationKey, installationKey } from '../../src/base/secret.ts';
import type { Dialect, DialectDeps } from '../../src/dialects/dialect.ts';
import { createHttpApp } from '../../src/http/app.ts';
import { type Ledger, ledgerOver, openEngine } from '../../src/ledger/ledger.ts';
import { rebuildProjections } from '../../src/ledger/rebuild.ts';
import { migrate } from '../../src/ledger/schema/schema.ts';
import { openStore } from '../../src/store/store.ts';
import { openTenants, type Tenants } from '../../src/tenants/tenants.ts';
import { batchesOf, type History } from './histories.ts';

export interface TestTenant {
  tenantId: number;
  /** Its first stream. */
  streamId: number;
  /** As issued for each dialect of this world, by the dialect's name. */
  credentials: Record<string, Record<string, string>>;
}

export interface DialectWorld {
  tenants: Tenants;
  ledger: Ledger;
  clock: ReturnType<typeof manualClock>;
  key: InstallationKey;
  /** The dialects behind the usual HTTP app, with these settings; caches start empty. */
  serve(settings?: Record<string, unknown>, deps?: Partial<DialectDeps>): Hono;
  createTenant(zone?: string): TestTenant;
  addStream(tenantId: number): number;
  suspendStream(streamId: number): void;
  /** Appends the history as mail of this tenant, under a node name of its own. */
  append(history: History, owner: TestTenant): Promise<History>;
  /** Makes all projections of the ledger anew from its events. */
  rebuild(): Promise<void>;
  close(): Promise<void>;
}

export async function openDialectWorld(dialects: readonly Dialect[], now: EpochMs): Promise<DialectWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-dialects-'));
  const clock = manualClock(now);
  const key = installationKey(randomBytes(32));
  const store = openStore(join(folder, 'store.sqlite'));
  const tenants = openTenants(store, key, clock);
  const engine = await openEngine({ url: null, path: join(folder, 'ledger') });
  await migrate(engine);
  const ledger = ledgerOver(engine);
  let made = 0;
  return {
    tenants,
    ledger,
    clock,
    key,
    serve: (settings = {}, deps = {}) => {
      const values = new Map(Object.entries(settings));
      const all: DialectDeps = { ask: ledger, tenants, clock, key, settings: values, ...deps };
      return createHttpApp({
        apps: dialects.map((dialect) => dialect.routes(all)),
        docs: dialects,
        version: '0.0.0',
        health: () => true,
        log: { info: () => {}, error: () => {} },
        clock,
      });
    },
    createTenant: (zone = 'UTC') => {
      made += 1;
      return createTenant(tenants, dialects, { name: `tenant-${made}`, zone });
    },
    addStream: (tenantId) => {
      made += 1;
      const streamId = 20_000 + made;
      store.run(
        'INSERT INTO streams (id, tenant_id, name, state) VALUES (?, ?, ?, ?)',
        streamId,
        tenantId,
        `${made}`,
        'active',
      );
      return streamId;
    },
    suspendStream: (streamId) => {
      store.run("UPDATE streams SET state = 'suspended' WHERE id = ?", streamId);
    },
    append: async (history, owner) => {
      made += 1;
      const owned = ownedBy(history, owner, `node-${made}`);
      for (const batch of batchesOf(owned, 10_000)) await ledger.append(batch);
      return owned;
    },
    rebuild: async () => {
      await rebuildProjections(engine, { hold: (work) => work() });
    },
    close: async () => {
      await ledger.close();
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function createTenant(
  tenants: Tenants,
  dialects: readonly Dialect[],
  request: { name: string; zone: string },
): TestTenant {
  const created = tenants.createTenant(request);
  if (!created.ok) throw new Error(created.problem);
  const { tenant, stream } = created.value;
  const credentials = dialects.map((dialect) => [dialect.name, dialect.issue(tenants, tenant, stream)]);
  return { tenantId: tenant.id, streamId: stream.id, credentials: Object.fromEntries(credentials) };
}

function ownedBy(history: History, { tenantId, streamId }: TestTenant, node: string): History {
  const events = history.events.map((event) => ({
    ...event,
    mail: { ...event.mail, tenantId, streamId },
    delivery: { ...event.delivery, node },
  }));
  return { node, events };
}
