/** `GET /mail/stats`: how much mail there was, and what it costs, over all active orders of the account. */
import { z } from 'zod';
import { limits } from '../../../base/limits.ts';
import type { Ask, MailTotals, Scope, TopKey, TopRow } from '../../../ledger/ledger.ts';
import type { Account } from '../authenticate.ts';
import { errorReply, noActiveOrder } from '../errors.ts';
import { parseStats, statsParameters } from '../parse.ts';
import { renderStats, type Stats } from '../render.ts';
import { type Route, security, unauthorized } from '../route.ts';
import { type Range, windowOf } from '../window.ts';
import { timeWindows } from '../words.ts';

/** Keys of each volume map. */
const volumeKeys = 500;

const counts = z.record(z.string(), z.int());

const statsReply = z.object({
  time: z.enum(timeWindows).describe('The window in force.'),
  usage: z.int().describe('Messages accepted in the billing cycle.'),
  currency: z.string(),
  cost: z.number().describe('Price of the billing cycle so far.'),
  received: z.int().describe('Messages accepted in the window.'),
  sent: z.int().describe('Those of them that were delivered to at least one recipient.'),
  volume: z
    .object({
      to: counts.describe('By recipient.'),
      from: counts.describe('By envelope sender.'),
      ip: counts.describe('By IP address of the submitting client.'),
    })
    .describe(`Messages of the window: the ${volumeKeys} highest of each, largest first.`),
}) satisfies z.ZodType<Stats>;

export const mailStats: Route = {
  endpoint: {
    method: 'get',
    path: '/mail/stats',
    summary: 'Account usage statistics',
    description: '`usage` and `cost` are of the billing cycle, whatever the window.',
    security,
    query: statsParameters,
    replies: {
      200: { description: 'The statistics.', schema: statsReply },
      400: { description: 'The account has no active mail order.', schema: errorReply },
      ...unauthorized,
    },
  },
  async answer({ ask, clock }, { account, fields, settings }) {
    const scopes = scopesOf(account);
    if (scopes.length === 0) return noActiveOrder;
    const time = parseStats(fields);
    const now = clock.now();
    const range = windowOf(time, now, settings);
    const cycle = await totals(ask, scopes, windowOf('billing', now, settings));
    const counted = {
      time,
      usage: cycle.accepted,
      totals: await totals(ask, scopes, range),
      volume: {
        to: await top(ask, scopes, 'forwardPath', range),
        from: await top(ask, scopes, 'reversePath', range),
        ip: await top(ask, scopes, 'origin', range),
      },
    };
    return renderStats(counted, settings);
  },
};

/** One scope for the whole tenant while nothing of it is left out. */
function scopesOf({ tenantId, activeOrders, allActive }: Account): Scope[] {
  if (allActive && activeOrders.length > 0) return [{ tenantId }];
  return activeOrders.map((streamId) => ({ tenantId, streamId }));
}

async function totals(ask: Ask, scopes: readonly Scope[], { from, to }: Range): Promise<MailTotals> {
  const sum: MailTotals = { accepted: 0, delivered: 0 };
  for (const scope of scopes) {
    const { accepted, delivered } = await ask.mailTotals(scope, from, to);
    sum.accepted += accepted;
    sum.delivered += delivered;
  }
  return sum;
}

/** Of several orders each is asked for more than is shown: what is rare in each may be frequent in all. */
async function top(ask: Ask, scopes: readonly Scope[], key: TopKey, { from, to }: Range): Promise<TopRow[]> {
  const [first] = scopes;
  if (first && scopes.length === 1) return await ask.top(first, key, from, to, volumeKeys);
  const sums = new Map<string, number>();
  for (const scope of scopes) {
    for (const row of await ask.top(scope, key, from, to, limits.logPageRows)) {
      sums.set(row.key, (sums.get(row.key) ?? 0) + row.count);
    }
  }
  return [...sums]
    .map(([name, count]) => ({ key: name, count }))
    .sort((a, b) => b.count - a.count || Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
    .slice(0, volumeKeys);
}
