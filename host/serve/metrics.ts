import { askingForPlaces } from "../engine/pipelines/places.ts";
import type { GeoipDatabases } from "../enrich/geoip-databases.ts";
import type { Metric } from "../intake/metrics.ts";
import type { Journal } from "../journal/journal.ts";
import type { Rule } from "../rule/rule.ts";
import { standingQueries } from "../rule/standing.ts";
import type { SignalStore } from "../store/signals.ts";
import type { LiveDetection } from "./detection.ts";
import type { LocalInputs } from "./inputs.ts";
import { entriesBetween } from "./lag.ts";
import type { RulesNow } from "./rules-now.ts";
import type { Tee } from "./tee.ts";

/** What is counted beside detection. */
export interface MoreCounts {
  readonly lostEntries: number;
  readonly inputs: LocalInputs;
  readonly tee: Tee | undefined;
  readonly geoip: GeoipDatabases;
  readonly hostsReporting: number;
}

const asked = new WeakMap<object, number>();

/** Rules that ask for places which nothing is looked up for. */
export function unanswered({ found: { setup } }: RulesNow): number {
  let count = asked.get(setup);
  if (count === undefined) {
    const isUp = setup.pipelines?.at(-1)?.enrichment?.geoip !== undefined;
    count = isUp ? 0 : new Set(askingForPlaces(setup.pipelines ?? [], standingQueries(setup.rules as readonly Rule[])).map(({ ruleIndex }) => ruleIndex)).size;
    asked.set(setup, count);
  }
  return count;
}

const plain: Readonly<Record<string, string>> = {};

/** What journal, detection and rules count, for `/metrics`. */
export function serveMetrics(detection: LiveDetection, journal: Journal, signals: SignalStore, rules: RulesNow, { lostEntries, inputs, tee, geoip, hostsReporting }: MoreCounts): Metric[] {
  const { stats } = detection;
  const files = inputs.tail?.files() ?? [];
  const { health } = journal;
  const one = (name: string, type: Metric["type"], help: string, value: number): Metric => ({ name: `vespid_${name}`, type, help, samples: [[plain, value]] });
  const used = process.cpuUsage();
  return [
    // Names that Prometheus' own dashboards ask for; all threads together.
    { name: "process_cpu_seconds_total", type: "counter", help: "Processor time of all threads.", samples: [[plain, (used.user + used.system) / 1e6]] },
    { name: "process_resident_memory_bytes", type: "gauge", help: "Memory in use.", samples: [[plain, process.memoryUsage.rss()]] },
    { name: "process_start_time_seconds", type: "gauge", help: "When it started, since the epoch.", samples: [[plain, Math.round(Date.now() / 1000 - process.uptime())]] },
    one("event_loop_utilization", "gauge", "Share of its time that the main thread is busy, since it started.", performance.eventLoopUtilization().utilization),
    one("judged_behind_entries", "gauge", "Batches on disk that detection has not judged yet.", entriesBetween(journal.segments, detection.given, journal.end)),
    one("hosts_reporting", "gauge", "Hosts whose Agents told of themselves in the last 75 minutes.", hostsReporting),
    one("events_total", "counter", "Events judged.", stats.events),
    one("matches_total", "counter", "Matches of queries.", stats.matches),
    one("late_dropped_total", "counter", "Matches too late to be judged.", stats.lateDropped),
    one("clamped_total", "counter", "Events ahead of their arrival, judged at it.", stats.clamped),
    one("without_time_total", "counter", "Events without a readable time.", stats.withoutTime),
    { name: "vespid_malformed_total", type: "counter", help: "Records that could not be read.", samples: Object.entries(stats.malformed).map(([reason, count]) => [{ reason }, count]) },
    one("duplicates_total", "counter", "Events left out because another of their id came before; with deduplicate.", stats.duplicates),
    one("ids_forgotten_total", "counter", "Ids of events given up for want of room: a repeat of one would count.", stats.idsForgotten),
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
    one("journal_lost_entries_total", "counter", "Batches beyond the last checkpoint that could not be read at start.", lostEntries),
    one("quarantined_entries", "gauge", "Batches set aside because detection failed on them.", detection.quarantine.count),
    one("journal_over_limit_bytes", "gauge", "Bytes beyond the journal's limit that somebody still needs.", health.overLimitBytes),
    one("checkpoint_behind_entries", "gauge", "Batches that a restart would judge again.", entriesBetween(journal.segments, detection.checkpointed, journal.end)),
    one("rules", "gauge", "Rules that judge or would, idle ones among them.", rules.found.setup.rules.length),
    one("rules_unproved", "gauge", "Enabled rules without a test of a log that they match.", rules.found.unproved.length),
    one("rules_refused", "gauge", "1 while the rules on disk have an error and those before them judge.", rules.refused === undefined ? 0 : 1),
    { name: "vespid_rule_reloads_total", type: "counter", help: "Changes of the rules on disk.", samples: Object.entries(rules.reloads).map(([outcome, count]) => [{ outcome }, count]) },
    one("line_pauses_total", "counter", "Times a connection of lines was paused for want of room.", inputs.pauses),
    ...(inputs.tail ? [
      one("tail_files", "gauge", "Files that are followed.", files.length),
      one("tail_behind_bytes", "gauge", "Bytes of followed files that are not taken yet.", files.reduce((sum, file) => sum + file.behindBytes, 0)),
      one("tail_unreadable_files", "gauge", "Followed files that cannot be read.", files.filter((file) => file.problem !== undefined).length),
    ] : []),
    one("geoip_databases", "gauge", "GeoIP databases in use.", geoip.states.filter(({ inUse }) => inUse).length),
    one("geoip_refused_databases", "gauge", "GeoIP databases whose file as it is now cannot be used.", geoip.states.filter(({ problem }) => problem !== undefined).length),
    { name: "vespid_geoip_built_seconds", type: "gauge", help: "When a GeoIP database in use was made, in seconds since 1970.", samples: geoip.states.flatMap(({ inUse }) => (inUse ? [[{ name: inUse.name }, inUse.builtMs / 1000] as const] : [])) },
    one("geoip_unanswered_rules", "gauge", "Rules that ask where an address is while no GeoIP database is in use.", unanswered(rules)),
    ...(tee ? [
      one("tee_behind_entries", "gauge", "Batches that the other intake has not taken yet.", tee.behindEntries),
      one("tee_down", "gauge", "1 while the other intake takes nothing.", tee.problem === undefined ? 0 : 1),
      one("tee_events_total", "counter", "Events that the other intake took.", tee.counts.events),
      one("tee_bytes_total", "counter", "Bytes sent to the other intake.", tee.counts.bytes),
      one("tee_retries_total", "counter", "Requests to the other intake that have to be sent again.", tee.counts.retries),
      one("tee_refused_total", "counter", "Events that the other intake refused for good.", tee.counts.refused),
    ] : []),
  ];
}
