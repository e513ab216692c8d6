import type { MatchColumns } from "./batch/matches.ts";
import type { InputProfile } from "./engine/task.ts";
import type { LogEvent } from "./event/event.ts";
import type { EventReader } from "./event/made.ts";
import type { Scalar } from "./query/values.ts";
import { valuesOf } from "./query/values.ts";
import type { RuleQuery } from "./rule/rule.ts";
import type { StandingQuery } from "./rule/standing.ts";

/** One match of one query, as it came. */
export interface LedgerEntry {
  readonly queryIndex: number;
  readonly timeMs: number;
  /** Number of the event in the stream. */
  readonly event: number;
  readonly bytes: Uint8Array;
  readonly profile: InputProfile;
}

/** Matches kept of one group; the oldest give way. */
const ENTRY_CAP = 100_000;

/** Every match of the groups that are asked about, as long as it may still matter: slow, and nothing is summed up. */
export class Ledger {
  readonly #standing: readonly StandingQuery[];
  readonly #keys: ReadonlySet<string>;
  readonly #horizonMs: number;
  readonly #entries = new Map<string, LedgerEntry[]>();
  readonly #isShared: (query: StandingQuery) => boolean;
  dropped = 0;

  /** @param keys of the groups, as the kernel writes them. @param horizonMs how long a match matters. */
  constructor(standing: readonly StandingQuery[], keys: Iterable<string>, horizonMs: number) {
    this.#standing = standing;
    this.#keys = new Set(keys);
    this.#horizonMs = horizonMs;
    const isGrouped = standing.some((query) => query.groupBy.length > 0);
    this.#isShared = (query) => isGrouped && !query.groupBy.length;
  }

  add(matches: MatchColumns, firstEvent: number, profile: InputProfile): void {
    const view = Buffer.from(matches.bytes.buffer, matches.bytes.byteOffset, matches.bytes.byteLength);
    for (let i = 0; i < matches.count; i++) {
      const standing = this.#standing[matches.standing[i]!]!;
      const keyStart = matches.keyStart[i]!;
      const key = this.#isShared(standing) ? SHARED : view.toString("latin1", keyStart, keyStart + matches.keyLength[i]!);
      if (key !== SHARED && !this.#keys.has(key)) continue;
      const list = this.#entries.get(key) ?? this.#entries.set(key, []).get(key)!;
      const event = firstEvent + matches.row[i]!;
      // Each of several distinct values is a match of its own; here the event has them all.
      const last = list.at(-1);
      if (last?.event === event && last.queryIndex === standing.queryIndex) continue;
      const start = matches.eventStart[i]!;
      list.push({ queryIndex: standing.queryIndex, timeMs: matches.timeMs[i]!, event, profile, bytes: matches.bytes.slice(start, start + matches.eventLength[i]!) });
      if (list.length >= ENTRY_CAP * 2) this.#prune(key, list);
    }
  }

  /** A query's matches of a group in `(afterMs, untilMs]`, by time. */
  between(key: string, queryIndex: number, afterMs: number, untilMs: number): LedgerEntry[] {
    const own = (list: readonly LedgerEntry[] = []) => list.filter((entry) => entry.queryIndex === queryIndex && entry.timeMs > afterMs && entry.timeMs <= untilMs);
    return [...own(this.#entries.get(key)), ...own(this.#entries.get(SHARED))].sort((a, b) => a.timeMs - b.timeMs || a.event - b.event);
  }

  #prune(key: string, list: LedgerEntry[]): void {
    const highMs = list.reduce((most, { timeMs }) => Math.max(most, timeMs), Number.NEGATIVE_INFINITY);
    const kept = list.filter(({ timeMs }) => timeMs > highMs - this.#horizonMs);
    this.dropped += Math.max(0, kept.length - ENTRY_CAP);
    this.#entries.set(key, kept.slice(-ENTRY_CAP));
  }
}

const SHARED = "\u{10ffff}";

/** What a query counts over some of its matches: section 4.7, over objects. */
export function aggregate(query: RuleQuery, entries: readonly LedgerEntry[], reader: EventReader): number {
  const events = (): LogEvent[] => entries.map((entry) => reader.event(entry.bytes, entry.profile));
  switch (query.aggregation) {
    case "cardinality":
      return new Set(events().flatMap((event) => distinctTuples(query, event))).size;
    case "sum":
      return events().reduce((sum, event) => sum + (metricOf(query, event) ?? 0), 0);
    case "max":
      return events().reduce((most: number | undefined, event) => {
        const metric = metricOf(query, event);
        return metric === undefined || (most !== undefined && most >= metric) ? most : metric;
      }, undefined) ?? 0;
    default:
      return entries.length;
  }
}

/** A list counts singly where it is the only field. */
function distinctTuples(query: RuleQuery, event: LogEvent): string[] {
  const values = query.distinct.map((field) => valuesOf(field, event));
  if (values.some((each) => !each.length)) return [];
  return values.length === 1 ? values[0]!.map(String) : [JSON.stringify(values.map((each) => String(each[0])))];
}

function metricOf(query: RuleQuery, event: LogEvent): number | undefined {
  const [value]: Scalar[] = query.metrics[0] ? valuesOf(query.metrics[0], event) : [];
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}
