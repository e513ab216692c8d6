import type { EventFormat } from "../event/event.ts";
import type { DataSource } from "../rule/rule.ts";

/** How the events of an input are read, and what they take where they say nothing themselves. */
export interface InputProfile {
  readonly format: EventFormat;
  readonly source?: string;
  readonly service?: string;
  readonly host?: string;
  /** Joined to every event's own tags. */
  readonly tags?: readonly string[];
  /**
   * An event that claims to be later than its arrival by more than this takes the arrival's time: for live inputs, where a
   * clock that is ahead would make the events of others late. Off when absent, as recorded logs may arrive before their time.
   */
  readonly clampAheadMs?: number;
  /** What its events are: only queries that ask about these see them. Absent for records of unknown kind, which every query sees. */
  readonly dataSource?: DataSource;
  /** Senders wrote them: whatever they say of themselves, no query about the audit trail takes them for it. */
  readonly isForeign?: true;
  /** Ids of the pipelines its events pass; all that the engine has when absent. */
  readonly pipelines?: readonly string[];
}

/** One slot of whole records for one instance. Offsets only: the bytes already lie in the instance's memory. */
export interface Task {
  readonly profile: InputProfile;
  readonly slot: number;
  /** Address of the first byte, and how many. */
  readonly start: number;
  readonly length: number;
  /** Taken by events without a readable time of their own. */
  readonly arrivalMs: number;
}

export interface MalformedRecord {
  readonly reason: string;
  readonly start: number;
  readonly length: number;
}

/** What a task came to. Match records lie in the slot's result arrays until the slot is released. */
export interface TaskResult {
  /** Less than the task's length when the result arrays filled up: the rest is a further task. */
  readonly consumed: number;
  readonly events: number;
  readonly matches: number;
  /** Highest event time seen; -Infinity when there was no event. */
  readonly highMs: number;
  readonly withoutTime: number;
  /** Events whose own time lay too far ahead; they took the arrival's. */
  readonly clamped: number;
  readonly repairedUtf8: number;
  readonly malformed: readonly MalformedRecord[];
  readonly malformedCount: number;
  /** CPU-free account of where rows went: rows read by the fallback parser, rows read on the host. */
  readonly slowRows: number;
}

/** Result arrays of one slot, in the instance's memory; addresses of arrays of `capacity` entries. */
export interface ResultArea {
  readonly capacity: number;
  readonly time: number;
  readonly high: number;
  readonly keyHash: number;
  readonly value: number;
  readonly standing: number;
  readonly row: number;
  readonly keyStart: number;
  readonly keyLength: number;
  readonly eventStart: number;
  readonly eventLength: number;
  readonly id: number;
  readonly keys: number;
  readonly keysEnd: number;
}
