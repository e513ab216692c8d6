import { useState } from "react";
import { get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { Link, addressOf, setParams, usePlace } from "../lib/router.tsx";
import { useMay } from "../lib/session.tsx";
import { countText, plural, quoted } from "../lib/text.ts";
import { agoText, timeText } from "../lib/time.ts";
import { SuppressionForm } from "../signals/suppress-dialog.tsx";
import { Bars } from "../ui/bars.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Empty, Fault, Loading } from "../ui/fault.tsx";
import { Severity, severities } from "../ui/pill.tsx";
import { Line, Text } from "../ui/text.tsx";
import { EntitySignals } from "./entity-signals.tsx";
import { ENTITIES, type EntityDetail, type RiskPoint, changeText, typeName } from "./model.ts";
import { RiskLine } from "./risk-line.tsx";

const INTERVALS = ["1h", "6h", "1d"];
const MOST_CONTRIBUTIONS = 1000;

export function EntityPage({ id }: { readonly id: string }) {
  const { params } = usePlace();
  const asOf = params.get("as_of");
  const interval = INTERVALS.find((each) => each === params.get("interval")) ?? "6h";
  const entity = useLoad(`${id} ${asOf} ${interval}`, async (signal) => (await get<{ readonly data: EntityDetail }>(addressOf(`${ENTITIES}/${encodeURIComponent(id)}`, { as_of: asOf, interval, "page[limit]": MOST_CONTRIBUTIONS }), signal)).data);
  if (entity.fault) {
    return entity.fault.status === 404 ? <Empty>No signal of the past 14 days is about this entity, or your roles do not let you see it. <Link href="/security/entities">All entities</Link></Empty> : <Fault fault={entity.fault} onRetry={entity.reload} />;
  }
  return entity.data ? <Page entity={entity.data} interval={interval} onChanged={entity.reload} /> : <Loading />;
}

function Page({ entity, interval, onChanged }: { readonly entity: EntityDetail; readonly interval: string; readonly onChanged: () => void }) {
  const maySuppress = useMay("security_monitoring_suppressions_write");
  const [isSuppressing, setSuppressing] = useState(false);
  const { type, value, score, severity, score_change: change, as_of: asOf, last_updated: updated, contributing_signals: contributing, signals, timeline, rules, related, queries } = entity.attributes;
  return (
    <div className="page entity">
      <header className="page-head">
        <Severity value={severity} />
        <h1><span className="quiet">{typeName(type)}</span> <Line>{value}</Line></h1>
        <span className="panel-spring" />
        <Link className="button" href={addressOf("/security/signals", { query: queries.signals, from: "now-14d", to: "now" })}>Signals</Link>
        {queries.logs && <Link className="button" href={addressOf("/logs", { query: queries.logs, from: "now-24h", to: "now" })}>Logs</Link>}
        {maySuppress && queries.suppression && <button type="button" onClick={() => setSuppressing(true)}>Suppress…</button>}
      </header>
      <div className="entity-grid">
        <section className="card entity-score" aria-label="Score">
          <h2>Score</h2>
          <p className={`entity-number severity-${severity}`}>{countText(score)}</p>
          <p><span className={change > 0 ? "entity-up" : "quiet"}>{changeText(change)}</span> <span className="quiet">against 24 hours before</span></p>
          <p className="quiet">{countText(contributing)} of {plural(signals, "signal")} give points. {updated ? <>Changed <time dateTime={updated} title={timeText(updated)}>{agoText(updated)}</time>. </> : ""}As of <time dateTime={asOf}>{timeText(asOf)}</time>.</p>
        </section>
        <section className="card entity-time" aria-label="Score over time">
          <h2>
            The past 14 days
            <span className="switch" role="group" aria-label="Width of an interval">
              {INTERVALS.map((each) => <button key={each} type="button" aria-pressed={each === interval} onClick={() => setParams({ interval: each === "6h" ? undefined : each }, { replace: true })}>{each}</button>)}
            </span>
          </h2>
          <RiskLine points={timeline} label={`Score over the past 14 days: now ${score}`} />
          <SignalBars points={timeline} />
        </section>
        <Rules rules={rules} query={queries.signals} />
        <Related related={related} />
        <About entity={entity} />
        <EntitySignals entity={entity} onChanged={onChanged} />
      </div>
      {isSuppressing && (
        <Dialog title="Suppress signals about this entity" onClose={() => setSuppressing(false)} width="40rem">
          <SuppressionForm start={{ name: `${typeName(type)} ${value}`.slice(0, 200), ruleQuery: rules.length ? `ruleId:${anyOf(rules.map((rule) => rule.id))}` : "type:log_detection", query: queries.suppression! }} onClose={() => setSuppressing(false)} />
        </Dialog>
      )}
    </div>
  );
}

const anyOf = (values: readonly string[]): string => (values.length === 1 ? quoted(values[0]!) : `(${values.map(quoted).join(" OR ")})`);

function SignalBars({ points }: { readonly points: readonly RiskPoint[] }) {
  const [first, second] = points.map(({ timestamp }) => Date.parse(timestamp));
  if (first === undefined || second === undefined) return null;
  const series = severities.toReversed().map((name) => ({ name, className: `severity-${name}`, values: points.map(({ signals }) => signals[name] ?? 0) }));
  return <Bars label="Signals created over the past 14 days by severity" startMs={first} widthMs={second - first} series={series} />;
}

function Rules({ rules, query }: { readonly rules: EntityDetail["attributes"]["rules"]; readonly query: string }) {
  return (
    <section className="card entity-rules" aria-label="Points by rule">
      <h2>Points by rule</h2>
      {rules.length ? (
        <table className="plain">
          <thead><tr><th scope="col">Rule</th><th scope="col" className="number">Points</th><th scope="col" className="number">Share</th><th scope="col" className="number">Signals</th><th scope="col">Last</th><th scope="col">First to expire</th></tr></thead>
          <tbody>{rules.map(({ id, name, points, share, signals, last_signal_at: last, next_expiry_at: expiry }) => (
            <tr key={id}>
              <td><Link href={`/security/rules/${encodeURIComponent(id)}`}><Line>{name}</Line></Link></td>
              <td className="number">{countText(points)}</td>
              <td className="number">{countText(Math.round(share * 100))}%</td>
              <td className="number"><Link href={addressOf("/security/signals", { query: `${query} @workflow.rule.id:${quoted(id)}`, from: "now-14d", to: "now" })}>{countText(signals)}</Link></td>
              <td className="quiet"><time dateTime={last} title={timeText(last)}>{agoText(last)}</time></td>
              <td className="quiet"><time dateTime={expiry}>{timeText(expiry, "row")}</time></td>
            </tr>
          ))}</tbody>
        </table>
      ) : <p className="quiet">No signal gives it points now.</p>}
    </section>
  );
}

function Related({ related }: { readonly related: EntityDetail["attributes"]["related"] }) {
  return (
    <section className="card entity-related" aria-label="Related entities">
      <h2>In the same signals</h2>
      {related.length ? (
        <table className="plain">
          <thead><tr><th scope="col">Entity</th><th scope="col">Type</th><th scope="col" className="number">Score</th><th scope="col" className="number">Shared signals</th></tr></thead>
          <tbody>{related.map(({ id, type, value, score, severity, shared_signals: shared, href }) => (
            <tr key={id}>
              <td><Link href={href}><Line>{value}</Line></Link></td>
              <td>{typeName(type)}</td>
              <td className={`number severity-${severity}`}>{countText(score)}</td>
              <td className="number">{countText(shared)}</td>
            </tr>
          ))}</tbody>
        </table>
      ) : <p className="quiet">No other entity shares a signal with it.</p>}
    </section>
  );
}

/** What its signals say beside it; each leads to the signals that say so. */
function About({ entity: { attributes: { signal_counts: counts, first_seen: first, last_seen: last, sources, attributes, queries } } }: { readonly entity: EntityDetail }) {
  const signals = (term: string): string => addressOf("/security/signals", { query: `${queries.signals} ${term}`, from: "now-14d", to: "now" });
  const listed: ReadonlyArray<readonly [title: string, field: string, values: readonly string[]]> = [
    ["Sources", "source", sources], ["Services", "service", attributes.services], ["Environments", "env", attributes.environments], ["Accounts", "", attributes.accounts], ["Tactics", "tactic", attributes.tactics], ["Techniques", "technique", attributes.techniques],
  ];
  return (
    <section className="card entity-about" aria-label="Facts">
      <h2>Of its signals</h2>
      <dl className="facts">
        <div><dt>By severity</dt><dd>{severities.filter((each) => counts[each]).map((each) => <Link key={each} href={signals(`severity:${each}`)} className={`pill severity-${each}`}>{countText(counts[each])} {each}</Link>)}</dd></div>
        <div><dt>First event</dt><dd><time dateTime={first}>{timeText(first)}</time></dd></div>
        <div><dt>Last event</dt><dd><time dateTime={last}>{timeText(last)}</time></dd></div>
        {listed.filter(([, , values]) => values.length).map(([title, field, values]) => (
          <div key={title}><dt>{title}</dt><dd className="entity-values">{values.map((value) => (field ? <Link key={value} href={signals(`${field}:${quoted(value)}`)}><Line>{value}</Line></Link> : <Link key={value} href={`/security/entities/aws_account/${encodeURIComponent(value)}`}><Line>{value}</Line></Link>))}</dd></div>
        ))}
        <div><dt>Latest</dt><dd><Text most={300}>{attributes.last_signal_title}</Text></dd></div>
      </dl>
    </section>
  );
}
