import type { Kpis } from "../signal-search/kpis.ts";
import type { GroupByText, SignalFilter } from "../signal-search/requests.ts";
import type { SignalSearch } from "../signal-search/signal-search.ts";
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

/** Numbers over the signals that somebody may see. */
export class SignalNumbers {
  readonly #search: Pick<SignalSearch, "aggregate" | "kpis">;
  readonly #restrict: SignalFilter["restrict"];
  readonly #kpis = new Map<string, Promise<Kpis>>();

  /** @param restrict only signals that one of these finds; undefined: all of them */
  constructor(search: Pick<SignalSearch, "aggregate" | "kpis">, restrict: SignalFilter["restrict"]) {
    this.#search = search;
    this.#restrict = restrict;
  }

  /** Signals that match, created in a span of time; at any time where none is given. */
  async count(query: string, span?: TimeSpan): Promise<number> {
    const { buckets } = await this.#search.aggregate({ filter: this.#filter(query, span) });
    return Number(buckets[0]?.computes.c0 ?? 0);
  }

  /** By the values of facets, most first; those without a value are left out unless the facet says what they are. */
  async groups(query: string, span: TimeSpan | undefined, facets: readonly Facet[]): Promise<CountedGroup[]> {
    const { buckets } = await this.#search.aggregate({ filter: this.#filter(query, span), group_by: facets.map(groupBy) });
    return buckets.map(({ by, computes }) => ({ values: facets.map((facet) => by[nameOf(facet)]!), count: Number(computes.c0) }));
  }

  async overTime(query: string, span: TimeSpan, facets: readonly Facet[], intervalMs: number): Promise<GroupOverTime[]> {
    const { buckets } = await this.#search.aggregate({ filter: this.#filter(query, span), compute: [{ aggregation: "count" }, { aggregation: "count", type: "timeseries", interval: intervalMs }], group_by: facets.map(groupBy) });
    return buckets.map(({ by, computes: { c0, c1 } }) => ({
      values: facets.map((facet) => by[nameOf(facet)]!), count: Number(c0),
      times: new Map((c1 as ReadonlyArray<{ readonly time: string; readonly value: number }>).map(({ time, value }) => [Date.parse(time), value])),
    }));
  }

  /** The greatest number of a field, beside how many signals there are. */
  async greatest(query: string, span: TimeSpan, facets: readonly Facet[], metric: string): Promise<Array<CountedGroup & { readonly greatest: number }>> {
    const { buckets } = await this.#search.aggregate({ filter: this.#filter(query, span), compute: [{ aggregation: "count" }, { aggregation: "max", metric }], group_by: facets.map(groupBy) });
    return buckets.map(({ by, computes: { c0, c1 } }) => ({ values: facets.map((facet) => by[nameOf(facet)]!), count: Number(c0), greatest: Number(c1 ?? 0) }));
  }

  /** Several modules are told of the same. */
  async kpis(span: TimeSpan): Promise<Kpis> {
    const key = `${span.fromMs} ${span.toMs}`;
    let known = this.#kpis.get(key);
    if (!known) this.#kpis.set(key, (known = this.#search.kpis(this.#filter("*", span))));
    return await known;
  }

  #filter(query: string, span: TimeSpan | undefined): SignalFilter {
    return { query, ...(span ? { from: span.fromMs, to: span.toMs } : {}), ...(this.#restrict ? { restrict: this.#restrict } : {}) };
  }
}

function groupBy(facet: Facet): GroupByText {
  return typeof facet === "string" ? { facet, limit: MOST_VALUES } : { limit: MOST_VALUES, ...facet };
}

function nameOf(facet: Facet): string {
  return typeof facet === "string" ? facet : facet.facet;
}
