import { KIND_STRING, ROW_WORD_BYTES } from "../../../assembly/layout.ts";
import { Matching } from "../matching/matching.ts";
import { DERIVED_EXTRAS } from "../steps.ts";
import type { GrokFeed } from "../text/grok-step.ts";
import { type PlannedOperation, RowMask } from "./operation.ts";

const AND = 0;
const AND_NOT = 1;
const OR = 2;
const COPY = 3;
const OVERRIDE = 1;
const TAKE = 2;

const encoder = new TextEncoder();

/** Columns that a value goes to, and those that lose theirs by it. */
export interface Feed {
  readonly column: number;
  readonly clears: boolean;
  readonly fills?: boolean;
}

/** Rows that a filter matches, of those of `within`. */
export function filterRows(matching: Matching, mask: RowMask, within: RowMask | undefined): PlannedOperation {
  return ({ kernel, arena, columnTable, timesAddress, bitset }) => {
    const struct = matching.write(arena, columnTable, timesAddress, kernel);
    mask.address = bitset();
    return {
      run(rows) {
        kernel.matchBits(struct, rows, mask.address);
        kernel.combineMasks(mask.address, within?.address ?? mask.address, rows, within ? AND : COPY);
        return true;
      },
    };
  };
}

/** The first category whose filter matches gives its name. */
export function categories(matching: Matching, names: readonly string[], within: RowMask | undefined, feeds: readonly Feed[]): PlannedOperation {
  return ({ kernel, arena, columnTable, timesAddress, bitset, descriptorOf }) => {
    const struct = matching.write(arena, columnTable, timesAddress, kernel);
    const bits = arena.alloc(names.length * ROW_WORD_BYTES + 64, 64);
    const taken = bitset();
    const texts = names.map((name) => encoder.encode(name)).map((text) => ({ address: arena.bytes(text), length: text.length }));
    return {
      run(rows) {
        kernel.matchBits(struct, rows, bits);
        names.forEach((_, i) => {
          const mask = bits + i * ROW_WORD_BYTES;
          kernel.combineMasks(mask, within?.address ?? mask, rows, within ? AND : COPY);
          if (i > 0) kernel.combineMasks(mask, taken, rows, AND_NOT);
          const any = kernel.combineMasks(taken, mask, rows, i > 0 ? OR : COPY);
          if (!any) return;
          for (const { column, clears } of feeds) {
            kernel.setRows(descriptorOf(column), mask, rows, texts[i]!.address, texts[i]!.length, clears ? 0 : KIND_STRING);
          }
        });
        return true;
      },
    };
  };
}

export interface Move {
  readonly target: number;
  readonly source: number;
  readonly override: boolean;
  /** The source loses its value. */
  readonly take: boolean;
}

/** Values of one column to another; of several moves to one target the first that has a value counts when none overrides. */
export function move({ target, source, override, take }: Move, within: RowMask | undefined): PlannedOperation {
  return ({ kernel, bitset, extras, descriptorOf }) => {
    const own = extras();
    const moved = bitset();
    return {
      run: (rows) => kernel.moveRows(descriptorOf(target), descriptorOf(source), within?.address ?? 0, rows, (override ? OVERRIDE : 0) | (take ? TAKE : 0), DERIVED_EXTRAS, own, moved) !== 0,
    };
  };
}

/** The first of the sources that has a value replaces a reserved attribute; a status in its normal form. `once`: rows where that was done. */
export function remap(target: number, sources: readonly number[], within: RowMask | undefined, normalizes: boolean, once: RowMask | undefined): PlannedOperation {
  return (placement) => {
    const { kernel, descriptorOf } = placement;
    const held = placement.column();
    const own = placement.extras();
    const moved = placement.bitset();
    const mask = placement.bitset();
    return {
      run(rows) {
        kernel.clearColumn(held, rows);
        for (const source of sources) {
          if (!kernel.moveRows(held, descriptorOf(source), within?.address ?? 0, rows, 0, DERIVED_EXTRAS, own, moved)) return false;
          kernel.combineMasks(mask, moved, rows, source === sources[0] ? COPY : OR);
        }
        if (normalizes) kernel.normalizeStatus(held, mask, rows);
        if (once) {
          kernel.combineMasks(mask, once.address, rows, AND_NOT);
          kernel.combineMasks(once.address, mask, rows, OR);
        }
        return kernel.moveRows(descriptorOf(target), held, mask, rows, OVERRIDE, DERIVED_EXTRAS, own, moved) !== 0;
      },
    };
  };
}

/** Empties a mask before the steps that fill it. */
export function openMask(mask: RowMask): PlannedOperation {
  return ({ arena, bitset }) => {
    mask.address = bitset();
    return {
      run() {
        arena.u8.fill(0, mask.address, mask.address + ROW_WORD_BYTES);
        return true;
      },
    };
  };
}

export function placedFeeds(feeds: readonly Feed[], descriptorOf: (column: number) => number): GrokFeed[] {
  return feeds.map(({ column, clears, fills }) => ({ descriptor: descriptorOf(column), clears, fills }));
}
