const NEWLINE = 10;

/** Longest record: Datadog's intake takes logs up to 1 MB. */
export const RECORD_BYTES = 1024 * 1024;
/** Bytes a frame holds at most, so that it goes into one task uncut. */
export const FRAME_BYTES = 1024 * 1024;
/** A source is never asked for less than this. */
export const READ_BYTES = 64 * 1024;

export interface FramingLimits {
  readonly recordBytes: number;
  readonly frameBytes: number;
  readonly readBytes: number;
}

/** Bytes ready to be handed on; views of the framing's buffer, good until its next `room()`. */
export type Piece =
  | { readonly kind: "records"; readonly bytes: Uint8Array }
  /** Part of a record over the limit; `ended` on its last part. */
  | { readonly kind: "too-large"; readonly bytes: Uint8Array; readonly ended: boolean };

/**
 * Cuts a stream of lines into whole records: read into `room()`, say how much with `filled()`, hand on what `take()` gives.
 *
 * One buffer, used again and again; only the unfinished last line is ever moved. Lines over `RECORD_BYTES` come out as
 * pieces of their own, so that they are counted and kept, and cost no memory.
 */
export class LineFraming {
  readonly #limits: FramingLimits;
  readonly #buffer: Uint8Array;
  /** First byte not handed on yet. */
  #start = 0;
  #end = 0;
  /** Bytes after this one have not been searched for a newline. */
  #searched = 0;
  /** Inside a record over the limit. */
  #overlong = false;

  constructor(limits: FramingLimits = { recordBytes: RECORD_BYTES, frameBytes: FRAME_BYTES, readBytes: READ_BYTES }) {
    this.#limits = limits;
    this.#buffer = new Uint8Array(Math.max(limits.frameBytes, limits.recordBytes + limits.readBytes));
  }

  /** Where to read into; moves the unfinished line to the front first. */
  room(): Uint8Array {
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#searched -= this.#start;
      this.#end -= this.#start;
      this.#start = 0;
    }
    return this.#buffer.subarray(this.#end, Math.max(this.#limits.frameBytes, this.#end + this.#limits.readBytes));
  }

  filled(count: number): void {
    this.#end += count;
  }

  /** Bytes read since the last `take()`. */
  get fresh(): number {
    return this.#end - this.#searched;
  }

  /** True when the buffer holds a frame, or can hold no more. */
  get full(): boolean {
    return this.#end - this.#start >= this.#limits.frameBytes;
  }

  /** Whole records so far. */
  *take(): Generator<Piece> {
    const newline = this.fresh > 0 ? this.#buffer.lastIndexOf(NEWLINE, this.#end - 1) : -1;
    const end = newline >= Math.max(this.#searched, this.#start) ? newline + 1 : this.#start;
    this.#searched = this.#end;
    if (end > this.#start) yield* this.#records(end);
    if (this.#overlong || this.#end - this.#start > this.#limits.recordBytes) {
      this.#overlong = true;
      if (this.#end > this.#start) yield { kind: "too-large", bytes: this.#buffer.subarray(this.#start, this.#end), ended: false };
      this.#start = this.#end;
    }
  }

  /** What is left when the input has ended: a last line without newline. */
  *end(): Generator<Piece> {
    yield* this.take();
    const rest = this.#buffer.subarray(this.#start, this.#end);
    if (this.#overlong) yield { kind: "too-large", bytes: rest, ended: true };
    else if (rest.length) yield { kind: "records", bytes: rest };
    this.#start = this.#end = this.#searched = 0;
    this.#overlong = false;
  }

  /** Hands on [start, end), which ends with a newline, with overlong records cut out. */
  *#records(end: number): Generator<Piece> {
    const buffer = this.#buffer;
    const { recordBytes } = this.#limits;
    if (this.#overlong) {
      const close = buffer.indexOf(NEWLINE, this.#start) + 1;
      yield { kind: "too-large", bytes: buffer.subarray(this.#start, close), ended: true };
      this.#start = close;
      this.#overlong = false;
    }
    // Hop from the last newline within the limit to the next: a record over it is where no hop lands.
    let at = this.#start;
    while (end - at > recordBytes + 1) {
      const hop = buffer.lastIndexOf(NEWLINE, at + recordBytes);
      if (hop >= at) {
        at = hop + 1;
        continue;
      }
      if (at > this.#start) yield { kind: "records", bytes: buffer.subarray(this.#start, at) };
      const close = buffer.indexOf(NEWLINE, at + recordBytes) + 1;
      yield { kind: "too-large", bytes: buffer.subarray(at, close), ended: true };
      this.#start = at = close;
    }
    if (end > this.#start) yield { kind: "records", bytes: buffer.subarray(this.#start, end) };
    this.#start = end;
  }
}
