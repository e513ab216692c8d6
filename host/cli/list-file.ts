import { readFileSync } from "node:fs";
import type { ReferenceTables } from "../rule/guards.ts";
import { UsageError } from "./problems.ts";

/** Objects of a JSON or YAML file: a list, one object, or the API's `{"data": [...]}`. */
export async function readListFile(path: string | undefined): Promise<readonly unknown[]> {
  if (path === undefined) return [];
  const value = await readValue(path);
  if (Array.isArray(value)) return value;
  if (typeof value === "object" && value !== null && "data" in value && Array.isArray(value.data)) return value.data;
  return value === null || value === undefined ? [] : [value];
}

/** Reference tables of a JSON or YAML file: `{table: [{column: value, ...}, ...]}`. */
export async function readTablesFile(path: string | undefined): Promise<ReferenceTables> {
  if (path === undefined) return {};
  const value = await readValue(path);
  const isTables = (tables: unknown): tables is ReferenceTables =>
    typeof tables === "object" && tables !== null && !Array.isArray(tables) && Object.values(tables).every((rows) => Array.isArray(rows) && rows.every((row) => typeof row === "object" && row !== null));
  if (!isTables(value)) throw new UsageError(`${path}: reference tables are {"table name": [{"column": "value"}, ...]}`);
  return value;
}

async function readValue(path: string): Promise<unknown> {
  let text: string;
  try {
    text = readFileSync(path, "utf8").replace(/^\ufeff/, "");
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    // YAML is a superset; it also knows where a fault lies.
  }
  const { parseDocument } = await import("yaml");
  const document = parseDocument(text);
  const fault = document.errors[0];
  if (fault) throw new UsageError(`${path}:${fault.linePos?.[0].line ?? 1}:${fault.linePos?.[0].col ?? 1}: ${fault.message.split("\n")[0]}`);
  return document.toJS();
}
