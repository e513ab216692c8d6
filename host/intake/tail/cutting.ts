import { isBlank } from "../lines/framing.ts";
import { type LineFormat, looksLikeObject, ofService, onOneLine } from "../lines/message.ts";
import { applyRules, type LineRule, startPattern } from "./rules.ts";

const NEWLINE = 10;
const RETURN = 13;
const NUL = 0;

/** Records of one format, as whole lines. */
export interface CutRecords {
  readonly format: LineFormat;
  readonly bytes: Uint8Array;
  readonly events: number;
}

/** What a stretch of a file came to. */
export interface Cut {
  readonly records: readonly CutRecords[];
  /** Bytes that need not be read again. */
  readonly consumed: number;
  /** The last record was cut at the limit: what follows up to the next newline is its rest. */
  readonly isInside: boolean;
  readonly truncated: number;
  /** Records left out, by reason. */
  readonly rejected: ReadonlyMap<string, number>;
}

/** A stretch to cut, from the place reached so far to as far as was read. */
export interface Stretch {
  readonly bytes: Uint8Array;
  /** The stretch begins with the rest of a record that was cut at the limit. */
  readonly isInside: boolean;
  /** No more will come: the last line is whole as it stands. */
  readonly isLast: boolean;
  /** Nothing came for a while: a record of several lines that may go on is taken as complete. */
  readonly isQuiet: boolean;
  /** The stretch is as long as one can be. */
  readonly isFull: boolean;
}

/** Finds the records of a stretch; the same stretch gives the same records. */
export type Cutter = (stretch: Stretch) => Cut;

/** How lines are read. */
export interface LineReading {
  /** Of lines that are no JSON. */
  readonly textFormat: "syslog" | "text";
  readonly rules?: readonly LineRule[];
  readonly source?: string;
  /** Goes before the program that a syslog header names: a shipper's own word does. */
  readonly service?: string;
}

/** Lines of text or JSON, one event each, or several lines each where a rule says how one begins. */
export function lineCutter({ textFormat, rules = [], source, service }: LineReading): Cutter {
  const hasSource = source !== undefined;
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const start = startPattern(rules);
  const begins = (line: Uint8Array): boolean => !start || start.matcher(decoder.decode(line)).find();

  const ruledLine = (record: Uint8Array, format: LineFormat): { readonly format: LineFormat; readonly bytes: Uint8Array } | undefined => {
    const text = decoder.decode(record);
    const changed = applyRules(text, rules);
    if (changed === undefined) return undefined;
    const isJoined = text.includes("\n");
    // A record of several lines becomes JSON at once; the service goes with it then.
    if (isJoined && format === "syslog" && service !== undefined) {
      const named = ofService(encoder.encode(changed), service, hasSource);
      if (named) return { format: "intake", bytes: named };
    }
    return onOneLine(changed === text ? record : encoder.encode(changed), format, hasSource);
  };

  return ({ bytes, isInside, isLast, isQuiet, isFull }) => {
    const sorted = new Sorted();
    let truncated = 0;
    let excluded = 0;
    const emit = (from: number, to: number): void => {
      let first = from;
      while (first < to && bytes[first] === NUL) first++;
      const record = trimEnd(bytes.subarray(first, to));
      if (isBlank(record)) return;
      const format: LineFormat = looksLikeObject(record) ? "intake" : textFormat;
      const ruled = rules.length > 0 ? ruledLine(record, format) : { format, bytes: record };
      const named = ruled?.format === "syslog" && service !== undefined ? ofService(ruled.bytes, service, hasSource) : undefined;
      if (!ruled) excluded++;
      else if (named) sorted.add("intake", named, 0, named.length);
      else if (ruled.bytes === record) sorted.add(format, bytes, first, first + record.length);
      else sorted.add(ruled.format, ruled.bytes, 0, ruled.bytes.length);
    };

    let at = 0;
    let inside = isInside;
    if (inside) {
      const end = bytes.indexOf(NEWLINE);
      at = end < 0 ? bytes.length : end + 1;
      inside = end < 0 && !isLast;
    }
    // A record is open from `at` on; `next` is where its next line begins.
    let next = at;
    while (!inside && next < bytes.length) {
      const newline = bytes.indexOf(NEWLINE, next);
      if (newline < 0 && !isLast) break;
      const end = newline < 0 ? bytes.length : newline;
      if (next > at && begins(bytes.subarray(next, end))) {
        emit(at, next);
        at = next;
      }
      next = newline < 0 ? end : newline + 1;
      if (!start) {
        emit(at, next);
        at = next;
      }
    }
    if (at < next && (isLast || isQuiet)) {
      emit(at, next);
      at = next;
    }
    if (at === 0 && isFull && bytes.length > 0) {
      // One record fills all there is: its lines so far are taken, or its one line without its end.
      const isWhole = next > 0;
      emit(0, isWhole ? next : bytes.length);
      at = isWhole ? next : bytes.length;
      inside = !isWhole;
      truncated++;
    }
    return { records: sorted.take(), consumed: at, isInside: inside, truncated, rejected: new Map(excluded > 0 ? [["excluded", excluded]] : []) };
  };
}

function trimEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === NEWLINE || bytes[end - 1] === RETURN)) end--;
  return bytes.subarray(0, end);
}

/** Lines by format. As long as all are of one, and stand side by side, nothing is copied. */
class Sorted {
  readonly #pieces = new Map<LineFormat, Uint8Array[]>();
  readonly #events = new Map<LineFormat, number>();

  add(format: LineFormat, bytes: Uint8Array, start: number, end: number): void {
    let pieces = this.#pieces.get(format);
    if (!pieces) this.#pieces.set(format, (pieces = []));
    this.#events.set(format, (this.#events.get(format) ?? 0) + 1);
    const last = pieces.at(-1);
    if (last && last.buffer === bytes.buffer && isLineEnd(bytes, last.byteOffset - bytes.byteOffset + last.length, start)) pieces[pieces.length - 1] = bytes.subarray(last.byteOffset - bytes.byteOffset, end);
    else pieces.push(bytes.subarray(start, end));
  }

  take(): CutRecords[] {
    return [...this.#pieces].map(([format, pieces]) => ({ format, bytes: joined(pieces), events: this.#events.get(format)! }));
  }
}

/** Is there nothing but line ends, and at least one newline, in a short stretch? */
function isLineEnd(bytes: Uint8Array, from: number, to: number): boolean {
  if (to <= from || to - from > 8) return false;
  let newlines = 0;
  for (let at = from; at < to; at++) {
    if (bytes[at] === NEWLINE) newlines++;
    else if (bytes[at] !== RETURN) return false;
  }
  return newlines > 0;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length + 1, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
    bytes[at++] = NEWLINE;
  }
  return bytes;
}
