import { type ReactNode, useEffect, useState } from "react";
import { call, get } from "../lib/api.ts";
import { useKeys } from "../lib/keys.tsx";
import { useLoad } from "../lib/load.ts";
import { Link, addressOf } from "../lib/router.tsx";
import { useMay } from "../lib/session.tsx";
import { countText, plural, visible } from "../lib/text.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Fault, Loading } from "../ui/fault.tsx";
import { QueryBar } from "../ui/query-bar.tsx";
import { RowDeeds } from "../ui/row-deeds.tsx";
import { Line } from "../ui/text.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import { type Matching, useLogCounts } from "./matching.ts";
import "../styles/settings.css";

const FILTERS = "/api/v2/security_monitoring/configuration/security_filters";
const WAIT_MS = 500;
const fields = ["source", "service", "host", "status", "env", "team", "version", "@evt.name", "@usr.id", "@network.client.ip"].map((name) => ({ name }));

interface Exclusion {
  readonly name: string;
  readonly query: string;
}

interface Attributes {
  readonly name: string;
  readonly query: string;
  readonly is_enabled: boolean;
  readonly exclusion_filters: readonly Exclusion[];
  readonly is_builtin: boolean;
  readonly version: number;
}

interface Filter {
  readonly id: string;
  readonly attributes: Attributes;
}

type Draft = Pick<Attributes, "name" | "query" | "is_enabled" | "exclusion_filters">;

/** The logs that a filter lets pass, as one query. */
export function passing({ query, exclusion_filters: exclusions }: Pick<Attributes, "query" | "exclusion_filters">): string {
  return [exclusions.length && query.trim() !== "*" ? `(${query})` : query, ...exclusions.map((each) => `-(${each.query})`)].join(" ");
}

/** Which logs are analysed at all: what no filter lets pass is kept and found, and no rule sees it. */
export default function FiltersPage() {
  const mayWrite = useMay("security_monitoring_filters_write");
  const [mayLogs, mayRules] = [useMay("logs_read_data"), useMay("security_monitoring_rules_read")];
  const mayCount = mayLogs && mayRules;
  const [editing, setEditing] = useState<Filter | "new">();
  const [deleting, setDeleting] = useState<Filter>();
  const found = useLoad("filters", (signal) => get<{ readonly data: readonly Filter[]; readonly meta?: { readonly warning?: string } }>(FILTERS, signal));
  const filters = found.data?.data;
  const counts = useLogCounts(mayCount ? filters?.map(({ attributes }) => passing(attributes)) : undefined);
  useKeys("Security filters", mayWrite ? [{ keys: "n", label: "New security filter", run: () => setEditing("new") }] : []);
  const done = (work: Promise<unknown>, said: string): void => void work.then(() => (tell(said), setEditing(undefined), setDeleting(undefined), found.reload()), tellFault);
  const body = (attributes: object): object => ({ data: { type: "security_filters", attributes } });
  const change = ({ id, attributes: { version } }: Filter, attributes: object, said: string): void => done(call("PATCH", `${FILTERS}/${encodeURIComponent(id)}`, body({ ...attributes, version })), said);
  return (
    <div className="page">
      <header className="page-head">
        <h1>Security filters</h1>
        <span className="quiet" role="status">{filters ? plural(filters.length, "filter") : ""}</span>
        <span className="panel-spring" />
        {mayWrite && <button type="button" className="primary" onClick={() => setEditing("new")}>New security filter</button>}
      </header>
      <p className="quiet">Rules see the logs that at least one enabled filter lets pass. All others are kept and found as well.</p>
      {found.data?.meta?.warning && <p className="bad" role="alert">{visible(found.data.meta.warning)}</p>}
      {found.fault ? <Fault fault={found.fault} onRetry={found.reload} /> : !filters ? <Loading /> : (
        <table className="plain">
          <thead><tr><th scope="col">State</th><th scope="col">Name</th><th scope="col">Logs that pass</th><th scope="col">But for</th><th scope="col" className="number">Logs, past day</th><th scope="col">Change</th></tr></thead>
          <tbody>
            {filters.map((filter, i) => {
              const { name, query, is_enabled: isEnabled, exclusion_filters: exclusions, is_builtin: isBuiltin } = filter.attributes;
              return (
                <tr key={filter.id}>
                  <td>{isEnabled ? <span className="good">on</span> : "off"}</td>
                  <td><Line>{name}</Line>{isBuiltin && <span className="quiet"> built in</span>}</td>
                  <td><code><Line>{query}</Line></code></td>
                  <td>{exclusions.length ? <ul>{exclusions.map((each, nr) => <li key={nr}><Line>{each.name}</Line>: <code><Line>{each.query}</Line></code></li>)}</ul> : <span className="quiet">nothing</span>}</td>
                  <td className="number"><Count of={counts?.[i]} href={addressOf("/logs", { query: passing(filter.attributes), from: "now-1d", to: "now" })} /></td>
                  <td className="row-deeds">
                    {mayWrite && <RowDeeds name={name} isOn={isEnabled} onToggle={() => change(filter, { is_enabled: !isEnabled }, isEnabled ? `${name} disabled` : `${name} enabled`)} onEdit={() => setEditing(filter)} onDelete={isBuiltin ? undefined : () => setDeleting(filter)} />}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
      {editing && (
        <Dialog title={editing === "new" ? "New security filter" : "Edit the security filter"} onClose={() => setEditing(undefined)} width="46rem">
          <Form
            before={editing === "new" ? { name: "", query: "", is_enabled: true, exclusion_filters: [] } : editing.attributes} isFixed={editing !== "new" && editing.attributes.is_builtin} mayCount={mayCount}
            onSave={(draft) => (editing === "new" ? done(call("POST", FILTERS, body({ ...draft, filtered_data_type: "logs" })), "Security filter made: the next log is held against it") : change(editing, draft, "Saved"))}
          />
        </Dialog>
      )}
      {deleting && (
        <Dialog title="Delete this security filter" onClose={() => setDeleting(undefined)}>
          <div className="form">
            <p>Logs that only <Line>{deleting.attributes.name}</Line> lets pass are no longer seen by any rule.</p>
            <div className="form-end">
              <button type="button" onClick={() => setDeleting(undefined)}>Cancel</button>
              <button type="button" className="danger" onClick={() => done(call("DELETE", `${FILTERS}/${encodeURIComponent(deleting.id)}`), "Security filter deleted")}>Delete</button>
            </div>
          </div>
        </Dialog>
      )}
    </div>
  );
}

export function Count({ of, href }: { readonly of: Matching | undefined; readonly href: string }): ReactNode {
  return of ? <Link href={href}>{countText(of.count)}{of.isLeast ? " or more" : ""}</Link> : <span className="quiet">–</span>;
}

function Form({ before, isFixed, mayCount, onSave }: { readonly before: Draft; readonly isFixed: boolean; readonly mayCount: boolean; readonly onSave: (draft: Draft) => void }) {
  const [name, setName] = useState(before.name);
  const [query, setQuery] = useState(before.query);
  const [exclusions, setExclusions] = useState(before.exclusion_filters);
  const setExclusion = (i: number, change: Partial<Exclusion>): void => setExclusions(exclusions.map((each, j) => (j === i ? { ...each, ...change } : each)));
  const count = useLogCounts(usePaused(mayCount && query.trim() && exclusions.every((each) => each.query.trim()) ? passing({ query, exclusion_filters: exclusions }) : undefined))?.[0];
  return (
    <form className="form" onSubmit={(event) => (event.preventDefault(), onSave({ name, query, is_enabled: before.is_enabled, exclusion_filters: exclusions }))}>
      <label>Name<input required maxLength={500} disabled={isFixed} value={name} onChange={(event) => setName(event.target.value)} /></label>
      <div className="form-query">
        <span className="quiet">Logs that pass</span>
        {isFixed ? <p><code>{query}</code> <span className="quiet">the built-in filter is for all logs</span></p> : <QueryBar label="Logs that pass" value={query} focusKey="" isLive onSubmit={setQuery} fields={fields} placeholder="source:(auth OR cloudtrail), or * for all" />}
      </div>
      <fieldset>
        <legend>But for</legend>
        {exclusions.map((each, i) => (
          <div key={i} className="filter-exclusion">
            <label>Name<input required maxLength={500} value={each.name} onChange={(event) => setExclusion(i, { name: event.target.value })} /></label>
            <div className="form-query"><span className="quiet">Logs that are left out</span><QueryBar label={`Logs that are left out, ${i + 1}`} value={each.query} focusKey="" isLive onSubmit={(text) => setExclusion(i, { query: text })} fields={fields} placeholder="env:staging" /></div>
            <button type="button" className="icon-button" aria-label={`Remove exclusion ${i + 1}`} onClick={() => setExclusions(exclusions.filter((_, j) => j !== i))}>✕</button>
          </div>
        ))}
        <button type="button" onClick={() => setExclusions([...exclusions, { name: "", query: "" }])}>Add an exclusion</button>
      </fieldset>
      <div className="form-end">
        <span className="quiet form-count" role="status">{count && `lets ${plural(count.count, "log")}${count.isLeast ? " or more" : ""} of the past day pass`}</span>
        <button type="submit" className="primary">Save</button>
      </div>
    </form>
  );
}

/** A query once nobody has changed it for a moment. */
export function usePaused(query: string | undefined): readonly string[] | undefined {
  const [paused, setPaused] = useState<readonly string[]>();
  useEffect(() => {
    const timer = setTimeout(() => setPaused(query === undefined ? undefined : [query]), WAIT_MS);
    return () => clearTimeout(timer);
  }, [query]);
  return paused;
}
