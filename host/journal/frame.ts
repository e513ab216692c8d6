import { promisify } from "node:util";
import { constants, crc32, zstdCompressSync, zstdDecompress, zstdDecompressSync, type ZstdOptions } from "node:zlib";
import { copyBytes } from "../engine/copy-bytes.ts";
import { pageMemory } from "../engine/page-memory.ts";
import type { InputProfile } from "../engine/task.ts";
import { Compressor, LEVEL } from "./compressor.ts";
import type { JournalEntry, StoredEntry } from "./contract.ts";
import { BLOCK_BYTES } from "./disk.ts";

/**
 * A frame: what one sync put on the disk. Little endian.
 *
 *  offset  type  field
 *       0  u8x4  "VJF1"
 *       4  u8x8  salt          of the segment: what a log says can never pass for a frame, as its sender does not know it
 *      12  u32   headCrc       of the other 60 bytes
 *      16  u32   segment
 *      20  u32   firstEntry    entries before it in the segment
 *      24  u32   entries
 *      28  u32   storedBytes   of the payload, which follows
 *      32  u32   rawBytes      of the payload when unpacked
 *      36  u32   payloadCrc    of the stored bytes
 *      40  f64   firstArrivalMs
 *      48  f64   lastArrivalMs
 *      56  u32   codec         0 as it is, 1 zstd
 *      60  u32   0
 *
 * The payload: u32 length of a JSON text {profiles, partitions, marks: [entry, text][]}, that text, 20 bytes an entry (u32 profile, u32 partition,
 * f64 arrivalMs, u32 bytes), and then the entries' bytes one after another.
 */
export const FRAME_HEAD_BYTES = 64;
const MAGIC = Buffer.from("VJF1");
const ENTRY_BYTES = 20;

/** More than this is not written, and a head that says so is not believed. */
export const MAX_PAYLOAD_BYTES = 512 * 1024 * 1024;

/** Below this the compressor's call costs more than the bytes it saves. */
const COMPRESS_FROM = 512;
/** Below this it is done by the time another thread would have begun. */
const OWN_THREAD_FROM = 64 * 1024;
/** A packer keeps a buffer up to this size from one frame to the next: fresh memory costs as much as filling it. */
const KEPT_BYTES = 8 * 1024 * 1024;

/** What comes out of the compressor comes in one piece, mostly, and no piece is smaller. */
const LEAST_CHUNK_BYTES = 4096;

/** With the length known beforehand, small inputs get small tables. */
type PackOptions = ZstdOptions & { readonly pledgedSrcSize: number };

const decompressAside = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(zstdDecompress);

export interface FrameHead {
  readonly segment: number;
  readonly firstEntry: number;
  readonly entries: number;
  readonly storedBytes: number;
  readonly rawBytes: number;
  readonly payloadCrc: number;
  readonly firstArrivalMs: number;
  readonly lastArrivalMs: number;
  readonly compressed: boolean;
}

/** Entries packed, wherever they will be written. */
export interface Payload {
  readonly entries: readonly JournalEntry[];
  /** Room for the head, and the stored bytes. The packer's own: good until it packs again. */
  readonly frame: Buffer;
  readonly rawBytes: number;
  readonly compressed: boolean;
}

/** @returns what a frame of this segment begins with. */
export function frameMark(salt: Uint8Array): Buffer {
  return Buffer.concat([MAGIC, salt]);
}

/** Bytes an entry takes beside its own in the payload, at most: its place in the table, and its profile when no other has it. */
export function overheadBytes(entry: JournalEntry): number {
  return ENTRY_BYTES + 2 * entry.partition.length + 4 * (entry.mark?.length ?? 0) + 256;
}

export class Packer {
  readonly #compress: boolean;
  readonly #compressor = new Compressor();
  readonly #small = Buffer.allocUnsafeSlow(OWN_THREAD_FROM);
  #kept: Buffer | undefined;

  constructor(compress: boolean) {
    this.#compress = compress;
  }

  /**
   * One at a time: the frame it answers with is written over by the next.
   *
   * @param at where in its file the frame will begin: it is made to lie alike in memory
   */
  async pack(entries: readonly JournalEntry[], at = 0): Promise<Payload> {
    const frame = this.#layOut(entries, at % BLOCK_BYTES);
    const raw = frame.subarray(FRAME_HEAD_BYTES);
    if (this.#compress && raw.length >= COMPRESS_FROM) {
      const parts = raw.length < OWN_THREAD_FROM ? [compressNow(raw)] : await this.#compressor.compress(raw);
      const storedBytes = parts.reduce((sum, part) => sum + part.length, 0);
      if (storedBytes < raw.length) {
        parts.reduce((at, part) => at + part.copy(frame, at), FRAME_HEAD_BYTES);
        return { entries, frame: frame.subarray(0, FRAME_HEAD_BYTES + storedBytes), rawBytes: raw.length, compressed: true };
      }
    }
    return { entries, frame, rawBytes: raw.length, compressed: false };
  }

  #room(bytes: number, place: number): Buffer {
    if (bytes <= this.#small.length) return this.#small.subarray(0, bytes);
    if (bytes > KEPT_BYTES) return Buffer.allocUnsafeSlow(bytes);
    this.#kept ??= pageMemory(KEPT_BYTES + BLOCK_BYTES);
    return this.#kept.subarray(place, place + bytes);
  }

  #layOut(entries: readonly JournalEntry[], place: number): Buffer {
    const profiles = new Numbering<InputProfile>((profile) => JSON.stringify(profile));
    const partitions = new Numbering<string>((partition) => JSON.stringify(partition));
    const places = entries.map((entry) => [profiles.of(entry.profile), partitions.of(entry.partition)] as const);
    const marks = entries.flatMap(({ mark }, i) => (mark === undefined ? [] : [[i, mark]]));
    const head = Buffer.from(`{"profiles":[${profiles.texts.join(",")}],"partitions":[${partitions.texts.join(",")}],"marks":${JSON.stringify(marks)}}`);
    const frame = this.#room(FRAME_HEAD_BYTES + 4 + head.length + entries.reduce((sum, entry) => sum + ENTRY_BYTES + entry.bytes.length, 0), place);
    let at = FRAME_HEAD_BYTES;
    frame.writeUInt32LE(head.length, at);
    frame.set(head, at + 4);
    at += 4 + head.length;
    let bytesAt = at + entries.length * ENTRY_BYTES;
    entries.forEach((entry, i) => {
      frame.writeUInt32LE(places[i]![0], at);
      frame.writeUInt32LE(places[i]![1], at + 4);
      frame.writeDoubleLE(entry.arrivalMs, at + 8);
      frame.writeUInt32LE(entry.bytes.length, at + 16);
      copyBytes(entry.bytes, frame, bytesAt);
      at += ENTRY_BYTES;
      bytesAt += entry.bytes.length;
    });
    return frame;
  }
}

function compressNow(raw: Uint8Array): Buffer {
  const options: PackOptions = { params: { [constants.ZSTD_c_compressionLevel]: LEVEL }, pledgedSrcSize: raw.length, chunkSize: Math.max(LEAST_CHUNK_BYTES, raw.length >> 2) };
  return zstdCompressSync(raw, options);
}

/** Equal values once. Most are the same object, so that their text is rarely made. */
class Numbering<T> {
  readonly texts: string[] = [];
  readonly #known = new Map<T, number>();
  readonly #byText = new Map<string, number>();
  readonly #textOf: (value: T) => string;

  constructor(textOf: (value: T) => string) {
    this.#textOf = textOf;
  }

  of(value: T): number {
    let number = this.#known.get(value);
    if (number !== undefined) return number;
    const text = this.#textOf(value);
    number = this.#byText.get(text);
    if (number === undefined) {
      number = this.texts.push(text) - 1;
      this.#byText.set(text, number);
    }
    this.#known.set(value, number);
    return number;
  }
}

/** Writes the head in front of the payload. @returns the whole frame. */
export function finishFrame(payload: Payload, segment: number, salt: Uint8Array, firstEntry: number): Buffer {
  const { frame, entries, rawBytes, compressed } = payload;
  let first = Infinity;
  let last = -Infinity;
  for (const { arrivalMs } of entries) {
    first = Math.min(first, arrivalMs);
    last = Math.max(last, arrivalMs);
  }
  const stored = frame.subarray(FRAME_HEAD_BYTES);
  frame.set(MAGIC, 0);
  frame.set(salt, 4);
  frame.writeUInt32LE(segment, 16);
  frame.writeUInt32LE(firstEntry, 20);
  frame.writeUInt32LE(entries.length, 24);
  frame.writeUInt32LE(stored.length, 28);
  frame.writeUInt32LE(rawBytes, 32);
  frame.writeUInt32LE(crc32(stored), 36);
  frame.writeDoubleLE(first, 40);
  frame.writeDoubleLE(last, 48);
  frame.writeUInt32LE(compressed ? 1 : 0, 56);
  frame.writeUInt32LE(0, 60);
  frame.writeUInt32LE(headCrc(frame), 12);
  return frame;
}

function headCrc(head: Uint8Array): number {
  return crc32(head.subarray(16, FRAME_HEAD_BYTES), crc32(head.subarray(0, 12)));
}

/** Undefined when these bytes are no head of that segment, or a damaged one. */
export function readHead(bytes: Buffer, mark: Uint8Array, segment: number): FrameHead | undefined {
  if (bytes.length < FRAME_HEAD_BYTES || bytes.compare(mark, 0, 12, 0, 12) !== 0 || bytes.readUInt32LE(12) !== headCrc(bytes)) return undefined;
  const codec = bytes.readUInt32LE(56);
  const head: FrameHead = {
    segment: bytes.readUInt32LE(16),
    firstEntry: bytes.readUInt32LE(20),
    entries: bytes.readUInt32LE(24),
    storedBytes: bytes.readUInt32LE(28),
    rawBytes: bytes.readUInt32LE(32),
    payloadCrc: bytes.readUInt32LE(36),
    firstArrivalMs: bytes.readDoubleLE(40),
    lastArrivalMs: bytes.readDoubleLE(48),
    compressed: codec === 1,
  };
  const plausible = head.segment === segment && codec <= 1 && head.rawBytes <= MAX_PAYLOAD_BYTES && head.storedBytes <= MAX_PAYLOAD_BYTES;
  return plausible ? head : undefined;
}

export function payloadIsWhole(head: FrameHead, stored: Uint8Array): boolean {
  return stored.length === head.storedBytes && crc32(stored) === head.payloadCrc;
}

/** Throws when the payload, whose checksum was right, is not laid out as it should be. */
export async function unpackEntries(head: FrameHead, stored: Buffer): Promise<StoredEntry[]> {
  return entriesOf(head, await unpack(head, stored));
}

/** Entries of an unpacked frame: parts of its bytes. */
export function entriesOf(head: FrameHead, raw: Buffer): StoredEntry[] {
  const { profiles, partitions, marks = [] } = JSON.parse(raw.toString("utf8", 4, 4 + raw.readUInt32LE(0))) as PayloadHead;
  const markOf = new Map(marks);
  const out: StoredEntry[] = [];
  let at = 4 + raw.readUInt32LE(0);
  let bytesAt = at + head.entries * ENTRY_BYTES;
  for (let i = 0; i < head.entries; i++, at += ENTRY_BYTES) {
    const bytes = raw.subarray(bytesAt, (bytesAt += raw.readUInt32LE(at + 16)));
    const profile = profiles[raw.readUInt32LE(at)];
    const partition = partitions[raw.readUInt32LE(at + 4)];
    if (profile === undefined || partition === undefined || bytesAt > raw.length) throw new RangeError("an entry lies outside its frame");
    out.push({ position: { segment: head.segment, entry: head.firstEntry + i }, profile, partition, arrivalMs: raw.readDoubleLE(at + 8), bytes, ...(markOf.has(i) ? { mark: markOf.get(i)! } : {}) });
  }
  return out;
}

interface PayloadHead {
  readonly profiles: readonly InputProfile[];
  readonly partitions: readonly string[];
  readonly marks?: ReadonlyArray<readonly [entry: number, mark: string]>;
}

async function unpack(head: FrameHead, stored: Buffer): Promise<Buffer> {
  if (!head.compressed) return stored;
  // In one piece, with a byte to spare that tells it was the last: pieces joined afterwards cost more than unpacking them.
  const options = { maxOutputLength: head.rawBytes, chunkSize: Math.max(64, head.rawBytes + 1) };
  const raw = head.rawBytes < OWN_THREAD_FROM ? zstdDecompressSync(stored, options) : await decompressAside(stored, options);
  if (raw.length !== head.rawBytes) throw new RangeError("a frame unpacks to another length than its head says");
  return raw;
}
