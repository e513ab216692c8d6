import { GLOB_ANY, GLOB_ONE, VERIFY_END, VERIFY_GLOB, VERIFY_NONE, VERIFY_WORDS, VERIFY_WORD_GLOB } from "../../../assembly/layout.ts";
import type { GlobItem } from "../../query/tree.ts";
import type { Predicate } from "./predicate.ts";
import { encodeKey } from "../extraction.ts";

/** The literal a predicate is found by, and what must be checked where it occurs. */
export interface SearchLiteral {
  readonly bytes: Uint8Array;
  readonly verify: number;
  /** Anchored at the value's first byte. */
  readonly prefix: boolean;
  readonly fold: boolean;
}

/** Shorter ones have no 4-byte gram. */
const LEAST_BYTES = 4;

/** The literal of a predicate that a column job can search for; undefined when it has none that is long enough. */
export function searchLiteral(predicate: Predicate): SearchLiteral | undefined {
  switch (predicate.kind) {
    case "glob":
      return globLiteral(predicate.items);
    case "words":
      return longEnough({ bytes: encodeKey(predicate.words[keyWord(predicate.words)]!), verify: VERIFY_WORDS, prefix: false, fold: true });
    case "wordGlob": {
      const chunk = longestChunk(predicate.items);
      return chunk && longEnough({ bytes: chunk, verify: VERIFY_WORD_GLOB, prefix: false, fold: true });
    }
    case "equal":
    case "spanGlob":
    case "exists":
    case "number":
    case "time":
    case "string":
    case "cidr":
      return undefined;
  }
}

function globLiteral(items: readonly GlobItem[]): SearchLiteral | undefined {
  const [first, second, third] = items;
  if (first?.kind === "text") {
    const bytes = encodeKey(first.text);
    if (bytes.length >= LEAST_BYTES) {
      const whole = items.length === 2 && second?.kind === "any";
      return { bytes, verify: whole ? VERIFY_NONE : VERIFY_GLOB, prefix: true, fold: false };
    }
  }
  const chunk = longestChunk(items);
  if (!chunk) return undefined;
  let verify = VERIFY_GLOB;
  if (first?.kind === "any" && second?.kind === "text") {
    if (items.length === 2) verify = VERIFY_END;
    else if (items.length === 3 && third?.kind === "any") verify = VERIFY_NONE;
  }
  return longEnough({ bytes: chunk, verify, prefix: false, fold: false });
}

function longestChunk(items: readonly GlobItem[]): Uint8Array | undefined {
  let best: Uint8Array | undefined;
  for (const item of items) {
    if (item.kind !== "text") continue;
    const bytes = encodeKey(item.text);
    if (!best || bytes.length > best.length) best = bytes;
  }
  return best;
}

function longEnough(literal: SearchLiteral): SearchLiteral | undefined {
  return literal.bytes.length >= LEAST_BYTES ? literal : undefined;
}

/** Which word of a sequence is searched for: the longest. */
export function keyWord(words: readonly string[]): number {
  let best = 0;
  words.forEach((word, i) => {
    if (encodeKey(word).length > encodeKey(words[best]!).length) best = i;
  });
  return best;
}

/** Pattern as symbols; neighbouring stars are one. */
export function globSymbols(items: readonly GlobItem[]): number[] {
  const symbols: number[] = [];
  for (const item of items) {
    if (item.kind === "text") symbols.push(...encodeKey(item.text));
    else if (item.kind === "one") symbols.push(GLOB_ONE);
    else if (symbols.at(-1) !== GLOB_ANY) symbols.push(GLOB_ANY);
  }
  return symbols;
}

/** How far apart a literal's scan may look: it needs a gram at each of `stride` neighbouring places. */
export function strideOf(length: number): number {
  if (length >= 7) return 4;
  return length >= 5 ? 2 : 1;
}

const COMMON = new Set([...new TextEncoder().encode("etaoinsrlhdc /.:-_0123456789")]);

/** The place in a literal whose grams look rarest: letters and signs that seldom occur. */
export function rarestPlace(bytes: Uint8Array, stride: number): number {
  let best = 0;
  let bestScore = -1;
  for (let place = 0; place + stride + 3 <= bytes.length; place++) {
    let score = 0;
    for (let i = 0; i < stride + 3; i++) if (!COMMON.has(bytes[place + i]! | 0x20)) score++;
    if (score > bestScore) {
      best = place;
      bestScore = score;
    }
  }
  return best;
}
