import { fstatSync } from "node:fs";
import type { EventFormat } from "../event/event.ts";
import { sniff } from "../event/sniff.ts";
import { FRAME_BYTES, LineFraming, type Piece, READ_BYTES, RECORD_BYTES } from "./framing.ts";
import { type Arrangement, openContent } from "./input-content.ts";
import { type ByteSource, ChunkSource, FileSource } from "./input-source.ts";

/** What the caller said of its inputs; what it left out is found in the bytes or in the events. */
export interface InputSettings {
  readonly format: EventFormat | "auto";
  readonly source?: string;
  readonly service?: string;
  readonly host?: string;
  readonly tags?: readonly string[];
  /** Ids of the pipelines for inputs of a format, of the source that was found in the bytes; all when it gives none. */
  readonly pipelinesOf?: (format: EventFormat, source: string | undefined) => readonly string[] | undefined;
}

export interface InputOptions {
  readonly format: EventFormat;
  readonly source?: string;
  readonly service?: string;
  readonly host?: string;
  readonly tags?: readonly string[];
  readonly pipelines?: readonly string[];
  readonly arrivalMs: number;
}

/** Where an input's records go. Bytes are good until the promise resolves. */
export interface RecordSink {
  push(bytes: Uint8Array, options: InputOptions): Promise<void>;
  /** Part of a record over the limit; `ended` on its last part. */
  tooLarge(bytes: Uint8Array, ended: boolean): void;
  /** Bytes read from the file itself, packed or not. */
  progress?(bytes: number): void;
}

export interface InputContext {
  readonly settings: InputSettings;
  readonly arrange: () => Promise<Arrangement>;
  /** The clock, for inputs without a time of their own. */
  readonly nowMs: () => number;
  /** Asked between reads; true ends the input as if it had ended there. */
  readonly enough?: () => boolean;
  /** Ends a live input that may never end itself. */
  readonly signal?: AbortSignal;
  /** Where records may be read into, if not into memory of our own; asked for again after every push. */
  readonly room?: () => Promise<Uint8Array>;
  /** Bytes handed on at once; many inputs open together take less each. */
  readonly frameBytes?: number;
  /** Bytes of the content, unpacked, to pass over: told from how it begins. */
  readonly startAt?: (head: Uint8Array) => number;
}

/** Is it a stream that may go on for ever, rather than a file? */
export function isLive(path: string): boolean {
  return path === "-" && !fstatSync(0).isFile();
}

/** Whole lines of a live input are handed on when it has been quiet this long. */
const QUIET_MS = 20;

/**
 * Reads one input to its end: a file, plain or packed, or `-` for standard input.
 *
 * Throws when it cannot be read; what was read until then has been handed on.
 */
export async function readInput(path: string, sink: RecordSink, context: InputContext): Promise<void> {
  const { raw, arrivalMs } = openRaw(path, context);
  const counted: ByteSource = {
    read(into, waitMs) {
      const count = raw.read(into, waitMs);
      if (!sink.progress) return count;
      if (typeof count === "number") sink.progress(count);
      else if (count) void count.then((n) => n && sink.progress?.(n), () => {});
      return count;
    },
    close: () => raw.close(),
  };
  try {
    const live = isLive(path);
    const { source, head } = await openContent(counted, { arrange: context.arrange, live, chunkBytes: context.frameBytes });
    await passOver(source, context.startAt?.(head) ?? 0);
    // Records of a recorded input come in the same portions every time, however fast it is unpacked.
    await readRecords(source, sink, profileOf(context.settings, head, path), arrivalMs, context, live ? QUIET_MS : undefined);
  } finally {
    raw.close();
  }
}

async function passOver(source: ByteSource, bytes: number): Promise<void> {
  const buffer = bytes > 0 ? new Uint8Array(Math.min(bytes, FRAME_BYTES)) : new Uint8Array();
  for (let left = bytes; left > 0; ) {
    const count = (await source.read(buffer.subarray(0, Math.min(left, buffer.length)))) ?? 0;
    if (count === 0) return;
    left -= count;
  }
}

function profileOf({ format: asked, pipelinesOf, ...defaults }: InputSettings, head: Uint8Array, name: string): Omit<InputOptions, "arrivalMs"> {
  const guess = sniff(head, name);
  const format = asked === "auto" ? guess.format : asked;
  // A guess is good for the format it was made with.
  const guessed = format === guess.format ? guess.source : undefined;
  const source = defaults.source ?? guessed;
  const pipelines = pipelinesOf?.(format, guessed);
  return { ...defaults, format, ...(source === undefined ? {} : { source }), ...(pipelines ? { pipelines } : {}) };
}

function openRaw(path: string, context: InputContext): { raw: ByteSource; arrivalMs: () => number } {
  if (path !== "-") {
    const file = new FileSource(path);
    return { raw: file, arrivalMs: () => file.modifiedMs };
  }
  // `vespid run - < file` is a file like any other.
  if (fstatSync(0).isFile()) {
    const file = new FileSource(0);
    return { raw: file, arrivalMs: () => file.modifiedMs };
  }
  return { raw: new ChunkSource(process.stdin as AsyncIterable<Uint8Array>, context.signal), arrivalMs: context.nowMs };
}

async function readRecords(source: ByteSource, sink: RecordSink, profile: Omit<InputOptions, "arrivalMs">, arrivalMs: () => number, context: InputContext, quietMs: number | undefined): Promise<void> {
  const frameBytes = context.frameBytes ?? FRAME_BYTES;
  const rest = context.room && quietMs === undefined ? await readInPlace(source, sink, profile, arrivalMs, { ...context, room: context.room }) : new Uint8Array();
  if (!rest) return;
  const framing = new LineFraming({ recordBytes: RECORD_BYTES, frameBytes, readBytes: Math.min(READ_BYTES, frameBytes) });
  const hand = async (pieces: Iterable<Piece>): Promise<void> => {
    for (const piece of pieces) {
      if (piece.kind === "records") await sink.push(piece.bytes, { ...profile, arrivalMs: arrivalMs() });
      else sink.tooLarge(piece.bytes, piece.ended);
    }
  };
  framing.room().set(rest);
  framing.filled(rest.length);
  try {
    while (!context.enough?.() && !context.signal?.aborted) {
      const room = framing.room();
      const count = await source.read(room, framing.fresh > 0 ? quietMs : undefined);
      if (count === 0) break;
      if (count !== undefined) framing.filled(count);
      if (count === undefined || framing.full) await hand(framing.take());
    }
  } finally {
    // Also after a fault: the lines before it were read.
    await hand(framing.end());
  }
}

const NEWLINE = 10;

/**
 * Reads records into the memory they are judged in; only the unfinished last line is ever copied.
 *
 * Answers what it has read of a line that fills a room and has no end there: whoever can tell too large records must go on with
 * it. Undefined at the end of the input.
 */
async function readInPlace(source: ByteSource, sink: RecordSink, profile: Omit<InputOptions, "arrivalMs">, arrivalMs: () => number, context: InputContext & { readonly room: () => Promise<Uint8Array> }): Promise<Uint8Array | undefined> {
  let line: Uint8Array = new Uint8Array();
  for (let ended = false; !ended; ) {
    const room = await context.room();
    room.set(line);
    let filled = line.length;
    let fault: unknown;
    try {
      while (filled < room.length && !ended) {
        const count = context.enough?.() || context.signal?.aborted ? 0 : ((await source.read(room.subarray(filled))) ?? 0);
        filled += count;
        ended = count === 0;
      }
    } catch (error) {
      // The lines before it were read.
      fault = error;
      ended = true;
    }
    const end = ended ? filled : room.lastIndexOf(NEWLINE, filled - 1) + 1;
    if (end === 0 && !ended) return room.slice(0, filled);
    line = room.slice(end, filled);
    await sink.push(room.subarray(0, end), { ...profile, arrivalMs: arrivalMs() });
    if (fault !== undefined) throw fault;
  }
  return undefined;
}
