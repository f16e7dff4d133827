/**
 * The history of the MailBaby API, spoken by us: the mail log and the account statistics (api.mailbaby.net,
 * HistoryApi). A mail order of that service is a stream here.
 *
 * This is the module's door. Not here: sending, orders, blocks and rules of that service. What its page
 * leaves open and how it is settled stands in docs/deviations.md.
 */
import { randomHex, randomSecret } from '../../base/random.ts';
import type { Dialect } from '../dialect.ts';
import { options } from './options.ts';
import { createApp, mount } from './route.ts';
import { mailLog } from './routes/mail-log.ts';
import { mailStats } from './routes/mail-stats.ts';
import { mountPing, pingEndpoint } from './routes/ping.ts';
import { userOfOrder } from './words.ts';

export const mailbaby: Dialect = {
  name: 'mailbaby',
  title: 'MailBaby',
  about: 'The mail log and statistics of MailBaby (api.mailbaby.net, HistoryApi).',
  options,
  issue(tenants, tenant, stream) {
    const apiKey = randomSecret();
    tenants.addCredential({
      protocol: 'mailbaby',
      tenantId: tenant.id,
      streamId: null,
      identifier: `${userOfOrder(stream.id)}-${randomHex(4)}`,
      secret: apiKey,
    });
    return { apiKey, orderId: String(stream.id) };
  },
  example: (baseUrl, { apiKey }) => `-H 'X-API-KEY: ${apiKey}' '${baseUrl}/mail/log?limit=10'`,
  endpoints: [mailLog.endpoint, mailStats.endpoint, pingEndpoint],
  routes(deps) {
    const app = createApp();
    mount(app, mailLog, deps);
    mount(app, mailStats, deps);
    mountPing(app);
    return app;
  },
};
