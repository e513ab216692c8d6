import { stat } from "node:fs/promises";
import type { Damage, JournalPosition, StoredEntry } from "./contract.ts";
import { isLocked } from "./lock.ts";
import { readSegments, type OnDamage } from "./reader.ts";
import { scanSegment } from "./recover.ts";
import { openSegment } from "./scan.ts";
import { readIndex, type SegmentIndex } from "./segment-index.ts";
import { listFolder, segmentPath } from "./segment.ts";

/** A segment as somebody finds it who only looks. */
export interface SegmentReport {
  readonly index: SegmentIndex;
  readonly fileBytes: number;
  /** `open`: the last segment, whose index is written when it is closed. `wrong`: it tells of something else than is there. */
  readonly indexState: "good" | "missing" | "wrong" | "open";
  readonly damage: readonly Damage[];
  /** Bytes beyond the last acknowledged frame: what a write that failed left. No damage, nobody was told that they are kept. */
  readonly leftoverBytes: number;
  /** The end of a frame that is being written just now. No damage either. */
  readonly growingBytes: number;
}

export interface FolderReport {
  readonly segments: readonly SegmentReport[];
  /** Numbers between the first and the last that are not there, nor set aside. */
  readonly missing: readonly number[];
  /** Files with bytes that recovery set aside. */
  readonly torn: ReadonlyArray<{ readonly name: string; readonly bytes: number }>;
  readonly beingWritten: boolean;
}

/** How thoroughly to look: `all` reads every byte, `index` believes the indexes there are. */
export type CheckDepth = "all" | "index";

/** What a journal's folder holds, without changing anything, whether or not it is being written. */
export async function checkFolder(folder: string, depth: CheckDepth, onSegment: (done: number, of: number) => void = () => {}): Promise<FolderReport> {
  const content = listFolder(folder);
  const beingWritten = isLocked(folder);
  const segments: SegmentReport[] = [];
  for (const segment of content.segments) {
    const report = await checkSegment(folder, segment, segment === content.segments.at(-1), beingWritten, depth);
    if (report) segments.push(report);
    onSegment(segments.length, content.segments.length);
  }
  const known = new Set([...content.segments, ...content.torn.map((name) => Number(name.slice(0, 10)))]);
  const missing: number[] = [];
  for (let number = content.segments[0] ?? 0; number < (content.segments.at(-1) ?? 0); number++) if (!known.has(number)) missing.push(number);
  const torn: Array<{ name: string; bytes: number }> = [];
  for (const name of content.torn) torn.push({ name, bytes: (await stat(`${folder}/${name}`)).size });
  return { segments, missing, torn, beingWritten };
}

async function checkSegment(folder: string, segment: number, isLast: boolean, beingWritten: boolean, depth: CheckDepth): Promise<SegmentReport | undefined> {
  const stored = isLast ? undefined : readIndex(segmentPath(folder, segment, "index"), segment);
  const file = await openSegment(segmentPath(folder, segment), segment).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" && beingWritten) return undefined; // retention took it meanwhile
    throw error;
  });
  if (!file) return undefined;
  try {
    const leftoverBytes = stored ? Math.max(0, file.bytes - stored.bytes) : 0;
    if (stored && depth === "index") return { index: stored, fileBytes: file.bytes, indexState: "good", damage: [], leftoverBytes, growingBytes: 0 };
    const { index, damage } = await scanSegment(file, segment, stored && Math.min(stored.bytes, file.bytes));
    const growing = beingWritten && isLast ? damage.find((each) => each.bytes > 0 && each.offset + each.bytes === file.bytes) : undefined;
    const found = damage.filter((each) => each !== growing);
    if (stored && index.nextEntry < stored.nextEntry && !found.some((each) => each.offset + each.bytes === file.bytes)) {
      found.push({ segment, offset: file.bytes, bytes: 0, reason: "short", entries: stored.nextEntry - index.nextEntry });
    }
    const agrees = stored?.nextEntry === index.nextEntry && stored.entries === index.entries && stored.frames === index.frames;
    return {
      index, fileBytes: file.bytes, leftoverBytes, growingBytes: growing?.bytes ?? 0, damage: found,
      indexState: isLast ? "open" : !stored ? "missing" : agrees || found.length > 0 ? "good" : "wrong",
    };
  } finally {
    await file.close();
  }
}

/** Entries of a folder, whoever writes there, between two places; damage is passed over, and told. */
export async function* readFolder(folder: string, from: JournalPosition, to: JournalPosition, onDamage: OnDamage): AsyncGenerator<StoredEntry> {
  const { segments } = listFolder(folder);
  const last = segments.at(-1);
  // The frame that is being written just now is no damage.
  const growing = last !== undefined && isLocked(folder) ? (await stat(segmentPath(folder, last))).size : undefined;
  const readable = segments.map((segment) => {
    const index = segment === last ? undefined : readIndex(segmentPath(folder, segment, "index"), segment);
    return { segment, end: segment === last ? growing : index?.bytes, index };
  });
  yield* readSegments(folder, readable, from, to, (damage) => {
    if (damage.segment !== last || damage.offset + damage.bytes !== growing) onDamage(damage);
  });
}
