import { Int32, Table, TimestampMillisecond, Utf8, type Vector, tableToIPC, vectorFromArray } from "apache-arrow";
import type { Signal } from "../signal/signal.ts";

const texts: ReadonlyArray<readonly [string, (signal: Signal) => string]> = [
  ["id", (signal) => signal.id],
  ["rule_id", (signal) => signal.ruleId],
  ["rule_name", (signal) => signal.ruleName],
  ["case", (signal) => signal.caseName],
  ["severity", (signal) => signal.severity],
  ["title", (signal) => signal.title],
  ["message", (signal) => signal.message],
  ["group", (signal) => JSON.stringify(signal.group)],
  ["tags", (signal) => JSON.stringify(signal.tags)],
  ["samples", (signal) => JSON.stringify(signal.samples)],
];

/** Signals as an Arrow IPC file: flat columns, times as timestamps, lists as JSON text. */
export function signalsToArrow(signals: readonly Signal[]): Uint8Array {
  const columns: Record<string, Vector> = {};
  for (const [name, read] of texts) columns[name] = vectorFromArray(signals.map(read), new Utf8());
  columns.first_seen = vectorFromArray(signals.map((signal) => signal.firstSeenMs), new TimestampMillisecond());
  columns.last_seen = vectorFromArray(signals.map((signal) => signal.lastSeenMs), new TimestampMillisecond());
  columns.events_matched = vectorFromArray(signals.map((signal) => signal.eventsMatched), new Int32());
  return tableToIPC(new Table(columns), "file");
}
