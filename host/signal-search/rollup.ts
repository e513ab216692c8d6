import { ProblemError } from "../problem.ts";
import type { Field } from "../query/tree.ts";
import { type Bits, countBits, rowsOf } from "./bits.ts";
import type { Deadline } from "./deadline.ts";
import { fieldColumn } from "./field-column.ts";
import { type Measured, measure } from "./measure.ts";
import type { SignalIndex, TextColumn } from "./signal-index.ts";
import type { Texts } from "./texts.ts";

export type Aggregation = "count" | "cardinality" | "sum" | "avg" | "min" | "max" | "percentile";

export interface Compute {
  readonly aggregation: Aggregation;
  /** Between 0 and 1, of a percentile. */
  readonly percentile?: number;
  /** Whose values are taken; a count has none. */
  readonly field?: Field;
  /** Undefined: one number for all time. */
  readonly intervalMs?: number;
}

export interface GroupBy {
  readonly field: Field;
  /** As it is called in the answer. */
  readonly name: string;
  readonly limit: number;
  readonly ascending: boolean;
  /** Undefined: by the value's name. */
  readonly sortBy: Compute | undefined;
  /** What signals without a value are counted as; undefined leaves them out. */
  readonly missing: string | undefined;
}

export interface Rollup {
  readonly computes: readonly Compute[];
  readonly groups: readonly GroupBy[];
}

export interface Point {
  /** Start of the interval, epoch ms; intervals without signals are left out. */
  readonly timeMs: number;
  readonly value: number | null;
}

export interface RollupBucket {
  readonly by: Readonly<Record<string, string>>;
  /** One for each compute: a number (null where nothing was to be measured), or points in time. */
  readonly values: ReadonlyArray<number | null | readonly Point[]>;
}

/** Groups, and groups times intervals, that one answer may have. */
const MOST_GROUPS = 1_000_000;
const MOST_POINTS = 500_000;
/** Rows times their values of all groups. */
const MOST_ENTRIES = 20_000_000;

/** Which rows are in which group: a row with several values of a facet is in several. */
interface Grouped {
  readonly rows: Uint32Array;
  readonly groups: Uint32Array;
  /** Of each group, the group it is within and its value of the last facet; 0 is no value. */
  readonly levels: ReadonlyArray<{ readonly parents: readonly number[]; readonly codes: readonly number[]; readonly texts: Texts | undefined }>;
  readonly count: number;
}

/**
 * Counts and measures the selected signals, by groups and over time.
 *
 * Groups of the first facet hold those of the next; each facet is cut to its limit in its order, by the numbers of the groups as they
 * are at that depth. Throws `signals/too-many-groups`.
 */
export function rollup(index: SignalIndex, selected: Bits, { computes, groups }: Rollup, deadline: Deadline): readonly RollupBucket[] {
  let grouped: Grouped = { rows: rowsOf(selected), groups: new Uint32Array(countBits(selected)), levels: [], count: 1 };
  let order = [0];
  for (const by of groups) {
    deadline.check();
    grouped = divided(grouped, fieldColumn(index, by.field), by);
    deadline.check();
    order = chosen(index, grouped, order, by, deadline);
    grouped = kept(grouped, order);
    order = order.map((_, i) => i);
  }
  const measured = computes.map((compute) => {
    deadline.check();
    return computed(index, grouped, compute, deadline);
  });
  return order.map((group) => ({
    by: Object.fromEntries(namesOf(grouped, group, groups).map((value, i) => [groups[i]!.name, value])),
    values: measured.map((values) => values(group)),
  }));
}

/** Each group by the values of one more facet. */
function divided({ rows, groups, levels, count }: Grouped, column: TextColumn | undefined, by: GroupBy): Grouped {
  const [parents, codes]: [number[], number[]] = [[], []];
  const numbers = new GroupNumbers(count, (column?.dictionary.count ?? 0) + 1);
  const { at, codes: found, rows: read } = column ? column.spread(rows, MOST_ENTRIES) : { at: undefined, codes: new Uint32Array(rows.length), rows: rows.length };
  if (read < rows.length || found.length > MOST_ENTRIES) throw tooMany("signals are in too many groups each");
  const isLeftOut = by.missing === undefined;
  const newRows = new Uint32Array(found.length);
  const newGroups = new Uint32Array(found.length);
  let length = 0;
  for (let entry = 0; entry < found.length; entry++) {
    const code = found[entry]!;
    if (code === 0 && isLeftOut) continue;
    const i = at ? at[entry]! : entry;
    const parent = groups[i]!;
    let group = numbers.get(parent, code);
    if (group < 0) {
      group = parents.length;
      if (group === MOST_GROUPS) throw tooMany(`more than ${MOST_GROUPS} groups`);
      numbers.set(parent, code, group);
      parents.push(parent);
      codes.push(code);
    }
    newRows[length] = rows[i]!;
    newGroups[length++] = group;
  }
  return { rows: newRows.subarray(0, length), groups: newGroups.subarray(0, length), levels: [...levels, { parents, codes, texts: column?.dictionary }], count: parents.length };
}

/** Numbers of pairs: a table where it is small, a map where not. */
class GroupNumbers {
  readonly #values: number;
  readonly #table: Int32Array | undefined;
  readonly #map = new Map<number, number>();

  constructor(parents: number, values: number) {
    this.#values = values;
    if (parents * values <= 1 << 22) this.#table = new Int32Array(parents * values).fill(-1);
  }

  get(parent: number, code: number): number {
    const key = parent * this.#values + code;
    return this.#table ? this.#table[key]! : (this.#map.get(key) ?? -1);
  }

  set(parent: number, code: number, group: number): void {
    const key = parent * this.#values + code;
    if (this.#table) this.#table[key] = group;
    else this.#map.set(key, group);
  }
}

/** Groups of the last level in order, of each group above (in their order) as many as the limit. */
function chosen(index: SignalIndex, grouped: Grouped, above: readonly number[], by: GroupBy, deadline: Deadline): number[] {
  const level = grouped.levels.at(-1)!;
  const within: number[][] = above.map(() => []);
  level.parents.forEach((parent, group) => within[parent]!.push(group));
  const value = by.sortBy ? computed(index, grouped, { ...by.sortBy, intervalMs: undefined }, deadline) : undefined;
  // A name has the order of its bytes; what has no number comes last, whichever way.
  const named = (a: number, b: number): number => compareNames(level, a, b);
  const compare = (a: number, b: number): number => {
    if (!value) return by.ascending ? named(a, b) : named(b, a);
    const [left, right] = [value(a) as number | null, value(b) as number | null];
    if (left === right) return named(a, b);
    if (left === null || right === null) return left === null ? 1 : -1;
    return by.ascending ? left - right : right - left;
  };
  return within.flatMap((groups) => groups.sort(compare).slice(0, by.limit));
}

function compareNames({ codes, texts }: Grouped["levels"][number], a: number, b: number): number {
  const [left, right] = [codes[a]!, codes[b]!];
  if (left === 0 || right === 0 || !texts) return left - right;
  return texts.compareTexts(left, right) || texts.kind(left) - texts.kind(right);
}

/** Only the groups that were chosen, numbered in their order. */
function kept({ rows, groups, levels, count }: Grouped, order: readonly number[]): Grouped {
  const to = new Int32Array(count).fill(-1);
  order.forEach((group, i) => (to[group] = i));
  let length = 0;
  for (let i = 0; i < rows.length; i++) {
    const group = to[groups[i]!]!;
    if (group < 0) continue;
    rows[length] = rows[i]!;
    groups[length++] = group;
  }
  const last = levels.at(-1)!;
  const level = { ...last, parents: order.map((group) => last.parents[group]!), codes: order.map((group) => last.codes[group]!) };
  return { rows: rows.subarray(0, length), groups: groups.subarray(0, length), levels: [...levels.slice(0, -1), level], count: order.length };
}

function namesOf({ levels }: Grouped, group: number, by: readonly GroupBy[]): string[] {
  const names: string[] = [];
  let at = group;
  for (let depth = levels.length - 1; depth >= 0; depth--) {
    const { parents, codes, texts } = levels[depth]!;
    names.unshift(codes[at] === 0 ? by[depth]!.missing! : texts!.text(codes[at]!));
    at = parents[at]!;
  }
  return names;
}

/** What is computed of a group, for any of them. */
function computed(index: SignalIndex, { rows, groups, count }: Grouped, compute: Compute, deadline: Deadline): (group: number) => Measured | readonly Point[] {
  const { intervalMs } = compute;
  if (intervalMs === undefined) {
    const values = measure(index, rows, groups, count, compute, deadline);
    return (group) => values(group);
  }
  // Groups of intervals: numbered as they come.
  const { times } = index;
  const starts: number[] = [];
  const owners: number[] = [];
  const points = new Uint32Array(rows.length);
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < rows.length; i++) {
    const interval = Math.floor(times[rows[i]!]! / intervalMs);
    if (interval < first) first = interval;
    if (interval > last) last = interval;
  }
  const known = new GroupNumbers(Math.max(0, last - first + 1), count);
  for (let i = 0; i < rows.length; i++) {
    const interval = Math.floor(times[rows[i]!]! / intervalMs);
    const group = groups[i]!;
    let point = known.get(interval - first, group);
    if (point < 0) {
      point = starts.length;
      if (point === MOST_POINTS) throw tooMany(`more than ${MOST_POINTS} points in time`);
      known.set(interval - first, group, point);
      starts.push(interval * intervalMs);
      owners.push(group);
    }
    points[i] = point;
  }
  const values = measure(index, rows, points, starts.length, compute, deadline);
  const byGroup: Point[][] = Array.from({ length: count }, () => []);
  starts.forEach((timeMs, point) => byGroup[owners[point]!]!.push({ timeMs, value: values(point) }));
  for (const each of byGroup) each.sort((a, b) => a.timeMs - b.timeMs);
  return (group) => byGroup[group]!;
}

function tooMany(what: string): ProblemError {
  return new ProblemError([{ code: "signals/too-many-groups", message: `there are ${what}`, hint: "group by fewer fields, take a longer interval, or ask for less time" }]);
}
