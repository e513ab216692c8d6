import { literal } from "./grok-regex.ts";

/** A date format read: `yyyy-MM-dd'T'HH:mm:ss.SSSZ` and the like, as Joda writes them. */
export interface DateFormat {
  readonly regex: string;
  /** Epoch milliseconds; a text without a year takes the arrival's, one less when that lies more than a day ahead. */
  readonly read: (text: string, arrivalMs: number | undefined) => number | undefined;
}

const MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const NUMERIC = new Set("yuMdHhkKmsS");
const DAY_MS = 86_400_000;

type Field = "year" | "month" | "day" | "hour" | "hour12" | "minute" | "second" | "fraction" | "half" | "zone" | "skipped";
interface Part {
  readonly field: Field | undefined;
  readonly regex: string;
  readonly read: (text: string) => number | undefined;
}

/** The format, or what is wrong with it. `zone` holds where the text names none; UTC without it. */
export function readDateFormat(format: string, zone?: string): DateFormat | string {
  const offset = zone === undefined ? (): number => 0 : zoneOffset(zone);
  if (!offset) return `${JSON.stringify(zone)} is no time zone`;
  const parts: Part[] = [];
  const runs = runsOf(format);
  if (typeof runs === "string") return runs;
  for (const [i, run] of runs.entries()) {
    if (run.letter === undefined) {
      parts.push(literalPart(run.text));
      continue;
    }
    const isPacked = [runs[i - 1], runs[i + 1]].some((next) => next?.letter !== undefined && isNumeric(next.letter, next.text));
    const part = letterPart(run.letter, run.text.length, isPacked && isNumeric(run.letter, run.text));
    if (!part) return `${run.text} is not known in a date format`;
    parts.push(part);
  }
  if (!parts.some((part) => part.field === "day") || !parts.some((part) => part.field === "month")) return "the format names no month and day";
  const whole = new RegExp(`^${parts.map((part) => `(${part.regex})`).join("")}$`);
  return {
    regex: parts.map((part) => part.regex).join(""),
    read(text, arrivalMs) {
      const found = text.length <= 256 ? whole.exec(text) : null;
      if (!found) return undefined;
      const fields = new Map<Field, number>();
      for (const [i, part] of parts.entries()) {
        if (part.field === undefined || part.field === "skipped") continue;
        const value = part.read(found[i + 1]!);
        if (value === undefined) return undefined;
        fields.set(part.field, value);
      }
      return timeOf(fields, offset, arrivalMs);
    },
  };
}

function isNumeric(letter: string, text: string): boolean {
  return NUMERIC.has(letter) && !(letter === "M" && text.length > 2);
}

interface Run {
  /** Undefined for literal text. */
  readonly letter: string | undefined;
  readonly text: string;
}

function runsOf(format: string): Run[] | string {
  const runs: Run[] = [];
  let at = 0;
  while (at < format.length) {
    const character = format[at]!;
    if (character === "'") {
      const close = format.indexOf("'", at + 1);
      if (close < 0) return "a ' is not closed";
      runs.push({ letter: undefined, text: close === at + 1 ? "'" : format.slice(at + 1, close) });
      at = close + 1;
      continue;
    }
    let end = at + 1;
    if (/[A-Za-z]/.test(character)) {
      while (format[end] === character) end++;
      runs.push({ letter: character, text: format.slice(at, end) });
    } else runs.push({ letter: undefined, text: character });
    at = end;
  }
  return runs.length ? runs : "the format is empty";
}

function literalPart(text: string): Part {
  return { field: undefined, regex: [...text].map(literal).join(""), read: () => undefined };
}

function letterPart(letter: string, length: number, isPacked: boolean): Part | undefined {
  const digits = (field: Field, low: number, high: number): Part => ({
    field,
    regex: isPacked ? `\\d{${length}}` : `\\d{1,2}`,
    read: (text) => (Number(text) >= low && Number(text) <= high ? Number(text) : undefined),
  });
  switch (letter) {
    case "y": case "u":
      if (length === 2) return { field: "year", regex: "\\d{2}", read: (text) => (Number(text) < 70 ? 2000 : 1900) + Number(text) };
      return length === 1 || length === 4 ? { field: "year", regex: "\\d{4}", read: Number } : undefined;
    case "M":
      if (length <= 2) return digits("month", 1, 12);
      return { field: "month", regex: length === 3 ? "[A-Za-z]{3}" : "[A-Za-z]+", read: (text) => monthOf(text, length) };
    case "d":
      return length <= 2 ? digits("day", 1, 31) : undefined;
    case "H":
      return length <= 2 ? digits("hour", 0, 23) : undefined;
    case "k": {
      const part = digits("hour", 1, 24);
      return { ...part, read: (text) => (part.read(text) ?? Number.NaN) % 24 };
    }
    case "h":
      return length <= 2 ? digits("hour12", 1, 12) : undefined;
    case "K":
      return length <= 2 ? digits("hour12", 0, 11) : undefined;
    case "m":
      return length <= 2 ? digits("minute", 0, 59) : undefined;
    case "s":
      return length <= 2 ? digits("second", 0, 59) : undefined;
    case "S":
      return { field: "fraction", regex: isPacked ? `\\d{${length}}` : "\\d+", read: (text) => Number(text.slice(0, 3).padEnd(3, "0")) };
    case "a":
      return { field: "half", regex: "[AaPp][Mm]", read: (text) => (text[0]!.toLowerCase() === "p" ? 12 : 0) };
    case "E":
      return { field: "skipped", regex: "[A-Za-z]+", read: () => undefined };
    case "Z": case "X": case "x": case "z":
      return { field: "zone", regex: "(?:Z|UTC|GMT|[+-]\\d{2}:?\\d{2})", read: fixedOffset };
    default:
      return undefined;
  }
}

function monthOf(text: string, length: number): number | undefined {
  const name = text.toLowerCase();
  const index = MONTHS.findIndex((month) => (length === 3 ? month.slice(0, 3) === name : month === name || month.slice(0, 3) === name));
  return index < 0 ? undefined : index + 1;
}

function timeOf(fields: ReadonlyMap<Field, number>, offset: (localMs: number) => number, arrivalMs: number | undefined): number | undefined {
  const half = fields.get("half");
  const hour12 = fields.get("hour12");
  const hour = fields.get("hour") ?? (hour12 === undefined ? 0 : (hour12 % 12) + (half ?? 0));
  const at = (year: number): number | undefined => {
    const day = new Date(0);
    day.setUTCFullYear(year, fields.get("month")! - 1, fields.get("day")!);
    if (day.getUTCMonth() !== fields.get("month")! - 1) return undefined;
    const local = day.getTime() + ((hour * 60 + (fields.get("minute") ?? 0)) * 60 + (fields.get("second") ?? 0)) * 1000 + (fields.get("fraction") ?? 0);
    const ms = local - (fields.get("zone") ?? offset(local));
    return Number.isFinite(ms) ? ms : undefined;
  };
  const year = fields.get("year");
  if (year !== undefined) return at(year);
  if (arrivalMs === undefined) return undefined;
  const thisYear = new Date(arrivalMs).getUTCFullYear();
  const time = at(thisYear);
  return time !== undefined && time <= arrivalMs + DAY_MS ? time : at(thisYear - 1);
}

/** Milliseconds east of UTC of `Z`, `UTC`, `GMT`, `+hhmm`, `+hh:mm`. */
function fixedOffset(text: string): number | undefined {
  if (text === "Z" || text === "UTC" || text === "GMT") return 0;
  const read = /^([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(text);
  if (!read || Number(read[2]) > 18 || Number(read[3] ?? 0) > 59) return undefined;
  return (Number(read[2]) * 60 + Number(read[3] ?? 0)) * 60_000 * (read[1] === "-" ? -1 : 1);
}

/** Milliseconds east of UTC at a local time, in `UTC`, `UTC+5`, `+05:30` or `Europe/Paris`; undefined when it is no zone. */
function zoneOffset(zone: string): ((localMs: number) => number) | undefined {
  const fixed = fixedOffset(zone.replace(/^(?:UTC|GMT)(?=[+-])/, ""));
  if (fixed !== undefined) return () => fixed;
  let clock: Intl.DateTimeFormat;
  try {
    clock = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  } catch {
    return undefined;
  }
  const offsetAt = (ms: number): number => {
    const name = clock.formatToParts(ms).find((part) => part.type === "timeZoneName")!.value;
    return fixedOffset(name.replace(/^GMT(?=.)/, "")) ?? 0;
  };
  // The offset holds at an instant, which is what is looked for: the second guess stands on the right side of a change.
  return (localMs) => offsetAt(localMs - offsetAt(localMs));
}
