/** `waybill serve`: first start, supervisor, run file, and a stop that drains. */
import { isUnfinished } from '../backup/backup.ts';
import { systemClock } from '../base/clock.ts';
import { createLog } from '../base/log.ts';
import { randomSecret } from '../base/random.ts';
import { loadInstallationKey } from '../base/secret.ts';
import type { Config } from '../config/config.ts';
import { dataPaths } from '../data-paths.ts';
import { removeRunFile, writeRunFile } from '../run-file.ts';
import { openStore, takeInstanceLock } from '../store/store.ts';
import { createSupervisor, type Supervisor } from '../supervisor.ts';
import { openTenants } from '../tenants/tenants.ts';
import { openDataDirectory } from './data-directory.ts';
import { type FirstStart, makeFirstTenant } from './first-start.ts';
import { readyLine, welcome } from './welcome.ts';

export interface ServeRequest {
  config: Config;
  jsonReady: boolean;
}

/** Resolves with the exit code once everything has stopped. */
export async function serve({ config, jsonReady }: ServeRequest): Promise<number> {
  openDataDirectory(config.dataDir);
  const lock = takeInstanceLock(dataPaths(config.dataDir).lock('serve'), 0);
  if (!lock) {
    process.stderr.write(
      `Waybill runs on ${config.dataDir} already; set WAYBILL_DATA_DIR to use another folder\n`,
    );
    return 1;
  }
  if (isUnfinished(config.dataDir)) {
    lock.release();
    process.stderr.write(`a restore into ${config.dataDir} did not end; run it again\n`);
    return 1;
  }
  const log = createLog({ level: config.log.level, format: config.log.format, name: 'supervisor' });
  const first = prepareStore(config);
  const token = randomSecret();
  const supervisor = createSupervisor({ config, token, clock: systemClock, log });
  const stopped = stopSignal(supervisor);
  try {
    const { relay: smtp, office } = await supervisor.start();
    const [http] = office;
    if (!http) throw new Error('the office process listens nowhere');
    const run = { pid: process.pid, startedAt: systemClock.now(), smtp, http, token };
    writeRunFile(config.dataDir, run);
    process.stdout.write(jsonReady ? readyLine(run, supervisor.pids(), first) : welcome(run, first));
    await stopped;
    return (await supervisor.stop()) ? 0 : 1;
  } catch (fault) {
    process.stderr.write(
      `Waybill could not start: ${fault instanceof Error ? fault.message : String(fault)}\n`,
    );
    supervisor.kill();
    return 1;
  } finally {
    removeRunFile(config.dataDir);
    lock.release();
  }
}

/** Migrates the store, and fills an empty one, before the children open it. */
function prepareStore(config: Config): FirstStart | null {
  const paths = dataPaths(config.dataDir);
  const store = openStore(paths.store);
  try {
    return makeFirstTenant(openTenants(store, loadInstallationKey(paths.key), systemClock));
  } finally {
    store.close();
  }
}

/** Resolves at the first SIGTERM or SIGINT; a second one does not wait for the drain. */
function stopSignal(supervisor: Supervisor): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = () => {
      if (asked) {
        supervisor.kill();
        process.exit(1);
      }
      asked = true;
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
