import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { LineCounter, type Scalar, parseAllDocuments, visit } from "yaml";
import type { Problem } from "../problem.ts";

/** Finds the text that a problem's span counts in: the value standing at the problem's line and column. */
export class QueryTexts {
  readonly #texts = new Map<string, Map<string, string>>();

  find(problem: Problem): string | undefined {
    if (problem.file === undefined || problem.line === undefined) return undefined;
    const lines = extname(problem.file) === ".jsonl" || extname(problem.file) === ".ndjson";
    const key = lines ? `${problem.file}\n${problem.line}` : problem.file;
    let values = this.#texts.get(key);
    if (!values) {
      const text = readFileSync(problem.file, "utf8");
      values = scalarTexts(lines ? (text.split("\n")[problem.line - 1] ?? "") : text);
      this.#texts.set(key, values);
    }
    return values.get(`${lines ? 1 : problem.line}:${problem.column}`);
  }
}

/** Every text value of a document by its `line:column`. */
function scalarTexts(text: string): Map<string, string> {
  const lineCounter = new LineCounter();
  const values = new Map<string, string>();
  const documents = parseAllDocuments(text, { lineCounter });
  for (const document of Array.isArray(documents) ? documents : []) {
    visit(document, {
      Scalar(_key, node: Scalar) {
        if (typeof node.value !== "string" || !node.range) return;
        const at = lineCounter.linePos(node.range[0]);
        values.set(`${at.line}:${at.col}`, node.value);
      },
    });
  }
  return values;
}
