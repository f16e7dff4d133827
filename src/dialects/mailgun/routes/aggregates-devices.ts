/** `GET /v3/{domain}/aggregates/devices`: on what kind of device mail was opened and clicked. */
import { countSinceEver, engagementTypes } from '../aggregates.ts';
import { renderAggregate } from '../render.ts';
import { aggregateReply } from '../replies.ts';
import { basicAuth, domainParameter, domainRefusals, type Route } from '../route.ts';
import { devices } from '../words.ts';

export const aggregatesDevices: Route = {
  endpoint: {
    method: 'get',
    path: '/v3/{domain}/aggregates/devices',
    summary: 'Aggregate counts by the devices that triggered events',
    security: basicAuth,
    pathParameters: domainParameter,
    replies: { 200: aggregateReply('devices', 'of desktop, mobile, tablet, unknown'), ...domainRefusals },
  },
  async answer(deps, { scope }) {
    const rows = await countSinceEver(deps, scope, 'device', engagementTypes);
    return { ok: true, body: { devices: renderAggregate(devices, rows) } };
  },
};
