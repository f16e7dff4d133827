/**
 * What every dialect is: a foreign HTTP API spoken by us. Each folder beside this file has the same files:
 * `<name>.ts` (the door, exports a `Dialect`), `authenticate.ts`, `parse.ts` (request → question, pure),
 * `render.ts` (rows → body, pure), `words.ts` (tables), `errors.ts`, `options.ts`, `routes/` (one endpoint, one file).
 *
 * No dialect knows another; none has tables of its own.
 */
import type { Hono } from 'hono';
import type { Clock } from '../base/clock.ts';
import type { Option } from '../base/option.ts';
import type { InstallationKey } from '../base/secret.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { LogFormat } from '../imports/record.ts';
import type { Ask } from '../ledger/ledger.ts';
import type { Stream, Tenant, Tenants } from '../tenants/tenants.ts';

export interface DialectDeps {
  /** Answers after the newest events have arrived: what was sent before the question is in the answer. */
  ask: Ask;
  tenants: Tenants;
  clock: Clock;
  /** For the ids that carry a keyed tag (`base/id.ts`). */
  key: InstallationKey;
  /** Values of the dialect's own options, by their key. */
  settings: ReadonlyMap<string, unknown>;
}

export interface Dialect {
  /** Lower-case word: credential protocol, docs path, folder. */
  name: string;
  title: string;
  /** Where the imitated API is described, in one sentence, for the docs page. */
  about: string;
  options: readonly Option<unknown>[];
  /** Makes the credentials of a new tenant; the returned names and values are shown to its owner once. */
  issue(tenants: Tenants, tenant: Tenant, stream: Stream): Record<string, string>;
  /** Arguments for `curl` that ask one typical question with these credentials, ready to paste. */
  example(baseUrl: string, credentials: Record<string, string>, sendingDomain: string): string;
  endpoints: readonly Endpoint[];
  /** Events as the service itself hands them out, for `waybill import`. */
  logFormat?: LogFormat;
  /** All routes, mounted at `/`. Answers every error in the words of the dialect. */
  routes(deps: DialectDeps): Hono;
}
