/** `GET /api/v1/export`: every row of the log that matches, as a file, streamed. */
import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import { z } from 'zod';
import { limits } from '../../base/limits.ts';
import { eventTypes } from '../../events/event.ts';
import type { Endpoint } from '../../http/endpoint.ts';
import { type ExportFormat, type ExportQuestion, exportFormats } from '../../ledger/ledger.ts';
import type { Tenant } from '../../tenants/tenants.ts';
import type { ConsoleApiDeps } from '../console-api.ts';
import { badRequest, commonParameters, parseQuery, refusals, security, tenantNamed } from '../parameters.ts';

const { limit: _, ...filters } = commonParameters;

const query = z.strictObject({
  ...filters,
  rows: z
    .enum(['events', 'deliveries'])
    .describe('What happened, or the last known state of each forward-path.'),
  format: z.enum(exportFormats).default('ndjson').describe('The file to be written.'),
  type: z.array(z.enum(eventTypes)).optional().describe('What happened; repeated: any of them. Events only.'),
});

export const exportEndpoint: Endpoint = {
  method: 'get',
  path: '/api/v1/export',
  summary: 'Every row of the log that matches, as a file',
  description:
    'Streamed: an answer whose chunked encoding does not end is not whole. NDJSON and CSV come in order of ' +
    'time, Parquet in the order of storage. `since` and `until` are times of the events, or of acceptance.',
  security,
  query,
  replies: { 200: { description: 'The file.', contentType: 'application/octet-stream' }, ...refusals },
};

const contentTypes: Record<ExportFormat, string> = {
  ndjson: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
};

export type ExportRows = (question: ExportQuestion) => AsyncIterable<Uint8Array>;

export function mountExport(app: Hono, deps: ConsoleApiDeps): void {
  let underWay = 0;
  app.get(exportEndpoint.path, async (c) => {
    const question = parseQuery(query, c.req.url);
    if (!question.ok) return question.reply;
    const tenant = tenantNamed(deps, question.value.tenant);
    if (!tenant.ok) return tenant.reply;
    if (question.value.rows === 'deliveries' && question.value.type !== undefined)
      return badRequest('type: deliveries have none; ask for events').reply;
    if (underWay >= limits.exports)
      return badRequest(`${limits.exports} exports are under way; try again later`).reply;
    const headers = { 'content-type': contentTypes[question.value.format] };
    if (c.req.method === 'HEAD') return new Response(null, { headers }); // a body that nobody reads would have no end
    // The engine may work long before its first row; the export has a bound of its own.
    (c.env as Partial<HttpBindings> | undefined)?.incoming?.socket.setTimeout(limits.exportMs);
    const rows = deps.exportRows(exportOf(question.value, deps.tenants.tenants(), tenant.value));
    underWay += 1;
    const pieces = endTold(rows, () => {
      underWay -= 1;
    });
    // What is wrong from the start is told as a reply; later only a broken connection can tell it.
    const first = await pieces.next();
    return new Response(ReadableStream.from(beginningWith(first, pieces)), { headers });
  });
}

/** `ended` is called once, whether the pieces came to their end, broke off, or are wanted no more. */
function endTold(pieces: AsyncIterable<Uint8Array>, ended: () => void): AsyncIterator<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  let over = false;
  const end = () => {
    if (!over) ended();
    over = true;
  };
  return {
    async next() {
      try {
        const piece = await iterator.next();
        if (piece.done) end();
        return piece;
      } catch (error) {
        end();
        throw error;
      }
    },
    async return() {
      end();
      await iterator.return?.();
      return { done: true, value: undefined };
    },
  };
}

/** No generator: one that was not begun does not run its `finally` when the reader goes before the first piece. */
function beginningWith(
  first: IteratorResult<Uint8Array>,
  rest: AsyncIterator<Uint8Array>,
): AsyncIterable<Uint8Array> {
  let begun = false;
  const next = async () => {
    if (begun) return await rest.next();
    begun = true;
    return first;
  };
  return { [Symbol.asyncIterator]: () => ({ ...rest, next }) };
}

function exportOf(
  { rows, format, since, until, id, to, from, status, type }: z.output<typeof query>,
  tenants: readonly Tenant[],
  tenant: Tenant | null,
): ExportQuestion {
  return {
    ...{ rows, format, tenants },
    ...(tenant === null ? {} : { tenantId: tenant.id }),
    ...(since === undefined ? {} : { from: since }),
    ...(until === undefined ? {} : { to: until }),
    ...(id ?? {}),
    ...(to === undefined ? {} : { forwardPath: to }),
    ...(from === undefined ? {} : { fromField: from }),
    ...(status === undefined ? {} : { states: status }),
    ...(type === undefined ? {} : { types: type }),
  };
}
