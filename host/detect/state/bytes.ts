/** Bytes written one after the other, little-endian. */
export class StateWriter {
  #bytes: Buffer;
  #length = 0;

  /** @param expectedBytes about how many there will be: growing copies what is there. */
  constructor(expectedBytes = 4096) {
    this.#bytes = Buffer.allocUnsafe(expectedBytes);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  u16(value: number): void {
    this.#room(2);
    this.#length = this.#bytes.writeUInt16LE(value, this.#length);
  }

  u32(value: number): void {
    this.#room(4);
    this.#length = this.#bytes.writeUInt32LE(value, this.#length);
  }

  f64(value: number): void {
    this.#room(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  /** A copy of part of another memory. */
  copy(from: Buffer, start: number, end: number): void {
    this.#room(end - start);
    this.#length += from.copy(this.#bytes, this.#length, start, end);
  }

  /** With their length before them. */
  bytes(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(text: string): void {
    this.bytes(Buffer.from(text));
  }

  /** Writes over what stands at `at`. */
  setU32(at: number, value: number): void {
    this.#bytes.writeUInt32LE(value, at);
  }

  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#length + more, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Thrown where saved bytes end too early or say what cannot be. */
export class StateFault extends Error {}

/** Reads what a writer wrote; throws `StateFault` rather than read past the end. */
export class StateReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isDone(): boolean {
    return this.#at === this.#bytes.length;
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#take(2));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  f64(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  /** A view of the next bytes. */
  view(length: number): Buffer {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  bytes(): Buffer {
    return this.view(this.u32());
  }

  text(): string {
    return this.bytes().toString("utf8");
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw new StateFault("the state is cut short");
    this.#at = at + length;
    return at;
  }
}
