/**
 * The Mailgun dialect: statistics, aggregates and events of version 3 of that service's API, and the metrics
 * that succeed them, answered from our ledger. Every number is counted from events (invariant I11); the
 * tenant of the key bounds every question.
 *
 * This is the module's door. Not here: sending, suppressions, webhooks of that service.
 */
import { randomHex } from '../../base/random.ts';
import type { Dialect } from '../dialect.ts';
import { eventExport } from './import-events.ts';
import { options } from './options.ts';
import { mount, type Route } from './route.ts';
import { aggregatesCountries } from './routes/aggregates-countries.ts';
import { aggregatesDevices } from './routes/aggregates-devices.ts';
import { aggregatesProviders } from './routes/aggregates-providers.ts';
import { domainStatsTotal } from './routes/domain-stats-total.ts';
import { events } from './routes/events.ts';
import { eventsPage } from './routes/events-page.ts';
import { metrics } from './routes/metrics.ts';
import { statsFilter } from './routes/stats-filter.ts';
import { statsTotal } from './routes/stats-total.ts';
import { statsTotalDomains } from './routes/stats-total-domains.ts';

/** Literal paths first: they share their shape with `/v3/{domain}/…`, and the first match answers. */
const routes: readonly Route[] = [
  statsTotal,
  statsTotalDomains,
  statsFilter,
  domainStatsTotal,
  aggregatesProviders,
  aggregatesDevices,
  aggregatesCountries,
  events,
  eventsPage,
  metrics,
];

export const mailgun: Dialect = {
  name: 'mailgun',
  title: 'Mailgun',
  about:
    'Statistics, events and metrics of the API of Mailgun: documentation.mailgun.com, sections Stats, Events and Metrics.',
  options,
  issue(tenants, tenant) {
    const apiKey = `key-${randomHex(16)}`;
    const identifier = `${tenant.name}-${randomHex(4)}`;
    // The API knows no streams: a key speaks for the whole account.
    tenants.addCredential({
      protocol: 'mailgun',
      tenantId: tenant.id,
      streamId: null,
      identifier,
      secret: apiKey,
    });
    return { apiKey };
  },
  example(baseUrl, { apiKey = '' }, sendingDomain) {
    const url = `${baseUrl}/v3/${sendingDomain}/stats/total?event=accepted&event=delivered&event=failed&duration=1d`;
    return `--user 'api:${apiKey}' '${url}'`;
  },
  logFormat: eventExport,
  endpoints: routes.map(({ endpoint }) => endpoint),
  routes: (deps) => mount(routes, deps),
};
