/** What clients asked for in MAIL and RCPT: JSON of `src/protocol/smtp/envelope-options.ts`, null for nothing. */
export const envelopeOptions = `
ALTER TABLE mails ADD COLUMN options TEXT;
ALTER TABLE deliveries ADD COLUMN options TEXT;
-- 1: waits while anything else is due.
ALTER TABLE deliveries ADD COLUMN bulk INTEGER NOT NULL DEFAULT 0;
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (bulk, due_at) WHERE due_at IS NOT NULL AND state <> 'held';
-- Of a held delivery \`due_at\` is when it is released; null: when somebody says so.
CREATE INDEX deliveries_held_until ON deliveries (due_at) WHERE state = 'held' AND due_at IS NOT NULL;
`;
