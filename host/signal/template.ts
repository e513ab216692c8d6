import type { LogEvent } from "../event/event.ts";
import { type Scalar, scalarsBelow, valuesAt } from "../query/values.ts";
import { evaluateArithmetic } from "./arithmetic.ts";

export interface TemplateContext {
  /** The signal seen as an event: group values, merged attributes, tags. */
  readonly event: LogEvent;
  /** The triggering event, for attributes the signal lacks. */
  readonly fallback: LogEvent | undefined;
  readonly severity: number;
  readonly ruleName: string;
  readonly caseName: string;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly eventsMatched: number;
  readonly eventsPerQuery: Readonly<Record<string, number>>;
}

const TEMPLATE_CAP = 64 * 1024;
const OUTPUT_CAP = 256 * 1024;
const DEPTH_CAP = 32;

type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "block"; readonly test: BlockTest; readonly pieces: readonly Piece[] };

interface BlockTest {
  readonly name: string;
  readonly negated: boolean;
  readonly args: readonly string[];
}

/**
 * Renders a message template. Never throws and never evaluates anything but the forms below: a malformed template comes
 * out as it stands, an unknown variable as nothing.
 */
export function renderTemplate(template: string, context: TemplateContext): string {
  if (!template.includes("{{")) return template;
  if (template.length > TEMPLATE_CAP) return template;
  const reader = new Reader(template);
  const pieces = reader.read();
  if (!pieces) return template;
  return render(pieces, context).slice(0, OUTPUT_CAP);
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Undefined when blocks do not close as they open. */
  read(): readonly Piece[] | undefined {
    const pieces = this.#pieces(undefined, 0);
    return pieces && this.#at >= this.#text.length ? pieces : undefined;
  }

  #pieces(closing: string | undefined, depth: number): Piece[] | undefined {
    if (depth > DEPTH_CAP) return undefined;
    const pieces: Piece[] = [];
    for (;;) {
      const open = this.#text.indexOf("{{", this.#at);
      if (open < 0) {
        if (closing !== undefined) return undefined;
        pieces.push({ kind: "text", text: this.#text.slice(this.#at) });
        this.#at = this.#text.length;
        return pieces;
      }
      pieces.push({ kind: "text", text: this.#text.slice(this.#at, open) });
      if (this.#text.startsWith("{{{{", open)) {
        const raw = this.#raw(open);
        if (raw === undefined) return undefined;
        pieces.push({ kind: "text", text: raw });
        continue;
      }
      const end = this.#text.indexOf("}}", open);
      if (end < 0) return undefined;
      const tag = this.#text.slice(open + 2, end).trim();
      this.#at = end + 2;
      if (tag.startsWith("/")) return closing === tag.slice(1).trim() ? pieces : undefined;
      if (tag.startsWith("#") || tag.startsWith("^")) {
        const test = blockTest(tag);
        const inner = this.#pieces(test.name, depth + 1);
        if (!inner) return undefined;
        pieces.push({ kind: "block", test, pieces: inner });
      } else pieces.push({ kind: "variable", name: tag });
    }
  }

  /** `{{{{name ...}}}}text{{{{/name}}}}`: what stands between comes out as it is. */
  #raw(open: number): string | undefined {
    const end = this.#text.indexOf("}}}}", open);
    if (end < 0) return undefined;
    const name = this.#text.slice(open + 4, end).trim().split(/\s/)[0]!;
    const close = `{{{{/${name}}}}}`;
    const closeAt = this.#text.indexOf(close, end);
    if (closeAt < 0) return undefined;
    this.#at = closeAt + close.length;
    const inner = this.#text.slice(end + 4, closeAt);
    return name === "raw" ? inner : `{{${this.#text.slice(open + 4, end)}}}${inner}{{/${name}}}`;
  }
}

function blockTest(tag: string): BlockTest {
  const [name = "", ...rest] = tag.slice(1).trim().match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  return { name, negated: tag.startsWith("^"), args: rest.map(unquoted) };
}

function unquoted(text: string): string {
  return text.startsWith('"') && text.endsWith('"') && text.length > 1 ? text.slice(1, -1).replace(/\\(.)/g, "$1") : text;
}

function render(pieces: readonly Piece[], context: TemplateContext): string {
  let out = "";
  for (const piece of pieces) {
    if (out.length > OUTPUT_CAP) return out;
    switch (piece.kind) {
      case "text":
        out += piece.text;
        break;
      case "variable":
        out += variable(piece.name, context);
        break;
      case "block":
        if (holds(piece.test, context) !== piece.test.negated) out += render(piece.pieces, context);
    }
  }
  return out;
}

function holds(test: BlockTest, context: TemplateContext): boolean {
  const [name = "", wanted = ""] = test.args;
  const values = valuesOfName(name, context);
  switch (test.name) {
    case "is_match":
      return values.some((value) => String(value).includes(wanted));
    case "is_exact_match":
      return values.some((value) => String(value) === wanted);
    case "if":
      return values.length > 0;
    default:
      return false;
  }
}

function valuesOfName(name: string, context: TemplateContext): readonly Scalar[] {
  if (name.startsWith("@")) {
    const path = name.slice(1).split(".");
    const own = valuesAt(context.event.attributes, path).flatMap(scalarsBelow);
    return own.length ? own : valuesAt(context.fallback?.attributes, path).flatMap(scalarsBelow);
  }
  const tag = /^\[(.+)\]\.name$/.exec(name)?.[1] ?? /^(.+)\.name$/.exec(name)?.[1] ?? /^tag\.(.+)$/.exec(name)?.[1];
  if (tag === undefined) return [];
  const found = (context.event.tags ?? []).filter((each) => each.startsWith(`${tag}:`)).map((each) => each.slice(tag.length + 1));
  if (found.length) return found;
  const reserved = context.event[tag as keyof LogEvent];
  return typeof reserved === "string" ? [reserved] : [];
}

const timeNames: Readonly<Record<string, (context: TemplateContext) => number>> = {
  timestamp: (context) => context.firstSeenMs,
  first_seen: (context) => context.firstSeenMs,
  last_seen: (context) => context.lastSeenMs,
};

function number(name: string, context: TemplateContext): number | undefined {
  if (name === "severity") return context.severity;
  if (name === "events_matched") return context.eventsMatched;
  const label = /^events_matched_per_query\.(.+)$/.exec(name)?.[1];
  if (label !== undefined) return context.eventsPerQuery[label];
  const time = timeNames[name.replace(/_epoch$/, "")];
  if (time && name.endsWith("_epoch")) return time(context);
  const value = name.startsWith("@") ? valuesOfName(name, context)[0] : undefined;
  return value === undefined || value === "" || Number.isNaN(Number(value)) ? undefined : Number(value);
}

function variable(tag: string, context: TemplateContext): string {
  const call = /^(eval|local_time|urlencode)\s+(.*)$/s.exec(tag);
  if (call) return helper(call[1]!, (call[2]!.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []).map(unquoted), context);
  if (tag === "rule_name") return context.ruleName;
  if (tag === "case_name") return context.caseName;
  const time = timeNames[tag];
  if (time) return utcText(time(context));
  if (!tag.startsWith("@")) {
    const value = number(tag, context);
    if (value !== undefined) return String(value);
  }
  return valuesOfName(tag, context).map(String).join(",");
}

function helper(name: string, args: readonly string[], context: TemplateContext): string {
  const [first = "", second = ""] = args;
  if (name === "urlencode") return encodeURIComponent(variable(first, context).toWellFormed());
  if (name === "eval") return evaluateArithmetic(first, (each) => number(each, context)) ?? "";
  const ms = number(first.endsWith("_epoch") || first.startsWith("@") ? first : `${first}_epoch`, context);
  return ms === undefined ? "" : localTime(ms, second);
}

/** `Mon Jan 01 00:00:00 UTC 1970` */
function utcText(ms: number): string {
  const [day, date, month, year, time] = new Date(ms).toUTCString().split(/,? /);
  return `${day} ${month} ${date} ${time} UTC ${year}`;
}

/** `yyyy-MM-dd HH:mm:ss±HH:mm` in a zone; empty for a zone that is none. */
function localTime(ms: number, zone: string): string {
  try {
    const format = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "longOffset",
    });
    const parts = Object.fromEntries(format.formatToParts(new Date(ms)).map((part) => [part.type, part.value]));
    const offset = parts.timeZoneName === "GMT" ? "+00:00" : parts.timeZoneName!.slice(3);
    return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}:${parts.second}${offset}`;
  } catch {
    return "";
  }
}
