import { wordsOf } from "../query/fold.ts";
import { type ByteGlob, globBytes } from "./byte-glob.ts";
import { Codes } from "./growing.ts";
import { TEXT, Texts } from "./texts.ts";

/** Values that a word is known to be in; one that is in more is looked for in their bytes. */
const MOST_VALUES = 32_768;

/** Which values hold which words: for words that are not in very many. */
export class WordLines {
  readonly #words = new Texts();
  /** By word: values that hold it, at most one more than the cap. */
  readonly #counts = new Codes();
  /** By word: its latest entry, each of which names the one before; 0 is none. */
  readonly #latest = new Codes();
  readonly #values = new Codes();
  readonly #before = new Codes();

  readonly #most: number;

  constructor(most = MOST_VALUES) {
    this.#most = most;
    for (const codes of [this.#counts, this.#latest, this.#values, this.#before]) codes.push(0);
  }

  /** Values come in ascending order. @param bytes in lower case, from `start` to `end`. @param isWord by ASCII code. */
  add(value: number, bytes: Buffer, start: number, end: number, isWord: Uint8Array): void {
    let from = -1;
    for (let at = start; at <= end; at++) {
      const byte = at < end ? bytes[at]! : 32;
      if (byte > 127) {
        // Begun anew: what was noted already is not noted twice.
        for (const word of wordsOf(bytes.toString("utf8", start, end))) this.#note(value, Buffer.from(word));
        return;
      }
      if (isWord[byte] === 1) {
        if (from < 0) from = at;
      } else if (from >= 0) {
        this.#note(value, bytes.subarray(from, at));
        from = -1;
      }
    }
  }

  /** Undefined: in too many. Each value once. */
  holding(word: Uint8Array): Uint32Array | undefined {
    const code = this.#words.findBytes(word, TEXT);
    return code === 0 ? new Uint32Array(0) : this.#valuesOf(code);
  }

  /** The same for words that a pattern covers, as far as `take` is called for each; false when one is in too many. */
  matching(glob: ByteGlob, take: (value: number) => void): boolean {
    const { bytes, starts } = this.#words.raw;
    const found: Uint32Array[] = [];
    for (let code = 1; code <= this.#words.count; code++) {
      if (!globBytes(glob, bytes, starts[code]!, starts[code + 1]!)) continue;
      const values = this.#valuesOf(code);
      if (!values) return false;
      found.push(values);
    }
    for (const values of found) for (const value of values) take(value);
    return true;
  }

  get bytes(): number {
    return this.#words.bytes + this.#counts.bytes + this.#latest.bytes + this.#values.bytes + this.#before.bytes;
  }

  #note(value: number, word: Uint8Array): void {
    const code = this.#words.addBytes(word, TEXT);
    this.#counts.pad(code + 1);
    this.#latest.pad(code + 1);
    const count = this.#counts.items[code]!;
    const latest = this.#latest.items[code]!;
    if (count > this.#most || (latest !== 0 && this.#values.items[latest] === value)) return;
    this.#counts.set(code, count + 1);
    if (count === this.#most) return;
    this.#latest.set(code, this.#values.length);
    this.#values.push(value);
    this.#before.push(latest);
  }

  #valuesOf(code: number): Uint32Array | undefined {
    const count = this.#counts.items[code]!;
    if (count > this.#most) return undefined;
    const values = new Uint32Array(count);
    for (let entry = this.#latest.items[code]!, i = count; entry !== 0; entry = this.#before.items[entry]!) values[--i] = this.#values.items[entry]!;
    return values;
  }
}
