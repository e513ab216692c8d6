import * as layout from "../../assembly/layout.ts";
import { decodeEvent, isTextFormat } from "../event/decode.ts";
import { type AddressBytes, findAddresses } from "../event/address.ts";
import type { EventFormat, Json } from "../event/event.ts";
import {
  INTEL, type IntelHit, type Located, addressPaths, domainPaths, hashPaths, hitsAt, intelAttribute, locateAddress, locateAddressText, locateDomain, locateHash, locateUrl,
  resultsOf, urlPaths,
} from "../event/enrichment/intel-find.ts";
import { type IntelData, type IntelTable, intelTable } from "../event/enrichment/intel-table.ts";
import { addressesOf } from "../query/values.ts";
import type { ColumnKey, ColumnPlan } from "./columns.ts";
import { DerivedColumns, keysWithin } from "./derived-columns.ts";
import type { Kernel } from "./kernel.ts";
import type { Arena } from "./memory.ts";
import type { InputProfile } from "./task.ts";
import { listedText } from "./record-text.ts";

/** Candidates of one inner batch. */
const CANDIDATE_CAP = 64 * 1024;
const EXISTENCE: ColumnKey = { kind: "exists", path: [INTEL] };
const NOTHING: readonly Located[] = [];
/** Distinct texts, and what is made of sets of hits, that are remembered. */
const KEPT = 16 * 1024;
const SEEN_BITS = 16;

type Locate = (table: IntelTable, text: string) => Located[];

/**
 * Indicators of threat intelligence in the events of a batch: looked up by the host in the table all threads share, once for each
 * distinct value that is met again soon. Addresses are found in the bytes of the records, the others in the columns that name them.
 */
export class IntelStep {
  readonly #kernel: Kernel;
  readonly #arena: Arena;
  readonly #format: EventFormat;
  readonly #table: IntelTable;
  readonly #columns: DerivedColumns;
  readonly #existence: number;
  readonly #struct: number;
  readonly #out: number;
  readonly #texts: ReadonlyArray<{ readonly descriptor: number; readonly locate: Locate; readonly known: Map<string, readonly Located[]> }>;
  readonly #times: number;
  readonly #bytes: Buffer;
  /** By a hash of the address: the address, and what its lookups gave. */
  readonly #seen = new Uint32Array(3 << SEEN_BITS);
  readonly #objects = new Map<string, { [name: string]: Json }>();
  readonly #addresses = new Map<string, readonly string[]>();
  #profile: InputProfile | undefined;
  /** Something the input says of each of its events is listed. */
  #isOdd = false;
  /** Rows that are read as a whole, and hits by row. */
  readonly #odd = new Set<number>();
  readonly #hits = new Map<number, IntelHit[]>();

  /** Does a query ask for what indicators say? Then the columns are asked for that they are looked up in. */
  static request(columns: ColumnPlan, data: IntelData | undefined): boolean {
    if (!data || !keysWithin(columns, [INTEL]).length) return false;
    columns.column(EXISTENCE);
    for (const { path } of lookups(intelTable(data))) columns.column({ kind: "attribute", path });
    return true;
  }

  constructor(kernel: Kernel, arena: Arena, data: IntelData, plan: { readonly format: EventFormat; readonly columns: ColumnPlan; readonly descriptorOf: (column: number) => number; readonly times: number; readonly rowStart: number; readonly rowEnd: number }) {
    this.#kernel = kernel;
    this.#arena = arena;
    this.#format = plan.format;
    this.#table = intelTable(data);
    this.#times = plan.times;
    this.#bytes = Buffer.from(arena.memory.buffer);
    const descriptor = (key: ColumnKey): number => plan.descriptorOf(plan.columns.column(key));
    this.#existence = descriptor(EXISTENCE);
    this.#texts = lookups(this.#table).map(({ path, locate }) => ({ descriptor: descriptor({ kind: "attribute", path }), locate, known: new Map() }));
    this.#columns = new DerivedColumns(kernel, arena, plan.columns, [INTEL], plan.descriptorOf);
    this.#struct = arena.alloc(layout.CANDIDATES_BYTES, 16);
    // One more: the kernel writes the next candidate before it knows whether there is one.
    this.#out = arena.alloc((CANDIDATE_CAP + 1) * layout.CANDIDATE_BYTES, 16);
    const fields = [
      [layout.CANDIDATES_ROW_START, plan.rowStart], [layout.CANDIDATES_ROW_END, plan.rowEnd], [layout.CANDIDATES_OUT, this.#out],
      [layout.CANDIDATES_CAPACITY, CANDIDATE_CAP], [layout.CANDIDATES_ESCAPES, isTextFormat(plan.format) ? 0 : 1],
    ] as const;
    for (const [field, value] of fields) arena.u32[(this.#struct + field) >>> 2] = value;
  }

  /** What the input says of its events may be listed as well. */
  take(profile: InputProfile): void {
    if (profile === this.#profile) return;
    this.#profile = profile;
    const { host, service, source, tags } = profile;
    this.#isOdd = addressesOf({ host, service, source, tags: tags ? [...tags] : [] }).some((text) => locateAddressText(this.#table, text).length > 0);
  }

  /** @returns false when an area is full: the caller takes fewer rows. */
  run(rows: number): boolean {
    this.#odd.clear();
    this.#hits.clear();
    if (this.#isOdd) for (let row = 0; row < rows; row++) this.#odd.add(row);
    const count = this.#kernel.addressCandidates(this.#struct, rows) >>> 0;
    if (count === layout.CANDIDATES_FULL) {
      if (rows > 1) return false;
      this.#odd.add(0);
    } else this.#lookUpCandidates(count);
    for (const { descriptor, locate, known } of this.#texts) this.#lookUpTexts(descriptor, rows, locate, known);
    for (const row of this.#odd) this.#readWhole(row);
    return this.#hits.size === 0 || this.#lay(rows) || rows === 1;
  }

  #lookUpCandidates(count: number): void {
    const { u32 } = this.#arena;
    const seen = this.#seen;
    for (let at = this.#out >>> 2, end = at + count * (layout.CANDIDATE_BYTES / 4); at < end; at += layout.CANDIDATE_BYTES / 4) {
      const kind = u32[at + layout.CANDIDATE_KIND / 4]!;
      const row = u32[at]!;
      if (kind === layout.CANDIDATE_V4) {
        const address = u32[at + layout.CANDIDATE_ADDRESS / 4]!;
        const place = 3 * (Math.imul(address, 0x9e3779b1) >>> (32 - SEEN_BITS));
        if (seen[place] !== address || address === 0) {
          seen[place] = address;
          seen[place + 1] = this.#table.address4(address);
          seen[place + 2] = this.#table.block4(address);
        }
        if (seen[place + 1]! === 0 && seen[place + 2]! === 0) continue;
        const bytes = [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255];
        this.#check(row, u32[at + layout.CANDIDATE_AT / 4]!, bytes);
      } else if (kind === layout.CANDIDATE_V6) {
        const from = (at << 2) + layout.CANDIDATE_ADDRESS;
        const bytes = [...this.#arena.u8.subarray(from, from + 16)];
        if (locateAddress(this.#table, bytes).length) this.#check(row, u32[at + layout.CANDIDATE_AT / 4]!, bytes);
      } else this.#odd.add(row);
    }
  }

  /** A listed address counts where it stands by itself in a text of the event. */
  #check(row: number, at: number, address: AddressBytes): void {
    if (this.#odd.has(row)) return;
    const text = isTextFormat(this.#format) ? undefined : listedText(this.#bytes, this.#rowStart(row), this.#rowEnd(row), at);
    if (text === undefined) {
      this.#odd.add(row);
      return;
    }
    if (text === "") return;
    const places = locateAddress(this.#table, address);
    let found = this.#addresses.get(text);
    if (!found) {
      found = findAddresses(text).flatMap((each) => locateAddressText(this.#table, each).map(({ indicator }) => indicator));
      if (this.#addresses.size >= KEPT) this.#addresses.clear();
      if (text.length <= MEMO_CHARS) this.#addresses.set(text, found);
    }
    this.#hit(row, places.filter(({ indicator }) => found.includes(indicator)));
  }

  #lookUpTexts(descriptor: number, rows: number, locate: Locate, known: Map<string, readonly Located[]>): void {
    const { u32 } = this.#arena;
    const cells = u32[(descriptor + layout.COLUMN_CELLS) >>> 2]! >>> 2;
    const look = (row: number, at: number): void => {
      const high = u32[at + 1]!;
      if (high >>> 28 !== layout.KIND_STRING) return;
      const start = u32[at]!;
      const text = this.#bytes.toString("utf8", start, start + (high & 0x0fffffff));
      let places = known.get(text);
      if (!places) {
        places = locate(this.#table, text);
        if (known.size >= KEPT) known.clear();
        known.set(text, places.length ? places : NOTHING);
      }
      if (places.length) this.#hit(row, places);
    };
    for (let row = 0; row < rows; row++) if (u32[cells + row * 2 + 1] !== 0) look(row, cells + row * 2);
    const extras = u32[(descriptor + layout.COLUMN_EXTRA_COUNT) >>> 2]!;
    const extraCells = u32[(descriptor + layout.COLUMN_EXTRA_CELLS) >>> 2]! >>> 2;
    const extraRows = u32[(descriptor + layout.COLUMN_EXTRA_ROWS) >>> 2]! >>> 2;
    for (let i = 0; i < extras; i++) look(u32[extraRows + i]!, extraCells + i * 2);
  }

  /** The addresses of an event that its bytes alone do not tell. */
  #readWhole(row: number): void {
    const event = decodeEvent(this.#bytes.toString("utf8", this.#rowStart(row), this.#rowEnd(row)), this.#profile!);
    if (event) for (const text of addressesOf(event)) this.#hit(row, locateAddressText(this.#table, text));
  }

  #hit(row: number, places: readonly Located[]): void {
    if (!places.length) return;
    let hits = this.#hits.get(row);
    if (!hits) this.#hits.set(row, (hits = []));
    hitsAt(this.#table, places, this.#arena.f64[(this.#times >>> 3) + row]!, hits);
  }

  #lay(rows: number): boolean {
    this.#columns.begin(rows);
    const { u32 } = this.#arena;
    const own = u32[(this.#existence + layout.COLUMN_CELLS) >>> 2]! >>> 2;
    for (const row of [...this.#hits.keys()].sort((a, b) => a - b)) {
      const hits = this.#hits.get(row)!;
      if (!hits.length || u32[own + row * 2 + 1] !== 0) continue;
      const name = hits.map(({ entry, indicator }) => `${entry} ${indicator}`).join("\n");
      let object = this.#objects.get(name);
      if (!object) {
        object = intelAttribute(resultsOf(this.#table, hits))!;
        if (this.#objects.size >= KEPT) this.#objects.clear();
        this.#objects.set(name, object);
      }
      if (!this.#columns.put(row, object)) return false;
    }
    return this.#columns.finish();
  }

  #rowStart(row: number): number {
    return this.#arena.u32[(this.#arena.u32[(this.#struct + layout.CANDIDATES_ROW_START) >>> 2]! >>> 2) + row]!;
  }

  #rowEnd(row: number): number {
    return this.#arena.u32[(this.#arena.u32[(this.#struct + layout.CANDIDATES_ROW_END) >>> 2]! >>> 2) + row]!;
  }
}

const MEMO_CHARS = 64;

/** Attributes whose whole values are looked up, as far as the table has indicators of their kind. */
function lookups(table: IntelTable): Array<{ readonly path: readonly string[]; readonly locate: Locate }> {
  const of = (paths: ReadonlyArray<readonly string[]>, locate: Locate, ...kinds: ReadonlyArray<Parameters<IntelTable["has"]>[0]>): Array<{ readonly path: readonly string[]; readonly locate: Locate }> =>
    (kinds.some((kind) => table.has(kind)) ? paths.map((path) => ({ path, locate })) : []);
  return [
    ...of(addressPaths, locateAddressText, "ipv4", "ipv6", "block4", "block6"), ...of(domainPaths, locateDomain, "domain"),
    ...of(urlPaths, locateUrl, "url", "domain"), ...of(hashPaths, locateHash, "hash"),
  ];
}
