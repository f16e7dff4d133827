/** `GET /ping`: whether the service is there. The one endpoint without a key. */
import type { Hono } from 'hono';
import type { Endpoint } from '../../../http/endpoint.ts';
import { mountOptions } from '../route.ts';

export const pingEndpoint: Endpoint = {
  method: 'get',
  path: '/ping',
  summary: 'Whether the service is there',
  security: [],
  replies: { 200: { description: 'It is.', contentType: 'text/plain' } },
};

export function mountPing(app: Hono): void {
  mountOptions(app, pingEndpoint.path);
  app.get(pingEndpoint.path, (c) =>
    c.text('Server is up and running', 200, { 'access-control-allow-origin': '*' }),
  );
}
