import type { Json } from "../event/event.ts";
import { readField } from "../query/field.ts";
import { type Scalar, valuesAt } from "../query/values.ts";
import type { SignalDocument } from "../signal/document.ts";

export type Members = { readonly [name: string]: Json };

/** The document of a stored signal; what is stored is ours, so it is read without a look at its form. */
export function readDocument(text: string): SignalDocument {
  return JSON.parse(text) as SignalDocument;
}

/** Merged attributes of its events; of a signal stored without details those it is grouped by. */
export function attributesOf({ details, group }: Pick<SignalDocument, "details" | "group">): Members {
  if (details) return details.attributes;
  const attributes: { [name: string]: Json } = {};
  for (const [name, value] of Object.entries(group)) {
    const field = readField(name);
    if (field.kind === "attribute") setAt(attributes, field.path, value);
  }
  return attributes;
}

/** Scalars at a path, in the order they came. */
export function scalarsAt(attributes: Members, path: readonly string[]): Scalar[] {
  const [head = ""] = path;
  // Most of what is asked for is not there, and a look at the names tells: one may itself hold dots.
  if (!Object.hasOwn(attributes, head) && !Object.keys(attributes).some((name) => name.startsWith(`${head}.`))) return [];
  return valuesAt(attributes as Json, path).filter((value): value is Scalar => typeof value !== "object");
}

/** Values of a reserved attribute: what the signal is grouped by, else of all events. */
export function reservedOf({ details, group }: Pick<SignalDocument, "details" | "group">, name: "host" | "service" | "source"): readonly string[] {
  if (Object.hasOwn(group, name)) return [group[name]!];
  if (!details) return [];
  return name === "host" ? details.hosts : name === "service" ? details.services : details.sources;
}

/** Values of a tag. */
export function tagValues(tags: readonly string[], key: string): string[] {
  return tags.filter((tag) => tag.startsWith(`${key}:`)).map((tag) => tag.slice(key.length + 1));
}

function setAt(into: { [name: string]: Json }, path: readonly string[], value: string): void {
  let at = into;
  for (const [i, name] of path.entries()) {
    if (name === "__proto__") return;
    if (i === path.length - 1) at[name] ??= value;
    else {
      const inner = Object.hasOwn(at, name) ? at[name] : undefined;
      if (typeof inner === "object" && inner !== null && !Array.isArray(inner)) at = inner;
      else at = at[name] = {};
    }
  }
}
