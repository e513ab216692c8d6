import type { OpenSegment } from "../journal/scan.ts";
import { FRAME_HEAD_BYTES } from "../journal/frame.ts";
import { type Find, findPath, readFind, writeFind } from "./find.ts";
import { type JournalView, type SegmentView, readFrames } from "./segments.ts";
import { rm, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Fingerprints that are kept in memory; beyond it those that were not asked for longest are read again when they are. */
const KEPT_BYTES = 256 * 1024 * 1024;

/** What there is to find in the segments of a journal: read from beside them, checked against them, kept while there is room. */
export class Finds {
  readonly #view: JournalView;
  readonly #made: string;
  readonly #kept = new Map<number, { readonly find: Find; readonly bytes: number }>();
  #bytes = 0;

  constructor(view: JournalView, made: string) {
    this.#view = view;
    this.#made = made;
  }

  /** Undefined where nothing is known, or of other pipelines. */
  async of({ segment, endOffset, grows }: SegmentView): Promise<Find | undefined> {
    const kept = this.#kept.get(segment);
    if (kept) {
      this.#kept.delete(segment);
      this.#kept.set(segment, kept);
      return kept.find;
    }
    const find = readFind(this.#view.folder, segment);
    if (!find || find.made !== this.#made || (!grows && find.endOffset > endOffset) || !(await this.#isOfThisSegment(find))) return undefined;
    this.keep(find);
    return find;
  }

  keep(find: Find): void {
    this.#bytes -= this.#kept.get(find.segment)?.bytes ?? 0;
    this.#kept.delete(find.segment);
    const bytes = find.stretches.reduce((sum, { fingerprint }) => sum + 256 + (fingerprint?.length ?? 0), 0);
    this.#kept.set(find.segment, { find, bytes });
    this.#bytes += bytes;
    for (const [segment, oldest] of this.#kept) {
      if (this.#bytes <= KEPT_BYTES || segment === find.segment) break;
      this.#kept.delete(segment);
      this.#bytes -= oldest.bytes;
    }
  }

  /** Whether somebody with other pipelines keeps a file there; it is not ours to replace. */
  isOthers(segment: number): boolean {
    const find = readFind(this.#view.folder, segment);
    return find !== undefined && find.made !== this.#made;
  }

  /** @returns false when it could not be written; it serves from memory then. */
  store(find: Find): boolean {
    this.keep(find);
    try {
      writeFind(this.#view.folder, find);
      return true;
    } catch {
      return false;
    }
  }

  /** Removes files whose segments retention has taken. */
  async sweep(segments: readonly SegmentView[]): Promise<void> {
    const there = new Set(segments.map(({ segment }) => findPath("", segment)));
    const newest = segments.at(-1)?.segment ?? 0;
    for (const segment of this.#kept.keys()) {
      if (there.has(findPath("", segment))) continue;
      this.#bytes -= this.#kept.get(segment)!.bytes;
      this.#kept.delete(segment);
    }
    for (const name of await readdir(this.#view.folder)) {
      if (/^\d{10}\.find$/.test(name) && !there.has(name) && Number(name.slice(0, 10)) < newest) await rm(join(this.#view.folder, name), { force: true }).catch(() => {});
    }
  }

  /** Frames that were written and never synced may be gone after a crash, and others stand in their place. */
  async #isOfThisSegment({ segment, endOffset, endEntry, lastFrame }: Find): Promise<boolean> {
    if (!lastFrame) return true;
    const file: OpenSegment | undefined = await this.#view.open(segment);
    if (!file) return false;
    try {
      if (lastFrame.offset + FRAME_HEAD_BYTES > file.bytes) return false;
      const part = { offset: lastFrame.offset, entry: 0, endOffset };
      for await (const { head } of readFrames(file, part, () => {})) return head.payloadCrc === lastFrame.crc && head.firstEntry + head.entries === endEntry;
      return false;
    } finally {
      await file.close();
    }
  }
}
