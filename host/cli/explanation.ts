import type { ColumnKey, ColumnPlan } from "../engine/columns.ts";
import type { Predicate } from "../engine/matching/predicate.ts";
import { fieldText } from "../query/field.ts";
import type { GlobItem } from "../query/tree.ts";

/** A column as a query names it. */
export function columnText(key: ColumnKey): string {
  switch (key.kind) {
    case "attribute":
      return fieldText({ kind: "attribute", path: key.path });
    case "exists":
      return `${fieldText({ kind: "attribute", path: key.path })} (present)`;
    case "any":
      return key.paths.map((path) => fieldText({ kind: "attribute", path })).join(", ");
    case "reserved":
    case "member":
      return key.name;
    case "tags":
      return "tags";
    case "tag":
      return fieldText({ kind: "tag", key: key.key });
    case "all":
      return "every value";
    case "addresses":
      return "@network.ip.list";
  }
}

/** What a predicate asks, in words. */
export function predicateText(predicate: Predicate, columns: ColumnPlan): string {
  return `${columnText(columns.keys[predicate.column]!)} ${askText(predicate)}`;
}

function askText(predicate: Predicate): string {
  switch (predicate.kind) {
    case "equal":
      return `is ${JSON.stringify(predicate.text)}`;
    case "glob":
      return `has the form ${globText(predicate.items)}`;
    case "words":
      return `holds the words ${JSON.stringify(predicate.words.join(" "))}`;
    case "wordGlob":
      return `holds a word of the form ${globText(predicate.items)}`;
    case "spanGlob":
      return `holds words of the form ${globText(predicate.items)}`;
    case "exists":
      return "exists";
    case "number":
    case "time":
      return `lies in ${predicate.includeLow ? "[" : "("}${predicate.low}, ${predicate.high}${predicate.includeHigh ? "]" : ")"}`;
    case "string":
      return `sorts in ${predicate.includeLow ? "[" : "("}${JSON.stringify(predicate.low ?? "")}, ${predicate.high === undefined ? "end" : JSON.stringify(predicate.high)}${predicate.includeHigh ? "]" : ")"}`;
    case "cidr":
      return `lies in ${predicate.blocks.map((block) => block.text).join(" or ")}`;
  }
}

function globText(items: readonly GlobItem[]): string {
  return items.map((item) => (item.kind === "any" ? "*" : item.kind === "one" ? "?" : item.text)).join("");
}
