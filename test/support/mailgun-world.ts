/** A dialect world with the Mailgun dialect alone: requests with a key, and a listener for its client. */
import type { Hono } from 'hono';
import { type EpochMs, systemClock } from '../../src/base/clock.ts';
import { mailgun } from '../../src/dialects/mailgun/mailgun.ts';
import { createHttpServer } from '../../src/http/server.ts';
import type { Tenant } from '../../src/tenants/tenants.ts';
import { type DialectWorld, openDialectWorld } from './dialect-world.ts';
import { batchesOf, type History } from './histories.ts';

export interface MailgunWorld extends Omit<DialectWorld, 'createTenant' | 'append'> {
  app: Hono;
  /** A new tenant with these sending domains and a key. */
  createTenant(name: string, domains: readonly string[]): { tenant: Tenant; apiKey: string };
  /** As it is: its tenants are those of the plans. */
  append(history: History): Promise<void>;
  get(path: string, apiKey: string): Promise<Response>;
  /** Answers on a free port of the loopback until `close`; returns the base URL. */
  listen(): Promise<string>;
}

export async function openMailgunWorld(now: EpochMs): Promise<MailgunWorld> {
  const world = await openDialectWorld([mailgun], now);
  const app = world.serve();
  const server = createHttpServer({
    listen: { host: '127.0.0.1', port: 0 },
    apps: [app],
    docs: [],
    version: '0.0.0',
    health: () => true,
    log: { info: () => {}, error: () => {} },
    clock: systemClock,
  });
  return {
    ...world,
    app,
    createTenant: (name, domains) => createTenant(world, name, domains),
    append: async (history) => {
      for (const batch of batchesOf(history, 10_000)) await world.ledger.append(batch);
    },
    get: async (path, apiKey) => await app.request(path, { headers: basicAuth(apiKey) }),
    listen: async () => {
      const { host, port } = await server.listen();
      return `http://${host}:${port}`;
    },
    close: async () => {
      await server.close();
      await world.close();
    },
  };
}

export function basicAuth(apiKey: string, user = 'api'): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${user}:${apiKey}`).toString('base64')}` };
}

function createTenant({ tenants }: DialectWorld, name: string, domains: readonly string[]) {
  const created = tenants.createTenant({ name });
  if (!created.ok) throw new Error(created.problem);
  const { tenant, stream } = created.value;
  for (const domain of domains) {
    const added = tenants.addSendingDomain(tenant.id, domain);
    if (!added.ok) throw new Error(added.problem);
  }
  return { tenant, apiKey: mailgun.issue(tenants, tenant, stream).apiKey ?? '' };
}
