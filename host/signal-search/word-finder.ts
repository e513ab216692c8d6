import { foldCase, isWordCharacter, wordsOf } from "../query/fold.ts";
import { valueMatches } from "../query/matches.ts";
import type { Field, GlobItem, Test } from "../query/tree.ts";
import { type ByteGlob, byteGlob, globBytes } from "./byte-glob.ts";
import type { Deadline } from "./deadline.ts";
import { grown } from "./growing.ts";
import { BOOLEAN, NUMBER, TEXT, type Texts } from "./texts.ts";
import type { WordLines } from "./word-lines.ts";

const freeText: Field = { kind: "freeText" };
/** By ASCII code: is it part of a word? */
const WORD = Uint8Array.from({ length: 128 }, (_, code) => (isWordCharacter(String.fromCharCode(code)) ? 1 : 0));

/** The same without capital letters, by byte. */
const SMALL_WORD = Uint8Array.from({ length: 256 }, (_, code) => (code < 128 && WORD[code] === 1 && !(code > 64 && code < 91) ? 1 : 0));

/** A test of words, read once for many columns. */
export type WordTest =
  | { readonly kind: "sequence"; readonly words: readonly string[]; readonly bytes: readonly Uint8Array[]; readonly longest: number; readonly test: Test }
  /** A pattern over each word. */
  | { readonly kind: "word"; readonly glob: ByteGlob; readonly test: Test }
  /** A pattern that holds what stands between words, laid over the whole text. */
  | { readonly kind: "whole"; readonly longest: Uint8Array; readonly test: Test };

/** Undefined: a test of no words, which no text passes. Only for `equals`, `phrase` and `wildcard`. */
export function wordTest(test: Test): WordTest | undefined {
  if (test.kind === "equals" || test.kind === "phrase") {
    const words = wordsOf(test.text);
    if (words.length === 0) return undefined;
    const bytes = words.map((word) => Buffer.from(word));
    return { kind: "sequence", words, bytes, longest: bytes.reduce((best, word, i) => (word.length > bytes[best]!.length ? i : best), 0), test };
  }
  if (test.kind !== "wildcard") return undefined;
  const folded = test.items.map((item): GlobItem => (item.kind === "text" ? { kind: "text", text: foldCase(item.text) } : item));
  const hasSeparator = folded.some((item) => item.kind === "text" && [...item.text].some((character) => !isWordCharacter(character)));
  if (!hasSeparator) return { kind: "word", glob: byteGlob(folded), test };
  // A line ends where another begins: what is looked for in lines holds no end of one.
  const runs = folded.flatMap((item) => (item.kind === "text" ? item.text.split("\n") : [])).map((run) => Buffer.from(run));
  return { kind: "whole", longest: runs.reduce((best, run) => (run.length > best.length ? run : best), Buffer.alloc(0)), test };
}

/** Finds words in all distinct values of a column at once: in a copy of their bytes in lower case, made when first asked for. */
export class WordFinder {
  readonly #texts: Texts;
  #bytes = Buffer.alloc(256);
  #starts = new Uint32Array(16);
  #used = 0;
  #known = 0;

  /** Undefined where values are searched through. */
  readonly #lines: WordLines | undefined;
  #linesKnown = 0;

  /** @param lines keeps which values hold which words: for columns of sentences. */
  constructor(texts: Texts, lines?: WordLines) {
    this.#texts = texts;
    this.#lines = lines;
  }

  /** Makes ready what searches need, so that nobody waits for it. */
  prepare(): void {
    this.fold();
    if (!this.#lines) return;
    const { bytes, starts } = this.#folded();
    for (let code = this.#linesKnown + 1; code <= this.#texts.count; code++) this.#lines.add(code, bytes, starts[code]!, starts[code + 1]!, WORD);
    this.#linesKnown = this.#texts.count;
  }

  /** Sets what is in `hits`, by code, for values that pass. */
  find(wanted: WordTest, hits: Uint8Array, deadline: Deadline): void {
    const needle = wanted.kind === "sequence" ? wanted.bytes[wanted.longest]! : wanted.kind === "word" ? wanted.glob.longest : wanted.longest;
    if (needle.length === 0) {
      for (let code = 1; code <= this.#texts.count; code++) {
        deadline.tick();
        if (valueMatches(freeText, wanted.test, this.#texts.text(code))) hits[code] = 1;
      }
      return;
    }
    if (!this.#texts.mayHoldFolded(needle) || this.#isKnown(wanted, hits)) return;
    const { bytes, starts } = this.#folded();
    let code = 1;
    for (let at = bytes.indexOf(needle); at >= 0; ) {
      code = codeAt(starts, at, code, this.#texts.count);
      const end = starts[code + 1]!;
      deadline.tick();
      const passes = at + needle.length <= end && this.#passes(wanted, code, bytes, at, starts[code]!, end);
      if (passes) hits[code] = 1;
      // A pattern over the whole was asked of the whole.
      at = bytes.indexOf(needle, passes || (wanted.kind === "whole" && at + needle.length <= end) ? end : at + 1);
    }
  }

  /** Finds without a look through all the bytes, where that can be done. */
  #isKnown(wanted: WordTest, hits: Uint8Array): boolean {
    if (wanted.kind === "sequence" && this.#texts.holdsOnly(SMALL_WORD)) {
      // Every value is one word, or empty.
      if (wanted.bytes.length === 1) for (const kind of [TEXT, NUMBER, BOOLEAN] as const) hits[this.#texts.findBytes(wanted.bytes[0]!, kind)] = 1;
      hits[0] = 0;
      return true;
    }
    if (!this.#lines || wanted.kind === "whole") return false;
    this.prepare();
    if (wanted.kind === "word") return this.#lines.matching(wanted.glob, (code) => (hits[code] = 1));
    let fewest: { readonly values: Uint32Array; readonly word: Uint8Array; readonly at: number } | undefined;
    for (const [at, word] of wanted.bytes.entries()) {
      const values = this.#lines.holding(word);
      if (values && (!fewest || values.length < fewest.values.length)) fewest = { values, word, at };
    }
    if (!fewest) return false;
    const { bytes, starts } = this.#folded();
    for (const code of fewest.values) {
      if (wanted.bytes.length === 1) {
        hits[code] = 1;
        continue;
      }
      const end = starts[code + 1]!;
      for (let at = bytes.indexOf(fewest.word, starts[code]); at >= 0 && at + fewest.word.length <= end; at = bytes.indexOf(fewest.word, at + 1)) {
        if (!this.#passes({ ...wanted, longest: fewest.at }, code, bytes, at, starts[code]!, end)) continue;
        hits[code] = 1;
        break;
      }
    }
    return true;
  }

  /** The same for values that hold bytes in their lower case. */
  holding(needle: Uint8Array, hits: Uint8Array): void {
    if (!this.#texts.mayHoldFolded(needle)) return;
    const { bytes, starts } = this.#folded();
    let code = 1;
    for (let at = bytes.indexOf(needle); at >= 0; ) {
      code = codeAt(starts, at, code, this.#texts.count);
      const isWithin = at + needle.length <= starts[code + 1]!;
      if (isWithin) hits[code] = 1;
      at = bytes.indexOf(needle, isWithin ? starts[code + 1] : at + 1);
    }
  }

  /** Calls for each value whose last word may be one of these. */
  eachEndingWith(words: readonly Uint8Array[], take: (code: number) => void): void {
    const { bytes, starts } = this.#folded();
    for (let code = 1; code <= this.#texts.count; code++) {
      const start = starts[code]!;
      let end = starts[code + 1]!;
      while (end > start && bytes[end - 1]! < 128 && WORD[bytes[end - 1]!] === 0) end--;
      if (end === start) continue;
      const last = bytes[end - 1]!;
      if (last > 127) take(code);
      else for (const word of words) {
        if (word[word.length - 1] !== last || end - word.length < start || !isAt(word, bytes, end - word.length)) continue;
        take(code);
        break;
      }
    }
  }

  /** All values in lower case: as they are, where they are in lower case already. */
  #folded(): { readonly bytes: Buffer; readonly starts: Uint32Array } {
    if (this.#texts.isFolded) {
      const { bytes, starts, used } = this.#texts.raw;
      return { bytes: bytes.subarray(0, used), starts };
    }
    this.fold();
    return { bytes: this.#bytes.subarray(0, this.#used), starts: this.#starts };
  }

  /** Lower case for all values that came since the last time. */
  fold(): void {
    if (this.#texts.isFolded) return;
    const { bytes, starts } = this.#texts.raw;
    if (this.#starts.length < starts.length) this.#starts = grown(this.#starts, starts.length);
    for (let code = this.#known + 1; code <= this.#texts.count; code++) {
      const [start, end] = [starts[code]!, starts[code + 1]!];
      this.#reserve(end - start);
      this.#starts[code] = this.#used;
      let isAscii = true;
      let to = this.#used;
      for (let i = start; i < end; i++) {
        const byte = bytes[i]!;
        if (byte > 127) {
          isAscii = false;
          break;
        }
        this.#bytes[to++] = byte >= 65 && byte <= 90 ? byte + 32 : byte;
      }
      if (isAscii) this.#used = to;
      else this.#append(Buffer.from(foldCase(bytes.toString("utf8", start, end))));
      this.#starts[code + 1] = this.#used;
    }
    this.#known = this.#texts.count;
  }

  get bytes(): number {
    return this.#bytes.length + this.#starts.byteLength + (this.#lines?.bytes ?? 0);
  }

  #append(folded: Uint8Array): void {
    this.#reserve(folded.length);
    this.#bytes.set(folded, this.#used);
    this.#used += folded.length;
  }

  #reserve(length: number): void {
    if (this.#used + length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#used + length, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }

  /** Is what was found at a place what is wanted? Where letters are not of ASCII, the value is asked as text. */
  #passes(wanted: WordTest, code: number, bytes: Uint8Array, at: number, start: number, end: number): boolean {
    if (wanted.kind !== "whole") {
      const verdict = wanted.kind === "sequence" ? sequenceAt(wanted, bytes, at, start, end) : wordAt(wanted.glob, bytes, at, start, end);
      if (verdict !== undefined) return verdict;
    }
    return valueMatches(freeText, wanted.test, this.#texts.text(code));
  }
}

/** The value that holds a byte, looked for from one that lies before it. */
export function codeAt(starts: Uint32Array, at: number, from: number, last: number): number {
  let step = 1;
  let low = from;
  while (low + step <= last && starts[low + step]! <= at) {
    low += step;
    step *= 2;
  }
  let high = Math.min(last, low + step);
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (starts[middle]! <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Undefined: not to be told from bytes. */
function sequenceAt({ bytes: words, longest }: Extract<WordTest, { kind: "sequence" }>, bytes: Uint8Array, at: number, start: number, end: number): boolean | undefined {
  let left = at;
  for (let i = longest; ; i--) {
    if (left > start && bytes[left - 1]! > 127) return undefined;
    if (left > start && WORD[bytes[left - 1]!] === 1) return false;
    if (i === 0) break;
    while (left > start && bytes[left - 1]! < 128 && WORD[bytes[left - 1]!] === 0) left--;
    if (left > start && bytes[left - 1]! > 127) return undefined;
    const word = words[i - 1]!;
    left -= word.length;
    if (left < start || !isAt(word, bytes, left)) return false;
  }
  let right = at;
  for (let i = longest; ; i++) {
    right += words[i]!.length;
    if (right < end && bytes[right]! > 127) return undefined;
    if (right < end && WORD[bytes[right]!] === 1) return false;
    if (i === words.length - 1) return true;
    while (right < end && bytes[right]! < 128 && WORD[bytes[right]!] === 0) right++;
    if (right < end && bytes[right]! > 127) return undefined;
    const word = words[i + 1]!;
    if (right + word.length > end || !isAt(word, bytes, right)) return false;
  }
}

function wordAt(glob: ByteGlob, bytes: Uint8Array, at: number, start: number, end: number): boolean | undefined {
  let left = at;
  while (left > start && bytes[left - 1]! < 128 && WORD[bytes[left - 1]!] === 1) left--;
  let right = at;
  while (right < end && bytes[right]! < 128 && WORD[bytes[right]!] === 1) right++;
  if ((left > start && bytes[left - 1]! > 127) || (right < end && bytes[right]! > 127)) return undefined;
  return globBytes(glob, bytes, left, right);
}

function isAt(word: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}
