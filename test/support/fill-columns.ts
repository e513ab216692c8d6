import * as layout from "../../assembly/layout.ts";
import type { Json, LogEvent } from "../../host/event/event.ts";
import type { ColumnKey, ColumnPlan } from "../../host/engine/columns.ts";
import { encodeKey } from "../../host/engine/extraction.ts";
import type { Arena } from "../../host/engine/memory.ts";
import { type Scalar, scalarsBelow, valuesAt, valuesOf } from "../../host/query/values.ts";

/** The values a column holds for an event, as extraction and derivation leave them there. */
export function columnValues(key: ColumnKey, event: LogEvent): Scalar[] {
  switch (key.kind) {
    case "attribute":
      return valuesAt(event.attributes, key.path).filter((value): value is Scalar => typeof value !== "object");
    case "any":
      return key.paths.flatMap((path) => valuesAt(event.attributes, path)).filter((value): value is Scalar => typeof value !== "object");
    case "exists":
      return valuesAt(event.attributes, key.path).flatMap((value: Json) => scalarsBelow(value)).slice(0, 1);
    case "reserved":
    case "tags":
      return valuesOf({ kind: "reserved", name: key.kind === "tags" ? "tags" : key.name }, event);
    case "tag":
      return valuesOf({ kind: "tag", key: key.key }, event);
    case "member":
      return [];
    case "all":
      return scalarsBelow(event.attributes);
    case "addresses":
      return valuesOf({ kind: "attribute", path: ["network", "ip", "list"] }, event);
  }
}

function kindOf(value: Scalar): number {
  if (typeof value === "number") return layout.KIND_NUMBER;
  return typeof value === "boolean" ? layout.KIND_BOOLEAN : layout.KIND_STRING;
}

/** Columns of a plan in memory, filled from event objects instead of bytes. */
export class FilledColumns {
  readonly table: number;
  /** f64[ROW_CAP] of event times. */
  readonly times: number;
  readonly #arena: Arena;
  readonly #plan: ColumnPlan;
  readonly #texts: number;
  readonly #textBytes: number;
  readonly #extraCapacity: number;

  constructor(arena: Arena, plan: ColumnPlan, { textBytes = 8 << 20, extraCapacity = 8192 } = {}) {
    this.#arena = arena;
    this.#plan = plan;
    this.#textBytes = textBytes;
    this.#extraCapacity = extraCapacity;
    const put = (address: number, value: number): void => {
      arena.u32[address >>> 2] = value;
    };
    this.table = arena.alloc(Math.max(1, plan.keys.length) * layout.COLUMN_BYTES, 16);
    plan.keys.forEach((_, column) => {
      const at = this.table + column * layout.COLUMN_BYTES;
      put(at + layout.COLUMN_CELLS, arena.alloc(layout.ROW_CAP * 8, 64));
      put(at + layout.COLUMN_EXTRA_CELLS, arena.alloc(extraCapacity * 8, 64));
      put(at + layout.COLUMN_EXTRA_ROWS, arena.alloc(extraCapacity * 4, 64));
    });
    this.times = arena.alloc(layout.ROW_CAP * 8, 64);
    this.#texts = arena.alloc(textBytes + layout.READ_PAD, 64);
  }

  /** Replaces everything by the values of `events`; texts begin at addresses that drift through every alignment. */
  fill(events: readonly LogEvent[]): void {
    const { u8, u32, u64, f64 } = this.#arena;
    let top = this.#texts;
    this.#plan.keys.forEach((key, column) => {
      const at = (this.table + column * layout.COLUMN_BYTES) >>> 2;
      const cells = u32[at + layout.COLUMN_CELLS / 4]! >>> 3;
      const extraCells = u32[at + layout.COLUMN_EXTRA_CELLS / 4]! >>> 3;
      const extraRows = u32[at + layout.COLUMN_EXTRA_ROWS / 4]! >>> 2;
      let extras = 0;
      events.forEach((event, row) => {
        const values = columnValues(key, event);
        u64[cells + row] = 0n;
        values.forEach((value, i) => {
          const bytes = encodeKey(String(value));
          if (top + bytes.length > this.#texts + this.#textBytes) throw new Error("texts do not fit");
          u8.set(bytes, top);
          const cell = BigInt(top) | (BigInt(bytes.length) << 32n) | (BigInt(kindOf(value)) << 60n);
          // What stands behind a text is not part of it; letters there catch readers that go too far.
          u8.fill(0x61 + (top % 26), top + bytes.length, top + bytes.length + 1);
          top += bytes.length + (row % 3);
          if (i === 0) u64[cells + row] = cell;
          else {
            if (extras === this.#extraCapacity) throw new Error("extras do not fit");
            u64[extraCells + extras] = cell;
            u32[extraRows + extras] = row;
            extras++;
          }
        });
      });
      u32[at + layout.COLUMN_EXTRA_COUNT / 4] = extras;
    });
    events.forEach((event, row) => {
      const time = event.timestamp;
      f64[(this.times >>> 3) + row] = typeof time === "number" ? time : Date.parse(time ?? "");
    });
  }
}
