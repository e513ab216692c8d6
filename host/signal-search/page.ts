import { crc32 } from "node:zlib";
import { ProblemError } from "../problem.ts";
import type { Field } from "../query/tree.ts";
import type { Scalar } from "../query/values.ts";
import { severities } from "../rule/rule.ts";
import { triageStates } from "../signal-model/stored.ts";
import { type Bits, rowsOf } from "./bits.ts";
import { fieldColumn } from "./field-column.ts";
import { FirstFew } from "./first-few.ts";
import type { RowOrders } from "./row-orders.ts";
import type { SignalIndex, TextColumn } from "./signal-index.ts";
import { TEXT, type Texts } from "./texts.ts";

export interface Sort {
  /** Undefined: by time of creation. */
  readonly field: Field | undefined;
  readonly descending: boolean;
}

/** The last signal of a page: what it is sorted by (null: it has none), and its id. */
export interface PageKey {
  readonly value: Scalar | null;
  readonly id: string;
}

/** Where the next page goes on. Bounds of time stay those of the first page, whatever `now` is by then. */
export interface Cursor {
  readonly after: PageKey;
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
}

/** Opaque to whoever holds it, and of no use to another query or order. */
export function writeCursor({ after, fromMs, toMs }: Cursor, asked: string): string {
  const text = JSON.stringify([after.value, after.id, fromMs ?? null, toMs ?? null]);
  return Buffer.from(`${crc32(asked + text).toString(16).padStart(8, "0")}${text}`).toString("base64url");
}

/** Throws `signals/bad-cursor` when it is none, or was given for something else. */
export function readCursor(cursor: string, asked: string): Cursor {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  const json = text.slice(8);
  if (text.slice(0, 8) !== crc32(asked + json).toString(16).padStart(8, "0")) {
    throw new ProblemError([{ code: "signals/bad-cursor", place: "page.cursor", message: "the cursor is none, or was given for another query or order", hint: "send it back as it came, with the same query and sort; or begin without one" }]);
  }
  const [value, id, fromMs, toMs] = JSON.parse(json) as [Scalar | null, string, number | null, number | null];
  return { after: { value, id }, fromMs: fromMs ?? undefined, toMs: toMs ?? undefined };
}

export interface Page {
  readonly ids: readonly string[];
  /** The last of them, when there are more. */
  readonly last: PageKey | undefined;
}

/** So far down, and further, rows are taken from a list that is kept sorted. */
const DEEP = 500;

/**
 * The first so many of the selected rows in an order, after a place in it and so many more rows. Rows without a value come last; ties
 * go by id.
 */
export function pageOf(index: SignalIndex, orders: RowOrders, selected: Bits, sort: Sort, limit: number, after: PageKey | undefined, skip = 0): Page {
  // One more than are wanted tells whether there are more.
  const some = skip >= DEEP && !after ? orders.some(selected, sort, skip, limit + 1) : firstFew(index, selected, sort, skip + limit + 1, after).slice(skip);
  const rows = some.slice(0, limit);
  const last = rows.at(-1);
  return { ids: rows.map((row) => index.idOf(row)), last: some.length > limit && last !== undefined ? { value: rowOrder(index, sort).valueOf(last), id: index.idOf(last) } : undefined };
}

function firstFew(index: SignalIndex, selected: Bits, sort: Sort, limit: number, after: PageKey | undefined): number[] {
  const order = rowOrder(index, sort);
  const isAfter = after && order.after(after);
  const few = new FirstFew(limit, (a, b) => order.compare(a, b));
  const all = rowsOf(selected);
  // Signals come in the order of time, nearly: those that come first are offered first, and the rest are turned away.
  if (sort.descending) all.reverse();
  for (const row of all) if (!isAfter || isAfter(row)) few.add(row);
  return few.take();
}

export function rowOrder(index: SignalIndex, { field, descending }: Sort): RowOrder {
  return field ? new ValueOrder(index, field, descending) : new TimeOrder(index, descending);
}

/** An order of rows, alike in nothing: no two of them are at the same place. */
export interface RowOrder {
  compare(a: number, b: number): number;
  /** Does a row come after a place in the order? */
  after(key: PageKey): (row: number) => boolean;
  valueOf(row: number): Scalar | null;
}

class TimeOrder implements RowOrder {
  readonly #index: SignalIndex;
  readonly #sign: number;

  constructor(index: SignalIndex, descending: boolean) {
    this.#index = index;
    this.#sign = descending ? -1 : 1;
  }

  compare(a: number, b: number): number {
    const { times, rowIds, ids } = this.#index;
    return this.#sign * (times[a]! - times[b]! || ids.compareTexts(rowIds[a]!, rowIds[b]!));
  }

  after({ value, id }: PageKey): (row: number) => boolean {
    const { times, rowIds, ids } = this.#index;
    const [timeMs, idBytes] = [Number(value), Buffer.from(id)];
    return (row) => this.#sign * (times[row]! - timeMs || Buffer.compare(ids.bytesOf(rowIds[row]!), idBytes)) > 0;
  }

  valueOf(row: number): number {
    return this.#index.times[row]!;
  }
}

class ValueOrder implements RowOrder {
  readonly #index: SignalIndex;
  readonly #sign: number;
  /** By row: the code it is sorted by, 0 for none. */
  readonly #codes: Uint32Array;
  readonly #texts: Texts | undefined;
  readonly #compareCodes: (a: number, b: number) => number;
  readonly #compareTo: (code: number, value: Scalar) => number;

  constructor(index: SignalIndex, field: Field, descending: boolean) {
    this.#index = index;
    this.#sign = descending ? -1 : 1;
    const column = fieldColumn(index, field);
    this.#texts = column?.dictionary;
    [this.#compareCodes, this.#compareTo] = comparisons(column?.dictionary, field);
    this.#codes = this.#best(column);
  }

  compare(a: number, b: number): number {
    const [left, right] = [this.#codes[a]!, this.#codes[b]!];
    if (left !== right) {
      if (left === 0 || right === 0) return left === 0 ? 1 : -1;
      const order = this.#compareCodes(left, right);
      if (order !== 0) return this.#sign * order;
    }
    const { ids, rowIds } = this.#index;
    return this.#sign * ids.compareTexts(rowIds[a]!, rowIds[b]!);
  }

  after({ value, id }: PageKey): (row: number) => boolean {
    const { ids, rowIds } = this.#index;
    const idBytes = Buffer.from(id);
    // Asked once for each distinct value; 2 is not known yet.
    const orders = new Int8Array((this.#texts?.count ?? 0) + 1).fill(2);
    return (row) => {
      const code = this.#codes[row]!;
      let order: number;
      if (code === 0 || value === null) order = code === 0 ? (value === null ? 0 : this.#sign) : -this.#sign;
      else {
        if (orders[code] === 2) orders[code] = Math.sign(this.#compareTo(code, value));
        order = orders[code]!;
      }
      return this.#sign * (order || Buffer.compare(ids.bytesOf(rowIds[row]!), idBytes)) > 0;
    };
  }

  valueOf(row: number): Scalar | null {
    const code = this.#codes[row]!;
    return code === 0 ? null : this.#texts!.value(code);
  }

  /** Of several values the one that comes first in the order. */
  #best(column: TextColumn | undefined): Uint32Array {
    const best = new Uint32Array(this.#index.rows);
    if (!column) return best;
    column.all((row, code) => {
      const known = best[row]!;
      if (known === 0 || this.#sign * this.#compareCodes(code, known) < 0) best[row] = code;
    });
    return best;
  }
}

type Comparisons = readonly [codes: (a: number, b: number) => number, to: (code: number, value: Scalar) => number];

/** Severities and triage states have an order of their own; numbers come before texts. */
function comparisons(texts: Texts | undefined, field: Field): Comparisons {
  if (!texts) return [() => 0, () => 0];
  const words: readonly string[] | undefined = field.kind === "reserved" && field.name === "status" ? severities : field.kind === "attribute" && field.path.join(".") === "workflow.triage.state" ? triageStates : undefined;
  if (words) {
    const rank = (value: Scalar): number => words.indexOf(String(value));
    const ranks = Int32Array.from({ length: texts.count + 1 }, (_, code) => (code === 0 ? 0 : rank(texts.text(code))));
    return [(a, b) => ranks[a]! - ranks[b]!, (code, value) => ranks[code]! - rank(value)];
  }
  const numbers = texts.numbers();
  const isText = (code: number): boolean => texts.kind(code) === TEXT;
  return [
    (a, b) => (isText(a) ? (isText(b) ? texts.compareTexts(a, b) : 1) : isText(b) ? -1 : texts.kind(a) - texts.kind(b) || numbers[a]! - numbers[b]! || texts.compareTexts(a, b)),
    (code, value) => {
      if (isText(code)) return typeof value === "string" ? Buffer.compare(texts.bytesOf(code), Buffer.from(value)) : 1;
      if (typeof value === "string") return -1;
      const own = texts.value(code);
      return typeof own === typeof value ? Number(own) - Number(value) : typeof own === "number" ? -1 : 1;
    },
  ];
}
