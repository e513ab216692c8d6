import { randomInt } from "node:crypto";
import { type AddressBytes, addressText, parseAddress, parseCidrBlock } from "../event/address.ts";
import { BLOCK_BYTES, ENTRY_WORDS, HEAD, type IntelData, type IntelKind, KIND_SHIFT, MAGIC, NEAR_BYTES, addressHash, keyHash, kinds, nameHash, textKey } from "../event/enrichment/intel-table.ts";
import { domainKey, hashBytes, keyHost, mapped4, urlKey } from "../event/enrichment/intel-key.ts";

/** Numbers of entries have to fit beside a kind. */
const ENTRY_CAP = 1 << 24;
const NO_KEY = new Uint8Array();

interface Block {
  readonly entry: number;
  readonly bytes: AddressBytes;
  readonly prefix: number;
}

/** Collects indicators and makes one table of them. */
export class IntelBuilder {
  readonly #seed = randomInt(2 ** 31);
  #entries = new Uint32Array(1024 * ENTRY_WORDS);
  #feeds = new Uint16Array(1024);
  #count = 0;
  #slots = new Uint32Array(2048);
  #pool = new Uint8Array(16 * 1024);
  #poolBytes = 0;
  #kinds = 0;
  readonly #details = new Map<string, number>();
  readonly #expiries: number[] = [];
  readonly #blocks: Record<"block4" | "block6", Block[]> = { block4: [], block6: [] };
  readonly #blockKeys = new Set<string>();
  /** Hashes that the bits of a filter are made of, once it is known how many there are. */
  readonly #names = new Hashes();

  get size(): number {
    return this.#count;
  }

  /**
   * Adds an indicator as feeds write it.
   *
   * @param kind what it is; told from the text when absent
   * @param detail JSON of an `IntelDetail`
   * @param expiresMs when it is one no more; undefined for never
   * @returns `repeated` when the feed has had it, `invalid` when the text is none of the kind.
   */
  add(feed: number, kind: IntelTextKind | undefined, text: string, detail: string, expiresMs: number | undefined): "added" | "repeated" | "invalid" {
    const trimmed = text.trim();
    switch (kind ?? kindOfText(trimmed)) {
      case "ip":
        return this.#address(feed, trimmed, detail, expiresMs);
      case "domain": {
        const key = domainKey(trimmed);
        if (key === undefined) return "invalid";
        this.#names.add(nameHash(this.#seed, key));
        return this.#keyed(feed, "domain", textKey(key), detail, expiresMs);
      }
      case "url": {
        const key = urlKey(trimmed);
        if (key === undefined) return "invalid";
        this.#names.add(nameHash(this.#seed, keyHost(key)));
        return this.#keyed(feed, "url", textKey(key), detail, expiresMs);
      }
      case "hash": {
        const bytes = hashBytes(trimmed);
        if (!bytes) return "invalid";
        this.#names.add(nameHash(this.#seed, trimmed.toLowerCase()));
        return this.#keyed(feed, "hash", bytes, detail, expiresMs);
      }
      case undefined:
        return "invalid";
    }
  }

  finish(version: string): IntelData {
    const words = this.#count * ENTRY_WORDS;
    const entries = this.#entries.slice(0, words);
    const four = this.#flat(entries, this.#blocks.block4, 4);
    const six = this.#flat(entries, this.#blocks.block6, 16);
    const texts = [...this.#details.keys()].map((key) => Buffer.from(key.slice(key.indexOf(" ") + 1)));
    const offsets = new Uint32Array(texts.length + 1);
    texts.forEach((text, i) => (offsets[i + 1] = offsets[i]! + text.length));
    const textBytes = offsets[texts.length]!;

    const head = new Uint32Array(HEAD.words);
    let top = HEAD.words * 4;
    const place = (bytes: number): number => {
      const at = top;
      top = (top + bytes + 3) & ~3;
      return at;
    };
    const first4 = four.owners.length ? 65537 * 4 : 0;
    const addresses = new Hashes();
    for (let at = 0; at < words; at += ENTRY_WORDS) if (entries[at + 2]! >>> KIND_SHIFT === 0) addresses.add(addressHash(this.#seed, entries[at]!));
    Object.entries({
      magic: MAGIC, entryCount: this.#count, entries: place(words * 4), slotMask: this.#slots.length - 1, slots: place(this.#slots.length * 4),
      pool: place(this.#poolBytes), poolBytes: this.#poolBytes, segments4: four.owners.length, starts4: place(four.starts.length * 4), owners4: place(four.owners.length * 4), first4: place(first4),
      segments6: six.owners.length, starts6: place(six.starts.length * 4), owners6: place(six.owners.length * 4),
      detailCount: texts.length, details: place(offsets.length * 4), expiries: place(texts.length * 4), texts: place(textBytes), textBytes, seed: this.#seed, kinds: this.#kinds,
      filter4: place(4 << addresses.filterBits), filter4Bits: addresses.filterBits, blocks4: place(four.owners.length ? BLOCK_BYTES : 0), near4: place(NEAR_BYTES), names: place(4 << this.#names.filterBits), namesBits: this.#names.filterBits,
    }).forEach(([name, value]) => (head[HEAD[name as keyof typeof HEAD]] = value));

    const bytes = new SharedArrayBuffer(top);
    const u32 = new Uint32Array(bytes);
    const u8 = new Uint8Array(bytes);
    u32.set(head);
    const at = (name: keyof typeof HEAD): number => head[HEAD[name]]! >>> 2;
    u32.set(entries, at("entries"));
    u32.set(this.#slots, at("slots"));
    u8.set(this.#pool.subarray(0, this.#poolBytes), head[HEAD.pool]);
    u32.set(four.starts, at("starts4"));
    u32.set(four.owners, at("owners4"));
    if (first4) u32.set(firstOfUpper(four.starts), at("first4"));
    u32.set(six.starts, at("starts6"));
    u32.set(six.owners, at("owners6"));
    u32.set(offsets, at("details"));
    u32.set(this.#expiries, at("expiries"));
    addresses.filter(u32, at("filter4"));
    const near4 = u8.subarray(head[HEAD.near4]!, head[HEAD.near4]! + NEAR_BYTES);
    for (let at = 0; at < words; at += ENTRY_WORDS) if (entries[at + 2]! >>> KIND_SHIFT === 0) near4[entries[at]! >>> 13]! |= 1 << ((entries[at]! >>> 10) & 7);
    markBlocks(four, near4, 10);
    if (four.owners.length) markBlocks(four, u8.subarray(head[HEAD.blocks4]!, head[HEAD.blocks4]! + BLOCK_BYTES), 8);
    this.#names.filter(u32, at("names"));
    texts.forEach((text, i) => u8.set(text, head[HEAD.texts]! + offsets[i]!));
    return { version, bytes };
  }

  #address(feed: number, text: string, detail: string, expiresMs: number | undefined): "added" | "repeated" | "invalid" {
    const block = text.includes("/") ? parseCidrBlock(text) : undefined;
    if (text.includes("/") && !block) return "invalid";
    const bytes = block ? block.bytes : parseAddress(text);
    if (!bytes) return "invalid";
    if (block && block.prefix < bytes.length * 8) return this.#block(feed, bytes, block.prefix, detail, expiresMs);
    const four = bytes.length === 4 ? bytes : mapped4(bytes);
    if (!four) return this.#keyed(feed, "ipv6", Uint8Array.from(bytes), detail, expiresMs);
    const address = ((four[0]! << 24) | (four[1]! << 16) | (four[2]! << 8) | four[3]!) >>> 0;
    return this.#place(feed, "ipv4", addressHash(this.#seed, address), address, NO_KEY, detail, expiresMs);
  }

  #block(feed: number, bytes: AddressBytes, prefix: number, detail: string, expiresMs: number | undefined): "added" | "repeated" {
    const kind = bytes.length === 4 ? "block4" : "block6";
    const key = `${feed} ${addressText(bytes)}/${prefix}`;
    if (this.#blockKeys.has(key)) return "repeated";
    this.#blockKeys.add(key);
    this.#blocks[kind].push({ entry: this.#entry(feed, kind, this.#keep(Uint8Array.of(prefix, ...bytes)), detail, expiresMs), bytes, prefix });
    return "added";
  }

  #keyed(feed: number, kind: "ipv6" | "domain" | "url" | "hash", key: Uint8Array, detail: string, expiresMs: number | undefined): "added" | "repeated" {
    return this.#place(feed, kind, keyHash(this.#seed + kinds.indexOf(kind), key, 0, key.length), undefined, key, detail, expiresMs);
  }

  #place(feed: number, kind: IntelKind, hash: number, address: number | undefined, key: Uint8Array, detail: string, expiresMs: number | undefined): "added" | "repeated" {
    const mask = this.#slots.length - 1;
    let i = hash & mask;
    for (;;) {
      const first = this.#slots[i]!;
      if (first === 0) break;
      const at = (first - 1) * ENTRY_WORDS;
      if (this.#entries[at + 2]! >>> KIND_SHIFT === kinds.indexOf(kind) && (address === undefined ? this.#isKey(this.#entries[at]!, key) : this.#entries[at] === address)) {
        return this.#join(first, feed, kind, detail, expiresMs);
      }
      i = (i + 1) & mask;
    }
    const entry = this.#entry(feed, kind, address ?? this.#keep(key), detail, expiresMs);
    this.#slots[i] = entry + 1;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    return "added";
  }

  /** Behind the last entry of its key, in the order of the feeds. */
  #join(first: number, feed: number, kind: IntelKind, detail: string, expiresMs: number | undefined): "added" | "repeated" {
    let last = first - 1;
    for (;;) {
      if (this.#feeds[last] === feed) return "repeated";
      const next = this.#entries[last * ENTRY_WORDS + 2]! & ((1 << KIND_SHIFT) - 1);
      if (next === 0) break;
      last = next - 1;
    }
    const entry = this.#entry(feed, kind, this.#entries[last * ENTRY_WORDS]!, detail, expiresMs);
    this.#entries[last * ENTRY_WORDS + 2]! += entry + 1;
    return "added";
  }

  #entry(feed: number, kind: IntelKind, key: number, detail: string, expiresMs: number | undefined): number {
    if (this.#count === ENTRY_CAP) throw new Error(`a table holds ${ENTRY_CAP} indicators at most`);
    if ((this.#count + 1) * ENTRY_WORDS > this.#entries.length) {
      this.#entries = grown(this.#entries);
      this.#feeds = grown(this.#feeds);
    }
    const entry = this.#count++;
    const at = entry * ENTRY_WORDS;
    this.#entries[at] = key;
    this.#entries[at + 1] = this.#detail(detail, expiresMs);
    this.#entries[at + 2] = kinds.indexOf(kind) << KIND_SHIFT;
    this.#feeds[entry] = feed;
    this.#kinds |= 1 << kinds.indexOf(kind);
    return entry;
  }

  #detail(detail: string, expiresMs: number | undefined): number {
    // 0 says never.
    const expiry = expiresMs === undefined ? 0 : Math.min(0xffffffff, Math.max(1, Math.floor(expiresMs / 1000)));
    const key = `${expiry} ${detail}`;
    let number = this.#details.get(key);
    if (number === undefined) {
      this.#details.set(key, (number = this.#details.size));
      this.#expiries.push(expiry);
    }
    return number;
  }

  #keep(key: Uint8Array): number {
    while (this.#poolBytes + key.length + 1 > this.#pool.length) this.#pool = grown(this.#pool);
    const at = this.#poolBytes;
    this.#pool[at] = key.length;
    this.#pool.set(key, at + 1);
    this.#poolBytes += key.length + 1;
    return at;
  }

  #isKey(place: number, key: Uint8Array): boolean {
    if (this.#pool[place] !== key.length) return false;
    for (let i = 0; i < key.length; i++) if (this.#pool[place + 1 + i] !== key[i]) return false;
    return true;
  }

  #rehash(): void {
    const before = this.#slots;
    this.#slots = new Uint32Array(before.length * 2);
    const mask = this.#slots.length - 1;
    for (const first of before) {
      if (first === 0) continue;
      const at = (first - 1) * ENTRY_WORDS;
      const kind = this.#entries[at + 2]! >>> KIND_SHIFT;
      const key = this.#entries[at]!;
      let i = (kind === 0 ? addressHash(this.#seed, key) : keyHash(this.#seed + kind, this.#pool, key + 1, this.#pool[key]!)) & mask;
      while (this.#slots[i]) i = (i + 1) & mask;
      this.#slots[i] = first;
    }
  }

  /**
   * Blocks laid flat: where each begins and ends, and which is the innermost from there on. Blocks lie within each other or apart, so a
   * block's next entry is the innermost around it.
   */
  #flat(entries: Uint32Array, blocks: readonly Block[], width: 4 | 16): { starts: number[]; owners: number[] } {
    const ordered = blocks.toSorted((a, b) => compareBytes(a.bytes, b.bytes) || a.prefix - b.prefix || b.entry - a.entry);
    const starts: number[] = [];
    const owners: number[] = [];
    const cut = (bytes: AddressBytes, owner: number): void => {
      const words = wordsOf(bytes);
      const words0 = width / 4;
      if (owners.length && words.every((word, i) => starts[starts.length - words0 + i] === word)) owners[owners.length - 1] = owner;
      else {
        starts.push(...words);
        owners.push(owner);
      }
    };
    const open: Array<{ readonly entry: number; readonly end: AddressBytes | undefined }> = [];
    const close = (until: AddressBytes | undefined): void => {
      while (open.length) {
        const { end } = open.at(-1)!;
        if (until && (!end || compareBytes(end, until) > 0)) return;
        open.pop();
        if (end) cut(end, open.length ? open.at(-1)!.entry + 1 : 0);
      }
    };
    for (const { entry, bytes, prefix } of ordered) {
      close(bytes);
      const around = open.at(-1);
      if (around) entries[entry * ENTRY_WORDS + 2]! += around.entry + 1;
      open.push({ entry, end: endOf(bytes, prefix) });
      cut(bytes, entry + 1);
    }
    close(undefined);
    return { starts, owners };
  }
}

/** Hashes, until it is known how many there are. */
class Hashes {
  #hashes = new Uint32Array(1024);
  #count = 0;

  add(hash: number): void {
    if (this.#count === this.#hashes.length) this.#hashes = grown(this.#hashes);
    this.#hashes[this.#count++] = hash;
  }

  /** Sixteen bits of the filter for each, so that one in fifty others passes. */
  get filterBits(): number {
    return Math.min(21, Math.max(5, Math.ceil(Math.log2(Math.max(1, this.#count / 2)))));
  }

  /** A word by the highest bits, two bits in it by the lowest ten. */
  filter(u32: Uint32Array, start: number): void {
    const shift = 32 - this.filterBits;
    for (let i = 0; i < this.#count; i++) {
      const hash = this.#hashes[i]!;
      u32[start + (hash >>> shift)]! |= (1 << (hash & 31)) | (1 << ((hash >>> 5) & 31));
    }
  }
}

/** A bit for all addresses but for their lowest bits, `less` of them, that a block touches. */
function markBlocks({ starts, owners }: { readonly starts: readonly number[]; readonly owners: readonly number[] }, bits: Uint8Array, less: number): void {
  owners.forEach((owner, i) => {
    if (owner === 0) return;
    const last = ((starts[i + 1] ?? 2 ** 32) - 1) >>> less;
    for (let upper = starts[i]! >>> less; upper <= last; upper++) bits[upper >>> 3]! |= 1 << (upper & 7);
  });
}

export type IntelTextKind = "ip" | "domain" | "url" | "hash";

/** What a line of a plain list is. */
export function kindOfText(text: string): IntelTextKind | undefined {
  if (parseAddress(text) || parseCidrBlock(text)) return "ip";
  if (hashBytes(text)) return "hash";
  if (text.includes("://") || text.includes("/")) return "url";
  return domainKey(text) === undefined ? undefined : "domain";
}

function wordsOf(bytes: AddressBytes): number[] {
  return Array.from({ length: bytes.length / 4 }, (_, i) => ((bytes[i * 4]! << 24) | (bytes[i * 4 + 1]! << 16) | (bytes[i * 4 + 2]! << 8) | bytes[i * 4 + 3]!) >>> 0);
}

function compareBytes(a: AddressBytes, b: AddressBytes): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/** The first address behind a block; undefined when there is none. */
function endOf(bytes: AddressBytes, prefix: number): AddressBytes | undefined {
  const end = [...bytes];
  if (prefix === 0) return undefined;
  let i = (prefix - 1) >> 3;
  end[i]! += 1 << (7 - ((prefix - 1) & 7));
  while (end[i]! > 255) {
    if (i === 0) return undefined;
    end[i]! -= 256;
    end[--i]! += 1;
  }
  return end;
}

/** For each upper half of an IPv4 address the first start that is not below it. */
function firstOfUpper(starts: readonly number[]): Uint32Array {
  const first = new Uint32Array(65537);
  let at = 0;
  for (let upper = 0; upper <= 65536; upper++) {
    while (at < starts.length && starts[at]! < upper * 65536) at++;
    first[upper] = at;
  }
  return first;
}

function grown<A extends Uint32Array | Uint16Array | Uint8Array>(array: A): A {
  const out = new (array.constructor as new (length: number) => A)(array.length * 2);
  out.set(array);
  return out;
}
