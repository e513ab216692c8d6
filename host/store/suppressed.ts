import type { Queryable } from "../event/event.ts";
import type { SqlDriver } from "./driver.ts";

/** A match that a suppression stopped. */
export interface SuppressedSample {
  /** Of what was stopped: the same match told again has the same. */
  readonly key: string;
  readonly timeMs: number;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly group: Readonly<Record<string, string>>;
  readonly severity: string;
  /** The signal that would have been. */
  readonly signal: Queryable;
}

/** Samples kept of each suppression. */
export const SAMPLES_KEPT = 100;
/** A sample's signal beyond this is told without its attributes. */
const MOST_SAMPLE_CHARS = 16_384;

/** What suppressions stopped last, on disk. */
export class SuppressedStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  save(samples: Iterable<readonly [suppressionId: string, sample: SuppressedSample]>): void {
    this.#sql.transaction(() => {
      const touched = new Set<string>();
      for (const [id, sample] of samples) {
        touched.add(id);
        this.#sql.run("INSERT INTO suppressed_samples (suppression_id, key, time, sample) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET sample = excluded.sample", id, sample.key, sample.timeMs, textOf(sample));
      }
      for (const id of touched) {
        this.#sql.run("DELETE FROM suppressed_samples WHERE suppression_id = ? AND key NOT IN (SELECT key FROM suppressed_samples WHERE suppression_id = ? ORDER BY time DESC, key DESC LIMIT ?)", id, id, SAMPLES_KEPT);
      }
    });
  }

  /** Newest first. */
  samples(suppressionId: string): SuppressedSample[] {
    return this.#sql.all("SELECT sample FROM suppressed_samples WHERE suppression_id = ? ORDER BY time DESC, key DESC", suppressionId).map(({ sample }) => JSON.parse(String(sample)) as SuppressedSample);
  }
}

function textOf(sample: SuppressedSample): string {
  const text = JSON.stringify(sample);
  return text.length <= MOST_SAMPLE_CHARS ? text : JSON.stringify({ ...sample, signal: { ...sample.signal, tags: sample.signal.tags?.slice(0, 50), attributes: { truncated: true } } });
}
