import { type ReactNode, useState } from "react";
import { get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { Link, addressOf, setParams, usePlace } from "../lib/router.tsx";
import { useMay, useSession } from "../lib/session.tsx";
import { countText, plural, quoted } from "../lib/text.ts";
import { agoText, timeText } from "../lib/time.ts";
import { Empty, Fault, Loading } from "../ui/fault.tsx";
import { Icon } from "../ui/icon.tsx";
import { JsonView } from "../ui/json-view.tsx";
import { Markdown } from "../ui/markdown.tsx";
import { Popup } from "../ui/menu.tsx";
import { Severity, State, stateNames } from "../ui/pill.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { Line, Text } from "../ui/text.tsx";
import { IncidentDialog } from "./incident-dialog.tsx";
import { type Signal, SIGNALS, archiveReasons } from "./model.ts";
import type { Change } from "./triage.ts";
import { WindowTimeline } from "./window-timeline.tsx";

interface PanelProps {
  readonly id: string;
  /** Changes whenever the signal may have. */
  readonly turn: number;
  readonly onClose: () => void;
  readonly onChange: (change: Change) => void;
  readonly onAsk: (what: "archive" | "assign" | "suppress") => void;
}

export function SidePanel({ id, turn, onClose, onChange, onAsk }: PanelProps) {
  const signal = useLoad(`${id} ${turn}`, async (abort) => (await get<{ readonly data: Signal }>(`${SIGNALS}/${encodeURIComponent(id)}`, abort)).data);
  return (
    <aside className="panel" aria-label="Signal">
      {signal.data ? <Panel signal={signal.data} onReload={signal.reload} turn={turn} onClose={onClose} onChange={onChange} onAsk={onAsk} /> : signal.fault ? (
        <>
          <button type="button" className="icon-button panel-close" aria-label="Close" onClick={onClose}>✕</button>
          {signal.fault.status === 404 ? <Empty>This signal is not there any more, or your roles do not let you see it.</Empty> : <Fault fault={signal.fault} onRetry={signal.reload} />}
        </>
      ) : <Loading />}
    </aside>
  );
}

function Panel({ signal, turn, onReload, onClose, onChange, onAsk }: Omit<PanelProps, "id"> & { readonly signal: Signal; readonly onReload: () => void }) {
  const [isAttaching, setAttaching] = useState(false);
  const { params } = usePlace();
  const { user } = useSession();
  const mayWrite = useMay("security_monitoring_signals_write");
  const { title, severity, timestamp, custom } = signal.attributes;
  const { workflow } = custom;
  const { triage } = workflow;
  const samples = custom.samples ?? [];
  return (
    <>
      <header className="panel-head">
        <div className="panel-triage">
          {mayWrite ? (
            <Popup label={<><State value={triage.state} /> ▾</>} title="Signal state" className="state-menu">
              {(close) => (
                <ul className="choices">
                  <li><button type="button" aria-pressed={triage.state === "open"} onClick={() => (close(), onChange({ state: "open" }))}>Open</button></li>
                  <li><button type="button" aria-pressed={triage.state === "under_review"} onClick={() => (close(), onChange({ state: "under_review" }))}>Under review</button></li>
                  <li><button type="button" aria-pressed={triage.state === "archived"} onClick={() => (close(), onAsk("archive"))}>Archive…</button></li>
                </ul>
              )}
            </Popup>
          ) : <State value={triage.state} />}
          <span className="panel-spring" />
          {mayWrite ? (
            <Popup label={<>{triage.assignee?.handle ? <Line>{triage.assignee.handle}</Line> : "Unassigned"} ▾</>} title="Assignee" className="assignee-menu" align="right">
              {(close) => (
                <ul className="choices">
                  <li><button type="button" onClick={() => (close(), onChange({ assignee: user.id }))}>Me</button></li>
                  <li><button type="button" onClick={() => (close(), onChange({ assignee: "" }))}>Nobody</button></li>
                  <li><button type="button" onClick={() => (close(), onAsk("assign"))}>Somebody…</button></li>
                </ul>
              )}
            </Popup>
          ) : <span><Line>{triage.assignee?.handle ?? "Unassigned"}</Line></span>}
          <button type="button" className="icon-button" title="Copy a link to this signal" aria-label="Copy a link to this signal" onClick={() => void navigator.clipboard?.writeText(`${location.origin}/security/signals/${signal.id}`)}><Icon name="copy" /></button>
          <button type="button" className="icon-button" aria-label="Close" title="Close (Esc)" onClick={onClose}>✕</button>
        </div>
        <h2><Severity value={severity} /> <Line>{title}</Line></h2>
        <p className="panel-facts">
          <Link href={`/security/rules/${encodeURIComponent(workflow.rule.id)}`}><Line>{workflow.rule.name}</Line></Link> · {plural(workflow.events_matched, "event")} · created <time dateTime={timestamp} title={timeText(timestamp)}>{agoText(timestamp)}</time>
          {triage.archiveReason !== "none" && <> · archived: {archiveReasons[triage.archiveReason] ?? triage.archiveReason}</>}
          {triage.incidentIds?.length ? <> · incident {triage.incidentIds.map((each) => `#${each}`).join(", ")}</> : null}
        </p>
        {mayWrite && (
          <div className="panel-deeds">
            <button type="button" onClick={() => onAsk("suppress")}>Suppress from here</button>
            <Popup label="Escalate investigation ▾">
              {(close) => (
                <ul className="choices">
                  <li><button type="button" onClick={() => (close(), setAttaching(true))}>Attach to incidents…</button></li>
                  <li><button type="button" onClick={() => (close(), onAsk("assign"))}>Hand over to somebody…</button></li>
                </ul>
              )}
            </Popup>
            {custom.relatedLogsQueryUrl && <Link className="button" href={logsAddress(custom.relatedQuery)}>Logs of this signal</Link>}
          </div>
        )}
      </header>
      <Tabs
        label="Parts of the signal" chosen={params.get("tab") ?? "what"} onChoose={(tab) => setParams({ tab: tab === "what" ? undefined : tab }, { replace: true })}
        tabs={[
          { id: "what", label: "What happened", body: () => <What signal={signal} /> },
          { id: "evidence", label: "Evidence", count: samples.length, body: () => <Evidence signal={signal} /> },
          { id: "entities", label: "Entities", body: () => <Entities id={signal.id} /> },
          { id: "related", label: "Related", body: () => <Related id={signal.id} /> },
          { id: "playbook", label: "Playbook", body: () => <Playbook signal={signal} /> },
          { id: "history", label: "History", body: () => <History id={signal.id} turn={turn} /> },
          { id: "json", label: "JSON", body: () => <JsonView value={signal} /> },
        ]}
      />
      {isAttaching && <IncidentDialog signal={signal} onClose={() => setAttaching(false)} onDone={onReload} />}
    </>
  );
}

function logsAddress(related: Signal["attributes"]["custom"]["relatedQuery"]): string {
  return related ? addressOf("/logs", { query: related.query, from: Date.parse(related.from), to: Date.parse(related.to) }) : "/logs";
}

function Facts({ facts }: { readonly facts: ReadonlyArray<readonly [string, ReactNode]> }) {
  return <dl className="facts">{facts.map(([name, value]) => <div key={name}><dt><Line>{name}</Line></dt><dd>{value}</dd></div>)}</dl>;
}

function What({ signal: { attributes: { message, tags, custom } } }: { readonly signal: Signal }) {
  const { workflow, triggeringRuleCase: fired, groupByValues = {}, queries = [] } = custom;
  return (
    <>
      <Markdown>{message}</Markdown>
      <h3>Why it fired</h3>
      {fired && <p className="fired"><Severity value={fired.status} /> <code><Text>{fired.condition || "always"}</Text></code>{fired.name && <> <Line>{fired.name}</Line></>}</p>}
      <Facts facts={queries.map(({ name, query, aggregation, aggregationDetails }) => [name || "query", <><code><Text>{query}</Text></code><span className="quiet"> {aggregation}{aggregationDetails?.value === undefined ? "" : ` = ${countText(aggregationDetails.value)}`}, {plural(workflow.events_matched_per_query?.[name] ?? aggregationDetails?.eventsCount ?? 0, "event")}</span></>] as const)} />
      <WindowTimeline custom={custom} />
      <h3>Where</h3>
      <Facts facts={[
        ...Object.entries(groupByValues).map(([path, value]) => [path, <Filter key={path} term={`${path}:${quoted(value)}`}>{value}</Filter>] as const),
        ["First seen", timeText(workflow.first_seen)], ["Last seen", timeText(workflow.last_seen)],
      ]} />
      <ul className="tags" aria-label="Tags">{tags.map((tag) => <li key={tag}><Filter term={tagTerm(tag)}>{tag}</Filter></li>)}</ul>
    </>
  );
}

function tagTerm(tag: string): string {
  const mark = tag.indexOf(":");
  return mark < 0 ? `tags:${quoted(tag)}` : `${tag.slice(0, mark)}:${quoted(tag.slice(mark + 1))}`;
}

/** A value that leads to the signals that have it too. */
function Filter({ term, children }: { readonly term: string; readonly children: string }) {
  const { params } = usePlace();
  return <Link className="filter" title={`Signals with ${term}`} href={addressOf("/security/signals", { query: term, from: params.get("from"), to: params.get("to") })}><Line>{children}</Line></Link>;
}

function Evidence({ signal }: { readonly signal: Signal }) {
  const { samples = [], queries = [], relatedQuery } = signal.attributes.custom;
  if (!samples.length) return <Empty>No samples are kept with this signal.</Empty>;
  return (
    <ol className="samples">
      {samples.map((sample, i) => (
        <li key={sample.id ?? i}>
          <details open={i === 0}>
            <summary><time>{timeText(sample.content.timestamp, "row")}</time> <span className="quiet">{queries[sample.queryIndex ?? 0]?.name}</span> <Line>{String(sample.content.message ?? "")}</Line></summary>
            {(sample.id ?? sample.eventId) && <p><Link href={addressOf("/logs", { query: relatedQuery?.query ?? "", from: Date.parse(String(sample.content.timestamp)) - 300_000, to: Date.parse(String(sample.content.timestamp)) + 300_000, event: sample.id ?? sample.eventId })}>Open in the log explorer</Link></p>}
            <JsonView value={sample.content} />
          </details>
        </li>
      ))}
    </ol>
  );
}

interface EntityAnswer {
  readonly data: { readonly attributes: { readonly identities: ReadonlyArray<{ readonly type: string; readonly value: string; readonly query: string; readonly is_primary?: boolean }> } };
}

function Entities({ id }: { readonly id: string }) {
  const { data, fault } = useLoad(`entities ${id}`, (signal) => get<EntityAnswer>(`${SIGNALS}/${id}/entities`, signal));
  if (fault) return <Fault fault={fault} />;
  if (!data) return <Loading />;
  const { identities } = data.data.attributes;
  if (!identities.length) return <Empty>No entities.</Empty>;
  return (
    <table className="plain">
      <thead><tr><th scope="col">Type</th><th scope="col">Entity</th><th scope="col">Look for</th></tr></thead>
      <tbody>
        {identities.map(({ type, value, query }) => (
          <tr key={query}>
            <td>{type}</td>
            <td><Link href={`/security/entities/${encodeURIComponent(type)}/${encodeURIComponent(value)}`}><Line>{value}</Line></Link></td>
            <td><Link href={addressOf("/security/signals", { query: quotedQuery(query) })}>signals</Link> <Link href={addressOf("/logs", { query: quotedQuery(query), from: "now-24h", to: "now" })}>logs</Link></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function quotedQuery(query: string): string {
  return query.replace(/^(@?[^:]*):(.*)$/s, (_, path: string, value: string) => `${path}:${value.startsWith('"') ? value : quoted(value)}`);
}

function Related({ id }: { readonly id: string }) {
  const { data, fault } = useLoad(`related ${id}`, (signal) => get<{ readonly data: readonly Signal[] }>(`${SIGNALS}/${id}/related`, signal));
  if (fault) return <Fault fault={fault} />;
  if (!data) return <Loading />;
  if (!data.data.length) return <Empty>No other signal shares an entity with this one.</Empty>;
  return (
    <ul className="related">
      {data.data.map(({ id: other, attributes: { title, severity, timestamp, custom } }) => (
        <li key={other}>
          <Link href={`/security/signals/${other}`}><Severity value={severity} /> <Line>{title}</Line></Link>
          <span className="quiet"> {timeText(timestamp, "row")} · {stateNames[custom.workflow.triage.state]}</span>
        </li>
      ))}
    </ul>
  );
}

interface Queries {
  readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: { readonly title: string; readonly query_filter: string; readonly url: string } }>;
}

/** What to look at next: the rule's own words, and searches that begin with what the signal has. */
function Playbook({ signal }: { readonly signal: Signal }) {
  const { data, fault } = useLoad(`queries ${signal.id}`, (abort) => get<Queries>(`${SIGNALS}/${signal.id}/investigation_queries`, abort));
  return (
    <>
      <Markdown>{signal.attributes.message}</Markdown>
      <h3>Searches to begin with</h3>
      {fault && <Fault fault={fault} />}
      <ul className="related">
        {data?.data.map(({ id, attributes: { title, query_filter, url } }) => {
          const asked = new URL(url, location.origin).searchParams;
          return (
            <li key={id}>
              <Link href={addressOf("/logs", { query: query_filter, from: asked.get("from_ts"), to: asked.get("to_ts") })}><Line>{title}</Line></Link>
              <br /><code className="quiet"><Line>{query_filter}</Line></code>
            </li>
          );
        })}
      </ul>
    </>
  );
}

interface HistoryAnswer {
  readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: Readonly<Record<string, unknown>> }>;
}

function History({ id, turn }: { readonly id: string; readonly turn: number }) {
  const { data, fault } = useLoad(`history ${id} ${turn}`, (signal) => get<HistoryAnswer>(`${SIGNALS}/${id}/history`, signal));
  if (fault) return <Fault fault={fault} />;
  if (!data) return <Loading />;
  if (!data.data.length) return <Empty>Nobody has touched this signal yet.</Empty>;
  return <ol className="history">{data.data.map((each) => <li key={each.id}><HistoryLine attributes={each.attributes} /></li>)}</ol>;
}

function HistoryLine({ attributes }: { readonly attributes: Readonly<Record<string, unknown>> }) {
  const { timestamp, message, usr, user } = attributes as { readonly timestamp?: string; readonly message?: string; readonly usr?: { readonly email?: string }; readonly user?: { readonly handle?: string } };
  return (
    <details>
      <summary><time>{timeText(timestamp, "row")}</time> <Line>{usr?.email ?? user?.handle ?? ""}</Line> <Line>{message ?? "changed"}</Line></summary>
      <JsonView value={attributes} />
    </details>
  );
}
