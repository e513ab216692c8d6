export const DASHBOARDS = "/api/v1/dashboard";

export interface WidgetDefinition {
  readonly type: string;
  readonly title?: string;
  readonly requests?: ReadonlyArray<Readonly<Record<string, unknown>> & { readonly q?: string; readonly display_type?: string }>;
  readonly content?: string;
  readonly custom_unit?: string;
  readonly [member: string]: unknown;
}

export interface Widget {
  readonly id?: number;
  readonly definition: WidgetDefinition;
}

export interface Summary {
  readonly id: string;
  readonly title: string;
  readonly description: string | null;
  readonly author_handle: string;
  readonly modified_at?: string;
  readonly is_default: boolean;
  readonly pack?: string;
}

export interface Dashboard extends Summary {
  readonly layout_type: string;
  readonly widgets: readonly Widget[];
  readonly template_variables: ReadonlyArray<{ readonly name: string; readonly prefix?: string | null; readonly default?: string | null }>;
  readonly version: number;
}

type By = Readonly<Record<string, string>>;

export type Shown =
  | { readonly kind: "series"; readonly interval: number; readonly series: ReadonlyArray<{ readonly name: string; readonly by: By; readonly request: number; readonly points: ReadonlyArray<readonly [number, number | null]>; readonly href: string }> }
  | { readonly kind: "rows"; readonly columns: readonly string[]; readonly rows: ReadonlyArray<{ readonly name: string; readonly by: By; readonly values: ReadonlyArray<number | null>; readonly href: string }> }
  | { readonly kind: "value"; readonly value: number | null; readonly format: { readonly palette: string } | null; readonly href: string }
  | { readonly kind: "list"; readonly rows: ReadonlyArray<{ readonly id: string; readonly timestamp: string; readonly cells: readonly string[]; readonly href: string }> }
  | { readonly kind: "note" }
  | { readonly kind: "error"; readonly errors: readonly string[] };

export interface WidgetAnswer {
  readonly from: number;
  readonly to: number;
  readonly is_partial?: boolean;
  readonly shown: Shown;
}

/** What a new widget of each type begins with. */
export const beginnings: Readonly<Record<string, WidgetDefinition>> = {
  timeseries: { type: "timeseries", title: "Signals by severity", requests: [{ q: "count:security_signal by {severity}", display_type: "line" }] },
  toplist: { type: "toplist", title: "Top rules", requests: [{ q: "count:security_signal by {signal.rule.name}.as_count()" }] },
  query_value: { type: "query_value", title: "Open signals", requests: [{ q: "count:security_signal{status:open}" }] },
  sunburst: { type: "sunburst", title: "Signals by source", requests: [{ q: "count:security_signal by {source}" }] },
  geomap: { type: "geomap", title: "Signals by country", requests: [{ q: "count:security_signal by {network.client.geoip.country.name}" }], style: { palette: "hostmap_blues", palette_flip: false }, view: { focus: "WORLD" } },
  query_table: { type: "query_table", title: "Open signals by severity", requests: [{ q: "count:security_signal{status:open} by {severity}" }] },
  list_stream: { type: "list_stream", title: "Newest signals", requests: [{ columns: [{ field: "timestamp", width: "auto" }, { field: "title", width: "auto" }], query: { data_source: "security_signals_stream", query_string: "" }, response_format: "event_list" }] },
  note: { type: "note", content: "What this dashboard is for." },
};
