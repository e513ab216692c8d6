import type { BodyFramer } from "../engine/frame.ts";
import { readSyslog } from "../event/syslog.ts";
import type { RejectedRecord } from "./contract.ts";
import { type DecodeLimits, Refused, reject } from "./exchange.ts";
import { type Spans, arrayElements, objectsSideBySide, skipBlanks, stringValues } from "./json-scan.ts";

const LINE_FEED = 10;
const BLANK = 32;
const QUOTE = 0x22;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;
/** Texts below it are never cut: a record of nothing but short ones is not a log with a long message. */
const SHORTENED_BYTES = 1024;
const LINE_END = Uint8Array.of(LINE_FEED);

export interface Framed {
  /** One JSON object a line, or lines of text. */
  readonly kind: "json" | "text" | "syslog";
  readonly bytes: Uint8Array;
  readonly events: number;
  readonly truncated: number;
  readonly rejected: readonly RejectedRecord[];
}

const nothing: Framed = { kind: "json", bytes: new Uint8Array(0), events: 0, truncated: 0, rejected: [] };

/**
 * A body of unknown make as lines, the engine's way: an array, objects one behind the other in any arrangement, or text.
 *
 * Nothing is parsed. The usual array becomes lines by overwriting, in place, the bytes between its elements.
 * Throws `bad-body` when the body begins as JSON and is none (unless `lenient`, then it is text), `too-large` for too many elements.
 *
 * @param framer looks the body through, best in its own memory; without one, or where it cannot tell, that is done here byte by byte
 */
export function frameBody(body: Buffer, limits: DecodeLimits, lenient: boolean, framer?: BodyFramer): Framed {
  const start = skipBlanks(body, body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0, body.length);
  if (start >= body.length) return nothing;
  const isArray = body[start] === OPEN_ARRAY;
  if (!isArray && body[start] !== OPEN_OBJECT) return frameText(body.subarray(start), limits);
  const elements = elementsOf(body, start, limits, framer);
  if (!elements) {
    const framed = isArray ? undefined : frameLines(body, start, limits);
    if (framed) return framed;
    if (!lenient) throw new Refused("bad-body", "the body begins as JSON and is none");
    return frameText(body.subarray(start), limits);
  }
  const { count } = elements;
  if (isArray && count > limits.entries) throw new Refused("too-large", `the array has more than ${limits.entries} entries`);
  // A sender that asks whether anybody is there sends an empty object.
  if (!isArray && count === 1 && skipBlanks(body, elements.start(0) + 1, body.length) === elements.end(0) - 1) return nothing;
  if (!elements.makeLines) return frameSpans(body, start, elements, limits);
  if (count) elements.makeLines();
  return { ...nothing, bytes: count ? body.subarray(elements.start(0), elements.end(count - 1)) : nothing.bytes, events: count };
}

type SpanList = Pick<Spans, "count" | "start" | "end">;

interface Elements extends SpanList {
  /** Where all elements are objects with room between them, in the framer's memory: puts each on a line, in place. */
  readonly makeLines?: () => void;
}

/** Elements of the array that is the body from `start` on, or of the objects; undefined when it is no JSON to its end. */
function elementsOf(body: Buffer, start: number, limits: DecodeLimits, framer: BodyFramer | undefined): Elements | undefined {
  const told = framer && scannedElements(body, limits, framer);
  if (told) return told === "broken" ? undefined : told;
  const found = body[start] === OPEN_ARRAY ? arrayElements(body, start, body.length) : objectsSideBySide(body, start, body.length);
  return found && skipBlanks(body, found.after, body.length) === body.length ? found.spans : undefined;
}

/** Undefined where the framer cannot tell. Good until it looks at another body. */
function scannedElements(body: Buffer, { recordBytes }: DecodeLimits, framer: BodyFramer): Elements | "broken" | undefined {
  const isThere = framer.memory.holds(body);
  const place = isThere ? body : framer.memory.take(body.length);
  if (!place) return undefined;
  try {
    if (!isThere) body.copy(place);
    const scanned = framer.scan(place, recordBytes);
    if (!scanned || scanned.kind === "broken") return scanned && "broken";
    const spans = { count: scanned.count, start: (i: number) => framer.spanStart(place, i), end: (i: number) => framer.spanEnd(place, i) };
    return isThere && scanned.isPlain ? { ...spans, makeLines: () => framer.makeLines() } : spans;
  } finally {
    if (!isThere) framer.memory.give(place);
  }
}

/** JSON values of a body, the first of them behind `start`, as lines. Writes into the body. */
export function frameSpans(body: Buffer, start: number, spans: SpanList, limits: DecodeLimits): Framed {
  for (let i = 0; i < spans.count; i++) {
    const from = spans.start(i);
    const to = spans.end(i);
    const isPlain = body[from] === OPEN_OBJECT && to - from <= limits.recordBytes && (i + 1 === spans.count || spans.start(i + 1) > to);
    if (!isPlain) return frameOdd(body, spans, limits);
  }
  let at = start;
  let newline = body.indexOf(LINE_FEED, start);
  for (let i = 0; i < spans.count; i++) {
    const from = spans.start(i);
    // Usually one byte, too few for a call.
    for (let gap = at; gap < from; gap++) body[gap] = BLANK;
    if (i > 0) body[from - 1] = LINE_FEED;
    at = spans.end(i);
    if (newline >= 0 && newline < from) newline = body.indexOf(LINE_FEED, from);
    if (newline >= 0 && newline < at) joinLines(body, from, at);
  }
  return { kind: "json", bytes: body.subarray(spans.count ? spans.start(0) : at, at), events: spans.count, truncated: 0, rejected: [] };
}

/** A record printed over several lines stands on one: outside its strings a line feed is but a blank. */
function joinLines(body: Buffer, start: number, end: number): void {
  if (end - start < 64) for (let at = start; at < end; at++) body[at] = body[at] === LINE_FEED ? BLANK : body[at]!;
  else for (let record = body.subarray(start, end), at = record.indexOf(LINE_FEED); at >= 0; at = record.indexOf(LINE_FEED, at + 1)) record[at] = BLANK;
}

/** The same where some element is text, is none, is too long, or stands too close to the next: written anew. */
function frameOdd(body: Buffer, spans: SpanList, limits: DecodeLimits): Framed {
  const rejected: RejectedRecord[] = [];
  const out = new Output(body.length + spans.count);
  let events = 0;
  let truncated = 0;
  for (let i = 0; i < spans.count; i++) {
    const from = spans.start(i);
    const to = spans.end(i);
    if (body[from] === OPEN_OBJECT && to - from <= limits.recordBytes) {
      out.line(body, from, to);
      events++;
      continue;
    }
    let record = body.subarray(from, to);
    if (body[from] === QUOTE) record = Buffer.from(textRecord(JSON.parse(record.toString()) as string));
    else if (body[from] !== OPEN_OBJECT) {
      reject(rejected, "not-an-object", record);
      continue;
    }
    const fitting = shortened(record, limits.recordBytes);
    if (!fitting) {
      reject(rejected, "too-large", record);
      continue;
    }
    if (fitting !== record) truncated++;
    out.line(fitting, 0, fitting.length);
    events++;
  }
  return { kind: "json", bytes: out.bytes, events, truncated, rejected };
}

/** Lines side by side in one buffer: of a body of small records, an object for each would be many times its size. */
class Output {
  #buffer: Buffer;
  #end = 0;

  constructor(bytes: number) {
    this.#buffer = Buffer.allocUnsafe(bytes);
  }

  line(from: Buffer, start: number, end: number): void {
    if (this.#end + end - start >= this.#buffer.length) {
      const wider = Buffer.allocUnsafe(2 * this.#buffer.length + end - start + 1);
      this.#buffer.copy(wider, 0, 0, this.#end);
      this.#buffer = wider;
    }
    const at = this.#end;
    if (end - start < 64) for (let i = start; i < end; i++) this.#buffer[at + i - start] = from[i]!;
    else from.copy(this.#buffer, at, start, end);
    this.#end += end - start;
    joinLines(this.#buffer, at, this.#end);
    this.#buffer[this.#end++] = LINE_FEED;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#end);
  }
}

/** A text of its own as a record; a syslog line is read. */
export function textRecord(text: string): string {
  return JSON.stringify((text.startsWith("<") ? readSyslog(text) : undefined) ?? { message: text });
}

/**
 * Objects a line, some of which are damaged: each costs its own line. Undefined when most are, as where one object over several lines
 * was cut short.
 */
function frameLines(body: Buffer, start: number, limits: DecodeLimits): Framed | undefined {
  const parts: Framed[] = [];
  const rejected: RejectedRecord[] = [];
  for (let at = start; at < body.length; ) {
    const newline = body.indexOf(LINE_FEED, at);
    const end = newline < 0 ? body.length : newline;
    const from = skipBlanks(body, at, end);
    at = end + 1;
    if (from >= end) continue;
    const { spans, after } = objectsSideBySide(body, from, end);
    if (after === end) parts.push(frameSpans(body, from, spans, limits));
    else reject(rejected, "not-json", body.subarray(from, end));
  }
  if (parts.length < rejected.length || !parts.length) return undefined;
  return {
    kind: "json",
    bytes: Buffer.concat(parts.flatMap((part) => (part.bytes.at(-1) === LINE_FEED ? [part.bytes] : [part.bytes, LINE_END]))),
    events: parts.reduce((sum, part) => sum + part.events, 0),
    truncated: parts.reduce((sum, part) => sum + part.truncated, 0),
    rejected: [...rejected, ...parts.flatMap((part) => part.rejected)],
  };
}

/** Lines of text; syslog when the first of them has its mark. */
export function frameText(body: Buffer, limits: DecodeLimits): Framed {
  const kind = readSyslog(body.subarray(0, Math.min(lineEnd(body, 0), 4096)).toString().trimEnd()) ? "syslog" : "text";
  let events = 0;
  let truncated = 0;
  let parts: Uint8Array[] | undefined;
  for (let at = 0; at < body.length; ) {
    const end = lineEnd(body, at);
    if (!isBlankLine(body, at, end)) events++;
    if (end - at > limits.recordBytes) {
      truncated++;
      parts ??= [body.subarray(0, at)];
      parts.push(body.subarray(at, characterStart(body, at + limits.recordBytes)), LINE_END);
    } else parts?.push(body.subarray(at, Math.min(end + 1, body.length)));
    at = end + 1;
  }
  return { kind, bytes: parts ? Buffer.concat(parts) : body, events, truncated, rejected: [] };
}

/** As the engine sees it: nothing but white space of ASCII. */
function isBlankLine(body: Buffer, at: number, end: number): boolean {
  while (at < end && (body[at] === BLANK || (body[at]! >= 9 && body[at]! <= 13))) at++;
  return at === end;
}

function lineEnd(body: Buffer, at: number): number {
  const newline = body.indexOf(LINE_FEED, at);
  return newline < 0 ? body.length : newline;
}

/** The first byte of the UTF-8 character that covers `at`. */
function characterStart(bytes: Uint8Array, at: number): number {
  let start = at;
  while (start > 0 && at - start < 3 && (bytes[start]! & 0xc0) === 0x80) start--;
  return start;
}

/**
 * A record with its longest texts cut, until it fits; the record itself when it does already. Undefined when no text is long enough.
 *
 * Keys stay whole; no escape and no UTF-8 character is cut in two.
 */
export function shortened(record: Buffer, limit: number): Buffer | undefined {
  let excess = record.length - limit;
  if (excess <= 0) return record;
  const cuts: Array<{ from: number; to: number }> = [];
  const texts = stringValues(record, 0, record.length, SHORTENED_BYTES);
  for (const text of texts.toSorted((a, b) => b.end - b.start - (a.end - a.start))) {
    const from = Math.max(text.start, text.end - excess);
    const cut = { from: cutPoint(record, text.start, from), to: text.end };
    cuts.push(cut);
    excess -= cut.to - cut.from;
    if (excess <= 0) break;
  }
  if (excess > 0) return undefined;
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const { from, to } of cuts.toSorted((a, b) => a.from - b.from)) {
    parts.push(record.subarray(at, from));
    at = to;
  }
  return Buffer.concat([...parts, record.subarray(at)]);
}

/** Last place at or before `at` where a JSON string that begins at `start` may end. */
function cutPoint(record: Buffer, start: number, at: number): number {
  let point = start;
  for (let next = point + unitBytes(record, point); next <= at; next += unitBytes(record, next)) point = next;
  return point;
}

/** Bytes of the escape or character at a place in a string. */
function unitBytes(record: Buffer, at: number): number {
  const c = record[at]!;
  if (c === 0x5c) {
    if (record[at + 1] !== 0x75) return 2;
    const isHigh = /^d[89ab]/i.test(record.toString("latin1", at + 2, at + 4));
    return isHigh && record[at + 6] === 0x5c && record[at + 7] === 0x75 ? 12 : 6;
  }
  return c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
}
