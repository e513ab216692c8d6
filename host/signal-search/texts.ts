import { randomInt } from "node:crypto";
import { Codes, grown, resized } from "./growing.ts";
import type { Scalar } from "../query/values.ts";

/** What a distinct value was in its JSON. */
export const TEXT = 0;
export const NUMBER = 1;
export const BOOLEAN = 2;
export type ValueKind = typeof TEXT | typeof NUMBER | typeof BOOLEAN;

export function kindOf(value: Scalar): ValueKind {
  return typeof value === "string" ? TEXT : typeof value === "number" ? NUMBER : BOOLEAN;
}

/** Where table places begin differs from run to run: who sends values cannot choose ones that fall together. */
const SEED = randomInt(2 ** 32);
const NUMERIC = /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/;
const encoder = new TextEncoder();
/** Where a value begins is told in 32 bits. */
const MOST_BYTES = 2 ** 32 - 1;
/** Distinct values looked up as they are, before their bytes are: most values of most columns are among the first. */
const MOST_FAMILIAR = 2048;
let scratch = new Uint8Array(4096);

/** UTF-8 of a text in memory that the next call uses again. */
function encoded(text: string): Uint8Array {
  const units = text.length;
  if (scratch.length < units * 3) scratch = new Uint8Array(units * 6);
  for (let i = 0; i < units; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 127) return scratch.subarray(0, encoder.encodeInto(text, scratch).written);
    scratch[i] = unit;
  }
  return scratch.subarray(0, units);
}

/**
 * Distinct values of a column, each known by a code from 1 up in the order they came: bytes one after another, a hash table of
 * codes. About 14 bytes a value beside its own, no object each. A text and a number that reads the same are two.
 */
export class Texts {
  /** UTF-8, or whatever `addBytes` was given. */
  #bytes = Buffer.alloc(256);
  #used = 0;
  /** By code; one more than there are: a value ends where the next begins. */
  #starts = new Uint32Array(16);
  #hashes = new Uint32Array(16);
  #kinds = new Codes();
  #table = new Uint32Array(16);
  #count = 0;
  #numbers: Float64Array = new Float64Array(0);
  #numbersKnown = 0;
  /** Undefined once it was of little use. */
  #familiar: Map<Scalar, number> | undefined = new Map();
  #strange = 0;
  /** By byte: does any value hold it? */
  readonly #held = new Uint8Array(256);

  constructor() {
    this.#kinds.push(0);
  }

  /** Codes are 1 to this. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of all values; value `code` is from `starts[code]` to `starts[code + 1]`. Of use until the next value is added. */
  get raw(): { readonly bytes: Buffer; readonly starts: Uint32Array; readonly used: number } {
    return { bytes: this.#bytes, starts: this.#starts, used: this.#used };
  }

  add(value: Scalar): number {
    const familiar = this.#familiar?.get(value);
    if (familiar !== undefined) return familiar;
    const code = this.addBytes(encoded(typeof value === "string" ? value : String(value)), kindOf(value));
    if (this.#familiar) {
      if (this.#familiar.size < MOST_FAMILIAR) this.#familiar.set(value, code);
      // Nearly every value is another.
      else if (++this.#strange > MOST_FAMILIAR * 8 && this.#count > this.#strange / 2) this.#familiar = undefined;
    }
    return code;
  }

  /** May a value hold all of these bytes? */
  mayHold(bytes: Uint8Array): boolean {
    return bytes.every((byte) => this.#held[byte] === 1);
  }

  /** May a value hold them in lower case? What is not of ASCII may become anything. */
  mayHoldFolded(bytes: Uint8Array): boolean {
    const held = this.#held;
    return held.subarray(128).includes(1) || bytes.every((byte) => held[byte] === 1 || (byte > 96 && byte < 123 && held[byte - 32] === 1));
  }

  /** Does every value hold none but these bytes, named by their number? */
  holdsOnly(bytes: Uint8Array): boolean {
    return this.#held.every((isHeld, byte) => isHeld === 0 || bytes[byte] === 1);
  }

  /** All bytes are of ASCII, and none is a capital letter. */
  get isFolded(): boolean {
    for (let byte = 65; byte <= 90; byte++) if (this.#held[byte] === 1) return false;
    return !this.#held.subarray(128).includes(1);
  }

  /** Gives back what was kept for growing. */
  trim(): void {
    const bytes = Buffer.allocUnsafeSlow(this.#used + (this.#used >>> 3) + 64);
    this.#bytes.copy(bytes, 0, 0, this.#used);
    this.#bytes = bytes;
    this.#starts = resized(this.#starts, this.#count + (this.#count >>> 3) + 16);
    this.#hashes = resized(this.#hashes, this.#starts.length);
    this.#kinds.trim();
  }

  /** The code of a value, 0 where there is none. */
  find(value: Scalar): number {
    return this.findBytes(encoded(typeof value === "string" ? value : String(value)), kindOf(value));
  }

  findBytes(bytes: Uint8Array, kind: ValueKind): number {
    return this.#table[this.#placeOf(bytes, kind, hashOf(bytes, kind))]!;
  }

  addBytes(bytes: Uint8Array, kind: ValueKind): number {
    const hash = hashOf(bytes, kind);
    const place = this.#placeOf(bytes, kind, hash);
    const known = this.#table[place]!;
    if (known !== 0) return known;
    const end = this.#used + bytes.length;
    if (end > MOST_BYTES) throw new Error("a field has more than 4 GB of distinct values");
    const code = ++this.#count;
    if (code + 2 > this.#starts.length) {
      this.#starts = grown(this.#starts, code * 2);
      this.#hashes = grown(this.#hashes, code * 2);
    }
    if (end > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(MOST_BYTES, Math.max(end, this.#bytes.length * 2)));
      this.#bytes.copy(larger, 0, 0, this.#used);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#used);
    const held = this.#held;
    for (let i = 0; i < bytes.length; i++) held[bytes[i]!] = 1;
    this.#starts[code] = this.#used;
    this.#used = this.#starts[code + 1] = end;
    this.#hashes[code] = hash;
    this.#kinds.push(kind);
    this.#table[place] = code;
    if (code * 4 > this.#table.length * 3) this.#rehash();
    return code;
  }

  kind(code: number): ValueKind {
    return this.#kinds.items[code] as ValueKind;
  }

  text(code: number): string {
    return this.#bytes.toString("utf8", this.#starts[code], this.#starts[code + 1]);
  }

  value(code: number): Scalar {
    const text = this.text(code);
    const kind = this.kind(code);
    return kind === TEXT ? text : kind === NUMBER ? Number(text) : text === "true";
  }

  bytesOf(code: number): Uint8Array {
    return this.#bytes.subarray(this.#starts[code]!, this.#starts[code + 1]!);
  }

  /** By code: the number a value is, or is the text of; NaN where it is neither. */
  numbers(): Float64Array {
    if (this.#numbersKnown === this.#count && this.#numbers.length > 0) return this.#numbers;
    if (this.#numbers.length <= this.#count) this.#numbers = grown(this.#numbers, this.#starts.length);
    this.#numbers[0] = Number.NaN;
    for (let code = this.#numbersKnown + 1; code <= this.#count; code++) this.#numbers[code] = this.#number(code);
    this.#numbersKnown = this.#count;
    return this.#numbers;
  }

  /** Order of the code points of two values' texts. */
  compareTexts(a: number, b: number): number {
    if (a === b) return 0;
    const [bytes, starts] = [this.#bytes, this.#starts];
    const [left, right] = [starts[a]!, starts[b]!];
    const [leftLength, rightLength] = [starts[a + 1]! - left, starts[b + 1]! - right];
    const length = Math.min(leftLength, rightLength);
    for (let i = 0; i < length; i++) {
      const order = bytes[left + i]! - bytes[right + i]!;
      if (order !== 0) return order;
    }
    return leftLength - rightLength;
  }

  get bytes(): number {
    return this.#bytes.length + this.#starts.byteLength + this.#hashes.byteLength + this.#table.byteLength + this.#kinds.bytes + this.#numbers.byteLength;
  }

  #number(code: number): number {
    const kind = this.kind(code);
    const first = this.#bytes[this.#starts[code]!]!;
    const isDigit = first >= 48 && first <= 57;
    if (this.#starts[code + 1] === this.#starts[code] || kind === BOOLEAN || (kind === TEXT && !isDigit && first !== 45)) return Number.NaN;
    const text = this.text(code);
    return kind === NUMBER || NUMERIC.test(text) ? Number(text) : Number.NaN;
  }

  /** Where a value stands in the table, or would. */
  #placeOf(bytes: Uint8Array, kind: ValueKind, hash: number): number {
    const mask = this.#table.length - 1;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const code = this.#table[place]!;
      if (code === 0 || (this.#hashes[code] === hash && this.#kinds.items[code] === kind && this.#isSame(code, bytes))) return place;
    }
  }

  #isSame(code: number, bytes: Uint8Array): boolean {
    const start = this.#starts[code]!;
    if (this.#starts[code + 1]! - start !== bytes.length) return false;
    for (let i = 0; i < bytes.length; i++) if (this.#bytes[start + i] !== bytes[i]) return false;
    return true;
  }

  #rehash(): void {
    const table = new Uint32Array(this.#table.length * 2);
    const mask = table.length - 1;
    for (let code = 1; code <= this.#count; code++) {
      let place = this.#hashes[code]! & mask;
      while (table[place] !== 0) place = (place + 1) & mask;
      table[place] = code;
    }
    this.#table = table;
  }
}

function hashOf(bytes: Uint8Array, kind: ValueKind): number {
  let hash = SEED ^ kind;
  for (let i = 0; i < bytes.length; i++) {
    hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    hash ^= hash >>> 13;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
