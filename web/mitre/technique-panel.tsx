import { useMemo, useState } from "react";
import { get, post } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { Link, addressOf, setParams, usePlace } from "../lib/router.tsx";
import { useMay } from "../lib/session.tsx";
import { countText, plural, quoted } from "../lib/text.ts";
import { apiBound, timeText } from "../lib/time.ts";
import { type Rule, RULES, methodOf, severityOf, tagValues } from "../rules/model.ts";
import { type Row, SIGNALS } from "../signals/model.ts";
import { Fault } from "../ui/fault.tsx";
import { Severity, State, severities } from "../ui/pill.tsx";
import { type Span, spanText } from "../ui/time-picker.tsx";
import { Line } from "../ui/text.tsx";
import { type MapTactic, type MapTechnique, densityNotes, newRuleTags } from "./model.ts";

const PAGE = 100;
const MOST_SIGNALS = 10;

/** One technique under one tactic: who watches it, its sub-techniques, and the newest signals. @param counted the same with signals, once they are counted */
export function TechniquePanel({ tactic, technique, counted, span, onClose }: { readonly tactic: MapTactic; readonly technique: MapTechnique; readonly counted: MapTechnique | undefined; readonly span: Span; readonly onClose: () => void }) {
  const mayWrite = useMay("security_monitoring_rules_write");
  const { id, name, density, rules, rules_in_all: inAll, rules_href: rulesHref, subtechniques } = technique;
  return (
    <aside className="panel" aria-label="Technique">
      <header className="panel-head">
        <div className="panel-triage">
          <span className="quiet">{tactic.id} {tactic.name}</span>
          <span className="panel-spring" />
          <button type="button" className="icon-button" aria-label="Close" title="Close (Esc)" onClick={onClose}>✕</button>
        </div>
        <h2>{id} {name}</h2>
        <p className="panel-facts">Density {density} ({densityNotes[density]}){inAll > rules.length && <>: {plural(inAll, "rule")} under all tactics, {countText(rules.length)} under this one</>} · <a href={`https://attack.mitre.org/techniques/${id}/`} target="_blank" rel="noopener noreferrer">described by MITRE ↗</a></p>
        <div className="panel-deeds">
          <Link className="button" href={rulesHref}>{plural(rules.length, "rule")}</Link>
          {counted?.signals !== undefined && counted.signals_href && <Link className="button" href={counted.signals_href}>{plural(counted.signals, "signal")}</Link>}
          {mayWrite && <Link className="button" href={addressOf("/security/rules/new", { tags: newRuleTags(tactic, technique) })}>Create custom rule</Link>}
        </div>
      </header>
      <div className="tab-panel" tabIndex={0} role="region" aria-label={`${id} in full`}>
        <h3>Rules that watch it</h3>
        {rules.length ? <Rules ids={rules.map((rule) => rule.id)} /> : <p className="quiet">No enabled rule watches it under this tactic.</p>}
        {(counted ?? technique).subtechniques.length > 0 && (
          <>
            <h3>Sub-techniques</h3>
            <table className="plain">
              <thead><tr><th scope="col">Sub-technique</th><th scope="col" className="number">Rules</th><th scope="col" className="number">Signals</th></tr></thead>
              <tbody>{(counted?.subtechniques ?? subtechniques).map((sub) => (
                <tr key={sub.id}>
                  <td>{sub.id} {sub.name}</td>
                  <td className="number">{countText(sub.rules.length)}</td>
                  <td className="number">{sub.signals_href ? <Link href={sub.signals_href}>{countText(sub.signals)}</Link> : "–"}</td>
                </tr>
              ))}</tbody>
            </table>
          </>
        )}
        {counted?.signals_href && <Signals href={counted.signals_href} span={span} />}
      </div>
    </aside>
  );
}

const sorts = { severity: "Severity", name: "Rule", source: "Source", type: "Method", created: "Created" } as const;
type SortName = keyof typeof sorts;
const valueOf: Readonly<Record<SortName, (rule: Rule) => string | number>> = {
  severity: (rule) => severities.length - (severities as readonly string[]).indexOf(severityOf(rule)), name: ({ name }) => name.toLowerCase(), source: ({ tags }) => tagValues(tags, "source").join(), type: (rule) => `${rule.type} ${methodOf(rule).title}`, created: ({ createdAt }) => createdAt,
};

function Rules({ ids }: { readonly ids: readonly string[] }) {
  const { params } = usePlace();
  const sort = params.get("rsort") ?? "-severity";
  const [isHidden, setHidden] = useState(false);
  const rules = useLoad(`rules ${ids.join()}`, async (signal) => {
    const parts = Array.from({ length: Math.ceil(ids.length / PAGE) }, (_, i) => ids.slice(i * PAGE, (i + 1) * PAGE));
    return (await Promise.all(parts.map((part) => get<{ readonly data: readonly Rule[] }>(addressOf(RULES, { "page[size]": PAGE, query: `ruleId:(${part.map(quoted).join(" OR ")})` }), signal)))).flatMap(({ data }) => data);
  });
  const listed = useMemo(() => {
    const by = valueOf[sort.replace(/^-/, "") as SortName] ?? valueOf.severity;
    const sign = sort.startsWith("-") ? -1 : 1;
    return (rules.data ?? []).filter(({ isDeprecated }) => !isHidden || !isDeprecated).toSorted((a, b) => {
      const [left, right] = [by(a), by(b)];
      return sign * (left < right ? -1 : left > right ? 1 : 0) || (a.name < b.name ? -1 : 1);
    });
  }, [rules.data, sort, isHidden]);
  if (rules.fault) return <Fault fault={rules.fault} onRetry={rules.reload} />;
  if (!rules.data) return <p className="quiet">loading</p>;
  const deprecated = rules.data.filter(({ isDeprecated }) => isDeprecated).length;
  return (
    <>
      {deprecated > 0 && <label className="mitre-check"><input type="checkbox" checked={!isHidden} onChange={() => setHidden(!isHidden)} /> {plural(deprecated, "deprecated rule")}</label>}
      <table className="plain mitre-rules">
        <thead>
          <tr>{(Object.keys(sorts) as SortName[]).map((name) => {
            const direction = sort === name ? "ascending" : sort === `-${name}` ? "descending" : "none";
            return <th key={name} scope="col" aria-sort={direction}><button type="button" className="quiet" onClick={() => setParams({ rsort: direction === "descending" ? name : `-${name}` }, { replace: true })}>{sorts[name]} {direction === "ascending" ? "▲" : direction === "descending" ? "▼" : ""}</button></th>;
          })}</tr>
        </thead>
        <tbody>{listed.map((rule) => (
          <tr key={rule.id}>
            <td><Severity value={severityOf(rule)} /></td>
            <td><Link href={`/security/rules/${encodeURIComponent(rule.id)}`}><Line>{rule.name}</Line></Link>{rule.isDeprecated && <span className="quiet"> deprecated</span>}{!rule.isDefault && <span className="quiet"> custom</span>}</td>
            <td><Line>{tagValues(rule.tags, "source").join(", ")}</Line></td>
            <td>{methodOf(rule).title}</td>
            <td className="quiet">{timeText(rule.createdAt, "row").slice(0, 6)}</td>
          </tr>
        ))}</tbody>
      </table>
    </>
  );
}

function Signals({ href, span }: { readonly href: string; readonly span: Span }) {
  const query = new URL(href, location.origin).searchParams.get("query") ?? "";
  const found = useLoad(JSON.stringify([query, span]), (signal) => post<{ readonly count: number; readonly rows: readonly Row[] }>(`${SIGNALS}/rows`, { query, from: apiBound(span.from), to: apiBound(span.to), sort: "-timestamp", limit: MOST_SIGNALS, columns: ["severity", "timestamp", "title", "state"] }, signal));
  return (
    <>
      <h3>Newest signals, {spanText(span).toLowerCase()}</h3>
      {found.fault ? <Fault fault={found.fault} /> : !found.data ? <p className="quiet">loading</p> : !found.data.rows.length ? <p className="quiet">No signals.</p> : (
        <ul className="related">{found.data.rows.map(({ id, cells: [severity, created, title, state] }) => (
          <li key={id}>
            <Link href={`/security/signals/${id}`}><Severity value={String(severity)} /> <Line>{String(title)}</Line></Link>
            <span className="quiet"> {timeText(String(created), "row")} · <State value={String(state)} /></span>
          </li>
        ))}</ul>
      )}
    </>
  );
}
