import { parseCidrBlock } from "../event/address.ts";
import { readField } from "../query/field.ts";
import type { Field, GlobItem, QueryNode, Test } from "../query/tree.ts";
import type { SourceMap } from "./fields.ts";

/** What of a rule is not the same here; empty when all of it is. */
export interface Losses {
  /** Keeps the rule from being made. */
  readonly faults: string[];
  /** Makes it find a little more or less. */
  readonly notes: Set<string>;
}

type Members = Readonly<Record<string, unknown>>;
const span = { start: 0, end: 0 };
const comparisons: Readonly<Record<string, "<" | "<=" | ">" | ">=">> = { lt: "<", lte: "<=", gt: ">", gte: ">=" };

export const isMembers = (value: unknown): value is Members => typeof value === "object" && value !== null && !Array.isArray(value);

/** A selection: one of a list, all members of a map; bare values are looked for anywhere. */
export function selectionNode(value: unknown, map: SourceMap, losses: Losses): QueryNode {
  if (Array.isArray(value)) return or(value.map((each) => selectionNode(each, map, losses)));
  if (!isMembers(value)) return { kind: "leaf", field: { kind: "fullText" }, test: words(String(value)), span };
  return and(Object.entries(value).map(([key, wanted]) => memberNode(key, wanted, map, losses)));
}

function memberNode(key: string, wanted: unknown, map: SourceMap, losses: Losses): QueryNode {
  const [name = "", ...modifiers] = key.split("|");
  const isAll = modifiers.includes("all");
  const rest = modifiers.filter((modifier) => modifier !== "all");
  const values = Array.isArray(wanted) ? wanted : [wanted];
  if (values.length === 0) {
    losses.faults.push(`${key} has no values`);
    return { kind: "all", span };
  }
  const nodes = values.map((value) => valueNode(name, rest, value, map, losses));
  return isAll ? and(nodes) : or(nodes);
}

function valueNode(name: string, modifiers: readonly string[], value: unknown, map: SourceMap, losses: Losses): QueryNode {
  const ours = Object.hasOwn(map.fields, name) ? map.fields[name]! : map.others.replace("$", name);
  const field: Field = name === "" ? { kind: "fullText" } : readField(ours);
  const leaf = (test: Test): QueryNode => ({ kind: "leaf", field, test, span });
  if (value === null) return not(leaf({ kind: "exists" }));
  const text = String(value);
  for (const modifier of modifiers) {
    const op = comparisons[modifier];
    if (op) return leaf({ kind: "comparison", op, bound: { text, number: Number(text), quoted: false } });
  }
  if (modifiers.includes("exists")) return text === "true" ? leaf({ kind: "exists" }) : not(leaf({ kind: "exists" }));
  if (modifiers.includes("cidr")) {
    const block = parseCidrBlock(text);
    if (block) return { kind: "cidr", field, blocks: [{ ...block, text }], span };
    losses.faults.push(`${name}: ${text} is no block of addresses`);
    return { kind: "all", span };
  }
  const odd = modifiers.find((modifier) => !["contains", "startswith", "endswith", "windash", "cased"].includes(modifier));
  if (odd) {
    losses.faults.push(`${name}: the modifier ${odd} says what a log search cannot`);
    return { kind: "all", span };
  }
  if (name === "") return leaf(words(text));
  const glob = globOf(text);
  const items: GlobItem[] = [
    ...(modifiers.includes("contains") || modifiers.includes("endswith") ? [{ kind: "any" as const }] : []), ...glob,
    ...(modifiers.includes("contains") || modifiers.includes("startswith") ? [{ kind: "any" as const }] : []),
  ];
  const spellings = modifiers.includes("windash") ? [items, dashed(items)] : [items];
  if (text === "" && !modifiers.length) return leaf({ kind: "phrase", text: "" });
  if (typeof value === "number" || modifiers.includes("cased")) return or(spellings.map((each) => leaf(testOf(each))));
  if (map.lowered.has(ours)) return or(spellings.map((each) => leaf(testOf(lowered(each)))));
  if (text.toLowerCase() !== text.toUpperCase()) losses.notes.add("values are found as the rule writes them and in small letters; Sigma finds them in any");
  return or(spellings.flatMap((each) => (sameItems(each, lowered(each)) ? [leaf(testOf(each))] : [leaf(testOf(each)), leaf(testOf(lowered(each)))])));
}

/** `*` and `?` are wild unless a backslash stands before them. */
function globOf(text: string): GlobItem[] {
  const items: GlobItem[] = [];
  let plain = "";
  const flush = (): void => {
    if (plain !== "") items.push({ kind: "text", text: plain });
    plain = "";
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    const next = text[i + 1];
    if (character === "\\" && (next === "*" || next === "?" || next === "\\")) plain += text[++i]!;
    else if (character === "*" || character === "?") {
      flush();
      items.push({ kind: character === "*" ? "any" : "one" });
    } else plain += character;
  }
  flush();
  return items;
}

function testOf(items: readonly GlobItem[]): Test {
  const merged = items.filter((item, i) => !(item.kind === "any" && items[i - 1]?.kind === "any"));
  if (merged.length === 1 && merged[0]!.kind === "any") return { kind: "exists" };
  const [only] = merged;
  return merged.length === 1 && only!.kind === "text" ? { kind: "phrase", text: only!.text } : { kind: "wildcard", items: merged };
}

/** A word, or several in a row, anywhere in the event. */
function words(text: string): Test {
  const items = globOf(text);
  const isPlain = items.every(({ kind }) => kind === "text");
  if (isPlain) return { kind: "phrase", text: items.map((item) => (item.kind === "text" ? item.text : "")).join("") };
  return testOf([{ kind: "any" }, ...items, { kind: "any" }]);
}

function lowered(items: readonly GlobItem[]): GlobItem[] {
  return items.map((item) => (item.kind === "text" ? { ...item, text: item.text.toLowerCase() } : item));
}

/** Windows takes `/flag` for `-flag`. */
function dashed(items: readonly GlobItem[]): GlobItem[] {
  return items.map((item) => (item.kind === "text" ? { ...item, text: item.text.replace(/(^|\s)-/g, "$1/") } : item));
}

function sameItems(a: readonly GlobItem[], b: readonly GlobItem[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export function and(nodes: readonly QueryNode[]): QueryNode {
  const flat = nodes.flatMap((node) => (node.kind === "and" ? node.nodes : [node]));
  return flat.length === 1 ? flat[0]! : { kind: "and", nodes: flat, span };
}

export function or(nodes: readonly QueryNode[]): QueryNode {
  const flat = unique(nodes.flatMap((node) => (node.kind === "or" ? node.nodes : [node])));
  return flat.length === 1 ? flat[0]! : { kind: "or", nodes: flat, span };
}

export function not(node: QueryNode): QueryNode {
  return node.kind === "not" ? node.node : { kind: "not", node, span };
}

function unique(nodes: readonly QueryNode[]): QueryNode[] {
  const seen = new Set<string>();
  return nodes.filter((node) => {
    const text = JSON.stringify(node);
    return !seen.has(text) && seen.add(text);
  });
}
