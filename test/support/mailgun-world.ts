/**
 * A real ledger and a real store with the Mailgun dialect in front of them, in a folder of their own. Time
 * stands still where the test puts it.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hono } from 'hono';
import { type EpochMs, manualClock, systemClock } from '../../src/base/clock.ts';
import { installationKey } from '../../src/base/secret.ts';
import { mailgun } from '../../src/dialects/mailgun/mailgun.ts';
import { createHttpApp, type HttpAppOptions } from '../../src/http/app.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts';
import { openStore } from '../../src/store/store.ts';
import { openTenants, type Tenant, type Tenants } from '../../src/tenants/tenants.ts';
import { batchesOf, type History } from './histories.ts';

export interface MailgunWorld {
  app: Hono;
  tenants: Tenants;
  ledger: Ledger;
  clock: ReturnType<typeof manualClock>;
  /** A new tenant with these sending domains and a key. */
  createTenant(name: string, domains: readonly string[]): { tenant: Tenant; apiKey: string };
  append(history: History): Promise<void>;
  get(path: string, apiKey: string): Promise<Response>;
  /** Answers on a free port of the loopback until `close`; returns the base URL. */
  listen(): Promise<string>;
  close(): Promise<void>;
}

export async function openMailgunWorld(now: EpochMs): Promise<MailgunWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-mailgun-'));
  const clock = manualClock(now);
  const key = installationKey(randomBytes(32));
  const store = openStore(join(folder, 'store.sqlite'));
  const tenants = openTenants(store, key, clock);
  const ledger = await openLedger({ url: null, path: join(folder, 'ledger') });
  const routes = mailgun.routes({ ask: ledger, tenants, clock, key, settings: new Map() });
  const http: HttpAppOptions = {
    apps: [routes],
    docs: [mailgun],
    version: '0.0.0',
    health: () => true,
    log: { info: () => {}, error: (fields) => console.error(fields) },
    clock: systemClock,
  };
  const app = createHttpApp(http);
  const server = createHttpServer({ ...http, listen: { host: '127.0.0.1', port: 0 } });
  return {
    app,
    tenants,
    ledger,
    clock,
    createTenant: (name, domains) => createTenant(tenants, name, domains),
    append: async (history) => {
      for (const batch of batchesOf(history, 10_000)) await ledger.append(batch);
    },
    get: async (path, apiKey) => await app.request(path, { headers: basicAuth(apiKey) }),
    listen: async () => {
      const { host, port } = await server.listen();
      return `http://${host}:${port}`;
    },
    close: async () => {
      await server.close();
      await ledger.close();
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function basicAuth(apiKey: string, user = 'api'): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${user}:${apiKey}`).toString('base64')}` };
}

function createTenant(tenants: Tenants, name: string, domains: readonly string[]) {
  const created = tenants.createTenant({ name });
  if (!created.ok) throw new Error(created.problem);
  const { tenant, stream } = created.value;
  for (const domain of domains) {
    const added = tenants.addSendingDomain(tenant.id, domain);
    if (!added.ok) throw new Error(added.problem);
  }
  return { tenant, apiKey: mailgun.issue(tenants, tenant, stream).apiKey ?? '' };
}
