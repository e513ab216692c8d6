import { type TSchema, Type } from "typebox";

const Short = Type.String({ maxLength: 300 });
const Query = Type.String({ minLength: 1, maxLength: 5000 });
const Palette = Type.Enum([
  "white_on_red", "white_on_yellow", "white_on_green", "white_on_gray", "red_on_white", "yellow_on_white", "green_on_white", "gray_on_white", "black_on_light_red", "black_on_light_yellow", "black_on_light_green",
  "red", "orange", "yellow", "green", "blue", "grey", "night", "solid", "custom_bg", "custom_text", "custom_image",
]);
const ConditionalFormat = Type.Object({ comparator: Type.Enum([">", ">=", "<", "<=", "="]), value: Type.Number(), palette: Palette });

/** As Datadog's dashboards ask: one metric query as text, or queries by name. */
const NamedQuery = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 100 }), data_source: Type.Enum(["metrics", "security_signals", "logs"]), query: Type.Optional(Query),
  search: Type.Optional(Type.Object({ query: Type.String({ maxLength: 5000 }) })),
  compute: Type.Optional(Type.Object({ aggregation: Type.String({ maxLength: 20 }), metric: Type.Optional(Type.String({ maxLength: 500 })), interval: Type.Optional(Type.Integer({ minimum: 1 })) })),
  group_by: Type.Optional(Type.Array(Type.Object({ facet: Type.String({ minLength: 1, maxLength: 500 }), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })) }), { maxItems: 4 })),
});
const request = {
  q: Type.Optional(Query), queries: Type.Optional(Type.Array(NamedQuery, { minItems: 1, maxItems: 5 })), formulas: Type.Optional(Type.Array(Type.Object({ formula: Type.String({ maxLength: 1000 }), alias: Type.Optional(Short) }), { maxItems: 5 })),
  response_format: Type.Optional(Type.Enum(["timeseries", "scalar", "event_list"])), conditional_formats: Type.Optional(Type.Array(ConditionalFormat, { maxItems: 20 })),
};
const requests = (more: Readonly<Record<string, TSchema>> = {}, most = 10): TSchema => Type.Array(Type.Object({ ...request, ...more }), { minItems: 1, maxItems: most });

const spans = ["1m", "5m", "10m", "15m", "30m", "1h", "4h", "1d", "2d", "1w", "1mo", "3mo", "6mo", "1y"] as const;
const common = {
  title: Type.Optional(Short), title_size: Type.Optional(Type.String({ maxLength: 20 })), title_align: Type.Optional(Type.Enum(["left", "center", "right"])),
  time: Type.Optional(Type.Object({ live_span: Type.Optional(Type.Enum([...spans])) })),
};

const StreamQuery = Type.Object({ data_source: Type.Enum(["security_signals_stream", "logs_stream"]), query_string: Type.String({ maxLength: 5000 }), sort: Type.Optional(Type.Object({ column: Type.String({ maxLength: 300 }), order: Type.Enum(["asc", "desc"]) })) });
const Column = Type.Object({ field: Type.String({ minLength: 1, maxLength: 300 }), width: Type.Enum(["auto", "compact", "full"]) });

export type WidgetType = "timeseries" | "toplist" | "query_value" | "sunburst" | "geomap" | "query_table" | "list_stream" | "note";

/** What a widget of each type says. Plain schemas: working out the types of all of them together takes the compiler minutes. */
export const widgetSchemas: Readonly<Record<WidgetType, TSchema>> = {
  timeseries: Type.Object({ type: Type.Literal("timeseries"), ...common, requests: requests({ display_type: Type.Optional(Type.Enum(["area", "bars", "line", "overlay"])) }), show_legend: Type.Optional(Type.Boolean()) }),
  toplist: Type.Object({ type: Type.Literal("toplist"), ...common, requests: requests({}, 1) }),
  query_value: Type.Object({ type: Type.Literal("query_value"), ...common, requests: requests({}, 1), autoscale: Type.Optional(Type.Boolean()), precision: Type.Optional(Type.Integer({ minimum: 0, maximum: 9 })), custom_unit: Type.Optional(Type.String({ maxLength: 30 })) }),
  sunburst: Type.Object({ type: Type.Literal("sunburst"), ...common, requests: requests({}, 1), hide_total: Type.Optional(Type.Boolean()) }),
  geomap: Type.Object({
    type: Type.Literal("geomap"), ...common, requests: requests({}, 1), style: Type.Object({ palette: Type.String({ maxLength: 50 }), palette_flip: Type.Boolean() }), view: Type.Object({ focus: Type.String({ maxLength: 50 }) }),
  }),
  query_table: Type.Object({ type: Type.Literal("query_table"), ...common, requests: requests({ alias: Type.Optional(Short), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })) }, 5) }),
  list_stream: Type.Object({ type: Type.Literal("list_stream"), ...common, requests: Type.Array(Type.Object({ columns: Type.Array(Column, { minItems: 1, maxItems: 20 }), query: StreamQuery, response_format: Type.Enum(["event_list"]) }), { minItems: 1, maxItems: 1 }) }),
  note: Type.Object({ type: Type.Literal("note"), content: Type.String({ minLength: 1, maxLength: 20_000 }), background_color: Type.Optional(Type.String({ maxLength: 30 })), font_size: Type.Optional(Type.String({ maxLength: 10 })) }),
};

export const widgetTypes = Object.keys(widgetSchemas) as readonly WidgetType[];

const Variable = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 100, pattern: "^[A-Za-z_][A-Za-z0-9_]*$" }), prefix: Type.Optional(Type.Union([Type.String({ maxLength: 300 }), Type.Null()])),
  default: Type.Optional(Type.Union([Type.String({ maxLength: 1000 }), Type.Null()])), defaults: Type.Optional(Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 1 })), available_values: Type.Optional(Type.Union([Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 1000 }), Type.Null()])),
});
const about = { title: Type.String({ minLength: 1, maxLength: 300 }), description: Type.Optional(Type.Union([Type.String({ maxLength: 4000 }), Type.Null()])), layout_type: Type.Enum(["ordered", "free"]) };
const Layout = Type.Object({ x: Type.Integer({ minimum: 0 }), y: Type.Integer({ minimum: 0 }), width: Type.Integer({ minimum: 0 }), height: Type.Integer({ minimum: 0 }) });

/** What a request says of a widget; the definition is read by its type, so that what is wrong with it is told of that type alone. `pie` is another word for `sunburst`. */
const GivenWidget = Type.Object({ id: Type.Optional(Type.Integer({ minimum: 1, maximum: 9_007_199_254_740_991 })), layout: Type.Optional(Layout), definition: Type.Object({ type: Type.Enum([...widgetTypes, "pie"]) }) });
export const DashboardBody = Type.Object({ ...about, widgets: Type.Array(GivenWidget, { maxItems: 100 }), template_variables: Type.Optional(Type.Union([Type.Array(Variable, { maxItems: 20 }), Type.Null()])) });

const Widget = Type.Object({ id: Type.Integer(), layout: Type.Optional(Layout), definition: Type.Union(Object.values(widgetSchemas)) });
const summary = {
  id: Type.String(), title: Type.String(), description: Type.Union([Type.String(), Type.Null()]), layout_type: Type.Enum(["ordered", "free"]), url: Type.String(), author_handle: Type.String(), created_at: Type.String(), modified_at: Type.String(), is_read_only: Type.Boolean(),
  /** Of ours: it comes along with the program, and of which pack. */
  is_default: Type.Boolean(), pack: Type.Optional(Type.String()),
};
export const Dashboard = Type.Object({ ...summary, widgets: Type.Array(Widget), template_variables: Type.Array(Variable), version: Type.Integer() });
export const DashboardList = Type.Object({ dashboards: Type.Array(Type.Object(summary)) });
export const CloneBody = Type.Object({ title: Type.Optional(Type.String({ minLength: 1, maxLength: 300 })) });

const Time = Type.Union([Type.String({ maxLength: 100 }), Type.Number()]);
export const WidgetsBody = Type.Object({
  data: Type.Object({ attributes: Type.Object({ from: Time, to: Time, widgets: Type.Array(GivenWidget, { minItems: 1, maxItems: 100 }), template_variables: Type.Optional(Type.Array(Variable, { maxItems: 20 })), values: Type.Optional(Type.Record(Type.String(), Type.String())) }) }),
});

const Value = Type.Union([Type.Number(), Type.Null()]);
const By = Type.Record(Type.String(), Type.String());
/** What a widget shows, by the kind of its type. */
const Shown = Type.Union([
  Type.Object({ kind: Type.Literal("series"), interval: Type.Integer(), series: Type.Array(Type.Object({ name: Type.String(), by: By, request: Type.Integer(), points: Type.Array(Type.Array(Value)), href: Type.String() })) }),
  Type.Object({ kind: Type.Literal("rows"), columns: Type.Array(Type.String()), rows: Type.Array(Type.Object({ name: Type.String(), by: By, values: Type.Array(Value), href: Type.String() })) }),
  Type.Object({ kind: Type.Literal("value"), value: Value, format: Type.Union([Type.Object({ palette: Type.String() }), Type.Null()]), href: Type.String() }),
  Type.Object({ kind: Type.Literal("list"), rows: Type.Array(Type.Object({ id: Type.String(), timestamp: Type.String(), cells: Type.Array(Type.String()), href: Type.String() })) }),
  Type.Object({ kind: Type.Literal("note") }),
  Type.Object({ kind: Type.Literal("error"), errors: Type.Array(Type.String()) }),
]);
export const WidgetsAnswer = Type.Object({ data: Type.Object({ attributes: Type.Object({ widgets: Type.Array(Type.Object({ from: Type.Integer(), to: Type.Integer(), is_partial: Type.Optional(Type.Boolean()), shown: Shown })) }) }) });
