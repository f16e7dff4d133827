/** The office process, composed: the ledger, its writer, and every HTTP API. */
import { takeSnapshot } from './backup/backup.ts';
import { systemClock, whenAborted } from './base/clock.ts';
import { armCrashPoint } from './base/crash-point.ts';
import { limits } from './base/limits.ts';
import { createLog } from './base/log.ts';
import { loadInstallationKey } from './base/secret.ts';
import { keepRunning } from './base/service.ts';
import { type Child, runChild } from './child.ts';
import { crashPointWanted } from './config/config.ts';
import { createConsoleApi, reference } from './console-api/console-api.ts';
import { dataPaths } from './data-paths.ts';
import { dialects } from './dialects/dialects.ts';
import type { Remembered, ReportedDelivery } from './events/late-report.ts';
import { createHttpServer } from './http/server.ts';
import type { Ask, ExportQuestion, SqlQuestion } from './ledger/ledger.ts';
import { closeOfficeLedger, openOfficeLedger } from './office-ledger.ts';
import { createQueueReports } from './queue/queue.ts';
import { createReportFinder } from './relay/relay.ts';
import { openStore, waitForInstanceLock } from './store/store.ts';
import { openTenants } from './tenants/tenants.ts';
import { version } from './version.ts';

/** Longer than what a child of a supervisor that was killed takes to finish (`child.ts`). */
const lockWaitMs = 35_000;

await runChild(async ({ config, token, stop, ready }: Child) => {
  const log = createLog({ level: config.log.level, format: config.log.format, name: 'office' });
  const crashAt = crashPointWanted();
  if (crashAt) armCrashPoint(crashAt);
  const paths = dataPaths(config.dataDir);
  const lock = await waitForInstanceLock(paths.lock('office'), lockWaitMs, {
    clock: systemClock,
    signal: stop,
  });
  if (stop.aborted) return;
  if (!lock) throw new Error(`another office process uses ${config.dataDir}`);

  const store = openStore(paths.store);
  const key = loadInstallationKey(paths.key);
  const tenants = openTenants(store, key, systemClock);
  const officeLedger = await openOfficeLedger({ config, store, tenants, key, clock: systemClock, log });
  const { ledger, writer, upkeep } = officeLedger;
  const ask = askAfter(() => writer.catchUp(limits.ledgerCatchUpMs), ledger);
  const deps = { ask, tenants, clock: systemClock, key, settings: config.dialects };
  const snapshot = () =>
    takeSnapshot({
      paths,
      between: (work) => writer.between(work),
      freeze: (into) => ledger.freeze(into),
    });
  const exportRows = async function* (question: ExportQuestion) {
    await writer.catchUp(limits.ledgerCatchUpMs);
    yield* ledger.export(question);
  };
  const answerSql = async (question: SqlQuestion) => {
    await writer.catchUp(limits.ledgerCatchUpMs);
    return await ledger.sql(question);
  };
  let open = true;
  const http = createHttpServer({
    listen: config.http.listen,
    apps: [
      createConsoleApi({
        ...{ ask, tenants, token, clock: systemClock, upkeep },
        ...{ snapshot, exportRows, answerSql },
      }),
      ...dialects.map((dialect) => dialect.routes(deps)),
    ],
    docs: [...dialects, reference],
    version,
    health: () => open,
    clock: systemClock,
    log,
  });

  const finder = createReportFinder({
    reports: createQueueReports(store),
    find: async (delivery) => {
      const caughtUp = await writer.catchUp(limits.ledgerCatchUpMs);
      return caughtUp ? rememberedOf(ledger, delivery) : 'later';
    },
    clock: systemClock,
    log,
  });
  const services = [
    { name: 'ledger writer', run: (signal: AbortSignal) => writer.run(signal) },
    finder,
    ...(upkeep.nightly ? [upkeep.nightly] : []),
  ];
  const running = Promise.all(
    services.map((service) => keepRunning(service, stop, { clock: systemClock, log })),
  );
  ready([await http.listen()]);
  await whenAborted(stop);
  open = false;
  await http.close();
  await running;
  await closeOfficeLedger(officeLedger);
  store.close();
  lock.release();
});

async function rememberedOf(
  ledger: Ask,
  { tenantId, mailId, n }: ReportedDelivery,
): Promise<Remembered | null> {
  const page = { offset: 0, limit: 1, direction: 'ascending' } as const;
  const [row] = (await ledger.deliveries({ tenantId }, { mailId, n }, page)).rows;
  if (row === undefined) return null;
  const { mail, delivery, engagement } = row;
  const { complainedAt, unsubscribedAt } = engagement;
  return { mail, delivery, complained: complainedAt !== null, unsubscribed: unsubscribedAt !== null };
}

/** What was sent before the question is in the answer: the newest events are brought in first, within a bound. */
function askAfter(catchUp: () => Promise<unknown>, ledger: Ask): Ask {
  const after =
    <A extends unknown[], R>(question: (...values: A) => Promise<R>) =>
    async (...values: A): Promise<R> => {
      await catchUp();
      return question(...values);
    };
  return {
    deliveries: after((...values) => ledger.deliveries(...values)),
    mails: after((...values) => ledger.mails(...values)),
    queue: after((...values) => ledger.queue(...values)),
    countByBucket: after((...values) => ledger.countByBucket(...values)),
    mailTotals: after((...values) => ledger.mailTotals(...values)),
    top: after((...values) => ledger.top(...values)),
    events: after((...values) => ledger.events(...values)),
  };
}
