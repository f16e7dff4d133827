/**
 * The Kaleyra email statistics and logs, spoken by us: one message's statuses, counts by day, the searchable
 * log (Kaleyra developer documentation, "Get stats and get logs in Email API").
 *
 * This is the module's door. Not here: sending and callbacks of that service. What its page leaves open and
 * how it is settled stands in docs/deviations.md.
 */
import { assert } from '../../base/assert.ts';
import { randomInteger, randomSecret } from '../../base/random.ts';
import type { Tenants } from '../../tenants/tenants.ts';
import type { Dialect } from '../dialect.ts';
import { options } from './options.ts';
import { mount, type Route } from './route.ts';
import { logs } from './routes/logs.ts';
import { messageStats } from './routes/message-stats.ts';
import { stats } from './routes/stats.ts';

const routes: readonly Route[] = [messageStats, stats, logs];

export const kaleyra: Dialect = {
  name: 'kaleyra',
  title: 'Kaleyra',
  about: 'The statistics and logs of the Kaleyra Email API (api.kaleyra.io, v1, email/stats and email/logs).',
  options,
  issue(tenants, tenant) {
    const sid = freeSid(tenants);
    const apiKey = randomSecret();
    const holder = { tenantId: tenant.id, streamId: null };
    tenants.addCredential({ protocol: 'kaleyra', ...holder, identifier: sid, secret: apiKey });
    return { sid, apiKey };
  },
  example: (baseUrl, { sid, apiKey }) => `-H 'api-key: ${apiKey}' '${baseUrl}/v1/${sid}/email/logs?limit=10'`,
  endpoints: routes.map(({ endpoint }) => endpoint),
  routes: (deps) => mount(routes, deps),
};

const sidTries = 20;

/** `WB` and ten digits. */
function freeSid(tenants: Tenants): string {
  for (let tries = 0; tries < sidTries; tries += 1) {
    const sid = `WB${String(randomInteger(0, 10 ** 10)).padStart(10, '0')}`;
    if (!tenants.credentialByIdentifier('kaleyra', sid)) return sid;
  }
  assert(false, 'few of ten thousand million account ids are taken');
}
