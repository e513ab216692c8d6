import { fieldText } from "./field.ts";
import type { Bound, GlobItem, QueryNode, Test } from "./tree.ts";

/** Query text of a tree; parsing it gives the tree back. */
export function printQuery(node: QueryNode): string {
  switch (node.kind) {
    case "all":
      return "*:*";
    case "and":
      return node.nodes.map((child) => (child.kind === "or" || child.kind === "and" ? `(${printQuery(child)})` : printQuery(child))).join(" ");
    case "or":
      return node.nodes.map((child) => (child.kind === "or" ? `(${printQuery(child)})` : printQuery(child))).join(" OR ");
    case "not":
      return node.node.kind === "and" || node.node.kind === "or" ? `-(${printQuery(node.node)})` : `-${printQuery(node.node)}`;
    case "cidr":
      // A bare comma would end the name.
      return `CIDR(${[fieldText(node.field).replaceAll(",", "\\,"), ...node.blocks.map((block) => block.text)].join(", ")})`;
    case "leaf": {
      const field = fieldText(node.field);
      return field === "" ? testText(node.test) : `${field}:${testText(node.test)}`;
    }
  }
}

function testText(test: Test): string {
  switch (test.kind) {
    case "exists":
      return "*";
    case "equals":
      return escapeValue(test.text);
    case "phrase":
      return quoted(test.text);
    case "wildcard":
      return patternText(test.items);
    case "comparison":
      return `${test.op}${boundText(test.bound)}`;
    case "range":
      return `${test.includeLow ? "[" : "{"}${test.low ? boundText(test.low) : "*"} TO ${test.high ? boundText(test.high) : "*"}${test.includeHigh ? "]" : "}"}`;
  }
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function boundText(bound: Bound): string {
  if (bound.quoted || bound.text === "") return quoted(bound.text);
  // A number may begin with its sign; any other text may not.
  return bound.number === undefined ? escapeText(bound.text, true) : bound.text;
}

const SPECIAL = /[\s()"[\]{}<>:!~^*?\\\u201c\u201d]/u;

function escapeValue(text: string): string {
  if (text === "") return quoted(text);
  const escaped = escapeText(text, true);
  // A bare operator word would be read as the operator.
  return /^(?:AND|OR|NOT|&&|\|\|)$/.test(escaped) ? `\\${escaped}` : escaped;
}

function escapeText(text: string, atStart: boolean): string {
  let out = "";
  let first = atStart;
  for (const character of text) {
    out += SPECIAL.test(character) || (first && "-+=@#".includes(character)) ? `\\${character}` : character;
    first = false;
  }
  return out;
}

function patternText(items: readonly GlobItem[]): string {
  if (!items.length) return quoted("");
  return items.map((item, i) => (item.kind === "any" ? "*" : item.kind === "one" ? "?" : escapeText(item.text, i === 0))).join("");
}
