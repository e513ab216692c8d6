import { useState } from "react";
import { ApiFault, call, get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { Link, addressOf, go, setParams, usePlace } from "../lib/router.tsx";
import { useMay } from "../lib/session.tsx";
import { timeText } from "../lib/time.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Empty, Fault, Loading } from "../ui/fault.tsx";
import { Popup } from "../ui/menu.tsx";
import { Severity } from "../ui/pill.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { Line } from "../ui/text.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import { Backtest } from "./backtest.tsx";
import { Editor } from "./editor.tsx";
import { type Rule, type RuleDraft, RULES, draftOf, methodOf, severityOf } from "./model.ts";
import { Performance } from "./performance.tsx";
import { Versions } from "./versions.tsx";

export function RulePage({ id }: { readonly id: string }) {
  const rule = useLoad(id, (signal) => get<Rule>(`${RULES}/${encodeURIComponent(id)}`, signal));
  if (rule.fault) return rule.fault.status === 404 ? <Empty>There is no such rule. <Link href="/security/rules">All rules</Link></Empty> : <Fault fault={rule.fault} onRetry={rule.reload} />;
  if (!rule.data) return <Loading />;
  return <Page key={rule.data.version} rule={rule.data} onChanged={rule.reload} />;
}

function Page({ rule, onChanged }: { readonly rule: Rule; readonly onChanged: () => void }) {
  const { params } = usePlace();
  const mayWrite = useMay("security_monitoring_rules_write");
  const [draft, setDraft] = useState<RuleDraft>(() => draftOf(rule));
  const [isSaving, setSaving] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const isChanged = JSON.stringify(draft) !== JSON.stringify(draftOf(rule));
  const path = `${RULES}/${encodeURIComponent(rule.id)}`;
  const done = async (work: Promise<unknown>, text: string): Promise<boolean> => {
    try {
      await work;
      tell(text);
      return true;
    } catch (error) {
      if (error instanceof ApiFault && error.status === 412) tell("Somebody else has changed this rule: copy what you wrote, then load the page again", "bad");
      else tellFault(error);
      return false;
    }
  };
  const save = async (): Promise<void> => {
    setSaving(true);
    if (await done(call("PUT", path, { ...draft, version: rule.version }), `${draft.name}: saved, judging from the next log on`)) onChanged();
    setSaving(false);
  };
  return (
    <div className="page rule-page">
      <header className="page-head">
        <Severity value={severityOf(rule)} />
        <h1><Line>{rule.name}</Line></h1>
        <span className="quiet">{methodOf(rule).title} · {rule.isDefault ? "default" : "custom"} · version {rule.version}{rule.updatedAt ? ` · changed ${timeText(rule.updatedAt, "row")}` : ""}</span>
        <span className="panel-spring" />
        <Link className="button" href={addressOf("/security/signals", { query: `@workflow.rule.id:${rule.id}`, from: "now-30d", to: "now" })}>Signals</Link>
        {mayWrite && (
          <>
            <button type="button" onClick={() => void done(call("PUT", path, { isEnabled: !rule.isEnabled, version: rule.version }), rule.isEnabled ? "Disabled" : "Enabled").then((isDone) => isDone && onChanged())}>{rule.isEnabled ? "Disable" : "Enable"}</button>
            <button type="button" onClick={() => void call<Rule>("POST", `${path}/clone`, {}).then((made) => (tell("Cloned; the clone is disabled"), go(`/security/rules/${encodeURIComponent(made.id)}`)), tellFault)}>Clone</button>
          </>
        )}
        <Popup label="More ▾" align="right">
          {(close) => (
            <ul className="choices">
              <li><button type="button" onClick={() => (close(), void copied(JSON.stringify(draftOf(rule), undefined, 2), "JSON"))}>Copy JSON</button></li>
              <li><button type="button" onClick={() => (close(), void get<{ readonly terraformContent: string }>(`${path}/convert`).then(({ terraformContent }) => copied(terraformContent, "Terraform"), tellFault))}>Copy Terraform</button></li>
              {mayWrite && !rule.isDefault && <li><button type="button" className="bad" onClick={() => (close(), setDeleting(true))}>Delete…</button></li>}
            </ul>
          )}
        </Popup>
      </header>
      {!rule.isEnabled && <p className="quiet">This rule is disabled: it judges nothing.</p>}
      <Tabs
        label="Parts of the rule" chosen={params.get("tab") ?? "rule"} onChoose={(tab) => setParams({ tab: tab === "rule" ? undefined : tab }, { replace: true })}
        tabs={[
          { id: "rule", label: isChanged ? "Rule, changed" : "Rule", body: () => <Editor draft={draft} onChange={setDraft} {...(mayWrite ? { onSave: () => void save() } : {})} saveLabel={isChanged ? "Save" : "Nothing changed"} isSaving={isSaving || !isChanged} isDefault={rule.isDefault} /> },
          { id: "performance", label: "Performance", body: () => <Performance id={rule.id} /> },
          { id: "backtest", label: "Backtest", body: () => <Backtest draft={draft} {...(isChanged ? {} : { ruleId: rule.id })} /> },
          { id: "versions", label: "Versions", body: () => <Versions rule={rule} {...(mayWrite ? { onRestored: onChanged } : {})} /> },
        ]}
      />
      {isDeleting && (
        <Dialog title="Delete this rule" onClose={() => setDeleting(false)}>
          <div className="form">
            <p>Its signals stay; the rule and its versions are gone.</p>
            <div className="form-end">
              <button type="button" onClick={() => setDeleting(false)}>Cancel</button>
              <button type="button" className="danger" onClick={() => void done(call("DELETE", path), "Rule deleted").then((isDone) => isDone && go("/security/rules"))}>Delete</button>
            </div>
          </div>
        </Dialog>
      )}
    </div>
  );
}

async function copied(text: string, what: string): Promise<void> {
  await navigator.clipboard.writeText(text).then(() => tell(`${what} copied`), tellFault);
}
