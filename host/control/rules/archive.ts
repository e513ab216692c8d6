import { unzipSync, zipSync } from "fflate";
import { type RuleDocumentKind, readRuleDocument } from "../../rule/document.ts";
import { isMembers } from "../../rule/reader.ts";
import { badRequest, problemsError } from "../api-error.ts";
import type { NewRule } from "./editor.ts";
import { FileNames } from "./file-names.ts";

/** The first day a ZIP can tell: the same rules give the same bytes. */
const ZIP_TIME = new Date(1980, 0, 1);
const MOST_FILES = 2000;
const MOST_BYTES = 50 * 1024 * 1024;
const kinds: Readonly<Record<string, RuleDocumentKind>> = { json: "json", jsonl: "jsonl", ndjson: "jsonl", yaml: "yaml", yml: "yaml" };

/** A ZIP of texts, each under the name of its rule. */
export function ruleArchive(files: ReadonlyArray<{ readonly name: string; readonly text: string }>, extension: string): Buffer {
  const names = new FileNames(extension);
  const entries = files.map(({ name, text }): [string, Uint8Array] => [names.of(name), new TextEncoder().encode(text)]);
  return Buffer.from(zipSync(Object.fromEntries(entries), { mtime: ZIP_TIME }));
}

/** Rules of a JSON or YAML text, or of the files of a ZIP. Throws an `ApiError` with 400 and all that is wrong. */
export function readRules(bytes: Buffer): NewRule[] {
  if (!bytes.length) throw badRequest("the body is missing; send rules as JSON or YAML, or a ZIP of such files");
  const files = bytes.subarray(0, 4).equals(Buffer.from("PK\u0003\u0004", "latin1")) ? unpacked(bytes) : [{ file: "body", text: bytes.toString("utf8"), kind: /^\s*[[{]/.test(bytes.toString("utf8", 0, 1000)) ? ("json" as const) : ("yaml" as const) }];
  const documents = files.map(({ file, text, kind }) => readRuleDocument(text, file, kind));
  const problems = documents.flatMap((each) => each.problems).filter(({ level }) => level !== "warning");
  if (problems.length) throw problemsError(problems.map(({ file, line, place, ...problem }) => ({ ...problem, place: [file, line, place].filter((part) => part !== undefined && part !== "").join(":") })), "Invalid rule configuration");
  const rules = documents.flatMap((each) => each.rules).map(({ wire }): NewRule => ({ document: wire, ...(typeof wire.id === "string" ? { id: wire.id } : {}) }));
  if (!rules.length) throw badRequest("there is no rule in it");
  const twice = rules.find(({ id }, i) => id !== undefined && rules.findIndex((other) => other.id === id) < i);
  if (twice) throw badRequest(`two rules have the id ${twice.id}`);
  return rules;
}

function unpacked(bytes: Buffer): Array<{ readonly file: string; readonly text: string; readonly kind: RuleDocumentKind }> {
  let files = 0;
  let size = 0;
  let entries: Readonly<Record<string, Uint8Array>>;
  try {
    entries = unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        if (name.endsWith("/") || !kindOf(name)) return false;
        size += originalSize;
        if (++files > MOST_FILES || size > MOST_BYTES) throw badRequest(`the ZIP holds more than ${MOST_FILES} files, or more than ${MOST_BYTES} bytes`);
        return true;
      },
    });
  } catch (error) {
    if (isMembers(error) && typeof error.status === "number") throw error as never;
    throw badRequest(`the ZIP cannot be read: ${(error as Error).message}`);
  }
  return Object.entries(entries).map(([file, content]) => ({ file, text: Buffer.from(content).toString("utf8"), kind: kindOf(file)! }));
}

function kindOf(name: string): RuleDocumentKind | undefined {
  const extension = /\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(kinds, extension) ? kinds[extension] : undefined;
}
