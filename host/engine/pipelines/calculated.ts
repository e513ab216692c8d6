import * as layout from "../../../assembly/layout.ts";
import { type Arithmetic, evaluate, numberIn } from "../../event/pipeline/arithmetic.ts";
import type { Arena } from "../memory.ts";
import type { Maker } from "./values.ts";

/** Longest decimal text of a double. */
const NUMBER_BYTES = 25;
const KIND_SHIFT = 28;
const LENGTH_MASK = 0x0fffffff;
/** Digits that a double holds whatever they are. */
const SAFE_DIGITS = 15;
const ZERO = 48;

/**
 * Numbers of an expression over columns, row by row in flat memory; each is spelled out once a batch.
 *
 * @param columnOf the column of an operand's name
 */
export function calculated(expression: Arithmetic, columnOf: (name: string) => number, replaceMissing: boolean): Maker {
  const names = [...new Set(namesIn(expression))];
  const columns = names.map(columnOf);
  return ({ kernel, arena, descriptorOf }, target, within) => {
    const room = arena.alloc(layout.ROW_CAP * NUMBER_BYTES + layout.READ_PAD, 16);
    const operands = columns.map((column) => (descriptorOf(column) + layout.COLUMN_CELLS) >>> 2);
    const held = (target + layout.COLUMN_CELLS) >>> 2;
    // This memory never grows.
    const { u8, u32 } = arena;
    const reader = new CellNumbers(arena);
    const spelled = new Map<number, number>();
    let row = 0;
    const valueOf = (name: string): number | undefined => {
      const cells = u32[operands[names.indexOf(name)]!]! >>> 2;
      return reader.at(cells + row * 2) ?? (replaceMissing ? 0 : undefined);
    };
    return {
      run(rows) {
        kernel.clearColumn(target, rows);
        spelled.clear();
        const mask = within?.address ?? 0;
        const cells = u32[held]! >>> 2;
        let used = room;
        for (row = 0; row < rows; row++) {
          if (mask && !((u8[mask + (row >>> 3)]! >>> (row & 7)) & 1)) continue;
          const value = evaluate(expression, valueOf);
          if (value === undefined) continue;
          const known = spelled.get(value);
          if (known !== undefined) {
            u32[cells + row * 2] = u32[known]!;
            u32[cells + row * 2 + 1] = u32[known + 1]!;
            continue;
          }
          const text = String(value);
          for (let i = 0; i < text.length; i++) u8[used + i] = text.charCodeAt(i);
          u32[cells + row * 2] = used;
          u32[cells + row * 2 + 1] = (text.length | (layout.KIND_NUMBER << KIND_SHIFT)) >>> 0;
          spelled.set(value, cells + row * 2);
          used += text.length;
        }
        return true;
      },
    };
  };
}

function namesIn(node: Arithmetic): string[] {
  switch (node.kind) {
    case "number": return [];
    case "name": return [node.name];
    case "negative": return namesIn(node.of);
    case "operation": return [...namesIn(node.left), ...namesIn(node.right)];
  }
}

/** Reads cells as numbers. */
class CellNumbers {
  readonly #u8: Uint8Array;
  readonly #u32: Uint32Array;
  readonly #bytes: Buffer;

  constructor(arena: Arena) {
    this.#u8 = arena.u8;
    this.#u32 = arena.u32;
    this.#bytes = Buffer.from(arena.memory.buffer);
  }

  /** @param at of the cell's lower word. @returns undefined where it holds no number, nor a text that is one */
  at(at: number): number | undefined {
    const u8 = this.#u8;
    const u32 = this.#u32;
    const high = u32[at + 1]!;
    const kind = high >>> KIND_SHIFT;
    const length = high & LENGTH_MASK;
    if (kind !== layout.KIND_NUMBER && kind !== layout.KIND_STRING) return undefined;
    const start = u32[at]!;
    if (length > 0 && length <= SAFE_DIGITS) {
      let value = 0;
      let i = 0;
      for (; i < length; i++) {
        const digit = u8[start + i]! - ZERO;
        if (digit < 0 || digit > 9) break;
        value = value * 10 + digit;
      }
      if (i === length) return value;
    }
    const text = this.#bytes.toString("latin1", start, start + length);
    return kind === layout.KIND_NUMBER ? Number(text) : numberIn(text);
  }
}
