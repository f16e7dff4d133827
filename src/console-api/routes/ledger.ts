/**
 * `GET /api/v1/ledger`: how the ledger's upkeep stands. `POST /api/v1/ledger/jobs`: has it do something; the answer
 * comes at once, and the status tells how far the job has come. One job runs at a time.
 */
import type { Hono } from 'hono';
import { z } from 'zod';
import { limits } from '../../base/limits.ts';
import type { Endpoint } from '../../http/endpoint.ts';
import { problemReply } from '../../http/problem.ts';
import { readBody } from '../../http/read-body.ts';
import { type Job, type JobRequest, jobKinds } from '../../upkeep/upkeep.ts';
import type { ConsoleApiDeps } from '../console-api.ts';
import { badRequest, type Parsed, refusals, security } from '../parameters.ts';

export interface LedgerReply {
  /** The job that runs, or ended last since the server was started; null: none. */
  current: Job | null;
  /** Of each kind the last that ended. */
  last: Job[];
}

export interface JobReply {
  job: Job;
}

const jobSchema = z.object({
  id: z.string(),
  kind: z.enum(jobKinds),
  state: z.enum(['running', 'done', 'failed']),
  startedAt: z.int(),
  endedAt: z.int().nullable(),
  progress: z.object({ done: z.number(), total: z.number() }).describe('In steps of its own.'),
  result: z.looseObject({}).nullable().describe('What it found or did; null while it runs, or if it failed.'),
  problem: z.string().nullable(),
});

export const ledgerEndpoint: Endpoint = {
  method: 'get',
  path: '/api/v1/ledger',
  summary: "How the ledger's upkeep stands",
  description: 'The job that runs or ended last, and of each kind the last that ended.',
  security,
  replies: {
    200: {
      description: 'The status.',
      schema: z.object({ current: jobSchema.nullable(), last: z.array(jobSchema) }),
    },
    ...refusals,
  },
};

const request = z.strictObject({
  kind: z.enum(jobKinds).describe('What to do.'),
  chain: z.boolean().default(false).describe('verify: walk the chain of batches as well.'),
  preview: z.boolean().default(false).describe('retention, erase, anonymise: count only.'),
  tenant: z.string().optional().describe('retention, erase, anonymise: name of a tenant; absent: all.'),
  address: z.string().max(limits.pathBytes).optional().describe('erase: whose address.'),
  olderThanMs: z.int().min(0).optional().describe('anonymise: instead of the settings.'),
});

type Request = z.output<typeof request>;

const problem = { contentType: 'application/problem+json' };

export const jobsEndpoint: Endpoint = {
  method: 'post',
  path: '/api/v1/ledger/jobs',
  summary: 'Verify, rebuild, remove, erase or anonymise',
  description: 'Begins a job and answers at once; `GET /api/v1/ledger` tells how far it has come.',
  security,
  body: { contentTypes: ['application/json'], schema: request },
  replies: {
    202: { description: 'It runs.', schema: z.object({ job: jobSchema }) },
    ...refusals,
    409: { description: 'Another job is running.', ...problem },
  },
};

export function mountLedger(app: Hono, deps: ConsoleApiDeps): void {
  app.get(ledgerEndpoint.path, (c) => c.json(deps.upkeep.status() satisfies LedgerReply));
  app.post(jobsEndpoint.path, async (c) => {
    const wanted = await bodyOf(c.req.raw);
    if (!wanted.ok) return wanted.reply;
    const named = jobRequest(deps, wanted.value);
    if (!named.ok) return named.reply;
    const started = deps.upkeep.start(named.value);
    if (started.ok) return c.json({ job: started.job } satisfies JobReply, 202);
    const detail = `The ledger is being worked on (${started.running.kind}); try again when that has ended.`;
    return problemReply({ status: 409, title: 'Conflict', detail });
  });
}

async function bodyOf(raw: globalThis.Request): Promise<Parsed<Request>> {
  const body = await readBody(raw);
  if (!body.ok) return badRequest(body.problem);
  const parsed = request.safeParse(body.json);
  if (parsed.success) return { ok: true, value: parsed.data };
  return badRequest(
    parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
  );
}

function jobRequest({ tenants }: ConsoleApiDeps, wanted: Request): Parsed<JobRequest> {
  const { kind, chain, preview, tenant: name, address, olderThanMs } = wanted;
  const tenant = name === undefined ? null : tenants.tenantNamed(name);
  if (name !== undefined && tenant === null) {
    const detail = `There is no tenant ${name.slice(0, limits.echoedChars)}.`;
    return { ok: false, reply: problemReply({ status: 404, title: 'Not Found', detail }) };
  }
  const which = { preview, ...(tenant === null ? {} : { tenantId: tenant.id }) };
  switch (kind) {
    case 'verify':
      return { ok: true, value: { kind, chain: chain ? 'everything' : 'nothing' } };
    case 'rebuild':
      return { ok: true, value: { kind } };
    case 'retention':
      return { ok: true, value: { kind, ...which } };
    case 'erase':
      if (address === undefined) return badRequest('address: whose address is to be erased?');
      return { ok: true, value: { kind, ...which, address } };
    case 'anonymise':
      return { ok: true, value: { kind, ...which, ...(olderThanMs === undefined ? {} : { olderThanMs }) } };
  }
}
