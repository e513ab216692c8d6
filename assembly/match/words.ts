import { GLOB_ANY, GLOB_ONE } from "../layout";
import { fold, foldedLength, foldedStart } from "./fold";
import { globMatches, lowerByte } from "./glob";
import { isAscii, sameFolded } from "./text";
import { characterBytes, wordAt, wordBefore } from "./unicode";

/**
 * Words of the text at hand. An ASCII text is read where it stands, its capitals lowered in passing; any other text is
 * read in its folded copy, because a letter outside ASCII may lower to one inside.
 */

let from: usize = 0;
let to: usize = 0;

/** Turns to a text. */
export function openText(p: usize, n: usize): void {
  if (isAscii(p, n)) {
    from = p;
    to = p + n;
    return;
  }
  fold(p, n);
  from = foldedStart();
  to = from + foldedLength;
}

// @ts-ignore: decorator
@inline
export function wordsFrom(): usize {
  return from;
}
// @ts-ignore: decorator
@inline
export function wordsTo(): usize {
  return to;
}

/** A sequence is stored as words in order, each u32 length and its bytes with eight spare ones, padded to four. */
// @ts-ignore: decorator
@inline
function nextWord(word: usize): usize {
  return word + 4 + ((<usize>load<u32>(word) + 8 + 3) & ~3);
}

// @ts-ignore: decorator
@inline
function previousCharacter(p: usize): usize {
  p--;
  while ((load<u8>(p) & 0xc0) == 0x80) p--;
  return p;
}

/** Does the sequence begin at p, a word's first byte there? */
function sequenceAt(p: usize, sequence: usize, count: u32): bool {
  if (p > from && wordBefore(p)) return false;
  let word = sequence;
  for (let i: u32 = 0; i < count; i++) {
    if (i) while (p < to && !wordAt(p)) p += characterBytes(p);
    const n = <usize>load<u32>(word);
    if (p + n > to || !sameFolded(word + 4, p, n)) return false;
    p += n;
    if (p < to && wordAt(p)) return false;
    word = nextWord(word);
  }
  return true;
}

/** Does the sequence stand so that its word number `key`, of `length` bytes, is the one found at p? */
export function sequenceAround(p: usize, key: u32, length: usize, sequence: usize, count: u32): bool {
  if (p + length < to && wordAt(p + length)) return false;
  for (let i: u32 = 0; i < key; i++) {
    if (p == from || wordBefore(p)) return false;
    while (p > from && !wordBefore(p)) p = previousCharacter(p);
    if (p == from) return false;
    while (p > from && wordBefore(p)) p = previousCharacter(p);
  }
  return sequenceAt(p, sequence, count);
}

/** Does the sequence stand anywhere? */
export function holdsSequence(sequence: usize, count: u32): bool {
  const first = <u32>load<u8>(sequence + 4);
  for (let p = from; p < to; p += characterBytes(p)) {
    if (lowerByte(load<u8>(p)) == first && sequenceAt(p, sequence, count)) return true;
  }
  return false;
}

/** Does some word fit the pattern? */
export function anyWordFits(pattern: usize, symbols: u32): bool {
  let p = from;
  while (p < to) {
    if (!wordAt(p)) {
      p += characterBytes(p);
      continue;
    }
    const word = p;
    while (p < to && wordAt(p)) p += characterBytes(p);
    if (globMatches(pattern, symbols, word, p - word, true)) return true;
  }
  return false;
}

/**
 * Does the pattern, which holds separators itself, cover some span between word boundaries?
 *
 * States of the pattern advance together over the text: pattern length times text length, no backtracking.
 */
export function anySpanFits(pattern: usize, symbols: u32, states: usize): bool {
  memory.fill(states, 0, <usize>symbols + 1);
  let p = from;
  let before = false;
  while (true) {
    const after = p < to && wordAt(p);
    const boundary = !(before && after);
    if (boundary) store<u8>(states, 1);
    for (let i: usize = 0; i < <usize>symbols; i++) {
      if (load<u8>(states + i) && <u32>load<u16>(pattern + (i << 1)) == GLOB_ANY) store<u8>(states + i + 1, 1);
    }
    if (boundary && load<u8>(states + <usize>symbols)) return true;
    if (p >= to) return false;
    const size = characterBytes(p);
    for (let b: usize = 0; b < size; b++) step(pattern, symbols, states, lowerByte(load<u8>(p + b)), b + 1 == size);
    before = after;
    p += size;
  }
  return false;
}

/** Takes all states of a pattern over one byte. `?` takes a character whole, at its last byte. */
function step(pattern: usize, symbols: u32, states: usize, c: u32, last: bool): void {
  for (let i: isize = <isize>symbols; i >= 0; i--) {
    const at = states + <usize>i;
    let next: u8 = 0;
    if (i < <isize>symbols && load<u8>(at)) {
      const own = <u32>load<u16>(pattern + (<usize>i << 1));
      if (own == GLOB_ANY || (own == GLOB_ONE && !last)) next = 1;
    }
    if (i > 0 && load<u8>(at - 1)) {
      const symbol = <u32>load<u16>(pattern + (<usize>(i - 1) << 1));
      if (symbol == c || (symbol == GLOB_ONE && last)) next = 1;
    }
    store<u8>(at, next);
  }
}
