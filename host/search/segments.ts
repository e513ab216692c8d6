import { existsSync, statSync } from "node:fs";
import { FRAME_HEAD_BYTES, type FrameHead, unpackEntries } from "../journal/frame.ts";
import type { Journal } from "../journal/journal.ts";
import { type OpenSegment, openSegment } from "../journal/scan.ts";
import type { Damage, StoredEntry } from "../journal/contract.ts";
import { readIndex, type SegmentIndex } from "../journal/segment-index.ts";
import { SEGMENT_HEAD_BYTES, listFolder, segmentPath } from "../journal/segment.ts";
import { ProblemError } from "../problem.ts";

/** A segment as far as it may be read now. */
export interface SegmentView {
  readonly segment: number;
  /** Behind its last acknowledged frame; where another process writes, behind the last byte. */
  readonly endOffset: number;
  /** More may be appended to it. */
  readonly grows: boolean;
}

/** Entries that are no logs: the server's clock. */
const CLOCK_PARTITION = "\u0000clock";

/** The journal of a process that writes it, or a folder somebody else may be writing to. */
export class JournalView {
  readonly folder: string;
  readonly #journal: Journal | undefined;
  /** Of segments that grow no more. */
  readonly #indexes = new Map<number, SegmentIndex>();

  /** Throws `search/no-journal` where there is no such folder. */
  constructor(journal: Journal | string) {
    this.folder = typeof journal === "string" ? journal : journal.folder;
    this.#journal = typeof journal === "string" ? undefined : journal;
    if (!existsSync(this.folder)) throw new ProblemError([{ code: "search/no-journal", message: `${this.folder}: there is no such folder`, hint: "name the data folder of a server, which holds the journal" }]);
  }

  /** Ascending. */
  segments(): SegmentView[] {
    if (this.#journal) {
      const { segments } = this.#journal;
      return segments.map(({ segment, bytes }, i) => ({ segment, endOffset: bytes, grows: i === segments.length - 1 }));
    }
    const { segments } = listFolder(this.folder);
    return segments.flatMap((segment) => {
      const grows = segment === segments.at(-1);
      const index = grows ? undefined : this.#index(segment);
      const endOffset = index?.bytes ?? statSync(segmentPath(this.folder, segment), { throwIfNoEntry: false })?.size;
      return endOffset === undefined ? [] : [{ segment, endOffset, grows }];
    });
  }

  #index(segment: number): SegmentIndex | undefined {
    const known = this.#indexes.get(segment) ?? readIndex(segmentPath(this.folder, segment, "index"), segment);
    if (known) this.#indexes.set(segment, known);
    return known;
  }

  /** Undefined where retention has removed it meanwhile. */
  async open(segment: number): Promise<OpenSegment | undefined> {
    try {
      return await openSegment(segmentPath(this.folder, segment), segment);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }
}

export interface ReadFrame {
  readonly offset: number;
  readonly endOffset: number;
  readonly head: FrameHead;
  /** Without those that are no logs. */
  readonly entries: readonly StoredEntry[];
}

/** A part of a segment: from the start of a frame to the end of one. */
export interface SegmentPart {
  readonly offset: number;
  /** Entries before it in the segment. */
  readonly entry: number;
  readonly endOffset: number;
}

export const wholeSegment = (endOffset: number): SegmentPart => ({ offset: SEGMENT_HEAD_BYTES, entry: 0, endOffset });

/** Frames of a part of a segment, in order; what cannot be read is passed over and told. */
export async function* readFrames(file: OpenSegment, part: SegmentPart, onDamage: (damage: Damage) => void, want?: (head: FrameHead) => boolean): AsyncGenerator<ReadFrame> {
  const end = Math.min(part.endOffset, file.bytes);
  const from = part.offset > SEGMENT_HEAD_BYTES ? { offset: part.offset, entry: part.entry } : undefined;
  // While one frame is looked at, the next is unpacked.
  let ahead: Promise<ReadFrame> | undefined;
  for await (const found of file.scan({ from, end, want })) {
    if (found.kind === "damage") {
      onDamage(found.damage);
      continue;
    }
    if (!found.stored) continue;
    const next = unpacked(found.offset, found.head, found.stored);
    next.catch(() => {}); // heard when its turn comes, if it does
    if (ahead) yield await ahead;
    ahead = next;
  }
  if (ahead) yield await ahead;
}

async function unpacked(offset: number, head: FrameHead, stored: Buffer): Promise<ReadFrame> {
  const entries = (await unpackEntries(head, stored)).filter(({ partition }) => partition !== CLOCK_PARTITION);
  return { offset, endOffset: offset + FRAME_HEAD_BYTES + head.storedBytes, head, entries };
}
