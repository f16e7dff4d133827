/**
 * The SUBMAIL mail log, spoken by us: `POST /mail/log` with its three body types and three ways of signing,
 * and the clock and state that its clients ask for first (SUBMAIL developer documentation, "mail/log").
 *
 * This is the module's door. Not here: sending, balances and web hooks of that service, its XML and YAML
 * formats. What its page leaves open and how it is settled stands in docs/deviations.md.
 */
import { Hono } from 'hono';
import { randomSecret } from '../../base/random.ts';
import { recordFault } from '../../http/fault.ts';
import { adviceAbout } from '../../ledger/ledger.ts';
import type { Dialect } from '../dialect.ts';
import { errorBody } from './errors.ts';
import { options, readSettings } from './options.ts';
import { mailLogEndpoint, mailLogJsonEndpoint, mountMailLog } from './routes/mail-log.ts';
import { mountStatus, statusEndpoint, statusJsonEndpoint } from './routes/service-status.ts';
import { mountTimestamp, timestampEndpoint, timestampJsonEndpoint } from './routes/service-timestamp.ts';

export const submail: Dialect = {
  name: 'submail',
  title: 'SUBMAIL',
  about: 'The mail log of SUBMAIL (mysubmail.com, API v4, mail/log).',
  options,
  issue(tenants, tenant, stream) {
    const appid = String(stream.id);
    const appkey = randomSecret();
    tenants.addCredential({
      protocol: 'submail',
      tenantId: tenant.id,
      streamId: stream.id,
      identifier: appid,
      secret: appkey,
      recoverable: true,
    });
    return { appid, appkey };
  },
  example: (baseUrl, { appid, appkey }) => `-d 'appid=${appid}&signature=${appkey}' '${baseUrl}/mail/log'`,
  endpoints: [
    mailLogEndpoint,
    mailLogJsonEndpoint,
    timestampEndpoint,
    timestampJsonEndpoint,
    statusEndpoint,
    statusJsonEndpoint,
  ],
  routes(deps) {
    const settings = readSettings(deps.settings);
    const app = new Hono();
    mountMailLog(app, deps, settings);
    mountTimestamp(app, deps.clock);
    mountStatus(app, deps);
    app.onError((fault, c) => {
      recordFault(c, fault);
      const advice = adviceAbout(fault);
      if (advice === null) return c.json(errorBody(500, settings.errorCodeType), 500);
      return c.json(errorBody(503, settings.errorCodeType, advice), 503);
    });
    return app;
  },
};
