import { useState } from "react";
import { countText, shortCount } from "../lib/text.ts";
import { timeText } from "../lib/time.ts";
import type { RiskPoint } from "./model.ts";

const [WIDTH, HEIGHT] = [1000, 140];
/** From these scores on a score is called so. */
const steps: ReadonlyArray<readonly [number, string]> = [[100, "critical"], [50, "high"], [25, "medium"], [10, "low"]];

/** The score over time, with the heights from which it has another name; below it the signals of each interval. */
export function RiskLine({ points, label }: { readonly points: readonly RiskPoint[]; readonly label: string }) {
  const [over, setOver] = useState<number>();
  const most = Math.max(10, ...points.map(({ score }) => score));
  const x = (i: number): number => (i / Math.max(1, points.length)) * WIDTH;
  const y = (score: number): number => HEIGHT - (score / (most * 1.05)) * HEIGHT;
  // A score stays until something changes it: a line of steps, as wide as the bars of signals below.
  const line = points.map(({ score }, i) => `${i ? "V" : "M0 "}${y(score).toFixed(1)}H${x(i + 1).toFixed(1)}`).join("");
  const there = over === undefined ? undefined : points[over];
  const signals = there ? Object.entries(there.signals).filter(([, count]) => count).map(([severity, count]) => `${countText(count)} ${severity}`) : [];
  return (
    <figure className="risk-line">
      <figcaption className="bars-scale">
        <span>{shortCount(most)}</span>
        <span aria-hidden="true">{there && `${timeText(there.timestamp, "row")}: score ${countText(there.score)}${signals.length ? `, signals: ${signals.join(", ")}` : ""}`}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}
        onPointerMove={(event) => {
          const { left, width } = event.currentTarget.getBoundingClientRect();
          setOver(Math.min(points.length - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * points.length))));
        }}
        onPointerLeave={() => setOver(undefined)}
      >
        {steps.filter(([score]) => score <= most).map(([score, name]) => <line key={name} className={`risk-step severity-${name}`} x1="0" x2={WIDTH} y1={y(score)} y2={y(score)}><title>{`${name} from ${score} on`}</title></line>)}
        <path className="risk-area" d={`${line}V${HEIGHT}H0Z`} />
        <path className="risk-path" d={line} />
        {over !== undefined && <line x1={x(over + 0.5)} x2={x(over + 0.5)} y1="0" y2={HEIGHT} className="lines-over" />}
      </svg>
    </figure>
  );
}
