import { useState } from "react";
import { call, get } from "../lib/api.ts";
import { useKeys } from "../lib/keys.tsx";
import { useLoad } from "../lib/load.ts";
import { setParams, usePlace } from "../lib/router.tsx";
import { useMay } from "../lib/session.tsx";
import { countText, plural } from "../lib/text.ts";
import { timeText } from "../lib/time.ts";
import type { PageProps } from "../shell/pages.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Empty, Fault, Loading } from "../ui/fault.tsx";
import { RowDeeds } from "../ui/row-deeds.tsx";
import { Line } from "../ui/text.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import "../styles/settings.css";

const SUPPRESSIONS = "/api/v2/security_monitoring/configuration/suppressions";

interface Attributes {
  readonly name: string;
  readonly description?: string;
  readonly enabled: boolean;
  readonly editable?: boolean;
  readonly rule_query: string;
  readonly suppression_query?: string;
  readonly data_exclusion_query?: string;
  readonly start_date?: number;
  readonly expiration_date?: number | null;
  readonly version?: number;
  readonly update_date?: number;
}

interface Suppression {
  readonly id: string;
  readonly attributes: Attributes;
}

/** What is not to be told: suppressions with what each has stopped. */
export default function SuppressionsPage({ rest: [openId] }: PageProps) {
  const { params } = usePlace();
  const mayWrite = useMay("security_monitoring_suppressions_write");
  const query = params.get("query") ?? "";
  const [text, setText] = useState(query);
  const [editing, setEditing] = useState<Suppression | "new">();
  const found = useLoad(`suppressions ${query}`, async (signal) => (await get<{ readonly data: readonly Suppression[] }>(`${SUPPRESSIONS}?query=${encodeURIComponent(query)}`, signal)).data);
  useKeys("Suppressions", mayWrite ? [{ keys: "n", label: "New suppression", run: () => setEditing("new") }] : []);
  const done = (work: Promise<unknown>, said: string): void => void work.then(() => (tell(said), setEditing(undefined), found.reload()), tellFault);
  const shown = (found.data ?? []).filter(({ id }) => !openId || id === openId);
  return (
    <div className="page">
      <header className="page-head">
        <h1>Suppressions</h1>
        <form onSubmit={(event) => (event.preventDefault(), setParams({ query: text }))}><input aria-label="Find a suppression" placeholder="Find a suppression" value={text} onChange={(event) => setText(event.target.value)} /></form>
        <span className="quiet" role="status">{found.data ? plural(shown.length, "suppression") : ""}</span>
        <span className="panel-spring" />
        {mayWrite && <button type="button" className="primary" onClick={() => setEditing("new")}>New suppression</button>}
      </header>
      {found.fault ? <Fault fault={found.fault} onRetry={found.reload} /> : !found.data ? <Loading /> : !shown.length ? <Empty>Nothing is suppressed. A signal's panel makes one from what it has.</Empty> : (
        <table className="plain">
          <thead><tr><th scope="col">State</th><th scope="col">Name</th><th scope="col">Rules</th><th scope="col">What is left out</th><th scope="col">Until</th><th scope="col" className="number">Matches stopped</th><th scope="col">Change</th></tr></thead>
          <tbody>
            {shown.map((each) => {
              const { name, enabled, editable = true, rule_query, suppression_query, data_exclusion_query, expiration_date, version } = each.attributes;
              const isOver = expiration_date !== undefined && expiration_date !== null && expiration_date < Date.now();
              return (
                <tr key={each.id}>
                  <td>{!enabled ? "off" : isOver ? "over" : <span className="good">on</span>}</td>
                  <td><Line>{name}</Line></td>
                  <td><code><Line>{rule_query}</Line></code></td>
                  <td>{suppression_query && <code><Line>{suppression_query}</Line></code>}{data_exclusion_query && <><span className="quiet">logs: </span><code><Line>{data_exclusion_query}</Line></code></>}</td>
                  <td>{expiration_date ? timeText(expiration_date, "row") : "ever"}</td>
                  <td className="number"><Stopped id={each.id} /></td>
                  <td className="row-deeds">
                    {mayWrite && editable && (
                      <RowDeeds
                        name={name} isOn={enabled} onEdit={() => setEditing(each)} onDelete={() => done(call("DELETE", `${SUPPRESSIONS}/${each.id}`), "Suppression deleted")}
                        onToggle={() => done(call("PATCH", `${SUPPRESSIONS}/${each.id}`, { data: { type: "suppressions", attributes: { enabled: !enabled, ...(version === undefined ? {} : { version }) } } }), enabled ? "Disabled" : "Enabled")}
                      />
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
      {editing && (
        <Dialog title={editing === "new" ? "New suppression" : "Edit the suppression"} onClose={() => setEditing(undefined)} width="42rem">
          <Form before={editing === "new" ? undefined : editing} onSave={(attributes) => done(editing === "new" ? call("POST", SUPPRESSIONS, { data: { type: "suppressions", attributes } }) : call("PATCH", `${SUPPRESSIONS}/${editing.id}`, { data: { type: "suppressions", attributes: { ...attributes, version: editing.attributes.version } } }), "Saved")} />
        </Dialog>
      )}
    </div>
  );
}

function Stopped({ id }: { readonly id: string }) {
  const { data } = useLoad(`stats ${id}`, async (signal) => (await get<{ readonly data: { readonly attributes: { readonly matches: number } } }>(`${SUPPRESSIONS}/${id}/stats`, signal)).data.attributes.matches);
  return <>{data === undefined ? "" : countText(data)}</>;
}

const day = (ms: number | null | undefined): string => (ms ? new Date(ms).toISOString().slice(0, 10) : "");

function Form({ before, onSave }: { readonly before: Suppression | undefined; readonly onSave: (attributes: object) => void }) {
  const was = before?.attributes;
  const [name, setName] = useState(was?.name ?? "");
  const [description, setDescription] = useState(was?.description ?? "");
  const [ruleQuery, setRuleQuery] = useState(was?.rule_query ?? "");
  const [query, setQuery] = useState(was?.suppression_query ?? "");
  const [exclusion, setExclusion] = useState(was?.data_exclusion_query ?? "");
  const [until, setUntil] = useState(day(was?.expiration_date));
  return (
    <form className="form" onSubmit={(event) => (event.preventDefault(), onSave({ name, description, enabled: was?.enabled ?? true, rule_query: ruleQuery, suppression_query: query, data_exclusion_query: exclusion, expiration_date: until ? Date.parse(`${until}T00:00:00Z`) : null }))}>
      <label>Name<input required maxLength={200} value={name} onChange={(event) => setName(event.target.value)} /></label>
      <label>Description<input value={description} onChange={(event) => setDescription(event.target.value)} /></label>
      <label>Rules it is for<input required value={ruleQuery} placeholder="source:cloudtrail, ruleId:…, or * for all" onChange={(event) => setRuleQuery(event.target.value)} /></label>
      <label>Signals that are not to be<input value={query} placeholder="@usr.id:service-account-*" onChange={(event) => setQuery(event.target.value)} /></label>
      <label>Logs that its rules do not look at<input value={exclusion} placeholder="env:staging" onChange={(event) => setExclusion(event.target.value)} /></label>
      <label>Until<input type="date" value={until} onChange={(event) => setUntil(event.target.value)} /></label>
      <div className="form-end"><button type="submit" className="primary">Save</button></div>
    </form>
  );
}
