/** Logs of other systems: what was read of them, and the mails they told of. */
export const imports = `
CREATE TABLE import_sources (
  id INTEGER PRIMARY KEY,
  tenant_id INTEGER NOT NULL,
  format TEXT NOT NULL,
  UNIQUE (tenant_id, format)
) STRICT;

-- One import, known again by what its files begin with: where it stands, and its sums so far.
CREATE TABLE import_runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  source_id INTEGER NOT NULL,
  files TEXT NOT NULL,
  state TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (source_id, files)
) STRICT;

-- One mail, or one stay of it under a queue id, from its first line to its last.
CREATE TABLE import_mails (
  source_id INTEGER NOT NULL,
  queue_id TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  -- Null if it has no events.
  mail_id INTEGER,
  -- The run whose sums have its share.
  run_id INTEGER NOT NULL,
  headless INTEGER NOT NULL,
  share TEXT,
  -- What is known of a mail under way, or which one this is a part of; null once it came to its end.
  kept TEXT,
  PRIMARY KEY (source_id, queue_id, first_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX import_mails_by_id ON import_mails (mail_id) WHERE mail_id IS NOT NULL;
CREATE INDEX import_mails_by_run ON import_mails (run_id);
`;
