/** `GET /mail/log`: the messages of one mail order, a row for each recipient or for each message. */
import { z } from 'zod';
import { errorReply, type Refusal, unknownOrder } from '../errors.ts';
import { logParameters, parseLog } from '../parse.ts';
import { type LogEntry, renderLog } from '../render.ts';
import { type Route, security, unauthorized } from '../route.ts';

const logEntry = z.object({
  _id: z.int().describe('Number of the message, by which rows are ordered.'),
  id: z.string().describe('Relay id, 18 hex digits; the parameter `mailid`.'),
  from: z.string().describe('Envelope sender; empty for the null sender.'),
  to: z.string().describe('Envelope recipient.'),
  subject: z.string(),
  messageId: z.string().nullable().describe('Message-ID field with its angle brackets.'),
  created: z.string().describe('Acceptance, `YYYY-MM-DD HH:MM:SS` in the time zone of the server.'),
  time: z.int().describe('Acceptance, Unix seconds.'),
  user: z.string().describe('`mb` and the number of the order.'),
  transtype: z.string().describe('How the message was submitted: `ESMTPSA`, `HTTP`, and so on.'),
  origin: z.string().describe('IP address of the submitting client.'),
  interface: z.string().describe('`feeder` for SMTP, `api` for HTTP.'),
  sendingZone: z.string(),
  bodySize: z.int().describe('Bytes of the body.'),
  seq: z.int().describe('Number of the recipient within the message, from 1.'),
  delivered: z.union([z.literal(0), z.literal(1)]),
  code: z.int().nullable().describe('Last SMTP reply code.'),
  response: z.string().nullable().describe('Last SMTP reply with its code, or why there was none.'),
  recipient: z.string(),
  domain: z.string().describe('Domain of the recipient.'),
  locked: z.union([z.literal(0), z.literal(1)]).describe('1 while an attempt is under way.'),
  lockTime: z.string().nullable().describe('Start of the last attempt, milliseconds since 1970 as digits.'),
  assigned: z.string().nullable().describe('Name of the relay node.'),
  queued: z.string().describe('Acceptance, ISO 8601 in UTC with milliseconds.'),
  mxHostname: z.string().nullable().describe('Server of the last attempt.'),
}) satisfies z.ZodType<LogEntry>;

const logReply = z.object({
  total: z.int().describe('All rows that match, after grouping.'),
  skip: z.int().describe('The value in force.'),
  limit: z.int().describe('The value in force.'),
  emails: z.array(logEntry),
});

export const mailLog: Route = {
  endpoint: {
    method: 'get',
    path: '/mail/log',
    summary: 'Displays the mail log',
    description:
      'Filters combine; each must hold. An empty parameter counts as not sent. Submissions that were refused do not appear.',
    security,
    query: logParameters,
    replies: {
      200: { description: 'One page of the log.', schema: logReply },
      400: { description: 'A parameter is wrong; the message says which.', schema: errorReply },
      ...unauthorized,
      404: { description: 'The account has no such active mail order.', schema: errorReply },
    },
  },
  async answer({ ask, clock }, { account, fields, settings }) {
    const question = parseLog(fields, { at: clock.now(), zone: settings.zone });
    if (!question.ok) return question;
    const order = orderOf(account.activeOrders, question.orderId);
    if (!order.ok) return order;
    const { filter, page, groupBy } = question;
    const scope = { tenantId: account.tenantId, streamId: order.id };
    if (!filter) return renderLog({ total: 0, rows: [] }, question, settings.zone);
    const found = await (groupBy === 'message'
      ? ask.mails(scope, filter, page)
      : ask.deliveries(scope, filter, page));
    return renderLog(found, question, settings.zone);
  },
};

function orderOf(activeOrders: readonly number[], wanted: number | null): { ok: true; id: number } | Refusal {
  const id = wanted === null ? activeOrders[0] : activeOrders.find((order) => order === wanted);
  return id === undefined ? unknownOrder : { ok: true, id };
}
