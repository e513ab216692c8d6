import { readFileSync } from "node:fs";
import { extname } from "node:path";
import type { Problem } from "../problem.ts";
import type { CriticalAssetRule } from "../rule/critical-asset.ts";
import { type DocumentKind, documentItems } from "../rule/document-items.ts";
import { isMembers } from "../rule/reader.ts";
import { type ReferenceTables, readReferenceTablesWire } from "../rule/reference-table.ts";
import type { SecurityFilter } from "../rule/security-filter.ts";
import { readCriticalAssetDocument, readReferenceTableDocument, readSecurityFilterDocument, readSuppressionDocument } from "../rule/settings-document.ts";
import type { Suppression } from "../rule/suppression.ts";
import { UsageError } from "./problems.ts";

const kinds: Readonly<Record<string, DocumentKind>> = { ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl" };
const names = ["suppressions", "security_filters", "critical_assets", "reference_tables"] as const;
type Name = (typeof names)[number];

/** What stands beside the rules, as files name it. */
export interface SettingsFiles {
  /** Files that hold several kinds, each under its name. */
  readonly settings?: readonly string[];
  readonly suppressions?: string;
  readonly securityFilters?: string;
  readonly criticalAssets?: string;
  readonly referenceTables?: string;
}

/** What stands beside the rules, joined from all files; what is wrong in any of them comes back together. */
export class Settings {
  readonly suppressions: Suppression[] = [];
  /** Undefined when no file speaks of filters: then everything passes. */
  securityFilters: SecurityFilter[] | undefined;
  readonly criticalAssets: CriticalAssetRule[] = [];
  referenceTables: ReferenceTables = {};
  readonly problems: Problem[] = [];
  readonly #textOf: (file: string) => string;

  /** @param textOf a file's text, where it is not to be read from disk */
  constructor(files: SettingsFiles, textOf: (file: string) => string = readText) {
    this.#textOf = textOf;
    for (const file of files.settings ?? []) this.#readMixed(file);
    const single: ReadonlyArray<readonly [Name, string | undefined]> = [
      ["suppressions", files.suppressions], ["security_filters", files.securityFilters], ["critical_assets", files.criticalAssets], ["reference_tables", files.referenceTables],
    ];
    for (const [name, file] of single) if (file !== undefined) this.#readOne(name, textOf(file), file);
  }

  #readOne(name: Name, text: string, file: string): void {
    const kind = kindOf(file);
    switch (name) {
      case "suppressions":
        this.suppressions.push(...this.#kept(readSuppressionDocument(text, file, kind)));
        break;
      case "security_filters":
        (this.securityFilters ??= []).push(...this.#kept(readSecurityFilterDocument(text, file, kind)));
        break;
      case "critical_assets":
        this.criticalAssets.push(...this.#kept(readCriticalAssetDocument(text, file, kind)));
        break;
      case "reference_tables": {
        const { tables, problems } = readReferenceTableDocument(text, file, kind);
        this.referenceTables = { ...this.referenceTables, ...tables };
        this.problems.push(...problems);
        break;
      }
    }
  }

  #kept<T>({ values, problems }: { readonly values: readonly T[]; readonly problems: readonly Problem[] }): readonly T[] {
    this.problems.push(...problems);
    return values;
  }

  /** A file whose members name their kinds, or a list as the API answers it, whose objects do. */
  #readMixed(file: string): void {
    const text = this.#textOf(file);
    const { items, problems } = documentItems(text, kindOf(file), ["data"]);
    this.problems.push(...problems.map((problem) => ({ ...problem, file })));
    if (problems.length) return;
    const found = new Set<Name>();
    for (const item of items) {
      const inside = namesIn(item.value);
      const strange = isMembers(item.value) && item.value.type === undefined ? Object.keys(item.value).find((member) => !(names as readonly string[]).includes(member)) : undefined;
      if (!inside.length || strange !== undefined) {
        this.problems.push({
          code: "rule/unknown-settings", message: strange === undefined ? "it does not say what it holds" : `${strange} is no kind of settings`,
          hint: `write ${names.map((name) => `${name}:`).join(", ")} above each list`, file, ...(strange === undefined ? {} : { place: strange }), ...item.locate(strange ?? ""),
        });
        return;
      }
      for (const name of inside) found.add(name);
      const tables = isMembers(item.value) ? item.value.reference_tables : undefined;
      if (!isMembers(tables)) continue;
      found.delete("reference_tables");
      const read = readReferenceTablesWire(tables);
      this.referenceTables = { ...this.referenceTables, ...read.tables };
      for (const problem of read.problems) {
        const place = `reference_tables${problem.place ? `.${problem.place}` : ""}`;
        this.problems.push({ ...problem, place, file, ...item.locate(place) });
      }
    }
    const kindsOfEach = items.map((item) => namesIn(item.value).join());
    if (kindsOfEach.some((each) => each !== kindsOfEach[0])) {
      this.problems.push({ code: "rule/unknown-settings", message: "its parts hold different kinds", hint: "join them to one object, or give each kind a file of its own", file, line: 1, column: 1 });
      return;
    }
    for (const name of found) this.#readOne(name, text, file);
  }
}

/** Kinds an object holds: as members, or as what it is itself by its JSON:API `type`. */
function namesIn(value: unknown): Name[] {
  if (!isMembers(value)) return [];
  if (typeof value.type === "string") return names.filter((name) => name === value.type);
  return names.filter((name) => value[name] !== undefined && value[name] !== null);
}

function kindOf(file: string): DocumentKind {
  return kinds[extname(file)] ?? "yaml";
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}
