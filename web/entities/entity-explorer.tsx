import { useEffect, useMemo, useState } from "react";
import { get } from "../lib/api.ts";
import { useKeys } from "../lib/keys.tsx";
import { useLoad } from "../lib/load.ts";
import { Link, addressOf, go, setParams, usePlace } from "../lib/router.tsx";
import { countText, plural, visible } from "../lib/text.ts";
import { agoText, spans, timeText } from "../lib/time.ts";
import { useRows } from "../lib/use-rows.ts";
import { type FacetView, Facets } from "../ui/facets.tsx";
import { Empty, Fault } from "../ui/fault.tsx";
import { Grid, type GridColumn } from "../ui/grid.tsx";
import { Severity, severities } from "../ui/pill.tsx";
import { QueryBar } from "../ui/query-bar.tsx";
import { Line } from "../ui/text.tsx";
import { ENTITIES, type Entity, type EntityList, changeText, typeName } from "./model.ts";

const columns: readonly GridColumn[] = [
  { id: "score", title: "Score", width: "84px", sort: "score" }, { id: "severity", title: "Severity", width: "92px" }, { id: "value", title: "Entity", width: "minmax(180px, 3fr)", sort: "value" }, { id: "type", title: "Type", width: "minmax(100px, 1fr)", sort: "type" },
  { id: "change", title: "Change, 24 h", width: "100px", sort: "change" }, { id: "signals", title: "Signals, 14 d", width: "104px", sort: "signals" }, { id: "counts", title: "By severity", width: "120px" }, { id: "last_seen", title: "Last seen", width: "104px", sort: "last_seen" }, { id: "updated", title: "Score changed", width: "118px", sort: "updated" },
];
const fields = [
  ...[["type", "user, ip, host, service …"], ["severity", "of the score"], ["value", "its name"], ["score", ">100"], ["change", "in 24 hours"], ["signals", "of 14 days"], ["contributing", "signals with points"]].map(([name, about]) => ({ name: name!, about: about! })),
  ...["source", "service", "env", "team", "tactic", "technique", "rule_id", "@workflow.rule.name", "@workflow.triage.state", "@usr.id", "@network.client.ip", "host"].map((name) => ({ name, about: "of its signals" })),
];
const since = spans.filter(({ from }) => ["now-24h", "now-7d"].includes(from));

const setQuery = (query: string): void => setParams({ query });
const cell = (row: Entity, { id }: GridColumn) => <Cell row={row} name={id} />;

/** Whom signals are about, most at risk first. */
export function EntityExplorer() {
  const { params } = usePlace();
  const query = params.get("query") ?? "";
  const sort = params.get("sort") ?? "-score";
  const from = params.get("from") ?? "";
  const asked = params.get("as_of");
  const [active, setActive] = useState(0);
  const [turn, setTurn] = useState(0);
  // Pages of one list are of one instant.
  const asOf = useMemo(() => asked ?? new Date().toISOString(), [asked, query, sort, from, turn]);
  const filter = { "filter[query]": query, from, as_of: asOf };
  const key = JSON.stringify(filter);
  const rows = useRows<Entity>(`${key}${sort}`, async (skip, limit, signal) => {
    const { data, meta } = await get<EntityList>(addressOf(ENTITIES, { ...filter, sort, "page[limit]": limit, "page[offset]": skip || undefined }), signal);
    return { count: meta.total, rows: data };
  });
  const counts = useLoad(key, async (signal) => (await get<EntityList>(addressOf(ENTITIES, { ...filter, "page[limit]": 1 }), signal)).meta);
  useEffect(() => setActive(0), [query, sort, from]);
  const facets = useMemo(() => facetsOf(counts.data), [counts.data]);
  const count = rows.count ?? 0;
  const open = (index: number): void => {
    const row = rows.rowAt(index);
    if (row) go(row.attributes.href);
  };
  const move = (by: number): void => setActive(Math.min(count - 1, Math.max(0, active + by)));
  useKeys("Entities", [
    { keys: "j", label: "Next entity", run: () => move(1) },
    { keys: "k", label: "Entity before", run: () => move(-1) },
    { keys: "ArrowDown", label: "Next entity", run: () => move(1) },
    { keys: "ArrowUp", label: "Entity before", run: () => move(-1) },
    { keys: "Enter", label: "Open", run: () => open(active) },
    { keys: "o", label: "Open", run: () => open(active) },
  ]);
  return (
    <div className="explorer">
      <header className="explorer-head">
        <h1>Entities</h1>
        <QueryBar label="Search entities" value={query} onSubmit={setQuery} fields={fields} placeholder="Search, such as type:user severity:critical" valuesOf={async (field) => (field === "type" ? Object.keys(counts.data?.types ?? {}) : field === "severity" || field === "status" ? severities : [])} />
        <select aria-label="Entities with points since" value={from} onChange={(event) => setParams({ from: event.target.value })}>
          <option value="">All with a score</option>
          {since.map((each) => <option key={each.from} value={each.from}>New points: {each.label.toLowerCase()}</option>)}
          {from !== "" && !since.some((each) => each.from === from) && <option value={from}>New points since {visible(from)}</option>}
        </select>
        <button type="button" onClick={() => (asked ? setParams({ as_of: undefined }) : setTurn(turn + 1))}>{asked ? "As of now" : "Refresh"}</button>
      </header>
      <Facets facets={facets} query={query} onQuery={setQuery} />
      <section className="explorer-main" aria-label="Entities found">
        <div className="explorer-count">
          <span role="status">{rows.count === undefined ? "…" : plural(count, "entity", "entities")}</span>
          {asked && <span className="quiet">as of {timeText(/^\d+$/.test(asked) ? Number(asked) : asked)}</span>}
          {rows.isLoading && <span className="quiet">loading</span>}
        </div>
        {rows.fault ? <Fault fault={rows.fault} onRetry={rows.reload} /> : rows.count === 0 ? <Empty>No entity with a score matches. Signals of medium severity and above give points for 14 days.</Empty> : (
          <Grid<Entity>
            label="Entities" columns={columns} count={count} rowAt={rows.rowAt} onSight={rows.onSight} keyOf={({ id }) => id} active={active} onActive={setActive} onOpen={open}
            sort={sort} onSort={(next) => setParams({ sort: next === "-score" ? undefined : next })} cell={cell}
          />
        )}
      </section>
    </div>
  );
}

function Cell({ row: { attributes }, name }: { readonly row: Entity; readonly name: string }) {
  const { score, severity, value, type, score_change: change, signals, signal_counts: counts, last_seen: lastSeen, last_updated: updated, href, signals_query: signalsQuery } = attributes;
  if (name === "score") return <strong className={`severity-${severity}`}>{countText(score)}</strong>;
  if (name === "severity") return <Severity value={severity} />;
  if (name === "value") return <Link href={href} tabIndex={-1}><Line>{value}</Line></Link>;
  if (name === "type") return <Line>{typeName(type)}</Line>;
  if (name === "change") return <span className={change > 0 ? "entity-up" : "quiet"}>{changeText(change)}</span>;
  if (name === "signals") return <Link href={addressOf("/security/signals", { query: signalsQuery, from: "now-14d", to: "now" })} tabIndex={-1} onClick={(event) => event.stopPropagation()}>{countText(signals)}</Link>;
  if (name === "counts") return <>{severities.filter((each) => counts[each]).map((each) => <span key={each} className={`entity-count severity-${each}`} title={`${counts[each]} ${each}`}>{countText(counts[each])}<span className="visually-hidden"> {each}</span></span>)}</>;
  return <span className="quiet">{agoText(name === "updated" ? updated : lastSeen)}</span>;
}

function facetsOf(meta: EntityList["meta"] | undefined): readonly FacetView[] {
  if (!meta) return [];
  const values = (name: string, counts: Readonly<Record<string, number>>, order: readonly string[]) => order.filter((value) => counts[value]).map((value) => ({ value, count: counts[value]!, query: `${name}:${value}` }));
  return [
    { id: "type", title: "Type", values: values("type", meta.types, Object.keys(meta.types).toSorted((a, b) => meta.types[b]! - meta.types[a]!)) },
    { id: "severity", title: "Severity", values: values("severity", meta.severities, severities) },
  ];
}
