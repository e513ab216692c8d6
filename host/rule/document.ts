import { LineCounter, type Node, isMap, isScalar, isSeq, parseAllDocuments } from "yaml";
import type { Problem } from "../problem.ts";
import { type Rule } from "./rule.ts";
import { readRuleWire } from "./wire.ts";
import { isMembers } from "./reader.ts";

export interface RuleDocument {
  readonly rules: readonly Rule[];
  /** Errors and warnings, each with file, line and column. */
  readonly problems: readonly Problem[];
}

export type RuleDocumentKind = "json" | "jsonl" | "yaml";

interface Found {
  readonly value: unknown;
  /** Path of the rule inside the document, for finding lines. */
  readonly path: ReadonlyArray<string | number>;
  readonly document: number;
}

/** Rules of one file's text: one rule, a list of rules, `{rules: [...]}`, one a line, or several YAML documents. */
export function readRuleDocument(text: string, file: string, kind: RuleDocumentKind): RuleDocument {
  if (kind === "jsonl") return readLines(text, file);
  if (kind === "json") {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return readYaml(text, file, "rule/not-json");
    }
    const found = rulesIn(value, 0);
    const read = found.map((each) => readRuleWire(each.value));
    if (read.every((each) => each.ok && !each.problems.length)) return { rules: read.flatMap((each) => (each.ok ? [each.rule] : [])), problems: [] };
    // Only a file with something to say is read again for its lines.
    return readYaml(text, file, "rule/not-json");
  }
  return readYaml(text, file, "rule/not-yaml");
}

function rulesIn(value: unknown, document: number): Found[] {
  if (Array.isArray(value)) return value.map((each, i) => ({ value: each, path: [i], document }));
  if (isMembers(value) && Array.isArray(value.rules) && value.queries === undefined) return value.rules.map((each, i) => ({ value: each, path: ["rules", i], document }));
  return value === null || value === undefined ? [] : [{ value, path: [], document }];
}

function readLines(text: string, file: string): RuleDocument {
  const rules: Rule[] = [];
  const problems: Problem[] = [];
  text.split("\n").forEach((line, i) => {
    if (line.trim() === "") return;
    const read = readRuleDocument(line, file, "json");
    rules.push(...read.rules);
    problems.push(...read.problems.map((problem) => ({ ...problem, line: i + 1 })));
  });
  return { rules, problems };
}

function readYaml(text: string, file: string, syntaxCode: string): RuleDocument {
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter, uniqueKeys: true, maxAliasCount: 100 } as never);
  const list = Array.isArray(documents) ? documents : [];
  const rules: Rule[] = [];
  const problems: Problem[] = [];
  list.forEach((document, index) => {
    for (const error of document.errors) {
      const at = lineCounter.linePos(error.pos[0]);
      problems.push({ code: syntaxCode, message: error.message.split("\n")[0]!.replace(/ at line.*$/, ""), hint: "mend the syntax here", file, line: at.line, column: at.col });
    }
    if (document.errors.length) return;
    for (const found of rulesIn(document.toJS(), index)) {
      const read = readRuleWire(found.value);
      if (read.ok) rules.push(read.rule);
      for (const problem of read.problems) {
        const node = nodeAt(document.contents as Node | null, [...found.path, ...placePath(problem.place ?? "")]);
        const at = lineCounter.linePos(node?.range?.[0] ?? 0);
        problems.push({ ...problem, file, line: at.line, column: at.col });
      }
    }
  });
  return { rules, problems };
}

/** `cases[1].condition` as keys. */
function placePath(place: string): Array<string | number> {
  return [...place.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map((match) => (match[2] === undefined ? match[1]! : Number(match[2])));
}

/** The deepest node that exists along the path: a missing member is shown at the object that lacks it. */
function nodeAt(node: Node | null, path: ReadonlyArray<string | number>): Node | null {
  let at = node;
  for (const key of path) {
    let next: Node | null | undefined;
    if (isMap(at)) {
      const pair = at.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      next = (pair?.value ?? pair?.key) as Node | undefined;
    } else if (isSeq(at) && typeof key === "number") next = at.items[key] as Node | undefined;
    if (!next) return at;
    at = next;
  }
  return at;
}
