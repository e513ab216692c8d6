/** Spans people choose from; `now-…` is understood by the API as it stands. */
export const spans: ReadonlyArray<{ readonly from: string; readonly label: string; readonly ms: number }> = [
  { from: "now-15m", label: "Past 15 minutes", ms: 900_000 },
  { from: "now-1h", label: "Past hour", ms: 3_600_000 },
  { from: "now-4h", label: "Past 4 hours", ms: 14_400_000 },
  { from: "now-24h", label: "Past day", ms: 86_400_000 },
  { from: "now-7d", label: "Past week", ms: 604_800_000 },
  { from: "now-30d", label: "Past month", ms: 2_592_000_000 },
  { from: "now-90d", label: "Past 3 months", ms: 7_776_000_000 },
  { from: "now-450d", label: "Past 15 months", ms: 38_880_000_000 },
];

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A bound of an address (`now-7d`, `now`, epoch milliseconds) as milliseconds. Undefined where it is none. */
export function boundMs(text: string, nowMs: number): number | undefined {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const match = /^now(?:-(\d{1,6})([smhdw]))?$/.exec(text);
  if (!match) return undefined;
  return nowMs - (match[1] === undefined ? 0 : Number(match[1]) * UNITS[match[2]!]!);
}

/** As the API takes it: numbers as numbers. */
export function apiBound(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}

const WIDTHS = [1, 2, 5, 10, 15, 30].map((n) => n * 1000).concat([1, 2, 5, 10, 15, 30].map((n) => n * 60_000), [1, 2, 3, 6, 12].map((n) => n * 3_600_000), [1, 2, 7, 14, 30].map((n) => n * 86_400_000));

/** A width of buckets such that so many of them, or fewer, fill a span. */
export function bucketMs(spanMs: number, most: number): number {
  return WIDTHS.find((width) => spanMs / width <= most) ?? WIDTHS.at(-1)!;
}

const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat("en-GB", { month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });

export function timeText(value: string | number | null | undefined, form: "full" | "row" = "full"): string {
  const date = new Date(typeof value === "string" && /^\d+$/.test(value) ? Number(value) : (value ?? Number.NaN));
  if (Number.isNaN(date.getTime())) return "–";
  return (form === "full" ? moment : clock).format(date);
}

/** `3 min`, `2.5 h`: two units would be read slower. Seconds in. */
export function durationText(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const steps: ReadonlyArray<readonly [number, string]> = [[86_400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const [unit, name] = steps.find(([size]) => seconds >= size) ?? [0.001, "ms"];
  const value = seconds / unit;
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(2))} ${name}`;
}

export function agoText(value: string | number | null | undefined, nowMs = Date.now()): string {
  const ms = typeof value === "number" ? value : Date.parse(value ?? "");
  if (Number.isNaN(ms)) return "–";
  const seconds = (nowMs - ms) / 1000;
  return seconds < 0 ? timeText(ms) : `${durationText(Math.max(1, seconds))} ago`;
}
