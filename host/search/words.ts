import type { WordSet } from "./word-set.ts";

/**
 * Words of logs, for telling what a stretch of the journal cannot hold.
 *
 * A word is a run of ASCII letters and digits, in small letters; everything else parts words, other scripts too. So the words
 * that lie whole within a value lie whole within its bytes, whatever the value was cut out of. Shorter ones than three characters
 * tell nothing and are left out. Four short numbers in a row are a word of their own, whatever joins them: addresses are asked for
 * most, and to a search in words the dots are no part of them.
 */
export const LEAST_WORD = 3;
const QUAD_PART = 3;

const SEED = 0x811c9dc5 | 0;
const PRIME = 0x01000193;
const DOT = 46;
const BACKSLASH = 92;
const SMALL_U = 117;

/** The small letter or digit a byte stands for; 0 for what parts words. */
const LETTERS = new Uint8Array(256);
for (let c = 0; c < 128; c++) {
  const letter = String.fromCharCode(c).toLowerCase();
  if (/[0-9a-z]/.test(letter)) LETTERS[c] = letter.charCodeAt(0);
}
/** Behind a backslash these stand for control characters, and belong to no word. */
const CONTROLS: ReadonlySet<number> = new Set([..."bfnrt"].map((letter) => letter.charCodeAt(0)));

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** Whole numbers of so many digits are spelled in one way only. */
const SHORT_NUMBER = 15;
/** Longer ones are not looked into. */
const LONGEST_NUMBER = 400;
/** As JSON spells it, without its sign. */
const NUMBER = /^\d+(?:\.\d+)?(?:e[-+]?\d+)?$/i;

/** Reads words out of bytes as they came: JSON with whatever was escaped how often, or lines. */
export class WordReader {
  readonly #words: WordSet;
  readonly #row = new Int32Array(8);
  /** An escape spelled a letter, digit or dot, or a number is too long: the words read are not all there are. Never unset here. */
  isOdd = false;

  constructor(words: WordSet) {
    this.#words = words;
  }

  readText(text: string): void {
    this.read(Buffer.from(text));
  }

  read(bytes: Uint8Array): void {
    this.#read(bytes, 0, bytes.length, true);
  }

  #read(bytes: Uint8Array, from: number, to: number, withNumbers: boolean): void {
    const words = this.#words;
    let hash = SEED;
    let start = -1;
    /** Short numbers in a row so far, and where the last of them stand. */
    let chain = 0;
    const row = this.#row;
    for (let i = from; i <= to; i++) {
      const byte = i < to ? bytes[i]! : 0;
      const letter = LETTERS[byte]!;
      if (letter !== 0) {
        if (start < 0) start = i;
        hash = Math.imul(hash ^ letter, PRIME);
        continue;
      }
      let foreign = 0;
      if (byte >= 0xc4) {
        // The only two characters of other scripts whose small letter is an ASCII one: the Kelvin sign, and I with a dot.
        if (byte === 0xe2 && bytes[i + 1] === 0x84 && bytes[i + 2] === 0xaa && i + 2 < to) foreign = 107;
        else if (byte === 0xc4 && bytes[i + 1] === 0xb0 && i + 1 < to) foreign = 105;
      }
      if (foreign !== 0) {
        if (start < 0) start = i;
        hash = Math.imul(hash ^ foreign, PRIME);
        if (foreign === 107) {
          i += 2;
          continue;
        }
      }
      if (start < 0) continue;
      let wordStart = start;
      if (i - start + (foreign === 0 ? 0 : 1) >= LEAST_WORD) words.add(mixed(hash));
      if (start > from && bytes[start - 1] === BACKSLASH) {
        wordStart = this.#behindBackslash(bytes, start, i);
        if (i - wordStart >= LEAST_WORD && wordStart > start) this.#inner(bytes, wordStart, i);
      }
      if (wordStart < i) {
        // An escape that is followed by nothing stands between words and is none.
        if (i - wordStart <= QUAD_PART && allDigits(bytes, wordStart, i)) {
          row[(chain & 3) * 2] = wordStart;
          row[(chain & 3) * 2 + 1] = i;
          if (++chain >= 4) words.add(this.#quad(bytes, chain));
        } else chain = 0;
      }
      if (withNumbers && wordStart < i && isDigit(bytes[wordStart]!)) this.#number(bytes, from, wordStart, i, to);
      start = -1;
      hash = SEED;
      if (foreign !== 0) i++;
    }
  }

  #inner(bytes: Uint8Array, start: number, end: number): void {
    const row = this.#row.slice();
    this.#read(bytes, start, end, false);
    this.#row.set(row);
  }

  #quad(bytes: Uint8Array, chain: number): number {
    let hash = SEED;
    for (let k = chain; k < chain + 4; k++) {
      if (k > chain) hash = Math.imul(hash ^ DOT, PRIME);
      for (let i = this.#row[(k & 3) * 2]!; i < this.#row[(k & 3) * 2 + 1]!; i++) hash = Math.imul(hash ^ bytes[i]!, PRIME);
    }
    return mixed(hash);
  }

  /** Where the word begins that follows an escape, if the backslash is one. */
  #behindBackslash(bytes: Uint8Array, start: number, end: number): number {
    const first = bytes[start]!;
    if (CONTROLS.has(first)) return start + 1;
    if (first !== SMALL_U || end - start < 5) return start;
    let code = 0;
    for (let i = start + 1; i < start + 5; i++) {
      const digit = Number.parseInt(String.fromCharCode(bytes[i]!), 16);
      if (Number.isNaN(digit)) return start;
      code = code * 16 + digit;
    }
    if (code === DOT || code === 0x130 || code === 0x212a || (code < 128 && LETTERS[code] !== 0)) this.isOdd = true;
    return start + 5;
  }

  /** A number is found by its canonical text too, however it is spelled. */
  #number(bytes: Uint8Array, from: number, start: number, end: number, to: number): void {
    const hasFraction = bytes[end] === DOT && end + 1 < to && isDigit(bytes[end + 1]!);
    if (!hasFraction && end - start <= SHORT_NUMBER && allDigits(bytes, start, end)) return;
    if (start > from && bytes[start - 1] === DOT) return;
    let last = digitsEnd(bytes, start, to);
    if (bytes[last] === DOT && last < to) last = digitsEnd(bytes, last + 1, to);
    if (last + 1 < to && (bytes[last] === 69 || bytes[last] === 101)) {
      const sign = bytes[last + 1] === 43 || bytes[last + 1] === 45 ? 1 : 0;
      last = digitsEnd(bytes, last + 1 + sign, to);
    }
    // An address, a version, the time of day: what goes on is no number.
    if (last < to && (LETTERS[bytes[last]!] !== 0 || bytes[last] === DOT)) return;
    if (last - start > LONGEST_NUMBER) {
      this.isOdd = true;
      return;
    }
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, last - start).toString("latin1");
    if (!NUMBER.test(text)) return;
    const canonical = String(Number(text));
    if (canonical === text) return;
    const spelled = Buffer.from(canonical);
    this.#inner(spelled, 0, spelled.length);
  }
}

function digitsEnd(bytes: Uint8Array, start: number, to: number): number {
  let at = start;
  while (at < to && isDigit(bytes[at]!)) at++;
  return at;
}

function allDigits(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (!isDigit(bytes[i]!)) return false;
  return true;
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = SEED;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, PRIME);
  return mixed(hash);
}

/** FNV alone leaves the high bits of short words alike. */
function mixed(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Whether the text goes on beyond its end, so that a word there may be part of a longer one. */
export interface OpenEnds {
  readonly left?: boolean;
  readonly right?: boolean;
}

/** Hashes of the words that stand wherever the text stands. */
export function wordsWithin(text: string, open: OpenEnds = {}): number[] {
  const folded = [...text].map((character) => (character === "\u212a" ? "k" : character === "\u0130" ? "i\u0307" : /^[A-Z]$/.test(character) ? character.toLowerCase() : character)).join("");
  const isWhole = (start: number, end: number): boolean => (!open.left || start > 0) && (!open.right || end < folded.length);
  const found = new Set<number>();
  for (const { 0: word, index } of folded.matchAll(/[0-9a-z]+/g)) {
    if (word.length >= LEAST_WORD && isWhole(index, index + word.length)) found.add(textHash(word));
  }
  // Every four in a row: of 1.2.3.4.5 there are two.
  for (const { index } of folded.matchAll(/(?<![0-9a-z])(?=\d{1,3}(?:\.\d{1,3}){3}(?![0-9a-z]))/g)) {
    const quad = /^\d{1,3}(?:\.\d{1,3}){3}/.exec(folded.slice(index))![0];
    if (isWhole(index, index + quad.length)) found.add(textHash(quad));
  }
  return [...found];
}

function textHash(text: string): number {
  const bytes = Buffer.from(text);
  return hashOf(bytes, 0, bytes.length);
}
