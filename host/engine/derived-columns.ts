import * as layout from "../../assembly/layout.ts";
import type { Json } from "../event/event.ts";
import { type Scalar, scalarsBelow, valuesAt } from "../query/values.ts";
import type { ColumnKey, ColumnPlan } from "./columns.ts";
import type { Kernel } from "./kernel.ts";
import type { Arena } from "./memory.ts";
import { DERIVED_EXTRAS, ownExtras } from "./steps.ts";

const TEXT_BYTES = 1 << 20;
const KIND_SHIFT = 28;
const NO_MASK = 0;

/** A column that is given what stands at its path in an attribute. */
interface Target {
  readonly path: readonly string[];
  readonly isExistence: boolean;
  readonly descriptor: number;
  readonly held: number;
  /** Room that the kernel moves extras in. */
  readonly own: number;
}

/** Cells of one attribute value, for each target: low and high words in turn. */
type Cells = ReadonlyArray<readonly number[]>;

type PathKey = Extract<ColumnKey, { readonly path: readonly string[] }>;

/** Columns asked of an attribute that the host works out: those at its path or below, and existence above it. */
export function keysWithin(columns: ColumnPlan, path: readonly string[]): PathKey[] {
  const leads = (short: readonly string[], long: readonly string[]): boolean => short.length <= long.length && short.every((name, i) => name === long[i]);
  return columns.keys.filter((key): key is PathKey => key.kind === "attribute" || key.kind === "exists").filter((key) => leads(path, key.path) || (key.kind === "exists" && leads(key.path, path)));
}

/**
 * Lays values of one attribute, objects that the host made, into the columns that ask for parts of it. An object is spelled out once, and
 * its texts stay for as long as there is room. A row that has something of its own in a column keeps it.
 */
export class DerivedColumns {
  readonly #kernel: Kernel;
  readonly #arena: Arena;
  readonly #attribute: readonly string[];
  readonly #targets: readonly Target[];
  readonly #texts: number;
  readonly #moved: number;
  readonly #cells = new Map<object, Cells>();
  readonly #encoder = new TextEncoder();
  #used = 0;
  #isFull = false;
  /** Rows of this batch have several values in a column, and wait in columns beside. */
  #isHeld = false;
  #rows = 0;

  constructor(kernel: Kernel, arena: Arena, columns: ColumnPlan, attribute: readonly string[], descriptorOf: (column: number) => number) {
    this.#kernel = kernel;
    this.#arena = arena;
    this.#attribute = attribute;
    this.#texts = arena.alloc(TEXT_BYTES + layout.READ_PAD, 64);
    this.#moved = arena.alloc(layout.ROW_WORD_BYTES + 64, 64);
    this.#targets = keysWithin(columns, attribute).map((key) => {
      const held = arena.alloc(layout.COLUMN_BYTES, 16);
      arena.u32.set([arena.alloc(layout.ROW_CAP * 8, 64), 0, 0, 0], held >>> 2);
      ownExtras(arena, held);
      return { path: key.path, isExistence: key.kind === "exists", descriptor: descriptorOf(columns.column(key)), held, own: arena.alloc(DERIVED_EXTRAS * 12, 16) };
    });
  }

  begin(rows: number): void {
    this.#rows = rows;
    // Never in the midst of a batch, whose cells lead there.
    if (this.#isFull || this.#used > TEXT_BYTES / 2) {
      this.#isFull = false;
      this.#used = 0;
      this.#cells.clear();
    }
    this.#isHeld = false;
  }

  /** Rows come in ascending order. @returns false when an area is full. */
  put(row: number, value: { [name: string]: Json }): boolean {
    let cells = this.#cells.get(value);
    if (!cells) {
      cells = this.#spelled(value);
      if (!cells) {
        this.#isFull = true;
        return false;
      }
      this.#cells.set(value, cells);
    }
    const { u32 } = this.#arena;
    if (cells.every((words) => words.length <= 2)) {
      for (let t = 0; t < this.#targets.length; t++) {
        const words = cells[t]!;
        const { descriptor } = this.#targets[t]!;
        const at = (u32[(descriptor + layout.COLUMN_CELLS) >>> 2]! + row * 8) >>> 2;
        if (!words.length || u32[at + 1] !== 0) continue;
        u32[(descriptor + layout.COLUMN_BLANK) >>> 2] = 0;
        u32[at] = words[0]!;
        u32[at + 1] = words[1]!;
      }
      return true;
    }
    if (!this.#isHeld) for (const { held } of this.#targets) this.#kernel.clearColumn(held, this.#rows);
    this.#isHeld = true;
    for (let t = 0; t < this.#targets.length; t++) {
      const { held } = this.#targets[t]!;
      const words = cells[t]!;
      if (!words.length) continue;
      const at = (u32[(held + layout.COLUMN_CELLS) >>> 2]! + row * 8) >>> 2;
      u32[at] = words[0]!;
      u32[at + 1] = words[1]!;
      let count = u32[(held + layout.COLUMN_EXTRA_COUNT) >>> 2]!;
      if (count + words.length / 2 > DERIVED_EXTRAS) return false;
      const extraCells = u32[(held + layout.COLUMN_EXTRA_CELLS) >>> 2]! >>> 2;
      const extraRows = u32[(held + layout.COLUMN_EXTRA_ROWS) >>> 2]! >>> 2;
      for (let i = 2; i < words.length; i += 2, count++) {
        u32[extraCells + count * 2] = words[i]!;
        u32[extraCells + count * 2 + 1] = words[i + 1]!;
        u32[extraRows + count] = row;
      }
      u32[(held + layout.COLUMN_EXTRA_COUNT) >>> 2] = count;
    }
    return true;
  }

  /** @returns false when an area is full. */
  finish(): boolean {
    return !this.#isHeld || this.#targets.every(({ descriptor, held, own }) => this.#kernel.moveRows(descriptor, held, NO_MASK, this.#rows, 0, DERIVED_EXTRAS, own, this.#moved) !== 0);
  }

  #spelled(value: { [name: string]: Json }): Cells | undefined {
    const whole = this.#attribute.toReversed().reduce<Json>((inner, name) => ({ [name]: inner }), value);
    let fits = true;
    const cells = this.#targets.map(({ path, isExistence }) => {
      const found = valuesAt(whole, path);
      const scalars = isExistence ? found.flatMap(scalarsBelow).slice(0, 1) : found.filter((each): each is Scalar => typeof each !== "object");
      return scalars.flatMap((scalar) => {
        const { read, written } = this.#encoder.encodeInto(String(scalar), this.#room);
        if (read < String(scalar).length) fits = false;
        const kind = typeof scalar === "number" ? layout.KIND_NUMBER : typeof scalar === "boolean" ? layout.KIND_BOOLEAN : layout.KIND_STRING;
        const address = this.#texts + this.#used;
        this.#arena.u8.set(this.#room.subarray(0, written), address);
        this.#used += written;
        return [address, (written | (kind << KIND_SHIFT)) >>> 0];
      });
    });
    return fits ? cells : undefined;
  }

  // An encoder writes to no shared memory.
  readonly #scratch = new Uint8Array(SCALAR_BYTES);
  get #room(): Uint8Array {
    return this.#scratch.subarray(0, Math.min(SCALAR_BYTES, TEXT_BYTES - this.#used));
  }
}

/** A longer text is none that anybody asks for. */
const SCALAR_BYTES = 64 * 1024;
