import { readField } from "../query/field.ts";
import { printQuery } from "../query/print.ts";
import type { SignalDocument } from "../signal/document.ts";

/** Where the logs of a signal are found again. */
export interface RelatedQuery {
  /** ISO 8601. */
  readonly from: string;
  readonly to: string;
  readonly track: "logs" | "audit" | "events";
  /** All queries at once, of the signal's group. */
  readonly query: string;
  /** One by one, by name. */
  readonly queries: Readonly<Record<string, string>>;
}

/** From a window before the first match to the last; undefined where the signal is of other signals, or nothing is known of its rule. */
export function relatedQuery({ details, group, first_seen, last_seen }: SignalDocument): RelatedQuery | undefined {
  const source = details?.rule.data_source;
  if (!details || source === "security_signals" || details.rule.type === "signal_correlation" || !details.queries.length) return undefined;
  const grouped = Object.entries(group).map(([name, value]) => printQuery({ kind: "leaf", field: readField(name), test: { kind: "phrase", text: value }, span: { start: 0, end: 0 } }));
  const narrowed = (text: string): string => [text.trim() === "" || text.trim() === "*" ? "" : grouped.length ? `(${text})` : text, ...grouped].filter((part) => part !== "").join(" ") || "*";
  const texts = [...new Set(details.queries.map(({ query }) => query.trim()))];
  const isAll = texts.some((text) => text === "" || text === "*");
  return {
    from: isoTime(Math.min(first_seen - details.rule.window_ms, details.first_event_at)), to: isoTime(last_seen),
    track: source === "audit" || source === "events" ? source : "logs",
    query: narrowed(isAll ? "*" : texts.length === 1 ? texts[0]! : texts.map((text) => `(${text})`).join(" OR ")),
    queries: Object.fromEntries(details.queries.map(({ name, query }, i) => [name || String(i), narrowed(query)])),
  };
}

/** The log explorer with that query, as a relative address. */
export function logsUrl({ query, from, to }: RelatedQuery): string {
  // Half a character of a hostile text cannot be encoded.
  return `/logs?query=${encodeURIComponent(query.toWellFormed())}&from_ts=${Date.parse(from)}&to_ts=${Date.parse(to)}&live=false`;
}

/** With milliseconds; what is beyond all calendars stands at their end. */
export function isoTime(ms: number): string {
  return new Date(Math.min(Math.max(Number.isFinite(ms) ? ms : 0, -LAST_MS), LAST_MS)).toISOString();
}

/** The furthest time a date can hold. */
const LAST_MS = 8.64e15;
