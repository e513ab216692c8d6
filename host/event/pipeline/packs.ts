import { createRequire } from "node:module";
import type * as Yaml from "yaml";
import type { Problem } from "../../problem.ts";
import { readPipelines } from "./document.ts";
import { isMembers } from "./members.ts";
import type { Pipeline } from "./pipeline.ts";

/** Rules, pipelines and tests of one source, as content/<name>/ holds them. `host/packs.ts` reads the folders. */
export interface Pack {
  readonly name: string;
  readonly version: string;
  readonly title: string;
  readonly description: string;
  /** Values of `source` its pipelines read. */
  readonly sources: readonly string[];
  /** How files of the source are read when nothing else is said. */
  readonly format: string | undefined;
  readonly pipelines: readonly Pipeline[];
  /** Rule files, below the pack's folder. */
  readonly rules: readonly string[];
  /** Of the manifest and the pipelines; rules are read, and judged, elsewhere. */
  readonly problems: readonly Problem[];
}

const members = ["name", "version", "title", "description", "sources", "format", "pipelines", "rules"];

/** A pack of its manifest's text; `readFile` gives the text of a file below the pack's folder, undefined when there is none. */
export function readPack(manifest: string, file: string, readFile: (path: string) => string | undefined): Pack {
  const problems: Problem[] = [];
  const refuse = (message: string, hint: string, level?: "warning"): void => void problems.push({ code: "pack/manifest", message, hint, file, line: 1, ...(level ? { level } : {}) });
  const wire = readYaml(manifest, refuse);
  const text = (name: string): string => {
    const value = wire[name];
    if (typeof value === "string" || typeof value === "number") return String(value);
    if (name !== "description" && name !== "format") refuse(`${name} is missing`, `write ${name}:`);
    return "";
  };
  const texts = (name: string): string[] => {
    const value = wire[name] ?? [];
    if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
    refuse(`${name} is no list of texts`, "write a list");
    return [];
  };
  for (const name of Object.keys(wire)) if (!members.includes(name)) refuse(`${name} is not known here and does nothing`, `take it out, or use one of ${members.join(" ")}`, "warning");
  const pipelines: Pipeline[] = [];
  for (const path of texts("pipelines")) {
    const content = readFile(path);
    if (content === undefined) {
      refuse(`there is no ${path}`, "name files below the pack's folder");
      continue;
    }
    const read = readPipelines(content, file.replace(/[^/\\]*$/, path));
    pipelines.push(...read.pipelines);
    problems.push(...read.problems);
  }
  return {
    name: text("name"), version: text("version"), title: text("title"), description: text("description"), format: text("format") || undefined,
    sources: texts("sources"), pipelines, rules: texts("rules"), problems,
  };
}

function readYaml(text: string, refuse: (message: string, hint: string) => void): { readonly [name: string]: unknown } {
  const yaml = createRequire(import.meta.url)("yaml") as typeof Yaml;
  try {
    const value: unknown = yaml.parse(text, { maxAliasCount: 10 });
    if (isMembers(value)) return value;
    refuse("the manifest is no object", "write name, version, title, sources, pipelines and rules");
  } catch (error) {
    refuse((error as Error).message.split("\n")[0]!, "mend the YAML");
  }
  return {};
}
