import { parseAddress } from "../event/address.ts";
import { valueMatches } from "../query/matches.ts";
import type { Bound, CidrBlock, Field, Test } from "../query/tree.ts";
import { byteGlob, globBytes } from "./byte-glob.ts";
import type { Deadline } from "./deadline.ts";
import { NUMBER, TEXT, type Texts } from "./texts.ts";
import { codeAt } from "./word-finder.ts";

const NUMERIC = /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

/**
 * Sets what is in `hits`, by code, for the distinct values that pass a test of whole values; what each test means is told by
 * `host/query/matches.ts`, here are the ways that need no text made of every value.
 */
export function findValues(texts: Texts, field: Field, test: Test, hits: Uint8Array, deadline: Deadline): void {
  switch (test.kind) {
    case "exists":
      hits.fill(1, 1);
      return;
    case "equals":
    case "phrase":
      hits[texts.find(test.text)] = 1;
      if (NUMERIC.test(test.text)) hits[texts.find(Number(test.text))] = 1;
      if (test.text === "true" || test.text === "false") hits[texts.find(test.text === "true")] = 1;
      hits[0] = 0;
      return;
    case "wildcard": {
      const glob = byteGlob(test.items);
      const { bytes, starts, used } = texts.raw;
      const { prefix, longest } = glob;
      if (!texts.mayHold(longest)) return;
      if (prefix.length === 0 && longest.length > 1) {
        // Places of its longest run first: what does not hold that is not looked at.
        const all = bytes.subarray(0, used);
        let code = 1;
        for (let at = all.indexOf(longest); at >= 0; ) {
          deadline.tick();
          code = codeAt(starts, at, code, texts.count);
          const [start, end] = [starts[code]!, starts[code + 1]!];
          if (globBytes(glob, bytes, start, end)) hits[code] = 1;
          at = all.indexOf(longest, end);
        }
        return;
      }
      for (let code = 1; code <= texts.count; code++) {
        deadline.tick();
        const [start, end] = [starts[code]!, starts[code + 1]!];
        if (end - start < prefix.length || !beginsWith(bytes, start, prefix)) continue;
        if (globBytes(glob, bytes, start, end)) hits[code] = 1;
      }
      return;
    }
    case "range":
    case "comparison":
      if (!isNumeric(field, test)) {
        for (let code = 1; code <= texts.count; code++) {
          deadline.tick();
          if (texts.kind(code) === TEXT || texts.kind(code) === NUMBER) hits[code] = Number(valueMatches(field, test, texts.value(code)));
        }
        return;
      }
      findNumbers(texts, test, hits);
  }
}

/** Are the bounds numbers and nothing else, and the values whatever reads as one? */
function isNumeric(field: Field, test: Extract<Test, { kind: "range" | "comparison" }>): boolean {
  // A tag that is no number is compared as text; a duration may have a unit.
  if (field.kind !== "attribute" || field.path.join(".") === "duration") return false;
  const bounds = test.kind === "comparison" ? [test.bound] : [test.low, test.high].filter((bound): bound is Bound => bound !== undefined);
  return bounds.length > 0 && bounds.every(({ number }) => number !== undefined);
}

function findNumbers(texts: Texts, test: Extract<Test, { kind: "range" | "comparison" }>, hits: Uint8Array): void {
  const numbers = texts.numbers();
  let [low, high, includeLow, includeHigh] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, true, true];
  if (test.kind === "range") {
    if (test.low) [low, includeLow] = [test.low.number!, test.includeLow];
    if (test.high) [high, includeHigh] = [test.high.number!, test.includeHigh];
  } else if (test.op === ">" || test.op === ">=") [low, includeLow] = [test.bound.number!, test.op === ">="];
  else [high, includeHigh] = [test.bound.number!, test.op === "<="];
  for (let code = 1; code <= texts.count; code++) {
    const number = numbers[code]!;
    if ((includeLow ? number >= low : number > low) && (includeHigh ? number <= high : number < high)) hits[code] = 1;
  }
}

/** The same for values that are addresses of a block. */
export function findAddressesIn(texts: Texts, blocks: readonly CidrBlock[], hits: Uint8Array, deadline: Deadline): void {
  const { bytes, starts } = texts.raw;
  const test = cidrTest(blocks);
  for (let code = 1; code <= texts.count; code++) {
    deadline.tick();
    const [start, end] = [starts[code]!, starts[code + 1]!];
    // The longest text of an address, and the shortest.
    if (texts.kind(code) !== TEXT || end - start > 45 || end - start < 2) continue;
    const quad = quadAt(bytes, start, end);
    if (quad === undefined ? bytes.subarray(start, end).includes(COLON) && test.longer(texts.text(code)) : test.quad(quad)) hits[code] = 1;
  }
}

const COLON = 58;

function cidrTest(blocks: readonly CidrBlock[]): { quad(address: number): boolean; longer(text: string): boolean } {
  const quads = blocks.filter(({ family }) => family === 4).map(({ bytes, prefix }) => {
    const mask = prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0;
    return { mask, base: ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0 };
  });
  const longs = blocks.filter(({ family }) => family === 6);
  return {
    quad: (address) => quads.some(({ mask, base }) => ((address & mask) >>> 0) === base),
    longer: (text) => {
      const bytes = longs.length ? parseAddress(text) : undefined;
      return bytes !== undefined && longs.some((block) => bytes.length === 16 && block.bytes.every((byte, i) => {
        const keep = Math.max(0, Math.min(8, block.prefix - i * 8));
        return (bytes[i]! & (0xff00 >> keep) & 0xff) === byte;
      }));
    },
  };
}

/** Dotted quad as one number; undefined where it is none, or has zeros before a digit. */
function quadAt(bytes: Uint8Array, start: number, end: number): number | undefined {
  let address = 0;
  let part = 0;
  let digits = 0;
  let dots = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === 46) {
      if (digits === 0 || ++dots > 3) return undefined;
      address = address * 256 + part;
      part = digits = 0;
    } else {
      if (byte < 48 || byte > 57 || (digits > 0 && part === 0)) return undefined;
      part = part * 10 + byte - 48;
      if (++digits > 3 || part > 255) return undefined;
    }
  }
  return dots === 3 && digits > 0 ? address * 256 + part : undefined;
}

function beginsWith(bytes: Uint8Array, start: number, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[start + i] !== prefix[i]) return false;
  return true;
}
