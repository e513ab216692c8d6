import { isUtf8 } from "node:buffer";
import { isTextFormat } from "../event/decode.ts";
import { madeEvent } from "../event/made.ts";
import type { Pipeline } from "../event/pipeline/pipeline.ts";
import type { InputProfile } from "./task.ts";

const NEWLINE = 10;
const BLANK = /^[\t\n\v\f\r ]*$/;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

export interface MadeEvents {
  /** An envelope for every line, in the lines' order; a line that cannot be read stands as it came. */
  readonly bytes: Uint8Array;
  /** Bytes of the input that were read: as many lines as there was room for. */
  readonly consumed: number;
  /** Records whose envelope alone is over the room. */
  readonly tooLarge: ReadonlyArray<{ readonly start: number; readonly length: number }>;
  readonly repairedLines: number;
}

/** Makes events of records one by one: for pipelines and lines that columns cannot follow. */
export function makeEvents(bytes: Uint8Array, profile: InputProfile, pipelines: readonly Pipeline[], arrivalMs: number, room: number): MadeEvents {
  const parts: Uint8Array[] = [];
  const tooLarge: Array<{ start: number; length: number }> = [];
  let used = 0;
  let repairedLines = 0;
  let at = 0;
  while (at < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline;
    const line = bytes.subarray(at === 0 && hasMark(bytes) ? 3 : at, end);
    let part = encoder.encode(`${madeLine(decoder.decode(line), profile, pipelines, arrivalMs)}\n`);
    if (part.length > room) {
      tooLarge.push({ start: at, length: end - at });
      part = encoder.encode("\n");
    }
    if (used + part.length > room) break;
    if (!isUtf8(line)) repairedLines++;
    parts.push(part);
    used += part.length;
    at = end + 1;
  }
  return { bytes: Buffer.concat(parts, used), consumed: Math.min(at, bytes.length), tooLarge, repairedLines };
}

function madeLine(line: string, profile: InputProfile, pipelines: readonly Pipeline[], arrivalMs: number): string {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  if (BLANK.test(text)) return "";
  if (isTextFormat(profile.format)) return JSON.stringify(madeEvent(text, profile, pipelines, arrivalMs));
  if (!/^\s*\{/.test(text)) return text;
  const events = records(text).map((record) => madeEvent(record, profile, pipelines, arrivalMs));
  // What cannot be read goes on as it is, and is refused by the reason it deserves.
  return events.some((event) => event === undefined) ? text : events.map((event) => JSON.stringify(event)).join(" ");
}

function hasMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

/** Objects may stand one behind the other on a line. */
function records(text: string): string[] {
  const out: string[] = [];
  let depth = 0;
  let start = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (inString) {
      if (c === "\\") i++;
      else if (c === '"') inString = false;
    } else if (c === '"') inString = true;
    else if (c === "{") depth++;
    else if (c === "}" && --depth === 0) {
      out.push(text.slice(start, i + 1));
      start = i + 1;
    }
  }
  if (text.slice(start).trim() !== "") out.push(text.slice(start));
  return out;
}
