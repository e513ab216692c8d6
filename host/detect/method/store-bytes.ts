import type { Rule } from "../../rule/rule.ts";

type Column = Float64Array | Uint32Array;

const SUM_BYTES = 4;

/** FNV-1a: what lay on a disk may have changed there, and lists that bite their own tail are never to be walked. */
function sumOf(bytes: Uint8Array): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) sum = Math.imul(sum ^ bytes[i]!, 0x01000193);
  return sum >>> 0;
}

/** State as bytes, little-endian, piece after piece. */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  f64(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u32(bytes.length);
    this.#raw(bytes);
  }

  /** The first `count` numbers. */
  column(column: Column, count = column.length): void {
    this.u32(count);
    this.#raw(new Uint8Array(column.buffer, column.byteOffset, count * column.BYTES_PER_ELEMENT));
  }

  /** All of it, and a sum over it. */
  done(): Uint8Array {
    this.u32(sumOf(this.#bytes.subarray(0, this.#length)));
    return this.#bytes.slice(0, this.#length);
  }

  #raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#length + more, this.#bytes.length * 2));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** Reads what a writer wrote. Past the end there are zeros, and `isWhole` is false ever after. */
export class ByteReader {
  isWhole = true;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Has everything but the sum been read, and none of what is not there? */
  get isDone(): boolean {
    return this.isWhole && this.#at === this.#bytes.length - SUM_BYTES;
  }

  get isSound(): boolean {
    const end = this.#bytes.length - SUM_BYTES;
    return end >= 0 && sumOf(this.#bytes.subarray(0, end)) === this.#view.getUint32(end, true);
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getUint32(at, true);
  }

  f64(): number {
    const at = this.#take(8);
    return at < 0 ? 0 : this.#view.getFloat64(at, true);
  }

  text(): string {
    const length = this.u32();
    const at = this.#take(length);
    return at < 0 ? "" : new TextDecoder().decode(this.#bytes.subarray(at, at + length));
  }

  f64s(): Float64Array {
    const copy = this.#column(8);
    return new Float64Array(copy.buffer, 0, copy.length / 8);
  }

  u32s(): Uint32Array {
    const copy = this.#column(4);
    return new Uint32Array(copy.buffer, 0, copy.length / 4);
  }

  /** Copied: the bytes may stand at any address, and belong to somebody else. */
  #column(width: number): Uint8Array<ArrayBuffer> {
    const length = this.u32() * width;
    const at = this.#take(length);
    return at < 0 ? new Uint8Array(0) : new Uint8Array(this.#bytes.subarray(at, at + length));
  }

  #take(length: number): number {
    if (!this.isWhole || this.#at + length > this.#bytes.length) {
      this.isWhole = false;
      return -1;
    }
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

export const BROKEN_STATE = "the state is cut short or damaged";

/** What state hangs on: with another query or field it means nothing; name, message, severity and spans of time may change. */
function shapeOf(rule: Rule): string {
  const queries = rule.queries.map((query) => [query.text, query.node, query.groupByNames, query.optionalGroupBy, query.metrics, query.distinct]);
  return JSON.stringify(queries);
}

export function startState(rule: Rule, version: number): ByteWriter {
  const writer = new ByteWriter();
  writer.text(`vespid ${rule.options.method.kind}`);
  writer.u32(version);
  writer.text(shapeOf(rule));
  return writer;
}

/** A reader that stands behind the head, or why the state is not this rule's. */
export function openState(bytes: Uint8Array, rule: Rule, version: number): ByteReader | string {
  const reader = new ByteReader(bytes);
  const kind = `vespid ${rule.options.method.kind}`;
  if (reader.text() !== kind) return `the state is not of ${rule.options.method.kind}`;
  const saved = reader.u32();
  if (saved !== version) return `the state has version ${saved}, and this release reads ${version}`;
  if (reader.text() !== shapeOf(rule)) return "the rule's query, group-by or metrics have changed since the state was saved";
  return reader.isSound ? reader : BROKEN_STATE;
}
