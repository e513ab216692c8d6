import { parseAddress } from "../event/address.ts";
import { wordsOf } from "../query/fold.ts";
import type { Field, GlobItem, QueryNode, Test } from "../query/tree.ts";
import { unreachable } from "../problem.ts";
import { wordsWithin } from "./words.ts";

/** What a stretch of logs must have for any of them to match a query. */
export type Need =
  /** Nothing that could be told. */
  | { readonly kind: "anything" }
  | { readonly kind: "and" | "or"; readonly needs: readonly Need[] }
  /** All of these words, by hash. */
  | { readonly kind: "words"; readonly words: readonly number[] }
  | { readonly kind: "source"; readonly name: string };

/** What is known of a stretch. */
export interface Known {
  mayHave(word: number): boolean;
  mayHaveSource(name: string): boolean;
}

const anything: Need = { kind: "anything" };

/** What a query needs; everything else about it is the kernels'. */
export function needsOf(node: QueryNode): Need {
  switch (node.kind) {
    case "and":
      return joined("and", node.nodes.map(needsOf));
    case "or":
      return joined("or", node.nodes.map(needsOf));
    case "leaf":
      return needsOfLeaf(node.field, node.test);
    case "all":
    case "not":
    case "cidr":
      return anything;
    default:
      return unreachable(node);
  }
}

export function mayHold(need: Need, known: Known): boolean {
  switch (need.kind) {
    case "anything":
      return true;
    case "and":
      return need.needs.every((each) => mayHold(each, known));
    case "or":
      return need.needs.some((each) => mayHold(each, known));
    case "words":
      return need.words.every((word) => known.mayHave(word));
    case "source":
      return known.mayHaveSource(need.name);
  }
}

function joined(kind: "and" | "or", needs: readonly Need[]): Need {
  if (kind === "or") return needs.some((need) => need.kind === "anything") ? anything : { kind, needs };
  const told = needs.filter((need) => need.kind !== "anything");
  return told.length === 0 ? anything : told.length === 1 ? told[0]! : { kind, needs: told };
}

function all(words: readonly number[]): Need {
  return words.length ? { kind: "words", words } : anything;
}

const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/;
/** What a status is made to be, whatever was sent. */
const statuses: ReadonlySet<string> = new Set(["emergency", "alert", "critical", "error", "warn", "notice", "info", "debug", "ok"]);
/** A tag this long may have been cut. */
const LONG_TAG = 190;

/** What enrichment adds stands in no record, and so in no index. */
function isEnriched(field: Field): boolean {
  return field.kind === "attribute" && (field.path.join(".").startsWith("threat_intel") || field.path.join(".").includes("geoip"));
}

function needsOfLeaf(field: Field, test: Test): Need {
  if (isEnriched(field)) return anything;
  if (field.kind === "calculated" || (field.kind === "reserved" && (field.name === "status" || field.name === "timestamp"))) return anything;
  switch (test.kind) {
    case "equals":
    case "phrase":
      return needsOfText(field, test.text);
    case "wildcard":
      return all(wordsOfPattern(field, test.items));
    case "exists":
    case "comparison":
    case "range":
      return anything;
  }
}

function needsOfText(field: Field, text: string): Need {
  if (isAddressList(field)) return parseAddress(text)?.length === 4 ? all(wordsWithin(text)) : anything;
  if (field.kind === "fullText" && wordsOf(text).some((word) => statuses.has(word))) return anything;
  if (tagLength(field, text) >= LONG_TAG) return anything;
  const words = all(wordsWithin(text, openEnds(field)));
  const needs: Need[] = field.kind === "reserved" && field.name === "source" ? [words, { kind: "source", name: text }] : [words];
  const need = joined("and", needs);
  if (!NUMBER.test(text)) return need;
  const canonical = String(Number(text));
  return canonical === text ? need : joined("or", [need, all(wordsWithin(canonical))]);
}

function isAddressList(field: Field): boolean {
  return field.kind === "attribute" && field.path.join(".") === "network.ip.list";
}

function tagLength(field: Field, text: string): number {
  if (field.kind === "tag") return field.key.length + 1 + text.length;
  return field.kind === "reserved" && field.name === "tags" ? text.length : 0;
}

/** A tag loses what stands before its first letter, and is cut when it is long. */
function openEnds(field: Field): { left: boolean; right: boolean } {
  const isTags = field.kind === "reserved" && field.name === "tags";
  return { left: isTags, right: false };
}

/** The words between the wildcards, where they are whole. */
function wordsOfPattern(field: Field, items: readonly GlobItem[]): number[] {
  if (isAddressList(field)) return [];
  const texts = items.flatMap((item) => (item.kind === "text" ? [item.text] : []));
  // `*:err?r` may mean a status that was sent by another name.
  if (field.kind === "fullText" && texts.some((text) => wordsOf(text).some((word) => statuses.has(word)))) return [];
  const isTag = field.kind === "tag" || (field.kind === "reserved" && field.name === "tags");
  const ends = openEnds(field);
  return items.flatMap((item, i) => {
    if (item.kind !== "text") return [];
    return wordsWithin(item.text, { left: i > 0 || ends.left, right: i < items.length - 1 || isTag });
  });
}
