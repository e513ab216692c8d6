import { Suspense, lazy } from "react";
import { Lines } from "../overview/lines.tsx";
import { BarList } from "../overview/parts.tsx";
import { Link } from "../lib/router.tsx";
import { countText, visible } from "../lib/text.ts";
import { durationText, timeText } from "../lib/time.ts";
import { Markdown } from "../ui/markdown.tsx";
import { Line } from "../ui/text.tsx";
import type { Shown, WidgetAnswer, WidgetDefinition } from "./model.ts";

const World = lazy(() => import("../overview/world.tsx"));
const MOST_LINES = 20;

/** One widget's title and what the server says it shows. */
export function WidgetView({ definition, answer }: { readonly definition: WidgetDefinition; readonly answer: WidgetAnswer | undefined }) {
  return (
    <section className={`card widget widget-${definition.type.replace(/\W/g, "")}`} aria-label={definition.title ?? definition.type}>
      {definition.title && <h2><Line>{definition.title}</Line></h2>}
      {!answer ? <p className="quiet">loading</p> : <Body definition={definition} shown={answer.shown} />}
      {answer?.is_partial && <p className="quiet">Not all logs could be counted in time.</p>}
    </section>
  );
}

function Body({ definition, shown }: { readonly definition: WidgetDefinition; readonly shown: Shown }) {
  const text = (value: number | null): string => (value === null ? "–" : definition.custom_unit === "s" ? durationText(value) : countText(Number(value.toPrecision(6))));
  switch (shown.kind) {
    case "note":
      return <Markdown>{definition.content ?? ""}</Markdown>;
    case "error":
      return <ul className="bad">{shown.errors.map((each) => <li key={each}>{visible(each)}</li>)}</ul>;
    case "value":
      return <Link href={shown.href} className={`value ${shown.format ? `palette-${shown.format.palette.replace(/\W/g, "")}` : ""}`}>{text(shown.value)}</Link>;
    case "series":
      if (!shown.series.length) return <p className="quiet">Nothing in this time.</p>;
      return <Lines label={definition.title ?? "Series"} series={shown.series.slice(0, MOST_LINES).map(({ name, points, href }, i) => ({ name: name || "all", className: `series-${(i % 8) + 1}`, points: points.map(([timeMs, value]) => [timeMs, value ?? 0] as const), total: points.reduce((sum, [, value]) => sum + (value ?? 0), 0), href }))} />;
    case "list":
      return shown.rows.length ? <table className="plain"><tbody>{shown.rows.map(({ id, cells, href }) => <tr key={id}>{cells.map((cell, i) => <td key={i}>{i === 0 ? <Link href={href}><Line>{/^\d{4}-\d\d-\d\dT/.test(cell) ? timeText(cell, "row") : cell || "–"}</Line></Link> : <Line>{/^\d{4}-\d\d-\d\dT/.test(cell) ? timeText(cell, "row") : cell}</Line>}</td>)}</tr>)}</tbody></table> : <p className="quiet">Nothing in this time.</p>;
    case "rows":
      if (definition.type === "geomap") {
        return <Suspense fallback={<p className="quiet">drawing the map</p>}><World label={definition.title ?? "Map"} countries={shown.rows.map(({ name, values, href }) => ({ country: name, total: values[0] ?? 0, href }))} />{!shown.rows.some(({ name }) => name !== "N/A") && <p className="quiet">No place is known.</p>}</Suspense>;
      }
      if (definition.type === "query_table") {
        return shown.rows.length ? (
          <table className="plain">
            <thead><tr><th scope="col">Group</th>{shown.columns.map((column) => <th key={column} scope="col" className="number"><Line>{column}</Line></th>)}</tr></thead>
            <tbody>{shown.rows.map(({ name, values, href }) => <tr key={name}><td><Link href={href}><Line>{name || "all"}</Line></Link></td>{values.map((value, i) => <td key={i} className="number">{text(value)}</td>)}</tr>)}</tbody>
          </table>
        ) : <p className="quiet">Nothing in this time.</p>;
      }
      if (definition.type === "sunburst") return <Pie rows={shown.rows} />;
      return <BarList empty="Nothing in this time." rows={shown.rows.map(({ name, values, href }) => ({ key: name, name, value: values[0] ?? 0, text: text(values[0] ?? null), href }))} />;
  }
}

const SIZE = 100;

function Pie({ rows }: { readonly rows: Extract<Shown, { readonly kind: "rows" }>["rows"] }) {
  const total = rows.reduce((sum, { values }) => sum + (values[0] ?? 0), 0);
  if (!total) return <p className="quiet">Nothing in this time.</p>;
  let turned = 0;
  return (
    <div className="pie">
      <svg viewBox={`${-SIZE} ${-SIZE} ${SIZE * 2} ${SIZE * 2}`} aria-hidden="true">
        {rows.map(({ name, values }, i) => {
          const share = (values[0] ?? 0) / total;
          const [a, b] = [turned * 2 * Math.PI, (turned += share) * 2 * Math.PI];
          if (share > 0.9999) return <circle key={name} r={SIZE * 0.8} className={`series-${(i % 8) + 1}`} fill="none" stroke="currentColor" strokeWidth={SIZE * 0.4} />;
          const point = (angle: number, radius: number): string => `${(Math.sin(angle) * radius).toFixed(2)} ${(-Math.cos(angle) * radius).toFixed(2)}`;
          return <path key={name} className={`series-${(i % 8) + 1}`} fill="currentColor" d={`M${point(a, SIZE)}A${SIZE} ${SIZE} 0 ${share > 0.5 ? 1 : 0} 1 ${point(b, SIZE)}L${point(b, SIZE * 0.6)}A${SIZE * 0.6} ${SIZE * 0.6} 0 ${share > 0.5 ? 1 : 0} 0 ${point(a, SIZE * 0.6)}Z`} />;
        })}
      </svg>
      <ul>{rows.map(({ name, values, href }, i) => <li key={name}><span className={`legend-mark series-${(i % 8) + 1}`} aria-hidden="true" /><Link href={href}><Line>{name}</Line> <span className="quiet">{countText(values[0])}</span></Link></li>)}</ul>
    </div>
  );
}
