/** What the commands work on: the configuration, and the store below the data directory that it names. */
import { existsSync } from 'node:fs';
import { type Clock, systemClock } from '../base/clock.ts';
import { loadInstallationKey } from '../base/secret.ts';
import { type Config, describeProblem, type Loaded, loadConfig } from '../config/config.ts';
import { dataPaths } from '../data-paths.ts';
import { dialects } from '../dialects/dialects.ts';
import { openQueue, type Queue } from '../queue/queue.ts';
import { openStore, type Store } from '../store/store.ts';
import { openTenants, type Tenant, type Tenants } from '../tenants/tenants.ts';
import { type Call, CommandProblem } from './command.ts';

export interface Installation {
  config: Config;
  store: Store;
  tenants: Tenants;
  queue: Queue;
  clock: Clock;
}

export const dialectOptions = dialects.flatMap(({ options }) => options);

export function loadConfigOf({ configFile }: Call): Loaded {
  return loadConfig({ ...(configFile === null ? {} : { file: configFile }), dialectOptions });
}

/** Tells every problem of the configuration at once. */
export function configOrProblem(call: Call): Config {
  const loaded = loadConfigOf(call);
  if (loaded.ok) return loaded.config;
  const lines = loaded.problems.map((problem) => `\n  ${describeProblem(problem)}`);
  throw new CommandProblem(`the configuration is wrong:${lines.join('')}`);
}

/** `create`: the store is made if there is none, for commands that may come before the first start. */
export async function withInstallation<T>(
  call: Call,
  { create }: { create: boolean },
  work: (installation: Installation) => Promise<T> | T,
): Promise<T> {
  const config = configOrProblem(call);
  const paths = dataPaths(config.dataDir);
  if (!create && !existsSync(paths.store)) {
    throw new CommandProblem(
      `${config.dataDir} holds no Waybill data; set WAYBILL_DATA_DIR, or begin with "waybill serve" or "waybill tenant create"`,
    );
  }
  const store = openStore(paths.store);
  try {
    const tenants = openTenants(store, loadInstallationKey(paths.key), systemClock);
    return await work({ config, store, tenants, queue: openQueue(store), clock: systemClock });
  } finally {
    store.close();
  }
}

/** The tenant that `--tenant` names. */
export function tenantNamed(tenants: Tenants, name: string): Tenant {
  const tenant = tenants.tenantNamed(name.toLowerCase());
  if (tenant === null)
    throw new CommandProblem(`there is no tenant "${name}"; "waybill tenant list" shows them`);
  return tenant;
}
