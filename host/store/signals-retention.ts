import { setImmediate } from "node:timers/promises";
import type { SqlDriver } from "./driver.ts";

export interface RetentionOptions {
  /** How long signals are kept. Default 15. */
  readonly months?: number;
  /** Signals deleted in one transaction. Default 500. */
  readonly chunk?: number;
  /** Told of the ids of each chunk, once they are gone. */
  readonly onDeleted?: (ids: readonly string[]) => void;
}

const MONTHS = 15;
const CHUNK = 500;

/** Deletes signals that were created so many months ago, with their history and entities; others have their turn between two chunks. @returns how many. */
export async function retain(sql: SqlDriver, nowMs: number, { months = MONTHS, chunk = CHUNK, onDeleted }: RetentionOptions = {}): Promise<number> {
  const beforeMs = monthsBefore(nowMs, months);
  let deleted = 0;
  for (;;) {
    const ids = sql.all("DELETE FROM signals WHERE id IN (SELECT id FROM signals WHERE created_at < ? ORDER BY created_at, id LIMIT ?) RETURNING id", beforeMs, chunk).map(({ id }) => String(id));
    deleted += ids.length;
    if (ids.length) onDeleted?.(ids);
    if (ids.length < chunk) return deleted;
    await setImmediate();
  }
}

/** The same day and time of an earlier month, in UTC; of a shorter month its last day. */
export function monthsBefore(nowMs: number, months: number): number {
  const date = new Date(nowMs);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() - months);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return date.getTime();
}
