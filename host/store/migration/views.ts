import type { Migration } from "../driver.ts";

/** What people keep of how they look at things: a query, its columns, its times. */
export const views: Migration = {
  version: 9,
  sql: `
  CREATE TABLE saved_views (
    id TEXT PRIMARY KEY,
    page TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    is_shared INTEGER NOT NULL,
    content TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX saved_views_by_owner ON saved_views (owner, page, name);
`,
};
