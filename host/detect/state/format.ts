import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import type { Json } from "../../event/event.ts";
import { type Problem, ProblemError } from "../../problem.ts";
import { FINGERPRINT_BYTES } from "./fingerprint.ts";

/**
 * State file: what detection knows after some event, so that another process goes on behind it. Numbers are little-endian, parts begin
 * at multiples of 8 bytes, what lies between them is zero.
 *
 *  Head, 40 bytes:
 *   offset type field
 *        0  u8[8] "VSPSTATE"
 *        8  u32   version        of this layout and of all the sections' bodies
 *       12  u32   infoBytes
 *       16  u32   sectionCount
 *       20  u32   infoCrc        CRC-32 of the info
 *       24  u64   fileBytes
 *       32  u32   0
 *       36  u32   headCrc        CRC-32 of bytes 0 to 35
 *  Info: JSON, what a person asks first (`StateInfo`), and the caller's own `position`.
 *  Sections, each a head of 48 bytes, the rule's id, the body:
 *        0  u32   kind           SECTION_*
 *        4  u32   ruleIdBytes    0: of no rule
 *        8  u32   items          groups, events or signals in it
 *       12  u32   isPacked       1: the body is packed (raw deflate), f64 its bytes unpacked before it
 *       16  u64   bodyBytes      as stored
 *       24  u8[16] fingerprint   of the rule as it was (`fingerprintOf`); zeros: of no rule
 *       40  u32   bodyCrc        CRC-32 of the body
 *       44  u32   headCrc        CRC-32 of bytes 0 to 43 and of the id
 *
 * Bodies: `engine`, `flow` and `heard` are JSON: clocks and streams; counters and inputs' profiles; signals that rules have read.
 * `recent` is documented in `recent.ts`, `ids` in `duplicates.ts`, `windows` in `window-state.ts`, `signals` in `signal/book-state.ts`; `method` and `content` are
 * what the detector's own `save` wrote, with a version of its own.
 */
export const STATE_VERSION = 1;

export const SECTION_ENGINE = 1;
export const SECTION_RECENT = 2;
export const SECTION_WINDOWS = 3;
export const SECTION_METHOD = 4;
export const SECTION_CONTENT = 5;
export const SECTION_SIGNALS = 6;
export const SECTION_FLOW = 7;
export const SECTION_HEARD = 8;
export const SECTION_IDS = 9;

const KIND_NAMES = ["", "engine", "recent", "windows", "method", "content", "signals", "flow", "heard", "ids"];

export function sectionName(kind: number): string {
  return KIND_NAMES[kind] ?? `kind ${kind}`;
}

/** What stands at the head of the file. */
export interface StateInfo {
  /** Events judged, and the highest event time of any stream, in ms. */
  readonly events: number;
  readonly watermarkMs?: number;
  /** Of each stream: highest event time in ms. */
  readonly streams: Readonly<Record<string, number>>;
  /** The caller's own: where to go on reading. */
  readonly position?: Json;
}

export interface StateSection {
  readonly kind: number;
  readonly items: number;
  /** As stored: `unpacked` gives what it says. */
  readonly body: Uint8Array;
  readonly isPacked?: boolean;
  /** Of the rule whose state it is. */
  readonly rule?: { readonly id: string; readonly fingerprint: Uint8Array };
}

/** Bodies that are mostly empty room are packed: young histories of contents take a sixteenth. */
export function packed(bytes: Uint8Array): Pick<StateSection, "body" | "isPacked"> {
  const length = Buffer.alloc(8);
  length.writeDoubleLE(bytes.length);
  return { body: Buffer.concat([length, deflateRawSync(bytes, { level: 1 })]), isPacked: true };
}

/** Throws `ProblemError` where a packed body is none. */
export function unpacked({ kind, body, isPacked }: StateSection): Uint8Array {
  if (!isPacked) return body;
  const stored = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const length = stored.length < 8 ? -1 : stored.readDoubleLE(0);
  if (!(length >= 0 && length <= BODY_CAP)) throw damaged(sectionName(kind));
  try {
    const bytes = inflateRawSync(stored.subarray(8), { maxOutputLength: Math.max(1, length) });
    if (bytes.length === length) return bytes;
  } catch {
    // It is no packed body.
  }
  throw damaged(sectionName(kind));
}

export interface StateFile {
  readonly version: number;
  readonly info: StateInfo;
  readonly sections: readonly StateSection[];
}

const MAGIC = Buffer.from("VSPSTATE", "latin1");
const HEAD_BYTES = 40;
const SECTION_BYTES = 48;
const INFO_CAP = 64 * 1024 * 1024;
const BODY_CAP = 2 ** 32;


function padding(length: number): Buffer {
  return Buffer.alloc((8 - (length & 7)) & 7);
}

export function writeState(info: StateInfo, sections: readonly StateSection[]): Uint8Array {
  const text = Buffer.from(JSON.stringify(info));
  const parts: Uint8Array[] = [text, padding(text.length)];
  for (const { kind, items, body, isPacked, rule } of sections) {
    const id = Buffer.from(rule?.id ?? "");
    const head = Buffer.alloc(SECTION_BYTES);
    head.writeUInt32LE(kind, 0);
    head.writeUInt32LE(id.length, 4);
    head.writeUInt32LE(items, 8);
    head.writeUInt32LE(isPacked ? 1 : 0, 12);
    head.writeBigUInt64LE(BigInt(body.length), 16);
    if (rule) head.set(rule.fingerprint, 24);
    head.writeUInt32LE(crc32(body), 40);
    head.writeUInt32LE(crc32(id, crc32(head.subarray(0, 44))), 44);
    parts.push(head, id, padding(id.length), body, padding(body.length));
  }
  const head = Buffer.alloc(HEAD_BYTES);
  head.set(MAGIC);
  head.writeUInt32LE(STATE_VERSION, 8);
  head.writeUInt32LE(text.length, 12);
  head.writeUInt32LE(sections.length, 16);
  head.writeUInt32LE(crc32(text), 20);
  head.writeBigUInt64LE(BigInt(parts.reduce((sum, part) => sum + part.length, HEAD_BYTES)), 24);
  head.writeUInt32LE(crc32(head.subarray(0, 36)), 36);
  return Buffer.concat([head, ...parts]);
}

/**
 * The file's parts, each sum checked; bodies are views of `bytes`.
 *
 * Throws `ProblemError` with `state/not-a-state`, `state/other-version`, `state/cut-short` or `state/damaged`.
 */
export function readState(bytes: Uint8Array): StateFile {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < 8 || !file.subarray(0, 8).equals(MAGIC)) throw refused("state/not-a-state", "the file is no saved state", "name the file or folder that `vespid run --checkpoint` wrote");
  if (file.length < HEAD_BYTES) throw cutShort();
  if (crc32(file.subarray(0, 36)) !== file.readUInt32LE(36)) throw damaged("head");
  const version = file.readUInt32LE(8);
  if (version !== STATE_VERSION) {
    throw refused("state/other-version", `the state has version ${version}, and this release reads ${STATE_VERSION}`, "go on with the release that wrote it, or move the file away to begin anew");
  }
  const fileBytes = file.readBigUInt64LE(24);
  if (fileBytes > BigInt(file.length)) throw cutShort();
  if (fileBytes < BigInt(file.length)) throw damaged("end");
  const reader = new PartReader(file, HEAD_BYTES);
  const infoBytes = file.readUInt32LE(12);
  if (infoBytes > INFO_CAP) throw damaged("info");
  const text = reader.take(infoBytes);
  if (crc32(text) !== file.readUInt32LE(20)) throw damaged("info");
  const sections: StateSection[] = [];
  for (let left = file.readUInt32LE(16); left > 0; left--) sections.push(readSection(reader, sections.length));
  if (!reader.isDone) throw damaged("end");
  return { version, info: infoOf(text), sections };
}

function readSection(reader: PartReader, number: number): StateSection {
  const name = `section ${number}`;
  const head = reader.take(SECTION_BYTES);
  const id = reader.take(head.readUInt32LE(4));
  if (crc32(id, crc32(head.subarray(0, 44))) !== head.readUInt32LE(44)) throw damaged(name);
  const length = head.readBigUInt64LE(16);
  if (length > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(name);
  const body = reader.take(Number(length));
  if (crc32(body) !== head.readUInt32LE(40)) throw damaged(name);
  const fingerprint = head.subarray(24, 24 + FINGERPRINT_BYTES);
  const isOfRule = fingerprint.some((byte) => byte !== 0);
  return { kind: head.readUInt32LE(0), items: head.readUInt32LE(8), body, ...(head.readUInt32LE(12) ? { isPacked: true } : {}), ...(isOfRule ? { rule: { id: id.toString("utf8"), fingerprint } } : {}) };
}

/** Parts one after the other, never beyond the end. */
class PartReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  get isDone(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    const next = this.#at + Math.ceil(length / 8) * 8;
    if (next > this.#bytes.length) throw cutShort();
    const part = this.#bytes.subarray(this.#at, end);
    for (let i = end; i < next; i++) if (this.#bytes[i] !== 0) throw damaged("padding");
    this.#at = next;
    return part;
  }
}

function infoOf(text: Buffer): StateInfo {
  try {
    return JSON.parse(text.toString("utf8")) as StateInfo;
  } catch {
    throw damaged("info");
  }
}

function refused(code: string, message: string, hint: string): ProblemError {
  const problem: Problem = { code, message, hint };
  return new ProblemError([problem]);
}

function cutShort(): ProblemError {
  return refused("state/cut-short", "the state file ends too early", BEGIN_ANEW);
}

/** @param where the part whose sum is wrong. */
export function damaged(where: string): ProblemError {
  return refused("state/damaged", `the state file is damaged (${where})`, BEGIN_ANEW);
}

const BEGIN_ANEW = "put an older copy in its place, or move it away to begin anew";
