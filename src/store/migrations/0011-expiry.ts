/** What of a lane was to end by now, found without a look at what may wait longer. */
export const expiry = `
CREATE INDEX deliveries_expiry ON deliveries (bulk, tenant_id, destination, facts ->> 'expiresAt')
  WHERE due_at IS NOT NULL AND state <> 'held';
`;
