import type { Migration } from "../driver.ts";

/** Reference tables. Rows belong to a generation, so that a new file is in place as a whole or not at all. */
export const tables: Migration = {
  version: 7,
  sql: `
  CREATE TABLE reference_tables (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    fields TEXT NOT NULL,
    primary_key TEXT NOT NULL,
    tags TEXT NOT NULL,
    status TEXT NOT NULL,
    generation INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    error_type TEXT,
    error_message TEXT,
    error_rows INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE reference_rows (
    table_id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    key TEXT NOT NULL,
    cells TEXT NOT NULL,
    PRIMARY KEY (table_id, generation, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE reference_uploads (
    id TEXT PRIMARY KEY,
    table_name TEXT NOT NULL,
    headers TEXT NOT NULL,
    parts INTEGER NOT NULL,
    part_bytes INTEGER NOT NULL,
    token_hash TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
`,
};
