import { download, get } from "../lib/api.ts";
import { useKeys } from "../lib/keys.tsx";
import { useLoad } from "../lib/load.ts";
import { Link, addressOf, setParams, usePlace } from "../lib/router.tsx";
import { useMay } from "../lib/session.tsx";
import { countText, plural, visible } from "../lib/text.ts";
import { apiBound } from "../lib/time.ts";
import { Fault, Loading } from "../ui/fault.tsx";
import { Line } from "../ui/text.tsx";
import { TimePicker } from "../ui/time-picker.tsx";
import { tellFault } from "../ui/toast.tsx";
import { Matrix } from "./matrix.tsx";
import { type AttackMap, MITRE, type Mode, densities, densityNotes } from "./model.ts";
import { TechniquePanel } from "./technique-panel.tsx";
import "../styles/mitre.css";

interface Answer {
  readonly data: { readonly attributes: AttackMap };
}

export default function MitrePage() {
  const { params } = usePlace();
  const maySignals = useMay("security_monitoring_signals_read");
  const mode: Mode = params.get("mode") === "signals" && maySignals ? "signals" : "rules";
  const span = { from: params.get("from") ?? "now-7d", to: params.get("to") ?? "now" };
  const density = densities.find((each) => each === params.get("density"));
  const chosen = { source: params.get("source"), sources: ["all", "active"].find((each) => each === params.get("sources")), origin: ["default", "custom"].find((each) => each === params.get("origin")) };
  const [tacticId, techniqueId] = [params.get("tactic"), params.get("technique")];
  const ask = (asked: Mode, signal: AbortSignal): Promise<AttackMap> => get<Answer>(addressOf(MITRE, { ...chosen, mode: asked, ...(asked === "signals" ? { from: apiBound(span.from), to: apiBound(span.to) } : {}) }), signal).then(({ data }) => data.attributes);
  const key = JSON.stringify([chosen, span]);
  const map = useLoad(`${mode} ${key}`, (signal) => ask(mode, signal));
  // A technique in full tells of signals whatever the map counts.
  const full = useLoad(techniqueId && maySignals && mode === "rules" ? key : undefined, (signal) => ask("signals", signal));
  const close = (): void => setParams({ tactic: undefined, technique: undefined });
  useKeys("ATT&CK map", [
    { keys: "x", label: "Rules, or signals", run: () => maySignals && setParams({ mode: mode === "rules" ? "signals" : undefined }) },
    ...densities.map((each, i) => ({ keys: String(i + 1), label: `Density ${each} only, or all`, run: () => setParams({ density: density === each ? undefined : each }) })),
    { keys: "Escape", label: "Close the technique", run: close },
  ]);
  const told = map.data && { ...map.data, tactics: map.data.tactics.map((each) => ({ ...each, techniques: each.techniques.filter((technique) => !density || technique.density === density) })) };
  const tactic = map.data?.tactics.find(({ id }) => id === tacticId) ?? map.data?.tactics.find(({ techniques }) => techniques.some(({ id }) => id === techniqueId));
  const technique = tactic?.techniques.find(({ id }) => id === techniqueId);
  const counted = (mode === "signals" ? map.data : full.data)?.tactics.find(({ id }) => id === tactic?.id)?.techniques.find(({ id }) => id === techniqueId);
  const shown = told ? new Set(told.tactics.flatMap(({ techniques }) => techniques.map(({ id }) => id))).size : 0;
  const sources = map.data?.sources ?? [];
  const knowsActive = sources.some(({ active }) => active !== undefined);
  // As the API does where nothing is said.
  const isActiveOnly = knowsActive && chosen.sources !== "all";
  const silent = isActiveOnly ? sources.filter(({ active }) => !active) : [];
  return (
    <div className={`mitre ${technique ? "has-panel" : ""}`} aria-busy={map.isLoading}>
      <header className="explorer-head">
        <h1>ATT&CK map</h1>
        {map.data && <span className="quiet">Enterprise, version {map.data.version}</span>}
        <span className="panel-spring" />
        {map.isLoading && <span className="quiet">loading</span>}
        {maySignals && (
          <div className="switch" role="group" aria-label="What is counted">
            <button type="button" aria-pressed={mode === "rules"} onClick={() => setParams({ mode: undefined })}>Rules</button>
            <button type="button" aria-pressed={mode === "signals"} onClick={() => setParams({ mode: "signals" })}>Signals</button>
          </div>
        )}
        <select aria-label="Source" value={chosen.source ?? ""} onChange={(event) => setParams({ source: event.target.value })}>
          <option value="">All sources</option>
          {sources.map(({ source, rules }) => <option key={source} value={source}>{visible(source)} ({rules})</option>)}
          {chosen.source && !sources.some(({ source }) => source === chosen.source) && <option value={chosen.source}>{visible(chosen.source)}</option>}
        </select>
        <select aria-label="Origin of the rules" value={chosen.origin ?? ""} onChange={(event) => setParams({ origin: event.target.value })}>
          <option value="">Default and custom</option>
          <option value="default">Default rules</option>
          <option value="custom">Custom rules</option>
        </select>
        {knowsActive && <label className="mitre-check" title="Rules of sources that sent logs in the past 72 hours"><input type="checkbox" checked={isActiveOnly} onChange={() => setParams({ sources: isActiveOnly ? "all" : undefined })} /> Active sources only</label>}
        {(mode === "signals" || technique) && <TimePicker span={span} onChoose={({ from, to }) => setParams({ from, to })} />}
        <button type="button" title="A layer for MITRE's ATT&CK Navigator" onClick={() => void download("GET", addressOf(`${MITRE}/navigator`, chosen), undefined, "vespid-attack-layer.json").catch(tellFault)}>Navigator layer</button>
      </header>
      {map.data && (
        <div className="mitre-kpis" role="group" aria-label="Rule density">
          <p role="status"><strong>{countText(map.data.covered)}</strong> of {countText(map.data.total)} techniques have a rule{density && <>; shown: {plural(shown, "technique")} of density {density}</>}</p>
          {densities.map((each) => (
            <button key={each} type="button" className={`mitre-kpi density-${each}`} aria-pressed={density === each} onClick={() => setParams({ density: density === each ? undefined : each })}>
              <strong>{countText(map.data!.density[each])}</strong> {each} <span className="mitre-note">{densityNotes[each]}</span>
            </button>
          ))}
          {silent.length > 0 && <p className="quiet mitre-silent" title={silent.map(({ source }) => visible(source)).join(", ")}>{plural(silent.length, "source")} without logs in 72 hours left out <button type="button" className="linkish" onClick={() => setParams({ sources: "all" })}>show all</button></p>}
          {mode === "signals" && <p className="quiet">Colours tell how many signals there are.</p>}
        </div>
      )}
      <div className="mitre-body">
        {map.fault ? <Fault fault={map.fault} onRetry={map.reload} /> : told ? <Matrix map={told} mode={mode} open={technique && tactic ? `${tactic.id} ${technique.id}` : undefined} onOpen={(toTactic, toTechnique) => setParams({ tactic: toTactic, technique: toTechnique })} /> : <Loading />}
        {map.data && map.data.remarks.length > 0 && (
          <details className="mitre-remarks">
            <summary>{plural(map.data.remarks.length, "tag")} of rules that ATT&CK {map.data.version} has otherwise</summary>
            <ul>{map.data.remarks.map(({ rule, text }) => <li key={`${rule} ${text}`}><Link href={`/security/rules/${encodeURIComponent(rule)}`}><Line>{rule}</Line></Link>: <Line>{text}</Line></li>)}</ul>
          </details>
        )}
      </div>
      {technique && tactic && <TechniquePanel key={`${tactic.id} ${technique.id}`} tactic={tactic} technique={technique} counted={counted} span={span} onClose={close} />}
    </div>
  );
}
