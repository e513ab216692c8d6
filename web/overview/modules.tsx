import { type ReactNode, Suspense, lazy, useState } from "react";
import type { OverviewData, OverviewModuleId, WedgesData } from "../../host/insight/overview-model.ts";
import { Link } from "../lib/router.tsx";
import { countText, plural } from "../lib/text.ts";
import { agoText, durationText } from "../lib/time.ts";
import { archiveReasons } from "../signals/model.ts";
import { Markdown } from "../ui/markdown.tsx";
import { Severity } from "../ui/pill.tsx";
import { Line } from "../ui/text.tsx";
import { Flow } from "./flow.tsx";
import { Lines } from "./lines.tsx";
import { BarList, Sparkline, Tile, changeText } from "./parts.tsx";

const World = lazy(() => import("./world.tsx"));
const severityClass = (severity: string): string => `severity-${severity}`;
const statusClass: Readonly<Record<string, string>> = { active: "good", warning: "warn", broken: "bad" };

type Views = { readonly [K in OverviewModuleId]: { readonly span: 4 | 6 | 8 | 12; readonly view: (props: { readonly data: OverviewData[K] }) => ReactNode } };

/** How each module is shown; the numbers, and where they lead, are the API's. */
export const views: Views = {
  onboarding: { span: 6, view: ({ data: { tasks } }) => <ol className="tasks">{tasks.map(({ id, title, done, href, note }) => <li key={id} className={done ? "is-done" : ""}><span aria-hidden="true">{done ? "✓" : "○"}</span> <Link href={href}>{title}</Link>{done && <span className="visually-hidden"> done</span>}{note && <span className="quiet"> {note}</span>}</li>)}</ol> },
  news: { span: 6, view: ({ data: { entries } }) => <div className="news">{entries.map(({ title, date, kind, items }) => <details key={title}><summary><Line>{title}</Line> <span className="quiet">{kind}{date ? `, ${date}` : ""}</span></summary><ul>{items.slice(0, 12).map((item) => <li key={item}><Markdown>{item}</Markdown></li>)}</ul></details>)}</div> },
  "coverage.packs": { span: 6, view: ({ data: { categories, other } }) => <><BarList empty="No packs." rows={categories.map(({ category, enabled, total, share, href, packs }) => ({ key: category, name: <span title={packs.map(({ title, enabled: isOn }) => `${title}: ${isOn ? "enabled" : "off"}`).join("\n")}>{category}</span>, value: share, text: `${enabled} of ${total}`, href }))} />{other && other.count > 0 && <p className="quiet">{plural(other.count, "source")} that no pack reads: {other.sources.map(({ source, href }) => <span key={source}><Link href={href}><Line>{source}</Line></Link> </span>)}</p>}</> },
  "coverage.health": { span: 6, view: ({ data: { statuses } }) => <div className="tiles">{statuses.filter(({ status, count }) => count > 0 || statusClass[status]).map(({ status, count, href, packs }) => <Tile key={status} name={status} value={countText(count)} href={href} className={statusClass[status] ?? ""} note={packs.map(({ title }) => title).join(", ")} />)}</div> },
  "coverage.logs": { span: 12, view: ({ data: { sources, other, total, isEstimate, isPartial } }) => (
    <>
      <p className="quiet">{countText(total)} logs{isEstimate ? ", estimated" : ""}{isPartial ? ", as far as could be counted in time" : ""}</p>
      <Lines label="Logs by source" series={[...sources.map(({ source, total: count, points, href, change }, i) => ({ name: source, className: `series-${(i % 8) + 1}`, points, total: count, href, ...(change ? { note: change.kind } : {}) })), ...(other ? [{ name: "other", className: "quiet", points: other.points, total: other.total, href: other.href }] : [])]} />
    </>
  ) },
  "important.signals": { span: 8, view: ({ data: { rules, total } }) => (
    <>
      <p className="quiet">{plural(total, "open signal")}</p>
      {rules.length > 0 && <table className="plain">
        <thead><tr><th scope="col">Rule</th><th scope="col">Signals by severity</th><th scope="col">Last</th></tr></thead>
        <tbody>{rules.map(({ rule, severities, lastSeenMs, href }) => <tr key={rule}><td><Link href={href}><Line>{rule}</Line></Link></td><td>{severities.filter(({ count }) => count > 0).map(({ severity, count, href: to }) => <Link key={severity} href={to} className={`pill ${severityClass(severity)}`} aria-label={`${count} ${severity}`}>{countText(count)}</Link>)}</td><td className="quiet">{agoText(lastSeenMs)}</td></tr>)}</tbody>
      </table>}
    </>
  ) },
  "important.cases": { span: 4, view: ({ data: { cases } }) => cases.length ? <ul className="related">{cases.map(({ key, title, priority, assignee, href }) => <li key={key}><Link href={href}>{key} <Line>{title}</Line></Link> <span className="quiet">{priority} {assignee ?? ""}</span></li>)}</ul> : <p className="quiet">No open cases.</p> },
  "risk.top": { span: 8, view: ({ data: { entities } }) => entities.length ? (
    <table className="plain">
      <thead><tr><th scope="col" className="number">Score</th><th scope="col">Entity</th><th scope="col">Type</th><th scope="col" className="number">Change</th><th scope="col">Last update</th></tr></thead>
      <tbody>{entities.map(({ type, name, score, severity, change, updatedMs, href }) => <tr key={`${type} ${name}`}><td className={`number ${severityClass(severity)}`}>{countText(score)}</td><td><Link href={href}><Line>{name}</Line></Link></td><td>{type}</td><td className="number">{change > 0 ? `+${countText(change)}` : countText(change)}</td><td className="quiet">{agoText(updatedMs)}</td></tr>)}</tbody>
    </table>
  ) : <p className="quiet">No entity has a score.</p> },
  "risk.types": { span: 4, view: ({ data: { counts } }) => <BarList empty="No entities." rows={counts.map(({ name, count, href }) => ({ key: name, name, value: count, href }))} /> },
  "risk.severity": { span: 4, view: ({ data: { counts } }) => <BarList empty="No entities." rows={counts.map(({ name, count, href }) => ({ key: name, name: <Severity value={name} />, value: count, href, className: severityClass(name) }))} /> },
  "threat.ips": { span: 12, view: ({ data: { ips, countries } }) => (
    <div className="threat">
      <Suspense fallback={<p className="quiet">drawing the map</p>}><World label="Signals by country" countries={countries} /></Suspense>
      {ips.length ? (
        <table className="plain">
          <thead><tr><th scope="col">IP address</th><th scope="col">Country</th><th scope="col" className="number">Important</th><th scope="col" className="number">Less</th><th scope="col" className="number">All</th></tr></thead>
          <tbody>{ips.map(({ ip, country, important, lessImportant, total, href }) => <tr key={ip}><td><Link href={href}><Line>{ip}</Line></Link></td><td><Line>{country ?? "not known"}</Line></td><td className="number">{countText(important)}</td><td className="number">{countText(lessImportant)}</td><td className="number">{countText(total)}</td></tr>)}</tbody>
        </table>
      ) : <p className="quiet">No signal has a client address.</p>}
    </div>
  ) },
  "threat.country": { span: 6, view: ({ data }) => <Wedges data={data} what="country" /> },
  "threat.isp": { span: 6, view: ({ data }) => <Wedges data={data} what="provider" /> },
  "overview.kpi": { span: 12, view: ({ data: { severities } }) => <div className="tiles">{severities.map(({ severity, count, href, points, ...change }) => <Tile key={severity} name={<Severity value={severity} />} value={countText(count)} href={href} note={<><Sparkline points={points} className={severityClass(severity)} label={`${severity} signals over time`} />{changeText(change)} against the time before</>} />)}</div> },
  "overview.flow": { span: 8, view: ({ data }) => <Flow data={data} /> },
  "overview.mttr": { span: 4, view: ({ data: { severities } }) => (
    <table className="plain">
      <thead><tr><th scope="col">Severity</th><th scope="col" className="number">To review</th><th scope="col" className="number">To archive</th></tr></thead>
      <tbody>{severities.map(({ severity, underReview, archived }) => <tr key={severity}><td><Severity value={severity} /></td>{[underReview, archived].map(({ mean, count, href }, i) => <td key={i} className="number"><Link href={href} title={plural(count, "signal")}>{durationText(mean)}</Link></td>)}</tr>)}</tbody>
    </table>
  ) },
  "mitre.covered": { span: 4, view: ({ data: { covered, total, version, href } }) => <Tile name={`Techniques of ATT&CK ${version}`} value={`${countText(covered)} of ${countText(total)}`} href={href} note={<meter min={0} max={total} value={covered} aria-label="Share covered" />} /> },
  "mitre.density": { span: 8, view: ({ data: { densities } }) => <div className="tiles">{densities.map(({ density, count, href }) => <Tile key={density} name={density} value={countText(count)} href={href} className={`density-${density}`} />)}</div> },
  "mitre.tactics": { span: 6, view: ({ data: { items } }) => <Attack items={items} /> },
  "mitre.techniques": { span: 6, view: ({ data: { items } }) => <Attack items={items} /> },
  "perf.mttd": { span: 6, view: ({ data: { all, severities } }) => <div className="tiles"><Tile name="All" value={durationText(all.mean)} href={all.href} note={plural(all.count, "signal")} />{severities.map(({ severity, mean, count, href }) => <Tile key={severity} name={<Severity value={severity} />} value={durationText(mean)} href={href} note={plural(count, "signal")} />)}</div> },
  "perf.activity": { span: 6, view: ({ data: { series } }) => <Lines label="Signals by severity" series={series.map(({ severity, count, points, href }) => ({ name: severity, className: severityClass(severity), points, total: count, href }))} /> },
  "perf.rules_change": { span: 6, view: ({ data: { rules } }) => <BarList empty="No rule told more than the week before." rows={rules.map(({ rule, href, delta, percent }) => ({ key: rule, name: rule, value: delta, text: changeText({ delta, percent }), href }))} /> },
  "perf.severity_change": { span: 6, view: ({ data: { severities } }) => <BarList empty="" rows={severities.map(({ severity, last, href, delta, percent }) => ({ key: severity, name: <Severity value={severity} />, value: last, text: `${countText(last)}, ${changeText({ delta, percent })}`, href, className: severityClass(severity) }))} /> },
  "perf.archived_reasons": { span: 4, view: ({ data: { reasons } }) => <BarList empty="No important signal was archived." rows={reasons.map(({ reason, count, href }) => ({ key: reason, name: archiveReasons[reason] ?? reason, value: count, href }))} /> },
  "perf.tp_malicious": { span: 4, view: ({ data: { rules } }) => <BarList empty="No signal was archived as malicious." rows={rules.map(({ rule, count, href }) => ({ key: rule, name: rule, value: count, href }))} /> },
  "perf.tp_benign": { span: 4, view: ({ data: { rules } }) => <BarList empty="No signal was archived as benign." rows={rules.map(({ rule, count, href }) => ({ key: rule, name: rule, value: count, href }))} /> },
  "perf.fp": { span: 4, view: ({ data: { rules, leastSignals } }) => <BarList empty={`No false positives among rules with ${leastSignals} signals and more.`} rows={rules.map(({ ruleId, rule, falsePositives, total, percent, ...rest }) => ({ key: ruleId, name: rule, value: percent, text: `${percent.toFixed(0)} % (${falsePositives} of ${total})`, href: (rest as { readonly href: string }).href }))} /> },
};

function Wedges({ data: { wedges, unknown, total }, what }: { readonly data: WedgesData; readonly what: string }) {
  const [open, setOpen] = useState<string>();
  if (!wedges.length) return <p className="quiet">{total ? `Of ${plural(total, "signal")} the ${what} is not known: a GeoIP database tells it.` : "No signals in this time."}</p>;
  return (
    <>
      <ol className="bar-list">
        {wedges.map(({ name, count, href, children }) => (
          <li key={name}>
            <div className="wedge">
              <button type="button" className="icon-button" aria-expanded={open === name} aria-label={`Parts of ${name}`} disabled={!children.length} onClick={() => setOpen(open === name ? undefined : name)}>{open === name ? "▾" : "▸"}</button>
              <Link href={href}><span className="bar-name"><Line>{name}</Line></span><span className="bar-value">{countText(count)}</span></Link>
            </div>
            {open === name && <BarList empty="" rows={children.map((child) => ({ key: child.name, name: child.name, value: child.count, href: child.href }))} />}
          </li>
        ))}
      </ol>
      {unknown > 0 && <p className="quiet">{plural(unknown, "signal")} without one</p>}
    </>
  );
}

function Attack({ items }: { readonly items: OverviewData["mitre.tactics"]["items"] }) {
  const [mode, setMode] = useState<"signals" | "rules">("signals");
  return (
    <>
      <div className="switch" role="group" aria-label="What is counted">
        <button type="button" aria-pressed={mode === "signals"} onClick={() => setMode("signals")}>Signals</button>
        <button type="button" aria-pressed={mode === "rules"} onClick={() => setMode("rules")}>Rules</button>
      </div>
      <BarList empty="None." rows={items.filter((item) => item[mode].count > 0 || items.length < 20).slice(0, 20).map((item) => ({ key: item.id, name: `${item.id} ${item.name}`, value: item[mode].count, href: item[mode].href, className: mode === "signals" ? "series-5" : "series-2" }))} />
    </>
  );
}
