import { isUtf8 } from "node:buffer";
import { isTextFormat } from "../event/decode.ts";
import { eventId } from "../event/event-id.ts";
import { madeEvent } from "../event/made.ts";
import type { Pipeline } from "../event/pipeline/pipeline.ts";
import { joinBytes } from "./copy-bytes.ts";
import type { InputProfile } from "./task.ts";

const NEWLINE = 10;
const RETURN = 13;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
/** Byte order mark. */
const MARK_BYTES = 3;
const BLANK = Uint8Array.of(32);
const LINE_END = Uint8Array.of(NEWLINE);
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Bytes of the input that one envelope was made of. */
export interface Origin {
  readonly start: number;
  readonly length: number;
}

export interface MadeEvents {
  /** An envelope for every record, a line for every line; a record that cannot be read stands as it came. */
  readonly bytes: Uint8Array;
  /** Bytes of the input that were read: as many lines as there was room for. */
  readonly consumed: number;
  /** Where in `bytes` each envelope begins, ascending, and what it was made of. */
  readonly starts: readonly number[];
  readonly origins: readonly Origin[];
  /** Records whose envelope alone is over the room. */
  readonly tooLarge: readonly Origin[];
  readonly repairedLines: number;
}

export interface Making {
  readonly pipelines: readonly Pipeline[];
  readonly arrivalMs: number;
  /** Bytes that the envelopes may take. */
  readonly room: number;
  /** Is the event's own id laid at the envelope's top? */
  readonly withIds: boolean;
}

/** Makes events of records one by one: for pipelines and lines that columns cannot follow. */
export function makeEvents(bytes: Uint8Array, profile: InputProfile, making: Making): MadeEvents {
  const { room } = making;
  const parts: Uint8Array[] = [];
  const starts: number[] = [];
  const origins: Origin[] = [];
  const tooLarge: Origin[] = [];
  let used = 0;
  let repairedLines = 0;
  let at = 0;
  while (at < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline;
    const from = at === 0 && hasMark(bytes) ? MARK_BYTES : at;
    const line = bytes.subarray(from, end);
    const made = recordsOf(line, profile).map(({ start, length }) => ({
      origin: { start: from + start, length },
      part: encoder.encode(madeText(decoder.decode(line.subarray(start, start + length)), profile, making)),
    }));
    const size = made.reduce((sum, { part }) => sum + part.length + 1, 0) + 1;
    const fits = size <= room;
    if (fits && used + size > room) break;
    if (!isUtf8(line)) repairedLines++;
    if (!fits) tooLarge.push({ start: from, length: line.length });
    else {
      for (const { part, origin } of made) {
        starts.push(used);
        origins.push(origin);
        parts.push(part, BLANK);
        used += part.length + 1;
      }
    }
    parts.push(LINE_END);
    used++;
    at = end + 1;
  }
  return { bytes: joinBytes(parts, used), consumed: Math.min(at, bytes.length), starts, origins, tooLarge, repairedLines };
}

/** What the envelope at an offset of the made bytes was made of. */
export function originOf(made: MadeEvents, offset: number): Origin {
  let low = 0;
  let high = made.starts.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (made.starts[middle]! <= offset) low = middle;
    else high = middle;
  }
  return made.origins[low]!;
}

function madeText(text: string, profile: InputProfile, { pipelines, arrivalMs, withIds }: Making): string {
  const event = isTextFormat(profile.format) || /^\s*\{/.test(text) ? madeEvent(text, profile, pipelines, arrivalMs) : undefined;
  // What cannot be read goes on as it is, and is refused by the reason it deserves.
  return event === undefined ? text : JSON.stringify(withIds ? { ...event, id: eventId(event.attributes) } : event);
}

function hasMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

/** Records of a line: text is one whatever it holds, objects may stand one behind the other. */
function recordsOf(line: Uint8Array, profile: InputProfile): Origin[] {
  let start = 0;
  let end = line.length;
  if (end > 0 && line[end - 1] === RETURN) end--;
  while (start < end && isBlank(line[start]!)) start++;
  if (start === end) return [];
  if (isTextFormat(profile.format)) return [{ start: 0, length: end }];
  const out: Origin[] = [];
  let depth = 0;
  let inString = false;
  for (let i = start; i < end; i++) {
    const c = line[i];
    if (inString) {
      if (c === BACKSLASH) i++;
      else if (c === QUOTE) inString = false;
    } else if (c === QUOTE) inString = true;
    else if (c === OPEN) depth++;
    else if (c === CLOSE && --depth === 0) {
      out.push({ start, length: i + 1 - start });
      start = i + 1;
      while (start < end && isBlank(line[start]!)) start++;
      i = start - 1;
    }
  }
  if (start < end) out.push({ start, length: end - start });
  return out;
}

function isBlank(c: number): boolean {
  return c === 32 || (c >= 9 && c <= 13);
}
