/** A list that is read page by page: its question checked, the tenants' rows merged in order, the cursor written. */
import type { Hono } from 'hono';
import type { z } from 'zod';
import { limits } from '../base/limits.ts';
import type { Tenant } from '../tenants/tenants.ts';
import type { ConsoleApiDeps } from './console-api.ts';
import { merged, type Source, takeMatching } from './merge.ts';
import { type Parsed, readCursor, tenantsAsked, writeCursor } from './parameters.ts';

interface Asked {
  tenant?: string | undefined;
  cursor?: string | undefined;
  limit: number;
}

export interface List<Question extends Asked, Cursor, Row> {
  path: string;
  parse(url: string): Parsed<Question>;
  cursor: z.ZodType<Cursor>;
  /** Rows of one tenant behind the cursor, in order. */
  source(
    ask: ConsoleApiDeps['ask'],
    tenant: Tenant,
    asked: { question: Question; cursor: Cursor | null },
  ): Source<Row>;
  isBefore(question: Question): (a: Row, b: Row) => boolean;
  /** What the ledger's own filters cannot tell. */
  matches(question: Question): (row: Row) => boolean;
  cursorOf(row: Row): Cursor;
  reply(rows: readonly Row[], next: string | null): object;
}

export function mountList<Question extends Asked, Cursor, Row>(
  app: Hono,
  deps: ConsoleApiDeps,
  list: List<Question, Cursor, Row>,
): void {
  app.get(list.path, async (c) => {
    const question = list.parse(c.req.url);
    if (!question.ok) return question.reply;
    const tenants = tenantsAsked(deps, question.value.tenant);
    if (!tenants.ok) return tenants.reply;
    const cursor = readCursor(list.cursor, question.value.cursor);
    if (!cursor.ok) return cursor.reply;
    const asked = { question: question.value, cursor: cursor.value };
    const sources = tenants.value.map((tenant) => list.source(deps.ask, tenant, asked));
    return c.json(await pageOf(sources, asked, list));
  });
}

async function pageOf<Question extends Asked, Cursor, Row>(
  sources: readonly Source<Row>[],
  { question, cursor }: { question: Question; cursor: Cursor | null },
  list: List<Question, Cursor, Row>,
): Promise<object> {
  let last = cursor;
  const inOrder = merged(sources, list.isBefore(question));
  const { rows, ended } = await takeMatching(inOrder, list.matches(question), {
    limit: question.limit,
    scan: limits.consoleScannedRows,
    onScanned: (row) => {
      last = list.cursorOf(row);
    },
  });
  return list.reply(rows, ended || last === null ? null : writeCursor(last));
}
