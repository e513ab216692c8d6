import { readTimestamp } from "../event/timestamp.ts";
import { ProblemError } from "../problem.ts";

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const STEP = /([+-])(\d{1,9})(ms|[smhdwMy])|\/([smhdwMy])/y;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** 1970-01-05 was a Monday. */
const FIRST_MONDAY_MS = 4 * 86_400_000;

/**
 * A bound of time as people and programs write it, in epoch milliseconds: ISO 8601, a date (midnight, UTC), epoch seconds or
 * milliseconds, or `now` with steps: `now-15m`, `now-1d/d` (units `ms s m h d w M y`; `/` goes back to where the unit began).
 *
 * Throws `search/bad-time`.
 */
export function readTimeBound(value: string | number, nowMs: number, place: string): number {
  const text = String(value).trim();
  const ms = text.startsWith("now") ? stepped(text.slice(3), nowMs) : readTimestamp(DAY.test(text) ? `${text}T00:00:00Z` : typeof value === "number" ? value : text, nowMs);
  if (ms !== undefined && Number.isFinite(ms) && Math.abs(ms) < 8.64e15) return ms;
  throw new ProblemError([{ code: "search/bad-time", place, message: `${JSON.stringify(value)} is no time`, hint: "write now-1h, 2026-03-01T10:00:00Z, or seconds or milliseconds since 1970" }]);
}

function stepped(steps: string, nowMs: number): number | undefined {
  let at = new Date(nowMs);
  STEP.lastIndex = 0;
  while (STEP.lastIndex < steps.length) {
    const step = STEP.exec(steps);
    if (!step) return undefined;
    const [, sign, count, unit, rounding] = step;
    at = rounding ? beginning(at, rounding) : moved(at, (sign === "-" ? -1 : 1) * Number(count), unit!);
  }
  return at.getTime();
}

function moved(at: Date, count: number, unit: string): Date {
  const ms = UNITS_MS[unit];
  if (ms !== undefined) return new Date(at.getTime() + count * ms);
  const months = at.getUTCMonth() + (unit === "y" ? 12 : 1) * count;
  const first = new Date(at);
  first.setUTCMonth(months, 1);
  // A month ago on the 31st was the last day of the month before, where that has no 31st.
  const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  first.setUTCDate(Math.min(at.getUTCDate(), last));
  return first;
}

function beginning(at: Date, unit: string): Date {
  const ms = UNITS_MS[unit];
  if (ms === undefined) return new Date(Date.UTC(at.getUTCFullYear(), unit === "y" ? 0 : at.getUTCMonth(), 1));
  const shift = unit === "w" ? FIRST_MONDAY_MS : 0;
  return new Date(Math.floor((at.getTime() - shift) / ms) * ms + shift);
}

/** `5m`, `1h`, `90s` or milliseconds as a whole number: the width of a bucket. Throws `search/bad-interval`. */
export function readInterval(value: string | number, place: string): number {
  const match = /^(\d{1,12})(ms|[smhdw])?$/.exec(String(value).trim());
  const ms = match ? Number(match[1]) * UNITS_MS[match[2] ?? "ms"]! : 0;
  if (ms >= 1 && ms <= 3660 * UNITS_MS.d!) return ms;
  throw new ProblemError([{ code: "search/bad-interval", place, message: `${JSON.stringify(value)} is no width of time`, hint: "write such as 30s, 5m, 1h or 1d" }]);
}
