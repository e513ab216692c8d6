import { useEffect, useMemo, useState } from "react";
import { call, download, get, post } from "../lib/api.ts";
import { useKeys } from "../lib/keys.tsx";
import { useLoad } from "../lib/load.ts";
import { Link, addressOf, go, setParams, usePlace } from "../lib/router.tsx";
import { useMay } from "../lib/session.tsx";
import { countText, plural, shortCount, visible } from "../lib/text.ts";
import { agoText, timeText } from "../lib/time.ts";
import { SIGNALS } from "../signals/model.ts";
import { type FacetView, Facets } from "../ui/facets.tsx";
import { Empty, Fault, Loading } from "../ui/fault.tsx";
import { Grid, type GridColumn } from "../ui/grid.tsx";
import { Severity, severities } from "../ui/pill.tsx";
import { QueryBar } from "../ui/query-bar.tsx";
import { Line } from "../ui/text.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import { type Rule, RULES, methodOf, severityOf, tagValues } from "./model.ts";

const PAGE = 100;
const columns: readonly GridColumn[] = [
  { id: "state", title: "State", width: "52px", sort: "state" }, { id: "severity", title: "Severity", width: "76px", sort: "severity" }, { id: "name", title: "Rule", width: "minmax(150px, 4fr)", sort: "name" },
  { id: "method", title: "Method", width: "98px", sort: "method" }, { id: "source", title: "Source", width: "minmax(64px, 1fr)", sort: "source" }, { id: "attack", title: "ATT&CK", width: "minmax(76px, 1.4fr)" },
  { id: "signals", title: "Signals, 30 d", width: "84px", sort: "signals" }, { id: "cost", title: "Cost", width: "112px", sort: "cost" }, { id: "fired", title: "Last fired", width: "82px", sort: "fired" },
  { id: "canary", title: "Canary", width: "70px", sort: "canary" },
];
const fields = ["type", "method", "isEnabled", "isDefault", "source", "tactic", "technique", "security", "ruleId", "name", "severity"].map((name) => ({ name }));

interface Noise {
  readonly data: { readonly buckets: ReadonlyArray<{ readonly by: Readonly<Record<string, string>>; readonly computes: { readonly c0: number; readonly c1: ReadonlyArray<{ readonly time: string; readonly value: number | null }> } }> };
}

interface Health {
  readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: RuleHealth }>;
  readonly meta: { readonly since?: string; readonly events?: number };
}

interface RuleHealth {
  readonly canary: "proved" | "unproved" | "failing" | "idle";
  readonly reason?: string;
  /** Told to those who may see all logs. */
  readonly matches?: number;
  readonly share?: number;
}

interface Row {
  readonly rule: Rule;
  readonly health: RuleHealth | undefined;
  readonly signals: number;
  readonly firedMs: number | undefined;
}

/** All rules with what they are worth, found by the API's own search. */
export function RuleList() {
  const { params } = usePlace();
  const mayWrite = useMay("security_monitoring_rules_write");
  const query = params.get("query") ?? "";
  const sort = params.get("sort") ?? "-severity";
  const [active, setActive] = useState(0);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const rules = useLoad(`rules ${query}`, async (signal) => {
    const page = (number: number): Promise<{ readonly data: readonly Rule[]; readonly meta: { readonly page: { readonly total_filtered_count: number; readonly total_count: number } } }> => get(addressOf(RULES, { "page[size]": PAGE, "page[number]": number, query, sort: "name" }), signal);
    const first = await page(0);
    const count = first.meta.page.total_filtered_count;
    const rest = await Promise.all(Array.from({ length: Math.ceil(count / PAGE) - 1 }, (_, i) => page(i + 1)));
    return { rules: [first, ...rest].flatMap(({ data }) => data), total: first.meta.page.total_count };
  });
  const noise = useLoad("noise", async (signal) => {
    const { data } = await post<Noise>(`${SIGNALS}/aggregate`, { filter: { from: "now-30d", to: "now" }, compute: [{ aggregation: "count" }, { aggregation: "count", type: "timeseries", interval: "1h" }], group_by: [{ facet: "@workflow.rule.id", limit: 1000 }] }, signal);
    return new Map(data.buckets.map(({ by, computes: { c0, c1 } }) => [by["@workflow.rule.id"]!, { signals: c0, firedMs: Math.max(...c1.filter(({ value }) => value).map(({ time }) => Date.parse(time))) }]));
  });
  const health = useLoad(rules.data && "health", async (signal) => {
    const { data, meta } = await get<Health>(`${RULES}/health`, signal);
    return { byRule: new Map(data.map(({ id, attributes }) => [id, attributes])), mostShare: Math.max(0, ...data.map(({ attributes: { share = 0 } }) => share)), meta };
  });
  const rows = useMemo((): readonly Row[] => {
    const found = (rules.data?.rules ?? []).map((rule) => {
      const seen = noise.data?.get(rule.id);
      return { rule, health: health.data?.byRule.get(rule.id), signals: seen?.signals ?? 0, firedMs: seen?.firedMs };
    });
    return sorted(found, sort);
  }, [rules.data, noise.data, health.data, sort]);
  useEffect(() => setActive(0), [query, sort]);
  const open = (index: number): void => {
    const row = rows[index];
    if (row) go(`/security/rules/${encodeURIComponent(row.rule.id)}`);
  };
  const toggle = async (rule: Rule): Promise<void> => {
    try {
      await call("PUT", `${RULES}/${encodeURIComponent(rule.id)}`, { isEnabled: !rule.isEnabled, version: rule.version });
      tell(`${rule.name} ${rule.isEnabled ? "disabled" : "enabled"}`);
      rules.reload();
      health.reload();
    } catch (error) {
      tellFault(error);
    }
  };
  useKeys("Rules", [
    { keys: "j", label: "Next rule", run: () => setActive(Math.min(rows.length - 1, active + 1)) },
    { keys: "k", label: "Rule before", run: () => setActive(Math.max(0, active - 1)) },
    { keys: "ArrowDown", label: "Next rule", run: () => setActive(Math.min(rows.length - 1, active + 1)) },
    { keys: "ArrowUp", label: "Rule before", run: () => setActive(Math.max(0, active - 1)) },
    { keys: "Enter", label: "Open", run: () => open(active) },
    ...(mayWrite ? [{ keys: "n", label: "New rule", run: () => go("/security/rules/new") }, { keys: "d", label: "Disable or enable", run: () => void (rows[active] && toggle(rows[active].rule)) }] : []),
  ]);
  const choose = (key: string): void => {
    const next = new Set(chosen);
    if (!next.delete(key)) next.add(key);
    setChosen(next);
  };
  const facets = facetsOf(rules.data?.rules ?? []);
  return (
    <div className="explorer">
      <header className="explorer-head">
        <h1>Detection rules</h1>
        <QueryBar label="Search rules" value={query} onSubmit={(next) => setParams({ query: next })} fields={fields} placeholder="Search, such as source:cloudtrail isEnabled:true" valuesOf={async (field) => facets.find(({ id }) => id === field)?.values.map(({ value }) => value) ?? []} />
        {mayWrite && <Link className="button primary" href="/security/rules/new">New rule</Link>}
      </header>
      <Facets facets={facets} query={query} onQuery={(next) => setParams({ query: next })} />
      <section className="explorer-main" aria-label="Rules found">
        <div className="explorer-count">
          <span role="status">{rules.data ? `${plural(rows.length, "rule")}${rules.data.total === rows.length ? "" : ` of ${countText(rules.data.total)}`}` : "…"}</span>
          {health.data?.meta.since && <span className="quiet" title="Cost: matches of a rule's queries, each of which moves what it remembers; and their share of those of all rules">cost of {plural(health.data.meta.events ?? 0, "event")} since {timeText(health.data.meta.since, "row")}</span>}
          {chosen.size > 0 && (
            <span className="bulk">
              {countText(chosen.size)} selected:
              <button type="button" onClick={() => void download("POST", `${RULES}/bulk_export`, { data: { type: "security_monitoring_rules_bulk_export", attributes: { ruleIds: [...chosen] } } }, "rules.zip").catch(tellFault)}>Export</button>
              <button type="button" onClick={() => void download("POST", `${RULES}/convert/bulk`, { data: { type: "security_monitoring_rules_convert_bulk", attributes: { ruleIds: [...chosen] } } }, "rules-terraform.zip").catch(tellFault)}>Terraform</button>
              <button type="button" className="quiet" onClick={() => setChosen(new Set())}>None</button>
            </span>
          )}
        </div>
        {rules.fault ? <Fault fault={rules.fault} onRetry={rules.reload} /> : !rules.data ? <Loading /> : !rows.length ? <Empty>No rules match.</Empty> : (
          <Grid<Row>
            label="Rules" columns={columns} count={rows.length} rowAt={(index) => rows[index]} onSight={nothing} keyOf={({ rule }) => rule.id} active={active} onActive={setActive} onOpen={open} chosen={chosen} onChoose={choose}
            sort={sort} onSort={(next) => setParams({ sort: next })} cell={(row, { id }) => <Cell row={row} name={id} mostShare={health.data?.mostShare ?? 0} {...(mayWrite ? { onToggle: () => void toggle(row.rule) } : {})} />}
          />
        )}
      </section>
    </div>
  );
}

const nothing = (): void => {};

const canaries: Readonly<Record<RuleHealth["canary"], readonly [string, string]>> = { proved: ["can fire", "good"], unproved: ["unproved", "bad"], failing: ["failing", "bad"], idle: ["idle", "quiet"] };

function Cell({ row: { rule, health, signals, firedMs }, name, mostShare, onToggle }: { readonly row: Row; readonly name: string; readonly mostShare: number; readonly onToggle?: () => void }) {
  if (name === "state") return onToggle ? (
    <button type="button" className="toggle" role="switch" aria-checked={rule.isEnabled} aria-label={`${rule.name} is ${rule.isEnabled ? "enabled" : "disabled"}`} tabIndex={-1} onClick={(event) => (event.stopPropagation(), onToggle())}><span /></button>
  ) : <>{rule.isEnabled ? "on" : "off"}</>;
  if (name === "severity") return <Severity value={severityOf(rule)} />;
  if (name === "name") return <><Line>{rule.name}</Line>{rule.isDeprecated && <span className="quiet"> deprecated</span>}</>;
  if (name === "method") return <>{methodOf(rule).title}</>;
  if (name === "source") return <Line>{tagValues(rule.tags, "source").join(", ")}</Line>;
  if (name === "attack") return <Line>{tagValues(rule.tags, "technique").map((each) => each.replace(/-.*/, "")).join(", ")}</Line>;
  if (name === "signals") return signals ? <Link href={addressOf("/security/signals", { query: `@workflow.rule.id:${rule.id}`, from: "now-30d", to: "now" })} onClick={(event) => event.stopPropagation()} tabIndex={-1}>{countText(signals)}</Link> : <span className="quiet">0</span>;
  if (name === "fired") return <span className="quiet">{firedMs ? `${agoText(firedMs)}` : "not in 30 d"}</span>;
  if (name === "cost") {
    if (health?.matches === undefined) return <span className="quiet">–</span>;
    const { matches, share = 0 } = health;
    return (
      <span className="rule-cost" title={`${plural(matches, "match", "matches")}, ${percent(share)} of those of all rules`}>
        <span>{shortCount(matches)}</span>
        <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width={mostShare ? (share / mostShare) * 100 : 0} height="8" /></svg>
        <span className="quiet">{percent(share)}</span>
      </span>
    );
  }
  if (name === "canary") {
    if (!health) return <span className="quiet">–</span>;
    const [text, look] = canaries[health.canary];
    return <span className={look} title={health.reason && visible(health.reason)}>{text}</span>;
  }
  return null;
}

const percent = (share: number): string => (share > 0 && share < 0.005 ? "<1 %" : `${Math.round(share * 100)} %`);

function sorted(rows: readonly Row[], sort: string): readonly Row[] {
  const name = sort.replace(/^-/, "");
  const value = ({ rule, health, signals, firedMs }: Row): string | number => {
    if (name === "severity") return severities.length - severities.indexOf(severityOf(rule) as (typeof severities)[number]);
    if (name === "signals") return signals;
    if (name === "fired") return firedMs ?? 0;
    if (name === "state") return rule.isEnabled ? 1 : 0;
    if (name === "method") return methodOf(rule).title;
    if (name === "source") return tagValues(rule.tags, "source").join();
    if (name === "cost") return health?.matches ?? -1;
    if (name === "canary") return ["failing", "unproved", "idle", "proved"].indexOf(health?.canary ?? "idle");
    return rule.name.toLowerCase();
  };
  const sign = sort.startsWith("-") ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [left, right] = [value(a), value(b)];
    return sign * (left < right ? -1 : left > right ? 1 : 0) || (a.rule.name < b.rule.name ? -1 : 1);
  });
}

function facetsOf(rules: readonly Rule[]): readonly FacetView[] {
  const counted = (id: string, title: string, valuesOf: (rule: Rule) => readonly string[], termOf = (value: string) => `${id}:${/^[\w.-]+$/.test(value) ? value : `"${value}"`}`): FacetView => {
    const counts = new Map<string, number>();
    for (const rule of rules) for (const value of new Set(valuesOf(rule))) counts.set(value, (counts.get(value) ?? 0) + 1);
    const values = [...counts].toSorted((a, b) => b[1] - a[1]).slice(0, 12).map(([value, count]) => ({ value, count, query: termOf(value) }));
    return { id, title, values, distinct: counts.size };
  };
  return [
    counted("isEnabled", "Enabled", ({ isEnabled }) => [String(isEnabled)]), counted("source", "Source", ({ tags }) => tagValues(tags, "source")), counted("method", "Method", ({ options }) => [options.detectionMethod ?? "threshold"]),
    counted("tactic", "Tactic", ({ tags }) => tagValues(tags, "tactic")), counted("isDefault", "Default", ({ isDefault }) => [String(isDefault)]), counted("type", "Type", ({ type }) => [type]),
  ];
}
