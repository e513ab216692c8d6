import { fieldText } from "../query/field.ts";
import type { Field } from "../query/tree.ts";

/** What is to be counted: logs by the values of fields, and by time where an interval is given. Without fields: all of them. */
export interface TallyRequest {
  readonly fields: readonly Field[];
  readonly intervalMs?: number;
}

export interface TallyGroup {
  /** One of each field; a log with several values of a field counts once for each. */
  readonly values: readonly string[];
  readonly count: number;
  /** Starts of intervals since the epoch, ascending, those without logs left out. Empty without an interval. */
  readonly buckets: ReadonlyArray<{ readonly fromMs: number; readonly count: number }>;
}

export interface TallyAnswer {
  readonly fields: readonly string[];
  /** Most logs first, then by value. */
  readonly groups: readonly TallyGroup[];
  /** Logs without a value of one of the fields. */
  readonly missing: number;
  /** Logs of groups that there was no room for, those of other groups are exact all the same; and logs of over a thousand groups, which count in none. */
  readonly beyond: number;
}

/** Groups, and intervals of all groups together. Values come from senders, who may invent any number of them. */
const MOST_GROUPS = 100_000;
const MOST_BUCKETS = 500_000;
/** Groups that one log counts in when several fields have many values each: a sender's single log would have billions. */
const MOST_COMBINATIONS = 1000;

interface Counted {
  readonly values: readonly string[];
  count: number;
  readonly buckets: Map<number, number>;
}

/** Counts logs in bounded room: groups that come when it is full are counted together. */
export class Tally {
  readonly fields: readonly Field[];
  readonly #intervalMs: number | undefined;
  readonly #groups = new Map<string, Counted>();
  #buckets = 0;
  #missing = 0;
  #beyond = 0;

  constructor({ fields, intervalMs }: TallyRequest) {
    this.fields = fields;
    this.#intervalMs = intervalMs;
  }

  /** @param values distinct values of each field. */
  add(timeMs: number, values: ReadonlyArray<readonly string[]>): void {
    if (values.some((each) => each.length === 0)) this.#missing++;
    else if (values.length === 0) this.#count(timeMs, []);
    else if (values.length === 1) for (const value of values[0]!) this.#count(timeMs, [value]);
    else if (values.reduce((product, each) => product * each.length, 1) > MOST_COMBINATIONS) this.#beyond++;
    else for (const combination of combinations(values)) this.#count(timeMs, combination);
  }

  answer(): TallyAnswer {
    const groups = [...this.#groups.values()]
      .sort((a, b) => b.count - a.count || compareTexts(a.values, b.values))
      .map(({ values, count, buckets }) => ({ values, count, buckets: [...buckets].sort((a, b) => a[0] - b[0]).map(([fromMs, times]) => ({ fromMs, count: times })) }));
    return { fields: this.fields.map(fieldText), groups, missing: this.#missing, beyond: this.#beyond };
  }

  #count(timeMs: number, values: readonly string[]): void {
    const key = values.length === 1 ? values[0]! : JSON.stringify(values);
    let group = this.#groups.get(key);
    const bucket = this.#intervalMs === undefined ? undefined : Math.floor(timeMs / this.#intervalMs) * this.#intervalMs;
    const isNewBucket = bucket !== undefined && !group?.buckets.has(bucket);
    if ((!group && this.#groups.size >= MOST_GROUPS) || (isNewBucket && this.#buckets >= MOST_BUCKETS)) {
      this.#beyond++;
      return;
    }
    if (!group) this.#groups.set(key, (group = { values, count: 0, buckets: new Map() }));
    group.count++;
    if (bucket === undefined) return;
    if (isNewBucket) this.#buckets++;
    group.buckets.set(bucket, (group.buckets.get(bucket) ?? 0) + 1);
  }
}

function* combinations(values: ReadonlyArray<readonly string[]>, at = 0): Generator<readonly string[]> {
  if (at === values.length) {
    yield [];
    return;
  }
  for (const rest of combinations(values, at + 1)) for (const value of values[at]!) yield [value, ...rest];
}

function compareTexts(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  return 0;
}
