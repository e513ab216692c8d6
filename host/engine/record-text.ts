const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const BRACE = 0x7b;
const DOT = 0x2e;
const TAGS = new TextEncoder().encode("ddtags");

/**
 * The text that a byte of a JSON record stands in, where the bytes tell it alone.
 *
 * @returns "" for the name of a member; undefined where the record has to be read: a text with escapes, JSON within a message, tags in one text.
 */
export function listedText(bytes: Buffer, start: number, end: number, at: number): string | undefined {
  let open = at - 1;
  while (open >= start && !(bytes[open] === QUOTE && !isEscaped(bytes, start, open))) {
    if (bytes[open] === BACKSLASH) return undefined;
    open--;
  }
  let close = at;
  while (close < end && bytes[close] !== QUOTE) if (bytes[close++] === BACKSLASH) return undefined;
  if (open < start || close >= end || bytes[open + 1] === BRACE) return undefined;
  let after = close + 1;
  while (after < end && isBlank(bytes[after]!)) after++;
  if (bytes[after] === COLON) return "";
  if (isTags(bytes, start, open)) return undefined;
  return bytes.toString("utf8", open + 1, close);
}

/**
 * Does the IPv4 address at [at, after), beside which no letter or digit of ASCII stands, stand by itself in a text of a JSON record's event?
 *
 * @returns undefined where the record has to be read
 */
export function standsAlone(bytes: Buffer, start: number, end: number, at: number, after: number): boolean | undefined {
  const before = bytes[at - 1]!;
  const next = bytes[after]!;
  // Signs of a longer run, letters of other alphabets, and escapes that may be such.
  if (before > 127 || next > 127 || before === COLON || next === COLON || next === DOT || next === BACKSLASH || bytes[at - 2] === BACKSLASH || bytes[at - 6] === BACKSLASH) return undefined;
  let open = at - 1;
  while (open >= start && !(bytes[open] === QUOTE && !isEscaped(bytes, start, open))) open--;
  let close = after;
  while (close < end && bytes[close] !== QUOTE) close += bytes[close] === BACKSLASH ? 2 : 1;
  if (open < start || close >= end) return undefined;
  // It may be JSON, which is read as such.
  const first = bytes[open + 1]!;
  if (first === BRACE || first === BACKSLASH || isBlank(first)) return undefined;
  let behind = close + 1;
  while (behind < end && isBlank(bytes[behind]!)) behind++;
  if (bytes[behind] === COLON) return false;
  return isTags(bytes, start, open) ? undefined : true;
}

/** Is the text that opens there the one of all tags? */
function isTags(bytes: Buffer, start: number, open: number): boolean {
  let before = open - 1;
  while (before > start && isBlank(bytes[before]!)) before--;
  if (bytes[before] !== COLON) return false;
  while (before > start && bytes[before] !== QUOTE) before--;
  return before - TAGS.length > start && bytes.compare(TAGS, 0, TAGS.length, before - TAGS.length, before) === 0;
}

function isEscaped(bytes: Buffer, start: number, at: number): boolean {
  let slashes = 0;
  while (at - 1 - slashes >= start && bytes[at - 1 - slashes] === BACKSLASH) slashes++;
  return slashes % 2 === 1;
}

function isBlank(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}
