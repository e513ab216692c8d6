import { readTimeBound } from "../../search/index.ts";
import { type MetricSeries, metricInterval, metricKind, metricScalars, metricSeries, readLogMetric, readMetricQuery } from "../../signal-search/metric-query.ts";
import type { RollupBucket } from "../../signal-search/rollup.ts";
import { ApiError } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import { within } from "../logs/room.ts";
import type { Principal } from "../principal.ts";

export interface MetricAsked {
  readonly query: string;
  /** As a search takes them: ISO 8601, epoch seconds or milliseconds, `now-1d`. */
  readonly from: string | number;
  readonly to: string | number;
}

export interface MetricRow {
  readonly by: Readonly<Record<string, string>>;
  readonly value: number | null;
}

type Context = Pick<ControlContext, "signalSearch" | "logs" | "nowMs">;

const MOST_SERIES = 1000;

/** Throws what is wrong with a metric query, over signals or over logs. */
export function checkMetric(query: string): void {
  if (metricKind(query) === "logs") readLogMetric(query);
  else readMetricQuery(query);
}

/** Metric queries over signals and over logs, answered of what somebody may see. Throws a `ProblemError`, and 403 for what they may not read. */
export class Metrics {
  readonly #context: Context;
  readonly #principal: Principal;

  constructor(context: Context, principal: Principal) {
    this.#context = context;
    this.#principal = principal;
  }

  async timeseries({ query, from, to }: MetricAsked): Promise<{ readonly intervalMs: number; readonly series: readonly MetricSeries[]; readonly isPartial: boolean }> {
    if (metricKind(query) !== "logs") return { ...(await this.#context.signalSearch.timeseries({ query, from, to, ...this.#restrict() })), isPartial: false };
    const read = readLogMetric(query);
    const [fromMs, toMs] = this.#bounds(from, to);
    const intervalMs = read.rollupSeconds === undefined ? metricInterval(fromMs, toMs) : read.rollupSeconds * 1000;
    const { buckets, isPartial } = await this.#logs(read.filter, read.keys, fromMs, toMs, intervalMs);
    return { intervalMs, series: metricSeries({ ...read, compute: { aggregation: "count" } }, buckets, fromMs, toMs, intervalMs), isPartial };
  }

  /** One number for each group. */
  async scalar({ query, from, to }: MetricAsked): Promise<{ readonly rows: readonly MetricRow[]; readonly isPartial: boolean }> {
    if (metricKind(query) !== "logs") return { rows: await this.#context.signalSearch.scalar({ query, from, to, ...this.#restrict() }), isPartial: false };
    const read = readLogMetric(query);
    const [fromMs, toMs] = this.#bounds(from, to);
    const { buckets, isPartial } = await this.#logs(read.filter, read.keys, fromMs, toMs, undefined);
    return { rows: metricScalars(read, buckets, toMs - fromMs), isPartial };
  }

  #restrict(): { readonly restrict?: NonNullable<Principal["restriction"]> } {
    this.#mayRead("security_monitoring_signals_read");
    const { restriction } = this.#principal;
    return restriction ? { restrict: restriction } : {};
  }

  #bounds(from: string | number, to: string | number): readonly [fromMs: number, toMs: number] {
    const nowMs = this.#context.nowMs();
    return [readTimeBound(from, nowMs, "from"), readTimeBound(to, nowMs, "to")];
  }

  #mayRead(permission: "logs_read_data" | "security_monitoring_signals_read"): void {
    if (!this.#principal.permissions.has(permission)) throw new ApiError(403, `Forbidden: this query needs ${permission}`);
  }

  async #logs(filter: string, keys: readonly string[], fromMs: number, toMs: number, intervalMs: number | undefined): Promise<{ readonly buckets: readonly RollupBucket[]; readonly isPartial: boolean }> {
    this.#mayRead("logs_read_data");
    const { status, body } = await this.#context.logs().aggregate({
      filter: { query: filter, from: fromMs, to: toMs }, compute: [{ aggregation: "count", ...(intervalMs === undefined ? {} : { type: "timeseries", interval: intervalMs }) }],
      group_by: keys.map((facet) => ({ facet: facetOf(facet), limit: MOST_SERIES })),
    }, within(this.#principal));
    if (status !== 200) throw new ApiError(status, (body as { readonly errors: readonly string[] }).errors);
    const { data, meta } = body as LogBuckets;
    const buckets = data.buckets.map(({ by, computes: { c0 } }) => ({
      by: Object.fromEntries(keys.map((key) => [key, by[facetOf(key)]!])),
      values: [typeof c0 === "number" ? c0 : c0.map(({ time, value }) => ({ timeMs: Date.parse(time), value }))],
    }));
    return { buckets, isPartial: meta.status !== "done" };
  }
}

interface LogBuckets {
  readonly data: { readonly buckets: ReadonlyArray<{ readonly by: Readonly<Record<string, string>>; readonly computes: { readonly c0: number | ReadonlyArray<{ readonly time: string; readonly value: number }> } }> };
  readonly meta: { readonly status: string };
}

/** `usr.id` as dashboards write it is an attribute. */
function facetOf(key: string): string {
  return key.includes(".") && !key.startsWith("@") ? `@${key}` : key;
}
