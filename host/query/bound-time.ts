import { readTimestamp } from "../event/timestamp.ts";

/** Milliseconds that a bound on `timestamp` names: digits are epoch milliseconds, else a date or ISO 8601 text, UTC where it names no zone. */
export function boundTime(text: string): number | undefined {
  if (/^-?\d+$/.test(text)) return Number(text);
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return readTimestamp(`${text}T00:00:00Z`, 0);
  return readTimestamp(text, 0);
}
