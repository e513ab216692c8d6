import type { Json, LogEvent } from "../event/event.ts";
import { readField } from "../query/field.ts";
import { valuesAt } from "../query/values.ts";
import { unreachable } from "../problem.ts";
import { severities } from "../rule/rule.ts";
import { type Arithmetic, evaluateArithmetic } from "./arithmetic.ts";
import { type BlockTest, type Helper, type ParsedTemplate, type Piece, parseTemplate } from "./template-parse.ts";

export interface TemplateContext {
  /** The signal seen as an event: group values, merged attributes, tags. */
  readonly event: LogEvent;
  /** The triggering event, for attributes the signal lacks. */
  readonly fallback: LogEvent | undefined;
  /** 0 (info) to 4 (critical). */
  readonly severity: number;
  readonly ruleName: string;
  readonly caseName: string;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly eventsMatched: number;
  readonly eventsPerQuery: Readonly<Record<string, number>>;
}

/** A signal's message may grow to this, whatever its variables hold. */
const OUTPUT_CAP = 256 * 1024;
const CACHE_CAP = 1000;
const PER_QUERY = "events_matched_per_query.";
const parsed = new Map<string, ParsedTemplate>();

/**
 * Renders a message template. Never throws and evaluates nothing but the forms of the template language: a malformed
 * template comes out as it stands, an unknown variable as nothing.
 */
export function renderTemplate(template: string, context: TemplateContext): string {
  if (!template.includes("{{")) return template;
  const read = remembered(template);
  if (!read.ok) return template;
  return render(read.pieces, context, OUTPUT_CAP);
}

/** Rules have few templates and many signals. */
function remembered(template: string): ParsedTemplate {
  const known = parsed.get(template);
  if (known) return known;
  if (parsed.size >= CACHE_CAP) parsed.clear();
  const read = parseTemplate(template);
  parsed.set(template, read);
  return read;
}

function render(pieces: readonly Piece[], context: TemplateContext, room: number): string {
  let out = "";
  for (const piece of pieces) {
    if (out.length >= room) break;
    out += renderPiece(piece, context, room - out.length);
  }
  return out.length > room ? out.slice(0, room) : out;
}

function renderPiece(piece: Piece, context: TemplateContext, room: number): string {
  switch (piece.kind) {
    case "text":
      return piece.text;
    case "variable":
      return textOf(piece.name, context);
    case "call":
      return call(piece.helper, piece.args, piece.source, context);
    case "block":
      return holds(piece.test, context) === piece.test.negated ? "" : render(piece.pieces, context, room);
    default:
      return unreachable(piece);
  }
}

function holds(test: BlockTest, context: TemplateContext): boolean {
  const values = valuesOf(test.name, context);
  switch (test.kind) {
    case "if":
      return values.length > 0;
    case "is_match":
      return values.some((value) => test.wanted.some((wanted) => printed(value).includes(wanted)));
    case "is_exact_match":
      return values.some((value) => test.wanted.includes(printed(value)));
    default:
      return unreachable(test.kind);
  }
}

function call(helper: Helper, args: readonly string[], source: string, context: TemplateContext): string {
  const [first = "", second = ""] = args;
  switch (helper) {
    case "urlencode":
      return encodeURIComponent(textOf(first, context).toWellFormed());
    case "local_time": {
      const ms = timeOf(first, context) ?? numberOf(first, context);
      return ms === undefined ? "" : localTime(ms, second);
    }
    case "eval":
      return evaluated(evaluateArithmetic(first, (name) => numberOf(name, context)), source);
    default:
      return unreachable(helper);
  }
}

/** What cannot be read stays to be seen; what has no value is nothing. */
function evaluated(result: Arithmetic, source: string): string {
  switch (result.kind) {
    case "value":
      return result.text;
    case "no-value":
      return "";
    case "malformed":
      return source;
    default:
      return unreachable(result);
  }
}

function textOf(name: string, context: TemplateContext): string {
  return valuesOf(name, context).map(printed).join(",");
}

function printed(value: Json): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Values a name stands for; none when it is unknown. */
function valuesOf(name: string, context: TemplateContext): readonly Json[] {
  if (name.startsWith("@")) return attribute(name, context);
  if (name.startsWith("signal.attributes.")) return attribute(`@${name.slice("signal.attributes.".length)}`, context);
  const own = ownValue(name, context);
  if (own !== undefined) return [own];
  const key = /^\[([^\]]+)\]\.name$/s.exec(name)?.[1] ?? /^(.+)\.name$/s.exec(name)?.[1];
  const byKey = key === undefined ? [] : tagValues(key, context);
  return byKey.length ? byKey : tagValues(name, context);
}

/** Of the signal first, else of the event that opened or extended it. */
function attribute(name: string, context: TemplateContext): Json[] {
  const field = readField(name);
  if (field.kind !== "attribute") return [];
  const own = valuesAt(context.event.attributes, field.path);
  return own.length ? own : valuesAt(context.fallback?.attributes, field.path);
}

function ownValue(name: string, context: TemplateContext): string | number | undefined {
  switch (name) {
    case "severity":
      return context.severity;
    case "severity_name":
    case "signal.severity":
      return severities[context.severity];
    case "rule_name":
    case "signal.rule.name":
      return context.ruleName;
    case "case_name":
      return context.caseName;
    case "events_matched":
      return context.eventsMatched;
    default:
      if (name.startsWith(PER_QUERY)) {
        const label = name.slice(PER_QUERY.length);
        return Object.hasOwn(context.eventsPerQuery, label) ? context.eventsPerQuery[label] : undefined;
      }
      if (name.endsWith("_epoch")) return timeOf(name.slice(0, -"_epoch".length), context);
      return utcText(timeOf(name, context));
  }
}

function timeOf(name: string, context: TemplateContext): number | undefined {
  switch (name) {
    case "timestamp":
    case "first_seen":
      return context.firstSeenMs;
    case "last_seen":
    case "last_triggered_at":
      return context.lastSeenMs;
    default:
      return undefined;
  }
}

function tagValues(key: string, context: TemplateContext): string[] {
  const start = `${key}:`;
  const found = (context.event.tags ?? []).filter((tag) => tag.startsWith(start)).map((tag) => tag.slice(start.length));
  if (found.length || (key !== "host" && key !== "service" && key !== "source" && key !== "status")) return found;
  const reserved = context.event[key];
  return reserved === undefined ? [] : [reserved];
}

function numberOf(name: string, context: TemplateContext): number | undefined {
  const value = valuesOf(name, context)[0];
  if (typeof value === "number") return value;
  return typeof value === "string" && /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$/.test(value) ? Number(value) : undefined;
}

/** `Mon Jan 01 00:00:00 UTC 1970` */
function utcText(ms: number | undefined): string | undefined {
  const date = ms === undefined ? undefined : new Date(ms);
  if (!date || Number.isNaN(date.getTime())) return undefined;
  const [day, dayOfMonth, month, year, time] = date.toUTCString().split(/,? /);
  return `${day} ${month} ${dayOfMonth} ${time} UTC ${year}`;
}

/** `yyyy-MM-dd HH:mm:ss±HH:mm` in a zone; empty for a zone that is none. */
function localTime(ms: number, zone: string): string {
  try {
    const format = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "longOffset",
    });
    const parts = Object.fromEntries(format.formatToParts(new Date(ms)).map((part) => [part.type, part.value]));
    const offset = parts.timeZoneName === "GMT" ? "+00:00" : parts.timeZoneName!.slice("GMT".length);
    return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}:${parts.second}${offset}`;
  } catch {
    return "";
  }
}
