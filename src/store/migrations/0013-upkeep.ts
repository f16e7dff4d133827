/** What is kept for how long, what is held, and what the upkeep of the ledger did last. Times are UTC milliseconds. */
export const upkeep = `
-- JSON of the settings a tenant has of its own: src/upkeep/settings.ts.
CREATE TABLE tenant_retention (
  tenant_id INTEGER PRIMARY KEY REFERENCES tenants (id),
  settings TEXT NOT NULL
) STRICT;

-- Legal holds. AUTOINCREMENT: the id of a hold that ended is never that of another.
CREATE TABLE ledger_holds (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id INTEGER NOT NULL REFERENCES tenants (id),
  kind TEXT NOT NULL CHECK (kind IN ('tenant', 'address', 'mail')),
  -- '' for a tenant; an address in lower case; a mail id in digits.
  subject TEXT NOT NULL,
  note TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (tenant_id, kind, subject)
) STRICT;

-- The last run of each kind, as JSON.
CREATE TABLE upkeep_runs (
  kind TEXT PRIMARY KEY,
  run TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;
