/** Source addresses that are being warmed up, and what each site was sent from them. Times are UTC milliseconds. */
export const warmUps = `
-- AUTOINCREMENT: what is counted for a warm-up that was stopped is never counted for another.
CREATE TABLE warm_ups (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  source TEXT NOT NULL UNIQUE,
  plan TEXT NOT NULL,
  -- JSON: days and mails a day, in order.
  stages TEXT NOT NULL,
  paused INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER NOT NULL
) STRICT;

CREATE TABLE warm_up_sites (
  warm_up_id INTEGER NOT NULL REFERENCES warm_ups (id) ON DELETE CASCADE,
  site TEXT NOT NULL,
  -- The last day on which something was sent, since 1970-01-01, and what was sent on it; days of the plan that are done.
  day INTEGER NOT NULL,
  days_done INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  PRIMARY KEY (warm_up_id, site)
) STRICT, WITHOUT ROWID;

-- Not 0: the lane is parked because of a warm-up, whose next day begins then.
ALTER TABLE lanes ADD COLUMN warm_up_until INTEGER NOT NULL DEFAULT 0;
CREATE INDEX lanes_warm_up ON lanes (warm_up_until, bulk, tenant_id, destination) WHERE warm_up_until > 0;
`;
