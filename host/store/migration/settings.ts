import type { Migration } from "../driver.ts";

/**
 * Suppressions, security filters and critical assets, each whole in `document`, and their versions, which are only ever added.
 *
 * `security_filter_configurations` holds all filters as they stood after each change of any. `suppressed_samples` is a ring for each
 * suppression: matches it stopped last; `key` is made of what was stopped, so that one told again after a restart is the same row.
 */
export const settings: Migration = {
  version: 6,
  sql: `
    CREATE TABLE settings (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL CHECK (kind IN ('suppression', 'security_filter', 'critical_asset')),
      version INTEGER NOT NULL,
      document TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      created_by TEXT NOT NULL,
      updated_at INTEGER NOT NULL,
      updated_by TEXT NOT NULL
    ) STRICT;
    CREATE INDEX settings_by_kind ON settings (kind, created_at, id);
    CREATE TABLE setting_versions (
      setting_id TEXT NOT NULL REFERENCES settings (id) ON DELETE CASCADE,
      version INTEGER NOT NULL,
      at INTEGER NOT NULL,
      author TEXT NOT NULL,
      document TEXT NOT NULL,
      UNIQUE (setting_id, version)
    ) STRICT;
    CREATE TABLE security_filter_configurations (
      version INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      filters TEXT NOT NULL
    ) STRICT;
    CREATE TABLE suppressed_samples (
      suppression_id TEXT NOT NULL,
      key TEXT NOT NULL,
      time INTEGER NOT NULL,
      sample TEXT NOT NULL,
      PRIMARY KEY (suppression_id, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX suppressed_samples_by_time ON suppressed_samples (suppression_id, time);
  `,
};
