import { canonicalAddress } from "../../event/address.ts";
import { queryTime } from "../../event/timestamp.ts";
import { foldCase, isWordCharacter, wordsOf } from "../../query/fold.ts";
import type { Bound, Field, GlobItem, QueryNode, Test } from "../../query/tree.ts";
import type { ColumnKey, ColumnPlan } from "../columns.ts";
import { FALSE, TRUE, joined, negated, type Expression, type Predicates } from "./predicate.ts";

const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/;
const DURATION = /^(-?\d+(?:\.\d+)?)(ns|us|ms|s|m|h|d)$/;
const NANOSECONDS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9, d: 86400e9 };

const freeTextKeys: readonly ColumnKey[] = [
  { kind: "reserved", name: "message" },
  { kind: "attribute", path: ["title"] },
  { kind: "attribute", path: ["error", "message"] },
  { kind: "attribute", path: ["error", "stack"] },
];
/** `all` holds the attributes' free texts too. */
const fullTextKeys: readonly ColumnKey[] = [
  { kind: "reserved", name: "message" },
  { kind: "reserved", name: "host" },
  { kind: "reserved", name: "service" },
  { kind: "reserved", name: "source" },
  { kind: "reserved", name: "status" },
  { kind: "reserved", name: "trace_id" },
  { kind: "all" },
];

/** Turns query trees into expressions over shared predicates, asking for the columns they need. */
export class Lowering {
  readonly #columns: ColumnPlan;
  readonly #predicates: Predicates;

  constructor(columns: ColumnPlan, predicates: Predicates) {
    this.#columns = columns;
    this.#predicates = predicates;
  }

  lower(node: QueryNode): Expression {
    switch (node.kind) {
      case "all":
        return TRUE;
      case "and":
      case "or":
        return joined(node.kind, node.nodes.map((child) => this.lower(child)));
      case "not":
        return negated(this.lower(node.node));
      case "cidr":
        return this.#anyOf(valueKeys(node.field), (column) => this.#predicates.add({ kind: "cidr", column, blocks: node.blocks }));
      case "leaf":
        return this.#leaf(node.field, node.test);
    }
  }

  #anyOf(keys: readonly ColumnKey[], make: (column: number, key: ColumnKey) => Expression): Expression {
    return joined("or", keys.map((key) => make(this.#columns.column(key), key)));
  }

  #leaf(field: Field, test: Test): Expression {
    if (field.kind === "calculated") return FALSE;
    const open = test.kind === "range" && !test.low && !test.high;
    if (test.kind === "exists" || open) return this.#exists(field);
    if (field.kind === "reserved" && field.name === "timestamp" && test.kind !== "wildcard") return this.#time(test);
    return this.#anyOf(valueKeys(field), (column) => this.#value(field, column, test));
  }

  #exists(field: Field): Expression {
    const keys: readonly ColumnKey[] = field.kind === "attribute" && !isAddressList(field) ? [{ kind: "exists", path: field.path }] : valueKeys(field);
    return this.#anyOf(keys, (column) => this.#predicates.add({ kind: "exists", column }));
  }

  #value(field: Field, column: number, test: Test): Expression {
    switch (test.kind) {
      case "exists":
        return this.#predicates.add({ kind: "exists", column });
      case "equals":
      case "phrase":
        return isWordBased(field) ? this.#words(column, test.text) : this.#equal(field, column, test.text);
      case "wildcard":
        if (isWordBased(field)) return this.#wordPattern(column, test.items);
        return this.#predicates.add({ kind: "glob", column, items: test.items });
      case "comparison": {
        const above = test.op === ">" || test.op === ">=";
        const include = test.op === ">=" || test.op === "<=";
        return this.#range(field, column, above ? test.bound : undefined, above ? undefined : test.bound, include, include);
      }
      case "range":
        return this.#range(field, column, test.low, test.high, test.includeLow, test.includeHigh);
    }
  }

  #equal(field: Field, column: number, text: string): Expression {
    const wanted = isAddressList(field) ? canonicalAddress(text) ?? text : text;
    if (NUMBER.test(wanted)) return this.#predicates.add({ kind: "equal", column, text: wanted, number: String(Number(wanted)) });
    return this.#predicates.add({ kind: "equal", column, text: wanted });
  }

  #words(column: number, text: string): Expression {
    const words = wordsOf(text);
    return words.length ? this.#predicates.add({ kind: "words", column, words }) : FALSE;
  }

  #wordPattern(column: number, items: readonly GlobItem[]): Expression {
    const folded = items.map((item): GlobItem => (item.kind === "text" ? { kind: "text", text: foldCase(item.text) } : item));
    const separated = folded.some((item) => item.kind === "text" && [...item.text].some((character) => !isWordCharacter(character)));
    return this.#predicates.add({ kind: separated ? "spanGlob" : "wordGlob", column, items: folded });
  }

  #range(field: Field, column: number, low: Bound | undefined, high: Bound | undefined, includeLow: boolean, includeHigh: boolean): Expression {
    const lowNumber = low && boundNumber(field, low);
    const highNumber = high && boundNumber(field, high);
    const onlyNumbers = (!low || lowNumber !== undefined) && (!high || highNumber !== undefined);
    const inside = this.#predicates.add(onlyNumbers ? {
      kind: "number", column, low: lowNumber ?? Number.NEGATIVE_INFINITY, high: highNumber ?? Number.POSITIVE_INFINITY,
      includeLow: !low || includeLow, includeHigh: !high || includeHigh,
    } : { kind: "string", column, low: lowNumber ?? low?.text, high: highNumber ?? high?.text, includeLow, includeHigh });
    if (field.kind !== "tag" || (lowNumber === undefined && highNumber === undefined)) return inside;
    // A tag that is no number is compared with a number as text (search-syntax 11.5).
    return joined("or", [inside, this.#predicates.add({ kind: "string", column, low: low?.text, high: high?.text, includeLow, includeHigh, notNumbers: true })]);
  }

  #time(test: Test): Expression {
    const column = this.#columns.column({ kind: "reserved", name: "timestamp" });
    let low: number | undefined = Number.NEGATIVE_INFINITY;
    let high: number | undefined = Number.POSITIVE_INFINITY;
    let includeLow = true;
    let includeHigh = true;
    switch (test.kind) {
      case "equals":
      case "phrase":
        low = high = queryTime(test.text);
        break;
      case "comparison": {
        const above = test.op === ">" || test.op === ">=";
        if (above) low = queryTime(test.bound.text);
        else high = queryTime(test.bound.text);
        includeLow = test.op !== ">";
        includeHigh = test.op !== "<";
        break;
      }
      case "range":
        if (test.low) low = queryTime(test.low.text);
        if (test.high) high = queryTime(test.high.text);
        includeLow = test.includeLow || !test.low;
        includeHigh = test.includeHigh || !test.high;
        break;
      case "exists":
      case "wildcard":
        return FALSE; // handled before
    }
    if (low === undefined || high === undefined) return FALSE;
    return this.#predicates.add({ kind: "time", column, low, high, includeLow, includeHigh });
  }
}

function boundNumber(field: Field, bound: Bound): number | undefined {
  const duration = field.kind === "attribute" && field.path.join(".") === "duration" && !bound.quoted ? DURATION.exec(bound.text) : null;
  return duration ? Number(duration[1]) * NANOSECONDS[duration[2]!]! : bound.number;
}

export function isAddressList(field: Field): boolean {
  return field.kind === "attribute" && field.path.join(".") === "network.ip.list";
}

function isWordBased(field: Field): boolean {
  return field.kind === "freeText" || field.kind === "fullText" || (field.kind === "reserved" && field.name === "message");
}

/** The columns whose values a leaf on the field is tested on. */
function valueKeys(field: Field): readonly ColumnKey[] {
  switch (field.kind) {
    case "attribute":
      return [isAddressList(field) ? { kind: "addresses" } : { kind: "attribute", path: field.path }];
    case "reserved":
      return [field.name === "tags" ? { kind: "tags" } : { kind: "reserved", name: field.name }];
    case "tag":
      return [{ kind: "tag", key: field.key }];
    case "freeText":
      return freeTextKeys;
    case "fullText":
      return fullTextKeys;
    case "calculated":
      return [];
  }
}
