import type { Json, LogEvent } from "../event.ts";
import { normalizeStatus } from "../status.ts";
import { normalizeTag } from "../tags.ts";
import { readTimestamp } from "../timestamp.ts";
import { type Scalar, scalarsBelow, valuesAt } from "../../query/values.ts";
import { valueAt, withValue, withoutValue } from "./members.ts";
import type { Place } from "./pipeline.ts";

const reservedPlaces: ReadonlySet<string> = new Set(["host", "service", "source", "status", "trace_id", "timestamp", "message"]);

/** A name as processors write it: a reserved attribute when it is one, else an attribute by its dotted path. */
export function placeNamed(name: string): Place {
  return reservedPlaces.has(name) ? { kind: "reserved", name: name as "message" } : { kind: "attribute", path: name.split(".") };
}

/** What stands at the place; undefined when nothing does. */
export function valueOf(event: LogEvent, place: Place): Json | undefined {
  switch (place.kind) {
    case "attribute":
      return valueAt(event.attributes, place.path);
    case "tag": {
      const prefix = `${place.key}:`;
      return event.tags?.find((tag) => tag.startsWith(prefix))?.slice(prefix.length);
    }
    case "reserved":
      return event[place.name] ?? undefined;
  }
}

/** The texts, numbers and truth values at the place: those of arrays too, as queries see them. */
export function scalarsOf(event: LogEvent, place: Place): Scalar[] {
  const values = place.kind === "attribute" ? valuesAt(event.attributes, place.path) : [valueOf(event, place)];
  return values.filter((value): value is Scalar => value !== undefined && typeof value !== "object");
}

/** All that stands at the place: of a path through an array of objects, what each of them has there. */
export function wholeOf(event: LogEvent, place: Place): Json | undefined {
  const value = valueOf(event, place);
  if (value === undefined || place.kind !== "attribute") return value;
  const found = valuesAt(event.attributes, place.path);
  return found.length > valuesAt(value, []).length ? found : value;
}

/** Is there anything at the place? Objects and arrays that hold nothing are nothing. */
export function hasValue(event: LogEvent, place: Place): boolean {
  return scalarsBelow(wholeOf(event, place)).length > 0;
}

/** The first that any of the places has. */
export function firstScalar(event: LogEvent, places: readonly Place[]): Scalar | undefined {
  for (const place of places) {
    const [value] = scalarsOf(event, place);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Text of a value that is one; undefined for objects, arrays and the empty text. */
export function textOf(value: Json | undefined): string | undefined {
  if (value === undefined || value === null || typeof value === "object" || value === "") return undefined;
  return String(value);
}

/** The event with a value at the place, over what stood there; the same event when the place cannot hold it. */
export function withPlace(event: LogEvent, place: Place, value: Json, arrivalMs: number | undefined): LogEvent {
  switch (place.kind) {
    case "attribute":
      return { ...event, attributes: withValue(event.attributes, place.path, value) };
    case "tag": {
      const texts = (Array.isArray(value) ? value : [value]).map(textOf).filter((text) => text !== undefined);
      const tags = texts.map((text) => normalizeTag(`${place.key}:${text}`)).filter((tag) => tag !== undefined);
      if (!tags.length) return event;
      return { ...event, tags: [...new Set([...tagsWithout(event, place.key), ...tags])] };
    }
    case "reserved":
      return withReserved(event, place.name, value, arrivalMs);
  }
}

function withReserved(event: LogEvent, name: Extract<Place, { readonly kind: "reserved" }>["name"], value: Json, arrivalMs: number | undefined): LogEvent {
  switch (name) {
    case "timestamp": {
      // Without an arrival a year-less time has no year; the epoch's would be a lie.
      const timestamp = typeof value === "string" && /^[A-Z][a-z]{2} /.test(value) && arrivalMs === undefined ? undefined : readTimestamp(value, arrivalMs ?? 0);
      return timestamp === undefined ? event : { ...event, timestamp };
    }
    case "status":
      return textOf(value) === undefined ? event : { ...event, status: normalizeStatus(value) };
    default: {
      const text = textOf(value);
      return text === undefined ? event : { ...event, [name]: text };
    }
  }
}

/** The event without what stands at the place; reserved attributes stay. */
export function withoutPlace(event: LogEvent, place: Place): LogEvent {
  switch (place.kind) {
    case "attribute":
      return event.attributes ? { ...event, attributes: withoutValue(event.attributes, place.path) } : event;
    case "tag":
      return { ...event, tags: tagsWithout(event, place.key) };
    case "reserved":
      return event;
  }
}

function tagsWithout(event: LogEvent, key: string): string[] {
  return (event.tags ?? []).filter((tag) => !tag.startsWith(`${key}:`));
}
