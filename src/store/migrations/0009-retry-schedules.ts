/** Retry schedules of tenants, by class of mail; who has none follows the configuration. */
export const retrySchedules = `
CREATE TABLE retry_schedules (
  tenant_id INTEGER NOT NULL REFERENCES tenants (id),
  class TEXT NOT NULL CHECK (class IN ('transactional', 'bulk')),
  -- JSON: the waits between the attempts, in milliseconds.
  waits TEXT NOT NULL,
  PRIMARY KEY (tenant_id, class)
) STRICT, WITHOUT ROWID;
`;
