import { hashText } from "../column/hash";
import {
  WORDS_ANSWER_DECLINED, WORDS_ANSWER_FULL, WORDS_ANSWER_MISSING, WORDS_CAPACITY, WORDS_CLASSES, WORDS_DECLINED, WORDS_MISSING, WORDS_SEED, WORDS_SPANS,
  WORDS_TEXTS, WORD_DECLINE, WORD_DIGIT, WORD_DOUBLE_QUOTE, WORD_EXTEND, WORD_HEBREW, WORD_JOINER, WORD_LETTER, WORD_MID_BOTH, WORD_MID_LETTER, WORD_MID_NUMBER,
  WORD_OTHER, WORD_PICTOGRAPH, WORD_SINGLE_QUOTE, WORD_SPAN_BYTES, WORD_UNDERSCORE,
} from "../layout";
import { drawn } from "../sketch/random";

/** Bytes of the code point `decoded` was last made of. */
let width: usize = 1;

// Text is valid but for lone surrogates, as everywhere in columns; bytes that are none of a code point count one by one as separators.
function decoded(p: usize, end: usize): u32 {
  const first = <u32>load<u8>(p);
  width = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (first < 0xc0 || p + width > end) {
    width = 1;
    return 0xfffd;
  }
  const second = <u32>load<u8>(p, 1) & 63;
  if (width == 2) return ((first & 31) << 6) | second;
  const third = <u32>load<u8>(p, 2) & 63;
  if (width == 3) return ((first & 15) << 12) | (second << 6) | third;
  const point = ((first & 7) << 18) | (second << 12) | (third << 6) | (<u32>load<u8>(p, 3) & 63);
  return point < 0x110000 ? point : 0xfffd;
}

// A word is open: `last` is the class it ends with, `wordEnd` where it ends so far. After a mid character `mid` is its class: the word goes on
// if the next character suits it, else it has ended before it.

/** May a mid character follow, and what may it join? */
// @ts-ignore: decorator
@inline
function mayFollow(last: u32, mid: u32): bool {
  if (last >= <u32>WORD_LETTER) return mid == WORD_MID_LETTER || mid == WORD_MID_BOTH || mid == WORD_SINGLE_QUOTE || (last == WORD_HEBREW && mid == WORD_DOUBLE_QUOTE);
  if (last == WORD_DIGIT) return mid == WORD_MID_NUMBER || mid == WORD_MID_BOTH || mid == WORD_SINGLE_QUOTE;
  return false;
}

// @ts-ignore: decorator
@inline
function joins(last: u32, mid: u32, next: u32): bool {
  if (last == WORD_DIGIT) return next == WORD_DIGIT;
  return mid == WORD_DOUBLE_QUOTE ? next == WORD_HEBREW : next >= <u32>WORD_LETTER;
}

// @ts-ignore: decorator
@inline
function put(out: usize, start: usize, end: usize): usize {
  store<u32>(out, <u32>start);
  store<u32>(out, <u32>(end - start), 4);
  return out + WORD_SPAN_BYTES;
}

/**
 * Word segments that hold a letter or digit (UAX #29, as ICU cuts them) of a text in UTF-8: writes their spans; how many, or WORDS_ANSWER_*.
 *
 * Declined are texts with scripts that are cut by a dictionary (Han, Kana, Thai, Lao, Khmer, Myanmar...) and those where a zero width joiner
 * binds a pictograph: the host's segmenter does those, and they are counted. Missing: the class of a code point is not known yet; the host
 * fills its page and calls again. Full: there were more words than room.
 */
export function words(struct: usize, text: usize, length: u32): i32 {
  const classes = <usize>load<u32>(struct, WORDS_CLASSES);
  const spans = <usize>load<u32>(struct, WORDS_SPANS);
  const limit = spans + <usize>load<u32>(struct, WORDS_CAPACITY) * WORD_SPAN_BYTES;
  const end = text + length;
  let out = spans;
  let p = text;
  let wordStart: usize = 0;
  let wordEnd: usize = 0;
  let last: u32 = 0;
  let mid: u32 = 0;
  // A single underscore is no word; two are.
  let isWord = false;
  // ICU takes a segment for no word whose last character is an underscore, or the quote of a Hebrew letter, with marks on it.
  let tail = false;
  let joiner = false;
  while (p < end) {
    const from = p;
    let point = <u32>load<u8>(p);
    if (point < 0x80) p++;
    else {
      point = decoded(p, end);
      p += width;
    }
    const kind = <u32>load<u8>(classes + point);
    if (kind == WORD_EXTEND || kind == WORD_JOINER) {
      joiner = kind == WORD_JOINER;
      if (!last) continue;
      // Belongs to the mid character where there is one: the word has it only if it goes on, or if the quote is its own.
      const quoted = last == WORD_HEBREW && mid == WORD_SINGLE_QUOTE;
      if (!mid || quoted) {
        wordEnd = p;
        tail = quoted || last == WORD_UNDERSCORE;
      }
      continue;
    }
    if (kind == 0) {
      store<u32>(struct, point, WORDS_MISSING);
      return WORDS_ANSWER_MISSING;
    }
    if (kind == WORD_DECLINE || (kind == WORD_PICTOGRAPH && joiner)) {
      store<u32>(struct, load<u32>(struct, WORDS_DECLINED) + 1, WORDS_DECLINED);
      return WORDS_ANSWER_DECLINED;
    }
    joiner = false;
    const makes = kind >= <u32>WORD_UNDERSCORE;
    if (last) {
      const goesOn = makes ? !mid || joins(last, mid, kind) : !mid && mayFollow(last, kind);
      if (!goesOn) {
        if (isWord && !tail) {
          if (out >= limit) return WORDS_ANSWER_FULL;
          out = put(out, wordStart, wordEnd);
        }
        last = 0;
        mid = 0;
      } else if (!makes) {
        mid = kind;
        // A quote after a Hebrew letter belongs to the word in any case.
        if (last == WORD_HEBREW && kind == WORD_SINGLE_QUOTE) wordEnd = p;
        continue;
      }
    }
    if (!makes) continue;
    if (last) isWord = true;
    else {
      wordStart = from;
      isWord = kind != WORD_UNDERSCORE;
    }
    last = kind;
    mid = 0;
    tail = false;
    wordEnd = p;
  }
  if (last && isWord && !tail) {
    if (out >= limit) return WORDS_ANSWER_FULL;
    out = put(out, wordStart, wordEnd);
  }
  store<u32>(struct, load<u32>(struct, WORDS_TEXTS) + 1, WORDS_TEXTS);
  return <i32>((out - spans) >> 3);
}

/** Hash of one word; 8 bytes after it may be read. */
// @ts-ignore: decorator
@inline
function wordHash(p: usize, n: usize, seed: u64): u64 {
  return drawn(hashText(p, n, seed), 0);
}

/** As `words`, but writes the words' 64-bit hashes to `out`, which has room for as many as there may be spans. */
export function wordHashes(struct: usize, text: usize, length: u32, out: usize): i32 {
  const count = words(struct, text, length);
  const spans = <usize>load<u32>(struct, WORDS_SPANS);
  const seed = load<u64>(struct, WORDS_SEED);
  for (let i = 0; i < count; i++) {
    const span = spans + <usize>i * WORD_SPAN_BYTES;
    store<u64>(out + (<usize>i << 3), wordHash(<usize>load<u32>(span), <usize>load<u32>(span, 4), seed));
  }
  return count;
}

/** Hashes of texts the host has cut: `spans` as `words` writes them. */
export function hashSpans(struct: usize, spans: usize, count: u32, out: usize): void {
  const seed = load<u64>(struct, WORDS_SEED);
  for (let i: u32 = 0; i < count; i++) {
    const span = spans + <usize>i * WORD_SPAN_BYTES;
    store<u64>(out + (<usize>i << 3), wordHash(<usize>load<u32>(span), <usize>load<u32>(span, 4), seed));
  }
}
