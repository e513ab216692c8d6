import type { Migration } from "../driver.ts";

/**
 * How people have arranged their overview page, and dashboards that people made; those that come along are files. `source_slots` holds
 * how many logs of a source came when, by arrival: slots of ten minutes, and of an hour once they are two days old.
 */
export const overview: Migration = {
  version: 12,
  sql: `
  CREATE TABLE overview_layouts (
    user_id TEXT PRIMARY KEY,
    layout TEXT NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE dashboards (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    document TEXT NOT NULL,
    author TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE source_slots (
    source TEXT NOT NULL,
    start INTEGER NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (source, start)
  ) STRICT, WITHOUT ROWID;
`,
};
