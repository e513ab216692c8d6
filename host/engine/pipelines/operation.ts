import * as layout from "../../../assembly/layout.ts";
import { ExtrasAreas } from "../steps.ts";
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
  readonly areas: ExtrasAreas;
  readonly texts: HostTexts;
  readonly columnTable: number;
  readonly timesAddress: number;
  readonly descriptorOf: (column: number) => number;

  constructor(kernel: Kernel, arena: Arena, texts: HostTexts, columnTable: number, timesAddress: number, areas = new ExtrasAreas(arena)) {
    this.kernel = kernel;
    this.areas = areas;
    this.arena = arena;
    this.texts = texts;
    this.columnTable = columnTable;
    this.timesAddress = timesAddress;
    this.descriptorOf = (column) => columnTable + column * layout.COLUMN_BYTES;
  }

  /** Set by an operation that cannot tell from columns what an event holds: events of the batch are then made one by one. */
  readonly odd = { isFound: false };
  readonly #extras = new Map<number, number>();
  readonly #held: number[] = [];

  readonly bitset = (): number => this.arena.alloc(layout.ROW_WORD_BYTES + 64, 64);

  /** Room for the extras of a column that grows: the same for all operations that let it. */
  readonly extrasOf = (descriptor: number): number => {
    let address = this.#extras.get(descriptor);
    if (address === undefined) this.#extras.set(descriptor, (address = this.extras()));
    return address;
  };

  /** Room for as many that nothing else uses. */
  readonly extras = (): number => this.areas.take();

  /** A column beside the plan's. */
  readonly column = (): number => {
    const descriptor = this.arena.alloc(layout.COLUMN_BYTES, 16);
    this.arena.u32.set([this.arena.alloc(layout.ROW_CAP * 8, 64), 0, 0, 0], descriptor >>> 2);
    return descriptor;
  };

  /** The same for values on their way within one operation; all operations use these. */
  readonly held = (number: number): number => {
    while (this.#held.length <= number) this.#held.push(this.column());
    return this.#held[number]!;
  };
}

export type PlannedOperation = (placement: Placement) => Operation;

/** A pipeline that columns cannot follow; its events are made one by one. */
export class UnsupportedPipeline extends Error {}
