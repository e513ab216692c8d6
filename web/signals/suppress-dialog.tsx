import { useEffect, useState } from "react";
import { call, get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { quoted } from "../lib/text.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Fault, Loading } from "../ui/fault.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import { SIGNALS, type Signal } from "./model.ts";

const DAYS = [1, 7, 30, 90, 0];

export interface SuppressionStart {
  readonly name: string;
  readonly ruleQuery: string;
  readonly query: string;
}

/** A suppression that begins with what a signal has: its rule, and its groups. */
export function SuppressDialog({ signalId, onClose }: { readonly signalId: string; readonly onClose: () => void }) {
  const signal = useLoad(signalId, async (abort) => (await get<{ readonly data: Signal }>(`${SIGNALS}/${encodeURIComponent(signalId)}`, abort)).data);
  return (
    <Dialog title="Suppress signals like this" onClose={onClose} width="40rem">
      {signal.fault ? <Fault fault={signal.fault} /> : signal.data ? <SuppressionForm start={startOf(signal.data)} onClose={onClose} /> : <Loading />}
    </Dialog>
  );
}

function startOf(signal: Signal): SuppressionStart {
  const { workflow, groupByValues = {}, entities = [] } = signal.attributes.custom;
  const groups = Object.entries(groupByValues).map(([path, value]) => `${path}:${quoted(value)}`);
  const first = groups.length ? groups : entities.slice(0, 1).map((each) => each.replace(/^(@[^:]*):(.*)$/s, (_, path: string, value: string) => `${path}:${quoted(value)}`));
  return { name: `${workflow.rule.name}: ${first.join(" ")}`.slice(0, 200), ruleQuery: `ruleId:${workflow.rule.id}`, query: first.join(" ") };
}

/** Made as soon as the API would take it. */
export function SuppressionForm({ start, onClose }: { readonly start: SuppressionStart; readonly onClose: () => void }) {
  const [name, setName] = useState(start.name);
  const [ruleQuery, setRuleQuery] = useState(start.ruleQuery);
  const [query, setQuery] = useState(start.query);
  const [days, setDays] = useState(30);
  const [problem, setProblem] = useState<string>();
  const attributes = { name, enabled: true, rule_query: ruleQuery, suppression_query: query, ...(days ? { expiration_date: Date.now() + days * 86_400_000 } : {}) };
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      call("POST", "/api/v2/security_monitoring/configuration/suppressions/validation", { data: { type: "suppressions", attributes } }, abort.signal).then(() => setProblem(undefined), (error: Error) => error.name !== "AbortError" && setProblem(error.message));
    }, 250);
    return () => (clearTimeout(timer), abort.abort());
  }, [name, ruleQuery, query, days]);
  const save = async (): Promise<void> => {
    try {
      await call("POST", "/api/v2/security_monitoring/configuration/suppressions", { data: { type: "suppressions", attributes } });
      tell("Suppression made: signals like this are not made any more");
      onClose();
    } catch (error) {
      tellFault(error);
    }
  };
  return (
    <form className="form" onSubmit={(event) => (event.preventDefault(), void save())}>
      <label>Name<input required maxLength={200} value={name} onChange={(event) => setName(event.target.value)} /></label>
      <label>Rules it is for<input required value={ruleQuery} onChange={(event) => setRuleQuery(event.target.value)} /></label>
      <label>Signals that are not to be<input required value={query} onChange={(event) => setQuery(event.target.value)} /></label>
      <label>
        For
        <select value={days} onChange={(event) => setDays(Number(event.target.value))}>
          {DAYS.map((each) => <option key={each} value={each}>{each ? `${each} ${each === 1 ? "day" : "days"}` : "ever"}</option>)}
        </select>
      </label>
      {problem && <p className="form-problem" role="alert">{problem}</p>}
      <div className="form-end">
        <button type="button" onClick={onClose}>Cancel</button>
        <button type="submit" className="primary" disabled={problem !== undefined}>Suppress</button>
      </div>
    </form>
  );
}
