import type { InputProfile } from "../engine/task.ts";

/** One batch as it was acknowledged. */
export interface JournalEntry {
  readonly profile: InputProfile;
  readonly arrivalMs: number;
  readonly partition: string;
  readonly bytes: Uint8Array;
}

/** Place in the journal: grows with every entry, and is never used twice. */
export interface JournalPosition {
  /** Number of the segment file. */
  readonly segment: number;
  /** Entries before it in that segment. */
  readonly entry: number;
}

export interface StoredEntry extends JournalEntry {
  readonly position: JournalPosition;
}
