import { useState } from "react";
import { post } from "../lib/api.ts";
import { type KeyDeed, useKeys } from "../lib/keys.tsx";
import { addressOf, go, setParams, usePlace } from "../lib/router.tsx";
import { useMay, useSession } from "../lib/session.tsx";
import { countText, plural } from "../lib/text.ts";
import { durationText, timeText } from "../lib/time.ts";
import { type Page, useRows } from "../lib/use-rows.ts";
import { ArchiveDialog } from "../signals/archive-dialog.tsx";
import { AssignDialog } from "../signals/assign-dialog.tsx";
import { type Row, SIGNALS } from "../signals/model.ts";
import { type Change, changeSignals } from "../signals/triage.ts";
import { Empty, Fault } from "../ui/fault.tsx";
import { Grid, type GridColumn } from "../ui/grid.tsx";
import { Severity, State } from "../ui/pill.tsx";
import { Line } from "../ui/text.tsx";
import { tellFault } from "../ui/toast.tsx";
import type { EntityDetail } from "./model.ts";

/** Told by the signals themselves; the two others by the entity's score. */
const asked: readonly GridColumn[] = [
  { id: "severity", title: "Severity", width: "86px", sort: "severity" }, { id: "timestamp", title: "Created", width: "132px", sort: "timestamp" }, { id: "title", title: "Signal", width: "minmax(220px, 3fr)", sort: "@title" }, { id: "rule", title: "Rule", width: "minmax(140px, 2fr)", sort: "@workflow.rule.name" },
  { id: "state", title: "Signal State", width: "118px", sort: "@workflow.triage.state" }, { id: "assignee", title: "Assignee", width: "130px", sort: "@workflow.triage.assignee.handle" },
];
const columns: readonly GridColumn[] = [...asked.slice(0, 2), { id: "points", title: "Points", width: "64px" }, { id: "expires", title: "Points end", width: "120px" }, ...asked.slice(2)];
const AT_ONCE = 100;
const ROW_PX = 34;
const MOST_ROWS_HIGH = 14;

/** Every signal of the 14 days that is about it, with the points it gives and until when; judged here one by one or many at once. */
export function EntitySignals({ entity: { attributes: { queries, contributions } }, onChanged }: { readonly entity: EntityDetail; readonly onChanged: () => void }) {
  const { params } = usePlace();
  const { user } = useSession();
  const mayWrite = useMay("security_monitoring_signals_write");
  const sort = params.get("sort") ?? "-timestamp";
  const isPointed = params.get("signals") === "points";
  const query = isPointed ? queries.contributing : queries.signals;
  const filter = { query, from: "now-14d", to: "now" };
  const [active, setActive] = useState(0);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [last, setLast] = useState(0);
  const [asking, setAsking] = useState<"archive" | "assign">();
  const rows = useRows<Row>(`${query} ${sort}`, (skip, limit, signal) => post(`${SIGNALS}/rows`, { ...filter, sort, skip, limit, columns: asked.map(({ id }) => id) }, signal));
  const pointsOf = new Map(contributions.map((each) => [each.signal_id, each]));
  const count = rows.count ?? 0;
  const row = rows.rowAt(active);
  const targets = chosen.size ? [...chosen] : row ? [row.id] : [];
  const change = async (what: Change): Promise<void> => {
    setAsking(undefined);
    if (!targets.length) return;
    try {
      await changeSignals(targets, what);
      setChosen(new Set());
      rows.reload();
      onChanged();
    } catch (error) {
      tellFault(error);
    }
  };
  const choose = (key: string, index: number, isRange: boolean): void => {
    const next = new Set(chosen);
    if (isRange) for (let i = Math.min(index, last); i <= Math.max(index, last); i++) {
      const id = rows.rowAt(i)?.id;
      if (id) next.add(id);
    }
    else if (!next.delete(key)) next.add(key);
    setLast(index);
    setChosen(next);
  };
  /** Those out of sight, too. */
  const chooseAll = async (): Promise<void> => {
    const all = new Set<string>();
    try {
      for (let more = true; more; ) {
        const page = await post<Page<Row>>(`${SIGNALS}/rows`, { ...filter, sort, skip: all.size, limit: AT_ONCE, columns: ["severity"] });
        const before = all.size;
        for (const { id } of page.rows) all.add(id);
        more = all.size > before && all.size < page.count;
      }
      setChosen(all);
    } catch (error) {
      tellFault(error);
    }
  };
  const open = (index: number): void => {
    const there = rows.rowAt(index);
    if (there) go(addressOf("/security/signals", { query: queries.signals, from: "now-14d", to: "now", signal: there.id }));
  };
  const writes: readonly KeyDeed[] = mayWrite ? [
    { keys: "r", label: "Under review", run: () => void change({ state: "under_review" }) },
    { keys: "e", label: "Archive, with a reason", run: () => targets.length && setAsking("archive") },
    { keys: "u", label: "Open again", run: () => void change({ state: "open" }) },
    { keys: "m", label: "Assign to me", run: () => void change({ assignee: user.id }) },
    { keys: "a", label: "Assign to somebody", run: () => targets.length && setAsking("assign") },
    { keys: "X", label: "Select all", run: () => void chooseAll() },
  ] : [];
  useKeys("Signals of the entity", [
    { keys: "j", label: "Next signal", run: () => setActive(Math.min(count - 1, active + 1)) },
    { keys: "k", label: "Signal before", run: () => setActive(Math.max(0, active - 1)) },
    { keys: "Enter", label: "Open", run: () => open(active) },
    { keys: "x", label: "Select", run: () => row && choose(row.id, active, false) },
    { keys: "Escape", label: "Select none", run: () => setChosen(new Set()) },
    ...writes,
  ]);
  return (
    <section className="card entity-signals" aria-label="Signals of the past 14 days">
      <h2>
        Signals of the past 14 days
        <span className="switch" role="group" aria-label="Which signals">
          <button type="button" aria-pressed={!isPointed} onClick={() => (setParams({ signals: undefined }, { replace: true }), setChosen(new Set()))}>All</button>
          <button type="button" aria-pressed={isPointed} onClick={() => (setParams({ signals: "points" }, { replace: true }), setChosen(new Set()))}>With points</button>
        </span>
      </h2>
      <div className="explorer-count">
        <span role="status">{rows.count === undefined ? "…" : plural(count, "signal")}</span>
        {mayWrite && chosen.size === 0 && count > 0 && <button type="button" onClick={() => void chooseAll()}>Select all</button>}
        {chosen.size > 0 && mayWrite && (
          <span className="bulk">
            {countText(chosen.size)} selected:
            <button type="button" onClick={() => void change({ state: "under_review" })}>Under review</button>
            <button type="button" onClick={() => setAsking("archive")}>Archive…</button>
            <button type="button" onClick={() => void change({ state: "open" })}>Open</button>
            <button type="button" onClick={() => void change({ assignee: user.id })}>Assign to me</button>
            <button type="button" onClick={() => setAsking("assign")}>Assign…</button>
            <button type="button" className="quiet" onClick={() => setChosen(new Set())}>None</button>
          </span>
        )}
      </div>
      {rows.fault ? <Fault fault={rows.fault} onRetry={rows.reload} /> : rows.count === 0 ? <Empty>No such signals.</Empty> : (
        <div className="entity-rows" style={{ height: (Math.min(Math.max(count, 1), MOST_ROWS_HIGH) + 1) * ROW_PX + 14 }}>
          <Grid<Row>
            label="Signals of the entity" columns={columns} count={count} rowAt={rows.rowAt} onSight={rows.onSight} keyOf={({ id }) => id} active={active} onActive={setActive} onOpen={open}
            {...(mayWrite ? { chosen, onChoose: choose } : {})} sort={sort} onSort={(next) => setParams({ sort: next === "-timestamp" ? undefined : next }, { replace: true })}
            cell={(each, { id }) => <Cell name={id} value={each.cells[asked.findIndex((column) => column.id === id)] ?? null} points={pointsOf.get(each.id)} />}
          />
        </div>
      )}
      {asking === "archive" && <ArchiveDialog count={targets.length} onClose={() => setAsking(undefined)} onArchive={(what) => void change(what)} />}
      {asking === "assign" && <AssignDialog count={targets.length} onClose={() => setAsking(undefined)} onAssign={(assignee) => void change({ assignee })} />}
    </section>
  );
}

function Cell({ name, value, points }: { readonly name: string; readonly value: Row["cells"][number]; readonly points: EntityDetail["attributes"]["contributions"][number] | undefined }) {
  if (name === "points") return points ? <strong>{countText(points.points)}</strong> : <span className="quiet">0</span>;
  if (name === "expires") return points ? <time dateTime={points.expires_at} title={timeText(points.expires_at)}>in {durationText(points.expires_in_seconds)}</time> : <span className="quiet">–</span>;
  if (value === null) return <span className="quiet">–</span>;
  if (name === "severity") return <Severity value={String(value)} />;
  if (name === "state") return <State value={String(value)} />;
  if (name === "timestamp") return <time dateTime={String(value)}>{timeText(String(value), "row")}</time>;
  return <Line>{String(value)}</Line>;
}
