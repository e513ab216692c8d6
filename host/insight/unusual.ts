/** An hour whose logs are far from what that hour of a day has. */
export interface HourChange {
  readonly kind: "spike" | "drop";
  readonly hourMs: number;
  readonly logs: number;
  /** Mean of the same hour of the days before, and the standard deviation that counts. */
  readonly usual: number;
  readonly deviation: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS = 7;
const DEVIATIONS = 3;
/** Days that must be known to call anything usual. */
const LEAST_DAYS = 3;

/**
 * One hour against the same hour of the seven days before, as far back as the source is known.
 *
 * @param hours logs by start of the hour in epoch milliseconds; an absent hour had none
 * @returns null where it is within three deviations, or too little is known. A deviation is not less than that of logs that come
 * by chance (the root of their mean), nor than one log: a source as regular as a clock is not unusual for one log more.
 */
export function hourChange(hours: ReadonlyMap<number, number>, hourMs: number): HourChange | null {
  if (!hours.size) return null;
  const firstMs = Math.min(...hours.keys());
  const before: number[] = [];
  for (let day = 1; day <= DAYS; day++) {
    const atMs = hourMs - day * DAY_MS;
    if (atMs >= firstMs - (firstMs % HOUR_MS)) before.push(hours.get(atMs) ?? 0);
  }
  if (before.length < LEAST_DAYS) return null;
  const usual = before.reduce((a, b) => a + b, 0) / before.length;
  const spread = Math.sqrt(before.reduce((sum, each) => sum + (each - usual) ** 2, 0) / before.length);
  const deviation = Math.max(1, spread, Math.sqrt(usual));
  const logs = hours.get(hourMs) ?? 0;
  if (Math.abs(logs - usual) <= DEVIATIONS * deviation) return null;
  return { kind: logs > usual ? "spike" : "drop", hourMs, logs, usual, deviation };
}
