/** Times are UTC milliseconds. JSON columns hold the types of `src/events/event.ts`. */
export const first = `
CREATE TABLE tenants (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  zone TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- Numbers start at 10001: valid wherever an API wants five digits.
CREATE TABLE streams (
  id INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL REFERENCES tenants (id),
  name TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active', 'suspended')),
  UNIQUE (tenant_id, name)
) STRICT;

-- A name under a reserved top level belongs to nobody, so several tenants may have it.
CREATE TABLE sending_domains (
  domain TEXT NOT NULL,
  tenant_id INTEGER NOT NULL REFERENCES tenants (id),
  verified_at INTEGER,
  PRIMARY KEY (domain, tenant_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sending_domains_by_tenant ON sending_domains (tenant_id);

CREATE TABLE credentials (
  protocol TEXT NOT NULL,
  identifier TEXT NOT NULL,
  secret_hash TEXT NOT NULL,
  sealed_secret BLOB,
  tenant_id INTEGER NOT NULL REFERENCES tenants (id),
  stream_id INTEGER REFERENCES streams (id),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (protocol, identifier)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX credentials_by_secret ON credentials (protocol, secret_hash);

CREATE TABLE operators (
  name TEXT PRIMARY KEY,
  password_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE suppressions (
  tenant_id INTEGER NOT NULL REFERENCES tenants (id),
  address TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('bounce', 'complaint', 'unsubscribe')),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, address)
) STRICT, WITHOUT ROWID;

-- One accepted (or, with no open delivery and no content, refused) mail.
CREATE TABLE mails (
  mail_id INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL,
  facts TEXT NOT NULL,
  open_deliveries INTEGER NOT NULL,
  -- Of the newest outbox row about this mail: once the ledger has it, an ended mail may be cleared.
  last_sequence INTEGER NOT NULL,
  -- Where the content stands: in \`contents\` (segment null) or in a segment file of the spool.
  segment INTEGER,
  segment_offset INTEGER,
  content_bytes INTEGER NOT NULL,
  checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX mails_ended ON mails (last_sequence) WHERE open_deliveries = 0;
CREATE INDEX mails_by_segment ON mails (segment) WHERE segment IS NOT NULL;

-- Ids rise for ever, also when every mail has been cleared and the clock went back.
CREATE TABLE mail_ids (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  highest_cleared INTEGER NOT NULL
) STRICT;
INSERT INTO mail_ids (id, highest_cleared) VALUES (1, 0);

-- Apart from mails, so that a change of state does not rewrite the content.
CREATE TABLE contents (
  mail_id INTEGER PRIMARY KEY,
  content BLOB NOT NULL
) STRICT;

CREATE TABLE deliveries (
  mail_id INTEGER NOT NULL REFERENCES mails (mail_id),
  n INTEGER NOT NULL,
  destination TEXT NOT NULL,
  -- When to try; null while leased, held or ended.
  due_at INTEGER,
  -- When the attempt under way began; null otherwise.
  leased_at INTEGER,
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL,
  facts TEXT NOT NULL,
  PRIMARY KEY (mail_id, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_leased ON deliveries (leased_at) WHERE leased_at IS NOT NULL;

-- Events on their way to the ledger. AUTOINCREMENT: a number is never used twice, and a transaction that is
-- undone takes its numbers back, so the sequence has no holes.
CREATE TABLE outbox (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  mail_id INTEGER NOT NULL,
  type TEXT NOT NULL,
  at INTEGER NOT NULL,
  delivery TEXT NOT NULL,
  status TEXT,
  engagement TEXT
) STRICT;

-- How far the ledger has come. \`pending_to\` is the end of the batch that was begun: after a crash it is
-- appended again under the same token.
CREATE TABLE ledger_cursor (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  appended_to INTEGER NOT NULL,
  pending_to INTEGER
) STRICT;
INSERT INTO ledger_cursor (id, appended_to, pending_to) VALUES (1, 0, NULL);
`;
