import { zipSync } from "fflate";
import type { Problem } from "../../problem.ts";
import { type RuleDocumentKind, readRuleDocument } from "../../rule/document.ts";
import { badRequest, problemsError } from "../api-error.ts";
import type { NewRule } from "./editor.ts";
import { FileNames } from "./file-names.ts";
import { unzip } from "./unzip.ts";

/** The first day a ZIP can tell: the same rules give the same bytes. */
const ZIP_TIME = new Date(1980, 0, 1);
const MOST_FILES = 2000;
const MOST_BYTES = 50 * 1024 * 1024;
/** Of one import. */
const MOST_RULES = 2000;
/** Of one text: YAML is read a megabyte a second, and logs wait meanwhile. */
const MOST_YAML_BYTES = 1024 * 1024;
const MOST_PROBLEMS = 200;
const kinds: Readonly<Record<string, RuleDocumentKind>> = { json: "json", jsonl: "jsonl", ndjson: "jsonl", yaml: "yaml", yml: "yaml" };

/** A ZIP of texts, each under the name of its rule. */
export function ruleArchive(files: ReadonlyArray<{ readonly name: string; readonly text: string }>, extension: string): Buffer {
  const names = new FileNames(extension);
  const entries = files.map(({ name, text }): [string, Uint8Array] => [names.of(name), new TextEncoder().encode(text)]);
  return Buffer.from(zipSync(Object.fromEntries(entries), { mtime: ZIP_TIME }));
}

/** Rules of a JSON or YAML text, or of the files of a ZIP, with time for others in between. Rejects with an `ApiError` of 400 and what is wrong. */
export async function readRules(bytes: Buffer): Promise<NewRule[]> {
  if (!bytes.length) throw badRequest("the body is missing; send rules as JSON or YAML, or a ZIP of such files");
  const isZip = bytes.subarray(0, 4).equals(Buffer.from("PK\u0003\u0004", "latin1"));
  const files: readonly RuleFile[] = isZip ? (await unzip(bytes, (name) => kindOf(name) !== undefined, { files: MOST_FILES, bytes: MOST_BYTES })).map(({ name, bytes: content }) => ({ file: name, content, kind: kindOf(name)! }))
    : [{ file: "body", content: bytes, kind: /^\s*[[{]/.test(bytes.toString("utf8", 0, 1000)) ? "json" : "yaml" }];
  const problems: Problem[] = [];
  const rules: NewRule[] = [];
  const ids = new Set<string>();
  for (const { file, content, kind } of files) {
    if (kind === "yaml" && content.length > MOST_YAML_BYTES) throw badRequest(`${file}: a YAML text of ${content.length} bytes takes too long to read; keep to ${MOST_YAML_BYTES}, in several files of a ZIP, or send JSON`);
    const document = readRuleDocument(content.toString("utf8"), file, kind, MOST_RULES - rules.length);
    problems.push(...document.problems.filter(({ level }) => level !== "warning"));
    if (problems.length >= MOST_PROBLEMS) break;
    for (const { wire } of document.rules) {
      const id = typeof wire.id === "string" ? wire.id : undefined;
      if (id !== undefined && ids.has(id)) throw badRequest(`two rules have the id ${id}`);
      if (id !== undefined) ids.add(id);
      rules.push({ document: wire, ...(id === undefined ? {} : { id }) });
    }
    await new Promise((next) => setImmediate(next));
  }
  if (problems.length) throw problemsError(problems.slice(0, MOST_PROBLEMS).map(({ file, line, place, ...problem }) => ({ ...problem, place: [file, line, place].filter((part) => part !== undefined && part !== "").join(":") })), "Invalid rule configuration");
  if (!rules.length) throw badRequest("there is no rule in it");
  return rules;
}

interface RuleFile {
  readonly file: string;
  readonly content: Buffer;
  readonly kind: RuleDocumentKind;
}

function kindOf(name: string): RuleDocumentKind | undefined {
  const extension = /\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(kinds, extension) ? kinds[extension] : undefined;
}
