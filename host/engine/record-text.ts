const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const BRACE = 0x7b;
const TAGS = Buffer.from("ddtags");

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
  let before = open - 1;
  while (before > start && isBlank(bytes[before]!)) before--;
  if (bytes[before] === COLON) {
    while (before > start && bytes[before] !== QUOTE) before--;
    if (before - TAGS.length > start && bytes.compare(TAGS, 0, TAGS.length, before - TAGS.length, before) === 0) return undefined;
  }
  return bytes.toString("utf8", open + 1, close);
}

function isEscaped(bytes: Buffer, start: number, at: number): boolean {
  let slashes = 0;
  while (at - 1 - slashes >= start && bytes[at - 1 - slashes] === BACKSLASH) slashes++;
  return slashes % 2 === 1;
}

function isBlank(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}
