import { useCallback, useEffect, useMemo, useState } from "react";
import { post } from "../lib/api.ts";
import { type TimePoint, bucketed } from "../lib/buckets.ts";
import { useKeys } from "../lib/keys.tsx";
import { useLoad } from "../lib/load.ts";
import { setParams, usePlace } from "../lib/router.tsx";
import { cellText, plural, quoted } from "../lib/text.ts";
import { boundMs, bucketMs, timeText } from "../lib/time.ts";
import { ViewMenu } from "../signals/view-menu.tsx";
import { Bars } from "../ui/bars.tsx";
import { ColumnMenu } from "../ui/column-menu.tsx";
import { Facets } from "../ui/facets.tsx";
import { Empty, Fault } from "../ui/fault.tsx";
import { Grid, type GridColumn } from "../ui/grid.tsx";
import { QueryBar } from "../ui/query-bar.tsx";
import { Line } from "../ui/text.tsx";
import { TimePicker } from "../ui/time-picker.tsx";
import { EventPanel } from "./event-panel.tsx";
import { EVENTS, type Log, type LogList, MOST_LOGS, logCell, sourceOf } from "./model.ts";
import { Patterns } from "./pattern-table.tsx";
import { useLogs } from "./use-logs.ts";
import "../styles/logs.css";

const LIVE_MS = 3000;
const MOST_BARS = 80;
const NEAR_END = 50;
/** As many as one search counts by. */
const facetNames: ReadonlyArray<readonly [string, string]> = [["source", "Source"], ["service", "Service"], ["host", "Host"], ["status", "Status"], ["@evt.name", "Event Name"], ["@evt.outcome", "Outcome"], ["@usr.id", "User"], ["@network.client.ip", "Client IP"]];
const fields = [...facetNames.map(([name, about]) => ({ name, about })), ...["env", "@network.ip.list", "@usr.name", "@http.status_code", "@userIdentity.arn", "@http.url_details.path", "@http.useragent", "@error.kind", "@threat_intel.indicators_matched", "team", "version"].map((name) => ({ name }))];
const COLUMNS: Readonly<Record<string, Pick<GridColumn, "title" | "width">>> = {
  timestamp: { title: "Time", width: "140px" }, source: { title: "Source", width: "100px" }, service: { title: "Service", width: "100px" }, host: { title: "Host", width: "120px" }, status: { title: "Status", width: "70px" }, message: { title: "Message", width: "minmax(300px, 5fr)" },
};
const standard = ["timestamp", "status", "source", "host", "message"];
const STATUS_SERIES: Readonly<Record<string, string>> = { emergency: "severity-critical", alert: "severity-critical", critical: "severity-critical", error: "severity-high", warn: "severity-medium", notice: "severity-low", info: "severity-low", debug: "severity-info", ok: "series-3" };

interface Buckets {
  readonly data: { readonly buckets: ReadonlyArray<{ readonly by: { readonly status?: string }; readonly computes: { readonly c0: readonly TimePoint[] } }> };
}

export default function LogsPage() {
  const { params } = usePlace();
  const query = params.get("query") ?? "";
  // Links of signals name their bounds as the official pages do.
  const span = { from: params.get("from") ?? params.get("from_ts") ?? "now-4h", to: params.get("to") ?? params.get("to_ts") ?? "now" };
  const isLive = params.get("live") === "true";
  const view = params.get("view") === "patterns" ? "patterns" : "list";
  const sort = params.get("sort") === "timestamp" ? "timestamp" : "-timestamp";
  const open = params.get("event") ?? undefined;
  const colsText = params.get("cols");
  const columns = useMemo((): readonly GridColumn[] => {
    const names = (colsText ?? "").split(",").filter(Boolean).slice(0, 20);
    return (names.length ? names : standard).map((id) => ({ id, title: id, width: "minmax(110px, 1fr)", ...COLUMNS[id], ...(id === "timestamp" ? { sort: "timestamp" } : {}) }));
  }, [colsText]);
  const [active, setActive] = useState(0);
  const [turn, setTurn] = useState(0);
  const filter = { query: query || "*", from: span.from, to: span.to };
  const asked = JSON.stringify(filter);
  const found = useLogs(filter, sort);
  const { logs } = found;
  const facets = useLoad(`${asked}${turn}`, async (signal) => {
    const { meta } = await post<LogList>(`${EVENTS}/search`, { filter, facets: facetNames.map(([name]) => name), page: { limit: 1 } }, signal);
    return (meta.facets ?? []).map(({ facet, values }, i) => ({ id: facet, title: facetNames[i]![1], values: values.slice(0, 8).map((each) => ({ ...each, query: `${facet}:${quoted(each.value)}` })) }));
  });
  const bars = useLoad(`${asked}${turn}bars`, async (signal) => {
    const nowMs = Date.now();
    const [fromMs, toMs] = [boundMs(span.from, nowMs) ?? nowMs - 14_400_000, boundMs(span.to, nowMs) ?? nowMs];
    const widthMs = bucketMs(Math.max(1000, toMs - fromMs), MOST_BARS);
    const startMs = Math.floor(fromMs / widthMs) * widthMs;
    const count = Math.max(1, Math.ceil((toMs - startMs) / widthMs));
    const { data } = await post<Buckets>("/api/v2/logs/analytics/aggregate", { filter, compute: [{ aggregation: "count", type: "timeseries", interval: `${widthMs}ms` }], group_by: [{ facet: "status", limit: 8, missing: "none" }] }, signal);
    const series = data.buckets.map(({ by, computes }) => ({ name: by.status ?? "none", className: STATUS_SERIES[by.status ?? ""] ?? "severity-info", values: bucketed(computes.c0, startMs, widthMs, count) }));
    return { startMs, widthMs, series, total: series.reduce((sum, { values }) => sum + values.reduce((a, b) => a + b, 0), 0) };
  });
  const refresh = useCallback((): void => {
    found.reload();
    setTurn((before) => before + 1);
  }, [found.reload]);
  useEffect(() => {
    if (!isLive) return;
    const timer = setInterval(() => document.visibilityState === "visible" && refresh(), LIVE_MS);
    return () => clearInterval(timer);
  }, [isLive, refresh]);
  useEffect(() => setActive(0), [asked, sort]);

  const openLog = (id: string | undefined): void => setParams({ event: id });
  const move = (by: number): void => {
    const next = Math.min(logs.length - 1, Math.max(0, active + by));
    setActive(next);
    if (open !== undefined && logs[next]) openLog(logs[next].id);
  };
  useKeys("Logs", [
    { keys: "j", label: "Next log", run: () => move(1) },
    { keys: "k", label: "Log before", run: () => move(-1) },
    { keys: "ArrowDown", label: "Next log", run: () => move(1) },
    { keys: "ArrowUp", label: "Log before", run: () => move(-1) },
    { keys: "Enter", label: "Open", run: () => logs[active] && openLog(logs[active].id) },
    { keys: "p", label: "Patterns, or the list", run: () => setParams({ view: view === "patterns" ? undefined : "patterns" }) },
    { keys: "l", label: "Live on or off", run: () => setParams({ live: isLive ? undefined : "true" }) },
    { keys: "Escape", label: "Close", run: () => openLog(undefined) },
  ]);
  return (
    <div className={`explorer ${open === undefined ? "" : "has-panel"}`}>
      <header className="explorer-head">
        <h1>Logs</h1>
        <ViewMenu page="logs" />
        <QueryBar label="Search logs" value={query} onSubmit={(next) => setParams({ query: next })} fields={fields} placeholder="Search, such as source:auth @evt.outcome:failure" valuesOf={async (field, signal) => {
          const { meta } = await post<LogList>(`${EVENTS}/search`, { filter: { ...filter, query: "*" }, facets: [field], page: { limit: 1 } }, signal);
          return meta.facets?.[0]?.values.map(({ value }) => value) ?? [];
        }} />
        <TimePicker span={span} onChoose={({ from, to }) => setParams({ from, to, from_ts: undefined, to_ts: undefined })} />
        <button type="button" aria-pressed={isLive} className={isLive ? "live is-live" : "live"} title="Live (l)" onClick={() => setParams({ live: isLive ? undefined : "true" })}>● Live</button>
        <div className="switch" role="group" aria-label="View">
          <button type="button" aria-pressed={view === "list"} onClick={() => setParams({ view: undefined })}>List</button>
          <button type="button" aria-pressed={view === "patterns"} onClick={() => setParams({ view: "patterns" })}>Patterns</button>
        </div>
        <ColumnMenu offered={[...Object.keys(COLUMNS), ...facetNames.map(([name]) => name)]} titleOf={(id) => COLUMNS[id]?.title ?? id} shown={columns.map(({ id }) => id)} standard={standard} />
      </header>
      <Facets facets={facets.data ?? []} query={query} onQuery={(next) => setParams({ query: next })} />
      <section className="explorer-main" aria-label="Logs found">
        {bars.data && <Bars label="Logs over time by status" {...bars.data} onChoose={(fromMs, toMs) => setParams({ from: fromMs, to: toMs, from_ts: undefined, to_ts: undefined, live: undefined })} />}
        <div className="explorer-count">
          <span role="status">{bars.data ? plural(bars.data.total, "log") : "…"}</span>
          {found.isCut && <span className="form-problem">The search stopped at its time limit: narrow the query or the time for all of them.</span>}
          {logs.length >= MOST_LOGS && <span className="quiet">the first {plural(MOST_LOGS, "log")} are listed</span>}
          {found.isLoading && <span className="quiet">loading</span>}
        </div>
        {found.fault ? <Fault fault={found.fault} onRetry={refresh} /> : view === "patterns" ? <Patterns filter={filter} onOpen={openLog} onQuery={(next) => setParams({ query: next, view: undefined })} /> : logs.length === 0 && !found.isLoading ? <Empty>No logs match. Widen the time, or take a term away.</Empty> : (
          <Grid<Log>
            label="Logs" columns={columns} count={logs.length} rowAt={(index) => logs[index]} keyOf={({ id }) => id} active={active} onActive={setActive} onOpen={(index) => openLog(logs[index]?.id)} openKey={open}
            onSight={(_from, to) => to > logs.length - NEAR_END && found.more()} sort={sort} onSort={(next) => setParams({ sort: next === "-timestamp" ? undefined : next })} rowClass={({ attributes: { status } }) => `log-row ${STATUS_SERIES[status ?? ""] ?? ""}`}
            cell={(log, { id }) => <Line>{id === "timestamp" ? timeText(log.attributes.timestamp, "row") : id === "message" ? log.attributes.message || `${sourceOf(log)} ${JSON.stringify(log.attributes.attributes)}` : cellText(logCell(log, id))}</Line>}
          />
        )}
      </section>
      {open !== undefined && <EventPanel key={open} id={open} known={logs.find(({ id }) => id === open)} query={query} onClose={() => openLog(undefined)} />}
    </div>
  );
}
