import { post } from "../lib/api.ts";
import { EVENTS, type LogList } from "../logs/model.ts";
import { QueryBar } from "../ui/query-bar.tsx";
import type { Method, RuleQueryWire } from "./model.ts";

const fields = ["source", "service", "host", "status", "env", "@evt.name", "@evt.outcome", "@usr.id", "@usr.email", "@network.client.ip", "@network.ip.list", "@http.status_code", "@http.url_details.path", "@userIdentity.arn", "@threat_intel.indicators_matched"].map((name) => ({ name }));

const list = (text: string): readonly string[] => text.split(",").map((each) => each.trim()).filter(Boolean);

export function QueryEditor({ query, method, isDefault, onChange, onRemove }: { readonly query: RuleQueryWire; readonly method: Method; readonly isDefault: boolean; readonly onChange: (query: RuleQueryWire) => void; readonly onRemove?: () => void }) {
  const set = (change: Partial<RuleQueryWire>): void => onChange({ ...query, ...change } as RuleQueryWire);
  const aggregation = query.aggregation ?? "count";
  return (
    <fieldset className="rule-part">
      <legend className="visually-hidden">Query {query.name}</legend>
      <div className="rule-line">
        <label className="rule-label">Label<input value={query.name ?? ""} disabled={isDefault} size={8} onChange={(event) => set({ name: event.target.value })} /></label>
        <div className="rule-query">
          {isDefault ? <code>{query.query}</code> : <QueryBar label={`Query ${query.name ?? ""}`} value={query.query ?? ""} focusKey="" isLive onSubmit={(text) => set({ query: text })} fields={fields} valuesOf={valuesOf} placeholder="Logs this rule looks at, such as source:auth @evt.outcome:failure" />}
        </div>
        {onRemove && <button type="button" className="icon-button" aria-label={`Remove query ${query.name ?? ""}`} onClick={onRemove}>✕</button>}
      </div>
      <div className="rule-line">
        <label>
          Count by
          <select value={aggregation} disabled={isDefault} onChange={(event) => set({ aggregation: event.target.value })}>
            {method.aggregations.map((each) => <option key={each}>{each}</option>)}
          </select>
        </label>
        {method.member === "contentAnomalyOptions" && <Names label="Content of, message if empty" value={query.metrics} isDisabled={isDefault} onChange={(metrics) => set({ metrics })} />}
        {aggregation === "cardinality" && <Names label="Distinct values of" value={query.distinctFields} isDisabled={isDefault} onChange={(distinctFields) => set({ distinctFields })} />}
        {["sum", "max", "new_value", "geo_data"].includes(aggregation) && <Names label={aggregation === "new_value" ? "New value of" : "Of"} value={query.metrics} isDisabled={isDefault} onChange={(metrics) => set({ metrics })} />}
        <Names label="Group by" value={query.groupByFields} isDisabled={isDefault} onChange={(groupByFields) => set({ groupByFields })} />
      </div>
      {isDefault && <label>Query extension<input value={query.customQueryExtension ?? ""} placeholder="-@usr.id:ci-bot" onChange={(event) => set({ customQueryExtension: event.target.value })} /></label>}
    </fieldset>
  );
}

function Names({ label, value = [], isDisabled, onChange }: { readonly label: string; readonly value?: readonly string[]; readonly isDisabled: boolean; readonly onChange: (names: readonly string[]) => void }) {
  return <label className="rule-names">{label}<input key={value.join()} defaultValue={value.join(", ")} disabled={isDisabled} spellCheck={false} placeholder="@usr.id, host" onBlur={(event) => onChange(list(event.target.value))} onKeyDown={(event) => event.key === "Enter" && onChange(list(event.currentTarget.value))} /></label>;
}

async function valuesOf(field: string, signal: AbortSignal): Promise<readonly string[]> {
  const { meta } = await post<LogList>(`${EVENTS}/search`, { filter: { query: "*", from: "now-1d", to: "now" }, facets: [field], page: { limit: 1 } }, signal);
  return meta.facets?.[0]?.values.map(({ value }) => value) ?? [];
}
