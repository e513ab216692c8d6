import type { FlowData } from "../../host/insight/overview-model.ts";
import { go } from "../lib/router.tsx";
import { countText, visible } from "../lib/text.ts";
import { stateNames } from "../ui/pill.tsx";
import { archiveReasons } from "../signals/model.ts";

const [WIDTH, HEIGHT, BAR, GAP] = [720, 260, 12, 8];
const KINDS = ["severity", "source", "resolution"] as const;

/** From severity over source to what became of it; the width of a way is how many signals went it. */
export function Flow({ data: { total, nodes, links } }: { readonly data: FlowData }) {
  if (!total) return <p className="quiet">No signals in this time.</p>;
  const places = new Map<string, { readonly x: number; readonly y: number; readonly height: number; from: number; to: number }>();
  KINDS.forEach((kind, column) => {
    const own = nodes.filter((node) => node.kind === kind);
    const scale = (HEIGHT - GAP * (own.length - 1)) / Math.max(total, 1);
    let y = 0;
    for (const { id, value } of own) {
      const height = Math.max(1.5, value * scale);
      places.set(id, { x: column * ((WIDTH - BAR - 150) / 2) + 10, y, height, from: 0, to: 0 });
      y += height + GAP;
    }
  });
  const open = (href: string) => ({ tabIndex: 0, role: "link", onClick: () => go(href), onKeyDown: (event: React.KeyboardEvent) => event.key === "Enter" && go(href) });
  return (
    <svg className="flow" viewBox={`0 0 ${WIDTH} ${HEIGHT + 4}`} role="group" aria-label="Signals from severity over source to resolution">
      {links.map(({ from, to, value, href }) => {
        const [a, b] = [places.get(from)!, places.get(to)!];
        const [left, right] = [nodes.find(({ id }) => id === from)!, nodes.find(({ id }) => id === to)!];
        const [aHeight, bHeight] = [(value / left.value) * a.height, (value / right.value) * b.height];
        const [aY, bY] = [a.y + a.from, b.y + b.to];
        a.from += aHeight;
        b.to += bHeight;
        const [x1, x2, middle] = [a.x + BAR, b.x, (a.x + BAR + b.x) / 2];
        const severity = left.kind === "severity" ? left.name : "";
        return <path key={`${from} ${to}`} className={`flow-link ${severity ? `severity-${severity}` : "quiet"}`} aria-label={`${left.name} to ${right.name}: ${value}`} {...open(href)} d={`M${x1} ${aY}C${middle} ${aY} ${middle} ${bY} ${x2} ${bY}V${bY + bHeight}C${middle} ${bY + bHeight} ${middle} ${aY + aHeight} ${x1} ${aY + aHeight}Z`} />;
      })}
      {nodes.map(({ id, kind, name, value, href }) => {
        const { x, y, height } = places.get(id)!;
        return (
          <g key={id} className={`flow-node ${kind === "severity" ? `severity-${name}` : "series-2"}`} aria-label={`${nameOf(kind, name)}: ${value}`} {...open(href)}>
            <rect x={x} y={y} width={BAR} height={height} fill="currentColor" />
            <text x={x + BAR + 6} y={y + Math.max(height / 2 + 4, 9)}>{visible(nameOf(kind, name)).slice(0, 26)} {countText(Math.round(value * 10) / 10)}</text>
          </g>
        );
      })}
    </svg>
  );
}

function nameOf(kind: FlowData["nodes"][number]["kind"], name: string): string {
  if (kind !== "resolution") return name;
  const [state, reason] = name.split(":");
  return reason ? (archiveReasons[reason] ?? reason) : (stateNames[state!] ?? name);
}
