import { createHash } from "node:crypto";
import type { Json } from "../event.ts";

/**
 * Indicators in flat memory that every thread reads and none changes.
 *
 * u32 fields of the head, then the areas they lead to (byte offsets):
 *
 *     slots     u32[slotMask + 1]    number of the first entry of a key, plus one; open addressing
 *     entries   u32[3] each          key (an IPv4 address, or where the pool holds it); detail; kind << 29 | next entry of the key, plus one
 *     pool      u8 length, bytes     keys that are longer than four bytes
 *     starts4   u32[]                where blocks begin or end, ascending; owners4: the innermost block from there on, plus one
 *     first4    u32[65537]           first of starts4 at or above the upper sixteen bits
 *     starts6   u32[4] each          the same of IPv6; owners6
 *     filter4   u32[2^filter4Bits]   IPv4 addresses, two bits of a word each: what most others are passed over by
 *     blocks4   bit[2^24]            upper 24 bits of addresses that a block touches
 *     near4     bit[2^22]            upper 22 bits of addresses, listed or touched by a block
 *     names     u32[2^namesBits]     the same of domains, of the hosts of URLs, and of hashes
 *     details   u32[count + 1]       where in `texts` the JSON of each begins; expiries: seconds since 1970, 0 = never
 *
 * The next entry of a block is another of the same block, or one of the block around it: all that hold an address are one chain.
 */
export const HEAD = {
  magic: 0, entryCount: 1, entries: 2, slotMask: 3, slots: 4, pool: 5, poolBytes: 6, segments4: 7, starts4: 8, owners4: 9, first4: 10,
  segments6: 11, starts6: 12, owners6: 13, detailCount: 14, details: 15, expiries: 16, texts: 17, textBytes: 18, seed: 19, kinds: 20,
  filter4: 21, filter4Bits: 22, blocks4: 23, names: 24, namesBits: 25, near4: 26, words: 32,
} as const;
export const MAGIC = 0x31495456;
export const ENTRY_WORDS = 3;
export const KIND_SHIFT = 29;
export const NEXT_MASK = (1 << KIND_SHIFT) - 1;
/** Texts of more bytes are keys by their SHA-256. */
export const LITERAL_CAP = 31;

export const kinds = ["ipv4", "ipv6", "domain", "url", "hash", "block4", "block6"] as const;
export type IntelKind = (typeof kinds)[number];

/** What a result says beside the indicator itself, in the words of the attribute. */
export interface IntelDetail {
  readonly category?: string;
  readonly intention?: string;
  readonly subcategory?: string;
  readonly source: { readonly name: string; readonly url?: string };
  readonly additional_data?: Json;
}

/** A table as it goes from thread to thread: its bytes are shared, not copied. */
export interface IntelData {
  /** Another for each content. */
  readonly version: string;
  readonly bytes: SharedArrayBuffer;
}

/** 32 bits of a key; `seed` keeps a feed from filling one place of the table. */
export function keyHash(seed: number, bytes: Uint8Array, start: number, length: number): number {
  let h = seed ^ Math.imul(length, 0x9e3779b1);
  for (let i = 0; i < length; i++) h = Math.imul(h ^ bytes[start + i]!, 0x01000193) ^ (h >>> 15);
  return mixed(h);
}

export function addressHash(seed: number, address: number): number {
  return mixed(Math.imul(seed ^ address, 0x9e3779b1));
}

const LISTED_FACTOR = 0x01000193;

/** Hash of a text in lower case for the filter of names: from its end, so that a domain's is on the way to those within it. The kernels do the same. */
export function nameHash(seed: number, name: string): number {
  const bytes = Buffer.from(name);
  let h = seed;
  for (let i = bytes.length - 1; i >= 0; i--) h = Math.imul(h ^ bytes[i]!, LISTED_FACTOR);
  return mixed(h);
}

function mixed(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Bytes a text is found by. */
export function textKey(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  return bytes.length <= LITERAL_CAP ? bytes : createHash("sha256").update(bytes).digest();
}

/** Areas of the table that kernels pass over most values by. */
export interface IntelFilters {
  readonly seed: number;
  readonly filter4Bits: number;
  readonly namesBits: number;
  readonly filter4: Uint8Array;
  /** Empty where no block is listed. */
  readonly blocks4: Uint8Array;
  readonly near4: Uint8Array;
  readonly names: Uint8Array;
}

const NONE = 0;
/** Bytes of a bit for each upper 24 bits of an IPv4 address. */
export const BLOCK_BYTES = 2 ** 24 / 8;
/** Of a bit for each upper 22 bits. */
export const NEAR_BYTES = 2 ** 22 / 8;

/** Looks indicators up. Answers are chains of entries: 0 for none, else the first entry's number plus one. */
export class IntelTable {
  readonly data: IntelData;
  readonly size: number;
  readonly #head: Uint32Array;
  readonly #u32: Uint32Array;
  readonly #u8: Uint8Array;
  readonly #slots: number;
  readonly #mask: number;
  readonly #entries: number;
  readonly #pool: number;
  readonly #seed: number;
  readonly #kinds: number;
  readonly #details = new Map<number, IntelDetail>();

  constructor(data: IntelData) {
    this.data = data;
    this.#u32 = new Uint32Array(data.bytes);
    this.#u8 = new Uint8Array(data.bytes);
    this.#head = this.#u32.subarray(0, HEAD.words);
    if (this.#head[HEAD.magic] !== MAGIC) throw new Error("these bytes are no table of indicators");
    this.size = this.#head[HEAD.entryCount]!;
    this.#slots = this.#head[HEAD.slots]! >>> 2;
    this.#mask = this.#head[HEAD.slotMask]!;
    this.#entries = this.#head[HEAD.entries]! >>> 2;
    this.#pool = this.#head[HEAD.pool]!;
    this.#seed = this.#head[HEAD.seed]!;
    this.#kinds = this.#head[HEAD.kinds]!;
  }

  /** Has it indicators of the kind at all? */
  has(kind: IntelKind): boolean {
    return (this.#kinds & (1 << kinds.indexOf(kind))) !== 0;
  }

  get filters(): IntelFilters {
    const part = (name: "filter4" | "blocks4" | "near4" | "names", bytes: number): Uint8Array => this.#u8.subarray(this.#head[HEAD[name]]!, this.#head[HEAD[name]]! + bytes);
    const [filter4Bits, namesBits] = [this.#head[HEAD.filter4Bits]!, this.#head[HEAD.namesBits]!];
    return { seed: this.#seed, filter4Bits, namesBits, filter4: part("filter4", 4 << filter4Bits), blocks4: part("blocks4", this.has("block4") ? BLOCK_BYTES : 0), near4: part("near4", NEAR_BYTES), names: part("names", 4 << namesBits) };
  }

  /** An IPv4 address itself, network order as a number. */
  address4(address: number): number {
    let i = addressHash(this.#seed, address) & this.#mask;
    for (;;) {
      const first = this.#u32[this.#slots + i]!;
      if (first === 0) return NONE;
      const at = this.#entries + (first - 1) * ENTRY_WORDS;
      if (this.#u32[at + 2]! >>> KIND_SHIFT === 0 && this.#u32[at] === address >>> 0) return first;
      i = (i + 1) & this.#mask;
    }
  }

  /** The innermost block that holds an IPv4 address. */
  block4(address: number): number {
    const count = this.#head[HEAD.segments4]!;
    if (count === 0) return NONE;
    const starts = this.#head[HEAD.starts4]! >>> 2;
    const first = this.#head[HEAD.first4]! >>> 2;
    const upper = address >>> 16;
    // The last start that is not above the address.
    let low = this.#u32[first + upper]!;
    let high = this.#u32[first + upper + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#u32[starts + middle]! <= address >>> 0) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? NONE : this.#u32[(this.#head[HEAD.owners4]! >>> 2) + low - 1]!;
  }

  /** The innermost block that holds an IPv6 address of sixteen bytes. */
  block6(bytes: Uint8Array): number {
    const starts = this.#head[HEAD.starts6]! >>> 2;
    const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
    let low = 0;
    let high = this.#head[HEAD.segments6]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      let order = 0;
      for (let word = 0; word < 4 && order === 0; word++) order = this.#u32[starts + middle * 4 + word]! - view.getUint32(word * 4);
      if (order <= 0) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? NONE : this.#u32[(this.#head[HEAD.owners6]! >>> 2) + low - 1]!;
  }

  /** Keys other than IPv4 addresses. */
  find(kind: "ipv6" | "domain" | "url" | "hash", key: Uint8Array): number {
    const wanted = kinds.indexOf(kind);
    let i = keyHash(this.#seed + wanted, key, 0, key.length) & this.#mask;
    for (;;) {
      const first = this.#u32[this.#slots + i]!;
      if (first === 0) return NONE;
      const at = this.#entries + (first - 1) * ENTRY_WORDS;
      if (this.#u32[at + 2]! >>> KIND_SHIFT === wanted && this.#isKey(this.#pool + this.#u32[at]!, key)) return first;
      i = (i + 1) & this.#mask;
    }
  }

  text(kind: "domain" | "url", text: string): number {
    return this.find(kind, textKey(text));
  }

  /** Numbers of a chain's entries that have not expired at a time. */
  chain(first: number, timeMs: number, into: number[]): void {
    for (let next = first; next !== NONE; next = this.#u32[this.#entries + (next - 1) * ENTRY_WORDS + 2]! & NEXT_MASK) {
      const expiry = this.#u32[(this.#head[HEAD.expiries]! >>> 2) + this.#detailNumber(next - 1)]!;
      if (expiry === 0 || !(timeMs >= expiry * 1000)) into.push(next - 1);
    }
  }

  /** The span of time around one in which the same entries of chains count. */
  span(firsts: readonly number[], timeMs: number): { readonly fromMs: number; readonly untilMs: number } {
    let fromMs = Number.NEGATIVE_INFINITY;
    let untilMs = Number.POSITIVE_INFINITY;
    for (const first of firsts) {
      for (let next = first; next !== NONE; next = this.#u32[this.#entries + (next - 1) * ENTRY_WORDS + 2]! & NEXT_MASK) {
        const expiryMs = this.#u32[(this.#head[HEAD.expiries]! >>> 2) + this.#detailNumber(next - 1)]! * 1000;
        if (expiryMs === 0) continue;
        if (expiryMs <= timeMs) fromMs = Math.max(fromMs, expiryMs);
        else untilMs = Math.min(untilMs, expiryMs);
      }
    }
    return { fromMs, untilMs };
  }

  kindOf(entry: number): IntelKind {
    return kinds[this.#u32[this.#entries + entry * ENTRY_WORDS + 2]! >>> KIND_SHIFT]!;
  }

  detail(entry: number): IntelDetail {
    const number = this.#detailNumber(entry);
    let detail = this.#details.get(number);
    if (!detail) {
      const offsets = this.#head[HEAD.details]! >>> 2;
      const texts = this.#head[HEAD.texts]!;
      detail = JSON.parse(Buffer.from(this.data.bytes, texts + this.#u32[offsets + number]!, this.#u32[offsets + number + 1]! - this.#u32[offsets + number]!).toString("utf8")) as IntelDetail;
      if (this.#details.size >= DETAILS_KEPT) this.#details.clear();
      this.#details.set(number, detail);
    }
    return detail;
  }

  #detailNumber(entry: number): number {
    return this.#u32[this.#entries + entry * ENTRY_WORDS + 1]!;
  }

  #isKey(place: number, key: Uint8Array): boolean {
    if (this.#u8[place] !== key.length) return false;
    for (let i = 0; i < key.length; i++) if (this.#u8[place + 1 + i] !== key[i]) return false;
    return true;
  }
}

const DETAILS_KEPT = 4096;
const tables = new WeakMap<SharedArrayBuffer, IntelTable>();

/** The table over shared bytes; one for each thread. */
export function intelTable(data: IntelData): IntelTable {
  let table = tables.get(data.bytes);
  if (!table) tables.set(data.bytes, (table = new IntelTable(data)));
  return table;
}
