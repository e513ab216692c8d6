/** The bytes are no protobuf message. */
export class ProtobufError extends Error {}

/**
 * Fields of a protobuf message, read in place. `next()` steps to a field, then one of the readers takes its value, or `skip()` passes it.
 *
 * Source: the wire format of protobuf; groups, long gone, are refused.
 */
export class ProtobufReader {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;
  field = 0;
  #wire = 0;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = Number(this.#varint());
    this.field = Math.floor(tag / 8);
    this.#wire = tag & 7;
    if (this.field === 0) throw new ProtobufError("field number 0");
    return true;
  }

  skip(): void {
    switch (this.#wire) {
      case 0: this.#varint(); return;
      case 1: this.#take(8); return;
      case 2: this.#span(); return;
      case 5: this.#take(4); return;
      default: throw new ProtobufError(`wire type ${this.#wire}`);
    }
  }

  message(): ProtobufReader {
    const { start, end } = this.#span();
    return new ProtobufReader(this.#bytes, start, end);
  }

  bytes(): Buffer {
    const { start, end } = this.#span();
    return this.#bytes.subarray(start, end);
  }

  text(): string {
    return this.bytes().toString("utf8");
  }

  /** Of 64 bits, unsigned. */
  varint(): bigint {
    this.#want(0);
    return this.#varint();
  }

  fixed64(): bigint {
    this.#want(1);
    return this.#bytes.readBigUInt64LE(this.#take(8));
  }

  double(): number {
    this.#want(1);
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  #span(): { start: number; end: number } {
    this.#want(2);
    const length = this.#varint();
    if (length > BigInt(this.#end - this.#at)) throw new ProtobufError("a field is longer than its message");
    const start = this.#take(Number(length));
    return { start, end: this.#at };
  }

  #want(wire: number): void {
    if (this.#wire !== wire) throw new ProtobufError(`field ${this.field} has wire type ${this.#wire}`);
  }

  #take(count: number): number {
    const start = this.#at;
    if (start + count > this.#end) throw new ProtobufError("the message is cut short");
    this.#at = start + count;
    return start;
  }

  #varint(): bigint {
    let value = 0;
    for (let i = 0; i < 4; i++) {
      const byte = this.#bytes[this.#take(1)]!;
      value |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return BigInt(value);
    }
    let wide = BigInt(value);
    for (let i = 4n; i < 10n; i++) {
      const byte = this.#bytes[this.#take(1)]!;
      wide |= BigInt(byte & 0x7f) << (7n * i);
      if (byte < 0x80) return BigInt.asUintN(64, wide);
    }
    throw new ProtobufError("a varint of more than ten bytes");
  }
}

/** A protobuf message of a few fields, for answers. */
export function protobufMessage(fields: ReadonlyArray<readonly [field: number, value: bigint | Uint8Array | string]>): Buffer {
  const parts: Uint8Array[] = [];
  for (const [field, value] of fields) {
    if (typeof value === "bigint") parts.push(varintBytes(BigInt(field) << 3n), varintBytes(value));
    else {
      const bytes = typeof value === "string" ? Buffer.from(value) : value;
      parts.push(varintBytes((BigInt(field) << 3n) | 2n), varintBytes(BigInt(bytes.length)), bytes);
    }
  }
  return Buffer.concat(parts);
}

function varintBytes(value: bigint): Uint8Array {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from([...out, Number(rest)]);
}
