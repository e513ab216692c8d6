import type { ApiSignal } from "./api.ts";

/** A column of an export: its heading and its text. */
export interface ExportColumn {
  readonly name: string;
  readonly of: (signal: ApiSignal) => unknown;
}

const inner = (signal: ApiSignal, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((at, name) => (typeof at === "object" && at !== null && Object.hasOwn(at, name) ? (at as Record<string, unknown>)[name] : undefined), signal.attributes.custom);

/** What an export has where nobody chose otherwise. */
export const exportColumns: readonly ExportColumn[] = [
  { name: "id", of: ({ id }) => id },
  { name: "timestamp", of: ({ attributes }) => attributes.timestamp },
  { name: "severity", of: ({ attributes }) => attributes.severity },
  { name: "title", of: ({ attributes }) => attributes.title },
  { name: "state", of: (signal) => inner(signal, "workflow", "triage", "state") },
  { name: "assignee", of: (signal) => inner(signal, "workflow", "triage", "assignee", "handle") },
  { name: "archive_reason", of: (signal) => inner(signal, "workflow", "triage", "archiveReason") },
  { name: "rule_id", of: (signal) => inner(signal, "workflow", "rule", "id") },
  { name: "rule_name", of: (signal) => inner(signal, "workflow", "rule", "name") },
  { name: "first_seen", of: (signal) => inner(signal, "workflow", "first_seen") },
  { name: "last_seen", of: (signal) => inner(signal, "workflow", "last_seen") },
  { name: "events_matched", of: (signal) => inner(signal, "workflow", "events_matched") },
  { name: "entities", of: (signal) => inner(signal, "entities") },
  { name: "tags", of: ({ attributes }) => attributes.tags },
];

/** The heading of a CSV (RFC 4180). */
export function csvHead(columns: readonly ExportColumn[] = exportColumns): string {
  return csvLine(columns.map(({ name }) => name));
}

/** One signal as a line of CSV. */
export function csvRow(signal: ApiSignal, columns: readonly ExportColumn[] = exportColumns): string {
  return csvLine(columns.map((column) => column.of(signal)));
}

export function signalsCsv(signals: Iterable<ApiSignal>, columns: readonly ExportColumn[] = exportColumns): string {
  let text = csvHead(columns);
  for (const signal of signals) text += csvRow(signal, columns);
  return text;
}

/** The same signals as a JSON list, one on each line. */
export function signalsJson(signals: Iterable<ApiSignal>): string {
  return `[${[...signals].map((signal) => `\n${JSON.stringify(signal)}`).join(",")}\n]\n`;
}

function csvLine(values: readonly unknown[]): string {
  return `${values.map(csvCell).join(",")}\r\n`;
}

/**
 * A value as a cell. Text that a spreadsheet would take for a formula stands behind an apostrophe: it comes from logs, and a formula
 * opens addresses and runs programs.
 */
export function csvCell(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = typeof value === "string" ? value : Array.isArray(value) ? value.map((each) => (typeof each === "string" ? each : JSON.stringify(each))).join("; ") : JSON.stringify(value);
  // Spreadsheets look past blanks, and at the first sign in their wide forms too.
  const safe = /^[\s\u0000]*[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/u.test(text) ? `'${text}` : text;
  return /[",\r\n;']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
