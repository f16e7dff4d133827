/**
 * `GET /api/v1/deliveries`: the last known state of each forward-path, newest mail first. The order is that of mail
 * ids, which hold the time of acceptance: the last row of a page says where the next one begins, for all tenants.
 */
import type { Hono } from 'hono';
import { z } from 'zod';
import { mailIdParts } from '../../base/id.ts';
import type { Endpoint } from '../../http/endpoint.ts';
import type { DeliveryFilter, DeliveryRow } from '../../ledger/ledger.ts';
import type { Tenant } from '../../tenants/tenants.ts';
import type { ConsoleApiDeps } from '../console-api.ts';
import { type DeliveriesReply, deliveriesReply, deliveryEntry } from '../entries.ts';
import { mountList } from '../list.ts';
import { chunked, type Source } from '../merge.ts';
import {
  addressMatcher,
  chunkRows,
  commonParameters,
  maxCursorChars,
  parseQuery,
  refusals,
  security,
} from '../parameters.ts';

const query = z.strictObject({
  ...commonParameters,
  cursor: z
    .string()
    .max(maxCursorChars)
    .optional()
    .describe('`next` of the page before; the other parameters stay the same.'),
});

type Question = z.output<typeof query>;

export const deliveriesEndpoint: Endpoint = {
  method: 'get',
  path: '/api/v1/deliveries',
  summary: 'The last known state of each forward-path, newest mail first',
  description: '`since` and `until` are times of acceptance.',
  security,
  query,
  replies: { 200: { description: 'A page.', schema: deliveriesReply }, ...refusals },
};

const cursorSchema = z.strictObject({ mailId: z.int().min(0), n: z.int().min(1) });

type Cursor = z.output<typeof cursorSchema>;

type TenantRow = DeliveryRow & { tenant: Tenant };

export function mountDeliveries(app: Hono, deps: ConsoleApiDeps): void {
  mountList<Question, Cursor, TenantRow>(app, deps, {
    path: deliveriesEndpoint.path,
    parse: (url) => parseQuery(query, url),
    cursor: cursorSchema,
    source,
    isBefore: () => isNewer,
    matches: addressMatcher,
    cursorOf: ({ mail, delivery }) => ({ mailId: mail.mailId, n: delivery.n }),
    reply: (rows, next): DeliveriesReply => ({
      deliveries: rows.map(({ tenant, ...row }) => deliveryEntry(row, tenant.name)),
      next,
    }),
  });
}

/** Rows of the cursor's own millisecond come again and are passed over. */
function source(
  ask: ConsoleApiDeps['ask'],
  tenant: Tenant,
  { question, cursor }: { question: Question; cursor: Cursor | null },
): Source<TenantRow> {
  const filter = filterOf(question, cursor);
  const limit = chunkRows(question);
  let offset = 0;
  return chunked(async () => {
    const { rows } = await ask.deliveries({ tenantId: tenant.id }, filter, {
      offset,
      limit,
      direction: 'descending',
    });
    offset += rows.length;
    const fresh = cursor === null ? rows : rows.filter((row) => isOlder(row, cursor));
    return { rows: fresh.map((row) => ({ ...row, tenant })), more: rows.length === limit };
  });
}

function isOlder({ mail, delivery }: DeliveryRow, { mailId, n }: Cursor): boolean {
  return mail.mailId === mailId ? delivery.n < n : mail.mailId < mailId;
}

/** The order of the ledger. */
function isNewer(a: TenantRow, b: TenantRow): boolean {
  return isOlder(b, { mailId: a.mail.mailId, n: a.delivery.n });
}

/** The ledger searches an address in several places at once; `addressMatcher` tells them apart. */
function filterOf(question: Question, cursor: Cursor | null): DeliveryFilter {
  const { to, from, status, id, since, until } = question;
  const search = [to, from].filter((text) => text !== undefined).map((text) => ({ text }));
  const before = Math.min(until ?? Infinity, cursor ? mailIdParts(cursor.mailId).at + 1 : Infinity);
  return {
    ...(before === Infinity ? {} : { to: before }),
    ...(since === undefined ? {} : { from: since }),
    ...(id ?? {}),
    ...(status === undefined ? {} : { status: [{ states: status }] }),
    ...(search.length === 0 ? {} : { search }),
  };
}
