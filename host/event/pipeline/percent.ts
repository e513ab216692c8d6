const PERCENT = 0x25;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function nibble(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/**
 * Percent-decoded, byte by byte, up to `times` while anything changes. A `%` without two hex digits stays, and bytes that
 * are no UTF-8 in the end become U+FFFD. With `plusIsBlank`, the pluses of the text as it came are blanks, as in a form.
 */
export function percentDecoded(text: string, times = 1, plusIsBlank = false): string {
  const plain = plusIsBlank && text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!plain.includes("%")) return plain;
  const bytes = encoder.encode(plain);
  let length = bytes.length;
  for (let round = 0; round < times; round++) {
    let out = 0;
    for (let at = 0; at < length; out++) {
      const high = bytes[at] === PERCENT && at + 2 < length ? nibble(bytes[at + 1]) : -1;
      const low = high >= 0 ? nibble(bytes[at + 2]) : -1;
      bytes[out] = low >= 0 ? (high << 4) | low : bytes[at]!;
      at += low >= 0 ? 3 : 1;
    }
    if (out === length) break;
    length = out;
  }
  return decoder.decode(bytes.subarray(0, length));
}
