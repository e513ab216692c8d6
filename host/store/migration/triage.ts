import type { Migration } from "../driver.ts";

/**
 * What people do with a signal, what they did before, and what signals have in common.
 *
 * `change_number` is one more with each stored change of any signal: whoever keeps a copy reads on from the last one it has;
 * `signal_changes` holds the last one given, so that none is given twice.
 * `entities` is the JSON of what stands in `signal_entities`, to tell without a look whether that is to be written anew.
 * Of people are kept, as they were at the time: uuid, handle and name, as JSON.
 */
export const triage: Migration = {
  version: 2,
  sql: `
    ALTER TABLE signals ADD COLUMN change_number INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE signals ADD COLUMN closes_at INTEGER;
    ALTER TABLE signals ADD COLUMN entities TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE signals ADD COLUMN triage_version INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE signals ADD COLUMN triage_state TEXT NOT NULL DEFAULT 'open' CHECK (triage_state IN ('open', 'under_review', 'archived'));
    ALTER TABLE signals ADD COLUMN assignee TEXT;
    ALTER TABLE signals ADD COLUMN archive_reason TEXT NOT NULL DEFAULT 'none';
    ALTER TABLE signals ADD COLUMN archive_comment TEXT NOT NULL DEFAULT '';
    ALTER TABLE signals ADD COLUMN archive_comment_by TEXT;
    ALTER TABLE signals ADD COLUMN archive_comment_at INTEGER;
    ALTER TABLE signals ADD COLUMN state_updated_by TEXT;
    ALTER TABLE signals ADD COLUMN state_updated_at INTEGER;
    ALTER TABLE signals ADD COLUMN first_under_review_at INTEGER;
    ALTER TABLE signals ADD COLUMN last_archived_at INTEGER;
    ALTER TABLE signals ADD COLUMN incident_ids TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE signals ADD COLUMN case_ids TEXT NOT NULL DEFAULT '[]';
    UPDATE signals SET change_number = rowid;
    CREATE TABLE signal_changes (number INTEGER NOT NULL) STRICT;
    INSERT INTO signal_changes SELECT coalesce(max(change_number), 0) FROM signals;
    CREATE INDEX signals_by_change ON signals (change_number);
    CREATE INDEX signals_by_creation ON signals (created_at, id);
    CREATE TABLE signal_history (
      number INTEGER PRIMARY KEY,
      signal_id TEXT NOT NULL REFERENCES signals (id) ON DELETE CASCADE,
      at INTEGER NOT NULL,
      actor TEXT NOT NULL,
      action TEXT NOT NULL,
      before TEXT NOT NULL,
      after TEXT NOT NULL,
      triage_version INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX signal_history_by_signal ON signal_history (signal_id, number);
    CREATE TABLE signal_entities (
      entity TEXT NOT NULL,
      time INTEGER NOT NULL,
      signal_id TEXT NOT NULL REFERENCES signals (id) ON DELETE CASCADE,
      type TEXT,
      is_primary INTEGER NOT NULL,
      PRIMARY KEY (entity, time, signal_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX signal_entities_by_signal ON signal_entities (signal_id);
  `,
};
