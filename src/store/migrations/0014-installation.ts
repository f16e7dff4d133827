/** What tells this store from every other: a copy of it, such as a restored backup, is the same one. */
export const installation = `
CREATE TABLE installation (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  store_id TEXT NOT NULL
) STRICT;
INSERT INTO installation (id, store_id) VALUES (1, lower(hex(randomblob(16))));
`;
