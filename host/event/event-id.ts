import type { Json } from "./event.ts";

/** Attributes that hold the id a shipper gave the event; the first that has one counts. */
const names = ["id", "_id", "event_id"] as const;

/** Whole numbers below are told apart by a double, whatever they are. */
const EXACT_BELOW = 9e15;

/**
 * The id an event was given, text or number; undefined when it has none.
 *
 * Neither an empty text nor true or false is one. Of a longer number only about the first sixteen digits are known, and two events may
 * share these: it names none. The kernels find the same in columns.
 */
export function eventId(attributes: { readonly [name: string]: Json } | undefined): string | number | undefined {
  for (const name of names) {
    const value = attributes && Object.hasOwn(attributes, name) ? firstScalar(attributes[name]!) : undefined;
    if (value === undefined || value === "" || typeof value === "boolean") continue;
    return typeof value === "number" && !(Number.isInteger(value) && Math.abs(value) < EXACT_BELOW) ? undefined : value;
  }
  return undefined;
}

function firstScalar(value: Json): string | number | boolean | undefined {
  if (!Array.isArray(value)) return value === null || typeof value === "object" ? undefined : value;
  for (const element of value) {
    const found = firstScalar(element);
    if (found !== undefined) return found;
  }
  return undefined;
}
