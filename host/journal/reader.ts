import { comparePositions, type Damage, type JournalPosition, type StoredEntry } from "./contract.ts";
import { unpackEntries } from "./frame.ts";
import { openSegment, type OpenSegment } from "./scan.ts";
import { markBefore, type SegmentIndex } from "./segment-index.ts";
import { segmentPath } from "./segment.ts";

/** How far a segment may be read. */
export interface Readable {
  readonly segment: number;
  /** Where its last acknowledged frame ends; the file's length when undefined. */
  readonly end: number | undefined;
  /** To begin in its midst without walking there. */
  readonly index: SegmentIndex | undefined;
}

export type OnDamage = (damage: Damage) => void;

/**
 * Entries from a position (included) to another (excluded), in order. Damaged frames are passed over and told; a segment that
 * retention took away meanwhile is passed over silently, as whoever still needs one says so beforehand.
 */
export async function* readSegments(folder: string, segments: readonly Readable[], from: JournalPosition, to: JournalPosition, onDamage: OnDamage): AsyncGenerator<StoredEntry> {
  for (const { segment, end, index } of segments) {
    if (segment < from.segment || segment > to.segment) continue;
    const file = await openUnlessGone(folder, segment);
    if (!file) continue;
    const first = segment === from.segment ? from.entry : 0;
    const mark = index && first > 0 ? markBefore(index, first) : undefined;
    try {
      for await (const found of file.scan({ from: mark, end: end === undefined ? undefined : Math.min(end, file.bytes), want: (head) => head.firstEntry + head.entries > first })) {
        if (found.kind === "damage") {
          onDamage(found.damage);
          continue;
        }
        if (!found.stored) continue;
        if (comparePositions({ segment, entry: found.head.firstEntry }, to) >= 0) return;
        for (const entry of await unpackEntries(found.head, found.stored)) {
          if (entry.position.entry < first) continue;
          if (comparePositions(entry.position, to) >= 0) return;
          yield entry;
        }
      }
    } finally {
      await file.close();
    }
  }
}

async function openUnlessGone(folder: string, segment: number): Promise<OpenSegment | undefined> {
  try {
    return await openSegment(segmentPath(folder, segment), segment);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
