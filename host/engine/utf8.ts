import { isUtf8 } from "node:buffer";
import { joinBytes } from "./copy-bytes.ts";

const LINE_FEED = 0x0a;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

export interface RepairedText {
  /** UTF-8 throughout; may be longer than what came in (each wrong byte can become three). */
  readonly bytes: Uint8Array;
  /** Lines that held bytes which are not UTF-8. */
  readonly repairedLines: number;
}

/**
 * Replaces bytes that are not UTF-8 by U+FFFD as the WHATWG decoder does, line by line; other lines keep their bytes.
 *
 * For the rare slot whose `validateUtf8` answered 0.
 */
export function repairUtf8(source: Uint8Array): RepairedText {
  // Neither TextDecoder nor isUtf8 reads shared memory.
  const bytes = source.buffer instanceof SharedArrayBuffer ? source.slice() : source;
  const parts: Uint8Array[] = [];
  let repairedLines = 0;
  let sizeBytes = 0;
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed < 0 ? bytes.length : feed + 1;
    let line: Uint8Array = bytes.subarray(start, end);
    if (!isUtf8(line)) {
      line = encoder.encode(decoder.decode(line));
      repairedLines++;
    }
    parts.push(line);
    sizeBytes += line.length;
    start = end;
  }
  return { bytes: joinBytes(parts, sizeBytes), repairedLines };
}
