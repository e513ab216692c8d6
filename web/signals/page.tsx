import { useCallback, useEffect, useMemo, useState } from "react";
import { download, post } from "../lib/api.ts";
import { type TimePoint, bucketed } from "../lib/buckets.ts";
import { type KeyDeed, useKeys } from "../lib/keys.tsx";
import { useLoad } from "../lib/load.ts";
import { setParams, usePlace } from "../lib/router.tsx";
import { useMay, useSession } from "../lib/session.tsx";
import { cellText, countText, plural } from "../lib/text.ts";
import { agoText, apiBound, boundMs, bucketMs, timeText } from "../lib/time.ts";
import { useRows } from "../lib/use-rows.ts";
import type { PageProps } from "../shell/pages.ts";
import { Bars } from "../ui/bars.tsx";
import { ColumnMenu } from "../ui/column-menu.tsx";
import { type FacetView, Facets } from "../ui/facets.tsx";
import { Empty, Fault } from "../ui/fault.tsx";
import { Grid, type GridColumn } from "../ui/grid.tsx";
import { Popup } from "../ui/menu.tsx";
import { Severity, State, severities } from "../ui/pill.tsx";
import { QueryBar } from "../ui/query-bar.tsx";
import { Line } from "../ui/text.tsx";
import { TimePicker } from "../ui/time-picker.tsx";
import { tellFault } from "../ui/toast.tsx";
import { ArchiveDialog } from "./archive-dialog.tsx";
import { AssignDialog } from "./assign-dialog.tsx";
import { columnsOf, known, standard } from "./columns.ts";
import { type Row, SIGNALS } from "./model.ts";
import { SidePanel } from "./side-panel.tsx";
import { SuppressDialog } from "./suppress-dialog.tsx";
import { type Change, changeSignals } from "./triage.ts";
import { ViewMenu } from "./view-menu.tsx";

const LIVE_MS = 3000;
const MOST_BARS = 80;
const facetNames: ReadonlyArray<readonly [name: string, title: string]> = [
  ["severity", "Severity"], ["@workflow.triage.state", "Signal State"], ["@workflow.rule.name", "Rule"], ["source", "Source"], ["service", "Service"], ["host", "Host"], ["env", "Env"],
  ["@workflow.triage.assignee.handle", "Assignee"], ["@workflow.triage.archiveReason", "Archive Reason"], ["@usr.id", "User"], ["@network.client.ip", "Client IP"], ["tactic", "Tactic"], ["technique", "Technique"], ["@workflow.rule.detectionMethod", "Method"],
];
const fields = [
  ...["severity", "status", "source", "service", "host", "env", "team", "tactic", "technique", "security"].map((name) => ({ name })),
  ...facetNames.filter(([name]) => name.startsWith("@")).map(([name, about]) => ({ name, about })),
  ...["@workflow.rule.id", "@workflow.rule.type", "@workflow.events_matched", "@workflow.triage.updater.handle", "@network.ip.list", "@userIdentity.arn", "@evt.name", "@evt.outcome", "@threat_intel.indicators_matched"].map((name) => ({ name })),
];

interface AggregateAnswer {
  readonly data: { readonly buckets: ReadonlyArray<{ readonly by: Readonly<Record<string, string>>; readonly computes: { readonly c0: readonly TimePoint[] } }> };
}

type Asking = "archive" | "assign" | "suppress";

const noFacets: readonly FacetView[] = [];
const setQuery = (query: string): void => setParams({ query });
const setSpan = (fromMs: number, toMs: number): void => setParams({ from: fromMs, to: toMs, live: undefined });

export default function SignalsPage({ rest }: PageProps) {
  const { params } = usePlace();
  const { user } = useSession();
  const mayWrite = useMay("security_monitoring_signals_write");
  const query = params.get("query") ?? "";
  const span = { from: params.get("from") ?? "now-7d", to: params.get("to") ?? "now" };
  const sort = params.get("sort") ?? "-timestamp";
  const isLive = params.get("live") === "true";
  const colsText = params.get("cols");
  const columns = useMemo(() => columnsOf(colsText), [colsText]);
  const cell = useCallback((each: Row, column: GridColumn) => <Cell name={column.id} value={each.cells[columns.indexOf(column)] ?? null} />, [columns]);
  const open = rest[0] ?? params.get("signal") ?? undefined;
  const [active, setActive] = useState(0);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [lastChosen, setLastChosen] = useState(0);
  const [asking, setAsking] = useState<Asking>();
  const [turn, setTurn] = useState(0);

  const filter = { query, from: apiBound(span.from), to: apiBound(span.to) };
  const asked = JSON.stringify(filter);
  const rows = useRows<Row>(`${asked}${sort}${columns.map(({ id }) => id)}`, (skip, limit, signal) =>
    post(`${SIGNALS}/rows`, { ...filter, sort, skip, limit, columns: columns.map(({ id }) => id) }, signal));
  const facets = useLoad(`${asked}${turn}`, async (signal) => {
    const { data } = await post<{ readonly data: ReadonlyArray<FacetView & { readonly facet: string }> }>(`${SIGNALS}/facets`, { ...filter, facets: facetNames.map(([name]) => name), limit: 8 }, signal);
    return data.map((each, i) => ({ ...each, id: each.facet, title: facetNames[i]![1] }));
  });
  const bars = useLoad(`${asked}${turn}bars`, async (signal) => {
    const nowMs = Date.now();
    const [fromMs, toMs] = [boundMs(span.from, nowMs) ?? nowMs - 604_800_000, boundMs(span.to, nowMs) ?? nowMs];
    const widthMs = bucketMs(Math.max(1000, toMs - fromMs), MOST_BARS);
    const startMs = Math.floor(fromMs / widthMs) * widthMs;
    const { data } = await post<AggregateAnswer>(`${SIGNALS}/aggregate`, { filter, compute: [{ aggregation: "count", type: "timeseries", interval: widthMs }], group_by: [{ facet: "severity" }] }, signal);
    const count = Math.max(1, Math.ceil((toMs - startMs) / widthMs));
    const series = severities.toReversed().map((name) => ({ name, className: `severity-${name}`, values: bucketed(data.buckets.find(({ by }) => by.severity === name)?.computes.c0 ?? [], startMs, widthMs, count) }));
    return { startMs, widthMs, series };
  });

  const refresh = useCallback((): void => {
    rows.reload();
    setTurn((before) => before + 1);
  }, [rows.reload]);
  useEffect(() => {
    if (!isLive) return;
    const timer = setInterval(() => document.visibilityState === "visible" && refresh(), LIVE_MS);
    return () => clearInterval(timer);
  }, [isLive, refresh]);
  useEffect(() => {
    setChosen(new Set());
    setActive(0);
  }, [asked, sort]);

  const count = rows.count ?? 0;
  const row = rows.rowAt(active);
  const targets = chosen.size ? [...chosen] : open !== undefined ? [open] : row ? [row.id] : [];
  const openSignal = (id: string | undefined): void => setParams({ signal: id, tab: id === undefined ? undefined : params.get("tab") });
  const change = async (what: Change): Promise<void> => {
    setAsking(undefined);
    if (!targets.length) return;
    try {
      await changeSignals(targets, what);
      setChosen(new Set());
      refresh();
    } catch (error) {
      tellFault(error);
    }
  };
  const move = (by: number): void => {
    const next = Math.min(count - 1, Math.max(0, active + by));
    setActive(next);
    const there = rows.rowAt(next);
    if (open !== undefined && there) openSignal(there.id);
  };
  const choose = (key: string, index: number, isRange: boolean): void => {
    const next = new Set(chosen);
    if (isRange) for (let i = Math.min(index, lastChosen); i <= Math.max(index, lastChosen); i++) {
      const id = rows.rowAt(i)?.id;
      if (id) next.add(id);
    }
    else if (!next.delete(key)) next.add(key);
    setLastChosen(index);
    setChosen(next);
  };
  const writes: readonly KeyDeed[] = mayWrite ? [
    { keys: "r", label: "Under review", run: () => void change({ state: "under_review" }) },
    { keys: "e", label: "Archive, with a reason", run: () => targets.length && setAsking("archive") },
    { keys: "u", label: "Open again", run: () => void change({ state: "open" }) },
    { keys: "m", label: "Assign to me", run: () => void change({ assignee: user.id }) },
    { keys: "a", label: "Assign to somebody", run: () => targets.length && setAsking("assign") },
    { keys: "s", label: "Suppress from here", run: () => targets.length && setAsking("suppress") },
  ] : [];
  useKeys("Signals", [
    { keys: "j", label: "Next signal", run: () => move(1) },
    { keys: "k", label: "Signal before", run: () => move(-1) },
    { keys: "ArrowDown", label: "Next signal", run: () => move(1) },
    { keys: "ArrowUp", label: "Signal before", run: () => move(-1) },
    { keys: "PageDown", label: "Twenty further", run: () => move(20) },
    { keys: "PageUp", label: "Twenty back", run: () => move(-20) },
    { keys: "Enter", label: "Open", run: () => row && openSignal(row.id) },
    { keys: "o", label: "Open", run: () => row && openSignal(row.id) },
    { keys: "x", label: "Select", run: () => row && choose(row.id, active, false) },
    { keys: "Escape", label: "Close, or select none", run: () => (open === undefined ? setChosen(new Set()) : openSignal(undefined)) },
    { keys: "l", label: "Live on or off", run: () => setParams({ live: isLive ? undefined : "true" }) },
    ...writes,
  ]);

  const fault = rows.fault;
  return (
    <div className={`explorer ${open === undefined ? "" : "has-panel"}`}>
      <header className="explorer-head">
        <h1>Signals</h1>
        <ViewMenu page="signals" />
        <QueryBar label="Search signals" value={query} onSubmit={setQuery} fields={fields} placeholder="Search, such as severity:critical -@workflow.triage.state:archived" valuesOf={async (field, signal) => {
          const { data } = await post<{ readonly data: readonly FacetView[] }>(`${SIGNALS}/facets`, { ...filter, query: "", facets: [field], limit: 100 }, signal);
          return data[0]!.values.map(({ value }) => value);
        }} />
        <TimePicker span={span} onChoose={({ from, to }) => setParams({ from, to })} />
        <button type="button" aria-pressed={isLive} className={isLive ? "live is-live" : "live"} title="Live (l)" onClick={() => setParams({ live: isLive ? undefined : "true" })}>
          ● Live
        </button>
        <ColumnMenu offered={known.map(({ id }) => id)} titleOf={(id) => columnsOf(id)[0]!.title} shown={columns.map(({ id }) => id)} standard={standard} />
        <Popup label="Export ▾" align="right">
          {(close) => (
            <ul className="choices">
              {(["csv", "json"] as const).map((format) => (
                <li key={format}>
                  <button type="button" onClick={() => (close(), void download("POST", `${SIGNALS}/export`, { filter, sort, format }, `signals.${format}`).catch(tellFault))}>
                    {format.toUpperCase()}
                  </button>
                </li>
              ))}
            </ul>
          )}
        </Popup>
      </header>
      <Facets facets={facets.data ?? noFacets} query={query} onQuery={setQuery} />
      <section className="explorer-main" aria-label="Signals found">
        {bars.data && <Bars label="Signals over time by severity" {...bars.data} onChoose={setSpan} />}
        <div className="explorer-count">
          <span role="status">{rows.count === undefined ? "…" : plural(count, "signal")}</span>
          {chosen.size > 0 && mayWrite ? (
            <span className="bulk">
              {countText(chosen.size)} selected:
              <button type="button" onClick={() => void change({ state: "under_review" })}>Under review</button>
              <button type="button" onClick={() => setAsking("archive")}>Archive…</button>
              <button type="button" onClick={() => void change({ state: "open" })}>Open</button>
              <button type="button" onClick={() => void change({ assignee: user.id })}>Assign to me</button>
              <button type="button" onClick={() => setAsking("assign")}>Assign…</button>
              <button type="button" className="quiet" onClick={() => setChosen(new Set())}>None</button>
            </span>
          ) : null}
          {rows.isLoading && <span className="quiet">loading</span>}
        </div>
        {fault ? <Fault fault={fault} onRetry={refresh} /> : rows.count === 0 ? <Empty>No signals match. Widen the time, or take a term away.</Empty> : (
          <Grid<Row>
            label="Signals" columns={columns} count={count} rowAt={rows.rowAt} onSight={rows.onSight} keyOf={({ id }) => id} active={active} onActive={setActive}
            onOpen={(index) => openSignal(rows.rowAt(index)?.id)} openKey={open} chosen={chosen} onChoose={choose} sort={sort} onSort={(next) => setParams({ sort: next === "-timestamp" ? undefined : next })}
            cell={cell}
          />
        )}
      </section>
      {open !== undefined && <SidePanel key={open} id={open} turn={turn} onClose={() => openSignal(undefined)} onChange={(what) => void change(what)} onAsk={setAsking} />}
      {asking === "archive" && <ArchiveDialog count={targets.length} onClose={() => setAsking(undefined)} onArchive={(what) => void change(what)} />}
      {asking === "assign" && <AssignDialog count={targets.length} onClose={() => setAsking(undefined)} onAssign={(assignee) => void change({ assignee })} />}
      {asking === "suppress" && targets[0] !== undefined && <SuppressDialog signalId={targets[0]} onClose={() => setAsking(undefined)} />}
    </div>
  );
}

function Cell({ name, value }: { readonly name: string; readonly value: Row["cells"][number] }) {
  if (value === null) return name === "assignee" ? <span className="quiet">–</span> : null;
  if (name === "severity") return <Severity value={String(value)} />;
  if (name === "state") return <State value={String(value)} />;
  if (name === "timestamp" || name === "first_seen" || name === "last_seen") return <time dateTime={String(value)}>{timeText(String(value), "row")}</time>;
  if (name === "changed") return <>{agoText(typeof value === "number" ? value : String(value))}</>;
  if (name === "archive_reason" && value === "none") return null;
  if (name === "entities") return <Line>{[value].flat().map((each) => String(each).replace(/^@[^:]*:/, "")).join("  ")}</Line>;
  return <Line>{typeof value === "number" ? countText(value) : cellText(value)}</Line>;
}
