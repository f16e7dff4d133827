/** The tables that are drawn from `events`, each with the statement of its materialized view. */
import { deliveriesFeed } from './schema/0002-deliveries.ts';
import { engagementFeed } from './schema/0003-engagement.ts';
import { countersFeed, totalsFeed } from './schema/0004-counters.ts';

export interface Projection {
  table: string;
  /** The very statement of the view, so that a rebuild cannot drift apart from it. */
  feed: string;
  /** The column that tells how old a row is. */
  aged: 'accepted_at' | 'quarter';
  /** The same for the events it is made of. */
  agedEvents: 'accepted_at' | 'at';
}

const byMail = { aged: 'accepted_at', agedEvents: 'accepted_at' } as const;
const byTime = { aged: 'quarter', agedEvents: 'at' } as const;

export const projections: readonly Projection[] = [
  { table: 'deliveries', feed: deliveriesFeed, ...byMail },
  { table: 'engagement', feed: engagementFeed, ...byMail },
  { table: 'totals', feed: totalsFeed, ...byTime },
  { table: 'counters', feed: countersFeed, ...byTime },
];

/** The feed over some of the events only. The conditions name columns of `events`, of which some are ALIAS columns. */
export function feedOf({ feed }: Pick<Projection, 'feed'>, conditions: readonly string[]): string {
  if (conditions.length === 0) return feed;
  return feed.replace(
    'FROM events',
    `FROM (SELECT * FROM events WHERE ${conditions.join(' AND ')} SETTINGS asterisk_include_alias_columns = 1) AS events`,
  );
}
