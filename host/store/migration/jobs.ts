import type { Migration } from "../driver.ts";

/**
 * Rules run over past logs, and the signals they found. A job that is begun anew writes under another `run`; what stands under
 * `results_run` is what it found, and is there as a whole or not at all.
 */
export const jobs: Migration = {
  version: 8,
  sql: `
  CREATE TABLE historical_jobs (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    definition TEXT NOT NULL,
    work TEXT NOT NULL,
    from_rule_id TEXT,
    signal_output INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    progress REAL NOT NULL,
    run INTEGER NOT NULL,
    results_run INTEGER,
    signals INTEGER NOT NULL,
    left_out INTEGER NOT NULL,
    events INTEGER NOT NULL,
    note TEXT NOT NULL
  ) STRICT;
  CREATE INDEX historical_jobs_by_status ON historical_jobs (status, created_at);
  CREATE TABLE historical_signals (
    job_id TEXT NOT NULL REFERENCES historical_jobs (id) ON DELETE CASCADE,
    run INTEGER NOT NULL,
    signal_id TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    severity TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    events_matched INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (job_id, run, signal_id)
  ) STRICT;
  CREATE INDEX historical_signals_by_time ON historical_signals (first_seen, job_id, signal_id);
`,
};
