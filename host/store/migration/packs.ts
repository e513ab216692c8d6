import type { Migration } from "../driver.ts";

/**
 * Content packs. `decision` is what people asked for; where they asked for nothing, the settings decide. `source_days` holds, of each
 * source and day (UTC, of arrival), how many logs came, how many of them no pipeline understood and how many the security filters kept
 * from being judged; `pack_facts` what else a pack's state is told of; `source_position` is up to where the journal was looked at for that.
 */
export const packs: Migration = {
  version: 10,
  sql: `
  CREATE TABLE content_packs (
    name TEXT PRIMARY KEY,
    decision TEXT CHECK (decision IN ('activated', 'deactivated')),
    activated_at INTEGER,
    deactivated_at INTEGER,
    by TEXT NOT NULL,
    version TEXT NOT NULL,
    version_before TEXT NOT NULL,
    upgraded_at INTEGER
  ) STRICT;
  CREATE TABLE source_days (
    source TEXT NOT NULL,
    day INTEGER NOT NULL,
    events INTEGER NOT NULL,
    unparsed INTEGER NOT NULL,
    filtered INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    PRIMARY KEY (source, day)
  ) STRICT;
  CREATE TABLE pack_facts (
    name TEXT PRIMARY KEY,
    facts TEXT NOT NULL
  ) STRICT;
  CREATE TABLE source_position (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    position TEXT NOT NULL
  ) STRICT;
`,
};
