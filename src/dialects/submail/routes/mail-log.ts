/** `POST /mail/log`, the only format being JSON: the history of an account's mail, one row per address. */
import type { Hono } from 'hono';
import { z } from 'zod';
import type { Endpoint } from '../../../http/endpoint.ts';
import { readBody } from '../../../http/read-body.ts';
import type { Scope } from '../../../ledger/ledger.ts';
import type { Tenants } from '../../../tenants/tenants.ts';
import type { DialectDeps } from '../../dialect.ts';
import { authenticate } from '../authenticate.ts';
import { type ErrorCode, errorBody, errorReply, httpStatusOf } from '../errors.ts';
import type { Settings } from '../options.ts';
import { authorization, type LogQuestion, logParameters, parseLog } from '../parse.ts';
import { type LogBody, renderLog } from '../render.ts';
import { cacheKeyOf, ReplyCache } from '../reply-cache.ts';

const logReply = z.object({
  status: z.literal('success'),
  start_date: z.int(),
  end_date: z.int(),
  total: z.int().describe('Rows that match.'),
  offset: z.int(),
  results: z.int().describe('Rows of a page, as asked for.'),
  data: z.array(
    z.object({
      appid: z.string(),
      sendID: z.string(),
      to_address: z.string(),
      to_name: z.string(),
      from_address: z.string(),
      from_name: z.string(),
      reply: z.string(),
      subject: z.string(),
      send_at: z.int().describe('Unix seconds of acceptance.'),
      sent_at: z.int().describe('Unix seconds of delivery or the last attempt; 0 before.'),
      status: z.int(),
      bounce: z.int(),
      ip_address: z.string().describe('Address of the client that submitted the mail.'),
      message: z.string().describe('What the remote server said; empty for delivered mail.'),
    }),
  ),
}) satisfies z.ZodType<LogBody>;

export const mailLogEndpoint: Endpoint = {
  method: 'post',
  path: '/mail/log',
  summary: 'History of sent mail',
  description:
    'Newest first. Also as `/mail/log.json`. An app is answered once a minute; in between it gets its previous ' +
    'reply again, with an `Age` header (options `dialects.submail.query_interval` and `cache_key`).',
  security: [{ kind: 'body', description: 'Parameters `appid` and `signature`.' }],
  body: {
    contentTypes: ['application/x-www-form-urlencoded', 'multipart/form-data', 'application/json'],
    schema: logParameters.extend(authorization),
  },
  replies: {
    200: { description: 'The rows; or, with status `error`, why there are none.', schema: logReply },
    413: { description: 'The request is too large.', schema: errorReply },
    500: { description: 'A fault of this server.', schema: errorReply },
    503: { description: 'The log cannot answer that now: `msg` says what to do.', schema: errorReply },
  },
};

export const mailLogJsonEndpoint: Endpoint = {
  ...mailLogEndpoint,
  path: '/mail/log.json',
  description: 'The same as `/mail/log`.',
};

export function mountMailLog(app: Hono, deps: DialectDeps, settings: Settings): void {
  const cache = new ReplyCache(deps.clock, settings.queryIntervalMs);
  app.on('POST', [mailLogEndpoint.path, mailLogJsonEndpoint.path], async (c) => {
    const refuse = (code: ErrorCode, msg?: string) =>
      c.json(errorBody(code, settings.errorCodeType, msg), httpStatusOf(code));
    const body = await readBody(c.req.raw);
    if (!body.ok) return body.status === 413 ? refuse(413) : refuse(101, body.problem);
    const now = deps.clock.now();
    const caller = authenticate(body.fields, deps.tenants, now);
    if (!caller.ok) return refuse(caller.code);
    const question = parseLog(body.fields, now, deps.key, settings.words);
    const scope = scopeOf(question, caller.tenantId, deps.tenants);
    if (!scope) return refuse(119);
    const key = cacheKeyOf(settings.cacheKey, caller.appid, body.fields);
    const reply = await cache.reply(key, () => answer(deps, scope, question, settings));
    return c.body(reply.body, 200, {
      'content-type': 'application/json',
      ...(reply.ageMs !== null && { age: String(Math.floor(reply.ageMs / 1000)) }),
    });
  });
}

/** Null: the app asked for is not one of the caller's account. */
function scopeOf({ app }: LogQuestion, tenantId: number, tenants: Tenants): Scope | null {
  if (app === '') return { tenantId };
  const stream = /^\d{1,15}$/.test(app) ? tenants.stream(Number(app)) : null;
  return stream?.tenantId === tenantId ? { tenantId, streamId: stream.id } : null;
}

async function answer(
  deps: DialectDeps,
  scope: Scope,
  question: LogQuestion,
  { words }: Settings,
): Promise<string> {
  const page = question.filter
    ? await deps.ask.deliveries(scope, question.filter, {
        offset: question.offset,
        limit: question.rows,
        direction: 'descending',
      })
    : { total: 0, rows: [] };
  return JSON.stringify(renderLog(question, page, deps.key, words));
}
