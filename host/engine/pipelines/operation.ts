import * as layout from "../../../assembly/layout.ts";
import { DERIVED_EXTRAS } from "../steps.ts";
import type { Kernel } from "../kernel.ts";
import type { Arena } from "../memory.ts";
import type { HostTexts } from "../text/host-texts.ts";

/** A set of rows, known once the operation that makes it has run. */
export class RowMask {
  /** Address of the bitset; set when operations are placed in memory. */
  address = 0;
}

/** One step of pipelines over the columns of a batch. */
export interface Operation {
  /** @returns false when an area is full: the caller takes fewer rows. */
  run(rows: number): boolean;
}

/** What operations are placed with, once columns have addresses. */
export class Placement {
  readonly kernel: Kernel;
  readonly arena: Arena;
  readonly texts: HostTexts;
  readonly columnTable: number;
  readonly timesAddress: number;
  readonly descriptorOf: (column: number) => number;

  constructor(kernel: Kernel, arena: Arena, texts: HostTexts, columnTable: number, timesAddress: number) {
    this.kernel = kernel;
    this.arena = arena;
    this.texts = texts;
    this.columnTable = columnTable;
    this.timesAddress = timesAddress;
    this.descriptorOf = (column) => columnTable + column * layout.COLUMN_BYTES;
  }

  readonly bitset = (): number => this.arena.alloc(layout.ROW_WORD_BYTES + 64, 64);

  /** Room for the extras of a column that grows. */
  readonly extras = (): number => this.arena.alloc(DERIVED_EXTRAS * 12, 16);

  /** A column beside the plan's, for values on their way. */
  readonly column = (): number => {
    const descriptor = this.arena.alloc(layout.COLUMN_BYTES, 16);
    this.arena.u32.set([this.arena.alloc(layout.ROW_CAP * 8, 64), 0, 0, 0], descriptor >>> 2);
    return descriptor;
  };
}

export type PlannedOperation = (placement: Placement) => Operation;

/** A pipeline that columns cannot follow; its events are made one by one. */
export class UnsupportedPipeline extends Error {}
