import { useState } from "react";
import { call, get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { addressOf } from "../lib/router.tsx";
import { plural, visible } from "../lib/text.ts";
import { timeText } from "../lib/time.ts";
import { Empty, Fault, Loading } from "../ui/fault.tsx";
import { Line } from "../ui/text.tsx";
import { tell, tellFault } from "../ui/toast.tsx";
import { type Rule, RULES } from "./model.ts";

interface HistoryAnswer {
  readonly data: { readonly attributes: { readonly count: number; readonly data: Readonly<Record<string, { readonly rule: Rule & { readonly updater?: { readonly handle: string } }; readonly changes: ReadonlyArray<{ readonly field: string; readonly change: string; readonly type: string }> }>> } };
}

interface Line2 {
  readonly line: number;
  readonly text: string;
  readonly class: string;
}

interface DiffAnswer {
  readonly data: { readonly attributes: { readonly rows?: ReadonlyArray<{ readonly left: Line2 | null; readonly right: Line2 | null }>; readonly lines?: ReadonlyArray<{ readonly class: string; readonly text: string; readonly from?: number; readonly to?: number }>; readonly changes: ReadonlyArray<{ readonly path: string }> } };
}

/** Who changed what, any two versions held against each other, and back to one of them. */
export function Versions({ rule, onRestored }: { readonly rule: Rule; readonly onRestored?: () => void }) {
  const path = `${RULES}/${encodeURIComponent(rule.id)}`;
  const history = useLoad(`versions ${rule.version}`, (signal) => get<HistoryAnswer>(addressOf(`${path}/version_history`, { "page[size]": 100 }), signal));
  const versions = Object.entries(history.data?.data.attributes.data ?? {}).map(([number, version]) => ({ number: Number(number), ...version })).toSorted((a, b) => b.number - a.number);
  const [pair, setPair] = useState<readonly [number, number]>();
  const [mode, setMode] = useState<"split" | "unified">("split");
  const [from, to] = pair ?? [versions[1]?.number ?? 0, versions[0]?.number ?? 0];
  if (history.fault) return <Fault fault={history.fault} onRetry={history.reload} />;
  if (!history.data) return <Loading />;
  return (
    <>
      <table className="plain">
        <thead><tr><th scope="col">Version</th><th scope="col">When</th><th scope="col">Who</th><th scope="col">What changed</th><th scope="col">Compare</th><th scope="col">{onRestored ? "Restore" : ""}</th></tr></thead>
        <tbody>
          {versions.map(({ number, rule: was, changes }) => (
            <tr key={number}>
              <td>{number}{number === rule.version ? " (now)" : ""}</td>
              <td>{timeText(was.updatedAt ?? was.createdAt, "row")}</td>
              <td><Line>{was.updater?.handle ?? was.creator.handle}</Line></td>
              <td><Line>{changes.map(({ field }) => field).slice(0, 8).join(", ") || (number === 1 ? "made" : "")}</Line></td>
              <td><label><input type="radio" name="from" aria-label={`from version ${number}`} checked={from === number} onChange={() => setPair([number, to])} /> from</label> <label><input type="radio" name="to" aria-label={`to version ${number}`} checked={to === number} onChange={() => setPair([from, number])} /> to</label></td>
              <td>{onRestored && number !== rule.version && <button type="button" onClick={() => void call("POST", `${path}/restore/${number}`).then(() => (tell(`Version ${number} is the newest again`), onRestored()), tellFault)}>Restore</button>}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="page-head diff-head">
        <h3>{from && to ? `Version ${from} against ${to}` : "One version so far"}</h3>
        <div className="switch" role="group" aria-label="Form of the comparison">
          <button type="button" aria-pressed={mode === "split"} onClick={() => setMode("split")}>Side by side</button>
          <button type="button" aria-pressed={mode === "unified"} onClick={() => setMode("unified")}>Unified</button>
        </div>
      </div>
      {from > 0 && to > 0 && <Diff path={path} from={from} to={to} mode={mode} />}
    </>
  );
}

function Diff({ path, from, to, mode }: { readonly path: string; readonly from: number; readonly to: number; readonly mode: "split" | "unified" }) {
  const { data, fault } = useLoad(`diff ${path} ${from} ${to} ${mode}`, (signal) => get<DiffAnswer>(addressOf(`${path}/versions/diff`, { from, to, mode }), signal));
  if (fault) return <Fault fault={fault} />;
  if (!data) return <Loading />;
  const { rows, lines, changes } = data.data.attributes;
  if (!changes.length) return <Empty>They are the same.</Empty>;
  return (
    <>
      <p className="quiet">{plural(changes.length, "change")}: <Line>{changes.map(({ path: each }) => each).slice(0, 12).join(", ")}</Line></p>
      <div className="diff" role="region" aria-label="Comparison" tabIndex={0}>
        {rows ? (
          <table><tbody>{rows.map(({ left, right }, i) => <tr key={i}><Side line={left} /><Side line={right} /></tr>)}</tbody></table>
        ) : (
          <table><tbody>{(lines ?? []).map((line, i) => <tr key={i} className={`diff-${line.class}`}><td className="diff-number">{line.from ?? ""}</td><td className="diff-number">{line.to ?? ""}</td><td className="diff-text">{line.class === "added" ? "+" : line.class === "removed" ? "−" : " "} {visible(line.text)}</td></tr>)}</tbody></table>
        )}
      </div>
    </>
  );
}

function Side({ line }: { readonly line: Line2 | null }) {
  return <><td className="diff-number">{line?.line ?? ""}</td><td className={`diff-text ${line ? `diff-${line.class}` : "diff-none"}`}>{line ? visible(line.text) : ""}</td></>;
}
