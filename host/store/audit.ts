import { hash } from "node:crypto";
import type { Json } from "../event/event.ts";
import type { SqlDriver, SqlRow, SqlValue } from "./driver.ts";

type Members = { readonly [name: string]: Json };

/** One thing that was done, as it is kept: a log's envelope. Times are ISO 8601. */
export interface AuditRecord {
  readonly id: string;
  /** Grows by one. */
  readonly number: number;
  readonly timestamp: string;
  readonly message: string;
  readonly service: string;
  readonly status: string;
  readonly tags: readonly string[];
  readonly attributes: Members;
}

export interface StoredAudit {
  readonly number: number;
  readonly timeMs: number;
  readonly record: AuditRecord;
  /** SHA-256, as hex, of the hash before it, a line feed and the record's text. */
  readonly hash: string;
}

/** Columns that records are found and counted by, and where in a record they stand. */
export const auditColumns = {
  event: ["evt", "name"], action: ["action"], asset_type: ["asset", "type"], user_id: ["usr", "uuid"], user_email: ["usr", "id"], auth_method: ["auth_method"],
} as const;
export type AuditColumn = keyof typeof auditColumns;
const columnNames = Object.keys(auditColumns) as AuditColumn[];

/** Which records: times inclusive, in milliseconds. */
export interface AuditFilter {
  readonly fromMs: number;
  readonly toMs: number;
  readonly equals: Readonly<Partial<Record<AuditColumn, string>>>;
}

export interface AuditPlace {
  readonly timeMs: number;
  readonly number: number;
}

/** `changed`: the record is not what its hash was made of. `order`: it does not follow from the one before. `missing`: there is none of its number. `column`: what it is found by says something else. `end`: the newest is not the one that was written last. */
export type AuditFault = "changed" | "order" | "missing" | "column" | "end";

export interface AuditCheck {
  readonly events: number;
  /** Number and hash of the last record that was let go of for its age. */
  readonly anchor: { readonly number: number; readonly hash: string };
  readonly head: { readonly number: number; readonly hash: string };
  /** The first of them. */
  readonly faults: readonly { readonly number: number; readonly fault: AuditFault }[];
  readonly faultCount: number;
}

const FAULTS_TOLD = 20;
const CHUNK = 500;

/** The audit trail on disk: records are added behind one another and let go of by age, never changed. */
export class AuditStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  /** Adds a record; within the transaction of what it tells of, so that neither is there without the other. */
  append(record: Omit<AuditRecord, "number">): StoredAudit {
    return this.#sql.transaction(() => {
      const { head } = this.#chain();
      const whole: AuditRecord = { ...record, number: head.number + 1 };
      const text = JSON.stringify(whole);
      const stored: StoredAudit = { number: whole.number, timeMs: Date.parse(record.timestamp), record: whole, hash: chained(head.hash, text) };
      this.#sql.run(
        `INSERT INTO audit_events (number, id, time, ${columnNames.join(", ")}, record, hash) VALUES (?, ?, ?, ${columnNames.map(() => "?").join(", ")}, ?, ?)`,
        stored.number, record.id, stored.timeMs, ...columnNames.map((name) => columnOf(record.attributes, name)), text, stored.hash,
      );
      this.#sql.run("UPDATE audit_chain SET head_number = ?, head_hash = ?", stored.number, stored.hash);
      return stored;
    });
  }

  get head(): { readonly number: number; readonly hash: string } {
    return this.#chain().head;
  }

  /** Those behind a number, oldest first. */
  after(number: number, limit: number): StoredAudit[] {
    return this.#sql.all("SELECT number, time, record, hash FROM audit_events WHERE number > ? ORDER BY number LIMIT ?", number, limit).map(storedAudit);
  }

  /** Some of those that fit, by time; behind a place where one is given. */
  page(filter: AuditFilter, order: "newest" | "oldest", limit: number, after?: AuditPlace): StoredAudit[] {
    const { where, values } = whereOf(filter);
    const [sign, direction] = order === "newest" ? ["<", "DESC"] : [">", "ASC"];
    const behind = after ? ` AND (time, number) ${sign} (?, ?)` : "";
    const places = after ? [after.timeMs, after.number] : [];
    return this.#sql.all(`SELECT number, time, record, hash FROM audit_events WHERE ${where}${behind} ORDER BY time ${direction}, number ${direction} LIMIT ?`, ...values, ...places, limit).map(storedAudit);
  }

  /** How many there are of each value of a column, most first. */
  count(filter: AuditFilter, column: AuditColumn): { readonly value: string; readonly count: number }[] {
    const { where, values } = whereOf(filter);
    return this.#sql.all(`SELECT ${column} AS value, count(*) AS count FROM audit_events WHERE ${where} GROUP BY ${column} ORDER BY count(*) DESC, ${column}`, ...values)
      .map(({ value, count }) => ({ value: String(value), count: Number(count) }));
  }

  /** Lets go of the oldest, as far as they are before a time and not behind a number; what is left can still be checked. */
  release(beforeMs: number, upTo: number): number {
    return this.#sql.transaction(() => {
      const kept = this.#sql.get("SELECT min(number) AS number FROM audit_events WHERE time >= ?", beforeMs)?.number;
      const last = Math.min(upTo, typeof kept === "number" ? kept - 1 : this.#chain().head.number);
      const anchor = this.#sql.get("SELECT number, hash FROM audit_events WHERE number <= ? ORDER BY number DESC LIMIT 1", last);
      if (!anchor) return 0;
      this.#sql.run("UPDATE audit_chain SET anchor_number = ?, anchor_hash = ?", Number(anchor.number), String(anchor.hash));
      return this.#sql.run("DELETE FROM audit_events WHERE number <= ?", last).changes;
    });
  }

  /** Walks the whole chain. What it cannot see is an end that was replaced as a whole, with new hashes: a head noted elsewhere tells that. */
  check(): AuditCheck {
    const { anchor, head } = this.#chain();
    const faults: { number: number; fault: AuditFault }[] = [];
    let faultCount = 0;
    const tell = (number: number, fault: AuditFault): void => {
      if (++faultCount <= FAULTS_TOLD) faults.push({ number, fault });
    };
    let { number: at, hash: previous } = anchor;
    let events = 0;
    for (;;) {
      const rows = this.#sql.all("SELECT * FROM audit_events WHERE number > ? ORDER BY number LIMIT ?", at, CHUNK);
      for (const row of rows) {
        const number = Number(row.number);
        events++;
        if (number !== at + 1) tell(at + 1, "missing");
        else if (chained(previous, String(row.record)) !== row.hash) tell(number, "changed");
        const { attributes, timestamp, ...record } = parsed(String(row.record));
        if (record.number !== number) tell(number, "order");
        else if (record.id !== row.id || Date.parse(timestamp) !== row.time || columnNames.some((name) => columnOf(attributes, name) !== row[name])) tell(number, "column");
        at = number;
        previous = String(row.hash);
      }
      if (rows.length < CHUNK) break;
    }
    if (at !== head.number || previous !== head.hash) tell(head.number, "end");
    return { events, anchor, head, faults, faultCount };
  }

  /** Hash of the record of a number; undefined where there is none. */
  hashOf(number: number): string | undefined {
    const { anchor } = this.#chain();
    if (number === anchor.number) return anchor.hash;
    const row = this.#sql.get("SELECT hash FROM audit_events WHERE number = ?", number);
    return row && String(row.hash);
  }

  #chain(): { readonly anchor: { readonly number: number; readonly hash: string }; readonly head: { readonly number: number; readonly hash: string } } {
    const row = this.#sql.get("SELECT * FROM audit_chain")!;
    return { anchor: { number: Number(row.anchor_number), hash: String(row.anchor_hash) }, head: { number: Number(row.head_number), hash: String(row.head_hash) } };
  }
}

function chained(previous: string, text: string): string {
  return hash("sha256", `${previous}\n${text}`);
}

function columnOf(attributes: Members, name: AuditColumn): string {
  let at: Json | undefined = attributes;
  for (const part of auditColumns[name]) at = isMembers(at) ? at[part] : undefined;
  return typeof at === "string" ? at : "";
}

function isMembers(value: Json | undefined): value is { [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A record that somebody wrote over may be anything. */
function parsed(text: string): AuditRecord {
  try {
    const value = JSON.parse(text) as AuditRecord | null;
    if (typeof value === "object" && value !== null) return { ...value, attributes: value.attributes ?? {} };
  } catch {
    // Told as changed already.
  }
  return { id: "", number: 0, timestamp: "", message: "", service: "", status: "", tags: [], attributes: {} };
}

function storedAudit(row: SqlRow): StoredAudit {
  return { number: Number(row.number), timeMs: Number(row.time), record: parsed(String(row.record)), hash: String(row.hash) };
}

function whereOf({ fromMs, toMs, equals }: AuditFilter): { readonly where: string; readonly values: readonly SqlValue[] } {
  const asked = columnNames.filter((name) => equals[name] !== undefined);
  return { where: ["time >= ? AND time <= ?", ...asked.map((name) => `${name} = ?`)].join(" AND "), values: [fromMs, toMs, ...asked.map((name) => equals[name]!)] };
}
