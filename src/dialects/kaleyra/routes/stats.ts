/** `GET /v1/{SID}/email/stats`: counts by day of the account's zone; days without mail are left out. */
import { z } from 'zod';
import { errorReply } from '../errors.ts';
import { parseStats, statsParameters } from '../parse.ts';
import { type DayStats, dayStats, renderStats } from '../render.ts';
import { type Route, refusals, security, sidParameter } from '../route.ts';

const statsReply = z.object({
  data: z.array(
    z.object({
      date: z.string().describe('`YYYY-MM-DD` in the time zone of the account.'),
      stats: z.array(
        z.object({
          metrics: z.object({
            blocks: z.int().describe('Refused because the sender domain is not registered.'),
            deferred: z.int().describe('Addresses deferred for the first time.'),
            delivered: z.int().describe('Deliveries.'),
            opens: z.int().describe('Opens, repeated ones included.'),
            accepted: z.int().describe('Addresses accepted.'),
          }),
        }),
      ),
    }) satisfies z.ZodType<DayStats>,
  ),
  error: z.object({}),
});

export const stats: Route = {
  endpoint: {
    method: 'get',
    path: '/v1/{SID}/email/stats',
    summary: 'Counts by day',
    description: 'Pages go by days. Each event counts on the day it happened.',
    security,
    pathParameters: sidParameter,
    query: statsParameters,
    replies: {
      200: { description: 'Days with mail, ascending.', schema: statsReply },
      400: { description: 'A parameter is wrong; the message says which.', schema: errorReply },
      ...refusals,
    },
  },
  async answer({ ask }, { account, fields }) {
    const question = parseStats(fields, account.zone);
    if (!question.ok) return question;
    const cells = await ask.countByBucket(account.scope, {
      types: ['accepted', 'rejected', 'delivered', 'deferred', 'opened'],
      ...question.range,
      unit: 'day',
      zone: account.zone,
    });
    return renderStats(dayStats(cells, account.zone), question);
  },
};
