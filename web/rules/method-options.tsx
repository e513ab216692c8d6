import type { Method, RuleDraft } from "./model.ts";

const DURATIONS: ReadonlyArray<readonly [number, string]> = [[0, "none"], [60, "1 minute"], [300, "5 minutes"], [600, "10 minutes"], [900, "15 minutes"], [1800, "30 minutes"], [3600, "1 hour"], [7200, "2 hours"], [10_800, "3 hours"], [21_600, "6 hours"], [43_200, "12 hours"], [86_400, "1 day"]];
const titles: Readonly<Record<string, string>> = {
  forgetAfter: "Forget a value after (days)", learningMethod: "Learn by", learningThreshold: "Learn so many values", instantaneousBaseline: "Judge from the first event on, by what is stored", bucketDuration: "Bucket (seconds)",
  detectionTolerance: "Tolerance, 1 to 5", baselineUserLocations: "Leave out places a user is often at", defaultStatus: "Severity where no case fits", similarityPercentageThreshold: "Similarity, percent", nbSimilarItemsThreshold: "Normal where so many are alike",
};
const choices: Readonly<Record<string, readonly string[]>> = { learningMethod: ["duration", "threshold"], defaultStatus: ["info", "low", "medium", "high", "critical"] };

/** The spans of a rule, and what its method has of its own. */
export function MethodOptions({ draft: { options }, method, isDefault, onChange }: { readonly draft: RuleDraft; readonly method: Method; readonly isDefault: boolean; readonly onChange: (options: RuleDraft["options"]) => void }) {
  const own = (method.member ? options[method.member] : undefined) as Readonly<Record<string, unknown>> | undefined;
  const setOwn = (name: string, value: unknown): void => onChange({ ...options, [method.member!]: { ...own, [name]: value } });
  return (
    <fieldset className="rule-part rule-line" disabled={isDefault}>
      <legend>Spans and options</legend>
      {!method.isWindowless && <Duration label="Evaluation window" value={options.evaluationWindow ?? 0} onChange={(evaluationWindow) => onChange({ ...options, evaluationWindow })} />}
      <Duration label="Keep alive" value={options.keepAlive ?? 3600} onChange={(keepAlive) => onChange({ ...options, keepAlive })} />
      <Duration label="Maximum signal duration" value={options.maxSignalDuration ?? 86_400} onChange={(maxSignalDuration) => onChange({ ...options, maxSignalDuration })} />
      {Object.entries({ ...method.options, ...own }).map(([name, value]) => {
        const title = name === "learningDuration" ? `Learning duration (${method.id === "anomaly_detection" ? "hours" : "days"})` : (titles[name] ?? name);
        if (choices[name]) return <label key={name}>{title}<select value={String(value)} onChange={(event) => setOwn(name, event.target.value)}>{choices[name].map((each) => <option key={each}>{each}</option>)}</select></label>;
        if (typeof value === "boolean") return <label key={name} className="check"><input type="checkbox" checked={value} onChange={(event) => setOwn(name, event.target.checked)} /> {title}</label>;
        if (typeof value === "number") return <label key={name}>{title}<input type="number" value={value} onChange={(event) => setOwn(name, Number(event.target.value))} /></label>;
        // Steps and root queries are lists of their own shapes.
        return <JsonOption key={name} title={title} value={value} onChange={(next) => setOwn(name, next)} />;
      })}
      <label className="check"><input type="checkbox" checked={options.decreaseCriticalityBasedOnEnv === true} onChange={(event) => onChange({ ...options, decreaseCriticalityBasedOnEnv: event.target.checked })} /> One severity lower outside production</label>
    </fieldset>
  );
}

function Duration({ label, value, onChange }: { readonly label: string; readonly value: number; readonly onChange: (seconds: number) => void }) {
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => onChange(Number(event.target.value))}>
        {(DURATIONS.some(([seconds]) => seconds === value) ? DURATIONS : [[value, `${value} s`] as const, ...DURATIONS]).map(([seconds, name]) => <option key={seconds} value={seconds}>{name}</option>)}
      </select>
    </label>
  );
}

function JsonOption({ title, value, onChange }: { readonly title: string; readonly value: unknown; readonly onChange: (value: unknown) => void }) {
  return (
    <label className="rule-json">
      {title} (JSON)
      <textarea key={JSON.stringify(value)} className="code" rows={4} spellCheck={false} defaultValue={JSON.stringify(value, undefined, 1)} onBlur={(event) => {
        try {
          event.target.setCustomValidity("");
          onChange(JSON.parse(event.target.value));
        } catch (error) {
          event.target.setCustomValidity((error as Error).message);
          event.target.reportValidity();
        }
      }} />
    </label>
  );
}
