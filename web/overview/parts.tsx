import type { ReactNode } from "react";
import { Link } from "../lib/router.tsx";
import { countText } from "../lib/text.ts";
import { Line } from "../ui/text.tsx";

export type Point = readonly [timeMs: number, value: number];

/** Rows of a name, a bar as long as its share of the greatest, and its number; each leads to what it counts. */
export function BarList({ rows, empty }: { readonly rows: ReadonlyArray<{ readonly key: string; readonly name: ReactNode; readonly value: number; readonly text?: ReactNode; readonly href: string; readonly className?: string }>; readonly empty: string }) {
  if (!rows.length) return <p className="quiet">{empty}</p>;
  const most = Math.max(1, ...rows.map(({ value }) => value));
  return (
    <ol className="bar-list">
      {rows.map(({ key, name, value, text, href, className }) => (
        <li key={key}>
          <Link href={href}>
            <span className="bar-name">{typeof name === "string" ? <Line>{name}</Line> : name}</span>
            <span className="bar-value">{text ?? countText(value)}</span>
            <svg className={`bar-line ${className ?? "series-1"}`} viewBox="0 0 100 2" preserveAspectRatio="none" aria-hidden="true"><rect width={Math.max(value > 0 ? 0.5 : 0, (value / most) * 100)} height="2" fill="currentColor" /></svg>
          </Link>
        </li>
      ))}
    </ol>
  );
}

/** A number that leads to what it counts. */
export function Tile({ name, value, href, note, className = "" }: { readonly name: ReactNode; readonly value: ReactNode; readonly href: string; readonly note?: ReactNode; readonly className?: string }) {
  return (
    <Link href={href} className={`tile ${className}`}>
      <span className="tile-name">{name}</span>
      <span className="tile-value">{value}</span>
      {note !== undefined && <span className="tile-note">{note}</span>}
    </Link>
  );
}

/** A line without axes: how it went. */
export function Sparkline({ points, className = "series-1", label }: { readonly points: readonly Point[]; readonly className?: string; readonly label: string }) {
  const most = Math.max(1, ...points.map(([, value]) => value));
  const step = 100 / Math.max(1, points.length - 1);
  const path = points.map(([, value], i) => `${i ? "L" : "M"}${(i * step).toFixed(2)} ${(20 - (value / most) * 18).toFixed(2)}`).join("");
  return <svg className={`sparkline ${className}`} viewBox="0 0 100 21" preserveAspectRatio="none" role="img" aria-label={label}><path d={path} fill="none" stroke="currentColor" strokeWidth="1.5" vectorEffect="non-scaling-stroke" /></svg>;
}

export function changeText({ delta, percent }: { readonly delta: number; readonly percent: number | null }): string {
  if (delta === 0) return "no change";
  return `${delta > 0 ? "+" : "−"}${countText(Math.abs(delta))}${percent === null ? " (new)" : ` (${percent > 0 ? "+" : "−"}${Math.abs(percent).toFixed(0)} %)`}`;
}
