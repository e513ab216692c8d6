import { severities } from "../ui/pill.tsx";
import type { Method, RuleCaseWire, RuleDraft } from "./model.ts";

/** Cases in their order: the first that is true decides. */
export function CaseEditor({ draft, method, isDefault, onChange }: { readonly draft: RuleDraft; readonly method: Method; readonly isDefault: boolean; readonly onChange: (change: Partial<RuleDraft>) => void }) {
  const isVendors = method.id === "third_party";
  const cases = (isVendors ? draft.thirdPartyCases : draft.cases) ?? [];
  const put = (next: readonly RuleCaseWire[]): void => onChange(isVendors ? { thirdPartyCases: next } : { cases: next });
  const set = (i: number, change: Partial<RuleCaseWire>): void => put(cases.map((each, j) => (j === i ? { ...each, ...change } as RuleCaseWire : each)));
  const move = (i: number): void => put(cases.toSpliced(i - 1, 2, cases[i]!, cases[i - 1]!));
  const severityMember = isDefault ? "customStatus" : "status";
  return (
    <>
      {cases.map((each, i) => (
        <fieldset key={i} className="rule-part">
          <legend className="visually-hidden">Case {i + 1}</legend>
          <div className="rule-line">
            <label>Severity<select value={each.customStatus ?? each.status ?? "info"} onChange={(event) => set(i, { [severityMember]: event.target.value })}>{severities.map((severity) => <option key={severity}>{severity}</option>)}</select></label>
            <label className="rule-names">{isVendors ? "Query" : "Condition"}<input disabled={isDefault} spellCheck={false} className="code" value={(isVendors ? each.query : each.condition) ?? ""} placeholder={isVendors ? "@severity:high" : method.condition ?? "every match"} onChange={(event) => set(i, isVendors ? { query: event.target.value } : { condition: event.target.value })} /></label>
            <label>Name<input disabled={isDefault} value={each.name ?? ""} onChange={(event) => set(i, { name: event.target.value })} /></label>
            {i > 0 && !isDefault && <button type="button" className="icon-button" aria-label={`Move case ${i + 1} up`} onClick={() => move(i)}>↑</button>}
            {cases.length > 1 && !isDefault && <button type="button" className="icon-button" aria-label={`Remove case ${i + 1}`} onClick={() => put(cases.filter((_, j) => j !== i))}>✕</button>}
          </div>
          <label>Notify<input spellCheck={false} value={(each.notifications ?? []).join(", ")} placeholder="@slack-security, @webhook-soc" onChange={(event) => set(i, { notifications: event.target.value.split(",").map((text) => text.trim()).filter(Boolean) })} /></label>
        </fieldset>
      ))}
      {!isDefault && <button type="button" onClick={() => put([...cases, { name: "", status: "low", notifications: [], ...(isVendors ? { query: "*" } : { condition: method.condition ?? "" }) }])}>Add a case</button>}
    </>
  );
}
