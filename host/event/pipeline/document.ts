import { createRequire } from "node:module";
import type * as Yaml from "yaml";
import type { Problem } from "../../problem.ts";
import { isMembers } from "./members.ts";
import type { Pipeline } from "./pipeline.ts";
import { readPipeline } from "./wire.ts";

export interface PipelineDocument {
  /** Those without an error. */
  readonly pipelines: readonly Pipeline[];
  /** Errors and warnings, each with file and line, as they stand in the file. */
  readonly problems: readonly Problem[];
}

type Path = ReadonlyArray<string | number>;

/** Pipelines of one file's text, YAML or JSON in Datadog's shape: one, a list, or `{pipelines: [...]}`. */
export function readPipelines(text: string, file: string): PipelineDocument {
  const yaml = createRequire(import.meta.url)("yaml") as typeof Yaml;
  const lines = new yaml.LineCounter();
  const problems: Problem[] = [];
  const refuse = (message: string, offset: number): void => {
    const { line, col } = lines.linePos(offset);
    problems.push({ code: "pipeline/not-yaml", message: message.split("\n")[0]!, hint: "mend the YAML; a text with : or # or quotes in it goes into quotes of its own", file, line, column: col });
  };
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  for (const error of document.errors) refuse(error.message, error.pos[0]);
  let value: unknown;
  if (!problems.length) {
    try {
      value = document.toJS({ maxAliasCount: 100 });
    } catch (error) {
      refuse((error as Error).message, 0);
    }
  }
  if (problems.length) return { pipelines: [], problems };

  const pipelines: Pipeline[] = [];
  const ids = new Set<string>();
  for (const { value: wire, path } of itemsIn(value)) {
    const read = readPipeline(wire);
    for (const problem of read.problems) {
      const { place = "", line: lineOfText, ...rest } = problem;
      const { offset, isBlock } = nodeAt(yaml, document.contents, [...path, ...pathOf(place)]);
      const { line, col } = lines.linePos(offset);
      // The lines of a block text begin below its | sign.
      problems.push({ ...rest, place: place || undefined, file, line: isBlock && lineOfText !== undefined ? line + lineOfText : line, column: isBlock && lineOfText !== undefined ? 1 : col });
    }
    const { pipeline } = read;
    if (!pipeline) continue;
    if (ids.has(pipeline.id)) {
      const { line, col } = lines.linePos(nodeAt(yaml, document.contents, path).offset);
      problems.push({ code: "pipeline/duplicate-id", message: `another pipeline of this file is called ${pipeline.id} too`, hint: "give each an id of its own", file, line, column: col });
      continue;
    }
    ids.add(pipeline.id);
    pipelines.push(pipeline);
  }
  return { pipelines, problems: problems.sort((a, b) => a.line! - b.line! || a.column! - b.column!) };
}

function itemsIn(value: unknown): ReadonlyArray<{ readonly value: unknown; readonly path: Path }> {
  if (Array.isArray(value)) return value.map((each: unknown, i) => ({ value: each, path: [i] }));
  if (isMembers(value) && Array.isArray(value.pipelines)) return value.pipelines.map((each, i) => ({ value: each, path: ["pipelines", i] }));
  return value === null || value === undefined ? [] : [{ value, path: [] }];
}

/** `processors[1].grok.match_rules` as steps. */
function pathOf(place: string): Path {
  return place === "" ? [] : place.replaceAll("[", ".").replaceAll("]", "").split(".").map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

/** Where the deepest node that exists along the path begins. */
function nodeAt(yaml: typeof Yaml, root: unknown, path: Path): { readonly offset: number; readonly isBlock: boolean } {
  let node: unknown = root;
  for (const step of path) {
    const next: unknown = yaml.isCollection(node) ? node.get(step, true) : undefined;
    if (!yaml.isNode(next)) break;
    node = next;
  }
  const isBlock = yaml.isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED");
  return { offset: (yaml.isNode(node) ? node.range?.[0] : undefined) ?? 0, isBlock };
}
