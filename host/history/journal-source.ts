import type { Damage, StoredEntry } from "../journal/contract.ts";
import type { Journal } from "../journal/journal.ts";
import type { OpenSegment } from "../journal/scan.ts";
import { type SegmentIndex, readIndex } from "../journal/segment-index.ts";
import { SEGMENT_HEAD_BYTES, segmentPath } from "../journal/segment.ts";
import { Unpacker } from "../journal/unpacker.ts";
import { Finds } from "../search/finds.ts";
import { JournalView, type SegmentPart, type SegmentView } from "../search/segments.ts";
import type { HistoryRange, JournalSnapshot } from "./contract.ts";
import type { KnownTimes } from "./judge.ts";

/** Entries that are no logs: the server's clock. */
export const CLOCK_PARTITION = "\u0000clock";
/** Clocks of senders that are further ahead are not believed: no event of an entry is later than its arrival by more. */
const AHEAD_MS = 600_000;

/** The journal as it stands now; what comes later is not part of it. Segments that are all of before a time are left out where that is known. */
export function snapshotOf(journal: Journal | string, fromMs = Number.NEGATIVE_INFINITY): JournalSnapshot {
  const view = new JournalView(journal);
  const last = new Map(typeof journal === "string" ? [] : journal.segments.map(({ segment, lastArrivalMs, entries }) => [segment, entries ? lastArrivalMs : Number.POSITIVE_INFINITY]));
  const segments = view.segments();
  const first = segments.findIndex(({ segment }) => (last.get(segment) ?? Number.POSITIVE_INFINITY) + AHEAD_MS >= fromMs);
  return { folder: view.folder, segments: first < 0 ? [] : segments.slice(first) };
}

/** A stretch of a segment that is read. */
export interface PastPart extends SegmentPart {
  readonly segment: number;
  /** Of its events; undefined where no index tells. */
  readonly times: KnownTimes | undefined;
}

/**
 * What of a journal may hold events of a range, in the order in which they came. Left out is what came before the range began,
 * by the marks of arrivals in each segment's index, and behind the last part that may have any, by the times that searches know of.
 *
 * @param made name of the pipelines, as indexes of times tell it.
 */
export async function partsWithin({ folder, segments }: JournalSnapshot, made: string, range: HistoryRange): Promise<PastPart[]> {
  const finds = new Finds(new JournalView(folder), made);
  const parts: PastPart[] = [];
  for (const view of segments) parts.push(...(await partsOf(folder, view, finds, range)));
  return parts.slice(0, parts.findLastIndex(({ times }) => mayHold(times, range)) + 1);
}

export function mayHold(times: KnownTimes | undefined, { fromMs, toMs }: HistoryRange): boolean {
  return !times || (times.maxMs >= fromMs && times.minMs < toMs);
}

async function partsOf(folder: string, view: SegmentView, finds: Finds, { fromMs }: HistoryRange): Promise<PastPart[]> {
  const { segment, endOffset } = view;
  const index = readIndex(segmentPath(folder, segment, "index"), segment);
  const start = index ? startOf(index, fromMs) : { offset: SEGMENT_HEAD_BYTES, entry: 0 };
  if (!start) return [];
  // It may have grown since: stretches up to where it ended then are good.
  const find = await finds.of({ segment, endOffset, grows: true });
  const known = (find?.stretches ?? []).filter((stretch) => stretch.endOffset <= endOffset && stretch.endOffset > start.offset);
  const parts: PastPart[] = known.map(({ offset, entry, endOffset: end, minMs, maxMs }) => ({ segment, ...later({ offset, entry }, start), endOffset: end, times: { minMs, maxMs } }));
  const behind = known.at(-1);
  const rest = behind ? { offset: behind.endOffset, entry: behind.endEntry } : start;
  if (rest.offset < endOffset) parts.push({ segment, ...rest, endOffset, times: undefined });
  return parts;
}

interface Start {
  readonly offset: number;
  readonly entry: number;
}

function later(a: Start, b: Start): Start {
  return a.offset >= b.offset ? a : b;
}

/** The first stretch that anything came in which may be of the range; undefined when there is none. */
function startOf(index: SegmentIndex, fromMs: number): Start | undefined {
  const first = index.marks.find(({ lastArrivalMs }) => lastArrivalMs + AHEAD_MS >= fromMs);
  return first && { offset: first === index.marks[0] ? SEGMENT_HEAD_BYTES : first.offset, entry: first.entry };
}

export interface PastFrame {
  readonly entries: readonly StoredEntry[];
  readonly times: KnownTimes | undefined;
  /** Of the segment, packed. */
  readonly bytes: number;
}

/** Frames of parts, in order, each good until the next; what cannot be read is passed over and told. While one is judged the next is unpacked. */
export async function* readParts(folder: string, parts: readonly PastPart[], onDamage: (damage: Damage) => void): AsyncGenerator<PastFrame> {
  const view = new JournalView(folder);
  let file: OpenSegment | undefined;
  let opened: number | undefined;
  let ahead: Promise<PastFrame> | undefined;
  // One holds what is judged, the other what comes next.
  const unpackers = [new Unpacker(), new Unpacker()] as const;
  let turn = 0;
  try {
    for (const part of parts) {
      if (part.segment !== opened) {
        await file?.close();
        file = await view.open(part.segment);
        opened = part.segment;
        // Retention has taken it: only of a folder that somebody else writes.
        if (!file) onDamage({ segment: part.segment, offset: 0, bytes: part.endOffset, reason: "short", entries: undefined });
      }
      if (!file) continue;
      const from = part.offset > SEGMENT_HEAD_BYTES ? { offset: part.offset, entry: part.entry } : undefined;
      for await (const found of file.scan({ from, end: Math.min(part.endOffset, file.bytes) })) {
        if (found.kind === "damage") {
          onDamage(found.damage);
          continue;
        }
        const { head, stored } = found;
        const next = unpackers[turn++ & 1]!.entries(head, stored!).then((entries) => ({ entries, times: part.times, bytes: head.storedBytes }));
        next.catch(() => {}); // heard when its turn comes, if it does
        const due = ahead;
        ahead = next;
        if (due) yield await due;
      }
    }
    if (ahead) yield await ahead;
  } finally {
    await ahead?.catch(() => {});
    for (const unpacker of unpackers) unpacker.close();
    await file?.close();
  }
}
