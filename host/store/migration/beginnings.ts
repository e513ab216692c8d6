import type { Migration } from "../driver.ts";

/** Signals as detection tells them, and keys. */
export const beginnings: Migration = {
  version: 1,
  sql: `
    CREATE TABLE signals (
      id TEXT PRIMARY KEY,
      rule_id TEXT NOT NULL,
      severity TEXT NOT NULL,
      first_seen INTEGER NOT NULL,
      last_seen INTEGER NOT NULL,
      events_matched INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      version INTEGER NOT NULL,
      document TEXT NOT NULL
    ) STRICT;
    CREATE INDEX signals_by_time ON signals (first_seen DESC, id);
    CREATE INDEX signals_by_rule ON signals (rule_id, first_seen DESC);
    CREATE TABLE keys (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL CHECK (kind IN ('api', 'application')),
      name TEXT NOT NULL,
      hash TEXT NOT NULL UNIQUE,
      last4 TEXT NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT;
  `,
};
