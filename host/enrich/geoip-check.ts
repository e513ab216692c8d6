import { createRequire } from "node:module";
import type * as Mmdb from "mmdb-lib";
import type { Problem } from "../problem.ts";

/** What a database says of itself. */
export interface MmdbHead {
  /** Its kind, as its maker calls it. */
  readonly type: string;
  readonly builtMs: number;
  readonly ipVersion: 4 | 6;
  readonly nodeCount: number;
  readonly recordBits: 24 | 28 | 32;
}

const MARKER = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");
/** The head stands within the file's last bytes (MaxMind DB format 2.0). */
const HEAD_BYTES = 128 * 1024;
const SEPARATOR_BYTES = 16;
/** Of one record: how deep it is nested, how many values it comes to, and bytes of their texts. Those of cities have about 100 values. */
const MOST_DEPTH = 16;
const MOST_VALUES = 4096;
const MOST_TEXT_BYTES = 16 * 1024;

const TOO_DEEP = `values are nested over ${MOST_DEPTH} deep`;

/** Something that reading would stumble over, or that would not end. */
class Unsound extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/**
 * Goes through a whole MaxMind DB file, so that no lookup meets anything that cannot be read: every node leads to a node or to a record,
 * every record ends within the file, is of known types, and comes to an end however its pointers lead.
 */
export function checkMmdb(file: Buffer): { readonly head: MmdbHead } | { readonly problem: Problem } {
  const hint = "give the file as its maker offers it for download, whole and unpacked (.mmdb)";
  try {
    const marker = file.lastIndexOf(MARKER);
    if (marker < Math.max(0, file.length - HEAD_BYTES)) return { problem: { code: "geoip/not-mmdb", message: "this is no MaxMind DB file: it has no head", hint } };
    const start = marker + MARKER.length;
    const head = headOf(file, start);
    const treeBytes = (head.nodeCount * head.recordBits) / 4;
    const data = treeBytes + SEPARATOR_BYTES;
    if (data > marker) throw new Unsound(`the head speaks of ${head.nodeCount} nodes, and the file ends before`, start);
    if (file.subarray(treeBytes, data).some((byte) => byte !== 0)) throw new Unsound("the tree does not end where the head says", treeBytes);
    const values = new Values(file, data, marker);
    for (const offset of recordsOf(file, head, data, marker)) values.root(offset);
    return { head };
  } catch (error) {
    if (!(error instanceof Unsound)) throw error;
    return { problem: { code: "geoip/damaged", message: `the database is damaged: ${error.message}`, place: `byte ${error.at}`, hint } };
  }
}

/** Where records lie in the file, each once, in ascending order. */
function recordsOf(file: Buffer, { nodeCount, recordBits }: MmdbHead, data: number, end: number): number[] {
  const found = new Uint8Array((end - data + 7) >> 3);
  const nodeBytes = recordBits / 4;
  const take = (value: number, at: number): void => {
    if (value <= nodeCount) return;
    const offset = value - nodeCount - SEPARATOR_BYTES;
    if (offset < 0 || data + offset >= end) throw new Unsound("a node leads out of the file", at);
    found[offset >> 3]! |= 1 << (offset & 7);
  };
  for (let node = 0, at = 0; node < nodeCount; node++, at += nodeBytes) {
    if (recordBits === 24) {
      take(file.readUIntBE(at, 3), at);
      take(file.readUIntBE(at + 3, 3), at);
    } else if (recordBits === 28) {
      const middle = file[at + 3]!;
      take((middle >> 4) * 0x1000000 + file.readUIntBE(at, 3), at);
      take((middle & 15) * 0x1000000 + file.readUIntBE(at + 4, 3), at);
    } else {
      take(file.readUInt32BE(at), at);
      take(file.readUInt32BE(at + 4), at);
    }
  }
  const offsets: number[] = [];
  found.forEach((bits, i) => {
    for (let bit = 0; bits >> bit; bit++) if ((bits >> bit) & 1) offsets.push(data + i * 8 + bit);
  });
  return offsets;
}

const POINTER = 1;
const TEXT = 2;
const MAP = 7;
const ARRAY = 11;
/** Types by number, with the bytes they may have; undefined for those of any number. */
const sizes: ReadonlyMap<number, { readonly least: number; readonly most: number }> = new Map([
  [TEXT, { least: 0, most: MOST_TEXT_BYTES }], [3, { least: 8, most: 8 }], [4, { least: 0, most: MOST_TEXT_BYTES }], [5, { least: 0, most: 2 }], [6, { least: 0, most: 4 }],
  [8, { least: 0, most: 4 }], [9, { least: 0, most: 8 }], [10, { least: 0, most: 16 }], [14, { least: 0, most: 1 }], [15, { least: 4, most: 4 }],
]);
const BOOLEAN = 14;
const pointerBase = [0, 2048, 526_336, 0];
/** Of a value whose own values are being counted: to meet it again is to go in a circle. */
const OPEN: Weight = { values: -1, textBytes: 0, type: 0, height: 0 };

interface Weight {
  readonly values: number;
  readonly textBytes: number;
  readonly type: number;
  /** How deep its own values are nested. */
  readonly height: number;
}

/** The values of a section: how many each comes to when all pointers are followed. */
class Values {
  readonly #file: Buffer;
  readonly #start: number;
  readonly #end: number;
  readonly #known = new Map<number, Weight>();
  /** Behind the value that was weighed last. */
  #next = 0;

  constructor(file: Buffer, start: number, end: number) {
    this.#file = file;
    this.#start = start;
    this.#end = end;
  }

  /** A value that something leads to. */
  root(at: number, depth = 0): Weight {
    const known = this.#known.get(at);
    if (known === OPEN) throw new Unsound("a value holds itself", at);
    if (known) return known;
    this.#known.set(at, OPEN);
    const weight = this.#weigh(at, depth);
    this.#known.set(at, weight);
    return weight;
  }

  #weigh(at: number, depth: number): Weight {
    if (depth > MOST_DEPTH) throw new Unsound(TOO_DEEP, at);
    const control = this.#byte(at);
    let next = at + 1;
    if (control >> 5 === POINTER) return this.#pointed(control, next, depth);
    const type = control >> 5 || this.#byte(next++) + 7;
    const short = control & 31;
    let size = short;
    if (short > 28) {
      const bytes = short - 28;
      if (next + bytes > this.#end) throw new Unsound("a value goes on behind its section", at);
      size = [29, 285, 65_821][bytes - 1]! + this.#file.readUIntBE(next, bytes);
      next += bytes;
    }
    if (type === MAP || type === ARRAY) return this.#members(type, size, next, at, depth);
    const allowed = sizes.get(type);
    if (!allowed || size < allowed.least || size > allowed.most) throw new Unsound(`a value of type ${type} and ${size} bytes is none of the format`, at);
    this.#next = next + (type === BOOLEAN ? 0 : size);
    if (this.#next > this.#end) throw new Unsound("a value goes on behind its section", at);
    return { values: 1, textBytes: type === TEXT ? size : 0, type, height: 0 };
  }

  #pointed(control: number, next: number, depth: number): Weight {
    const size = (control >> 3) & 3;
    if (next + size + 1 > this.#end) throw new Unsound("a pointer goes on behind its section", next);
    const own = this.#file.readUIntBE(next, size + 1);
    const target = this.#start + pointerBase[size]! + (size === 3 ? own : (control & 7) * 2 ** (8 * (size + 1)) + own);
    if (target >= this.#end) throw new Unsound("a pointer leads out of its section", next - 1);
    if (this.#byte(target) >> 5 === POINTER) throw new Unsound("a pointer leads to a pointer", next - 1);
    const weight = this.root(target, depth + 1);
    this.#next = next + size + 1;
    return weight;
  }

  #members(type: number, size: number, start: number, at: number, depth: number): Weight {
    let values = 1;
    let textBytes = 0;
    let height = 0;
    this.#next = start;
    for (let i = 0; i < size; i++) {
      if (type === MAP) {
        const key = this.#weigh(this.#next, depth + 1);
        if (key.type !== TEXT) throw new Unsound("the name of a member is no text", at);
        textBytes += key.textBytes;
      }
      const weight = this.#weigh(this.#next, depth + 1);
      values += weight.values;
      textBytes += weight.textBytes;
      height = Math.max(height, weight.height + 1);
      if (height > MOST_DEPTH) throw new Unsound(TOO_DEEP, at);
      if (values > MOST_VALUES || textBytes > MOST_TEXT_BYTES) throw new Unsound(`a record comes to more than ${MOST_VALUES} values or ${MOST_TEXT_BYTES >> 10} KB`, at);
    }
    return { values, textBytes, type, height };
  }

  #byte(at: number): number {
    if (at < this.#start || at >= this.#end) throw new Unsound("a value goes on behind its section", at);
    return this.#file[at]!;
  }
}

/** What the head says, once it is known to be readable. */
function headOf(file: Buffer, start: number): MmdbHead {
  if (new Values(file, start, file.length).root(start).type !== MAP) throw new Unsound("the head is no map", start);
  const { Reader } = createRequire(import.meta.url)("mmdb-lib") as typeof Mmdb;
  let said: Mmdb.Reader<Mmdb.Response>["metadata"];
  try {
    said = new Reader(file).metadata;
  } catch (error) {
    throw new Unsound((error as Error).message, start);
  }
  const { databaseType, nodeCount, recordSize, ipVersion, binaryFormatMajorVersion } = said;
  const builtMs = said.buildEpoch.getTime();
  if (binaryFormatMajorVersion !== 2) throw new Unsound("it is not of version 2 of the format", start);
  if (recordSize !== 24 && recordSize !== 28 && recordSize !== 32) throw new Unsound("its records are not of 24, 28 or 32 bits", start);
  if (ipVersion !== 4 && ipVersion !== 6) throw new Unsound("it is neither of IPv4 nor of IPv6", start);
  if (!Number.isInteger(nodeCount) || nodeCount < 1) throw new Unsound("the head does not say how many nodes there are", start);
  if (!Number.isFinite(builtMs)) throw new Unsound("the head does not say when it was made", start);
  return { type: typeof databaseType === "string" ? databaseType : "", builtMs, ipVersion, nodeCount, recordBits: recordSize };
}
