const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/;
const ISO = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):?(\d{2}))?$/;
const RFC3164 = /^([A-Z][a-z]{2}) +(\d{1,2}) (\d{2}):(\d{2}):(\d{2})$/;
const DAY_MS = 86_400_000;

/** Seconds, milliseconds, microseconds or nanoseconds, told apart by size. */
function epochMs(value: number): number {
  const size = Math.abs(value);
  if (size < 1e11) return Math.floor(value * 1000);
  if (size < 1e14) return Math.floor(value);
  if (size < 1e17) return Math.floor(value / 1e3);
  return Math.floor(value / 1e6);
}

function utc(year: number, month: number, day: number, hour: number, minute: number, second: number): number | undefined {
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000;
}

/**
 * Event time in whole milliseconds: epoch number or digits, ISO 8601, or RFC 3164 without a year (the arrival's year, one
 * less when that lies more than a day ahead). Undefined when it is none of these.
 */
export function readTimestamp(value: unknown, arrivalMs: number): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? epochMs(value) : undefined;
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  if (NUMBER.test(text)) return epochMs(Number(text));
  const iso = ISO.exec(text);
  if (iso) {
    const ms = utc(Number(iso[1]), Number(iso[2]), Number(iso[3]), Number(iso[4]), Number(iso[5]), Number(iso[6]));
    if (ms === undefined) return undefined;
    const fraction = iso[7] ? Number(iso[7].slice(0, 3).padEnd(3, "0")) : 0;
    const offset = iso[8] ? (Number(iso[9]) * 60 + Number(iso[10])) * 60_000 * (iso[8] === "-" ? -1 : 1) : 0;
    return ms + fraction - offset;
  }
  const old = RFC3164.exec(text);
  if (!old) return undefined;
  const month = MONTHS.indexOf(old[1]!.toLowerCase()) + 1;
  const year = new Date(arrivalMs).getUTCFullYear();
  const at = (y: number): number | undefined => utc(y, month, Number(old[2]), Number(old[3]), Number(old[4]), Number(old[5]));
  const thisYear = at(year);
  return thisYear !== undefined && thisYear <= arrivalMs + DAY_MS ? thisYear : at(year - 1);
}

/** Milliseconds of a time as queries write it: epoch milliseconds, or ISO 8601 whose time of day and zone may be left out (midnight, UTC). */
export function queryTime(text: string): number | undefined {
  if (NUMBER.test(text)) return Number(text);
  const whole = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00` : text;
  return ISO.test(whole) ? readTimestamp(whole, 0) : undefined;
}
