import { decodeEvent } from "../../event/decode.ts";
import type { Json, LogEvent } from "../../event/event.ts";
import { appliedPipelines, type MadeFrom } from "../../event/made.ts";
import type { PackHealth } from "../../event/pipeline/packs.ts";
import type { Pipeline } from "../../event/pipeline/pipeline.ts";
import { runPipelines } from "../../event/pipeline/run.ts";
import { type JournalPosition, type StoredEntry, comparePositions, positionText, readPosition } from "../../journal/contract.ts";
import type { Journal } from "../../journal/journal.ts";
import type { SecurityFilter } from "../../rule/security-filter.ts";
import { matches } from "../../query/matches.ts";
import type { PackStore, SourceDay, SourceSlot } from "../../store/packs.ts";
import { DAY_MS } from "./status.ts";

type Days = Map<string, { -readonly [K in keyof SourceDay]: SourceDay[K] }>;
type Slots = Map<string, { -readonly [K in keyof SourceSlot]: SourceSlot[K] }>;

export interface LedgerSetup {
  readonly pipelines: readonly Pipeline[];
  /** Undefined: everything passes. */
  readonly filters: readonly SecurityFilter[] | undefined;
  /** By source. */
  readonly health: ReadonlyMap<string, PackHealth>;
}

const NEWLINE = 10;
/** Records of an entry that are looked at; they stand for all of it. */
const MOST_RECORDS = 32;
const MOST_RECORD_BYTES = 256 * 1024;
/** Left behind by so many times as much as one look takes, it goes on at the end. */
const MOST_BEHIND = 30;
const KEPT_DAYS = 31;
/** Logs are counted by slots of ten minutes, which become hours after two days. */
const SLOT_MS = 600_000;
const FINE_MS = 2 * DAY_MS;
const HOUR_MS = 3_600_000;
/** Whoever sends may name sources as they like. */
const MOST_SOURCES = 5000;
const MOST_SOURCE_CHARS = 200;

/**
 * What comes of each source: when its last log came, how many there are a day, and how many of them nobody understands. Told of the
 * journal, behind detection's back and for a short time each minute. Of each entry some records are looked at, evenly, and stand for the
 * rest; where far more comes than there is time for, some is passed over and counted as if it were like what was looked at.
 */
export class SourceLedger {
  readonly #store: PackStore;
  readonly #journal: Journal;
  readonly #decoder = new TextDecoder();
  #looking: Promise<void> = Promise.resolve();
  #tidiedMs = 0;

  constructor(store: PackStore, journal: Journal) {
    this.#store = store;
    this.#journal = journal;
  }

  /** Looks at what came since the last time. @param withinMs about so long */
  async look(setup: LedgerSetup, nowMs: number, withinMs: number): Promise<void> {
    // One after another: nothing is counted twice.
    this.#looking = this.#looking.catch(() => {}).then(() => this.#look(setup, nowMs, withinMs));
    await this.#looking;
  }

  async #look(setup: LedgerSetup, nowMs: number, withinMs: number): Promise<void> {
    const from = this.#from();
    const { end } = this.#journal;
    if (comparePositions(from, end) >= 0) return;
    const days: Days = new Map();
    const slots: Slots = new Map();
    const untilMs = performance.now() + withinMs;
    let looked = 0;
    let reached = end;
    for await (const entry of this.#journal.read(from, end)) {
      if (looked && performance.now() >= untilMs) {
        reached = entry.position;
        break;
      }
      looked++;
      this.#count(entry, setup, days, slots);
    }
    const all = entriesBetween(this.#journal, from, end);
    if (all > looked * MOST_BEHIND) {
      reached = end;
      // What was there before anybody counted is of other days.
      if (this.#store.position !== undefined) {
        for (const day of days.values()) for (const name of ["events", "unparsed", "filtered"] as const) day[name] *= all / looked;
        for (const slot of slots.values()) slot.events *= all / looked;
      }
    }
    const rounded = [...days.values()].map((day) => ({ ...day, events: Math.round(day.events), unparsed: Math.round(day.unparsed), filtered: Math.round(day.filtered) }));
    const isFull = this.#store.sourceCount() >= MOST_SOURCES;
    this.#store.addDays(isFull ? [] : rounded, isFull ? [] : [...slots.values()].map((slot) => ({ ...slot, events: Math.round(slot.events) })), positionText(reached));
    this.#store.dropDaysBefore(Math.floor(nowMs / DAY_MS) - KEPT_DAYS);
    this.#tidySlots(nowMs);
  }

  #tidySlots(nowMs: number): void {
    const hourMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
    if (hourMs === this.#tidiedMs) return;
    this.#tidiedMs = hourMs;
    this.#store.tidySlots(hourMs - FINE_MS, hourMs - KEPT_DAYS * DAY_MS);
  }

  #from(): JournalPosition {
    const { start } = this.#journal;
    const stored = this.#store.position;
    const known = stored === undefined ? undefined : readPosition(stored);
    return known && comparePositions(known, start) > 0 ? known : start;
  }

  #count({ bytes, profile, arrivalMs }: StoredEntry, setup: LedgerSetup, days: Days, slots: Slots): void {
    const lines = linesOf(bytes);
    const step = Math.max(1, lines.length / MOST_RECORDS);
    for (let at = 0; at < lines.length; at += step) {
      const [start, end] = lines[Math.floor(at)]!;
      const seen = end - start > MOST_RECORD_BYTES ? undefined : this.#seen(this.#decoder.decode(bytes.subarray(start, end)), profile, arrivalMs, setup);
      const source = seen?.source ?? profile.source;
      if (source === undefined || source === "" || source.length > MOST_SOURCE_CHARS) continue;
      const day = Math.floor(arrivalMs / DAY_MS);
      const key = `${day} ${source}`;
      let known = days.get(key);
      if (!known) days.set(key, (known = { source, day, events: 0, unparsed: 0, filtered: 0, lastSeenMs: arrivalMs }));
      known.events += step;
      const startMs = Math.floor(arrivalMs / SLOT_MS) * SLOT_MS;
      const slotKey = `${startMs} ${source}`;
      const slot = slots.get(slotKey);
      if (slot) slot.events += step;
      else slots.set(slotKey, { source, startMs, events: step });
      if (!seen?.isParsed) known.unparsed += step;
      if (seen && !seen.passes) known.filtered += step;
      known.lastSeenMs = Math.max(known.lastSeenMs, arrivalMs);
    }
  }

  #seen(text: string, profile: MadeFrom, arrivalMs: number, { pipelines, filters, health }: LedgerSetup): { readonly source: string | undefined; readonly isParsed: boolean; readonly passes: boolean } | undefined {
    const event = decodeEvent(text, profile);
    if (!event) return undefined;
    const made = runPipelines(event, appliedPipelines(pipelines, profile), arrivalMs);
    const { source } = made;
    return { source, isParsed: isParsed(event, made, source === undefined ? undefined : health.get(source)), passes: passesFilters(made, filters) };
  }
}

/** Did pipelines make what they should? Of a source without a pack nothing is expected. */
export function isParsed(before: LogEvent, after: LogEvent, health: PackHealth | undefined): boolean {
  if (!health) return true;
  if (!health.attributes.length) return after.attributes !== before.attributes;
  return health.attributes.some((path) => path.reduce<Json | undefined>((value, name) => (typeof value === "object" && value !== null && !Array.isArray(value) ? value[name] : undefined), after.attributes as Json) !== undefined);
}

/** As the engine has it: one enabled filter matches, and none of its exclusions does. */
export function passesFilters(event: LogEvent, filters: readonly SecurityFilter[] | undefined): boolean {
  return filters === undefined || filters.some(({ enabled, node, exclusions }) => enabled && matches(node, event) && !exclusions.some((exclusion) => matches(exclusion, event)));
}

function linesOf(bytes: Uint8Array): ReadonlyArray<readonly [number, number]> {
  const lines: Array<readonly [number, number]> = [];
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline;
    if (end > at) lines.push([at, end]);
    at = end + 1;
  }
  return lines;
}

function entriesBetween({ segments }: Journal, from: JournalPosition, to: JournalPosition): number {
  return segments.filter(({ segment }) => segment >= from.segment && segment <= to.segment)
    .reduce((sum, { segment, nextEntry }) => sum + Math.max(0, (segment === to.segment ? Math.min(nextEntry, to.entry) : nextEntry) - (segment === from.segment ? from.entry : 0)), 0);
}
