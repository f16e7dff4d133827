/**
 * The operator's own API: what happened to whose mail, across all tenants. The command line uses it, since the
 * embedded ledger is open in the office process only.
 *
 * Whoever can read the data directory may ask: the bearer token of a run stands in its run file. A question
 * names a tenant or goes through all of them, merged by time, each asked within its own scope.
 *
 * This is the module's door. Not here: what tenants may ask (dialects), changes to the queue (they go to the
 * store, with or without a server).
 */
import { type Context, Hono, type Next } from 'hono';
import type { Clock } from '../base/clock.ts';
import { sameSecret } from '../base/secret.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { recordFault } from '../http/fault.ts';
import { faultProblem, problemReply } from '../http/problem.ts';
import { type Ask, LedgerFault } from '../ledger/ledger.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { Upkeep } from '../upkeep/upkeep.ts';
import { deliveriesEndpoint, mountDeliveries } from './routes/deliveries.ts';
import { eventsEndpoint, mountEvents } from './routes/events.ts';
import { type ExportRows, exportEndpoint, mountExport } from './routes/export.ts';
import { jobsEndpoint, ledgerEndpoint, mountLedger } from './routes/ledger.ts';
import { mountSnapshots, snapshotsEndpoint, type TakeSnapshot } from './routes/snapshots.ts';
import { type AnswerSql, mountSql, sqlEndpoint } from './routes/sql.ts';

export type { DeliveriesReply, DeliveryEntry, EventEntry, EventsReply } from './entries.ts';
export type { JobReply, LedgerReply } from './routes/ledger.ts';

export interface ConsoleApiDeps {
  ask: Ask;
  tenants: Pick<Tenants, 'tenants' | 'tenantNamed'>;
  /** Bearer token of this run. */
  token: string;
  clock: Clock;
  /** Store, spool and ledger of one moment, for a backup. */
  snapshot: TakeSnapshot;
  /** All rows that match, as a file. */
  exportRows: ExportRows;
  answerSql: AnswerSql;
  upkeep: Pick<Upkeep, 'start' | 'status'>;
}

export const endpoints: readonly Endpoint[] = [
  deliveriesEndpoint,
  eventsEndpoint,
  exportEndpoint,
  sqlEndpoint,
  ledgerEndpoint,
  jobsEndpoint,
  snapshotsEndpoint,
];

/** Its entry under `/docs`. */
export const reference = {
  name: 'operator',
  title: "The operator's API",
  about: 'What happened to the mail of every tenant, for the command line and the console.',
  endpoints,
};

/** All routes, mounted at `/`. */
export function createConsoleApi(deps: ConsoleApiDeps): Hono {
  const app = new Hono();
  app.use('/api/v1/*', bearer(deps.token));
  mountDeliveries(app, deps);
  mountEvents(app, deps);
  mountSnapshots(app, deps);
  mountExport(app, deps);
  mountSql(app, deps);
  mountLedger(app, deps);
  app.onError(answerFault);
  return app;
}

function bearer(token: string) {
  return async (c: Context, next: Next): Promise<Response | undefined> => {
    const given = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1] ?? '';
    if (!sameSecret(given, token)) return unauthorized();
    await next();
    return undefined;
  };
}

/** RFC 6750 §3. */
function unauthorized(): Response {
  const detail = 'The bearer token of this run is needed; it stands in run.json of the data directory.';
  const problem = { status: 401, title: 'Unauthorized', detail };
  return problemReply(problem, { 'www-authenticate': 'Bearer realm="waybill"' });
}

function answerFault(fault: Error, c: Context): Response {
  const faultId = recordFault(c, fault);
  if (!(fault instanceof LedgerFault)) return faultProblem(faultId);
  const told = { detail: fault.message, faultId };
  if (fault.temporary) return problemReply({ status: 503, title: 'Service Unavailable', ...told });
  if (fault.code === 'question') return problemReply({ status: 400, title: 'Bad Request', ...told });
  return faultProblem(faultId);
}
