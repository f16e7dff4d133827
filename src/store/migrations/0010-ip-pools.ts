/** The pool of source addresses that a tenant's mail leaves from, by class of mail; without a row the system chooses. */
export const ipPools = `
CREATE TABLE ip_pools (
  tenant_id INTEGER NOT NULL REFERENCES tenants (id),
  class TEXT NOT NULL CHECK (class IN ('transactional', 'bulk')),
  pool TEXT NOT NULL,
  PRIMARY KEY (tenant_id, class)
) STRICT, WITHOUT ROWID;
`;
