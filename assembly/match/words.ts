import { GLOB_ANY, GLOB_ONE } from "../layout";
import { sameText } from "./bits";
import { characterBytes, foldedLength, foldedStart, wordAt, wordBefore } from "./fold";
import { globMatches } from "./glob";

/**
 * A sequence is stored as words in order, each u32 length and its bytes padded to 4; `key` says which of them was found.
 * All functions look at the folded copy of the text at hand.
 */

// @ts-ignore: decorator
@inline
function nextWord(word: usize): usize {
  return word + 4 + ((<usize>load<u32>(word) + 8 + 3) & ~3);
}

function isWordHere(p: usize, end: usize, word: usize): bool {
  const n = <usize>load<u32>(word);
  if (p + n > end || !sameText(word + 4, p, n)) return false;
  return p + n == end || !wordAt(p + n);
}

/** Do the words stand at `p` (a word's first byte), adjacent and in order, from the sequence's first word on? */
export function sequenceAt(p: usize, sequence: usize, count: u32): bool {
  const start = foldedStart();
  const end = start + foldedLength;
  if (p > start && wordBefore(p)) return false;
  let word = sequence;
  for (let i: u32 = 0; i < count; i++) {
    if (i) {
      while (p < end && !wordAt(p)) p += characterBytes(p);
    }
    if (!isWordHere(p, end, word)) return false;
    p += <usize>load<u32>(word);
    word = nextWord(word);
  }
  return true;
}

/** From a place where word number `key` stands, back to where the sequence's first word must stand; 0 when it cannot. */
export function sequenceStart(p: usize, key: u32): usize {
  const start = foldedStart();
  for (let i: u32 = 0; i < key; i++) {
    if (p == start || wordBefore(p)) return 0;
    while (p > start && !wordBefore(p)) {
      p--;
      while ((load<u8>(p) & 0xc0) == 0x80) p--;
    }
    if (p == start) return 0;
    while (p > start && wordBefore(p)) {
      p--;
      while ((load<u8>(p) & 0xc0) == 0x80) p--;
    }
  }
  return p;
}

/** Does the sequence stand anywhere in the folded text? */
export function holdsSequence(sequence: usize, count: u32): bool {
  const start = foldedStart();
  const end = start + foldedLength;
  const first = load<u8>(sequence + 4);
  let p = start;
  while (p < end) {
    if (load<u8>(p) == first && sequenceAt(p, sequence, count)) return true;
    p += characterBytes(p);
  }
  return false;
}

/** Does some word of the folded text fit the pattern? */
export function anyWordFits(pattern: usize, symbols: u32): bool {
  const start = foldedStart();
  const end = start + foldedLength;
  let p = start;
  while (p < end) {
    if (!wordAt(p)) {
      p += characterBytes(p);
      continue;
    }
    const word = p;
    while (p < end && wordAt(p)) p += characterBytes(p);
    if (globMatches(pattern, symbols, word, p - word)) return true;
  }
  return false;
}

/**
 * Does the pattern, which holds separators itself, cover some span between word boundaries?
 *
 * States of the pattern advance together over the text: pattern length times text length, no backtracking.
 */
export function anySpanFits(pattern: usize, symbols: u32, states: usize): bool {
  const start = foldedStart();
  const end = start + foldedLength;
  const width = <usize>symbols + 1;
  memory.fill(states, 0, width);
  let p = start;
  let before = false;
  while (true) {
    const after = p < end && wordAt(p);
    const boundary = !(before && after);
    if (boundary) store<u8>(states, 1);
    for (let i: usize = 0; i < <usize>symbols; i++) {
      if (load<u8>(states + i) && <u32>load<u16>(pattern + (i << 1)) == GLOB_ANY) store<u8>(states + i + 1, 1);
    }
    if (boundary && load<u8>(states + <usize>symbols)) return true;
    if (p >= end) return false;
    const size = characterBytes(p);
    // Bytes of one character one by one; `?` takes the character whole, at its last byte.
    for (let b: usize = 0; b < size; b++) {
      const c = <u32>load<u8>(p + b);
      for (let i: isize = <isize>symbols; i >= 0; i--) {
        const at = states + <usize>i;
        let next: u8 = 0;
        if (i < <isize>symbols) {
          const own = <u32>load<u16>(pattern + (<usize>i << 1));
          if ((own == GLOB_ANY || (own == GLOB_ONE && b + 1 < size)) && load<u8>(at)) next = 1;
        }
        if (i > 0) {
          const symbol = <u32>load<u16>(pattern + (<usize>(i - 1) << 1));
          if (load<u8>(at - 1) && (symbol == c || (symbol == GLOB_ONE && b + 1 == size))) next = 1;
        }
        store<u8>(at, next);
      }
    }
    before = after;
    p += size;
  }
  return false;
}
