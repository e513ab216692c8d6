import type { Problem } from "../problem.ts";
import { type CriticalAssetRule, readCriticalAssetsWire } from "./critical-asset.ts";
import { type DocumentKind, documentItems } from "./document-items.ts";
import { type ReferenceTables, readReferenceTablesWire } from "./reference-table.ts";
import { type SecurityFilter, readSecurityFiltersWire } from "./security-filter.ts";
import type { ReadSettings } from "./settings-reader.ts";
import { type Suppression, readSuppressionsWire } from "./suppression.ts";

/** What one file gives beside the rules; problems carry file, line and column. */
export interface SettingsDocument<T> {
  readonly values: readonly T[];
  readonly problems: readonly Problem[];
}

/** Suppressions of a file: one, a list, `{suppressions: [...]}`, an API answer `{data: [...]}`, one a line. */
export function readSuppressionDocument(text: string, file: string, kind: DocumentKind): SettingsDocument<Suppression> {
  return readEach(text, file, kind, "suppressions", readSuppressionsWire);
}

export function readSecurityFilterDocument(text: string, file: string, kind: DocumentKind): SettingsDocument<SecurityFilter> {
  return readEach(text, file, kind, "security_filters", readSecurityFiltersWire);
}

export function readCriticalAssetDocument(text: string, file: string, kind: DocumentKind): SettingsDocument<CriticalAssetRule> {
  return readEach(text, file, kind, "critical_assets", readCriticalAssetsWire);
}

/** Reference tables of a file: `{table: [{column: value}]}`; several documents join theirs. */
export function readReferenceTableDocument(text: string, file: string, kind: DocumentKind): { readonly tables: ReferenceTables; readonly problems: readonly Problem[] } {
  const { items, problems } = documentItems(text, kind, ["reference_tables"]);
  const found: Problem[] = problems.map((problem) => ({ ...problem, file }));
  const tables: Record<string, ReferenceTables[string]> = {};
  for (const item of items) {
    const read = readReferenceTablesWire(item.value);
    for (const problem of read.problems) found.push({ ...problem, file, ...item.locate(problem.place ?? "") });
    Object.assign(tables, read.tables);
  }
  return { tables, problems: found };
}

function readEach<T>(text: string, file: string, kind: DocumentKind, name: string, read: (list: readonly unknown[]) => ReadSettings<T>): SettingsDocument<T> {
  const { items, problems } = documentItems(text, kind, [name, "data"]);
  const values: T[] = [];
  const found: Problem[] = problems.map((problem) => ({ ...problem, file }));
  for (const item of items) {
    const one = read([item.value]);
    values.push(...one.values);
    for (const problem of one.problems) {
      // Places are told as those of a list of one; in the file they are the item's own.
      const place = (problem.place ?? "").replace(/^\w+\[0\]\.?/, "");
      found.push({ ...problem, place, file, ...item.locate(place) });
    }
  }
  return { values, problems: found };
}
