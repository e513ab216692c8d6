import type { JournalPosition } from "./contract.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { JournalBroken, JournalFull, writeError } from "./error.ts";
import { finishFrame, type Payload } from "./frame.ts";
import { IndexBuilder } from "./segment-index.ts";
import { SEGMENT_HEAD_BYTES, newSalt, segmentPath, writeSegmentHead } from "./segment.ts";

/** The segment that grows. One call at a time. */
export class SegmentWriter {
  readonly index: IndexBuilder;
  readonly #file: DiskFile;
  readonly #salt: Uint8Array;
  #usable = true;

  constructor(file: DiskFile, salt: Uint8Array, index: IndexBuilder) {
    this.#file = file;
    this.#salt = salt;
    this.index = index;
  }

  /** A new segment, its name and head on the disk itself. Rejects with a `JournalError`, or EEXIST as it came. */
  static async create(disk: Disk, folder: string, segment: number): Promise<SegmentWriter> {
    const path = segmentPath(folder, segment);
    let file: DiskFile;
    try {
      file = await disk.create(path);
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === "EEXIST" ? error : writeError(error, `making ${path}`);
    }
    const salt = newSalt();
    try {
      await file.write(writeSegmentHead(segment, salt), 0);
      // The first frame's sync would do for the head. A disk that confirms nothing shall not be left a file at each attempt.
      await file.sync();
      await disk.syncFolder(folder);
    } catch (error) {
      await file.close().catch(() => {});
      await disk.remove(path).catch(() => {});
      throw writeError(error, `making ${path}`);
    }
    return new SegmentWriter(file, salt, new IndexBuilder(segment, SEGMENT_HEAD_BYTES));
  }

  /** False once the disk failed to confirm something here, or to take it back: what comes belongs to another file. */
  get usable(): boolean {
    return this.#usable;
  }

  /**
   * Resolves, with the place of the first entry, when they are on the disk itself. When it rejects nothing of them is
   * acknowledged, and the file is as it was, as far as the disk lets it.
   *
   * After a failed sync the system may have dropped the pages and call the next sync a success, so that neither the file nor
   * reading it back can be believed: the segment is given up where its last acknowledged frame ends.
   */
  async write(payload: Payload): Promise<JournalPosition> {
    const { segment, bytes: at, nextEntry } = this.index;
    const frame = finishFrame(payload, segment, this.#salt, nextEntry);
    try {
      await this.#file.write(frame, at);
    } catch (error) {
      await this.#undo();
      throw writeError(error, `writing segment ${segment}`);
    }
    try {
      await this.#file.sync();
    } catch (error) {
      this.#usable = false;
      await this.#undo();
      const known = writeError(error, `syncing segment ${segment}`);
      throw known instanceof JournalFull ? known : new JournalBroken(known.message, error);
    }
    this.index.add(at, frame.length, { firstEntry: nextEntry, rawBytes: payload.rawBytes }, payload.entries);
    return { segment, entry: nextEntry };
  }

  /** Back to the last acknowledged frame. Where even that fails, what is left there is passed over by readers. */
  async #undo(): Promise<void> {
    try {
      await this.#file.truncate(this.index.bytes);
      await this.#file.sync();
    } catch {
      this.#usable = false;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
