/** `GET /service/timestamp`: the clock that signed requests take their timestamp from. No authorization. */
import type { Hono } from 'hono';
import { z } from 'zod';
import type { Clock } from '../../../base/clock.ts';
import type { Endpoint } from '../../../http/endpoint.ts';

export const timestampEndpoint: Endpoint = {
  method: 'get',
  path: '/service/timestamp',
  summary: 'Time of this server',
  description: 'Also as `/service/timestamp.json`.',
  security: [],
  replies: { 200: { description: 'Unix seconds.', schema: z.object({ timestamp: z.int() }) } },
};

export const timestampJsonEndpoint: Endpoint = {
  ...timestampEndpoint,
  path: '/service/timestamp.json',
  description: 'The same as `/service/timestamp`.',
};

export function mountTimestamp(app: Hono, clock: Clock): void {
  app.on('GET', [timestampEndpoint.path, timestampJsonEndpoint.path], (c) =>
    c.json({ timestamp: Math.floor(clock.now() / 1000) }),
  );
}
