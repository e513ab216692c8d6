import * as layout from "../../assembly/layout.ts";
import { decodeEvent, isTextFormat } from "../event/decode.ts";
import { addressText, findAddresses } from "../event/address.ts";
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
import { listedText, standsAlone } from "./record-text.ts";
import type { InputProfile } from "./task.ts";

/** Candidates of one inner batch, of addresses and of texts. */
const CANDIDATE_CAP = 32 * 1024;
const WORDS = layout.CANDIDATE_BYTES / 4;
const EXISTENCE: ColumnKey = { kind: "exists", path: [INTEL] };
/** Distinct values, and what is made of sets of hits, that are remembered. */
const KEPT = 16 * 1024;
/** Texts up to this are remembered. */
const MEMO_CHARS = 64;

type Locate = (table: IntelTable, text: string) => Located[];

export interface IntelPlan {
  readonly format: EventFormat;
  readonly columns: ColumnPlan;
  readonly descriptorOf: (column: number) => number;
  readonly times: number;
  readonly rowStart: number;
  readonly rowEnd: number;
  readonly isPlain: boolean;
}

/** What is listed of one value. */
interface Listed {
  /** Another for each value, and for each time it is looked up. */
  readonly id: number;
  readonly places: readonly Located[];
}

const unlisted: Listed = { id: 0, places: [] };

/** What a set of values gives events of a span of time. */
interface Laid {
  readonly object: { [name: string]: Json } | undefined;
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Indicators of threat intelligence in the events of a batch. The kernel says what may be listed: addresses in the bytes of the records,
 * and values of the columns that name domains, URLs and hashes; that is little. The host looks it up in the table all threads share,
 * once for each distinct value that is met again soon.
 */
export class IntelStep {
  readonly #kernel: Kernel;
  readonly #arena: Arena;
  readonly #table: IntelTable;
  readonly #columns: DerivedColumns;
  readonly #existence: number;
  readonly #struct: number;
  readonly #out: number;
  readonly #textOut: number;
  readonly #locates: readonly Locate[];
  /** Values by column, by their texts; addresses by their numbers or texts. */
  readonly #known: ReadonlyArray<Map<string, Listed>>;
  readonly #addresses = new Map<number | string, Listed>();
  #ids = 0;
  readonly #times: number;
  readonly #bytes: Buffer;
  readonly #hasAddresses: boolean;
  /** The bytes of a record tell what stands in the event. Envelopes may hold texts that are no part of it. */
  readonly #isTold: boolean;
  readonly #laid = new Map<number | string, Laid>();
  readonly #standing = new Map<string, readonly string[]>();
  #profile: InputProfile | undefined;
  /** Something the input says of each of its events is listed. */
  #isOdd = false;
  /** Rows that are read as a whole. */
  readonly #odd = new Set<number>();
  readonly #rows = new Map<number, Listed[]>();

  /** Does a query ask for what indicators say? Then the columns are asked for that they are looked up in. */
  static request(columns: ColumnPlan, data: IntelData | undefined, isPlain: boolean): boolean {
    if (!data || !keysWithin(columns, [INTEL]).length) return false;
    columns.column(EXISTENCE);
    for (const { key } of lookups(intelTable(data), isPlain)) columns.column(key);
    return true;
  }

  /** @param plan `isPlain`: records of JSON that no pipeline changes; as it was for `request` */
  constructor(kernel: Kernel, arena: Arena, data: IntelData, plan: IntelPlan) {
    this.#kernel = kernel;
    this.#arena = arena;
    this.#isTold = !isTextFormat(plan.format) && plan.format !== "log";
    this.#table = intelTable(data);
    this.#times = plan.times;
    this.#bytes = Buffer.from(arena.memory.buffer);
    const descriptor = (key: ColumnKey): number => plan.descriptorOf(plan.columns.column(key));
    this.#existence = descriptor(EXISTENCE);
    const texts = lookups(this.#table, plan.isPlain);
    this.#locates = texts.map(({ locate }) => locate);
    this.#known = texts.map(() => new Map<string, Listed>());
    this.#hasAddresses = hasAddresses(this.#table);
    this.#columns = new DerivedColumns(kernel, arena, plan.columns, [INTEL], plan.descriptorOf);
    this.#struct = arena.alloc(layout.CANDIDATES_BYTES, 16);
    // One more: the kernel writes the next candidate before it knows whether there is one.
    this.#out = arena.alloc((CANDIDATE_CAP + 1) * layout.CANDIDATE_BYTES, 16);
    this.#textOut = arena.alloc(CANDIDATE_CAP * layout.LISTED_BYTES, 16);
    const columns = arena.alloc(texts.length * 8 + 8, 8);
    arena.u32.set(texts.flatMap(({ key, kind }) => [descriptor(key), kind]), columns >>> 2);
    const filters = placed(arena, data);
    const flags = (isTextFormat(plan.format) ? 0 : layout.CANDIDATES_JSON) | (this.#table.has("ipv6") || this.#table.has("block6") ? layout.CANDIDATES_WITH_V6 : 0);
    const fields = [
      [layout.CANDIDATES_ROW_START, plan.rowStart], [layout.CANDIDATES_ROW_END, plan.rowEnd], [layout.CANDIDATES_OUT, this.#out], [layout.CANDIDATES_CAPACITY, CANDIDATE_CAP],
      [layout.CANDIDATES_FLAGS, flags], [layout.CANDIDATES_FILTER4, filters.filter4], [layout.CANDIDATES_SHIFT4, filters.shift4], [layout.CANDIDATES_BLOCKS4, filters.blocks4], [layout.CANDIDATES_NEAR4, filters.near4],
      [layout.CANDIDATES_SEED, filters.seed], [layout.CANDIDATES_NAMES, filters.names], [layout.CANDIDATES_NAMES_SHIFT, filters.namesShift],
      [layout.CANDIDATES_COLUMNS, columns], [layout.CANDIDATES_COLUMN_COUNT, texts.length], [layout.CANDIDATES_TEXTS, this.#textOut],
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
    this.#rows.clear();
    if (this.#isOdd) for (let row = 0; row < rows; row++) this.#odd.add(row);
    const count = this.#hasAddresses ? this.#kernel.addressCandidates(this.#struct, rows) >>> 0 : 0;
    const texts = this.#locates.length ? this.#kernel.listedTexts(this.#struct, rows) >>> 0 : 0;
    if ((count === layout.CANDIDATES_FULL || texts === layout.CANDIDATES_FULL) && rows > 1) return false;
    if (count === layout.CANDIDATES_FULL) this.#odd.add(0);
    else if (count) this.#lookUpCandidates(count);
    // Of a single row with more values than there is room for, the first are looked up.
    if (texts) this.#lookUpTexts(Math.min(texts, CANDIDATE_CAP));
    for (const row of this.#odd) this.#readWhole(row);
    return this.#rows.size === 0 || this.#lay(rows) || rows === 1;
  }

  #lookUpCandidates(count: number): void {
    const { u32 } = this.#arena;
    for (let at = this.#out >>> 2, end = at + count * WORDS; at < end; at += WORDS) {
      const kind = u32[at + layout.CANDIDATE_KIND / 4]!;
      const row = u32[at]!;
      if (kind === layout.CANDIDATE_V4) {
        const listed = this.#address(u32[at + layout.CANDIDATE_ADDRESS / 4]!);
        if (listed.places.length) this.#check4(row, u32[at + layout.CANDIDATE_AT / 4]!, listed);
      } else if (kind === layout.CANDIDATE_V6) {
        const from = (at << 2) + layout.CANDIDATE_ADDRESS;
        const listed = this.#addressText(addressText([...this.#arena.u8.subarray(from, from + 16)]));
        if (listed.places.length) this.#check(row, u32[at + layout.CANDIDATE_AT / 4]!, listed);
      } else this.#odd.add(row);
    }
  }

  #address(address: number): Listed {
    let listed = this.#addresses.get(address);
    if (!listed) {
      // Some pass the kernel's filter without being listed.
      if (this.#table.address4(address) === 0 && this.#table.block4(address) === 0) return unlisted;
      listed = this.#remember(this.#addresses, address, locateAddress(this.#table, [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255]));
    }
    return listed;
  }

  #addressText(text: string): Listed {
    return this.#addresses.get(text) ?? this.#remember(this.#addresses, text, locateAddressText(this.#table, text));
  }

  #remember<Key>(known: Map<Key, Listed>, key: Key, places: readonly Located[]): Listed {
    const listed = { id: ++this.#ids, places };
    if (known.size >= KEPT) known.clear();
    known.set(key, listed);
    return listed;
  }

  /** A listed address counts where it stands by itself in a text of the event. */
  #check4(row: number, at: number, listed: Listed): void {
    if (this.#odd.has(row) || this.#rows.get(row)?.includes(listed)) return;
    const isAlone = this.#isTold ? standsAlone(this.#bytes, this.#rowStart(row), this.#rowEnd(row), at, at + listed.places[0]!.indicator.length) : undefined;
    if (isAlone) this.#found(row, listed);
    else if (isAlone === undefined) this.#odd.add(row);
  }

  #check(row: number, at: number, listed: Listed): void {
    if (this.#odd.has(row)) return;
    const text = !this.#isTold ? undefined : listedText(this.#bytes, this.#rowStart(row), this.#rowEnd(row), at);
    if (text === "") return;
    if (text === undefined) {
      this.#odd.add(row);
      return;
    }
    let found = this.#standing.get(text);
    if (!found) {
      found = findAddresses(text).flatMap((each) => locateAddressText(this.#table, each).map(({ indicator }) => indicator));
      if (this.#standing.size >= KEPT) this.#standing.clear();
      if (text.length <= MEMO_CHARS) this.#standing.set(text, found);
    }
    if (found.includes(listed.places[0]!.indicator)) this.#found(row, listed);
  }

  #lookUpTexts(count: number): void {
    const { u32 } = this.#arena;
    for (let at = this.#textOut >>> 2, end = at + count * (layout.LISTED_BYTES / 4); at < end; at += layout.LISTED_BYTES / 4) {
      const start = u32[at + 2]!;
      const column = u32[at + 1]!;
      const text = this.#bytes.toString("utf8", start, start + (u32[at + 3]! & 0x0fffffff));
      const known = this.#known[column]!;
      const listed = known.get(text) ?? this.#remember(known, text, this.#locates[column]!(this.#table, text));
      if (listed.places.length) this.#found(u32[at]!, listed);
    }
  }

  /** The addresses of an event that its bytes alone do not tell. */
  #readWhole(row: number): void {
    const event = decodeEvent(this.#bytes.toString("utf8", this.#rowStart(row), this.#rowEnd(row)), this.#profile!);
    for (const text of event ? addressesOf(event) : []) {
      const listed = this.#addressText(text);
      if (listed.places.length) this.#found(row, listed);
    }
  }

  #found(row: number, listed: Listed): void {
    const before = this.#rows.get(row);
    if (!before) this.#rows.set(row, [listed]);
    else if (!before.includes(listed)) before.push(listed);
  }

  #lay(rows: number): boolean {
    this.#columns.begin(rows);
    const { u32, f64 } = this.#arena;
    const own = u32[(this.#existence + layout.COLUMN_CELLS) >>> 2]! >>> 2;
    const times = this.#times >>> 3;
    for (const row of [...this.#rows.keys()].sort((a, b) => a - b)) {
      if (u32[own + row * 2 + 1] !== 0) continue;
      const object = this.#object(this.#rows.get(row)!, f64[times + row]!);
      if (object && !this.#columns.put(row, object)) return false;
    }
    return this.#columns.finish();
  }

  #object(found: readonly Listed[], timeMs: number): { [name: string]: Json } | undefined {
    const name = found.length === 1 ? found[0]!.id : found.map(({ id }) => id).join();
    let laid = this.#laid.get(name);
    if (!laid || !(timeMs >= laid.fromMs && timeMs < laid.untilMs)) {
      const places = found.flatMap((each) => each.places);
      const hits: IntelHit[] = [];
      hitsAt(this.#table, places, timeMs, hits);
      laid = { object: intelAttribute(resultsOf(this.#table, hits)), ...this.#table.span(places.map(({ first }) => first), timeMs) };
      if (this.#laid.size >= KEPT) this.#laid.clear();
      this.#laid.set(name, laid);
    }
    return laid.object;
  }

  #rowStart(row: number): number {
    return this.#arena.u32[(this.#arena.u32[(this.#struct + layout.CANDIDATES_ROW_START) >>> 2]! >>> 2) + row]!;
  }

  #rowEnd(row: number): number {
    return this.#arena.u32[(this.#arena.u32[(this.#struct + layout.CANDIDATES_ROW_END) >>> 2]! >>> 2) + row]!;
  }
}

function hasAddresses(table: IntelTable): boolean {
  return table.has("ipv4") || table.has("ipv6") || table.has("block4") || table.has("block6");
}

interface Lookup {
  readonly key: ColumnKey;
  /** LISTED_* of the layout. */
  readonly kind: number;
  readonly locate: Locate;
}

/** Attributes whose whole values are looked up, as far as the table has indicators of their kind. Those of one kind are one column where no pipeline fills them. */
function lookups(table: IntelTable, isPlain: boolean): Lookup[] {
  const of = (isThere: boolean, paths: ReadonlyArray<readonly string[]>, kind: number, locate: Locate): Lookup[] => {
    const keys: readonly ColumnKey[] = isPlain ? [{ kind: "any", paths }] : paths.map((path) => ({ kind: "attribute", path }));
    return isThere ? keys.map((key) => ({ key, kind, locate })) : [];
  };
  return [
    // What stands in a record is found in its bytes.
    ...of(hasAddresses(table) && !isPlain, addressPaths, layout.LISTED_ADDRESS, locateAddressText), ...of(table.has("domain"), domainPaths, layout.LISTED_DOMAIN, locateDomain),
    ...of(table.has("url") || table.has("domain"), urlPaths, layout.LISTED_URL, locateUrl), ...of(table.has("hash"), hashPaths, layout.LISTED_HASH, locateHash),
  ];
}

interface PlacedFilters {
  readonly filter4: number;
  readonly shift4: number;
  readonly blocks4: number;
  readonly near4: number;
  readonly names: number;
  readonly namesShift: number;
  readonly seed: number;
}

const filtersOf = new WeakMap<Arena, PlacedFilters>();

/** The table's filters in the kernel's memory: once for all plans of an instance, which has one table. */
function placed(arena: Arena, data: IntelData): PlacedFilters {
  let filters = filtersOf.get(arena);
  if (!filters) {
    const { seed, filter4, filter4Bits, blocks4, near4, names, namesBits } = intelTable(data).filters;
    filters = { seed, filter4: arena.bytes(filter4), shift4: 32 - filter4Bits, blocks4: blocks4.length ? arena.bytes(blocks4) : 0, near4: arena.bytes(near4), names: arena.bytes(names), namesShift: 32 - namesBits };
    filtersOf.set(arena, filters);
  }
  return filters;
}
