import type { Migration } from "../driver.ts";

/** Indicators that people upload: values of STIX objects, each object of one vendor and id as it was last sent. Times in milliseconds. */
export const intel: Migration = {
  version: 11,
  sql: `
  CREATE TABLE intel_indicators (
    vendor TEXT NOT NULL,
    object_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('ip', 'domain', 'url', 'hash')),
    value TEXT NOT NULL,
    detail TEXT NOT NULL,
    expires_at INTEGER,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (vendor, object_id, kind, value)
  ) STRICT, WITHOUT ROWID;
`,
};
