import type { InputProfile } from "../engine/task.ts";

/** One batch as it was acknowledged. */
export interface JournalEntry {
  readonly profile: InputProfile;
  /** Epoch milliseconds. */
  readonly arrivalMs: number;
  readonly partition: string;
  /** Whole records. Not copied by `append`: to be left alone until it has answered. */
  readonly bytes: Uint8Array;
  /** Where the entry's source stands once it is taken, in the source's own words. */
  readonly mark?: string;
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

/** Bytes of a segment that are no readable frame. */
export interface Damage {
  readonly segment: number;
  /** First such byte in the file, and how many. */
  readonly offset: number;
  readonly bytes: number;
  /** `short`: the file ends within a frame. `head`, `payload`: a checksum is wrong. `order`: a frame that should not be here. */
  readonly reason: "short" | "head" | "payload" | "order";
  /** Entries lost with them: told by the frames around them, undefined where nothing tells. */
  readonly entries: number | undefined;
}

/** What opening found. */
export interface Recovery {
  readonly segments: number;
  /** Bytes of the last segment, all of which were read. */
  readonly scannedBytes: number;
  /** What was cut from the end of the last segment and set aside. Zero after an orderly end. */
  readonly tornBytes: number;
  /** Where these bytes are kept, and undefined when there was no room to keep them: then they were left where they are. */
  readonly tornFile: string | undefined;
  /** Of the last segment, its torn end included. */
  readonly damage: readonly Damage[];
}

/** `full` and `broken` refuse what comes; each append tries anew, and the first that succeeds makes it `ok` again. */
export type JournalState = "ok" | "full" | "broken" | "closed";

export interface JournalHealth {
  readonly state: JournalState;
  /** What is wrong and what to do, for people. Empty when nothing is. */
  readonly message: string;
  /** Appends refused since opening, by what they were refused for. */
  readonly refused: { readonly full: number; readonly broken: number; readonly busy: number };
  readonly appends: number;
  readonly entries: number;
  /** One for each frame: a group of appends shares it. */
  readonly syncs: number;
  /** As they came, and as they were written. */
  readonly rawBytes: number;
  readonly writtenBytes: number;
  /** Bytes that wait for their turn. */
  readonly queuedBytes: number;
  readonly segments: number;
  readonly totalBytes: number;
  /** By how much the journal is over its size limit because a keeper still needs it. */
  readonly overLimitBytes: number;
  /** Segments retention removed since opening. */
  readonly removedSegments: number;
  /** Indexes that could not be written; they are made anew when next needed. */
  readonly indexFailures: number;
}

export function comparePositions(a: JournalPosition, b: JournalPosition): number {
  return a.segment - b.segment || a.entry - b.entry;
}

/** As people write it: `12:340`. */
export function positionText(position: JournalPosition): string {
  return `${position.segment}:${position.entry}`;
}

/** Reads `12:340`, or `12` for the beginning of segment 12; undefined when it is neither. */
export function readPosition(text: string): JournalPosition | undefined {
  const match = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text);
  return match ? { segment: Number(match[1]), entry: Number(match[2] ?? 0) } : undefined;
}
