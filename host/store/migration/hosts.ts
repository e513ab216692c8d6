import type { Migration } from "../driver.ts";

/** Hosts as the Agents on them last told of themselves. Times in milliseconds; modules and tags are lists in JSON. */
export const hosts: Migration = {
  version: 13,
  sql: `
  CREATE TABLE hosts (
    name TEXT NOT NULL PRIMARY KEY,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    agent_version TEXT,
    os TEXT,
    modules TEXT NOT NULL DEFAULT '[]',
    tags TEXT NOT NULL DEFAULT '[]'
  ) STRICT;
  CREATE INDEX hosts_last_seen ON hosts (last_seen);
`,
};
