import { addressText, inBlock, parseAddress } from "../event/address.ts";
import { queryTime } from "../event/timestamp.ts";
import type { Queryable } from "../event/event.ts";
import type { Bound, Field, GlobItem, QueryNode, Test } from "./tree.ts";
import { type Scalar, isAddressList, scalarsBelow, valuesAt, valuesOf } from "./values.ts";
import { foldCase, isWordCharacter, wordsOf } from "./fold.ts";

/**
 * Does the event match the query? Object by object, slow and obvious: for signals, rules and tests.
 * The kernels are held against it.
 */
export function matches(node: QueryNode, event: Queryable): boolean {
  switch (node.kind) {
    case "all":
      return true;
    case "and":
      return node.nodes.every((child) => matches(child, event));
    case "or":
      return node.nodes.some((child) => matches(child, event));
    case "not":
      return !matches(node.node, event);
    case "cidr":
      return valuesOf(node.field, event).some((value) => {
        const bytes = typeof value === "string" ? parseAddress(value) : undefined;
        return bytes !== undefined && node.blocks.some((block) => inBlock(bytes, block));
      });
    case "leaf":
      return leafMatches(node.field, node.test, event);
  }
}

function leafMatches(field: Field, test: Test, event: Queryable): boolean {
  // A range open on both sides is existence (search-syntax 7.6).
  const exists = test.kind === "exists" || (test.kind === "range" && !test.low && !test.high);
  if (exists && field.kind === "attribute" && !isAddressList(field)) {
    return valuesAt(event.attributes, field.path).some((value) => scalarsBelow(value).length > 0);
  }
  return valuesOf(field, event).some((value) => valueMatches(field, test, value));
}

/** Does one value of a field pass a test? */
export function valueMatches(field: Field, test: Test, value: Scalar): boolean {
  if (test.kind === "exists") return true;
  const wordBased = field.kind === "freeText" || field.kind === "fullText" || (field.kind === "reserved" && field.name === "message");
  switch (test.kind) {
    case "equals":
    case "phrase":
      if (wordBased) return holdsSequence(wordsOf(String(value)), wordsOf(test.text));
      if (isAddressList(field)) return canonical(test.text) === String(value);
      if (field.kind === "reserved" && field.name === "timestamp") return sameTime(value, test.text);
      if (typeof value === "number") return NUMBER.test(test.text) && Number(test.text) === value;
      return String(value) === test.text;
    case "wildcard":
      return wordBased ? wordGlob(test.items, String(value)) : glob(test.items, [...String(value)]);
    case "comparison": {
      const order = compare(field, value, test.bound);
      if (order === undefined) return false;
      switch (test.op) {
        case ">": return order > 0;
        case ">=": return order >= 0;
        case "<": return order < 0;
        case "<=": return order <= 0;
      }
    }
    // falls through: every operator has returned
    case "range": {
      if (!test.low && !test.high) return true;
      const low = test.low ? compare(field, value, test.low) : 1;
      const high = test.high ? compare(field, value, test.high) : -1;
      if (low === undefined || high === undefined) return false;
      return (test.includeLow ? low >= 0 : low > 0) && (test.includeHigh ? high <= 0 : high < 0);
    }
  }
}

const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/;
const DURATION = /^(-?\d+(?:\.\d+)?)(ns|us|ms|s|m|h|d)$/;
const NANOSECONDS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9, d: 86400e9 };

function numberOf(value: Scalar): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && NUMBER.test(value) ? Number(value) : undefined;
}

/** Order of a value against a bound, undefined when they cannot be compared. */
function compare(field: Field, value: Scalar, bound: Bound): number | undefined {
  if (field.kind === "reserved" && field.name === "timestamp") {
    const a = queryTime(String(value));
    const b = queryTime(bound.text);
    return a === undefined || b === undefined ? undefined : a - b;
  }
  let limit = bound.number;
  const duration = field.kind === "attribute" && field.path.join(".") === "duration" && !bound.quoted ? DURATION.exec(bound.text) : null;
  if (duration) limit = Number(duration[1]) * NANOSECONDS[duration[2]!]!;
  if (limit !== undefined) {
    const number = numberOf(value);
    // A tag that is no number is compared as text (search-syntax 11.5).
    if (number === undefined) return field.kind === "tag" ? byCodePoints(String(value), bound.text) : undefined;
    // No difference: infinities have none.
    return number < limit ? -1 : number > limit ? 1 : 0;
  }
  return typeof value === "string" ? byCodePoints(value, bound.text) : undefined;
}

function byCodePoints(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function sameTime(value: Scalar, text: string): boolean {
  const time = queryTime(String(value));
  return time !== undefined && time === queryTime(text);
}

function canonical(text: string): string {
  const bytes = parseAddress(text);
  return bytes ? addressText(bytes) : text;
}

function holdsSequence(words: readonly string[], wanted: readonly string[]): boolean {
  if (!wanted.length) return false;
  return words.some((_, i) => wanted.every((word, k) => words[i + k] === word));
}

type Place = (at: number) => boolean;

/**
 * The pattern covers the text from a place where it may begin to one where it may end, at first from end to end; `?` is
 * one code point. Takes pattern times text, whatever either holds.
 */
function glob(items: readonly GlobItem[], text: readonly string[], mayBegin: Place = (at) => at === 0, mayEnd: Place = (at) => at === text.length): boolean {
  const pattern: Array<string | GlobItem> = items.flatMap((item): Array<string | GlobItem> => (item.kind === "text" ? [...item.text] : [item]));
  // reached[j]: the pattern read so far can end after j characters of the text.
  let reached = Array.from({ length: text.length + 1 }, (_, j) => mayBegin(j));
  for (const piece of pattern) {
    const next = reached.map(() => false);
    for (let j = 0; j <= text.length; j++) {
      if (typeof piece !== "string" && piece.kind === "any") next[j] = reached[j]! || (j > 0 && next[j - 1]!);
      else if (j > 0) next[j] = reached[j - 1]! && (typeof piece !== "string" || piece === text[j - 1]);
    }
    reached = next;
  }
  return reached.some((isReached, j) => isReached && mayEnd(j));
}

function foldItems(items: readonly GlobItem[]): GlobItem[] {
  return items.map((item) => (item.kind === "text" ? { kind: "text", text: foldCase(item.text) } : item));
}

/** A pattern over words; one that holds separators itself is laid over the whole text between word boundaries. */
function wordGlob(items: readonly GlobItem[], text: string): boolean {
  const folded = foldItems(items);
  const hasSeparator = folded.some((item) => item.kind === "text" && [...item.text].some((character) => !isWordCharacter(character)));
  if (!hasSeparator) return wordsOf(text).some((word) => glob(folded, [...word]));
  const characters = [...foldCase(text)];
  const boundary = (at: number): boolean => {
    const before = at > 0 && isWordCharacter(characters[at - 1]!);
    const after = at < characters.length && isWordCharacter(characters[at]!);
    return !(before && after);
  };
  return glob(folded, characters, boundary, boundary);
}
