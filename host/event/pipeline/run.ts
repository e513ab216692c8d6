import { unreachable } from "../../problem.ts";
import { matches } from "../../query/matches.ts";
import type { QueryNode } from "../../query/tree.ts";
import type { Scalar } from "../../query/values.ts";
import type { Json, LogEvent } from "../event.ts";
import { readTimestamp } from "../timestamp.ts";
import { type Arithmetic, evaluate, numberIn, readArithmetic } from "./arithmetic.ts";
import { matchGrok } from "./grok.ts";
import { isMembers, merged } from "./members.ts";
import type { Pipeline, Place, Processor, TargetFormat } from "./pipeline.ts";
import { firstScalar, hasValue, placeNamed, scalarsOf, textOf, valueOf, wholeOf, withPlace, withoutPlace } from "./place.ts";
import { located } from "./locate.ts";
import { urlDetails } from "./url.ts";

/**
 * The event as the pipelines leave it; the one given stays as it is.
 *
 * Of the remappers to status, service, message and trace the first that finds a value counts, of those to the date the last.
 * A processor that fails leaves the event as it was. Times without a year are read as of the arrival, or of the event's own time.
 */
export function runPipelines(event: LogEvent, pipelines: readonly Pipeline[], arrivalMs?: number): LogEvent {
  const known = readTimestamp(event.timestamp, arrivalMs ?? Number.NaN);
  const run: Run = { event, arrivalMs: arrivalMs ?? (Number.isFinite(known) ? known : undefined), remapped: new Set() };
  for (const pipeline of pipelines) runPipeline(run, pipeline);
  return run.event;
}

interface Run {
  event: LogEvent;
  readonly arrivalMs: number | undefined;
  /** Kinds of remapper that have had their turn. */
  readonly remapped: Set<Processor["kind"]>;
}

function runPipeline(run: Run, pipeline: Pipeline): void {
  if (!pipeline.enabled || !letsIn(pipeline.filter, run.event.source) || !isMatch(pipeline.filter, run.event)) return;
  for (const processor of pipeline.processors) {
    if (processor.kind === "pipeline") {
      runPipeline(run, processor.pipeline);
      continue;
    }
    try {
      run.event = processed(run, processor);
    } catch {
      // An event too deep or a value out of reach: the event goes on as it was.
    }
  }
}

/** Whether a filter lets events of a source in, by source. */
const known = new WeakMap<QueryNode, Map<string, boolean>>();
const SOURCES_CAP = 1024;

/** Can an event of the source match, whatever else it holds? Every event meets the pipelines of all sources, and nearly all of them are others'. */
function letsIn(filter: QueryNode, source: string | undefined): boolean {
  if (source === undefined) return true;
  let answers = known.get(filter);
  if (!answers) known.set(filter, (answers = new Map()));
  let answer = answers.get(source);
  if (answer === undefined) {
    if (answers.size >= SOURCES_CAP) answers.clear();
    answers.set(source, (answer = mayMatch(filter, source)));
  }
  return answer;
}

function mayMatch(node: QueryNode, source: string): boolean {
  switch (node.kind) {
    case "and":
      return node.nodes.every((child) => mayMatch(child, source));
    case "or":
      return node.nodes.some((child) => mayMatch(child, source));
    case "leaf":
      return node.field.kind !== "reserved" || node.field.name !== "source" || isMatch(node, { source });
    default:
      return true;
  }
}

function isMatch(filter: QueryNode, event: LogEvent): boolean {
  try {
    return matches(filter, event);
  } catch {
    return false;
  }
}

function processed(run: Run, processor: Exclude<Processor, { readonly kind: "pipeline" }>): LogEvent {
  const { event, arrivalMs } = run;
  switch (processor.kind) {
    case "grok-parser": {
      const text = textOf(firstScalar(event, [processor.source]));
      const match = text === undefined ? undefined : matchGrok(processor.rules, text, arrivalMs);
      return match ? { ...event, attributes: merged(event.attributes, match.values) } : event;
    }
    case "date-remapper":
      return remapped(event, processor.sources, { kind: "reserved", name: "timestamp" }, arrivalMs) ?? event;
    case "status-remapper":
      return firstRemapped(run, processor, { kind: "reserved", name: "status" });
    case "service-remapper":
      return firstRemapped(run, processor, { kind: "reserved", name: "service" });
    case "message-remapper":
      return firstRemapped(run, processor, { kind: "reserved", name: "message" });
    case "trace-id-remapper":
      return firstRemapped(run, processor, { kind: "reserved", name: "trace_id" });
    case "span-id-remapper":
      return firstRemapped(run, processor, { kind: "attribute", path: ["span_id"] });
    case "attribute-remapper": {
      const { target, targetFormat } = processor;
      const source = target.kind === "attribute" ? sourceOf(event, processor.sources, target) : processor.sources.find((place) => textsOf(event, place, target).length);
      if (!source || isSame(source, target)) return event;
      if (!processor.overrideOnConflict && hasValue(event, target)) return event;
      const value = target.kind === "attribute" ? castValue(wholeOf(event, source)!, targetFormat) : textsOf(event, source, target).map((text) => castValue(text, targetFormat));
      const base = processor.preserveSource ? event : withoutPlace(event, source);
      const after = withPlace(base, target, target.kind === "reserved" ? (value as Json[])[0]! : value, arrivalMs);
      return after === base ? event : after;
    }
    case "category-processor": {
      const category = processor.categories.find(({ filter }) => isMatch(filter, event));
      return category ? withPlace(event, processor.target, category.name, arrivalMs) : event;
    }
    case "lookup-processor": {
      const key = textOf(firstScalar(event, [processor.source]));
      const value = key === undefined ? undefined : processor.table.get(key) ?? processor.fallback;
      return value === undefined ? event : withPlace(event, processor.target, value, arrivalMs);
    }
    case "string-builder-processor": {
      const text = builtText(event, processor.template, processor.replaceMissing);
      return text === undefined ? event : withPlace(event, processor.target, text, arrivalMs);
    }
    case "arithmetic-processor": {
      const value = evaluate(arithmeticOf(processor), (name) => numberOf(firstScalar(event, [placeNamed(name)])) ?? (processor.replaceMissing ? 0 : undefined));
      return value === undefined ? event : withPlace(event, processor.target, value, arrivalMs);
    }
    case "url-parser": {
      const url = textOf(firstScalar(event, processor.sources));
      const before = valueOf(event, processor.target);
      return url === undefined ? event : withPlace(event, processor.target, merged(isMembers(before) ? before : undefined, urlDetails(url)), arrivalMs);
    }
    case "user-agent-parser":
      return event;
    case "geo-ip-parser":
      return located(event, processor);
    default:
      return unreachable(processor);
  }
}

/** The event with the first source's value at the place; undefined when there is none, or none that it can hold. */
function remapped(event: LogEvent, sources: readonly Place[], target: Place, arrivalMs: number | undefined): LogEvent | undefined {
  const value = firstScalar(event, sources);
  if (value === undefined) return undefined;
  const after = withPlace(event, target, value, arrivalMs);
  return after === event ? undefined : after;
}

function firstRemapped(run: Run, processor: { readonly kind: Processor["kind"]; readonly sources: readonly Place[] }, target: Place): LogEvent {
  if (run.remapped.has(processor.kind)) return run.event;
  const after = remapped(run.event, processor.sources, target, run.arrivalMs);
  if (after) run.remapped.add(processor.kind);
  return after ?? run.event;
}

/** The first source that has a value; where none has, and there is nothing at the target, one that holds an empty object or array. */
function sourceOf(event: LogEvent, sources: readonly Place[], target: Place): Place | undefined {
  const found = sources.find((place) => hasValue(event, place));
  return found ?? (valueOf(event, target) === undefined ? sources.find((place) => valueOf(event, place) !== undefined) : undefined);
}

/** Values for a place that holds texts: one that is reserved takes the first. */
function textsOf(event: LogEvent, source: Place, target: Place): Scalar[] {
  const scalars = scalarsOf(event, source);
  return (target.kind === "reserved" ? scalars.slice(0, 1) : scalars).filter((value) => textOf(value) !== undefined);
}

function isSame(a: Place, b: Place): boolean {
  if (a.kind === "attribute" && b.kind === "attribute") return a.path.length === b.path.length && a.path.every((name, i) => name === b.path[i]);
  return a.kind === b.kind && JSON.stringify(a) === JSON.stringify(b);
}

function numberOf(value: Json | undefined): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" ? numberIn(value) : undefined;
}

/** In the format asked for, or as it was when it cannot be; of an array each element. */
export function castValue(value: Json, format: TargetFormat): Json {
  if (Array.isArray(value)) return value.map((element) => castValue(element, format));
  switch (format) {
    case "auto":
      return value;
    case "string":
      return textOf(value) ?? value;
    case "double":
      return numberOf(value) ?? value;
    case "integer": {
      const number = numberOf(value);
      return number === undefined || (typeof value === "string" && !Number.isInteger(number)) ? value : Math.trunc(number);
    }
  }
}

const BUILT_CAP = 256;

function builtText(event: LogEvent, template: string, replaceMissing: boolean): string | undefined {
  let isMissing = false;
  const text = template.replace(/%\{([^{}]*)\}/g, (_, name: string) => {
    const parts = scalarsOf(event, placeNamed(name.trim())).map(textOf);
    if (parts.length && parts.every((part) => part !== undefined)) return parts.join(",");
    isMissing = true;
    return "";
  });
  return isMissing && !replaceMissing ? undefined : Array.from(text.slice(0, 2 * BUILT_CAP)).slice(0, BUILT_CAP).join("");
}

const arithmetics = new WeakMap<Processor, Arithmetic>();

function arithmeticOf(processor: Extract<Processor, { readonly kind: "arithmetic-processor" }>): Arithmetic {
  let read = arithmetics.get(processor);
  if (!read) {
    const arithmetic = readArithmetic(processor.expression);
    if (typeof arithmetic === "string") throw new Error(arithmetic);
    arithmetics.set(processor, (read = arithmetic));
  }
  return read;
}
