const LINE_FEED = 10;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const VALUE = 0;
const VALUE_OR_END = 1;
const KEY = 2;
const KEY_OR_END = 3;
const AFTER = 4;

/** One entry an open container: 1 for objects. Grows with the deepest body seen, which its size bounds. */
let stack = new Uint8Array(4096);

export function isBlank(c: number | undefined): boolean {
  return c === 32 || c === LINE_FEED || c === 13 || c === 9;
}

/** First byte from `at` that is no JSON blank, `end` when there is none. */
export function skipBlanks(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && isBlank(bytes[at])) at++;
  return at;
}

/**
 * End of the JSON value that begins at `start`, -1 when there is no whole one.
 *
 * Takes what JSON.parse takes, but reads nothing: no string, no number, no object is made. Bytes are taken for UTF-8 unchecked.
 *
 * @param depthCap containers within containers; a value with more of them counts as none
 */
export function valueEnd(bytes: Uint8Array, start: number, end: number, depthCap = Number.POSITIVE_INFINITY): number {
  let depth = 0;
  let state = VALUE;
  let at = start;
  for (;;) {
    while (at < end && isBlank(bytes[at])) at++;
    if (at >= end) return -1;
    const c = bytes[at]!;
    if (state === AFTER) {
      const inObject = stack[depth - 1] === 1;
      at++;
      if (c === COMMA) state = inObject ? KEY : VALUE;
      else if (c === (inObject ? CLOSE_OBJECT : CLOSE_ARRAY)) {
        if (--depth === 0) return at;
      } else return -1;
      continue;
    }
    if (state >= KEY) {
      if (c === CLOSE_OBJECT && state === KEY_OR_END) {
        at++;
        if (--depth === 0) return at;
        state = AFTER;
        continue;
      }
      if (c !== QUOTE || (at = stringEnd(bytes, at, end)) < 0) return -1;
      while (at < end && isBlank(bytes[at])) at++;
      if (bytes[at] !== COLON || at >= end) return -1;
      at++;
      state = VALUE;
      continue;
    }
    if (c === OPEN_OBJECT || c === OPEN_ARRAY) {
      if (depth >= depthCap) return -1;
      if (depth === stack.length) stack = grown(stack);
      stack[depth++] = c === OPEN_OBJECT ? 1 : 0;
      state = c === OPEN_OBJECT ? KEY_OR_END : VALUE_OR_END;
      at++;
      continue;
    }
    if (c === CLOSE_ARRAY && state === VALUE_OR_END) {
      at++;
      if (--depth === 0) return at;
      state = AFTER;
      continue;
    }
    at = c === QUOTE ? stringEnd(bytes, at, end) : scalarEnd(bytes, at, end);
    if (at < 0 || depth === 0) return at;
    state = AFTER;
  }
}

function grown(from: Uint8Array): Uint8Array<ArrayBuffer> {
  const to = new Uint8Array(from.length * 2);
  to.set(from);
  return to;
}

/** Behind the closing quote of the string that opens at `at`. */
function stringEnd(bytes: Uint8Array, at: number, end: number): number {
  for (at++; at < end; at++) {
    const c = bytes[at]!;
    if (c === QUOTE) return at + 1;
    if (c < 32) return -1;
    if (c !== BACKSLASH) continue;
    const escape = bytes[++at];
    if (at >= end) return -1;
    if (escape === 0x75) {
      for (let i = 0; i < 4; i++) if (++at >= end || !isHex(bytes[at]!)) return -1;
    } else if (!isEscape(escape)) return -1;
  }
  return -1;
}

function isHex(c: number): boolean {
  const low = c | 0x20;
  return (c >= 48 && c <= 57) || (low >= 97 && low <= 102);
}

/** One of `" \ / b f n r t`. */
function isEscape(c: number | undefined): boolean {
  return c === QUOTE || c === BACKSLASH || c === 0x2f || c === 0x62 || c === 0x66 || c === 0x6e || c === 0x72 || c === 0x74;
}

function scalarEnd(bytes: Uint8Array, at: number, end: number): number {
  switch (bytes[at]) {
    case 0x74: return wordEnd(bytes, at, end, "true");
    case 0x66: return wordEnd(bytes, at, end, "false");
    case 0x6e: return wordEnd(bytes, at, end, "null");
    default: return numberEnd(bytes, at, end);
  }
}

function wordEnd(bytes: Uint8Array, at: number, end: number, word: string): number {
  for (let i = 0; i < word.length; i++, at++) if (at >= end || bytes[at] !== word.charCodeAt(i)) return -1;
  return at;
}

function digitsEnd(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at]! >= 48 && bytes[at]! <= 57) at++;
  return at;
}

function numberEnd(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] === 0x2d) at++;
  const whole = digitsEnd(bytes, at, end);
  if (whole === at || (bytes[at] === 48 && whole > at + 1)) return -1;
  at = whole;
  if (at < end && bytes[at] === 0x2e) {
    const fraction = digitsEnd(bytes, at + 1, end);
    if (fraction === at + 1) return -1;
    at = fraction;
  }
  if (at < end && (bytes[at]! | 0x20) === 0x65) {
    at++;
    if (at < end && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at++;
    const exponent = digitsEnd(bytes, at, end);
    if (exponent === at) return -1;
    at = exponent;
  }
  return at;
}

/** Half-open ranges of bytes, one behind the other. */
export class Spans {
  #at = new Uint32Array(512);
  count = 0;

  add(start: number, end: number): void {
    if (this.count * 2 === this.#at.length) {
      const wider = new Uint32Array(this.#at.length * 2);
      wider.set(this.#at);
      this.#at = wider;
    }
    this.#at[this.count * 2] = start;
    this.#at[this.count * 2 + 1] = end;
    this.count++;
  }

  start(i: number): number {
    return this.#at[i * 2]!;
  }

  end(i: number): number {
    return this.#at[i * 2 + 1]!;
  }
}

/** Elements of the array that opens at `start`; undefined when it is not JSON. `after` is behind its closing bracket. */
export function arrayElements(bytes: Uint8Array, start: number, end: number): { readonly spans: Spans; readonly after: number } | undefined {
  const spans = new Spans();
  let at = skipBlanks(bytes, start + 1, end);
  if (at < end && bytes[at] === CLOSE_ARRAY) return { spans, after: at + 1 };
  while (at < end) {
    const stop = valueEnd(bytes, at, end);
    if (stop < 0) return undefined;
    spans.add(at, stop);
    at = skipBlanks(bytes, stop, end);
    if (at >= end) return undefined;
    if (bytes[at] === CLOSE_ARRAY) return { spans, after: at + 1 };
    if (bytes[at] !== COMMA) return undefined;
    at = skipBlanks(bytes, at + 1, end);
  }
  return undefined;
}

/** Objects in [start, end) with blanks or nothing between them; `after` is where something else stands, `end` when nothing does. */
export function objectsSideBySide(bytes: Uint8Array, start: number, end: number): { readonly spans: Spans; readonly after: number } {
  const spans = new Spans();
  let at = skipBlanks(bytes, start, end);
  while (at < end && bytes[at] === OPEN_OBJECT) {
    const stop = valueEnd(bytes, at, end);
    if (stop < 0) break;
    spans.add(at, stop);
    at = skipBlanks(bytes, stop, end);
  }
  return { spans, after: at };
}

export interface Member {
  readonly name: string;
  /** Of the value. */
  readonly start: number;
  readonly end: number;
}

/** Members of a valid object, in order, values unread; of equal names JSON counts the last. */
export function membersOf(bytes: Buffer, start: number, end: number): Member[] {
  const members: Member[] = [];
  let at = skipBlanks(bytes, start + 1, end);
  while (at < end && bytes[at] === QUOTE) {
    const keyEnd = stringEnd(bytes, at, end);
    const text = bytes.toString("utf8", at, keyEnd);
    const name = text.includes("\\") ? (JSON.parse(text) as string) : text.slice(1, -1);
    const from = skipBlanks(bytes, skipBlanks(bytes, keyEnd, end) + 1, end);
    const to = valueEnd(bytes, from, end);
    members.push({ name, start: from, end: to });
    at = skipBlanks(bytes, skipBlanks(bytes, to, end) + 1, end);
  }
  return members;
}

/** Strings of at least so many bytes in a valid value, keys left out: [start, end) between their quotes. */
export function stringValues(bytes: Uint8Array, start: number, end: number, least: number): Array<{ readonly start: number; readonly end: number }> {
  const found: Array<{ readonly start: number; readonly end: number }> = [];
  for (let at = start; at < end; at++) {
    if (bytes[at] !== QUOTE) continue;
    const stop = stringEnd(bytes, at, end);
    if (stop - 2 - at >= least && bytes[skipBlanks(bytes, stop, end)] !== COLON) found.push({ start: at + 1, end: stop - 1 });
    at = stop - 1;
  }
  return found;
}
