import * as layout from "../../../assembly/layout.ts";
import type { Matching } from "../matching/matching.ts";
import { DERIVED_EXTRAS } from "../steps.ts";
import type { TextFilter } from "../text/host-texts.ts";
import type { Operation, Placement, PlannedOperation, RowMask } from "./operation.ts";
import { AND_NOT, COPY, type Feed, OR, OVERRIDE, categoriesAt } from "./operations.ts";

/** What is made of each value on its way. */
export interface ValueFilter {
  /** What the kernel knows of it, `CAPTURE_*`. */
  readonly kind: number;
  readonly filter?: TextFilter;
  /** The first value of a row alone. */
  readonly first?: boolean;
  /** The empty text is a value too. */
  readonly keepsEmpty?: boolean;
}

/** Fills a column beside the plan's with what rows are to be given. */
export type Maker = (placement: Placement, target: number, within: RowMask | undefined) => Operation;

/** Where a value goes. */
export type Assigned =
  | { readonly kind: "columns"; readonly feeds: readonly Feed[] }
  | { readonly kind: "reserved"; readonly column: number; readonly isStatus: boolean }
  | { readonly kind: "tag"; readonly key: string; readonly values: number; readonly tags: number | undefined };

const encoder = new TextEncoder();

/** Values of a column as a filter makes them. */
export function converted(source: number, filter: ValueFilter): Maker {
  return (placement, target, within) => conversion(placement, placement.descriptorOf(source), target, within, filter);
}

/** What another makes, as a filter makes it. */
export function through(maker: Maker, filter: ValueFilter): Maker {
  return (placement, target, within) => {
    const between = placement.held(1);
    const make = maker(placement, between, within);
    const convert = conversion(placement, between, target, undefined, filter);
    return { run: (rows) => make.run(rows) && convert.run(rows) };
  };
}

function conversion({ kernel, arena, texts, extrasOf }: Placement, source: number, target: number, within: { readonly address: number } | undefined, { kind, filter, first, keepsEmpty }: ValueFilter): Operation {
  const struct = arena.alloc(layout.CONVERT_BYTES, 16);
  const fields = [
    [layout.CONVERT_SOURCE, source], [layout.CONVERT_TARGET, target], [layout.CONVERT_FILTER, kind], [layout.CONVERT_NUMBER, filter ? texts.filter(filter) : 0],
    [layout.CONVERT_MEMO, filter ? arena.alloc(layout.MEMO_BYTES, 8) : 0], [layout.CONVERT_FLAGS, (first ? layout.CONVERT_FIRST_ONLY : 0) | (keepsEmpty ? layout.CONVERT_KEEPS_EMPTY : 0)], [layout.CONVERT_EXTRAS, extrasOf(target)], [layout.CONVERT_CAPACITY, DERIVED_EXTRAS],
  ] as const;
  for (const [field, value] of fields) arena.u32[(struct + field) >>> 2] = value;
  return {
    run(rows) {
      // The mask of a remapper's second source is made anew for each batch.
      arena.u32[(struct + layout.CONVERT_MASK) >>> 2] = within?.address ?? 0;
      return kernel.convert(struct, rows) !== 0;
    },
  };
}

export interface BuiltPart {
  /** Column whose values stand there; else a text. */
  readonly column?: number;
  readonly text?: string;
}

/** Texts put together of constant parts and of the row's values. */
export function built(parts: readonly BuiltPart[], replaces: boolean): Maker {
  return ({ kernel, arena, descriptorOf }, target, within) => {
    const struct = arena.alloc(layout.BUILD_BYTES, 16);
    const list = arena.alloc(Math.max(1, parts.length) * layout.PART_BYTES, 16);
    parts.forEach(({ column, text = "" }, i) => {
      const bytes = encoder.encode(text);
      arena.u32.set([column === undefined ? 0 : descriptorOf(column), arena.bytes(bytes), bytes.length, 0], (list + i * layout.PART_BYTES) >>> 2);
    });
    arena.u32.set([list, parts.length, target, within?.address ?? 0, replaces ? 1 : 0], struct >>> 2);
    return { run: (rows) => kernel.buildText(struct, rows) !== 0 };
  };
}

/** Gives rows what was made for them, over what stood there. */
export function assign(maker: Maker, assigned: Assigned, within: RowMask | undefined): PlannedOperation {
  return (placement) => {
    const held = placement.held(0);
    const make = maker(placement, held, within);
    const give = giving(placement, held, assigned, true);
    return { run: (rows) => make.run(rows) && give.run(rows, 0) };
  };
}

interface Giving {
  /** Row bitset: those that were given something. */
  readonly moved: number;
  /** @param mask row bitset, 0 = every row. @returns false when an area is full */
  run(rows: number, mask: number): boolean;
}

/** @param source column of what is given; tags must be those of the mask already */
function giving(placement: Placement, source: number, assigned: Assigned, overrides: boolean): Giving {
  const { kernel, arena, extrasOf, bitset, descriptorOf } = placement;
  const moved = bitset();
  const move = (target: number, into: number): ((rows: number, mask: number) => boolean) => {
    const own = extrasOf(target);
    return (rows, mask) => kernel.moveRows(target, source, mask, rows, overrides ? OVERRIDE : 0, DERIVED_EXTRAS, own, into) !== 0;
  };
  switch (assigned.kind) {
    case "columns": {
      const beside = bitset();
      const given = assigned.feeds.filter(({ clears }) => !clears).map(({ column }, i) => move(descriptorOf(column), i ? beside : moved));
      const cleared = assigned.feeds.filter(({ clears }) => clears).map(({ column }) => descriptorOf(column));
      return {
        moved,
        run(rows, mask) {
          if (!given.every((each) => each(rows, mask))) return false;
          for (const descriptor of cleared) kernel.setRows(descriptor, moved, rows, 0, 0, 0);
          return true;
        },
      };
    }
    case "reserved": {
      const into = move(descriptorOf(assigned.column), moved);
      return {
        moved,
        run(rows, mask) {
          if (!into(rows, mask)) return false;
          if (assigned.isStatus) kernel.normalizeStatus(descriptorOf(assigned.column), moved, rows);
          return true;
        },
      };
    }
    case "tag": {
      const struct = arena.alloc(layout.LAY_BYTES, 16);
      const key = encoder.encode(`${assigned.key}:`);
      const tags = assigned.tags === undefined ? 0 : descriptorOf(assigned.tags);
      const fields = [
        [layout.LAY_TAGS, tags], [layout.LAY_VALUES, descriptorOf(assigned.values)], [layout.LAY_SOURCE, source], [layout.LAY_KEY, arena.bytes(key)], [layout.LAY_KEY_LENGTH, key.length],
        [layout.LAY_OVERRIDE, overrides ? 1 : 0], [layout.LAY_MOVED, moved], [layout.LAY_EXTRAS, tags ? placement.extras() : 0], [layout.LAY_OTHER, tags ? placement.extras() : 0],
        [layout.LAY_CAPACITY, DERIVED_EXTRAS],
      ] as const;
      for (const [field, value] of fields) arena.u32[(struct + field) >>> 2] = value;
      return { moved, run: (rows) => kernel.layTags(struct, rows) !== 0 };
    }
  }
}

export interface RemappedSource {
  readonly column: number;
  /** Columns of what is taken away from where it was moved. */
  readonly takes: readonly number[];
  /** What is made of its values; undefined where they stay as they are. */
  readonly filter: ValueFilter | undefined;
}

/** The first of the sources that has a value gives it to the target. */
export function remapValues(sources: readonly RemappedSource[], assigned: Assigned, overrides: boolean, within: RowMask | undefined): PlannedOperation {
  return (placement) => {
    const { kernel, arena, bitset, descriptorOf } = placement;
    const done = bitset();
    const left = bitset();
    const rest = { address: left };
    const held = placement.held(0);
    const steps = sources.map(({ column, takes, filter }, i) => {
      const mask = i ? rest : within;
      const source = descriptorOf(column);
      const make = filter ? conversion(placement, source, held, mask, filter) : undefined;
      return { mask, make, give: giving(placement, filter ? held : source, assigned, overrides), takes: takes.map(descriptorOf) };
    });
    return {
      run(rows) {
        for (const [i, { mask, make, give, takes }] of steps.entries()) {
          if (i) {
            if (within) kernel.combineMasks(left, within.address, rows, COPY);
            else arena.u8.fill(255, left, left + layout.ROW_WORD_BYTES);
            kernel.combineMasks(left, done, rows, AND_NOT);
          }
          if (make && !make.run(rows)) return false;
          if (!give.run(rows, mask?.address ?? 0)) return false;
          kernel.combineMasks(done, give.moved, rows, i ? OR : COPY);
          for (const each of takes) kernel.setRows(each, give.moved, rows, 0, 0, 0);
        }
        return true;
      },
    };
  };
}

/** Of the texts, that of the first query which finds the row. */
export function chosen(matching: Matching, texts: readonly string[]): Maker {
  return (placement, target, within) => {
    const choose = categoriesAt(placement, matching, texts, within, [{ descriptor: target, clears: false }]);
    return {
      run(rows) {
        placement.kernel.clearColumn(target, rows);
        return choose.run(rows);
      },
    };
  };
}

/**
 * The first of the sources that has a value replaces a reserved attribute, if that can hold it: a text that is not empty, a time that
 * can be read. `once`: rows where that was done.
 */
export function remap(target: number, sources: readonly number[], within: RowMask | undefined, becomes: "status" | "time" | "text", once: RowMask | undefined): PlannedOperation {
  return (placement) => {
    const { kernel, arena, descriptorOf, extrasOf, bitset } = placement;
    const descriptor = descriptorOf(target);
    const own = extrasOf(descriptor);
    const first = placement.held(0);
    const firstExtras = extrasOf(first);
    const texts = becomes === "time" ? undefined : conversion(placement, first, placement.held(1), undefined, { kind: layout.CAPTURE_TEXT, first: true });
    const held = texts ? placement.held(1) : first;
    const moved = bitset();
    const rest = bitset();
    return {
      run(rows) {
        kernel.clearColumn(first, rows);
        for (const source of sources) if (!kernel.moveRows(first, descriptorOf(source), within?.address ?? 0, rows, 0, DERIVED_EXTRAS, firstExtras, moved)) return false;
        if (texts && !texts.run(rows)) return false;
        if (!texts) kernel.dropTimeless(first, 0, rows, placement.texts.arrivalMs);
        if (once) {
          arena.u8.fill(255, rest, rest + layout.ROW_WORD_BYTES);
          kernel.combineMasks(rest, once.address, rows, AND_NOT);
        }
        if (!kernel.moveRows(descriptor, held, once ? rest : 0, rows, OVERRIDE, DERIVED_EXTRAS, own, moved)) return false;
        if (becomes === "status") kernel.normalizeStatus(descriptor, moved, rows);
        if (once) kernel.combineMasks(once.address, moved, rows, OR);
        return true;
      },
    };
  };
}
