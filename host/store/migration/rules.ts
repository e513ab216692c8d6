import type { Migration } from "../driver.ts";

/**
 * Rules. `own` ones are whole in `document`; of `given` ones, which files and packs bring along, it holds what was changed, and
 * `base_hash` what they were when last looked at. Versions hold the whole rule as it was.
 */
export const rules: Migration = {
  version: 5,
  sql: `
  CREATE TABLE rules (
    id TEXT PRIMARY KEY,
    origin TEXT NOT NULL CHECK (origin IN ('own', 'given')),
    version INTEGER NOT NULL,
    document TEXT NOT NULL,
    base_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL
  ) STRICT;
  CREATE TABLE rule_versions (
    rule_id TEXT NOT NULL REFERENCES rules (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    author TEXT NOT NULL,
    document TEXT NOT NULL,
    changes TEXT NOT NULL,
    UNIQUE (rule_id, version)
  ) STRICT;
`,
};
