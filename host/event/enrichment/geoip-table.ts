import { createRequire } from "node:module";
import type * as Mmdb from "mmdb-lib";
import { type AddressBytes, addressText, inBlock, parseAddress, parseCidrBlock } from "../address.ts";
import { type GeoipRecord, recordOf } from "./geoip-record.ts";
import { mapped4 } from "./intel-key.ts";

/** A database file as it goes from thread to thread: its bytes are shared, not copied. They were found sound before. */
export interface GeoipFile {
  readonly name: string;
  /** What its maker calls it, such as `GeoLite2-City`. */
  readonly type: string;
  /** When its maker made it. */
  readonly builtMs: number;
  readonly bytes: SharedArrayBuffer;
}

/** All databases. Of the place the first that knows one counts, of the network each says what those before did not. */
export interface GeoipData {
  /** Another for each content. */
  readonly version: string;
  readonly files: readonly GeoipFile[];
}

/** Ranges that nobody owns: private, loopback, shared, link-local, for documentation, for tests, reserved. */
const nowhere = [
  "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15",
  "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "::/127", "100::/64", "2001:db8::/32", "3fff::/20", "fc00::/7", "fe80::/10", "ff00::/8",
].map((text) => parseCidrBlock(text)!);

/** Addresses whose answer is remembered, in each thread. */
const KEPT = 65_536;

type Reader = Mmdb.Reader<Mmdb.Response>;

/** Looks addresses up. */
export class GeoipTable {
  readonly data: GeoipData;
  readonly #readers: readonly Reader[];
  /** What was made of databases' records, by what they gave. */
  readonly #records = new WeakMap<object, GeoipRecord>();
  readonly #joined = new Map<GeoipRecord, Map<GeoipRecord, GeoipRecord>>();
  readonly #answers4 = new Recent<number, GeoipRecord | undefined>(KEPT);
  readonly #answers6 = new Recent<string, GeoipRecord | undefined>(KEPT);

  constructor(data: GeoipData) {
    this.data = data;
    const { Reader } = createRequire(import.meta.url)("mmdb-lib") as typeof Mmdb;
    this.#readers = data.files.map(({ bytes }) => new Reader(Buffer.from(bytes), { cache: new Recent<number | string, unknown>(KEPT) }));
  }

  /** What is known of an IPv4 address as a number; the same object for all addresses that it holds for. */
  find4(address: number): GeoipRecord | undefined {
    const held = this.#answers4.get(address);
    if (held !== undefined || this.#answers4.has(address)) return held;
    const bytes = [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255];
    const record = this.#looked(bytes, bytes.join("."));
    this.#answers4.set(address, record);
    return record;
  }

  /** @returns the address in canonical text beside what is known of it; undefined when the text is no address, or nothing is. */
  find(text: string): { readonly address: string; readonly record: GeoipRecord } | undefined {
    const bytes = parseAddress(text);
    if (!bytes) return undefined;
    const four = bytes.length === 4 ? bytes : mapped4(bytes);
    const address = addressText(four ?? bytes);
    const record = four ? this.find4(((four[0]! << 24) | (four[1]! << 16) | (four[2]! << 8) | four[3]!) >>> 0) : this.#find6(bytes, address);
    return record && { address, record };
  }

  #find6(bytes: AddressBytes, text: string): GeoipRecord | undefined {
    const held = this.#answers6.get(text);
    if (held !== undefined || this.#answers6.has(text)) return held;
    const record = this.#looked(bytes, text);
    this.#answers6.set(text, record);
    return record;
  }

  #looked(bytes: AddressBytes, text: string): GeoipRecord | undefined {
    if (nowhere.some((block) => inBlock(bytes, block))) return undefined;
    let all: GeoipRecord | undefined;
    for (const reader of this.#readers) {
      // A database of IPv4 has no node for the others.
      if (bytes.length === 16 && reader.metadata.ipVersion === 4) continue;
      const found: unknown = reader.get(text);
      if (typeof found !== "object" || found === null) continue;
      let record = this.#records.get(found);
      if (!record) this.#records.set(found, (record = recordOf(found as Parameters<typeof recordOf>[0])));
      all = all ? this.#both(all, record) : record;
    }
    return all && (all.place || all.as) ? all : undefined;
  }

  /** One object for each pair. */
  #both(first: GeoipRecord, second: GeoipRecord): GeoipRecord {
    if (this.#joined.size >= KEPT) this.#joined.clear();
    let of = this.#joined.get(first);
    if (!of) this.#joined.set(first, (of = new Map()));
    if (of.size >= KEPT) of.clear();
    let both = of.get(second);
    if (!both) {
      const place = first.place ?? second.place;
      const as = first.as && second.as ? { ...second.as, ...first.as } : first.as ?? second.as;
      of.set(second, (both = { ...(place ? { place } : {}), ...(as ? { as } : {}) }));
    }
    return both;
  }
}

/** Remembers at least half of `cap` entries, those asked for last: what was not asked for while as many others were is forgotten. */
class Recent<Key, Value> {
  readonly #half: number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();

  constructor(cap: number) {
    this.#half = cap / 2;
  }

  get(key: Key): Value | undefined {
    const value = this.#young.get(key);
    if (value !== undefined || this.#young.has(key) || !this.#old.has(key)) return value;
    const held = this.#old.get(key)!;
    this.set(key, held);
    return held;
  }

  has(key: Key): boolean {
    return this.#young.has(key);
  }

  set(key: Key, value: Value): void {
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}

const tables: GeoipTable[] = [];

/** The table of a content, once a thread; of those before only the last one is kept, for whoever still reads with it. */
export function geoipTable(data: GeoipData): GeoipTable {
  let table = tables.find((each) => each.data.version === data.version);
  if (!table) {
    table = new GeoipTable(data);
    tables.unshift(table);
    tables.length = Math.min(tables.length, 2);
  }
  return table;
}
