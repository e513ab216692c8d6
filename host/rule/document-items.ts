import { createRequire } from "node:module";
import type * as Yaml from "yaml";
import type { Problem } from "../problem.ts";
import { jsonFault } from "./json-fault.ts";
import { JsonPlaces, type Path, placePath } from "./json-place.ts";
import { LineIndex, type Position } from "./line-index.ts";
import { isMembers } from "./reader.ts";

export type DocumentKind = "json" | "jsonl" | "yaml";

/** One object of a file: a rule, a suppression ... */
export interface DocumentItem {
  readonly value: unknown;
  /** Where in the file the value at a place of the object begins; a missing one is shown at the object that lacks it. */
  locate(place: string): Position;
}

export interface DocumentItems {
  readonly items: readonly DocumentItem[];
  /** What keeps the text from being read, each with line and column. */
  readonly problems: readonly Problem[];
}

/**
 * The objects a text holds: one, a list, a list under one of `lists` names, one a line (`jsonl`), or several YAML documents.
 *
 * Lines are counted only for places that are asked for, so a file without problems costs its `JSON.parse`.
 */
export function documentItems(text: string, kind: DocumentKind, lists: readonly string[]): DocumentItems {
  const plain = text.startsWith("\ufeff") ? text.slice(1) : text;
  switch (kind) {
    case "json":
      return jsonItems(plain, lists, 1);
    case "jsonl":
      return lineItems(plain, lists);
    case "yaml":
      return yamlItems(plain, lists);
  }
}

interface Found {
  readonly value: unknown;
  readonly path: Path;
}

function itemsIn(value: unknown, lists: readonly string[]): Found[] {
  if (Array.isArray(value)) return value.map((each: unknown, i) => ({ value: each, path: [i] }));
  if (isMembers(value)) {
    const name = lists.find((each) => Array.isArray(value[each]));
    if (name !== undefined) return (value[name] as unknown[]).map((each, i) => ({ value: each, path: [name, i] }));
  }
  return value === null || value === undefined ? [] : [{ value, path: [] }];
}

function jsonItems(text: string, lists: readonly string[], firstLine: number): DocumentItems {
  const lines = new LineIndex(text);
  const position = (offset: number): Position => {
    const at = lines.at(offset);
    return { line: at.line + firstLine - 1, column: at.column };
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const fault = jsonFault(text) ?? { offset: 0, message: (error as Error).message, hint: "mend the JSON" };
    return { items: [], problems: [{ code: "rule/not-json", message: fault.message, hint: fault.hint, ...position(fault.offset) }] };
  }
  const places = new JsonPlaces(text);
  const items = itemsIn(value, lists).map(({ value: each, path }): DocumentItem => ({
    value: each,
    locate: (place) => position(places.offset([...path, ...placePath(place)])),
  }));
  return { items, problems: [] };
}

function lineItems(text: string, lists: readonly string[]): DocumentItems {
  const items: DocumentItem[] = [];
  const problems: Problem[] = [];
  text.split("\n").forEach((line, i) => {
    if (line.trim() === "") return;
    const read = jsonItems(line, lists, i + 1);
    items.push(...read.items);
    problems.push(...read.problems);
  });
  return { items, problems };
}

function yamlItems(text: string, lists: readonly string[]): DocumentItems {
  // Read when the first YAML comes: JSON rules, and there may be thousands, need none of it.
  const yaml = createRequire(import.meta.url)("yaml") as typeof Yaml;
  const lines = new LineIndex(text);
  const items: DocumentItem[] = [];
  const problems: Problem[] = [];
  const refuse = (message: string, offset: number, hint: string, level?: "warning"): void => {
    problems.push({ code: "rule/not-yaml", message, hint, ...(level ? { level } : {}), ...lines.at(offset) });
  };
  let documents: readonly Yaml.Document.Parsed[];
  try {
    const parsed = yaml.parseAllDocuments(text, { merge: true, uniqueKeys: true, prettyErrors: false });
    documents = Array.isArray(parsed) ? parsed : [];
  } catch (error) {
    refuse((error as Error).message, 0, "mend the YAML");
    return { items, problems };
  }
  for (const document of documents) {
    for (const error of document.errors) refuse(sentence(error.message), error.pos[0], yamlHint(error.code, text.slice(error.pos[0], error.pos[0] + 1)));
    for (const warning of document.warnings) refuse(sentence(warning.message), warning.pos[0], "take it out", "warning");
    if (document.errors.length) continue;
    try {
      for (const { value, path } of itemsIn(document.toJS({ maxAliasCount: 100 }), lists)) {
        items.push({ value, locate: (place) => lines.at(yamlOffset(yaml, document.contents, [...path, ...placePath(place)])) });
      }
    } catch (error) {
      refuse(sentence((error as Error).message), document.range[0], "write the rule out, with fewer aliases and less nesting");
    }
  }
  return { items, problems };
}

function sentence(message: string): string {
  const line = message.split("\n")[0]!.replace(/ at line.*$/, "").replace(/:$/, "");
  return line.charAt(0).toLowerCase() + line.slice(1);
}

function yamlHint(code: string, character: string): string {
  if (code === "DUPLICATE_KEY") return "keep one of the two";
  if (code === "TAB_AS_INDENT") return "indent with blanks";
  if (character === "@" || character === "`" || character === "%") return "put the text in quotes";
  if (code === "BAD_INDENT" || code === "MULTILINE_IMPLICIT_KEY") return "line up members that belong together";
  return "mend the YAML here; a text with : or # or quotes in it goes into quotes of its own";
}

/** Offset of the deepest node that exists along the path. */
function yamlOffset(yaml: typeof Yaml, root: Yaml.Node | null, path: Path): number {
  let node: Yaml.Node | null = root;
  for (const key of path) {
    let next: Yaml.Node | undefined;
    if (yaml.isMap(node)) {
      const pair = node.items.find((item) => yaml.isScalar(item.key) && String(item.key.value) === String(key));
      next = (pair?.value ?? pair?.key ?? undefined) as Yaml.Node | undefined;
    } else if (yaml.isSeq(node) && typeof key === "number") next = node.items[key] as Yaml.Node | undefined;
    if (!next) break;
    node = next;
  }
  return node?.range?.[0] ?? 0;
}
