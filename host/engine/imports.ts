import { normalizeTag } from "../event/tags.ts";
import { readTimestamp } from "../event/timestamp.ts";
import type { HostTexts } from "./text/host-texts.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

const WORD_BIT = 0x80000000;
const WORD_CHARACTER = /^[\p{L}\p{M}\p{N}_]$/u;
const FINAL_SIGMA = 0x3c2;
const SIGMA = 0x3c3;
const DOTTED_CAPITAL_I = 0x130;

function isSurrogate(codePoint: number): boolean {
  return codePoint >= 0xd800 && codePoint <= 0xdfff;
}

/** Lower case (bits 0..20) and the word-character bit of one code point. */
function unicodeEntry(codePoint: number): number {
  if (codePoint > 0x10ffff || isSurrogate(codePoint)) return codePoint & 0x1fffff;
  const text = String.fromCodePoint(codePoint);
  let lower = codePoint;
  if (codePoint === FINAL_SIGMA) lower = SIGMA;
  else if (codePoint !== DOTTED_CAPITAL_I) {
    const lowered = text.toLowerCase();
    const first = lowered.codePointAt(0) ?? codePoint;
    // Only lowering to a single code point is a table entry; the rest stays as it is.
    if (String.fromCodePoint(first) === lowered) lower = first;
  }
  return WORD_CHARACTER.test(text) ? (lower | WORD_BIT) >>> 0 : lower;
}

/**
 * What the kernel may ask of the host, for rare cases only.
 *
 * `canonicalNumber(address, length, out)` writes the shortest decimal text of a JSON number at `out` (at most 25 bytes),
 * its f64 at `out - 8`, and returns the text's length. `unicodePage(page, out)` writes 256 u32 entries.
 *
 * @param texts what text programs leave to the host, where there are such programs.
 */
export function hostImports(memory: WebAssembly.Memory, texts?: HostTexts): WebAssembly.Imports {
  const textAt = (address: number, length: number): string =>
    // TextDecoder refuses shared memory, so the bytes are copied first.
    decoder.decode(new Uint8Array(memory.buffer).slice(address >>> 0, (address >>> 0) + (length >>> 0)));
  return {
    env: { memory },
    host: {
      canonicalNumber(address: number, length: number, out: number): number {
        const start = address >>> 0;
        const target = out >>> 0;
        // TextDecoder refuses shared memory, so the bytes are copied first.
        const text = decoder.decode(new Uint8Array(memory.buffer).slice(start, start + (length >>> 0)));
        const number = Number(text);
        const written = encoder.encode(String(number));
        new Uint8Array(memory.buffer).set(written, target);
        new DataView(memory.buffer).setFloat64(target - 8, number, true);
        return written.length;
      },
      decimalOf(address: number, length: number): number {
        return Number(textAt(address, length));
      },
      readTimestamp(address: number, length: number, arrivalMs: number): number {
        return readTimestamp(textAt(address, length), arrivalMs) ?? Number.NaN;
      },
      normalizeTag(address: number, length: number, out: number): number {
        const tag = normalizeTag(textAt(address, length));
        if (tag === undefined) return 0;
        const written = encoder.encode(tag);
        new Uint8Array(memory.buffer).set(written, out >>> 0);
        return written.length;
      },
      matchText(program: number, address: number, length: number, out: number): number {
        return texts ? texts.match(memory, program, address, length, out) : -1;
      },
      filterText(filters: number, address: number, length: number, out: number, room: number): bigint {
        return texts ? texts.filtered(memory, filters, address, length, out, room) : 0n;
      },
      unicodePage(page: number, out: number): void {
        const entries = new DataView(memory.buffer, out >>> 0, 1024);
        for (let i = 0; i < 256; i++) entries.setUint32(i * 4, unicodeEntry(page * 256 + i), true);
      },
    },
  };
}
