import { createZstdDecompress, type ZstdDecompress } from "node:zlib";
import type { StoredEntry } from "./contract.ts";
import { type FrameHead, entriesOf } from "./frame.ts";

/** Room that is kept: frames of a group are no larger as a rule. */
const CHUNK_BYTES = 5 * 1024 * 1024;

/** Where Node keeps its place in the chunk that it unpacks into. Not documented: where there is none, chunks are made anew when they are full. */
type Stream = ZstdDecompress & { _outOffset?: number };

/**
 * Unpacks one frame after another on a thread of the system's pool, all into the same room: fresh room for each has the engine
 * look for garbage many times a second.
 */
export class Unpacker {
  #stream: Stream | undefined;
  #parts: Buffer[] = [];
  #fail: (error: Error) => void = () => {};

  /** One at a time. @returns entries whose bytes are good until the next. */
  async entries(head: FrameHead, stored: Buffer): Promise<StoredEntry[]> {
    const raw = head.compressed ? await this.#unpack(stored) : stored;
    if (raw.length !== head.rawBytes) throw new RangeError("a frame unpacks to another length than its head says");
    return entriesOf(head, raw);
  }

  close(): void {
    this.#stream?.destroy();
    this.#stream = undefined;
  }

  async #unpack(stored: Buffer): Promise<Buffer> {
    await new Promise<void>((resolve, reject) => {
      this.#parts = [];
      this.#fail = reject;
      this.#stream ??= this.#begin();
      if (this.#stream._outOffset !== undefined) this.#stream._outOffset = 0;
      this.#stream.write(stored, (error) => (error ? reject(error) : resolve()));
    });
    const [only] = this.#parts;
    return this.#parts.length === 1 ? only! : Buffer.concat(this.#parts);
  }

  #begin(): Stream {
    return createZstdDecompress({ chunkSize: CHUNK_BYTES })
      .on("data", (part: Buffer) => this.#parts.push(part))
      .on("error", (error) => {
        this.#stream = undefined;
        this.#fail(error);
      });
  }
}
