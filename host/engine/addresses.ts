import * as layout from "../../assembly/layout.ts";
import type { ColumnKey, ColumnPlan } from "./columns.ts";
import { matchAreas } from "./matching/areas.ts";
import type { Arena } from "./memory.ts";

/** The event's own list; its values count whatever they are. */
const listKey: ColumnKey = { kind: "attribute", path: ["network", "ip", "list"] };
const sourceKeys: readonly ColumnKey[] = [
  listKey,
  { kind: "reserved", name: "message" },
  { kind: "reserved", name: "host" },
  { kind: "reserved", name: "service" },
  { kind: "reserved", name: "source" },
  { kind: "reserved", name: "status" },
  { kind: "reserved", name: "trace_id" },
  { kind: "tags" },
  { kind: "all" },
];
const TEXT_BYTES = 1 << 20;

export interface AddressKernel {
  deriveAddresses(struct: number, rows: number): number;
}

/** Fills the addresses column of a plan: every IP address standing in any text of the event, once each, in canonical text. */
export class AddressScan {
  readonly #kernel: AddressKernel;
  readonly #struct: number;

  /** Asks for the columns the scan reads, when the plan wants addresses. */
  static request(columns: ColumnPlan): void {
    if (!columns.keys.some((key) => key.kind === "addresses")) return;
    for (const key of sourceKeys) columns.column(key);
  }

  /** @param extraCapacity entries the addresses column has for further values. */
  static create(kernel: AddressKernel, arena: Arena, columns: ColumnPlan, descriptorOf: (column: number) => number, extraCapacity: number): AddressScan | undefined {
    if (!columns.keys.some((key) => key.kind === "addresses")) return undefined;
    return new AddressScan(kernel, arena, (key) => descriptorOf(columns.column(key)), extraCapacity);
  }

  private constructor(kernel: AddressKernel, arena: Arena, descriptorOf: (key: ColumnKey) => number, extraCapacity: number) {
    this.#kernel = kernel;
    this.#struct = arena.alloc(layout.ADDRESSES_BYTES, 16);
    const sources = arena.alloc(sourceKeys.length * 4, 4);
    arena.u32.set(sourceKeys.map(descriptorOf), sources >>> 2);
    let seen = 16;
    while (seen < (extraCapacity + layout.ROW_CAP) * 2) seen *= 2;
    const texts = arena.alloc(TEXT_BYTES + layout.READ_PAD, 64);
    const fields = [
      [layout.ADDRESSES_SOURCES, sources], [layout.ADDRESSES_SOURCE_COUNT, sourceKeys.length],
      [layout.ADDRESSES_LISTED, descriptorOf(listKey)], [layout.ADDRESSES_TARGET, descriptorOf({ kind: "addresses" })],
      [layout.ADDRESSES_CAPACITY, extraCapacity], [layout.ADDRESSES_TEXTS, texts], [layout.ADDRESSES_TEXTS_END, texts + TEXT_BYTES],
      [layout.ADDRESSES_SEEN, arena.alloc(seen * layout.SEEN_BYTES, 64)], [layout.ADDRESSES_SEEN_MASK, seen - 1],
      [layout.ADDRESSES_USED, arena.alloc((extraCapacity + layout.ROW_CAP) * 4)], [layout.ADDRESSES_PAGES, matchAreas(arena, 0, 0).pages],
    ] as const;
    for (const [field, value] of fields) arena.u32[(this.#struct + field) >>> 2] = value;
  }

  /** @returns false when an area is full: the caller takes fewer rows. */
  scan(rows: number): boolean {
    return this.#kernel.deriveAddresses(this.#struct, rows) !== 0;
  }
}
