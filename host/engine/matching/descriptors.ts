import * as layout from "../../../assembly/layout.ts";
import { encodeKey } from "../extraction.ts";
import type { Arena } from "../memory.ts";
import { globSymbols, keyWord } from "./literal.ts";
import type { Predicate } from "./predicate.ts";
import { mergedRanges, writeRanges } from "./ranges.ts";

/** Writes what the kernel must know of each predicate; returns the list's address. */
export function writePredicates(arena: Arena, predicates: readonly Predicate[], isEager: (predicate: number) => boolean, descriptorOf: (column: number) => number): number {
  const start = arena.alloc((predicates.length + 1) * layout.PREDICATE_BYTES, 16);
  const numbers = new Map<number, number>();
  predicates.forEach((predicate, i) => {
    const at = start + i * layout.PREDICATE_BYTES;
    const put = (field: number, value: number): void => {
      arena.u32[(at + field) >>> 2] = value;
    };
    put(layout.PREDICATE_COLUMN, descriptorOf(predicate.column));
    put(layout.PREDICATE_KIND, isEager(i) ? layout.PREDICATE_EAGER : lazyKind(predicate));
    switch (predicate.kind) {
      case "equal":
      case "exists":
        return;
      case "glob":
      case "wordGlob":
      case "spanGlob": {
        const symbols = globSymbols(predicate.items);
        const address = arena.alloc(symbols.length * 2 + 16, 4);
        new Uint16Array(arena.memory.buffer, address, symbols.length).set(symbols);
        put(layout.PREDICATE_TEXT, address);
        put(layout.PREDICATE_LENGTH, symbols.length);
        return;
      }
      case "words":
        put(layout.PREDICATE_TEXT, writeSequence(arena, predicate.words));
        put(layout.PREDICATE_LENGTH, predicate.words.length);
        put(layout.PREDICATE_TEXT2, keyWord(predicate.words));
        return;
      case "number":
      case "time": {
        writeInterval(arena, at, predicate.low, predicate.high);
        put(layout.PREDICATE_FLAGS, rangeFlags(predicate));
        let area = numbers.get(predicate.column);
        if (area === undefined) {
          area = arena.alloc(layout.NUMBERS_HEAD + layout.ROW_CAP * 8, 16) + layout.NUMBERS_HEAD;
          numbers.set(predicate.column, area);
        }
        put(layout.PREDICATE_NUMBERS, area);
        return;
      }
      case "string": {
        const { low, high } = predicate;
        const lowText = encodeKey(typeof low === "string" ? low : "");
        const highText = encodeKey(typeof high === "string" ? high : "");
        put(layout.PREDICATE_TEXT, arena.bytes(lowText));
        put(layout.PREDICATE_LENGTH, lowText.length);
        put(layout.PREDICATE_TEXT2, arena.bytes(highText));
        put(layout.PREDICATE_LENGTH2, highText.length);
        writeInterval(arena, at, typeof low === "number" ? low : -Infinity, typeof high === "number" ? high : Infinity);
        const sides = (typeof low === "string" ? layout.RANGE_HAS_LOW_TEXT : 0) | (typeof high === "string" ? layout.RANGE_HAS_HIGH_TEXT : 0);
        const number = typeof low === "number" || typeof high === "number" ? layout.RANGE_HAS_NUMBER : 0;
        put(layout.PREDICATE_FLAGS, rangeFlags(predicate) | sides | number | (predicate.notNumbers ? layout.RANGE_NOT_NUMBER : 0));
        return;
      }
      case "cidr": {
        const v4 = mergedRanges(predicate.blocks, 4);
        const v6 = mergedRanges(predicate.blocks, 6);
        put(layout.PREDICATE_TEXT, writeRanges(arena, v4, 4));
        put(layout.PREDICATE_LENGTH, v4.length);
        put(layout.PREDICATE_TEXT2, writeRanges(arena, v6, 6));
        put(layout.PREDICATE_LENGTH2, v6.length);
      }
    }
  });
  return start;
}

function writeInterval(arena: Arena, at: number, low: number, high: number): void {
  arena.view.setFloat64(at + layout.PREDICATE_LOW, low, true);
  arena.view.setFloat64(at + layout.PREDICATE_HIGH, high, true);
}

function rangeFlags({ includeLow, includeHigh }: { readonly includeLow: boolean; readonly includeHigh: boolean }): number {
  return (includeLow ? layout.RANGE_INCLUDE_LOW : 0) | (includeHigh ? layout.RANGE_INCLUDE_HIGH : 0);
}

function lazyKind(predicate: Predicate): number {
  switch (predicate.kind) {
    case "equal":
      return layout.PREDICATE_EAGER;
    case "exists":
      return layout.PREDICATE_EXISTS;
    case "number":
      return layout.PREDICATE_NUMBER;
    case "string":
      return layout.PREDICATE_TEXT_RANGE;
    case "glob":
      return layout.PREDICATE_GLOB;
    case "cidr":
      return layout.PREDICATE_CIDR;
    case "words":
      return layout.PREDICATE_WORDS;
    case "wordGlob":
      return layout.PREDICATE_WORD_GLOB;
    case "spanGlob":
      return layout.PREDICATE_SPAN_GLOB;
    case "time":
      return layout.PREDICATE_TIME;
  }
}

/** Words one after another: u32 length, then the bytes with eight spare ones, padded to four. */
function writeSequence(arena: Arena, words: readonly string[]): number {
  const texts = words.map(encodeKey);
  const strides = texts.map((text) => 4 + ((text.length + 8 + 3) & ~3));
  const start = arena.alloc(strides.reduce((sum, stride) => sum + stride, 0) + layout.READ_PAD, 4);
  let at = start;
  texts.forEach((text, i) => {
    arena.u32[at >>> 2] = text.length;
    arena.u8.set(text, at + 4);
    at += strides[i]!;
  });
  return start;
}
