import { findAddresses, parseAddress, addressText } from "../event/address.ts";
import type { Json, Queryable } from "../event/event.ts";
import type { Field } from "./tree.ts";

export type Scalar = string | number | boolean;

/** Every scalar at or below a value; null is absence. */
export function scalarsBelow(value: Json | undefined): Scalar[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap(scalarsBelow);
  if (typeof value === "object") return Object.values(value).flatMap(scalarsBelow);
  return [value];
}

/** Objects that enrichment laid into an event: found by their paths, and no part of its text. */
export const derived = new WeakSet<object>();

/** Every scalar that the event itself holds. */
function ownScalars(value: Json | undefined): Scalar[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap(ownScalars);
  if (typeof value !== "object") return [value];
  return derived.has(value) ? [] : Object.values(value).flatMap(ownScalars);
}

/** What stands under a path: arrays are transparent, and a key may itself hold the dots. */
export function valuesAt(value: Json | undefined, path: readonly string[]): Json[] {
  return valuesFrom(value, path, 0);
}

/** @param from the first name of the path that is still to be gone */
function valuesFrom(value: Json | undefined, path: readonly string[], from: number): Json[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((element) => valuesFrom(element, path, from));
  if (from === path.length) return [value];
  if (typeof value !== "object") return [];
  let found: Json[] | undefined;
  let key = "";
  for (let to = from; to < path.length; to++) {
    key = to === from ? path[to]! : `${key}.${path[to]!}`;
    if (!Object.hasOwn(value, key)) continue;
    const below = valuesFrom(value[key], path, to + 1);
    found = found ? [...found, ...below] : below;
  }
  return found ?? [];
}

function scalarsAt(event: Queryable, path: readonly string[]): Scalar[] {
  return valuesAt(event.attributes, path).filter((value): value is Scalar => typeof value !== "object");
}

function reservedText(event: Queryable, name: string): Scalar[] {
  const value = event[name as keyof Queryable];
  if (typeof value === "string" || typeof value === "number") return [value];
  return Array.isArray(value) ? value : [];
}

const reservedWholes = ["host", "service", "source", "status", "trace_id"] as const;

function freeTexts(event: Queryable): Scalar[] {
  return [...reservedText(event, "message"), ...scalarsAt(event, ["title"]), ...scalarsAt(event, ["error", "message"]), ...scalarsAt(event, ["error", "stack"])];
}

/** Every address of the event, canonical, wherever it stands. */
export function addressesOf(event: Queryable): string[] {
  const texts = [...freeTexts(event), ...reservedWholes.flatMap((name) => reservedText(event, name)), ...(event.tags ?? []), ...ownScalars(event.attributes)];
  const found = texts.filter((text): text is string => typeof text === "string").flatMap(findAddresses);
  return [...new Set(found)];
}

export function isAddressList(field: Field): boolean {
  return field.kind === "attribute" && field.path.at(-1)?.endsWith("list") === true && field.path.join(".") === "network.ip.list";
}

/** V(field, event): the scalar values a leaf on this field is tested on. */
export function valuesOf(field: Field, event: Queryable): Scalar[] {
  switch (field.kind) {
    case "attribute": {
      if (!isAddressList(field)) return scalarsAt(event, field.path);
      const listed = scalarsAt(event, field.path).map((value) => {
        const bytes = parseAddress(String(value));
        return bytes ? addressText(bytes) : value;
      });
      return [...addressesOf(event), ...listed];
    }
    case "reserved":
      return field.name === "tags" ? [...(event.tags ?? [])] : reservedText(event, field.name);
    case "tag":
      return (event.tags ?? []).flatMap((tag) => {
        const colon = tag.indexOf(":");
        return colon >= 0 && tag.slice(0, colon) === field.key ? [tag.slice(colon + 1)] : [];
      });
    case "freeText":
      return freeTexts(event);
    case "fullText":
      return [...freeTexts(event), ...reservedWholes.flatMap((name) => reservedText(event, name)), ...ownScalars(event.attributes)];
    case "calculated":
      return [];
  }
}
