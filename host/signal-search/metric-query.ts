import { ProblemError } from "../problem.ts";
import { parseQuery } from "../query/parse.ts";
import type { QueryNode } from "../query/tree.ts";
import { readSignalQuery } from "./aliases.ts";
import { facetField } from "./facets.ts";
import { readAggregation } from "./requests.ts";
import type { Compute, GroupBy, Point, Rollup, RollupBucket } from "./rollup.ts";

/** A metric query over signals (platform spec 16), such as `count:security_signal{status:high} by {rule_name}.rollup(sum, 3600)`. */
export interface MetricQuery {
  readonly node: QueryNode;
  readonly compute: Compute;
  readonly groups: readonly GroupBy[];
  /** Seconds; undefined leaves it to whoever asks. */
  readonly rollupSeconds: number | undefined;
  readonly asRate: boolean;
  readonly top: { readonly count: number; readonly by: TopBy; readonly descending: boolean } | undefined;
}

export type TopBy = "mean" | "sum" | "max" | "min" | "last";

export interface MetricSeries {
  /** Values of the keys, `N/A` where a signal has none. */
  readonly by: Readonly<Record<string, string>>;
  /** Start of the interval and its number. A count has a zero where there are no signals, a measure has no point. */
  readonly points: ReadonlyArray<readonly [timeMs: number, value: number | null]>;
}

const MISSING = "N/A";
const MOST_SERIES = 1000;
const MOST_POINTS = 100_000;
/** The dots of a metric's name end where a function is called. */
const HEAD = /^\s*(count|sum|avg|min|max|p50|p75|p90|p95|p99)\s*:\s*([A-Za-z_]\w*(?:\.\w+(?!\w*\s*\())*)\s*/;
const BY = /^\s*by\s*\{([^{}]*)\}\s*/;
const CALL = /^\s*\.\s*([a-z_]+)\s*\(([^()]*)\)\s*/;
const measures: Readonly<Record<string, string>> = {
  triage_time: "triage_time", time_to_detect: "time_to_detect", time_to_acknowledge: "time_to_acknowledge", time_to_resolve: "time_to_resolve", events_matched: "events_matched",
};
const SIEM = "datadog.security.siem_signal.";
const LOGS = "logs";
const topWays: readonly string[] = ["mean", "sum", "max", "min", "last"];

/** What a metric query over logs asks: how many there are, of a filter, by facets. */
export interface LogMetricQuery extends Functions {
  /** In the search syntax of logs. */
  readonly filter: string;
  readonly keys: readonly string[];
}

type Functions = Pick<MetricQuery, "rollupSeconds" | "asRate" | "top">;

/** A metric query, cut into what it is made of. */
interface Parts {
  readonly aggregation: string;
  readonly metric: string;
  readonly filter: string;
  readonly keys: readonly string[];
  readonly calls: ReadonlyArray<{ readonly name: string; readonly values: readonly string[]; readonly at: number }>;
}

const plain: Functions = { rollupSeconds: undefined, asRate: false, top: undefined };

function readParts(text: string): Parts {
  const head = HEAD.exec(text);
  if (!head) throw wrong(text, 0, "this is no metric query", "write such as count:security_signal{status:high} by {rule_name}");
  const [, aggregation, metric] = head;
  let rest = text.slice(head[0].length);
  const at = (): number => text.length - rest.length;
  let filter = "*";
  if (rest.startsWith("{")) {
    const end = closing(rest);
    if (end < 0) throw wrong(text, at(), "this brace is never closed", "add } after the filter");
    filter = rest.slice(1, end);
    rest = rest.slice(end + 1);
  }
  const by = BY.exec(rest);
  rest = rest.slice(by?.[0].length ?? 0);
  const calls: Array<Parts["calls"][number]> = [];
  while (rest.trim() !== "") {
    const call = CALL.exec(rest);
    if (!call) throw wrong(text, at(), "this is not understood", "after the filter come by {...}, .as_count(), .as_rate(), .rollup(sum, 3600) and .top(10, 'mean', 'desc')");
    calls.push({ name: call[1]!, values: call[2]!.split(",").map((each) => each.trim().replace(/^(['"])(.*)\1$/, "$2")), at: at() });
    rest = rest.slice(call[0].length);
  }
  return { aggregation: aggregation!, metric: metric!, filter: withAnds(filter), keys: by ? by[1]!.split(",").map((key) => key.trim()) : [], calls };
}

/** What a metric query is over, as its metric says; `undefined` where it cannot be read. */
export function metricKind(text: string): "signals" | "logs" | undefined {
  const head = HEAD.exec(text);
  return head ? (head[2] === LOGS ? "logs" : "signals") : undefined;
}

/** Filter and keys, as links to what is counted need them. Throws `signals/bad-metric-query`. */
export function metricScope(text: string): { readonly filter: string; readonly keys: readonly string[] } {
  const { filter, keys } = readParts(text);
  return { filter, keys };
}

/** Throws `signals/bad-metric-query` and what a query's filter can throw. */
export function readMetricQuery(text: string): MetricQuery {
  const { aggregation, metric, filter, keys, calls } = readParts(text);
  const compute = readCompute(text, aggregation, metric);
  const query: MetricQuery = {
    node: readSignalQuery(filter, "filter"), compute, ...plain,
    groups: keys.map((key) => ({ field: facetField(key, "by"), name: key, limit: MOST_SERIES, ascending: false, sortBy: { aggregation: "count" }, missing: MISSING })),
  };
  return calls.reduce((so, { name, values, at }) => applied(so, text, at, name, values), query);
}

/** Throws `signals/bad-metric-query` and what the parser finds wrong with the filter. */
export function readLogMetric(text: string): LogMetricQuery {
  const { aggregation, metric, filter, keys, calls } = readParts(text);
  if (metric !== LOGS) throw wrong(text, text.indexOf(metric), `${metric} is not counted over logs`, "write count:logs");
  if (aggregation !== "count") throw wrong(text, 0, "logs can be counted, and nothing else", "write such as count:logs{service:web} by {status}");
  const parsed = parseQuery(filter);
  if (!parsed.ok) throw new ProblemError(parsed.problems.map((problem) => ({ ...problem, place: "filter" })));
  const bare = keys.find((key) => key === "");
  if (bare !== undefined) throw wrong(text, text.indexOf("by"), "a facet is missing", "write such as by {status}");
  const compute: Compute = { aggregation: "count" };
  const { rollupSeconds, asRate, top } = calls.reduce((so, { name, values, at }) => applied(so, text, at, name, values), { ...plain, compute });
  return { filter, keys, rollupSeconds, asRate, top };
}

function readCompute(text: string, aggregation: string, metric: string): Compute {
  const name = metric.startsWith(SIEM) ? metric.slice(SIEM.length) : metric === "security_signal" ? "" : metric.startsWith("security_signal.") ? metric.slice("security_signal.".length) : undefined;
  if (name === undefined || (name !== "" && !Object.hasOwn(measures, name))) {
    throw wrong(text, text.indexOf(metric), `${metric} is not measured over signals`, "use security_signal, security_signal.triage_time or datadog.security.siem_signal.time_to_detect");
  }
  if (name === "" && aggregation !== "count") throw wrong(text, 0, "signals themselves can be counted, and nothing else", "write count:security_signal, or measure such as avg:security_signal.triage_time");
  return readAggregation(aggregation, name === "" ? undefined : measures[name], "metric");
}

function applied<Q extends Functions & Pick<MetricQuery, "compute">>(query: Q, text: string, at: number, name: string, values: readonly string[]): Q {
  switch (name) {
    case "as_count":
      return { ...query, asRate: false };
    case "as_rate":
      return { ...query, asRate: true };
    case "rollup": {
      const [method, seconds = method] = values;
      const rollupSeconds = Number(seconds);
      if (!(Number.isInteger(rollupSeconds) && rollupSeconds >= 1 && rollupSeconds <= 366 * 86_400)) throw wrong(text, at, "rollup takes a number of seconds", "write such as .rollup(sum, 3600)");
      if (values.length < 2 || query.compute.aggregation === "count") return { ...query, rollupSeconds };
      if (!["avg", "sum", "min", "max", "count"].includes(method!)) throw wrong(text, at, `${method} is no way to roll up`, "use avg, sum, min, max or count");
      return { ...query, rollupSeconds, compute: { ...readAggregation(method!, "triage_time", "rollup"), field: query.compute.field } };
    }
    case "top": {
      const [count, way = "mean", order = "desc"] = values;
      if (!/^[1-9]\d{0,3}$/.test(count!) || !topWays.includes(way) || (order !== "asc" && order !== "desc")) throw wrong(text, at, "top takes a number, a way and an order", "write such as .top(10, 'mean', 'desc')");
      return { ...query, top: { count: Number(count), by: way as TopBy, descending: order === "desc" } };
    }
    default:
      throw wrong(text, at, `${name} is no function of metric queries here`, "use as_count, as_rate, rollup and top");
  }
}

/** Where the brace at the beginning is closed; braces in quotes and of ranges do not count. */
function closing(text: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "\\") i++;
    else if (character === '"') i = afterQuote(text, i);
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return i;
    // `{1 TO 5]` and `[1 TO 5}` are ranges.
    else if (character === "[") depth++;
    else if (character === "]") depth--;
  }
  return -1;
}

function afterQuote(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i;
}

/** Commas between terms mean AND, those in quotes and parentheses are what they are. */
function withAnds(filter: string): string {
  let out = "";
  let depth = 0;
  for (let i = 0; i < filter.length; i++) {
    const character = filter[i]!;
    if (character === "\\") out += character + (filter[++i] ?? "");
    else if (character === '"') {
      const end = Math.min(filter.length - 1, afterQuote(filter, i));
      out += filter.slice(i, end + 1);
      i = end;
    } else {
      if (character === "(") depth++;
      else if (character === ")") depth--;
      out += character === "," && depth === 0 ? " AND " : character;
    }
  }
  return out;
}

function wrong(text: string, start: number, message: string, hint: string): ProblemError {
  return new ProblemError([{ code: "signals/bad-metric-query", at: { start, end: text.length }, place: "query", message, hint }]);
}

/** As a rollup, over time where an interval is given. */
export function metricRollup({ compute, groups }: MetricQuery, intervalMs: number | undefined): Rollup {
  return { computes: [{ ...compute, intervalMs }], groups };
}

/** Between about 100 and 300 points over a span of time. */
export function metricInterval(fromMs: number, toMs: number): number {
  const widths = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14_400, 43_200, 86_400, 604_800];
  const seconds = widths.find((width) => (toMs - fromMs) / 1000 / width <= 300) ?? 604_800;
  return seconds * 1000;
}

export function metricSeries({ compute, asRate, top }: Pick<MetricQuery, "compute" | "asRate" | "top">, buckets: readonly RollupBucket[], fromMs: number, toMs: number, intervalMs: number): MetricSeries[] {
  const firstMs = Math.floor(fromMs / intervalMs) * intervalMs;
  const steps = Math.max(0, Math.ceil((toMs - firstMs) / intervalMs));
  const isFilled = compute.aggregation === "count" && steps * Math.max(1, buckets.length) <= MOST_POINTS;
  const series = buckets.map(({ by, values }) => {
    const known = new Map((values[0] as readonly Point[]).map(({ timeMs, value }) => [timeMs, value]));
    const times = isFilled ? Array.from({ length: steps }, (_, i) => firstMs + i * intervalMs) : [...known.keys()];
    const rate = asRate ? 1000 / intervalMs : 1;
    return { by, points: times.map((timeMs): readonly [number, number | null] => {
      const value = known.get(timeMs) ?? (isFilled ? 0 : null);
      return [timeMs, value === null ? null : value * rate];
    }) };
  });
  return best(series, top, ({ points }) => points.map(([, value]) => value));
}

/** One number for all the time asked for. */
export function metricScalars({ top, asRate }: Pick<MetricQuery, "asRate" | "top">, buckets: readonly RollupBucket[], spanMs: number): Array<{ readonly by: Readonly<Record<string, string>>; readonly value: number | null }> {
  const rate = asRate ? 1000 / Math.max(1, spanMs) : 1;
  const scalars = buckets.map(({ by, values }) => ({ by, value: values[0] === null ? null : (values[0] as number) * rate }));
  return best(scalars, top, ({ value }) => [value]);
}

function best<T>(items: readonly T[], top: MetricQuery["top"], valuesOf: (item: T) => ReadonlyArray<number | null>): T[] {
  if (!top) return [...items];
  const scores = new Map(items.map((item) => [item, score(valuesOf(item), top.by)]));
  const sign = top.descending ? -1 : 1;
  return items.toSorted((a, b) => {
    const [left, right] = [scores.get(a), scores.get(b)];
    if (left === right) return 0;
    if (left === undefined || right === undefined) return left === undefined ? 1 : -1;
    return sign * (left - right);
  }).slice(0, top.count);
}

function score(values: ReadonlyArray<number | null>, by: TopBy): number | undefined {
  const numbers = values.filter((value): value is number => value !== null);
  if (numbers.length === 0) return undefined;
  switch (by) {
    case "last":
      return numbers.at(-1)!;
    case "sum":
    case "mean": {
      const sum = numbers.reduce((a, b) => a + b, 0);
      return by === "sum" ? sum : sum / numbers.length;
    }
    case "max":
      return numbers.reduce((a, b) => Math.max(a, b));
    case "min":
      return numbers.reduce((a, b) => Math.min(a, b));
  }
}
