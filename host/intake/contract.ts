import type { InputProfile } from "../engine/task.ts";

/**
 * What one request, datagram or stretch of lines brought, as the engine reads it. The bytes are whole records of one profile:
 * nothing of the protocol is left in them. Good until the sink has answered.
 */
export interface IntakeBatch {
  readonly profile: InputProfile;
  readonly bytes: Uint8Array;
  /** Epoch milliseconds; taken by events without a readable time of their own. */
  readonly arrivalMs: number;
  /** Stream the events belong to. Each has a watermark of its own: one that lags is not late for another's sake. */
  readonly partition: string;
  /** Which rules ask about them; logs when absent. */
  readonly dataSource?: "events" | "audit";
  /**
   * Where the source stands once the batch is taken, for the source alone to read. A sink that keeps it beside the batch and
   * gives the last one of a partition back after a restart makes that source exactly-once.
   */
  readonly mark?: string;
}

/** Why a batch was not taken. `full` passes, and the sender shall try again; `disk` may need somebody's hand. */
export type RefusalReason = "full" | "disk" | "closing";

export interface Refusal {
  readonly reason: RefusalReason;
  /** Seconds after which trying again makes sense. */
  readonly retryAfterS: number;
}

/** Where batches go. */
export interface IntakeSink {
  /** Resolves when every batch is on disk and will be judged, all of them or none; a refusal when none was taken. */
  accept(batches: readonly IntakeBatch[]): Promise<Refusal | undefined>;
  /** Told before a body is read, so that a full engine answers without reading it. */
  readonly refusal: Refusal | undefined;
}

/** Who may send. Keys are compared by hash; none is kept in plain text. */
export interface IntakeKeys {
  /** Off: any key, or none, will do. */
  readonly required: boolean;
  has(key: string): boolean;
}

/** A record that could not be taken, with the bytes as they came, so that nobody has to guess what was lost. */
export interface RejectedRecord {
  /** Short, stable word such as `not-json` or `too-large`. */
  readonly reason: string;
  readonly bytes: Uint8Array;
}

/** Counts of one input since start. */
export interface IntakeCounts {
  requests: number;
  bytes: number;
  unpackedBytes: number;
  events: number;
  /** Events that came longer than a log may be, and were shortened. */
  truncated: number;
  /** Requests that were not taken, of `refusals` the sum. */
  refused: number;
  readonly refusals: Map<string, number>;
  /** Records of accepted requests, by reason. */
  readonly rejected: Map<string, number>;
}
