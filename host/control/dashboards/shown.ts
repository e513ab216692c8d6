import { severities } from "../../rule/rule.ts";
import { apiSignal } from "../../signal-model/api.ts";
import { type TimeSpan, all, logsHref, phrase, signalsHref } from "../../insight/links.ts";
import { metricKind, metricScope } from "../../signal-search/metric-query.ts";
import { ApiError, asApiError } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import { within as logsWithin } from "../logs/room.ts";
import type { Principal } from "../principal.ts";
import { cellsOf } from "./cells.ts";
import { type MetricRow, Metrics } from "./metrics.ts";
import { type Variable, filledIn } from "./variables.ts";
import { type Definition, type Request, metricTexts } from "./widgets.ts";

export type Shown =
  | { readonly kind: "series"; readonly interval: number; readonly series: ReadonlyArray<{ readonly name: string; readonly by: By; readonly request: number; readonly points: ReadonlyArray<readonly [number, number | null]>; readonly href: string }> }
  | { readonly kind: "rows"; readonly columns: readonly string[]; readonly rows: ReadonlyArray<{ readonly name: string; readonly by: By; readonly values: ReadonlyArray<number | null>; readonly href: string }> }
  | { readonly kind: "value"; readonly value: number | null; readonly format: { readonly palette: string } | null; readonly href: string }
  | { readonly kind: "list"; readonly rows: ReadonlyArray<{ readonly id: string; readonly timestamp: string; readonly cells: readonly string[]; readonly href: string }> }
  | { readonly kind: "note" }
  | { readonly kind: "error"; readonly errors: readonly string[] };

export interface ShownWidget {
  readonly from: number;
  readonly to: number;
  /** Not all logs could be counted in time. */
  readonly is_partial?: true;
  readonly shown: Shown;
}

type By = Readonly<Record<string, string>>;

export interface ShowSetup {
  readonly context: ControlContext;
  readonly principal: Principal;
  readonly span: TimeSpan;
  readonly nowMs: number;
  readonly variables: readonly Variable[];
  readonly values: Readonly<Record<string, string>>;
}

const MISSING = "N/A";
const TOP = 10;
const LIST = 25;
const DAY_MS = 86_400_000;
const spansMs: Readonly<Record<string, number>> = {
  "1m": 60_000, "5m": 300_000, "10m": 600_000, "15m": 900_000, "30m": 1_800_000, "1h": 3_600_000, "4h": 14_400_000, "1d": DAY_MS, "2d": 2 * DAY_MS, "1w": 7 * DAY_MS, "1mo": 30 * DAY_MS, "3mo": 90 * DAY_MS, "6mo": 180 * DAY_MS, "1y": 365 * DAY_MS,
};

/** What a widget shows. What is wrong with one is told in its place: the others show what they have. */
export async function shownWidget(definition: Definition, setup: ShowSetup): Promise<ShownWidget> {
  const live = definition.time?.live_span;
  // A widget may have a span of its own, that ends now.
  const span = live === undefined ? setup.span : { fromMs: setup.nowMs - spansMs[live]!, toMs: setup.nowMs };
  const outside = { from: span.fromMs, to: span.toMs };
  try {
    const { shown, isPartial } = await read(definition, { ...setup, span });
    return { ...outside, ...(isPartial ? { is_partial: true } : {}), shown };
  } catch (thrown) {
    const error = asApiError(thrown);
    if (!error) throw thrown;
    return { ...outside, shown: { kind: "error", errors: error.texts } };
  }
}

interface Read {
  readonly shown: Shown;
  readonly isPartial: boolean;
}

async function read(definition: Definition, setup: ShowSetup): Promise<Read> {
  const { type, requests = [] } = definition;
  if (type === "note") return { shown: { kind: "note" }, isPartial: false };
  if (type === "list_stream") return { shown: await list(requests[0]!, setup), isPartial: false };
  const metrics = new Metrics(setup.context, setup.principal);
  const { fromMs: from, toMs: to } = setup.span;
  const asked = requests.flatMap((request, i) => metricTexts(request).map((text) => ({ request: i, query: filledIn(text, setup.variables, setup.values) })));
  if (type === "timeseries") {
    const found = await Promise.all(asked.map(async ({ request, query }) => ({ request, query, ...(await metrics.timeseries({ query, from, to })) })));
    const series = found.flatMap(({ request, query, series: lines }) => lines.map(({ by, points }) => ({ name: nameOf(by), by, request, points, href: hrefOf(query, by, setup.span) })));
    return { shown: { kind: "series", interval: Math.min(...found.map(({ intervalMs }) => intervalMs)), series }, isPartial: found.some(({ isPartial }) => isPartial) };
  }
  const found = await Promise.all(asked.map(async ({ query }) => ({ query, ...(await metrics.scalar({ query, from, to })) })));
  const isPartial = found.some((each) => each.isPartial);
  if (type === "query_value") {
    const value = found[0]!.rows[0]?.value ?? (isCount(found[0]!.query) ? 0 : null);
    return { shown: { kind: "value", value, format: formatOf(requests[0]!, value), href: hrefOf(found[0]!.query, {}, setup.span) }, isPartial };
  }
  return { shown: rows(definition, found, setup.span), isPartial };
}

/** Groups with a number for each query, greatest first; severities in a table by their rank, all of them. */
function rows({ type, requests }: Definition, found: ReadonlyArray<{ readonly query: string; readonly rows: readonly MetricRow[] }>, span: TimeSpan): Shown {
  const [first] = found;
  const { keys } = metricScope(first!.query);
  const byName = new Map<string, { readonly by: By; readonly values: Array<number | null> }>();
  const none = found.map(({ query }) => (isCount(query) ? 0 : null));
  found.forEach(({ rows: list }, i) => {
    for (const { by, value } of list) {
      const key = JSON.stringify(Object.values(by));
      const known = byName.get(key) ?? { by, values: [...none] };
      known.values[i] = value;
      byName.set(key, known);
    }
  });
  const isBySeverity = type === "query_table" && keys.length === 1 && (keys[0] === "severity" || keys[0] === "status") && metricKind(first!.query) === "signals";
  if (isBySeverity) for (const severity of severities) if (!byName.has(JSON.stringify([severity]))) byName.set(JSON.stringify([severity]), { by: { [keys[0]!]: severity }, values: [...none] });
  const rank = (by: By): number => severities.findIndex((word) => word === by[keys[0]!]);
  const isOrdered = /\.\s*top\s*\(/.test(first!.query);
  const list = [...byName.values()].map(({ by, values }) => ({ name: nameOf(by), by, values, href: hrefOf(first!.query, by, span) }));
  if (isBySeverity) list.sort((a, b) => rank(b.by) - rank(a.by));
  else if (!isOrdered) list.sort((a, b) => (b.values[0] ?? Number.NEGATIVE_INFINITY) - (a.values[0] ?? Number.NEGATIVE_INFINITY) || (a.name < b.name ? -1 : 1));
  const most = type === "toplist" && !isOrdered ? TOP : requests?.[0]?.limit;
  return { kind: "rows", columns: keys, rows: list.slice(0, most) };
}

function nameOf(by: By): string {
  const values = Object.values(by);
  return values.length ? values.join(", ") : "*";
}

function isCount(query: string): boolean {
  return /^\s*count\s*:/.test(query);
}

/** The explorer with what a group was counted of. */
function hrefOf(query: string, by: By, span: TimeSpan): string {
  const { filter } = metricScope(query);
  const text = all(needsBrackets(filter) ? `(${filter})` : filter, ...Object.entries(by).map(([key, value]) => (value === MISSING ? `-${key}:*` : `${key}:${phrase(value)}`)));
  return metricKind(query) === "logs" ? logsHref(text, span) : signalsHref(text, span);
}

function needsBrackets(filter: string): boolean {
  return / OR /.test(filter);
}

function formatOf({ conditional_formats: formats = [] }: Request, value: number | null): { readonly palette: string } | null {
  if (value === null) return null;
  const fits = formats.find(({ comparator, value: bound }) => (comparator === ">" ? value > bound : comparator === ">=" ? value >= bound : comparator === "<" ? value < bound : comparator === "<=" ? value <= bound : value === bound));
  return fits ? { palette: fits.palette } : null;
}

async function list({ query, columns = [] }: Request, { context, principal, span, variables, values }: ShowSetup): Promise<Shown> {
  const text = filledIn(query!.query_string, variables, values);
  const fields = columns.map(({ field }) => field);
  if (query!.data_source === "logs_stream") {
    if (!principal.permissions.has("logs_read_data")) throw new ApiError(403, "Forbidden: this list needs logs_read_data");
    const { status, body } = await context.logs().search({ filter: { query: text, from: span.fromMs, to: span.toMs }, page: { limit: LIST }, sort: query!.sort?.order === "asc" ? "timestamp" : "-timestamp" }, logsWithin(principal));
    if (status !== 200) throw new ApiError(status, (body as { readonly errors: readonly string[] }).errors);
    const { data } = body as { readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: Readonly<Record<string, unknown>> & { readonly timestamp: string; readonly attributes: unknown; readonly tags: readonly string[] } }> };
    return { kind: "list", rows: data.map(({ id, attributes }) => ({ id, timestamp: attributes.timestamp, cells: cellsOf(fields, attributes, attributes.attributes), href: `/logs?event=${encodeURIComponent(id)}` })) };
  }
  if (!principal.permissions.has("security_monitoring_signals_read")) throw new ApiError(403, "Forbidden: this list needs security_monitoring_signals_read");
  const sort = query!.sort ? { field: query!.sort.column, order: query!.sort.order } : undefined;
  const { ids } = await context.signalSearch.search({ query: text, from: span.fromMs, to: span.toMs, limit: LIST, sort, ...(principal.restriction ? { restrict: principal.restriction } : {}) });
  const found = ids.flatMap((id) => context.signals.get(id) ?? []).map((stored) => apiSignal(stored));
  return { kind: "list", rows: found.map(({ id, attributes }) => ({ id, timestamp: attributes.timestamp, cells: cellsOf(fields, attributes as unknown as Readonly<Record<string, unknown>> & { readonly tags: readonly string[] }, attributes.custom), href: `/security/signals?event=${encodeURIComponent(id)}` })) };
}
