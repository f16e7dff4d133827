/** Keys that sign mail. Times are UTC milliseconds. */
export const dkimKeys = `
-- AUTOINCREMENT: a number is never used twice, so a key in a process's memory cannot be taken for another.
CREATE TABLE dkim_keys (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id INTEGER NOT NULL,
  domain TEXT NOT NULL,
  selector TEXT NOT NULL,
  algorithm TEXT NOT NULL CHECK (algorithm IN ('rsa-sha256', 'ed25519-sha256')),
  -- pending: to be published; active: signs; retired: signed once.
  state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'retired')),
  public_key TEXT NOT NULL,
  -- Null once retired: what signs no more is not kept.
  sealed_private_key BLOB,
  created_at INTEGER NOT NULL,
  activated_at INTEGER,
  retired_at INTEGER,
  -- Until then a retired key's record has to stay in the DNS: mail it signed is on its way.
  publish_until INTEGER,
  UNIQUE (domain, selector),
  FOREIGN KEY (domain, tenant_id) REFERENCES sending_domains (domain, tenant_id) ON DELETE CASCADE,
  CHECK ((state = 'retired') = (sealed_private_key IS NULL))
) STRICT;
-- One key of each algorithm signs, and one may wait.
CREATE UNIQUE INDEX dkim_keys_in_use ON dkim_keys (tenant_id, domain, state, algorithm) WHERE state <> 'retired';
CREATE INDEX dkim_keys_by_domain ON dkim_keys (tenant_id, domain);
`;
