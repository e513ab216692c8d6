import { createZstdDecompress } from "node:zlib";
import { DamagedInputError } from "./input-damaged.ts";

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const frameMagic = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd]);
const OUTPUT_BYTES = 1024 * 1024;

/** Where the bytes at hand stop belonging to one frame. */
type Part = { readonly bytes: Uint8Array; readonly endsFrame: boolean };

/**
 * Finds the ends of zstd frames from their block headers, without decoding: Node's decoder drops what follows the
 * first frame, and files of several frames are ordinary (`cat a.zst b.zst`, pzstd, rotated logs).
 *
 * RFC 8878, section 3.1.
 */
export class ZstdFrames {
  #state: "magic" | "skippable" | "header" | "block" | "body" | "checksum" = "magic";
  #small = new Uint8Array(4);
  #have = 0;
  /** Bytes to pass over before the next thing to look at. */
  #pass = 0;
  #hasChecksum = false;
  #lastBlock = false;

  /** Parts in order; those of skippable frames are left out. Throws on bytes that are no zstd. */
  *parts(bytes: Uint8Array): Generator<Part> {
    let from = 0;
    let at = 0;
    while (at < bytes.length) {
      if (this.#pass > 0) {
        const step = Math.min(this.#pass, bytes.length - at);
        this.#pass -= step;
        at += step;
        if (this.#pass > 0) break;
        const passed = this.#state;
        if (passed === "skippable" || passed === "checksum") this.#state = "magic";
        if (passed === "skippable") from = at;
        else if (passed === "checksum" || (passed === "body" && this.#afterBlock())) {
          yield { bytes: bytes.subarray(from, at), endsFrame: true };
          from = at;
        }
        continue;
      }
      this.#small[this.#have++] = bytes[at++]!;
      const before = this.#state;
      if (this.#step()) {
        yield { bytes: bytes.subarray(from, at), endsFrame: true };
        from = at;
      }
      // A magic goes to the decoder apart, and only once it is known not to be a skippable frame's.
      if (before === "magic" || before === "skippable") from = at;
      if (before === "magic" && this.#state === "header") yield { bytes: frameMagic, endsFrame: false };
    }
    if (this.#state !== "skippable" && from < bytes.length) yield { bytes: bytes.subarray(from), endsFrame: false };
  }

  get betweenFrames(): boolean {
    return this.#state === "magic" && this.#have === 0;
  }

  /** One more byte of a magic or header; true when it ended a frame. */
  #step(): boolean {
    const small = this.#small;
    const have = this.#have;
    switch (this.#state) {
      case "magic": {
        if (have < 4) return false;
        this.#have = 0;
        const magic = little(small, 4);
        if (magic === FRAME_MAGIC) this.#state = "header";
        else if ((magic & ~0xf) >>> 0 === SKIPPABLE_MAGIC) this.#state = "skippable";
        else throw new DamagedInputError("bytes after a zstd frame are no such frame");
        return false;
      }
      case "skippable":
        if (have < 4) return false;
        this.#have = 0;
        this.#pass = little(small, 4);
        if (this.#pass === 0) this.#state = "magic";
        return false;
      case "header": {
        this.#have = 0;
        const descriptor = small[0]!;
        const single = (descriptor & 0x20) !== 0;
        this.#hasChecksum = (descriptor & 4) !== 0;
        const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
        this.#pass = (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]! + contentSize;
        this.#state = "block";
        return false;
      }
      case "block": {
        if (have < 3) return false;
        this.#have = 0;
        const header = little(small, 3);
        this.#lastBlock = (header & 1) === 1;
        const type = (header >> 1) & 3;
        if (type === 3) throw new DamagedInputError("a zstd block is of no known kind");
        this.#pass = type === 1 ? 1 : header >> 3;
        this.#state = "body";
        return this.#pass === 0 && this.#afterBlock();
      }
      case "body":
      case "checksum":
        return false; // passed over whole
    }
  }

  /** After a block's content; true when the frame ends with it. */
  #afterBlock(): boolean {
    if (!this.#lastBlock) {
      this.#state = "block";
      return false;
    }
    if (this.#hasChecksum) {
      this.#state = "checksum";
      this.#pass = 4;
      return false;
    }
    this.#state = "magic";
    return true;
  }
}

function little(bytes: Uint8Array, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[i]!;
  return value;
}

/** Content of every frame, one decoder a frame. Throws when the last frame is cut short. */
export async function* zstdContent(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const frames = new ZstdFrames();
  let decoder: FrameDecoder | undefined;
  for await (const chunk of chunks) {
    for (const part of frames.parts(chunk)) {
      decoder ??= new FrameDecoder();
      yield* decoder.feed(part.bytes, part.endsFrame);
      if (part.endsFrame) decoder = undefined;
    }
  }
  if (!frames.betweenFrames) throw new DamagedInputError("its last zstd frame is cut short; what came before was read");
}

/** Runs one frame through Node's decoder, part by part. */
class FrameDecoder {
  readonly #stream = createZstdDecompress({ chunkSize: OUTPUT_BYTES });
  #ready: Uint8Array[] = [];
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor() {
    this.#stream.on("data", (chunk: Uint8Array) => {
      this.#ready.push(chunk);
      this.#stir();
    });
    this.#stream.on("end", () => {
      this.#ended = true;
      this.#stir();
    });
    this.#stream.on("error", (error: Error) => {
      this.#failure = error;
      this.#stir();
    });
  }

  async *feed(bytes: Uint8Array, last: boolean): AsyncGenerator<Uint8Array> {
    let taken = false;
    // A copy: the reader's chunk may be used again while the decoder still looks at it.
    this.#stream.write(bytes.slice(), () => {
      taken = true;
      this.#stir();
    });
    if (last) this.#stream.end();
    for (;;) {
      while (this.#ready.length) yield this.#ready.shift()!;
      if (this.#failure) throw this.#failure;
      if (last ? this.#ended : taken) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #stir(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
