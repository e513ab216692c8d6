import * as layout from "../../assembly/layout.ts";
import { type DefaultName, PlanDefaults } from "./defaults.ts";
import type { Arena } from "./memory.ts";
import type { StepSpec } from "./sources.ts";

/** Values beyond the first of a derived column, in one batch. */
export const DERIVED_EXTRAS = 32 * 1024;
export const TAG_ARENA_BYTES = 1 << 20;

const encoder = new TextEncoder();

/**
 * Areas for further values of columns. They hold something while a batch is judged, and plans judge one at a time: all plans of an
 * instance use the same, each area for one column of its own.
 */
export class ExtrasAreas {
  static readonly #shared = new WeakMap<Arena, number[]>();
  readonly #arena: Arena;
  readonly #areas: number[];
  #taken = 0;

  constructor(arena: Arena) {
    this.#arena = arena;
    const areas = ExtrasAreas.#shared.get(arena) ?? [];
    ExtrasAreas.#shared.set(arena, (this.#areas = areas));
  }

  /** Address of one that this plan has not taken before: u64[DERIVED_EXTRAS], u32[DERIVED_EXTRAS]. */
  take(): number {
    if (this.#taken === this.#areas.length) this.#areas.push(this.#arena.alloc(DERIVED_EXTRAS * 12, 16));
    return this.#areas[this.#taken++]!;
  }
}

/** Gives a column a place for further values of its own. */
export function ownExtras(arena: Arena, descriptor: number, cells = arena.alloc(DERIVED_EXTRAS * 12, 16)): void {
  arena.u32[(descriptor + layout.COLUMN_EXTRA_CELLS) >>> 2] = cells;
  arena.u32[(descriptor + layout.COLUMN_EXTRA_ROWS) >>> 2] = cells + DERIVED_EXTRAS * 8;
}

/** Derive steps as they lie in memory. */
export interface PlacedSteps {
  readonly address: number;
  readonly count: number;
  readonly defaults: PlanDefaults;
}

export function writeSteps(arena: Arena, steps: readonly StepSpec[], descriptorOf: (column: number) => number, areas: ExtrasAreas): PlacedSteps {
  const defaults: Array<{ name: DefaultName; step: number }> = [];
  const address = arena.alloc(Math.max(1, steps.length) * layout.STEP_BYTES, 16);
  steps.forEach((step, i) => {
    const put = (field: number, value: number): void => {
      arena.u32[(address + i * layout.STEP_BYTES + field) >>> 2] = value;
    };
    put(layout.STEP_EXTRA, DERIVED_EXTRAS);
    switch (step.kind) {
      case "coalesce":
        put(layout.STEP_KIND, layout.STEP_COALESCE);
        put(layout.STEP_TARGET, descriptorOf(step.target));
        put(layout.STEP_SOURCE, descriptorOf(step.source));
        put(layout.STEP_OWN, areas.take());
        return;
      case "default":
        // Its text is the input's, and comes with each task.
        put(layout.STEP_TARGET, descriptorOf(step.target));
        defaults.push({ name: step.name, step: address + i * layout.STEP_BYTES });
        return;
      case "status":
        put(layout.STEP_KIND, layout.STEP_STATUS);
        put(layout.STEP_TARGET, descriptorOf(step.target));
        return;
      case "tags": {
        put(layout.STEP_KIND, step.split ? layout.STEP_TAGS : layout.STEP_TAG_KEYS);
        put(layout.STEP_SOURCE, descriptorOf(step.source));
        put(layout.STEP_TARGET, step.tags === undefined ? 0 : descriptorOf(step.tags));
        const keys = arena.alloc(Math.max(1, step.keys.length) * layout.TAG_KEY_BYTES, 4);
        step.keys.forEach(({ key, column }, k) => {
          const text = encoder.encode(key);
          const at = (keys + k * layout.TAG_KEY_BYTES) >>> 2;
          arena.u32[at + layout.TAG_KEY_TEXT / 4] = arena.bytes(text);
          arena.u32[at + layout.TAG_KEY_LENGTH / 4] = text.length;
          arena.u32[at + layout.TAG_KEY_TARGET / 4] = descriptorOf(column);
          arena.u32[at + layout.TAG_KEY_EXTRA / 4] = DERIVED_EXTRAS;
        });
        put(layout.STEP_TEXT, keys);
        put(layout.STEP_LENGTH, step.keys.length);
      }
    }
  });
  return { address, count: steps.length, defaults: new PlanDefaults(arena, defaults) };
}
