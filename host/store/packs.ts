import type { SqlDriver, SqlRow } from "./driver.ts";

export type PackDecision = "activated" | "deactivated";

/** What is known of a content pack on this server, beside what the pack says itself. */
export interface StoredPack {
  readonly name: string;
  /** What people asked for last; undefined where the settings alone decide. */
  readonly decision: PackDecision | undefined;
  readonly activatedMs: number | undefined;
  readonly deactivatedMs: number | undefined;
  /** Handle of who asked. */
  readonly by: string;
  /** As it was seen last, and what it was upgraded from; both may be empty. */
  readonly version: string;
  readonly versionBefore: string;
  readonly upgradedMs: number | undefined;
}

/** Logs of one source on one day (UTC, by arrival). */
export interface SourceDay {
  readonly source: string;
  /** Days since 1970. */
  readonly day: number;
  readonly events: number;
  /** Of these, those that no pipeline understood, and those that security filters keep from being judged. */
  readonly unparsed: number;
  readonly filtered: number;
  readonly lastSeenMs: number;
}

/** Logs of one source that came within one slot of time. */
export interface SourceSlot {
  readonly source: string;
  readonly startMs: number;
  readonly events: number;
}

/** Content packs and what came of their sources, on disk. */
export class PackStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  list(): StoredPack[] {
    return this.#sql.all("SELECT * FROM content_packs ORDER BY name").map(storedPack);
  }

  get(name: string): StoredPack | undefined {
    const row = this.#sql.get("SELECT * FROM content_packs WHERE name = ?", name);
    return row && storedPack(row);
  }

  decide(name: string, decision: PackDecision, by: string, nowMs: number): void {
    const time = decision === "activated" ? "activated_at" : "deactivated_at";
    this.#sql.run(`INSERT INTO content_packs (name, decision, ${time}, by, version, version_before) VALUES (?, ?, ?, ?, '', '') ON CONFLICT DO UPDATE SET decision = excluded.decision, ${time} = excluded.${time}, by = excluded.by`, name, decision, nowMs, by);
  }

  /** The settings enable it, and did not before, as far as is known. */
  noteActive(name: string, nowMs: number): void {
    this.#sql.run("INSERT INTO content_packs (name, activated_at, by, version, version_before) VALUES (?, ?, '', '', '') ON CONFLICT DO UPDATE SET activated_at = excluded.activated_at WHERE activated_at IS NULL", name, nowMs);
  }

  /** @returns the version it had, where this is another one */
  noteVersion(name: string, version: string, nowMs: number): string | undefined {
    const before = this.get(name)?.version ?? "";
    if (before === version) return undefined;
    this.#sql.run("UPDATE content_packs SET version = ?, version_before = ?, upgraded_at = ? WHERE name = ?", version, before, before === "" ? null : nowMs, name);
    return before === "" ? undefined : before;
  }

  /** Adds to what is known of days and of the times within them, told of the journal up to this position. */
  addDays(days: readonly SourceDay[], slots: readonly SourceSlot[], position: string): void {
    this.#sql.transaction(() => {
      for (const { source, day, events, unparsed, filtered, lastSeenMs } of days) {
        this.#sql.run(
          "INSERT INTO source_days (source, day, events, unparsed, filtered, last_seen) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events, unparsed = unparsed + excluded.unparsed, filtered = filtered + excluded.filtered, last_seen = max(last_seen, excluded.last_seen)",
          source, day, events, unparsed, filtered, lastSeenMs,
        );
      }
      for (const { source, startMs, events } of slots) this.#sql.run("INSERT INTO source_slots (source, start, events) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events", source, startMs, events);
      this.#sql.run("INSERT INTO source_position (one, position) VALUES (1, ?) ON CONFLICT DO UPDATE SET position = excluded.position", position);
    });
  }

  /** From a day on, and of each source the last day it was seen. */
  days(fromDay: number): SourceDay[] {
    return this.#sql.all("SELECT * FROM source_days d WHERE day >= ? OR day = (SELECT max(day) FROM source_days WHERE source = d.source) ORDER BY source, day", fromDay).map((row) => ({
      source: String(row.source), day: Number(row.day), events: Number(row.events), unparsed: Number(row.unparsed), filtered: Number(row.filtered), lastSeenMs: Number(row.last_seen),
    }));
  }

  /** Of slots that begin within a span, added up to a width. */
  slots(fromMs: number, toMs: number, widthMs: number): SourceSlot[] {
    return this.#sql.all("SELECT source, start / CAST(?3 AS INTEGER) * CAST(?3 AS INTEGER) AS at, sum(events) AS events FROM source_slots WHERE start >= ?1 AND start < ?2 GROUP BY source, at ORDER BY source, at", fromMs, toMs, widthMs)
      .map((row) => ({ source: String(row.source), startMs: Number(row.at), events: Number(row.events) }));
  }

  /** Slots from before become hours, and those that are older still go. */
  tidySlots(hoursBeforeMs: number, goneBeforeMs: number): void {
    this.#sql.transaction(() => {
      this.#sql.run("DELETE FROM source_slots WHERE start < ?", goneBeforeMs);
      this.#sql.run("INSERT INTO source_slots SELECT source, start / 3600000 * 3600000, sum(events) FROM source_slots WHERE start < ? AND start % 3600000 <> 0 GROUP BY 1, 2 ON CONFLICT DO UPDATE SET events = events + excluded.events", hoursBeforeMs);
      this.#sql.run("DELETE FROM source_slots WHERE start < ? AND start % 3600000 <> 0", hoursBeforeMs);
    });
  }

  sourceCount(): number {
    return Number(this.#sql.get("SELECT count(DISTINCT source) AS count FROM source_days")!.count);
  }

  /** Days before this one go, but for the last of each source. */
  dropDaysBefore(day: number): void {
    this.#sql.run("DELETE FROM source_days AS d WHERE day < ? AND day < (SELECT max(day) FROM source_days WHERE source = d.source)", day);
  }

  /** What a running server knew of each pack last, as JSON of whoever wrote it. */
  facts(): ReadonlyMap<string, string> {
    return new Map(this.#sql.all("SELECT name, facts FROM pack_facts ORDER BY name").map(({ name, facts }) => [String(name), String(facts)]));
  }

  /** Writes those that changed, and takes away those of packs that are none any more. */
  setFacts(facts: ReadonlyMap<string, string>): void {
    const known = this.facts();
    const changed = [...facts].filter(([name, text]) => known.get(name) !== text);
    const gone = [...known.keys()].filter((name) => !facts.has(name));
    if (!changed.length && !gone.length) return;
    this.#sql.transaction(() => {
      for (const [name, text] of changed) this.#sql.run("INSERT INTO pack_facts (name, facts) VALUES (?, ?) ON CONFLICT DO UPDATE SET facts = excluded.facts", name, text);
      for (const name of gone) this.#sql.run("DELETE FROM pack_facts WHERE name = ?", name);
    });
  }

  get position(): string | undefined {
    const row = this.#sql.get("SELECT position FROM source_position");
    return row && String(row.position);
  }
}

function storedPack(row: SqlRow): StoredPack {
  const time = (value: unknown): number | undefined => (value === null ? undefined : Number(value));
  return {
    name: String(row.name), decision: row.decision === null ? undefined : (row.decision as PackDecision), activatedMs: time(row.activated_at), deactivatedMs: time(row.deactivated_at), by: String(row.by),
    version: String(row.version), versionBefore: String(row.version_before), upgradedMs: time(row.upgraded_at),
  };
}
