import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { Link } from "../lib/router.tsx";
import { countText, plural } from "../lib/text.ts";
import { type AttackMap, type MapTechnique, type Mode, heatOf } from "./model.ts";

/** Tactics side by side, in the order of an attack, each with its techniques; one stop for Tab, within it the arrow keys. */
export function Matrix({ map, mode, open, onOpen }: { readonly map: AttackMap; readonly mode: Mode; readonly open: string | undefined; readonly onOpen: (tactic: string, technique: string) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const [stop, setStop] = useState<string>();
  const columns = map.tactics.map(({ id, techniques }) => techniques.map((technique) => `${id} ${technique.id}`));
  const all = columns.flat();
  const tabStop = [stop, open].find((each) => each !== undefined && all.includes(each)) ?? all[0];
  const most = Math.max(1, ...map.tactics.flatMap(({ techniques }) => techniques.map(({ signals = 0 }) => signals)));
  // The technique in full takes room: its place stays in sight.
  useEffect(() => {
    if (open) box.current?.querySelector(`[data-tile="${CSS.escape(open)}"]`)?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [open]);
  const move = (event: KeyboardEvent): void => {
    const from = (event.target as HTMLElement).dataset.tile;
    const x = columns.findIndex((column) => from !== undefined && column.includes(from));
    if (x < 0) return;
    const y = columns[x]!.indexOf(from!);
    const beside = (step: number): string | undefined => {
      for (let i = x + step; i >= 0 && i < columns.length; i += step) if (columns[i]!.length) return columns[i]![Math.min(y, columns[i]!.length - 1)];
      return undefined;
    };
    const to = { ArrowDown: columns[x]![y + 1], ArrowUp: columns[x]![y - 1], ArrowRight: beside(1), ArrowLeft: beside(-1), Home: columns[x]![0], End: columns[x]!.at(-1) }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setStop(to);
    box.current?.querySelector<HTMLElement>(`[data-tile="${to}"]`)?.focus();
  };
  return (
    <div className="mitre-matrix" ref={box} role="group" aria-label="Tactics and techniques" onKeyDown={move}>
      {map.tactics.map((tactic) => {
        const watched = tactic.density.high + tactic.density.medium + tactic.density.low;
        return (
          <section key={tactic.id} className="mitre-tactic" aria-label={tactic.name}>
            <h2 title={tactic.id}><Link href={tactic.href}>{tactic.name}</Link></h2>
            <p className="quiet"><span>{mode === "signals" ? plural(tactic.signals ?? 0, "signal") : plural(tactic.rules, "rule")}</span> <span className="mitre-share">{watched} of {watched + tactic.density.none}</span></p>
            <ul>
              {tactic.techniques.map((technique) => {
                const key = `${tactic.id} ${technique.id}`;
                return (
                  <li key={technique.id}>
                    <button
                      type="button" data-tile={key} tabIndex={key === tabStop ? 0 : -1} aria-expanded={key === open} onFocus={() => setStop(key)} onClick={() => onOpen(tactic.id, technique.id)}
                      className={`mitre-tile ${mode === "signals" ? `heat-${heatOf(technique.signals ?? 0, most)}` : `density-${technique.density}`}`}
                    >
                      <span className="mitre-id">{technique.id}</span> <span className="mitre-number"><Number technique={technique} mode={mode} /></span>
                      <span className="mitre-name">{technique.name}</span>
                    </button>
                  </li>
                );
              })}
            </ul>
          </section>
        );
      })}
    </div>
  );
}

function Number({ technique: { rules, rules_in_all: inAll, signals = 0 }, mode }: { readonly technique: MapTechnique; readonly mode: Mode }) {
  if (mode === "signals") return signals ? <>{countText(signals)}<span className="visually-hidden"> {signals === 1 ? "signal" : "signals"}</span></> : null;
  if (!rules.length) return null;
  return (
    <span title={inAll > rules.length ? `${plural(inAll, "rule")} watch it, ${countText(rules.length)} of them under this tactic` : plural(rules.length, "rule")}>
      {countText(rules.length)}{inAll > rules.length && <span className="mitre-all">/{countText(inAll)}</span>}<span className="visually-hidden"> {inAll === 1 ? "rule" : "rules"}</span>
    </span>
  );
}
