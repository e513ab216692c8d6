import { KIND_STRING, ROW_WORD_BYTES } from "../../../assembly/layout.ts";
import { Matching } from "../matching/matching.ts";
import type { GrokFeed } from "../text/grok-step.ts";
import { type Operation, type Placement, type PlannedOperation, RowMask } from "./operation.ts";

const AND = 0;
export const AND_NOT = 1;
export const OR = 2;
export const COPY = 3;
export const OVERRIDE = 1;

const encoder = new TextEncoder();

/** Columns that a value goes to, and those that lose theirs by it. */
export interface Feed {
  readonly column: number;
  readonly clears: boolean;
  readonly fills?: boolean;
}

/** Operations for the rows that a filter matches, of those of `parent`. Most filters match none of a batch. */
export function within(matching: Matching, mask: RowMask, parent: RowMask | undefined, operations: readonly PlannedOperation[]): PlannedOperation {
  return (placement) => {
    const { kernel, arena, columnTable, timesAddress, bitset } = placement;
    const struct = matching.write(arena, columnTable, timesAddress, kernel);
    mask.address = bitset();
    const placed = operations.map((operation) => operation(placement));
    return {
      run(rows) {
        kernel.matchBits(struct, rows, mask.address);
        if (!kernel.combineMasks(mask.address, parent?.address ?? mask.address, rows, parent ? AND : COPY)) return true;
        return placed.every((operation) => operation.run(rows));
      },
    };
  };
}

/** The first category whose filter matches gives its name. */
export function categories(matching: Matching, names: readonly string[], within: RowMask | undefined, feeds: readonly Feed[]): PlannedOperation {
  return (placement) => categoriesAt(placement, matching, names, within, feeds.map(({ column, clears }) => ({ descriptor: placement.descriptorOf(column), clears })));
}

export function categoriesAt({ kernel, arena, columnTable, timesAddress, bitset }: Placement, matching: Matching, names: readonly string[], within: RowMask | undefined, feeds: ReadonlyArray<{ readonly descriptor: number; readonly clears: boolean }>): Operation {
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
        for (const { descriptor, clears } of feeds) kernel.setRows(descriptor, mask, rows, texts[i]!.address, texts[i]!.length, clears ? 0 : KIND_STRING);
      });
      return true;
    },
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
