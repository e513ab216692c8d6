import { Type } from "typebox";
import { apiSignal } from "../../signal-model/api.ts";
import { csvHead, csvRow } from "../../signal-model/export.ts";
import { metricKind } from "../../signal-search/metric-query.ts";
import type { SearchRequest, SignalSearch } from "../../signal-search/signal-search.ts";
import { ApiError, badRequest } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import { Metrics } from "../dashboards/metrics.ts";
import type { Principal } from "../principal.ts";
import { type Route, type RouteAnswer, type RouteFacts, ok, route } from "../route.ts";
import { rowRoute } from "./rows.ts";
import { SIGNALS, SignalList } from "./schemas.ts";

const facts: Pick<RouteFacts, "tag" | "permission" | "isSearch"> = { tag: "Signals", permission: "security_monitoring_signals_read", isSearch: true };
const Bound = Type.Union([Type.String({ maxLength: 100 }), Type.Number()]);
const filter = { query: Type.Optional(Type.String()), from: Type.Optional(Bound), to: Type.Optional(Bound) };
const Filter = Type.Object(filter);
const Sort = Type.Union([Type.String({ maxLength: 1000 }), Type.Object({ field: Type.String({ maxLength: 1000 }), order: Type.Optional(Type.Enum(["asc", "desc"])) })]);
const Compute = Type.Object({ aggregation: Type.String(), metric: Type.Optional(Type.String()), type: Type.Optional(Type.Enum(["total", "timeseries"])), interval: Type.Optional(Type.Union([Type.String(), Type.Number()])) });
const GroupBy = Type.Object({
  facet: Type.String(), limit: Type.Optional(Type.Integer()), missing: Type.Optional(Type.Union([Type.String(), Type.Number()])),
  sort: Type.Optional(Type.Object({ type: Type.Optional(Type.String()), aggregation: Type.Optional(Type.String()), metric: Type.Optional(Type.String()), order: Type.Optional(Type.Enum(["asc", "desc"])) })),
});
const Buckets = Type.Object({ data: Type.Object({ buckets: Type.Array(Type.Object({ by: Type.Object({}), computes: Type.Object({}) })) }) });
const Numbers = Type.Array(Type.Union([Type.Number(), Type.Null()]));

/** Signals one export holds. */
const MOST_EXPORTED = 10_000;
const EXPORT_PAGE = 1000;
/** A server that has just started reads its signals in; so long a question waits for it. */
const BUILD_WAIT_MS = 5000;

/** Finding signals: lists, facets, numbers over time, exports. Everybody is answered of what they may see. */
export function exploreRoutes(context: ControlContext): readonly Route[] {
  const { signalSearch: search } = context;
  const whole = wholeIndex(search);
  return routesOf(context, search).map((each): Route => ({ ...each, handle: async (call) => {
    await whole();
    return await each.handle(call);
  } }));
}

/** Waits for a while, then throws 503 with how far it is. */
export function wholeIndex(search: SignalSearch): () => Promise<void> {
  let isWhole = false;
  return async () => {
    if (isWhole) return;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([search.changed(), new Promise<void>((resolve) => (timer = setTimeout(resolve, BUILD_WAIT_MS)))]);
    clearTimeout(timer);
    const { isWhole: isWholeNow, signals, stored } = await search.status();
    isWhole = isWholeNow;
    if (!isWhole) throw new ApiError(503, `signals are being read in: ${signals} of ${stored}; ask again in a few seconds`, { headers: { "retry-after": "5" } });
  };
}

function routesOf(context: ControlContext, search: SignalSearch): readonly Route[] {
  return [
    rowRoute(facts, context),
    route({ ...facts, method: "GET", path: SIGNALS, operationId: "listSecurityMonitoringSignals", summary: "Signals that match a query", answers: { 200: SignalList }, query: Type.Object({ "filter[query]": Type.Optional(Type.String()), "filter[from]": Type.Optional(Type.String()), "filter[to]": Type.Optional(Type.String()), sort: Type.Optional(Type.String()), "page[cursor]": Type.Optional(Type.String()), "page[limit]": Type.Optional(Type.Integer()) }) },
      ({ query, principal }) => list(context, { query: query["filter[query]"], from: query["filter[from]"], to: query["filter[to]"], sort: query.sort, cursor: query["page[cursor]"], limit: query["page[limit]"], ...within(principal) }, SIGNALS)),
    route({ ...facts, method: "POST", path: `${SIGNALS}/search`, operationId: "searchSecurityMonitoringSignals", summary: "The same with a body", isBodyOptional: true, answers: { 200: SignalList }, body: Type.Object({ filter: Type.Optional(Filter), sort: Type.Optional(Sort), page: Type.Optional(Type.Object({ cursor: Type.Optional(Type.String()), limit: Type.Optional(Type.Integer()) })) }) },
      ({ body, principal }) => list(context, { ...body?.filter, ...body?.page, sort: body?.sort, ...within(principal) }, SIGNALS)),
    route({ ...facts, method: "POST", path: `${SIGNALS}/facets`, operationId: "listSignalFacets", summary: "Values of facets, each with how many signals have it", answers: { 200: Type.Object({ data: Type.Array(Type.Object({ facet: Type.String(), values: Type.Array(Type.Object({ value: Type.String(), count: Type.Integer(), query: Type.String() })) })) }) }, body: Type.Object({ ...filter, facets: Type.Array(Type.String(), { minItems: 1, maxItems: 100 }), limit: Type.Optional(Type.Integer()) }) },
      async ({ body, principal }) => ok({ data: await search.facets({ ...body, ...within(principal) }) })),
    route({ ...facts, method: "POST", path: `${SIGNALS}/aggregate`, operationId: "aggregateSignals", summary: "Numbers of signals, by facets and over time", isBodyOptional: true, answers: { 200: Buckets }, body: Type.Object({ filter: Type.Optional(Filter), compute: Type.Optional(Type.Array(Compute)), group_by: Type.Optional(Type.Array(GroupBy)) }) },
      async ({ body, principal }) => ok({ data: await search.aggregate({ filter: { ...body?.filter, ...within(principal) }, compute: body?.compute, group_by: body?.group_by }) })),
    route({ ...facts, method: "POST", path: `${SIGNALS}/kpis`, operationId: "getSignalKpis", summary: "Times to detect, acknowledge and resolve; false positives; what the week changed", isBodyOptional: true, answers: { 200: Type.Object({ data: Type.Object({}) }) }, body: Filter },
      async ({ body, principal }) => ok({ data: await search.kpis({ ...body, ...within(principal) }) })),
    route({ ...facts, method: "POST", path: `${SIGNALS}/export`, operationId: "exportSignals", summary: `Signals as CSV or JSON, ${MOST_EXPORTED} at most`, isBodyOptional: true, answers: { 200: undefined }, body: Type.Object({ filter: Type.Optional(Filter), sort: Type.Optional(Sort), format: Type.Optional(Type.Enum(["csv", "json"])) }) },
      ({ body, principal }) => exported(context, { ...body?.filter, sort: body?.sort, ...within(principal) }, body?.format ?? "csv")),
    route({ ...facts, method: "GET", path: "/api/v1/query", operationId: "queryMetrics", summary: "A metric query over signals or logs, such as count:security_signal{status:high} by {rule_name}", query: Type.Object({ query: Type.String(), from: Type.Integer(), to: Type.Integer() }), answers: { 200: Type.Object({ status: Type.String(), series: Type.Array(Type.Object({})) }) } },
      async ({ query, principal }) => {
        const { intervalMs, series } = await new Metrics(context, principal).timeseries({ query: query.query, from: query.from * 1000, to: query.to * 1000 });
        return ok({
          status: "ok", res_type: "time_series", query: query.query, from_date: query.from * 1000, to_date: query.to * 1000, group_by: Object.keys(series[0]?.by ?? {}),
          series: series.map(({ by, points }) => ({ metric: metricKind(query.query) === "logs" ? "logs" : "security_signal", scope: scopeOf(by), tag_set: tagsOf(by), interval: intervalMs / 1000, length: points.length, start: points[0]?.[0], end: points.at(-1)?.[0], pointlist: points, expression: query.query })),
        });
      }),
    route({ ...facts, method: "POST", path: "/api/v2/query/timeseries", operationId: "queryTimeseriesData", summary: "Metric queries over signals and logs, as lines over time", body: Type.Object({ data: Type.Object({ attributes: Type.Object({ from: Type.Number(), to: Type.Number(), queries: Type.Array(Type.Object({ query: Type.String(), name: Type.Optional(Type.String()) }), { minItems: 1, maxItems: 10 }) }) }) }), answers: { 200: Type.Object({ data: Type.Object({ attributes: Type.Object({ times: Type.Array(Type.Number()), series: Type.Array(Type.Object({})), values: Type.Array(Numbers) }) }) }) } },
      async ({ body, principal }) => ok({ data: { type: "timeseries_response", attributes: await lines(new Metrics(context, principal), body.data.attributes) } })),
    route({ ...facts, method: "POST", path: "/api/v2/query/scalar", operationId: "queryScalarData", summary: "Metric queries over signals and logs, as one number for each group", body: Type.Object({ data: Type.Object({ attributes: Type.Object({ from: Type.Number(), to: Type.Number(), queries: Type.Array(Type.Object({ query: Type.String(), name: Type.Optional(Type.String()) }), { minItems: 1, maxItems: 1 }) }) }) }), answers: { 200: Type.Object({ data: Type.Object({ attributes: Type.Object({ columns: Type.Array(Type.Object({})) }) }) }) } },
      async ({ body, principal }) => {
        const { from, to, queries: [asked] } = body.data.attributes;
        const { rows } = await new Metrics(context, principal).scalar({ query: asked!.query, from, to });
        const keys = Object.keys(rows[0]?.by ?? {});
        return ok({ data: { type: "scalar_response", attributes: { columns: [...keys.map((name) => ({ name, type: "group", values: rows.map(({ by }) => [by[name]!]) })), { name: asked!.name ?? "a", type: "number", values: rows.map(({ value }) => value) }] } } });
      }),
  ];
}

/** The filter that keeps to what somebody may see. */
export function within({ restriction }: Principal): { readonly restrict?: NonNullable<Principal["restriction"]> } {
  return restriction ? { restrict: restriction } : {};
}

async function list(context: ControlContext, request: SearchRequest, path: string): Promise<RouteAnswer> {
  const { ids, after } = await context.signalSearch.search(request);
  const data = shown(context, ids);
  if (after === undefined) return ok({ data });
  const next = new URLSearchParams({ ...textOf("filter[query]", request.query), ...textOf("filter[from]", request.from), ...textOf("filter[to]", request.to), ...textOf("sort", sortText(request.sort)), ...textOf("page[limit]", request.limit), "page[cursor]": after });
  return ok({ data, links: { next: `${path}?${next}` }, meta: { page: { after } } });
}

/** As they are now: one that is gone since is in no list. */
function shown(context: ControlContext, ids: readonly string[]): unknown[] {
  return ids.flatMap((id) => {
    const stored = context.signals.get(id);
    return stored ? [apiSignal(stored)] : [];
  });
}

async function exported(context: ControlContext, request: SearchRequest, format: "csv" | "json"): Promise<RouteAnswer> {
  const parts: string[] = [];
  let cursor: string | undefined;
  let count = 0;
  do {
    const page = await context.signalSearch.search({ ...request, limit: EXPORT_PAGE, cursor });
    if (page.count > MOST_EXPORTED) throw badRequest(`${page.count} signals match, and an export holds ${MOST_EXPORTED}: ask for less time, or by a narrower query`);
    for (const id of page.ids) {
      const stored = context.signals.get(id);
      if (!stored) continue;
      const signal = apiSignal(stored);
      parts.push(format === "csv" ? csvRow(signal) : `${count ? "," : ""}\n${JSON.stringify(signal)}`);
      count++;
    }
    cursor = page.after;
  } while (cursor !== undefined);
  const text = format === "csv" ? csvHead() + parts.join("") : `[${parts.join("")}\n]\n`;
  return { status: 200, body: text, type: format === "csv" ? "text/csv; charset=utf-8" : "application/json", headers: { "content-disposition": `attachment; filename="signals.${format}"` } };
}

/** Lines that share their times: where one has no number it has null. */
async function lines(metrics: Metrics, { from, to, queries }: { readonly from: number; readonly to: number; readonly queries: ReadonlyArray<{ readonly query: string }> }): Promise<unknown> {
  const found = await Promise.all(queries.map(async ({ query }, index) => (await metrics.timeseries({ query, from, to })).series.map((one) => ({ ...one, index }))));
  const all = found.flat();
  const times = [...new Set(all.flatMap(({ points }) => points.map(([timeMs]) => timeMs)))].sort((a, b) => a - b);
  return {
    times, series: all.map(({ by, index }) => ({ group_tags: tagsOf(by), query_index: index, unit: null })),
    values: all.map(({ points }) => {
      const at = new Map(points);
      return times.map((timeMs) => at.get(timeMs) ?? null);
    }),
  };
}

function tagsOf(by: Readonly<Record<string, string>>): string[] {
  return Object.entries(by).map(([key, value]) => `${key}:${value}`);
}

function scopeOf(by: Readonly<Record<string, string>>): string {
  return tagsOf(by).join(",") || "*";
}

function sortText(sort: SearchRequest["sort"]): string | undefined {
  return typeof sort === "object" ? `${sort.order === "desc" ? "-" : ""}${sort.field}` : sort;
}

function textOf(name: string, value: unknown): Record<string, string> {
  return typeof value === "string" || typeof value === "number" ? { [name]: String(value) } : {};
}
