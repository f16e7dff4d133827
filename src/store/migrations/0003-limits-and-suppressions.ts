/** What a tenant may send, and whom nobody sends to. Times are UTC milliseconds. */
export const limitsAndSuppressions = `
-- One row per tenant that has limits: read with one look, counted with one update.
CREATE TABLE tenant_limits (
  tenant_id INTEGER PRIMARY KEY REFERENCES tenants (id),
  recipients_per_mail INTEGER,
  bytes_per_mail INTEGER,
  -- JSON: by period how many forward-paths, and what happens to more.
  quotas TEXT NOT NULL DEFAULT '{}',
  -- JSON: by period the window that was last counted in, and its count.
  use TEXT NOT NULL DEFAULT '{"windows":{},"backlog":false}'
) STRICT;

-- AUTOINCREMENT: the id of a rule that is gone is never that of another.
CREATE TABLE deny_rules (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id INTEGER NOT NULL REFERENCES tenants (id),
  type TEXT NOT NULL CHECK (type IN ('domain', 'email', 'startswith', 'destination')),
  data TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (tenant_id, type, data)
) STRICT;

-- An address can be on several lists, and on one of them for some sending domains only.
CREATE TABLE suppression_entries (
  tenant_id INTEGER NOT NULL REFERENCES tenants (id),
  address TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('bounce', 'complaint', 'unsubscribe')),
  -- '' for every sending domain of the tenant.
  domain TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  -- Null for one that stays until it is taken off.
  expires_at INTEGER,
  detail TEXT NOT NULL,
  PRIMARY KEY (tenant_id, address, kind, domain)
) STRICT, WITHOUT ROWID;
INSERT INTO suppression_entries SELECT tenant_id, address, kind, '', created_at, NULL, '' FROM suppressions;
DROP TABLE suppressions;
ALTER TABLE suppression_entries RENAME TO suppressions;
CREATE INDEX suppressions_expiring ON suppressions (expires_at) WHERE expires_at IS NOT NULL;

-- Addresses and domains that no suppression holds for.
CREATE TABLE never_suppressed (
  tenant_id INTEGER NOT NULL REFERENCES tenants (id),
  entry TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, entry)
) STRICT, WITHOUT ROWID;

-- The tenant whose quota a delivery is held by; null otherwise, also for one that a person holds.
ALTER TABLE deliveries ADD COLUMN held_for INTEGER;
-- To be held instead of tried again, once the attempt under way has ended.
ALTER TABLE deliveries ADD COLUMN hold_requested INTEGER NOT NULL DEFAULT 0;
CREATE INDEX deliveries_held ON deliveries (held_for, mail_id, n) WHERE held_for IS NOT NULL;
`;
