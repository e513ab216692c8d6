import { useEffect, useId, useState } from "react";
import { ApiFault, call } from "../lib/api.ts";
import { useKeys } from "../lib/keys.tsx";
import { visible } from "../lib/text.ts";
import { Markdown } from "../ui/markdown.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { Backtest } from "./backtest.tsx";
import { CaseEditor } from "./case-editor.tsx";
import { MethodOptions } from "./method-options.tsx";
import { type RuleDraft, RULES, methodOf, methods, withMethod } from "./model.ts";
import { PastedLogs } from "./pasted.tsx";
import { Preview } from "./preview.tsx";
import { QueryEditor } from "./query-editor.tsx";
import { TestsEditor } from "./tests-editor.tsx";

export interface EditorProps {
  readonly draft: RuleDraft;
  readonly onChange: (draft: RuleDraft) => void;
  readonly onSave?: () => void;
  readonly saveLabel: string;
  readonly isSaving: boolean;
  /** A default rule's queries and conditions stay as its pack has them. */
  readonly isDefault?: boolean;
  /** It is no rule yet: its backtest stands beside it. */
  readonly isNew?: boolean;
}

type Check = { readonly kind: "checking" } | { readonly kind: "good" } | { readonly kind: "bad"; readonly texts: readonly string[] };

const CHECK_MS = 350;

/** A rule as it is being written: its parts, what the API says of it, and the logs it would match, at once. */
export function Editor({ draft, onChange, onSave, saveLabel, isSaving, isDefault = false, isNew = false }: EditorProps) {
  const [tab, setTab] = useState("preview");
  // Not in the address, as all else is: it would be sent with it.
  const [pasted, setPasted] = useState("");
  const check = useCheck(draft);
  const set = (change: Partial<RuleDraft>): void => onChange({ ...draft, ...change });
  const method = methodOf(draft);
  const mayNot = isDefault;
  useKeys("Rule", [{ keys: "w", label: "Save", run: () => check.kind === "good" && onSave?.() }]);
  return (
    <div className="rule-editor">
      <form className="form rule-form" onSubmit={(event) => (event.preventDefault(), onSave?.())}>
        {mayNot && <p className="quiet">A default rule: its queries and conditions come with its pack. Clone it to change them; here its name, message, severities, tags, notifications and query extensions are yours.</p>}
        <label>Name<input required value={draft.name} onChange={(event) => set({ name: event.target.value })} /></label>
        <fieldset disabled={mayNot} className="rule-methods">
          <legend>Detection method</legend>
          {methods.map(({ id, title, about }) => (
            <label key={id} className="radio" title={about}>
              <input type="radio" name="method" checked={method.id === id} onChange={() => onChange(withMethod(draft, id))} /> {title}
            </label>
          ))}
        </fieldset>
        <p className="quiet">{method.about}.</p>
        {method.id !== "third_party" && (
          <section aria-label="Queries">
            <h2>Queries</h2>
            {draft.queries.map((query, i) => (
              <QueryEditor key={i} query={query} method={method} isDefault={mayNot} onChange={(next) => set({ queries: draft.queries.map((each, j) => (j === i ? next : each)) })} {...(draft.queries.length > 1 && !mayNot ? { onRemove: () => set({ queries: draft.queries.filter((_, j) => j !== i) }) } : {})} />
            ))}
            {!mayNot && !(method.isSingle && draft.queries.length) && <button type="button" onClick={() => set({ queries: [...draft.queries, { name: nextLabel(draft), query: "", aggregation: method.aggregations[0], groupByFields: draft.queries[0]?.groupByFields ?? [], distinctFields: [], dataSource: "logs" }] })}>Add a query</button>}
          </section>
        )}
        <MethodOptions draft={draft} method={method} isDefault={mayNot} onChange={(options) => set({ options })} />
        <section aria-label="Cases">
          <h2>Cases</h2>
          <CaseEditor draft={draft} method={method} isDefault={mayNot} onChange={set} />
        </section>
        <Message value={draft.message} onChange={(message) => set({ message })} />
        <label>Tags, one a line<textarea rows={4} spellCheck={false} value={draft.tags.join("\n")} onChange={(event) => set({ tags: event.target.value.split("\n") })} onBlur={() => set({ tags: draft.tags.map((tag) => tag.trim()).filter(Boolean) })} /></label>
        <label className="check"><input type="checkbox" checked={draft.isEnabled} onChange={(event) => set({ isEnabled: event.target.checked })} /> Enabled</label>
        <div className="rule-end">
          <CheckLine check={check} />
          {onSave && <button type="submit" className="primary" disabled={check.kind !== "good" || isSaving}>{saveLabel}</button>}
        </div>
      </form>
      <div className="rule-side">
        <Tabs
          label="Beside the rule" chosen={tab} onChoose={setTab}
          tabs={[
            { id: "preview", label: "Matching logs", body: () => <Preview draft={draft} /> },
            { id: "pasted", label: "Pasted logs", body: () => <PastedLogs draft={draft} text={pasted} onText={setPasted} onTests={() => setTab("tests")} /> },
            { id: "tests", label: "Unit tests", count: draft.tests?.length ?? 0, body: () => <TestsEditor draft={draft} onChange={(tests) => set({ tests })} /> },
            ...(isNew ? [{ id: "backtest", label: "Backtest", body: () => <Backtest draft={draft} /> }] : []),
            { id: "json", label: "JSON", body: () => <JsonEditor draft={draft} onChange={onChange} isFixed={mayNot} /> },
          ]}
        />
      </div>
    </div>
  );
}

function nextLabel({ queries }: RuleDraft): string {
  return "abcdefghijklmnopqrstuvwxyz".split("").find((letter) => !queries.some(({ name }) => name === letter)) ?? "";
}

/** What the API says of a draft, a moment after it was last changed. */
function useCheck(draft: RuleDraft): Check {
  const text = JSON.stringify(draft);
  const [check, setCheck] = useState<Check>({ kind: "checking" });
  useEffect(() => {
    const abort = new AbortController();
    setCheck({ kind: "checking" });
    const timer = setTimeout(() => {
      call("POST", `${RULES}/validation`, JSON.parse(text), abort.signal).then(() => setCheck({ kind: "good" }), (error: unknown) => !abort.signal.aborted && setCheck({ kind: "bad", texts: error instanceof ApiFault && error.texts.length ? error.texts : [String((error as Error).message)] }));
    }, CHECK_MS);
    return () => (clearTimeout(timer), abort.abort());
  }, [text]);
  return check;
}

function CheckLine({ check }: { readonly check: Check }) {
  return (
    <div className="rule-check" role="status">
      {check.kind === "checking" ? <span className="quiet">checking</span> : check.kind === "good" ? <span className="good">This rule would be taken.</span> : (
        <ul className="bad">{check.texts.slice(0, 8).map((text) => <li key={text}>{visible(text)}</li>)}{check.texts.length > 8 && <li>{check.texts.length - 8} more</li>}</ul>
      )}
    </div>
  );
}

function Message({ value, onChange }: { readonly value: string; readonly onChange: (text: string) => void }) {
  const id = useId();
  return (
    <div className="rule-message">
      <label htmlFor={id}>Message: what to check and do; {"{{@attribute}}"} is filled in</label>
      <textarea id={id} rows={7} value={value} onChange={(event) => onChange(event.target.value)} />
      {value && <details><summary className="quiet">As it is read</summary><Markdown>{value}</Markdown></details>}
    </div>
  );
}

/** The rule as it is stored: for members that have no field here. */
function JsonEditor({ draft, onChange, isFixed }: { readonly draft: RuleDraft; readonly onChange: (draft: RuleDraft) => void; readonly isFixed: boolean }) {
  const [text, setText] = useState(() => JSON.stringify(draft, undefined, 2));
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    try {
      if (JSON.stringify(JSON.parse(text)) !== JSON.stringify(draft)) setText(JSON.stringify(draft, undefined, 2));
    } catch {
      // What is being written stays.
    }
  }, [draft]);
  return (
    <div className="form">
      <label>
        The rule as JSON
        <textarea className="code" rows={28} spellCheck={false} readOnly={isFixed} value={text} onChange={(event) => {
          setText(event.target.value);
          try {
            const read = JSON.parse(event.target.value) as RuleDraft;
            if (typeof read !== "object" || !read || !Array.isArray(read.queries ?? []) || !Array.isArray(read.cases ?? [])) throw new Error("a rule is an object with lists of queries and cases");
            setProblem(undefined);
            onChange({ ...read, name: String(read.name ?? ""), message: String(read.message ?? ""), tags: read.tags ?? [], queries: read.queries ?? [], cases: read.cases ?? [], options: read.options ?? {} });
          } catch (error) {
            setProblem((error as Error).message);
          }
        }} />
      </label>
      {problem && <p className="form-problem" role="alert">{visible(problem)}</p>}
    </div>
  );
}
