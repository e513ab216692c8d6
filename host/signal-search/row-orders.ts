import { type Bits, hasBit } from "./bits.ts";
import { type Sort, rowOrder } from "./page.ts";
import type { SignalIndex } from "./signal-index.ts";

/** Orders that are kept, four bytes a row each. */
const MOST_KEPT = 4;

/**
 * All rows in the orders they were asked for in. A row keeps its values and its place among those before it, so that later ones are
 * put between them, and whoever looks far down a list, or through all of it, has it sorted once.
 */
export class RowOrders {
  readonly #index: SignalIndex;
  readonly #kept = new Map<string, Uint32Array>();

  constructor(index: SignalIndex) {
    this.#index = index;
  }

  /** So many selected rows in an order, after so many others. */
  some(selected: Bits, sort: Sort, skip: number, limit: number): readonly number[] {
    const order = this.#order(sort);
    const found: number[] = [];
    let passed = 0;
    for (let i = 0; i < order.length && found.length < limit; i++) {
      const row = order[i]!;
      if (hasBit(selected, row) && passed++ >= skip) found.push(row);
    }
    return found;
  }

  #order(sort: Sort): Uint32Array {
    const key = JSON.stringify(sort);
    const before = this.#kept.get(key) ?? new Uint32Array(0);
    this.#kept.delete(key);
    const order = before.length === this.#index.rows ? before : this.#grown(before, sort);
    if (this.#kept.size >= MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(key, order);
    return order;
  }

  /** The same order with the rows that came since. */
  #grown(before: Uint32Array, sort: Sort): Uint32Array {
    const { rows } = this.#index;
    const order = rowOrder(this.#index, sort);
    const compare = (a: number, b: number): number => order.compare(a, b);
    const added = Array.from({ length: rows - before.length }, (_, i) => before.length + i);
    // Signals come in the order of time, nearly: what is in order already is sorted soonest.
    if (sort.descending) added.reverse();
    added.sort(compare);
    const all = new Uint32Array(rows);
    let [old, fresh] = [0, 0];
    for (let i = 0; i < rows; i++) {
      const isOld = fresh === added.length || (old < before.length && compare(before[old]!, added[fresh]!) <= 0);
      all[i] = isOld ? before[old++]! : added[fresh++]!;
    }
    return all;
  }
}
