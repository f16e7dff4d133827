/** `GET /v1/{SID}/email/logs`: the account's messages, one row per address, newest first. */
import { z } from 'zod';
import { errorReply } from '../errors.ts';
import { logsParameters, parseLogs } from '../parse.ts';
import { renderLogs } from '../render.ts';
import { type Route, refusals, security, sidParameter } from '../route.ts';
import { statusWords } from '../words.ts';

const logsReply = z.object({
  data: z.array(
    z.object({
      message_id: z.string(),
      company_id: z.string(),
      status: z.enum(statusWords),
      description: z.string(),
      from_mail: z.string(),
      to_mail: z.string(),
      template_name: z.string(),
      submitted_at: z.string().describe('`YYYY-MM-DD HH:MM:SS` in the time zone of the account.'),
      delivered_at: z.string().describe('Time of the delivery or the bounce, else empty.'),
      sale_price: z.number(),
      source: z.string().describe('`API`, or `SMTP` for mail submitted that way.'),
      source_type: z.string(),
      user_details: z.object({}),
      email_body: z.string(),
      service_id: z.string(),
      route: z.string(),
      type: z.string().optional().describe('`MKT`, `TXN` or `OTP`, if the mail was sent with one.'),
    }),
  ),
  error: z.object({}),
  total: z.int().describe('All rows that match.'),
  limit: z.string(),
  offset: z.string().describe('Always empty.'),
  page: z.string().describe('As asked for; `0` if it was not.'),
});

export const logs: Route = {
  endpoint: {
    method: 'get',
    path: '/v1/{SID}/email/logs',
    summary: 'Log of messages',
    description: 'Newest first; within a message, the highest number first.',
    security,
    pathParameters: sidParameter,
    query: logsParameters,
    replies: {
      200: { description: 'The rows of one page.', schema: logsReply },
      400: { description: 'A parameter is wrong; the message says which.', schema: errorReply },
      ...refusals,
    },
  },
  async answer({ ask, key }, { account, fields, rendering }) {
    const question = parseLogs(fields, account.zone, key);
    if (!question.ok) return question;
    const page = { offset: question.offset, limit: question.limit, direction: 'descending' } as const;
    const found = question.filter
      ? await ask.deliveries(account.scope, question.filter, page)
      : { total: 0, rows: [] };
    return renderLogs(found, question, rendering);
  },
};
