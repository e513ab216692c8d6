import { useEffect, useState } from "react";
import { get } from "../lib/api.ts";
import { useLoad } from "../lib/load.ts";
import { Link } from "../lib/router.tsx";
import { countText, shortCount } from "../lib/text.ts";
import { Lines } from "../overview/lines.tsx";
import type { OverviewData } from "../../host/insight/overview-model.ts";
import { JsonView } from "../ui/json-view.tsx";
import { Line } from "../ui/text.tsx";
import { type Metrics, readMetrics } from "./metrics.ts";
import "../styles/overview.css";
import "../styles/settings.css";

const POLL_MS = 2000;
/** Counters of what was not judged or not taken: each is told, zero or not. */
const losses: ReadonlyArray<readonly [name: string, title: string]> = [
  ["vespid_late_dropped_total", "Too late for their windows"], ["vespid_without_time_total", "Without a time"], ["vespid_clamped_total", "Times too far ahead, taken as now"], ["vespid_duplicates_total", "Sent twice"], ["vespid_quarantined_entries", "Set aside: detection failed on them"],
  ["vespid_journal_lost_entries_total", "Lost by damage of the disk"], ["vespid_groups_evicted_total", "Groups let go for want of memory"], ["vespid_suppressed_total", "Matches suppressed"], ["vespid_ids_forgotten_total", "Ids forgotten before they came again"],
];

interface Reading {
  readonly atMs: number;
  readonly metrics: Metrics;
}

/** How logs come in: by input and by source, what stands behind, and every loss that is counted. */
export default function IntakePage() {
  const [readings, setReadings] = useState<readonly Reading[]>([]);
  const ready = useLoad(`ready ${Math.floor((readings.at(-1)?.atMs ?? 0) / 10_000)}`, async (signal) => {
    const answer = await fetch("/readyz", { signal });
    return (await answer.json()) as Readonly<Record<string, unknown>>;
  });
  const volume = useLoad("volume", async (signal) => (await get<{ readonly modules: ReadonlyArray<{ readonly data: OverviewData["coverage.logs"] }> }>("/api/v2/security/overview?modules=coverage.logs&from=now-24h&to=now", signal)).modules[0]?.data);
  useEffect(() => {
    let isOn = true;
    const read = async (): Promise<void> => {
      if (document.visibilityState === "visible") {
        const text = await (await fetch("/metrics")).text();
        if (isOn) setReadings((before) => [...before.slice(-29), { atMs: Date.now(), metrics: readMetrics(text) }]);
      }
    };
    void read().catch(() => {});
    const timer = setInterval(() => void read().catch(() => {}), POLL_MS);
    return () => ((isOn = false), clearInterval(timer));
  }, []);
  const [first, last] = [readings[0], readings.at(-1)];
  const rate = (name: string, labels = ""): number | undefined => {
    if (!first || !last || first === last) return undefined;
    return (((last.metrics.get(name, labels) ?? 0) - (first.metrics.get(name, labels) ?? 0)) * 1000) / (last.atMs - first.atMs);
  };
  const inputs = last?.metrics.labelled("vespid_intake_events_total") ?? [];
  const refusals = last ? last.metrics.names.filter((name) => /refused|rejected|malformed|unreadable|dropped/.test(name) && !losses.some(([known]) => known === name)) : [];
  const status = String(ready.data?.status ?? "…");
  return (
    <div className="page">
      <header className="page-head"><h1>Intake</h1><span className={status === "ready" ? "good" : "warn"} role="status">{status}{ready.data?.reason ? `: ${String(ready.data.reason)}` : ""}</span></header>
      <div className="tiles">
        {([["vespid_events_total", "Events judged"], ["vespid_signals", "Signals kept"], ["vespid_judged_behind_entries", "Batches behind"], ["vespid_journal_bytes", "Journal, bytes"], ["vespid_state_bytes", "State, bytes"], ["process_resident_memory_bytes", "Memory, bytes"]] as const).map(([name, title]) => (
          <div key={name} className="tile"><span className="tile-name">{title}</span><span className="tile-value">{last ? shortCount(last.metrics.get(name) ?? 0) : "…"}</span>{name === "vespid_events_total" && <span className="tile-note">{rate(name) === undefined ? "" : `${shortCount(rate(name)!)} a second`}</span>}</div>
        ))}
      </div>
      <section className="card" aria-label="Inputs">
        <h2>Inputs</h2>
        <table className="plain"><thead><tr><th scope="col">Input</th><th scope="col" className="number">Events</th><th scope="col" className="number">A second</th></tr></thead><tbody>{inputs.map(({ labels, value }) => <tr key={labels}><td><Line>{labels.replace(/^input="|"$/g, "")}</Line></td><td className="number">{countText(value)}</td><td className="number">{rate("vespid_intake_events_total", labels) === undefined ? "" : shortCount(rate("vespid_intake_events_total", labels)!)}</td></tr>)}{!inputs.length && <tr><td colSpan={3} className="quiet">Nothing came in since the server started.</td></tr>}</tbody></table>
      </section>
      {volume.data && <section className="card" aria-label="Sources"><h2>Sources, 24 hours</h2><Lines label="Logs by source" series={volume.data.sources.map(({ source, total, points, href, change }, i) => ({ name: source, className: `series-${(i % 8) + 1}`, points, total, href, ...(change ? { note: change.kind } : {}) }))} /></section>}
      <section className="card" aria-label="Losses">
        <h2>What was not judged, or not taken</h2>
        <table className="plain"><thead><tr><th scope="col">Reason</th><th scope="col" className="number">Count</th></tr></thead><tbody>
          {losses.map(([name, title]) => <tr key={name}><td>{title}</td><td className={`number ${last?.metrics.get(name) ? "warn" : ""}`}>{last ? countText(last.metrics.get(name) ?? 0) : ""}</td></tr>)}
          {refusals.flatMap((name) => (last?.metrics.labelled(name) ?? []).map(({ labels, value }) => <tr key={`${name}${labels}`}><td><code><Line>{`${name.replace(/^vespid_|_total$/g, "")} ${labels}`}</Line></code></td><td className={`number ${value ? "warn" : ""}`}>{countText(value)}</td></tr>))}
        </tbody></table>
        <p className="quiet">All counters are at <a href="/metrics" target="_blank" rel="noreferrer">/metrics</a>.</p>
      </section>
      <section className="card" aria-label="Health"><h2>Health</h2><JsonView value={ready.data ?? {}} /></section>
      <p><Link href="/security/packs">Content packs and their health</Link></p>
    </div>
  );
}
