import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import type { StoredEntry } from "./contract.ts";
import type { FrameHead } from "./frame.ts";

/** Where a stretch of about a megabyte begins. */
export interface IndexMark {
  readonly offset: number;
  /** Entries before it in the segment. */
  readonly entry: number;
  readonly firstArrivalMs: number;
  readonly lastArrivalMs: number;
}

/** What a segment holds, so that a search can pass it by without opening it. All of it can be made anew from the segment. */
export interface SegmentIndex {
  readonly segment: number;
  /** Where the last acknowledged frame ends. What lies beyond was never acknowledged. */
  readonly bytes: number;
  readonly rawBytes: number;
  readonly frames: number;
  /** Readable entries, and the number the next one would have: they differ by what damage took. */
  readonly entries: number;
  readonly nextEntry: number;
  /** Lowest and highest arrival; `firstArrivalMs` is above `lastArrivalMs` when there is no entry. */
  readonly firstArrivalMs: number;
  readonly lastArrivalMs: number;
  /** Entries by source and by partition. "" is the source of entries whose events name theirs themselves, or none. */
  readonly sources: ReadonlyMap<string, number>;
  readonly partitions: ReadonlyMap<string, number>;
  /** More different ones than are kept: one that is not listed may be there all the same. */
  readonly sourcesCut: boolean;
  readonly partitionsCut: boolean;
  readonly marks: readonly IndexMark[];
}

const MARK_EVERY_BYTES = 1024 * 1024;
/** Names come from senders, who may invent any number of them. */
const MAX_NAMES = 1000;
const VERSION = 1;

/** Empty segments have no arrivals, and JSON no infinity. */
const NONE_FIRST = Number.MAX_SAFE_INTEGER;
const NONE_LAST = Number.MIN_SAFE_INTEGER;

/** The index of a segment that grows, or is read anew. */
export class IndexBuilder implements SegmentIndex {
  readonly segment: number;
  bytes: number;
  rawBytes = 0;
  frames = 0;
  entries = 0;
  nextEntry = 0;
  firstArrivalMs = NONE_FIRST;
  lastArrivalMs = NONE_LAST;
  readonly sources = new Map<string, number>();
  readonly partitions = new Map<string, number>();
  sourcesCut = false;
  partitionsCut = false;
  readonly marks: Array<{ offset: number; entry: number; firstArrivalMs: number; lastArrivalMs: number }> = [];

  constructor(segment: number, bytes: number) {
    this.segment = segment;
    this.bytes = bytes;
  }

  add(offset: number, frameBytes: number, head: Pick<FrameHead, "firstEntry" | "rawBytes">, entries: ReadonlyArray<Pick<StoredEntry, "profile" | "partition" | "arrivalMs">>): void {
    let mark = this.marks.at(-1);
    if (!mark || offset - mark.offset >= MARK_EVERY_BYTES) {
      mark = { offset, entry: head.firstEntry, firstArrivalMs: NONE_FIRST, lastArrivalMs: NONE_LAST };
      this.marks.push(mark);
    }
    for (const { profile, partition, arrivalMs } of entries) {
      mark.firstArrivalMs = Math.min(mark.firstArrivalMs, arrivalMs);
      mark.lastArrivalMs = Math.max(mark.lastArrivalMs, arrivalMs);
      if (!tally(this.sources, profile.source ?? "")) this.sourcesCut = true;
      if (!tally(this.partitions, partition)) this.partitionsCut = true;
    }
    this.firstArrivalMs = Math.min(this.firstArrivalMs, mark.firstArrivalMs);
    this.lastArrivalMs = Math.max(this.lastArrivalMs, mark.lastArrivalMs);
    this.bytes = offset + frameBytes;
    this.rawBytes += head.rawBytes;
    this.frames++;
    this.entries += entries.length;
    this.nextEntry = head.firstEntry + entries.length;
  }
}

function tally(counts: Map<string, number>, name: string): boolean {
  const before = counts.get(name);
  if (before === undefined && counts.size >= MAX_NAMES) return false;
  counts.set(name, (before ?? 0) + 1);
  return true;
}

export function hasEntries(index: SegmentIndex): boolean {
  return index.entries > 0;
}

/** The last mark at or before an entry; undefined when that is the segment's beginning. */
export function markBefore(index: SegmentIndex, entry: number): IndexMark | undefined {
  return index.marks.findLast((mark) => mark.entry <= entry);
}

/** One line: checksum of the rest, and JSON. */
export function writeIndex(index: SegmentIndex): Buffer {
  const json = JSON.stringify({
    version: VERSION, segment: index.segment, bytes: index.bytes, rawBytes: index.rawBytes, frames: index.frames, entries: index.entries, nextEntry: index.nextEntry,
    firstArrivalMs: index.firstArrivalMs, lastArrivalMs: index.lastArrivalMs,
    sources: [...index.sources], partitions: [...index.partitions], sourcesCut: index.sourcesCut, partitionsCut: index.partitionsCut,
    marks: index.marks,
  });
  return Buffer.from(`${crc32(json).toString(16).padStart(8, "0")} ${json}\n`);
}

/** Undefined when it is missing, damaged, or of another version or segment. */
export function readIndex(path: string, segment: number): SegmentIndex | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  const json = text.slice(9, -1);
  if (text.slice(0, 9) !== `${crc32(json).toString(16).padStart(8, "0")} `) return undefined;
  // The checksum says that it is ours, as it was written.
  const { version, sources, partitions, ...rest } = JSON.parse(json) as Omit<SegmentIndex, "sources" | "partitions"> & { version: number; sources: Array<[string, number]>; partitions: Array<[string, number]> };
  if (version !== VERSION || rest.segment !== segment) return undefined;
  return { ...rest, sources: new Map(sources), partitions: new Map(partitions) };
}
