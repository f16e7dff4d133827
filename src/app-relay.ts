/** The relay process, composed: SMTP in, queue, SMTP out. */
import { systemClock, whenAborted } from './base/clock.ts';
import { armCrashPoint } from './base/crash-point.ts';
import { createLog } from './base/log.ts';
import { type InstallationKey, loadInstallationKey } from './base/secret.ts';
import { type Child, runChild } from './child.ts';
import { type Config, crashPointWanted } from './config/config.ts';
import { dataPaths } from './data-paths.ts';
import { createFindTargets, createResolver } from './dns/dns.ts';
import { openQueue } from './queue/queue.ts';
import {
  createFetchPolicy,
  createMtaStsPolicies,
  createRelay,
  createReturnPaths,
  createTlsPolicies,
  createWarmUps,
  defaultNoticePolicy,
  type RelayDeps,
} from './relay/relay.ts';
import { showSites } from './sites-file.ts';
import { connect, createSessionPool } from './smtp-client/smtp-client.ts';
import { createRelayHandler } from './smtp-server/relay-handler.ts';
import { createSmtpServer } from './smtp-server/smtp-server.ts';
import { openSpool } from './spool/spool.ts';
import { createGroupCommit, openStore, waitForInstanceLock } from './store/store.ts';
import { openTenants } from './tenants/tenants.ts';

/** Longer than what a child of a supervisor that was killed takes to finish (`child.ts`). */
const lockWaitMs = 35_000;

await runChild(async ({ config, stop, ready }: Child) => {
  const log = createLog({ level: config.log.level, format: config.log.format, name: 'relay' });
  const crashAt = crashPointWanted();
  if (crashAt) armCrashPoint(crashAt);
  const paths = dataPaths(config.dataDir);
  const lock = await waitForInstanceLock(paths.lock('relay'), lockWaitMs, {
    clock: systemClock,
    signal: stop,
  });
  if (stop.aborted) return;
  if (!lock) throw new Error(`another relay process uses ${config.dataDir}`);

  const store = openStore(paths.store, { grouped: true });
  const queue = openQueue(store);
  const spool = openSpool(paths.spool, store);
  const key = loadInstallationKey(paths.key);
  const tenants = openTenants(store, key, systemClock);
  const commit = createGroupCommit(store, (fault) => {
    log.error({ fault }, 'the disk did not take a sync: ending, to begin again from what it holds');
    process.exit(1);
  });
  const sessions = createSessionPool(connect, systemClock);
  const resolver = createResolver({
    clock: systemClock,
    servers: config.dns.servers.length > 0 ? config.dns.servers : undefined,
    trustAd: config.dns.trustAd,
  });
  const mtaSts = createMtaStsPolicies({
    ...{ store, resolver, clock: systemClock, log },
    fetchPolicy: createFetchPolicy({ resolver }),
  });
  const tlsPolicies = createTlsPolicies({
    ...{ rules: config.delivery.tlsPolicy, resolver, mtaSts, clock: systemClock, log },
  });
  const relay = createRelay({
    clock: systemClock,
    hostname: config.hostname,
    nextHop: config.nextHop,
    findTargets: createFindTargets({
      clock: systemClock,
      resolver,
      ownNames: [config.hostname],
      ownListeners: config.smtp.listen,
    }),
    sessions,
    tlsPolicies,
    node: { number: config.nodeNumber, name: config.hostname },
    plan: { waitsMs: config.retrySchedule },
    bulkPlan: { waitsMs: config.retryScheduleBulk ?? config.retrySchedule },
    bounds: {
      attempts: config.delivery.maxSessions,
      perDestination: config.delivery.maxSessionsPerDestination,
    },
    ...{ shaping: config.shaping, ipPools: config.delivery.ipPools },
    ...{ warmUps: createWarmUps(store, systemClock), tenants, queue, spool, commit, log },
    ...answersToSenders(config, key),
  });
  const smtp = await createSmtpServer({
    hostname: config.hostname,
    listen: config.smtp.listen,
    implicitTlsListen: config.smtp.implicitTlsListen,
    handler: createRelayHandler({ tenants, relay, trusted: config.smtp.trusted, log }),
    tls: { directory: paths.tls, certificate: config.smtp.tlsCert, key: config.smtp.tlsKey },
    authWithoutTls: config.smtp.authWithoutTls,
    maxContentBytes: config.smtp.maxContentBytes,
    maxForwardPaths: config.smtp.maxForwardPaths,
    maxHoldMs: config.smtp.maxHold,
    proxyNetworks: config.smtp.proxyNetworks,
    clock: systemClock,
    log,
  });
  ready(await smtp.listen());

  const showing = showSites(relay, paths.sites, { clock: systemClock, stop, log });
  const running = Promise.all([relay.run(stop), showing]);
  await whenAborted(stop);
  await smtp.close();
  await running;
  await sessions.close();
  spool.close();
  store.close();
  lock.release();
});

/** What senders are told, and by which way reports come back. */
function answersToSenders(
  { notices, bounces }: Config,
  key: InstallationKey,
): Pick<RelayDeps, 'notices' | 'returnPaths'> {
  const { domain, complaintMailbox } = bounces;
  const warns = notices.warnAfter > 0;
  const policy = {
    ...defaultNoticePolicy,
    to: notices.to === 'any' ? ('any' as const) : ('own' as const),
    warnUnasked: warns,
    warnAfterMs: warns ? notices.warnAfter : defaultNoticePolicy.warnAfterMs,
  };
  return {
    notices: notices.to === 'none' ? null : policy,
    returnPaths: domain === null ? null : createReturnPaths({ domain, complaintMailbox, key }),
  };
}
