import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";

/**
 * A segment file begins with two copies of the same 32 bytes, so that no single flipped bit costs a whole segment:
 *
 *  offset  type  field
 *       0  u8x4  "VJSG"
 *       4  u32   version
 *       8  u32   segment
 *      12  u32   crc       of the other 28 bytes
 *      16  u8x8  salt      random; see frame.ts
 *      24  u8x8  0
 */
export const SEGMENT_HEAD_BYTES = 64;
export const SALT_BYTES = 8;
const COPY_BYTES = 32;
const MAGIC = Buffer.from("VJSG");
const VERSION = 1;

const NAME = /^(\d{10})\.(journal|index|torn)(?:-\d+)?$/;

export function segmentPath(folder: string, segment: number, kind: "journal" | "index" | "torn" = "journal"): string {
  return join(folder, `${String(segment).padStart(10, "0")}.${kind}`);
}

/** Numbers of what lies in the folder, ascending. */
export interface FolderContent {
  readonly segments: readonly number[];
  readonly indexes: readonly number[];
  /** Names of the files with bytes set aside. */
  readonly torn: readonly string[];
  /** The highest number any file has; 0 when there is none. */
  readonly highest: number;
}

export function listFolder(folder: string): FolderContent {
  const names = readdirSync(folder).sort().flatMap((name) => {
    const match = NAME.exec(name);
    return match ? [{ name, number: Number(match[1]), kind: match[2]! }] : [];
  });
  const numbers = (kind: string): number[] => names.filter((each) => each.kind === kind).map((each) => each.number);
  return {
    segments: numbers("journal"),
    indexes: numbers("index"),
    torn: names.filter((each) => each.kind === "torn").map((each) => each.name),
    highest: names.reduce((highest, each) => Math.max(highest, each.number), 0),
  };
}

export function newSalt(): Buffer {
  return randomBytes(SALT_BYTES);
}

export function writeSegmentHead(segment: number, salt: Uint8Array): Buffer {
  const head = Buffer.alloc(SEGMENT_HEAD_BYTES);
  head.set(MAGIC, 0);
  head.writeUInt32LE(VERSION, 4);
  head.writeUInt32LE(segment, 8);
  head.set(salt, 16);
  head.writeUInt32LE(copyCrc(head), 12);
  head.copyWithin(COPY_BYTES, 0, COPY_BYTES);
  return head;
}

export type SegmentHead =
  | { readonly kind: "good"; readonly salt: Buffer; readonly damagedCopy: boolean }
  /** Written by a newer version: hands off. */
  | { readonly kind: "foreign"; readonly version: number }
  | { readonly kind: "bad" };

export function readSegmentHead(bytes: Buffer, segment: number): SegmentHead {
  const copies = [bytes.subarray(0, COPY_BYTES), bytes.subarray(COPY_BYTES, 2 * COPY_BYTES)].filter(
    (copy) => copy.length === COPY_BYTES && copy.subarray(0, 4).equals(MAGIC) && copy.readUInt32LE(12) === copyCrc(copy) && copy.readUInt32LE(8) === segment);
  const copy = copies[0];
  if (!copy) return { kind: "bad" };
  const version = copy.readUInt32LE(4);
  if (version !== VERSION) return { kind: "foreign", version };
  return { kind: "good", salt: Buffer.from(copy.subarray(16, 16 + SALT_BYTES)), damagedCopy: copies.length < 2 };
}

function copyCrc(copy: Buffer): number {
  return crc32(copy.subarray(16, COPY_BYTES), crc32(copy.subarray(0, 12)));
}
