import {
  WORDS_ANSWER_DECLINED, WORDS_ANSWER_MISSING, WORDS_BYTES, WORDS_CAPACITY, WORDS_CLASSES, WORDS_DECLINED, WORDS_MISSING, WORDS_SEED, WORDS_SPANS, WORDS_TEXTS,
  WORD_DECLINE, WORD_DIGIT, WORD_DOUBLE_QUOTE, WORD_EXTEND, WORD_HEBREW, WORD_JOINER, WORD_LETTER, WORD_MID_BOTH, WORD_MID_LETTER, WORD_MID_NUMBER, WORD_OTHER,
  WORD_PICTOGRAPH, WORD_SINGLE_QUOTE, WORD_SPAN_BYTES, WORD_UNDERSCORE,
} from "../../../assembly/layout.ts";
import type { SketchRoom } from "./sketch.ts";

// One language for all machines: some tailor what joins words.
const segmenter = new Intl.Segmenter("en", { granularity: "word" });
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const PAGE = 256;
const POINTS = 0x110000;
const PAD = 128;
// Scripts in which ICU looks words up in a dictionary, and those it cuts character by character.
const BY_DICTIONARY =
  /[\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\p{Ideographic}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}\p{sc=Tale}\p{sc=Talu}\p{sc=Lana}\p{sc=Tavt}\p{sc=Ahom}]/u;
// Common to several scripts, so that no dictionary has it.
const CJK_PUNCTUATION = /^(?=\p{sc=Zyyy})\p{P}$/u;
const PICTOGRAPH = /\p{Extended_Pictographic}/u;
const ALEF = "\u05d0";

/** Does the text's first segment end where the text does? */
function isOne(text: string): boolean {
  return segmenter.segment(text).containing(0)?.segment.length === text.length;
}

/** WORD_* of a code point, found out by how the host's own segmenter treats it: whatever its version, both agree. */
export function wordClass(point: number): number {
  const c = String.fromCodePoint(point);
  if (point < 0x80 && /[A-Za-z]/.test(c)) return WORD_LETTER;
  if (point === 0x200d) return WORD_JOINER;
  const isPictograph = PICTOGRAPH.test(c);
  const isWordAlone = segmenter.segment(c).containing(0)?.isWordLike === true;
  if (BY_DICTIONARY.test(c) && !CJK_PUNCTUATION.test(c)) return WORD_DECLINE;
  if (isOne(`a${c}`)) {
    if (isOne(` ${c}`)) return isWordAlone ? WORD_DECLINE : WORD_EXTEND;
    // A letter that is a pictograph too would be bound by a joiner.
    if (isPictograph) return WORD_DECLINE;
    if (isOne(`${c},1`)) return isWordAlone ? WORD_DIGIT : WORD_DECLINE;
    if (isOne(`${c}'`)) return isWordAlone ? WORD_HEBREW : WORD_DECLINE;
    if (isOne(`${c}'a`)) return isWordAlone ? WORD_LETTER : WORD_DECLINE;
    return isOne(`_${c}`) && !isWordAlone ? WORD_UNDERSCORE : WORD_DECLINE;
  }
  if (isWordAlone) return WORD_DECLINE;
  if (isPictograph) return WORD_PICTOGRAPH;
  if (isOne(`${ALEF}${c}`)) return WORD_SINGLE_QUOTE;
  const letters = isOne(`a${c}a`);
  const digits = isOne(`1${c}1`);
  if (letters) return digits ? WORD_MID_BOTH : WORD_MID_LETTER;
  if (digits) return WORD_MID_NUMBER;
  return isOne(`${ALEF}${c}${ALEF}`) ? WORD_DOUBLE_QUOTE : WORD_OTHER;
}

/** Words of a text as the host's segmenter cuts them: the slow twin, and the way for texts the kernel declines. */
export function hostWords(text: string): string[] {
  return Array.from(segmenter.segment(text)).filter((part) => part.isWordLike).map((part) => part.segment);
}

/**
 * Cuts text into words and hashes them, for token sets.
 *
 * The kernel does what simple rules can; texts it declines go through Intl.Segmenter, and are counted. Both give the same words.
 */
export class Words {
  readonly room: SketchRoom;
  readonly struct: number;
  readonly #text: number;
  readonly #textBytes: number;
  readonly #spans: number;

  /** @param textBytes longest text; what is longer is cut there. @param capacity words of one text at most; further ones are left out. */
  constructor(room: SketchRoom, options: { readonly textBytes?: number; readonly seed?: bigint } = {}) {
    this.room = room;
    this.#textBytes = options.textBytes ?? 65_536;
    const capacity = (this.#textBytes >> 1) + 1;
    this.struct = room.arena.alloc(WORDS_BYTES);
    this.#spans = room.arena.alloc(capacity * WORD_SPAN_BYTES);
    this.#text = room.arena.alloc(this.#textBytes + PAD);
    const { u32, u64 } = room.arena;
    u32[(this.struct + WORDS_CLASSES) >> 2] = room.arena.alloc(POINTS);
    u32[(this.struct + WORDS_SPANS) >> 2] = this.#spans;
    u32[(this.struct + WORDS_CAPACITY) >> 2] = capacity;
    u64[(this.struct + WORDS_SEED) >> 3] = options.seed ?? 0n;
    this.#fillPage(0);
  }

  /** Texts the kernel cut. */
  get texts(): number {
    return this.room.arena.u32[(this.struct + WORDS_TEXTS) >> 2]!;
  }
  /** Texts left to the host's segmenter. */
  get declined(): number {
    return this.room.arena.u32[(this.struct + WORDS_DECLINED) >> 2]!;
  }

  /** The words of a text, in order. */
  words(text: string): string[] {
    const length = this.#write(text);
    const count = this.#cut(() => this.room.kernel.words(this.struct, this.#text, length));
    if (count === WORDS_ANSWER_DECLINED) return hostWords(this.#read(this.#text, length));
    const { u32 } = this.room.arena;
    return Array.from({ length: count }, (_, i) => this.#read(u32[(this.#spans >> 2) + i * 2]!, u32[(this.#spans >> 2) + i * 2 + 1]!));
  }

  /** Writes the hashes of a text's words to `out`, u64 each, `capacity` at most; how many. */
  hashes(text: string, out: number, capacity: number): number {
    const length = this.#write(text);
    return this.hashesAt(this.#text, length, out, capacity);
  }

  /** The same for text that is in the memory already; 128 bytes after it may be read. A text longer than the kernel's room goes to the host. */
  hashesAt(address: number, length: number, out: number, capacity: number): number {
    const { kernel } = this.room;
    let count = this.#cut(() => kernel.words(this.struct, address, length));
    if (count < 0) count = this.#writeSpans(hostWords(this.#read(address, length)));
    const taken = Math.min(count, capacity);
    kernel.hashSpans(this.struct, this.#spans, taken, out);
    return taken;
  }

  /** Cuts; fills pages of classes for as long as some are missing. */
  #cut(cut: () => number): number {
    for (;;) {
      const answer = cut();
      if (answer !== WORDS_ANSWER_MISSING) return answer;
      this.#fillPage(Math.floor(this.room.arena.u32[(this.struct + WORDS_MISSING) >> 2]! / PAGE));
    }
  }

  #fillPage(page: number): void {
    const { u8, u32 } = this.room.arena;
    const classes = u32[(this.struct + WORDS_CLASSES) >> 2]! + page * PAGE;
    for (let i = 0; i < PAGE; i++) u8[classes + i] = wordClass(page * PAGE + i);
  }

  #write(text: string): number {
    // The arena's memory may be shared, which encodeInto refuses.
    let bytes = encoder.encode(text);
    if (bytes.length > this.#textBytes) {
      let end = this.#textBytes;
      while ((bytes[end]! & 0xc0) === 0x80) end--;
      bytes = bytes.subarray(0, end);
    }
    this.room.arena.u8.set(bytes, this.#text);
    return bytes.length;
  }

  #read(address: number, length: number): string {
    return decoder.decode(this.room.arena.u8.slice(address, address + length));
  }

  // Words the host found, laid out as the kernel would have: their bytes one after the other in the text area.
  #writeSpans(words: readonly string[]): number {
    const { u8, u32 } = this.room.arena;
    const capacity = u32[(this.struct + WORDS_CAPACITY) >> 2]!;
    let at = this.#text;
    let count = 0;
    for (const word of words) {
      const bytes = encoder.encode(word);
      if (at + bytes.length > this.#text + this.#textBytes || count === capacity) break;
      u8.set(bytes, at);
      u32[(this.#spans >> 2) + count * 2] = at;
      u32[(this.#spans >> 2) + count * 2 + 1] = bytes.length;
      at += bytes.length;
      count++;
    }
    return count;
  }
}
