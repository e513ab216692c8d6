import { useState } from "react";
import { Link } from "../lib/router.tsx";
import { countText, shortCount } from "../lib/text.ts";
import { timeText } from "../lib/time.ts";
import { Line } from "../ui/text.tsx";
import type { Point } from "./parts.tsx";

export interface LineSeries {
  readonly name: string;
  readonly className: string;
  readonly points: readonly Point[];
  readonly total: number;
  readonly href: string;
  readonly note?: string;
}

const [WIDTH, HEIGHT] = [600, 130];

/** Lines over the same times; a press on the legend leads to one of them, the box takes it out of sight. */
export function Lines({ label, series }: { readonly label: string; readonly series: readonly LineSeries[] }) {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [over, setOver] = useState<number>();
  const shown = series.filter(({ name }) => !hidden.has(name));
  const times = series[0]?.points.map(([timeMs]) => timeMs) ?? [];
  const most = Math.max(1, ...shown.flatMap(({ points }) => points.map(([, value]) => value)));
  const x = (i: number): number => (i / Math.max(1, times.length - 1)) * WIDTH;
  return (
    <div className="lines">
      <div className="bars-scale"><span>{shortCount(most)}</span><span aria-hidden="true">{over !== undefined && times[over] !== undefined && `${timeText(times[over], "row")}: ${shown.map(({ name, points }) => `${name} ${countText(points[over]?.[1])}`).join(", ")}`}</span></div>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${label}: ${series.map(({ name, total }) => `${name} ${total}`).join(", ")}`} onPointerMove={(event) => {
        const { left, width } = event.currentTarget.getBoundingClientRect();
        setOver(Math.round(((event.clientX - left) / width) * (times.length - 1)));
      }} onPointerLeave={() => setOver(undefined)}>
        {shown.map(({ name, className, points }) => <path key={name} className={className} d={points.map(([, value], i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${(HEIGHT - 2 - (value / most) * (HEIGHT - 6)).toFixed(1)}`).join("")} fill="none" stroke="currentColor" strokeWidth="1.6" vectorEffect="non-scaling-stroke" />)}
        {over !== undefined && <line x1={x(over)} x2={x(over)} y1="0" y2={HEIGHT} className="lines-over" />}
      </svg>
      <div className="bars-times" aria-hidden="true"><span>{timeText(times[0], "row")}</span><span>{timeText(times.at(-1), "row")}</span></div>
      <ul className="line-legend">
        {series.map(({ name, className, total, href, note }) => (
          <li key={name}>
            <input type="checkbox" aria-label={`Show ${name}`} checked={!hidden.has(name)} onChange={() => setHidden((before) => (before.has(name) ? new Set([...before].filter((each) => each !== name)) : new Set([...before, name])))} />
            <span className={`legend-mark ${className}`} aria-hidden="true" />
            <Link href={href}><Line>{name}</Line> <span className="quiet">{countText(total)}</span></Link>
            {note && <span className="bad"> {note}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}
