/** What the questions of this API have in common: their parameters, and how a wrong one is answered. */
import { z } from 'zod';
import { mailIdOfRelayId } from '../base/id.ts';
import { limits } from '../base/limits.ts';
import { deliveryStates, type MailEvent } from '../events/event.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { problemReply } from '../http/problem.ts';
import { type Fields, queryOf } from '../http/query.ts';
import { installationTenant, type Tenant } from '../tenants/tenants.ts';
import type { ConsoleApiDeps } from './console-api.ts';

export const security: Endpoint['security'] = [
  {
    kind: 'header',
    name: 'Authorization',
    description: '`Bearer` and the token of the run, which stands in `run.json` of the data directory.',
  },
];

const problem = { contentType: 'application/problem+json' };

export const refusals: Endpoint['replies'] = {
  400: { description: 'A parameter is unknown or wrong; `detail` says which.', ...problem },
  401: { description: 'No token, or not that of this run.', ...problem },
  404: { description: 'There is no such tenant.', ...problem },
  503: { description: 'The ledger cannot answer now.', ...problem },
};

/** `2026-11-22T10:00:00Z`, with any offset, or UTC milliseconds. */
const moment = z.string().transform((text, context) => {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const instant = z.iso.datetime({ offset: true }).safeParse(text);
  if (instant.success) return Temporal.Instant.from(text).epochMilliseconds;
  context.addIssue('expected a time such as 2026-11-22T10:00:00Z, or UTC milliseconds');
  return z.NEVER;
});

/** `relayid` or `relayid:n`. */
const mailOrDeliveryId = z.string().transform((text, context) => {
  const [relayId = '', n, ...more] = text.split(':');
  const mailId = mailIdOfRelayId(relayId);
  const numbered = n === undefined || /^[1-9]\d{0,4}$/.test(n);
  if (mailId !== null && numbered && more.length === 0) {
    return { mailId, ...(n === undefined ? {} : { n: Number(n) }) };
  }
  context.addIssue('expected a relay id of 18 hex digits, with :n behind it for one forward-path');
  return z.NEVER;
});

const pageRows = z
  .string()
  .regex(/^\d{1,6}$/, 'expected a number')
  .transform(Number)
  .pipe(z.int().min(1).max(limits.consolePageRows))
  .default(50);

const addressText = z.string().max(limits.pathBytes);

/** Parameters of every question. */
export const commonParameters = {
  tenant: z
    .string()
    .optional()
    .describe(
      'Name of a tenant; `_installation` for the notifications of Waybill itself. Without it: all tenants, merged by time.',
    ),
  to: addressText.optional().describe('The forward-path, without regard to case.'),
  from: addressText.optional().describe('Address of the From field, without regard to case.'),
  status: z
    .array(z.enum(deliveryStates))
    .optional()
    .describe('State of the delivery; repeated: any of them.'),
  id: mailOrDeliveryId.optional().describe('A mail (`relayid`) or one delivery of it (`relayid:n`).'),
  since: moment.optional().describe('ISO 8601 with an offset, or UTC milliseconds; that moment included.'),
  until: moment.optional().describe('The same; that moment excluded.'),
  limit: pageRows.describe(`Most rows of a page, 1 to ${limits.consolePageRows}.`),
};

export const maxCursorChars = 1024;

interface Addresses {
  to?: string | undefined;
  from?: string | undefined;
}

/** Without regard to case, which the ledger's own exact filters cannot do. */
export function addressMatcher({
  to,
  from,
}: Addresses): (row: Pick<MailEvent, 'mail' | 'delivery'>) => boolean {
  const [forwardPath, author] = [to, from].map((text) => text?.toLowerCase());
  return ({ mail, delivery }) =>
    (forwardPath === undefined || delivery.forwardPath.toLowerCase() === forwardPath) &&
    (author === undefined || mail.fromField.address.toLowerCase() === author);
}

/** Rows read of a tenant at a time: for one tenant a whole page, for many of them a part of it. */
export function chunkRows({ tenant, limit }: { tenant?: string | undefined; limit: number }): number {
  return tenant === undefined ? limits.consoleChunkRows : Math.max(limit, limits.consoleChunkRows);
}

export type Parsed<T> = { ok: true; value: T } | { ok: false; reply: Response };

/** Unknown parameters are refused: a misspelt filter that is passed over shows what nobody asked for. */
export function parseQuery<S extends z.ZodObject>(schema: S, url: string): Parsed<z.output<S>> {
  const parsed = schema.safeParse(valuesOf(queryOf(url), schema));
  if (parsed.success) return { ok: true, value: parsed.data };
  const problems = parsed.error.issues.map(({ path, message }) => {
    const name = path[0] === undefined ? '' : `${String(path[0])}: `;
    return `${name}${message}`;
  });
  return badRequest(problems.join('; '));
}

/** Repeated parameters become lists where the schema has one; of the others the last value counts. */
function valuesOf(fields: Fields, schema: z.ZodObject): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, values]) => {
      const member = Object.hasOwn(schema.shape, name) ? schema.shape[name] : undefined;
      const list = member instanceof z.ZodOptional && member.unwrap() instanceof z.ZodArray;
      return [name, list ? values : values.at(-1)];
    }),
  );
}

const maxDetailChars = 500;

export function badRequest(detail: string): { ok: false; reply: Response } {
  const text = detail.length > maxDetailChars ? `${detail.slice(0, maxDetailChars)}…` : detail;
  return { ok: false, reply: problemReply({ status: 400, title: 'Bad Request', detail: text }) };
}

/** Those the question goes through: the one it names, or all. */
export function tenantsAsked(deps: ConsoleApiDeps, name: string | undefined): Parsed<readonly Tenant[]> {
  if (name !== undefined) {
    const own = name === installationTenant.name;
    const tenant = own ? installationTenant : deps.tenants.tenantNamed(name);
    return tenant ? { ok: true, value: [tenant] } : unknownTenant(name);
  }
  const all = deps.tenants.tenants();
  if (all.length <= limits.consoleTenants) return { ok: true, value: all };
  return badRequest(`there are more than ${limits.consoleTenants} tenants: name one with "tenant"`);
}

/** The one a question names; null: all. */
export function tenantNamed(deps: ConsoleApiDeps, name: string | undefined): Parsed<Tenant | null> {
  if (name === undefined) return { ok: true, value: null };
  const tenant = deps.tenants.tenantNamed(name);
  return tenant ? { ok: true, value: tenant } : unknownTenant(name);
}

function unknownTenant(name: string): { ok: false; reply: Response } {
  const detail = `There is no tenant ${name.slice(0, limits.echoedChars)}.`;
  return { ok: false, reply: problemReply({ status: 404, title: 'Not Found', detail }) };
}

/** An opaque text for the client; what comes back is checked like any other input. */
export function writeCursor(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

export function readCursor<T>(schema: z.ZodType<T>, text: string | undefined): Parsed<T | null> {
  if (text === undefined) return { ok: true, value: null };
  try {
    const parsed = schema.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    if (parsed.success) return { ok: true, value: parsed.data };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return badRequest('cursor: expected the text of `next` in an earlier answer');
}
