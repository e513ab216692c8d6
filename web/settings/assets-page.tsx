import { useState } from "react";
import { call, get } from "../lib/api.ts";
import { useKeys } from "../lib/keys.tsx";
import { useLoad } from "../lib/load.ts";
import { addressOf } from "../lib/router.tsx";
import { useMay } from "../lib/session.tsx";
import { plural } from "../lib/text.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Empty, Fault, Loading } from "../ui/fault.tsx";
import { Severity, severities } from "../ui/pill.tsx";
import { QueryBar } from "../ui/query-bar.tsx";
import { RowDeeds } from "../ui/row-deeds.tsx";
import { Line } from "../ui/text.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import { Count, usePaused } from "./filters-page.tsx";
import { useRuleCount, useSignalCount } from "./matching.ts";
import "../styles/settings.css";

const ASSETS = "/api/v2/security_monitoring/configuration/critical_assets";
const moves: Readonly<Record<string, string>> = { increase: "one higher", decrease: "one lower", "no-op": "as it is" };
const signalFields = ["source", "service", "host", "env", "team", "@usr.id", "@usr.name", "@network.client.ip", "@userIdentity.arn", "@workflow.rule.name"].map((name) => ({ name }));
const ruleFields = ["source", "tactic", "technique", "security", "type", "ruleId", "name"].map((name) => ({ name }));

interface Attributes {
  readonly query: string;
  readonly rule_query: string;
  readonly severity: string;
  readonly enabled: boolean;
  readonly editable?: boolean;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly version: number;
}

interface Asset {
  readonly id: string;
  readonly attributes: Attributes;
}

type Draft = Pick<Attributes, "query" | "rule_query" | "severity" | "description" | "tags">;

/** What matters more, or less: signals about it are graver or milder than their rules say. */
export default function AssetsPage() {
  const mayWrite = useMay("security_monitoring_rules_write");
  const maySignals = useMay("security_monitoring_signals_read");
  const [editing, setEditing] = useState<Asset | "new">();
  const [deleting, setDeleting] = useState<Asset>();
  const found = useLoad("assets", async (signal) => (await get<{ readonly data: readonly Asset[] }>(ASSETS, signal)).data);
  useKeys("Critical assets", mayWrite ? [{ keys: "n", label: "New critical asset", run: () => setEditing("new") }] : []);
  const done = (work: Promise<unknown>, said: string): void => void work.then(() => (tell(said), setEditing(undefined), setDeleting(undefined), found.reload()), tellFault);
  const body = (attributes: object): object => ({ data: { type: "critical_assets", attributes } });
  const change = ({ id, attributes: { version } }: Asset, attributes: object, said: string): void => done(call("PATCH", `${ASSETS}/${encodeURIComponent(id)}`, body({ ...attributes, version })), said);
  return (
    <div className="page">
      <header className="page-head">
        <h1>Critical assets</h1>
        <span className="quiet" role="status">{found.data ? plural(found.data.length, "asset") : ""}</span>
        <span className="panel-spring" />
        {mayWrite && <button type="button" className="primary" onClick={() => setEditing("new")}>New critical asset</button>}
      </header>
      <p className="quiet">Signals about an asset have another severity than their rule says, before what is no production lowers it. Where several apply, the gravest wins.</p>
      {found.fault ? <Fault fault={found.fault} onRetry={found.reload} /> : !found.data ? <Loading /> : !found.data.length ? <Empty>No asset is critical yet. One may be a server, an account of an administrator, an address range.</Empty> : (
        <table className="plain">
          <thead><tr><th scope="col">State</th><th scope="col">Signals about</th><th scope="col">Description</th><th scope="col">Severity</th><th scope="col">Rules</th><th scope="col" className="number">Rules named</th><th scope="col" className="number">Signals, 30 d</th><th scope="col">Change</th></tr></thead>
          <tbody>
            {found.data.map((asset) => {
              const { query, rule_query: ruleQuery, severity, enabled, editable = true, description, tags } = asset.attributes;
              return (
                <tr key={asset.id}>
                  <td>{enabled ? <span className="good">on</span> : "off"}</td>
                  <td><code><Line>{query}</Line></code></td>
                  <td>{description && <Line>{description}</Line>}{tags.length > 0 && <span className="quiet"> <Line>{tags.join(", ")}</Line></span>}</td>
                  <td>{moves[severity] ?? <Severity value={severity} />}</td>
                  <td><code><Line>{ruleQuery}</Line></code></td>
                  <td className="number"><RulesNamed query={ruleQuery} /></td>
                  <td className="number">{maySignals ? <SignalsAbout query={query} /> : "–"}</td>
                  <td className="row-deeds">
                    {mayWrite && editable && <RowDeeds name={query} isOn={enabled} onToggle={() => change(asset, { enabled: !enabled }, enabled ? "Disabled" : "Enabled")} onEdit={() => setEditing(asset)} onDelete={() => setDeleting(asset)} />}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
      {editing && (
        <Dialog title={editing === "new" ? "New critical asset" : "Edit the critical asset"} onClose={() => setEditing(undefined)} width="44rem">
          <Form before={editing === "new" ? { query: "", rule_query: "*", severity: "increase", description: "", tags: [] } : editing.attributes} maySignals={maySignals} onSave={(draft) => (editing === "new" ? done(call("POST", ASSETS, body(draft)), "Critical asset made: the next match is held against it") : change(editing, draft, "Saved"))} />
        </Dialog>
      )}
      {deleting && (
        <Dialog title="Delete this critical asset" onClose={() => setDeleting(undefined)}>
          <div className="form">
            <p>Signals about <code><Line>{deleting.attributes.query}</Line></code> have the severity of their rules again. Those there are stay as they are.</p>
            <div className="form-end">
              <button type="button" onClick={() => setDeleting(undefined)}>Cancel</button>
              <button type="button" className="danger" onClick={() => done(call("DELETE", `${ASSETS}/${encodeURIComponent(deleting.id)}`), "Critical asset deleted")}>Delete</button>
            </div>
          </div>
        </Dialog>
      )}
    </div>
  );
}

function SignalsAbout({ query }: { readonly query: string }) {
  return <Count of={useSignalCount(query)} href={addressOf("/security/signals", { query, from: "now-30d", to: "now" })} />;
}

function RulesNamed({ query }: { readonly query: string }) {
  return <Count of={useRuleCount(query)} href={addressOf("/security/rules", { query })} />;
}

function Form({ before, maySignals, onSave }: { readonly before: Draft; readonly maySignals: boolean; readonly onSave: (draft: Draft) => void }) {
  const [query, setQuery] = useState(before.query);
  const [ruleQuery, setRuleQuery] = useState(before.rule_query);
  const [severity, setSeverity] = useState(before.severity);
  const [description, setDescription] = useState(before.description ?? "");
  const [tags, setTags] = useState(before.tags.join(", "));
  const signals = useSignalCount(usePaused(maySignals && query.trim() ? query : undefined)?.[0]);
  const rules = useRuleCount(usePaused(ruleQuery.trim() ? ruleQuery : undefined)?.[0]);
  return (
    <form className="form" onSubmit={(event) => (event.preventDefault(), onSave({ query, rule_query: ruleQuery, severity, description, tags: tags.split(",").map((tag) => tag.trim()).filter(Boolean) }))}>
      <div className="form-query"><span className="quiet">Signals about</span><QueryBar label="Signals about" value={query} focusKey="" isLive onSubmit={setQuery} fields={signalFields} placeholder="host:payments-* or @usr.id:root" /></div>
      <div className="form-query"><span className="quiet">Of rules</span><QueryBar label="Of rules" value={ruleQuery} focusKey="" isLive onSubmit={setRuleQuery} fields={ruleFields} placeholder="source:cloudtrail, or * for all" /></div>
      <label>Severity<select value={severity} onChange={(event) => setSeverity(event.target.value)}>{[...Object.keys(moves), ...severities].map((each) => <option key={each} value={each}>{moves[each] ?? each}</option>)}</select></label>
      <label>Description<input value={description} onChange={(event) => setDescription(event.target.value)} /></label>
      <label>Tags<input value={tags} placeholder="team:payments, crown-jewel" onChange={(event) => setTags(event.target.value)} /></label>
      <div className="form-end">
        <span className="quiet form-count" role="status">{[signals && `${plural(signals.count, "signal")} of the past month`, rules && plural(rules.count, "rule")].filter(Boolean).join(", ")}</span>
        <button type="submit" className="primary">Save</button>
      </div>
    </form>
  );
}
