import type { GroupByText, SignalFilter } from "../signal-search/requests.ts";
import type { AggregateBucket, AggregateRequest, SignalSearch } from "../signal-search/signal-search.ts";
import type { TimeSpan } from "./links.ts";

export interface CountedGroup {
  /** Values of the facets, in their order. */
  readonly values: readonly string[];
  readonly count: number;
}

export interface GroupOverTime extends CountedGroup {
  /** By start of the interval, in epoch milliseconds; those without signals are absent. */
  readonly times: ReadonlyMap<number, number>;
}

type Facet = string | GroupByText;

/** Most values of a facet that are told apart. */
export const MOST_VALUES = 1000;

/** Numbers over the signals that somebody may see; whoever asks for the same again is told what was told before. */
export class SignalNumbers {
  readonly #search: Pick<SignalSearch, "aggregate">;
  readonly #restrict: SignalFilter["restrict"];
  readonly #known = new Map<string, Promise<readonly AggregateBucket[]>>();

  /** @param restrict only signals that one of these finds; undefined: all of them */
  constructor(search: Pick<SignalSearch, "aggregate">, restrict: SignalFilter["restrict"]) {
    this.#search = search;
    this.#restrict = restrict;
  }

  /** Signals that match, created in a span of time; at any time where none is given. */
  async count(query: string, span?: TimeSpan): Promise<number> {
    const buckets = await this.#aggregate(query, span, {});
    return Number(buckets[0]?.computes.c0 ?? 0);
  }

  /** By the values of facets, most first; those without a value are left out unless the facet says what they are. */
  async groups(query: string, span: TimeSpan | undefined, facets: readonly Facet[]): Promise<CountedGroup[]> {
    const buckets = await this.#aggregate(query, span, { group_by: facets.map(groupBy) });
    return buckets.map(({ by, computes }) => ({ values: facets.map((facet) => by[nameOf(facet)]!), count: Number(computes.c0) }));
  }

  async overTime(query: string, span: TimeSpan, facets: readonly Facet[], intervalMs: number): Promise<GroupOverTime[]> {
    const buckets = await this.#aggregate(query, span, { compute: [{ aggregation: "count" }, { aggregation: "count", type: "timeseries", interval: intervalMs }], group_by: facets.map(groupBy) });
    return buckets.map(({ by, computes: { c0, c1 } }) => ({
      values: facets.map((facet) => by[nameOf(facet)]!), count: Number(c0),
      times: new Map((c1 as ReadonlyArray<{ readonly time: string; readonly value: number }>).map(({ time, value }) => [Date.parse(time), value])),
    }));
  }

  /** The greatest number of a field, beside how many signals there are. */
  async greatest(query: string, span: TimeSpan, facets: readonly Facet[], metric: string): Promise<Array<CountedGroup & { readonly greatest: number }>> {
    const buckets = await this.#aggregate(query, span, { compute: [{ aggregation: "count" }, { aggregation: "max", metric }], group_by: facets.map(groupBy) });
    return buckets.map(({ by, computes: { c0, c1 } }) => ({ values: facets.map((facet) => by[nameOf(facet)]!), count: Number(c0), greatest: Number(c1 ?? 0) }));
  }

  /** How many signals of each value of a facet have a time, and its mean in seconds. */
  async means(query: string, span: TimeSpan | undefined, facet: Facet, metric: string): Promise<Array<CountedGroup & { readonly mean: number }>> {
    const buckets = await this.#aggregate(query, span, { compute: [{ aggregation: "count", metric }, { aggregation: "avg", metric }], group_by: [groupBy(facet)] });
    return buckets.flatMap(({ by, computes: { c0, c1 } }) => (typeof c1 === "number" ? [{ values: [by[nameOf(facet)]!], count: Number(c0), mean: c1 }] : []));
  }

  async #aggregate(query: string, span: TimeSpan | undefined, asked: Omit<AggregateRequest, "filter">): Promise<readonly AggregateBucket[]> {
    const key = JSON.stringify([query, span ?? null, asked]);
    let known = this.#known.get(key);
    if (!known) {
      const filter: SignalFilter = { query, ...(span ? { from: span.fromMs, to: span.toMs } : {}), ...(this.#restrict ? { restrict: this.#restrict } : {}) };
      this.#known.set(key, (known = this.#search.aggregate({ filter, ...asked }).then(({ buckets }) => buckets)));
    }
    return await known;
  }
}

function groupBy(facet: Facet): GroupByText {
  return typeof facet === "string" ? { facet, limit: MOST_VALUES } : { limit: MOST_VALUES, ...facet };
}

function nameOf(facet: Facet): string {
  return typeof facet === "string" ? facet : facet.facet;
}
