import type { Json } from "../event/event.ts";
import type { Cut, Cutter } from "./tail/cutting.ts";
import type { WindowsFilter } from "./tail/source.ts";
import { fromXml, intakeRecord, type Members, type WindowsEvent } from "./windows/event.ts";
import { fromJson } from "./windows/json.ts";
import { readXml, XmlError } from "./windows/xml.ts";

/** Source of Windows events where the configuration names none; the rules of the Windows pack ask for it. */
export const WINDOWS_SOURCE = "windows.events";

const NEWLINE = 10;
const LESS = 60;
const OPEN = 123;
const CLOSE = 125;
const QUOTE = 34;
const BACKSLASH = 92;

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const eventOpen = encoder.encode("<Event");
const eventClose = encoder.encode("</Event>");

/** Does the filter let an event through? Channels and providers are compared without regard to case, as Windows does. */
export function passesFilter(event: WindowsEvent, filter: WindowsFilter): boolean {
  if (filter.ids && !filter.ids.includes(event.id)) return false;
  const { Channel: channel, Provider: provider } = event.system;
  if (filter.channel !== undefined && typeof channel === "string" && channel.toLowerCase() !== filter.channel.toLowerCase()) return false;
  if (!filter.providers) return true;
  const name = String((provider as Members | undefined)?.Name ?? "").toLowerCase();
  return filter.providers.some((each) => each.toLowerCase() === name);
}

/**
 * Finds the events of an export, XML (`<Events><Event>…`) or JSON (lines, a list, pretty-printed), and hands them on as
 * intake JSON. The end of the document is not waited for: an export may be growing.
 */
export function windowsCutter(filter: WindowsFilter): Cutter {
  return ({ bytes, isInside, isLast, isFull }): Cut => {
    const lines: string[] = [];
    const rejected = new Map<string, number>();
    const reject = (reason: string): void => void rejected.set(reason, (rejected.get(reason) ?? 0) + 1);
    const take = (record: Uint8Array, isXml: boolean): void => {
      const event = readEvent(record, isXml);
      if (typeof event === "string") reject(event);
      else if (!passesFilter(event, filter)) reject("filtered");
      else lines.push(JSON.stringify(intakeRecord(event)));
    };
    let at = 0;
    let inside = isInside;
    if (inside) {
      // Behind a record that was too large: the next one's beginning is as good a place as any.
      at = afterLarge(bytes);
      inside = at === bytes.length && !isLast;
    }
    while (at < bytes.length) {
      const start = recordStart(bytes, at);
      if (start.at === bytes.length || start.isPart) {
        at = start.at;
        break;
      }
      const end = start.isXml ? xmlEnd(bytes, start.at) : jsonEnd(bytes, start.at);
      if (end < 0) {
        at = start.at;
        break;
      }
      take(bytes.subarray(start.at, end), start.isXml);
      at = end;
    }
    if (at < bytes.length && (isLast || (isFull && at === 0))) {
      reject(isLast ? "unfinished" : "too-large");
      inside = !isLast;
      at = bytes.length;
    }
    const text = encoder.encode(lines.join("\n"));
    return { records: [{ format: "intake", bytes: text, events: lines.length }], consumed: at, isInside: inside, truncated: 0, rejected };
  };
}

/** The event of one record, or why there is none. */
export function readEvent(record: Uint8Array, isXml: boolean): WindowsEvent | string {
  const text = decoder.decode(record);
  try {
    return (isXml ? fromXml(readXml(text)) : fromJson(JSON.parse(text) as Json)) ?? "no-event-id";
  } catch (error) {
    if (error instanceof XmlError) return error.message;
    if (error instanceof SyntaxError) return "not-json";
    throw error;
  }
}

interface RecordStart {
  readonly at: number;
  readonly isXml: boolean;
  /** The bytes end before it can be told what begins here. */
  readonly isPart: boolean;
}

/** Where the next `<Event ` or `{` begins; what stands between records is passed over. */
function recordStart(bytes: Uint8Array, from: number): RecordStart {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === OPEN) return { at, isXml: false, isPart: false };
    if (byte !== LESS) continue;
    const same = commonLength(bytes, at, eventOpen);
    const next = bytes[at + eventOpen.length];
    if (same < eventOpen.length) {
      if (at + same === bytes.length) return { at, isXml: true, isPart: true };
    } else if (next === undefined) return { at, isXml: true, isPart: true };
    else if (next === 62 || next <= 32) return { at, isXml: true, isPart: false };
  }
  return { at: bytes.length, isXml: false, isPart: false };
}

function commonLength(bytes: Uint8Array, at: number, word: Uint8Array): number {
  let same = 0;
  while (same < word.length && bytes[at + same] === word[same]) same++;
  return same;
}

function xmlEnd(bytes: Uint8Array, start: number): number {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(eventClose, start);
  return at < 0 ? -1 : at + eventClose.length;
}

/** Behind the object that begins here, whatever its texts hold; -1 when it does not end. */
function jsonEnd(bytes: Uint8Array, start: number): number {
  let depth = 0;
  let isText = false;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (isText) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (byte === OPEN) depth++;
    else if (byte === CLOSE && --depth === 0) return at + 1;
  }
  return -1;
}

function afterLarge(bytes: Uint8Array): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const xml = view.indexOf(eventClose);
  for (let at = view.indexOf(NEWLINE); at >= 0; at = view.indexOf(NEWLINE, at + 1)) {
    if (xml >= 0 && xml < at) break;
    if (bytes[at + 1] === OPEN) return at + 1;
  }
  return xml >= 0 ? xml + eventClose.length : bytes.length;
}
