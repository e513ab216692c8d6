import { GLOB_ANY, GLOB_ONE, VERIFY_GLOB, VERIFY_NONE, VERIFY_SPAN_GLOB, VERIFY_WORDS, VERIFY_WORD_GLOB } from "../../../assembly/layout.ts";
import type { GlobItem } from "../../query/tree.ts";
import { encodeKey } from "../extraction.ts";
import type { Predicate } from "./predicate.ts";

/** The literal a predicate is found by, and what must be checked where it occurs. */
export interface SearchLiteral {
  readonly bytes: Uint8Array;
  readonly verify: number;
  readonly place: "anywhere" | "start" | "end";
  /** Compared lower-cased. */
  readonly fold: boolean;
}

/** Shorter ones occur too often to search whole columns for. */
const LEAST_CHUNK_BYTES = 3;
const LEAST_WORD_BYTES = 2;

/** The literal of a predicate that a column job can search for; undefined when it has none that is long enough. */
export function searchLiteral(predicate: Predicate): SearchLiteral | undefined {
  switch (predicate.kind) {
    case "glob":
      return globLiteral(predicate.items);
    case "words": {
      const bytes = encodeKey(predicate.words[keyWord(predicate.words)]!);
      return bytes.length >= LEAST_WORD_BYTES ? { bytes, verify: VERIFY_WORDS, place: "anywhere", fold: true } : undefined;
    }
    case "wordGlob":
      return chunkLiteral(predicate.items, VERIFY_WORD_GLOB, true);
    case "spanGlob":
      return chunkLiteral(predicate.items, VERIFY_SPAN_GLOB, true);
    case "equal":
    case "exists":
    case "number":
    case "time":
    case "string":
    case "cidr":
      return undefined;
  }
}

function chunkLiteral(items: readonly GlobItem[], verify: number, fold: boolean): SearchLiteral | undefined {
  let bytes = new Uint8Array(0);
  for (const item of items) {
    if (item.kind !== "text") continue;
    const chunk = encodeKey(item.text);
    if (chunk.length > bytes.length) bytes = new Uint8Array(chunk);
  }
  return bytes.length >= LEAST_CHUNK_BYTES ? { bytes, verify, place: "anywhere", fold } : undefined;
}

/** A literal at an end of the value is found by one look; else the longest one is searched for. */
function globLiteral(items: readonly GlobItem[]): SearchLiteral | undefined {
  const first = items[0];
  const last = items.at(-1);
  const start = first?.kind === "text" ? encodeKey(first.text) : undefined;
  const end = last?.kind === "text" ? encodeKey(last.text) : undefined;
  const oneStar = items.length === 2 && items.some((item) => item.kind === "any");
  if (start && start.length >= (end?.length ?? 0)) return { bytes: start, verify: oneStar ? VERIFY_NONE : VERIFY_GLOB, place: "start", fold: false };
  if (end) return { bytes: end, verify: oneStar ? VERIFY_NONE : VERIFY_GLOB, place: "end", fold: false };
  const contains = items.length === 3 && first?.kind === "any" && last?.kind === "any";
  return chunkLiteral(items, contains ? VERIFY_NONE : VERIFY_GLOB, false);
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
    if (item.kind === "text") for (const byte of encodeKey(item.text)) symbols.push(byte);
    else if (item.kind === "one") symbols.push(GLOB_ONE);
    else if (symbols.at(-1) !== GLOB_ANY) symbols.push(GLOB_ANY);
  }
  return symbols;
}
