import { useState } from "react";
import { get, post } from "../lib/api.ts";
import { plural, visible } from "../lib/text.ts";
import { EVENTS } from "../logs/model.ts";
import { Empty } from "../ui/fault.tsx";
import { tellFault } from "../ui/toast.tsx";
import { type RuleDraft, type RuleTestWire, RULES } from "./model.ts";

/** Unit tests of a rule: logs, and whether one of its queries matches them. They run as they stand, saved or not. */
export function TestsEditor({ draft, onChange }: { readonly draft: RuleDraft; readonly onChange: (tests: readonly RuleTestWire[]) => void }) {
  const tests = draft.tests ?? [];
  const [results, setResults] = useState<readonly boolean[]>();
  const labels = draft.queries.map(({ name }, i) => name || String.fromCharCode(97 + i));
  const set = (i: number, change: Partial<RuleTestWire>): void => {
    setResults(undefined);
    onChange(tests.map((each, j) => (j === i ? { ...each, ...change } as RuleTestWire : each)));
  };
  const run = async (): Promise<void> => {
    try {
      const payloads = tests.map(({ query, expected = true, log }) => ({ index: Math.max(0, labels.indexOf(query ?? "")), expectedResult: expected, payload: log ?? {} }));
      setResults((await post<{ readonly results: readonly boolean[] }>(`${RULES}/test`, { rule: draft, ruleQueryPayloads: payloads })).results);
    } catch (error) {
      tellFault(error);
    }
  };
  return (
    <div className="form">
      <div className="page-head">
        <button type="button" className="primary" disabled={!tests.length} onClick={() => void run()}>Run the tests</button>
        <button type="button" onClick={() => onChange([...tests, { name: "", query: labels[0] ?? "a", expected: true, log: { ddsource: "" } }])}>Add a test</button>
        <FromLog onLog={(log) => onChange([...tests, { name: "from a log", query: labels[0] ?? "a", expected: true, log }])} />
        {results && <span role="status" className={results.every(Boolean) ? "good" : "bad"}>{plural(results.filter(Boolean).length, "test")} of {results.length} as expected</span>}
      </div>
      {!tests.length && <Empty>A test is a log, and whether a query matches it. One that matches proves that the rule can fire.</Empty>}
      {tests.map((test, i) => (
        <fieldset key={i} className="rule-part">
          <legend className={results?.[i] === undefined ? "" : results[i] ? "good" : "bad"}>{results?.[i] === undefined ? `Test ${i + 1}` : results[i] ? `Test ${i + 1}: as expected` : `Test ${i + 1}: not as expected`}</legend>
          <div className="rule-line">
            <label className="rule-names">Name<input value={test.name ?? ""} onChange={(event) => set(i, { name: event.target.value })} /></label>
            <label>Query<select value={test.query ?? labels[0]} onChange={(event) => set(i, { query: event.target.value })}>{labels.map((label) => <option key={label}>{label}</option>)}</select></label>
            <label className="check"><input type="checkbox" checked={test.expected !== false} onChange={(event) => set(i, { expected: event.target.checked })} /> matches</label>
            <button type="button" className="icon-button" aria-label={`Remove test ${i + 1}`} onClick={() => (setResults(undefined), onChange(tests.filter((_, j) => j !== i)))}>✕</button>
          </div>
          <LogField value={test.log} onChange={(log) => set(i, { log })} />
        </fieldset>
      ))}
    </div>
  );
}

function LogField({ value, onChange }: { readonly value: unknown; readonly onChange: (log: unknown) => void }) {
  const [text, setText] = useState(() => JSON.stringify(value, undefined, 1) ?? "{}");
  const [problem, setProblem] = useState<string>();
  return (
    <label>
      Log
      <textarea className="code" rows={6} spellCheck={false} value={text} onChange={(event) => {
        setText(event.target.value);
        try {
          onChange(JSON.parse(event.target.value));
          setProblem(undefined);
        } catch (error) {
          setProblem((error as Error).message);
        }
      }} />
      {problem && <span className="form-problem">{visible(problem)}</span>}
    </label>
  );
}

/** The form of a stored log that a test takes. */
export async function testLog(id: string): Promise<unknown> {
  return await get(`${EVENTS}/${encodeURIComponent(id)}?format=ddlog`);
}

function FromLog({ onLog }: { readonly onLog: (log: unknown) => void }) {
  const [id, setId] = useState("");
  return (
    <span className="rule-from-log">
      <input aria-label="Id of a stored log" placeholder="id of a stored log" size={16} value={id} onChange={(event) => setId(event.target.value)} />
      <button type="button" disabled={!id.trim()} onClick={() => void testLog(id.trim()).then(onLog, tellFault)}>From a log</button>
    </span>
  );
}
