import { ProblemError } from "../problem.ts";
import type { QueryNode } from "../query/tree.ts";
import { readInterval, readTimeBound } from "../search/time-text.ts";
import { canonicalQuery, readSignalQuery } from "./aliases.ts";
import type { Scope } from "./answers.ts";
import { type EntitySortField, entitySorts } from "./entity-rows.ts";
import { facetField } from "./facets.ts";
import type { Sort } from "./page.ts";
import type { Aggregation, Compute, GroupBy } from "./rollup.ts";

/** What every question says of the signals it is about. */
export interface SignalFilter {
  /** Search text or its tree; everything when absent. */
  readonly query?: string | QueryNode;
  /** Time of creation, from this one on and before that one: ISO 8601, epoch seconds or milliseconds, `now-24h`, `now/d`. Absent: unbounded. */
  readonly from?: string | number;
  readonly to?: string | number;
  /** What somebody may see: only signals that one of these queries finds. Absent: all; an empty list: none. */
  readonly restrict?: readonly QueryNode[];
}

/** As Datadog's API has it: `timestamp`, `-timestamp`, a facet with or without `-`; or `{field, order}`. */
export type SortText = string | { readonly field: string; readonly order?: string };

/** One number, or one an interval, of all the signals of a group. */
export interface ComputeText {
  /** `count`, `cardinality`, `sum`, `avg`, `min`, `max`, `median`, `pc95` or `p95`. */
  readonly aggregation: string;
  /** Facet that is measured; of a count: signals that have it. */
  readonly metric?: string;
  /** Default `total`. */
  readonly type?: "total" | "timeseries" | (string & {});
  /** Width of a bucket, such as `5m` or milliseconds. Default `5m`. */
  readonly interval?: string | number;
}

export interface GroupByText {
  readonly facet: string;
  /** Default 10. */
  readonly limit?: number;
  /** Default: by count, greatest first. */
  readonly sort?: { readonly type?: string; readonly aggregation?: string; readonly metric?: string; readonly order?: string };
  /** What signals without a value are counted as; left out when absent. */
  readonly missing?: string | number;
}

export const MOST_SIGNALS = 1000;
export const MOST_SKIPPED = 1_000_000;
export const MOST_FACET_VALUES = 100;
const MOST_FACETS = 100;
const MOST_GROUP_VALUES = 1000;
const MOST_GROUP_FIELDS = 4;
const MOST_COMPUTES = 20;
const DEFAULT_LIMIT = 10;
const PERCENTILE = /^(?:pc|p)(\d{1,2}(?:\.\d{1,3})?)$/;

export function problem(code: string, place: string, message: string, hint: string): ProblemError {
  return new ProblemError([{ code, place, message, hint }]);
}

export function readScope({ query, from, to, restrict }: SignalFilter, nowMs: number, mostMs: number): Scope {
  const node = query === undefined || typeof query === "string" ? readSignalQuery(query ?? "", "filter.query") : canonicalQuery(query);
  const [fromMs, toMs] = [from === undefined ? undefined : readTimeBound(from, nowMs, "filter.from"), to === undefined ? undefined : readTimeBound(to, nowMs, "filter.to")];
  if (fromMs !== undefined && toMs !== undefined && fromMs > toMs) throw problem("signals/bad-time", "filter.from", "from is after to", "let from be before to");
  return { node, fromMs, toMs, mostMs, restrict: restrict?.map(canonicalQuery) };
}

/** Default newest first. */
export function readSort(sort: SortText | undefined): Sort {
  if (sort === undefined || sort === "") return { field: undefined, descending: true };
  if (typeof sort !== "string" && (typeof sort !== "object" || sort === null || typeof sort.field !== "string")) {
    throw problem("signals/bad-sort", "sort", "signals cannot be sorted by this", "write timestamp, -timestamp, or a facet such as -severity");
  }
  const text = typeof sort === "string" ? sort : sort.field;
  const isNegative = text.startsWith("-");
  const name = isNegative ? text.slice(1) : text;
  const order = typeof sort === "string" ? undefined : sort.order;
  if (order !== undefined && order !== "asc" && order !== "desc") throw problem("signals/bad-sort", "sort.order", `${JSON.stringify(order)} is no order`, "use asc or desc");
  const descending = order === undefined ? isNegative : order === "desc";
  return { field: name === "timestamp" || name === "@timestamp" ? undefined : facetField(name, "sort"), descending };
}

/** Default the highest scores first. */
export function readEntitySort(sort: string | undefined): { readonly field: EntitySortField; readonly descending: boolean } {
  if (sort === undefined || sort === "") return { field: "score", descending: true };
  const field = entitySorts.find((each) => each === sort.replace(/^-/, ""));
  if (field) return { field, descending: sort.startsWith("-") };
  throw problem("signals/bad-sort", "sort", `entities cannot be sorted by ${JSON.stringify(sort.slice(0, 40))}`, `write ${entitySorts.join(", ")}, with - before it for the greatest first`);
}

export function readLimit(limit: number | undefined, most: number, place: string, fallback = DEFAULT_LIMIT, least = 1): number {
  if (limit === undefined) return fallback;
  if (Number.isInteger(limit) && limit >= least && limit <= most) return limit;
  throw problem("signals/bad-limit", place, `${JSON.stringify(limit)} is not a number that is taken here`, `use ${least} to ${most}`);
}

export function readFacets(facets: readonly string[]): ReadonlyArray<{ readonly name: string; readonly field: ReturnType<typeof facetField> }> {
  if (facets.length > MOST_FACETS) throw problem("signals/bad-limit", "facets", `${facets.length} facets are too many`, `ask for ${MOST_FACETS} at a time`);
  return facets.map((name, i) => ({ name, field: facetField(name, `facets[${i}]`) }));
}

export function readComputes(computes: readonly ComputeText[]): Compute[] {
  if (computes.length > MOST_COMPUTES) throw problem("signals/bad-limit", "compute", `${computes.length} computations are too many`, `ask for ${MOST_COMPUTES} at a time`);
  if (computes.length === 0) return [{ aggregation: "count" }];
  return computes.map(({ aggregation, metric, type = "total", interval = "5m" }, i) => {
    const place = `compute[${i}]`;
    if (type !== "total" && type !== "timeseries") throw problem("signals/bad-aggregation", `${place}.type`, `${JSON.stringify(type)} is no kind of result`, "use total or timeseries");
    return { ...readAggregation(aggregation, metric, place), ...(type === "total" ? {} : { intervalMs: readInterval(interval, `${place}.interval`) }) };
  });
}

export function readAggregation(aggregation: string, metric: string | undefined, place: string): Compute {
  const known: readonly string[] = ["count", "cardinality", "sum", "avg", "min", "max"];
  const share = aggregation === "median" ? 50 : Number(PERCENTILE.exec(aggregation)?.[1] ?? Number.NaN);
  if (!known.includes(aggregation) && !(share > 0)) {
    throw problem("signals/bad-aggregation", `${place}.aggregation`, `${JSON.stringify(aggregation)} is not computed over signals`, "use count, cardinality, sum, avg, min, max, median or pc95");
  }
  if (metric === undefined || metric === "" || metric === "*") {
    if (aggregation === "count") return { aggregation: "count" };
    throw problem("signals/bad-aggregation", `${place}.metric`, `${aggregation} needs a facet to measure`, "write such as @workflow.timings.time_to_detect or events_matched");
  }
  const field = facetField(metric, `${place}.metric`);
  return share > 0 ? { aggregation: "percentile", percentile: share / 100, field } : { aggregation: aggregation as Aggregation, field };
}

export function readGroups(groups: readonly GroupByText[]): GroupBy[] {
  if (groups.length > MOST_GROUP_FIELDS) throw problem("signals/bad-limit", "group_by", `${groups.length} facets are too many to group by`, `group by ${MOST_GROUP_FIELDS} at most`);
  return groups.map(({ facet, limit, sort = {}, missing }, i) => {
    const place = `group_by[${i}]`;
    if (sort.order !== undefined && sort.order !== "asc" && sort.order !== "desc") throw problem("signals/bad-sort", `${place}.sort.order`, `${JSON.stringify(sort.order)} is no order`, "use asc or desc");
    return {
      field: facetField(facet, `${place}.facet`), name: facet, limit: readLimit(limit, MOST_GROUP_VALUES, `${place}.limit`), ascending: sort.order === "asc",
      sortBy: sort.type === "alphabetical" ? undefined : readAggregation(sort.aggregation ?? "count", sort.metric, `${place}.sort`),
      missing: missing === undefined ? undefined : String(missing),
    };
  });
}
