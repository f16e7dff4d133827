/** `POST /api/v1/sql`: an operator's own question to the ledger, read-only. */
import type { Hono } from 'hono';
import { z } from 'zod';
import { limits } from '../../base/limits.ts';
import type { Endpoint } from '../../http/endpoint.ts';
import { LedgerFault, type SqlQuestion } from '../../ledger/ledger.ts';
import type { ConsoleApiDeps } from '../console-api.ts';
import { badRequest, refusals, security, tenantNamed } from '../parameters.ts';

const body = z.strictObject({
  sql: z.string().max(limits.sqlChars).describe('One query in the SQL of ClickHouse.'),
  tenant: z
    .string()
    .optional()
    .describe('Name of a tenant: only its rows are there. Without it: all tenants.'),
  format: z.enum(['json', 'ndjson', 'csv']).default('json').describe('Of the answer; `json` is JSONCompact.'),
  maxRows: z.int().min(1).max(limits.sqlResultRows).default(10_000).describe('More rows are an error.'),
});

export const sqlEndpoint: Endpoint = {
  method: 'post',
  path: '/api/v1/sql',
  summary: "An operator's own question to the ledger, read-only",
  security,
  body: { contentTypes: ['application/json'], schema: body },
  replies: {
    200: { description: 'The answer, in the format asked for.', contentType: 'text/plain' },
    ...refusals,
  },
};

export type AnswerSql = (question: SqlQuestion) => Promise<string>;

export function mountSql(app: Hono, deps: ConsoleApiDeps): void {
  app.post(sqlEndpoint.path, async (c) => {
    const length = Number(c.req.header('content-length') ?? Number.NaN);
    if (!(length <= limits.httpBodyBytes))
      return badRequest('the body is too long, or does not tell its length').reply;
    const parsed = body.safeParse(await c.req.json().catch(() => null));
    if (!parsed.success) return badRequest(z.prettifyError(parsed.error)).reply;
    const { sql, tenant: name, format, maxRows } = parsed.data;
    const tenant = tenantNamed(deps, name);
    if (!tenant.ok) return tenant.reply;
    try {
      return c.text(await deps.answerSql({ sql, format, maxRows, tenantId: tenant.value?.id ?? null }));
    } catch (error) {
      // What the engine says of somebody's own SQL is for that person.
      if (error instanceof LedgerFault && !error.temporary) return badRequest(wordsOf(error)).reply;
      throw error;
    }
  });
}

function wordsOf({ message, cause }: LedgerFault): string {
  return cause instanceof Error ? cause.message : message;
}
