import type { Metric } from "../intake/metrics.ts";
import type { Journal } from "../journal/journal.ts";
import type { SignalStore } from "../store/signals.ts";
import type { LiveDetection } from "./detection.ts";
import type { FoundRules } from "./server.ts";

const plain: Readonly<Record<string, string>> = {};

/** What journal, detection and rules count, for `/metrics`. */
export function serveMetrics(detection: LiveDetection, journal: Journal, signals: SignalStore, rules: FoundRules): Metric[] {
  const { stats } = detection;
  const { health } = journal;
  const one = (name: string, type: Metric["type"], help: string, value: number): Metric => ({ name: `vespid_${name}`, type, help, samples: [[plain, value]] });
  return [
    one("events_total", "counter", "Events judged.", stats.events),
    one("matches_total", "counter", "Matches of queries.", stats.matches),
    one("late_dropped_total", "counter", "Matches too late to be judged.", stats.lateDropped),
    one("clamped_total", "counter", "Events ahead of their arrival, judged at it.", stats.clamped),
    one("without_time_total", "counter", "Events without a readable time.", stats.withoutTime),
    { name: "vespid_malformed_total", type: "counter", help: "Records that could not be read.", samples: Object.entries(stats.malformed).map(([reason, count]) => [{ reason }, count]) },
    one("suppressed_total", "counter", "Matches eaten by suppressions.", stats.suppressed),
    one("signals", "gauge", "Signals in the store.", signals.count),
    one("groups", "gauge", "Groups that rules hold.", stats.groups),
    one("groups_evicted_total", "counter", "Groups given up for want of room.", stats.evicted),
    one("state_bytes", "gauge", "Bytes of what rules remember.", stats.stateBytes),
    one("held_bytes", "gauge", "Bytes between the door and detection.", detection.heldBytes),
    one("journal_bytes", "gauge", "Bytes of the journal.", health.totalBytes),
    one("journal_written_bytes_total", "counter", "Bytes written to the journal.", health.writtenBytes),
    one("journal_syncs_total", "counter", "Syncs of the journal.", health.syncs),
    { name: "vespid_journal_refused_total", type: "counter", help: "Batches the journal did not take.", samples: Object.entries(health.refused).map(([reason, count]) => [{ reason }, count]) },
    { name: "vespid_journal_state", type: "gauge", help: "1 at the state the journal is in.", samples: (["ok", "full", "broken", "closed"] as const).map((state) => [{ state }, health.state === state ? 1 : 0]) },
    one("rules_unproved", "gauge", "Enabled rules without a test of a log that they match.", rules.unproved.length),
    one("rules_refused", "gauge", "1 while the rules on disk have an error and those before them judge.", rules.setup ? 0 : 1),
  ];
}
