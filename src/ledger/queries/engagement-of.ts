/** Opens, clicks and complaints of the deliveries of a page. */
import type { Engine } from '../engine.ts';
import type { DeliveryRow } from '../question.ts';
import { boundTime } from './where.ts';

type Facts = DeliveryRow['engagement'];

/** Keeps the engine to the partitions of a page. */
export const acceptedWithin = `accepted_at >= ${boundTime('acceptedFrom')}
  AND accepted_at <= ${boundTime('acceptedTo')}`;

export interface PageOfMails {
  tenantId: number;
  mailIds: readonly number[];
  /** Times of acceptance of the first and the last of them. */
  acceptedFrom: number;
  acceptedTo: number;
}

const statement = `SELECT mail_id, n, sum(opens), sum(clicks),
  toUnixTimestamp64Milli(min(complained_at)), toUnixTimestamp64Milli(min(unsubscribed_at))
FROM engagement
WHERE tenant_id = {tenantId:UInt64} AND ${acceptedWithin} AND mail_id IN {mailIds:Array(UInt64)}
GROUP BY mail_id, n`;

export async function engagementOf(
  engine: Engine,
  { tenantId, mailIds, acceptedFrom, acceptedTo }: PageOfMails,
): Promise<(mailId: number, n: number) => Facts> {
  const rows = await engine.ask(statement, { tenantId, mailIds, acceptedFrom, acceptedTo });
  const found = new Map<string, Facts>();
  for (const [mailId, n, opens, clicks, complainedAt, unsubscribedAt] of rows) {
    found.set(`${mailId}:${n}`, {
      opens: Number(opens),
      clicks: Number(clicks),
      complainedAt: complainedAt as number | null,
      unsubscribedAt: unsubscribedAt as number | null,
    });
  }
  return (mailId, n) =>
    found.get(`${mailId}:${n}`) ?? { opens: 0, clicks: 0, complainedAt: null, unsubscribedAt: null };
}
