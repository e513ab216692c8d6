import type { LogEvent } from "../event/event.ts";
import { fieldText } from "./field.ts";
import { matches } from "./matches.ts";
import { printQuery } from "./print.ts";
import type { Field, QueryNode } from "./tree.ts";
import { type Scalar, scalarsBelow, valuesAt, valuesOf } from "./values.ts";

/** A query and each of its parts, with what an event says to it. */
export interface QueryTrace {
  readonly text: string;
  readonly holds: boolean;
  /** A leaf: the event's values it was held against, none where the field is absent. */
  readonly values?: readonly Scalar[];
  /** A leaf that does not hold: what was likely meant. */
  readonly near?: string;
  readonly kind: QueryNode["kind"];
  readonly parts: readonly QueryTrace[];
}

/** Why the event matches the query, or why not. The answer is that of `matches`. */
export function traceQuery(node: QueryNode, event: LogEvent): QueryTrace {
  const plain = { text: printQuery(node), holds: matches(node, event), kind: node.kind, parts: [] };
  switch (node.kind) {
    case "all":
      return plain;
    case "and":
    case "or":
      return { ...plain, parts: node.nodes.map((child) => traceQuery(child, event)) };
    case "not":
      return { ...plain, parts: [traceQuery(node.node, event)] };
    case "cidr":
    case "leaf": {
      const values = seen(node.field, event);
      const near = plain.holds ? undefined : nearMiss(node, values, event);
      return { ...plain, values, ...(near === undefined ? {} : { near }) };
    }
  }
}

/** An object has no value of its own; what is below it shows that it is there. */
function seen(field: Field, event: LogEvent): Scalar[] {
  const values = valuesOf(field, event);
  if (values.length || field.kind !== "attribute") return values;
  return valuesAt(event.attributes, field.path).flatMap(scalarsBelow);
}

function nearMiss(node: QueryNode & { readonly kind: "leaf" | "cidr" }, values: readonly Scalar[], event: LogEvent): string | undefined {
  const { field } = node;
  if (values.length) {
    if (node.kind === "cidr" || (node.test.kind !== "equals" && node.test.kind !== "phrase")) return undefined;
    const wanted = node.test.text.toLowerCase();
    const like = values.map(String).filter((value) => value.toLowerCase() === wanted);
    return like.length ? "differs in upper and lower case only" : undefined;
  }
  if (field.kind === "attribute") {
    const key = field.path.join(".");
    if (valuesOf({ kind: "tag", key }, event).length) return `there is a tag of this key: write ${fieldText({ kind: "tag", key })}`;
    const other = attributeLike(event, key);
    return other === undefined ? undefined : `there is an attribute ${fieldText({ kind: "attribute", path: other.split(".") })}`;
  }
  if (field.kind === "tag") {
    const path = field.key.split(".");
    if (valuesAt(event.attributes, path).length) return `there is an attribute of this name: write ${fieldText({ kind: "attribute", path })}`;
  }
  return undefined;
}

const PATHS_CAP = 2000;

/** A path that is this one but for its case, or ends the same. */
function attributeLike(event: LogEvent, key: string): string | undefined {
  const paths: string[] = [];
  const walk = (value: unknown, path: string): void => {
    if (paths.length >= PATHS_CAP || typeof value !== "object" || value === null) return;
    if (Array.isArray(value)) return value.forEach((each) => walk(each, path));
    for (const [name, below] of Object.entries(value)) {
      const at = path === "" ? name : `${path}.${name}`;
      paths.push(at);
      walk(below, at);
    }
  };
  walk(event.attributes, "");
  return paths.find((path) => path.toLowerCase() === key.toLowerCase()) ?? paths.find((path) => path.endsWith(`.${key}`) || key.endsWith(`.${path}`));
}
