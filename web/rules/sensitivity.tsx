import { countText, plural, visible } from "../lib/text.ts";
import { severities } from "../ui/pill.tsx";
import { Line } from "../ui/text.tsx";

/** How loud a rule would be at other settings, as a job tells it (host/turned.ts). */
export interface Sensitivity {
  /** What is turned; absent where nothing can be. */
  readonly dial?: string;
  readonly fixed?: string;
  readonly settings: readonly Setting[];
}

interface Setting {
  /** 1: as the rule is. */
  readonly factor: number;
  readonly setting: string;
  readonly signals: number;
  readonly groups: number;
  readonly bySeverity: Readonly<Record<string, number>>;
}

const HEIGHT = 110;
const COLUMN = 90;
const BAR = 44;
/** Below the columns: what each is. */
const LABEL = 16;

/** Signals and groups at each setting, drawn and in figures; the rule's own setting is marked. */
export function SensitivityView({ sensitivity: { dial, fixed, settings } }: { readonly sensitivity: Sensitivity }) {
  if (dial === undefined) return <p className="quiet">No other settings were tried: {visible(fixed ?? "")}.</p>;
  const most = Math.max(1, ...settings.map(({ signals }) => signals));
  const high = (count: number): number => (count / most) * (HEIGHT - 18);
  return (
    <section className="sensitivity" aria-label="Sensitivity">
      <h3>With other {dial}</h3>
      <svg viewBox={`0 0 ${settings.length * COLUMN} ${HEIGHT + LABEL}`} width={settings.length * COLUMN} height={HEIGHT + LABEL} role="img" aria-label={settings.map(({ factor, signals, groups }) => `${factorText(factor)}: ${plural(signals, "signal")} of ${plural(groups, "group")}`).join("; ")}>
        {settings.map(({ factor, signals, groups, bySeverity }, i) => {
          let top = HEIGHT;
          const left = i * COLUMN + (COLUMN - BAR) / 2;
          return (
            <g key={factor}>
              {factor === 1 && <rect className="sensitivity-own" x={i * COLUMN + 2} width={COLUMN - 4} y={1} height={HEIGHT - 1} rx={4} />}
              {severities.toReversed().map((severity) => {
                const height = high(bySeverity[severity] ?? 0);
                top -= height;
                return height > 0 && <rect key={severity} className={`severity-${severity}`} fill="currentColor" x={left} width={BAR} y={top} height={height} />;
              })}
              <text x={left + BAR / 2} y={HEIGHT - high(signals) - 5} textAnchor="middle">{countText(signals)}</text>
              <text x={left + BAR / 2} y={HEIGHT + LABEL - 3} textAnchor="middle">{factorText(factor)}</text>
              {groups > 0 && <line className="sensitivity-groups" x1={left - 7} x2={left + BAR + 7} y1={HEIGHT - high(groups)} y2={HEIGHT - high(groups)} />}
            </g>
          );
        })}
        <line className="sensitivity-floor" x1={0} x2={settings.length * COLUMN} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
      </svg>
      <p className="quiet">Columns are signals by severity, the line across each is how many groups they are of.</p>
      <table className="plain">
        <thead><tr><th scope="col" className="number">Times</th><th scope="col">{dial.slice(0, 1).toUpperCase() + dial.slice(1)}</th><th scope="col" className="number">Signals</th><th scope="col" className="number">Groups</th><th scope="col">By severity</th></tr></thead>
        <tbody>
          {settings.map(({ factor, setting, signals, groups, bySeverity }) => (
            <tr key={factor} aria-current={factor === 1 ? "true" : undefined}>
              <td className="number">{factorText(factor)}</td>
              <td><code><Line>{setting}</Line></code>{factor === 1 && <span className="pill">as it is</span>}</td>
              <td className="number">{countText(signals)}</td>
              <td className="number">{countText(groups)}</td>
              <td>{Object.entries(bySeverity).map(([severity, count]) => `${countText(count)} ${severity}`).join(", ") || "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const factorText = (factor: number): string => `${factor}×`;
