import { crc32 } from "node:zlib";
import { ProblemError } from "../problem.ts";

/** Where a log stands: its entry in the journal, and its place among the events of that entry, from 0. */
export interface LogPlace {
  readonly segment: number;
  readonly entry: number;
  readonly row: number;
}

/** A log in the order of a search: by event time, and where that is the same, by place. */
export interface LogKey extends LogPlace {
  readonly timeMs: number;
}

export type SortOrder = "newest" | "oldest";

/** `12-340-5`: stays the same as long as the journal keeps the log. */
export function logId({ segment, entry, row }: LogPlace): string {
  return `${segment}-${entry}-${row}`;
}

export function readLogId(id: string): LogPlace | undefined {
  const match = /^(\d{1,10})-(\d{1,10})-(\d{1,10})$/.exec(id);
  return match ? { segment: Number(match[1]), entry: Number(match[2]), row: Number(match[3]) } : undefined;
}

/** Ascending by time and place. */
export function compareKeys(a: LogKey, b: LogKey): number {
  return a.timeMs - b.timeMs || a.segment - b.segment || a.entry - b.entry || a.row - b.row;
}

/** How much of a journal a search looks at: what is appended while somebody turns pages stays out of them. */
export interface JournalEnd {
  readonly segment: number;
  /** In its file. */
  readonly offset: number;
}

/** Where the next page goes on. */
export interface Cursor {
  /** The last log of the page before. */
  readonly after: LogKey;
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly end: JournalEnd;
}

/** Opaque to whoever holds it, and of no use to another query or order. */
export function writeCursor({ after, fromMs, toMs, end }: Cursor, asked: string): string {
  const text = JSON.stringify([after.timeMs, after.segment, after.entry, after.row, fromMs ?? null, toMs ?? null, end.segment, end.offset]);
  return Buffer.from(`${crc32(asked + text).toString(16).padStart(8, "0")}${text}`).toString("base64url");
}

/** Throws `search/bad-cursor` when it is none, or was given for something else. */
export function readCursor(cursor: string, asked: string): Cursor {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  const json = text.slice(8);
  const values = text.slice(0, 8) === crc32(asked + json).toString(16).padStart(8, "0") ? readNumbers(json) : undefined;
  if (!values) {
    throw new ProblemError([{ code: "search/bad-cursor", message: "the cursor is none, or was given for another query or order", hint: "send it back as it came, with the same query and sort; or begin without one" }]);
  }
  const [timeMs, segment, entry, row, fromMs, toMs, endSegment, endOffset] = values as [number, number, number, number, number | null, number | null, number, number];
  return { after: { timeMs, segment, entry, row }, fromMs: fromMs ?? undefined, toMs: toMs ?? undefined, end: { segment: endSegment, offset: endOffset } };
}

function readNumbers(json: string): unknown[] | undefined {
  try {
    const values = JSON.parse(json) as unknown;
    const isGood = Array.isArray(values) && values.length === 8 && values.every((value, i) => typeof value === "number" || (value === null && (i === 4 || i === 5)));
    return isGood ? values : undefined;
  } catch {
    return undefined;
  }
}
