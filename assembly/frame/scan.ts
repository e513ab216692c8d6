import {
  BODY_ARRAY, BODY_BROKEN, BODY_COUNT, BODY_DEEP, BODY_EMPTY, BODY_FLAGS, BODY_FOLDED, BODY_LONG, BODY_MANY, BODY_OBJECTS, BODY_ODD, BODY_PAD,
  BODY_RECORD_BYTES, BODY_SPANS, BODY_SPAN_CAP, BODY_STACK, BODY_STACK_CAP, BODY_TEXT, BODY_TIGHT,
} from "../layout";
import { areEscapes, areScalars } from "./check";
import { BLANKS, COLONS, COMMAS, LINE_FEEDS, OPEN_ARRAYS, OPEN_OBJECTS, QUOTES, RETURNS, SLASHES, TABS, between, closers, controls, equal } from "./masks";

const OPEN_ARRAY: u32 = 0x5b;
const OPEN_OBJECT: u32 = 0x7b;
const ODD_BITS: u64 = 0xaaaaaaaaaaaaaaaa;

/** The bytes behind a body, while blanks stand there. */
const behind: usize = memory.data(64, 16);

let spans: usize = 0;
let spanCap: u32 = 0;
let recordBytes: u32 = 0;
let count: u32 = 0;
let flags: u32 = 0;
/** Where the element at hand began, and where the one before it ended. */
let elementStart: usize = 0;
let elementEnd: usize = 0;

function beginElement(p: usize): void {
  if (p == elementEnd) flags |= BODY_TIGHT;
  elementStart = p;
}

function endElement(p: usize): void {
  if (<u32>(p - elementStart) > recordBytes) flags |= BODY_LONG;
  if (count < spanCap) {
    const span = spans + (<usize>count << 3);
    store<u32>(span, <u32>elementStart);
    store<u32>(span, <u32>p, 4);
  } else flags |= BODY_MANY;
  count++;
  elementEnd = p;
}

/** Texts, numbers and words among the elements: `starts` are their first bytes, `ends` their last, `stops` one past it. */
function plainElements(p: usize, starts: u64, ends: u64, stops: u64): void {
  flags |= BODY_ODD;
  for (let left = starts | ends | stops; left; left &= left - 1) {
    const bit = left & -left;
    const at = p + <usize>ctz(left);
    if (stops & bit) endElement(at);
    if (starts & bit) beginElement(at);
    else if (ends & bit) endElement(at + 1);
  }
}

/** Line feeds within elements: between brackets beyond the base. */
function markFolded(feeds: u64, brackets: u64, opening: u64, depth: u32, base: u32): void {
  let seen: u64 = 0;
  for (let left = brackets; left; left &= left - 1) {
    const bit = left & -left;
    if (depth > base && feeds & (bit - 1) & ~seen) flags |= BODY_FOLDED;
    seen = bit - 1;
    depth += opening & bit ? 1 : -1;
  }
  if (depth > base && feeds & ~seen) flags |= BODY_FOLDED;
}

/** First byte at or after p that is no blank of JSON. */
function skipBlanks(p: usize, end: usize): usize {
  for (; p < end; p++) {
    const c = <u32>load<u8>(p);
    if (c != 0x20 && c != 0x0a && c != 0x0d && c != 0x09) return p;
  }
  return end;
}

/**
 * Tells what a body is, whether all of it is JSON as JSON.parse takes it (bytes taken for UTF-8 unchecked), and where its elements lie:
 * those of the array that it is, or the objects side by side.
 *
 * @returns BODY_EMPTY ... BODY_DEEP; count and flags stand in the struct for BODY_ARRAY and BODY_OBJECTS.
 */
export function frameScan(struct: usize, start: usize, end: usize): u32 {
  spans = <usize>load<u32>(struct, BODY_SPANS);
  spanCap = load<u32>(struct, BODY_SPAN_CAP);
  recordBytes = load<u32>(struct, BODY_RECORD_BYTES);
  count = 0;
  flags = 0;
  elementEnd = 0;
  let p = start;
  if (end - start >= 3 && load<u8>(p) == 0xef && load<u8>(p, 1) == 0xbb && load<u8>(p, 2) == 0xbf) p += 3;
  p = skipBlanks(p, end);
  if (p >= end) return BODY_EMPTY;
  const first = <u32>load<u8>(p);
  if (first != OPEN_ARRAY && first != OPEN_OBJECT) return BODY_TEXT;
  memory.copy(behind, end, BODY_PAD);
  memory.fill(end, 0x20, BODY_PAD);
  const verdict = scan(p, end, first == OPEN_ARRAY, <usize>load<u32>(struct, BODY_STACK), load<u32>(struct, BODY_STACK_CAP));
  memory.copy(end, behind, BODY_PAD);
  store<u32>(struct, count, BODY_COUNT);
  store<u32>(struct, flags, BODY_FLAGS);
  return verdict;
}

/**
 * Grammar as arithmetic over 64 bytes at once. Adding a mask to one of runs carries each of its bits to the end of its run: to the next
 * byte that is no blank (what a byte follows on), or to the next comma, colon or bracket (what a comma follows on).
 *
 * With these, all of JSON is local but which container a comma or colon is in. In an object, commas and colons take turns: so a colon
 * tells of an object, a comma that follows on a comma of an array, and each stretch between two brackets is held against the innermost open one.
 */
function scan(start: usize, end: usize, isArray: bool, stack: usize, stackCap: u32): u32 {
  const base: u32 = isArray ? 1 : 0;
  let depth: u32 = 0;
  /** One bit a container, the innermost lowest: 1 is an object. */
  let open: u64 = 0;
  let began = false;
  // What the last byte of the block before carries over.
  let inString: u64 = 0;
  let escape: u64 = 0;
  let afterObject: u64 = 0;
  let afterArray: u64 = 0;
  let afterMark: u64 = 0;
  let afterText: u64 = 0;
  let afterScalar: u64 = 0;
  let commaOp: u64 = 0;
  let objectOp: u64 = 0;
  for (let p = start; p < end; p += 64) {
    let quotes = equal(p, QUOTES);
    const slashes = equal(p, SLASHES);
    const control = controls(p);
    let escaped: u64 = 0;
    if (slashes | escape) {
      const first = slashes & ~escape;
      const even = (((first << 1) | ODD_BITS) - first) ^ ODD_BITS;
      escaped = even ^ (slashes | escape);
      escape = (even & slashes) >> 63;
      // Quotes and backslashes behind a backslash need no second look.
      const others = escaped & ~(quotes | slashes);
      quotes &= ~escaped;
      if (others && !areEscapes(p, others)) return BODY_BROKEN;
    }
    const inside = between(quotes) ^ inString;
    inString = <u64>(<i64>inside >> 63);
    let bad = control & inside;
    const outside = ~(inside | quotes);
    if ((outside | quotes) == 0) {
      if (bad) return BODY_BROKEN;
      continue;
    }
    const textStarts = quotes & inside;
    const textEnds = quotes & ~inside;
    const commas = equal(p, COMMAS) & outside;
    const colons = equal(p, COLONS) & outside;
    const objects = equal(p, OPEN_OBJECTS) & outside;
    const arrays = equal(p, OPEN_ARRAYS) & outside;
    const closing = closers(p) & outside;
    const opening = objects | arrays;
    const brackets = opening | closing;
    const marks = commas | colons;
    const rest = outside & ~(brackets | marks);
    let scalarStarts: u64 = 0;
    let scalarStops: u64 = afterScalar;
    let nextObject = (objects << 1) | afterObject;
    let nextArray = (arrays << 1) | afterArray;
    let nextMark = (marks << 1) | afterMark;
    let nextText = (textEnds << 1) | afterText;
    afterObject = objects >> 63;
    afterArray = arrays >> 63;
    afterMark = marks >> 63;
    afterText = textEnds >> 63;
    if (rest) {
      const blanks = rest & (equal(p, BLANKS) | control);
      const odd = control & outside;
      if (odd) {
        const feeds = equal(p, LINE_FEEDS) & outside;
        if (odd & ~(feeds | equal(p, RETURNS) | equal(p, TABS))) return BODY_BROKEN;
        if (feeds && !(flags & BODY_FOLDED)) markFolded(feeds, brackets, opening, depth, base);
      }
      const scalars = rest & ~blanks;
      scalarStarts = scalars & ~((scalars << 1) | afterScalar);
      scalarStops = ((scalars << 1) | afterScalar) & ~scalars;
      afterScalar = scalars >> 63;
      if (scalarStarts && !areScalars(p, scalarStarts)) return BODY_BROKEN;
      if (blanks) {
        let sum = nextObject + blanks;
        afterObject |= <u64>(sum < blanks);
        nextObject = sum & ~blanks;
        sum = nextArray + blanks;
        afterArray |= <u64>(sum < blanks);
        nextArray = sum & ~blanks;
        sum = nextMark + blanks;
        afterMark |= <u64>(sum < blanks);
        nextMark = sum & ~blanks;
        sum = nextText + blanks;
        afterText |= <u64>(sum < blanks);
        nextText = sum & ~blanks;
      }
    } else afterScalar = 0;
    const ops = brackets | marks;
    const others = ~ops;
    let sum = ((commas << 1) | commaOp) + others;
    commaOp = (commas >> 63) | <u64>(sum < others);
    const commaNext = sum & ops;
    sum = ((objects << 1) | objectOp) + others;
    objectOp = (objects >> 63) | <u64>(sum < others);
    const objectNext = sum & ops;

    const starts = textStarts | scalarStarts;
    const afterOpen = nextObject | nextArray;
    bad |= starts & ~(afterOpen | nextMark);
    bad |= (commas | closing) & nextMark;
    bad |= commas & (afterOpen | objectNext);
    bad |= colons & ~(nextText & (objectNext | commaNext));
    // Brackets that open behind nothing: such are the objects side by side.
    let orphans = opening & ~(nextArray | nextMark);
    // What tells of an array, and what an object does not end with.
    const notObject = ((commas | opening) & commaNext) | (closing & (commaNext | (objectNext & ~nextObject)));
    let left = brackets;
    let seen: u64 = 0;
    while (left) {
      const bit = left & -left;
      const here = (bit | (bit - 1)) & ~seen;
      const at = p + <usize>ctz(left);
      seen |= here;
      left &= left - 1;
      const c = <u32>load<u8>(at);
      const isObject = <u64>((c >> 5) & 1);
      if (depth <= base) {
        if (depth == 0) {
          // Nothing but blanks beside the array, or between the objects.
          if (here & (marks | starts | closing) || (began && isArray) || (!isArray && !isObject)) return BODY_BROKEN;
          began = true;
          orphans &= ~bit;
          if (!isArray) beginElement(at);
        } else {
          const plain = here & (starts | textEnds | scalarStops);
          if (plain) plainElements(p, here & starts, here & textEnds, here & scalarStops);
          if (c & 2) {
            if (!isObject) flags |= BODY_ODD;
            beginElement(at);
          }
        }
      }
      // No branch on what kind of bracket it is: they come in no order that could be guessed.
      const opens = (c >> 1) & 1;
      bad |= here & select<u64>(notObject, colons, <bool>(open & 1));
      bad |= <u64>(opens ^ 1) & (open ^ isObject);
      open = select<u64>((open << 1) | isObject, open >> 1, <bool>opens);
      depth += (opens << 1) - 1;
      if (depth == base || (depth & 31) == 0) {
        const word = stack + ((<usize>depth >> 5) << 2);
        if (opens) {
          if (depth >> 5 >= stackCap) return BODY_DEEP;
          store<u32>(word, <u32>open);
        } else if (depth == base) endElement(at + 1);
        else if (depth) open = <u64>load<u32>(word);
      }
    }
    const tail = ~seen;
    if (depth <= base) {
      if (depth == 0) bad |= tail & (marks | starts);
      else {
        const plain = tail & (starts | textEnds | scalarStops);
        if (plain) plainElements(p, tail & starts, tail & textEnds, tail & scalarStops);
      }
    }
    bad |= tail & select<u64>(notObject, colons, <bool>(open & 1));
    if (bad | orphans) return BODY_BROKEN;
  }
  if (depth || inString || !began) return BODY_BROKEN;
  return isArray ? BODY_ARRAY : BODY_OBJECTS;
}
