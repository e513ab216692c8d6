import { parseQuery } from "../../query/parse.ts";
import { readSignalQuery } from "../../signal-search/aliases.ts";
import { ApiError, type ErrorDetail, asApiError } from "../api-error.ts";
import { Checked } from "../checked.ts";
import { checkMetric } from "./metrics.ts";
import { type WidgetType, widgetSchemas, widgetTypes } from "./schemas.ts";
import { type Variable, filledIn } from "./variables.ts";

export type Definition = { readonly type: WidgetType; readonly title?: string; readonly time?: { readonly live_span?: string }; readonly requests?: readonly Request[]; readonly content?: string };

export interface Request {
  readonly q?: string;
  readonly queries?: readonly NamedQuery[];
  readonly formulas?: ReadonlyArray<{ readonly formula: string }>;
  readonly conditional_formats?: ReadonlyArray<{ readonly comparator: string; readonly value: number; readonly palette: string }>;
  readonly columns?: ReadonlyArray<{ readonly field: string }>;
  readonly query?: { readonly data_source: "security_signals_stream" | "logs_stream"; readonly query_string: string; readonly sort?: { readonly column: string; readonly order: "asc" | "desc" } };
  readonly alias?: string;
  readonly limit?: number;
}

interface NamedQuery {
  readonly name: string;
  readonly data_source: "metrics" | "security_signals" | "logs";
  readonly query?: string;
  readonly search?: { readonly query: string };
  readonly compute?: { readonly aggregation: string; readonly metric?: string };
  readonly group_by?: ReadonlyArray<{ readonly facet: string; readonly limit?: number }>;
}

export interface Widget {
  readonly id: number;
  readonly layout?: unknown;
  readonly definition: Definition;
}

interface GivenWidget {
  readonly id?: number;
  readonly layout?: unknown;
  readonly definition: Readonly<Record<string, unknown>> & { readonly type: string };
}

const checks = new Map<WidgetType, Checked>(widgetTypes.map((type) => [type, new Checked(widgetSchemas[type], "")]));
/** What a map has that says nothing of it; Datadog's clients want it said. */
const map = { style: { palette: "hostmap_blues", palette_flip: false }, view: { focus: "WORLD" } };
const MOST_FAULTS = 20;

/** Widgets as they are kept: each definition as its type wants it, each with a number of its own. Throws an `ApiError` with every fault. */
export function readWidgets(given: readonly GivenWidget[], variables: readonly Variable[]): Widget[] {
  const faults: ErrorDetail[] = [];
  const taken = new Set<number>();
  for (const { id } of given) if (id !== undefined) taken.add(id);
  let next = 1;
  const widgets = given.map(({ id, layout, definition }, i): Widget => {
    while (id === undefined && taken.has(next)) next++;
    const number = id ?? next;
    taken.add(number);
    const type = definition.type === "pie" ? "sunburst" : (definition.type as WidgetType);
    const whole = { ...(type === "geomap" ? map : {}), ...definition, type } as Definition;
    faults.push(...faultsOf(whole, `widgets[${i}].definition`, variables));
    return { id: number, ...(layout === undefined ? {} : { layout }), definition: whole };
  });
  const ids = widgets.map(({ id }) => id);
  const double = ids.find((id, i) => ids.indexOf(id) !== i);
  if (double !== undefined) faults.push({ code: "InvalidArgument", target: "widgets", message: `two widgets have the id ${double}` });
  if (faults.length) throw new ApiError(400, faults.slice(0, MOST_FAULTS).map(({ target, message }) => `${target}: ${message}`), { details: faults.slice(0, MOST_FAULTS) });
  return widgets;
}

function faultsOf(definition: Definition, place: string, variables: readonly Variable[]): ErrorDetail[] {
  const faults = thrownBy(place, () => void checks.get(definition.type)!.check(definition));
  if (faults.length) return faults;
  return (definition.requests ?? []).flatMap((request, i) => {
    const at = `${place}.requests[${i}]`;
    if (definition.type === "list_stream") return thrownBy(`${at}.query.query_string`, () => checkStream(request.query!, variables));
    return thrownBy(at, () => {
      for (const text of metricTexts(request)) checkMetric(filledIn(text, variables, {}));
    });
  });
}

/** Whatever is thrown as being wrong, each thing with its place. */
function thrownBy(place: string, work: () => void): ErrorDetail[] {
  try {
    work();
    return [];
  } catch (thrown) {
    const error = asApiError(thrown);
    if (!error) throw thrown;
    const details = error.details.length ? error.details : error.texts.map((message): ErrorDetail => ({ code: error.code, message, target: "" }));
    return details.map(({ code, message, target }) => ({ code, message, target: target === "" ? place : target.startsWith("[") ? place + target : `${place}.${target}` }));
  }
}

function checkStream({ data_source: source, query_string: text }: NonNullable<Request["query"]>, variables: readonly Variable[]): void {
  const query = filledIn(text, variables, {});
  if (source === "security_signals_stream") return void readSignalQuery(query);
  const parsed = parseQuery(query);
  if (!parsed.ok) throw new ApiError(400, parsed.problems.map(({ message, hint }) => (hint ? `${message}; ${hint}` : message)));
}

/** The metric queries of a request as texts. Throws an `ApiError` where it asks for what is not computed here. */
export function metricTexts({ q, queries, formulas }: Request): readonly string[] {
  if ((q === undefined) === (queries === undefined)) throw new ApiError(400, "one of q and queries is wanted");
  if (q !== undefined) return [q];
  const named = queries!;
  if (!formulas) return named.map(metricText);
  return formulas.map(({ formula }) => {
    const found = named.find(({ name }) => name === formula.trim());
    if (!found) throw new ApiError(400, `formula ${JSON.stringify(formula)} is not the name of a query; arithmetic is not done here`);
    return metricText(found);
  });
}

/** A query by name and parts as one text. */
function metricText({ data_source: source, query, search, compute, group_by: groups = [] }: NamedQuery): string {
  if (query !== undefined) return query;
  if (source === "metrics") throw new ApiError(400, "query is missing");
  const aggregation = compute?.aggregation ?? "count";
  const metric = source === "logs" ? "logs" : "security_signal";
  if (aggregation !== "count" || compute?.metric !== undefined) throw new ApiError(400, `${aggregation} over ${source} is asked as a metric query, such as avg:security_signal.triage_time`);
  const filter = search?.query.trim() || "*";
  const most = groups[0]?.limit;
  return `count:${metric}{${filter}}${groups.length ? ` by {${groups.map(({ facet }) => facet).join(",")}}` : ""}${groups.length === 1 && most !== undefined ? `.top(${most}, 'sum', 'desc')` : ""}`;
}
