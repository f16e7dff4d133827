/** `GET /service/status`: whether the service answers, and in how many seconds. No authorization. */
import type { Hono } from 'hono';
import { z } from 'zod';
import type { Endpoint } from '../../../http/endpoint.ts';
import type { DialectDeps } from '../../dialect.ts';

const statusReply = z.object({
  /** The vendor's spelling. */
  status: z.literal('runing'),
  runtime: z.number().describe('Seconds it took to answer.'),
});

export const statusEndpoint: Endpoint = {
  method: 'get',
  path: '/service/status',
  summary: 'State of this server',
  description: 'Also as `/service/status.json`.',
  security: [],
  replies: { 200: { description: 'The server answers.', schema: statusReply } },
};

export const statusJsonEndpoint: Endpoint = {
  ...statusEndpoint,
  path: '/service/status.json',
  description: 'The same as `/service/status`.',
};

export function mountStatus(app: Hono, { clock, tenants }: DialectDeps): void {
  app.on('GET', [statusEndpoint.path, statusJsonEndpoint.path], (c) => {
    const startedAt = clock.now();
    // What every other call does first: a look into the store.
    tenants.stream(0);
    return c.json({ status: 'runing', runtime: Math.max(0, clock.now() - startedAt) / 1000 });
  });
}
