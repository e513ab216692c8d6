import type { Migration } from "../driver.ts";

/**
 * What was done by whom, in a chain: each record's hash covers the one before it.
 *
 * The columns are copies out of `record`, to be found by. `audit_chain` is one row: the last record that was let go of for its age, by
 * which the first of those left is checked, and the newest, so that an end that was cut off is missed.
 */
export const audit: Migration = {
  version: 4,
  sql: `
    CREATE TABLE audit_events (
      number INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      time INTEGER NOT NULL,
      event TEXT NOT NULL,
      action TEXT NOT NULL,
      asset_type TEXT NOT NULL,
      user_id TEXT NOT NULL,
      user_email TEXT NOT NULL,
      auth_method TEXT NOT NULL,
      record TEXT NOT NULL,
      hash TEXT NOT NULL
    ) STRICT;
    CREATE INDEX audit_events_by_time ON audit_events (time, number);
    CREATE INDEX audit_events_by_user ON audit_events (user_id, time, number);
    CREATE TABLE audit_chain (
      only INTEGER PRIMARY KEY CHECK (only = 1),
      anchor_number INTEGER NOT NULL,
      anchor_hash TEXT NOT NULL,
      head_number INTEGER NOT NULL,
      head_hash TEXT NOT NULL
    ) STRICT;
    INSERT INTO audit_chain VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', 0, '0000000000000000000000000000000000000000000000000000000000000000');
  `,
};
