/** MTA-STS policies of the domains we send to. Times are UTC milliseconds. */
export const mtaStsPolicies = `
CREATE TABLE mta_sts_policies (
  domain TEXT PRIMARY KEY,
  policy_id TEXT NOT NULL,
  mode TEXT NOT NULL CHECK (mode IN ('enforce', 'testing', 'none')),
  -- Host names and wildcards, separated by blanks.
  mx TEXT NOT NULL,
  max_age_seconds INTEGER NOT NULL,
  fetched_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX mta_sts_policies_by_end ON mta_sts_policies (expires_at);
`;
