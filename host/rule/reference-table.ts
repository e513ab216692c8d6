import type { Field, QueryNode } from "../query/tree.ts";
import { namedField, readField } from "../query/field.ts";
import { type Problem, ProblemError } from "../problem.ts";
import { Reader, isMembers } from "./reader.ts";
import type { ReferenceTableJoin, Rule } from "./rule.ts";

/** Table name to rows, each column name to value. */
export type ReferenceTables = Readonly<Record<string, ReadonlyArray<Readonly<Record<string, unknown>>>>>;

/** More rows than this cannot filter a rule. */
export const FILTER_ROW_CAP = 40_000;

const span = { start: 0, end: 0 };

/** `{ "table": [ { "column": value } ] }`, with everything that is wrong with it. */
export function readReferenceTablesWire(value: unknown): { readonly tables: ReferenceTables; readonly problems: readonly Problem[] } {
  const reader = new Reader();
  const entries = Object.entries(reader.members(value, "")).map(([name, rows]) =>
    [name, reader.list({ [name]: rows ?? [] }, name, "").map((row, i) => reader.members(row, `${name}[${i}]`))] as const);
  return { tables: Object.fromEntries(entries), problems: reader.problems };
}

/** The tables, or a `ProblemError`. */
export function readReferenceTables(value: unknown): ReferenceTables {
  const { tables, problems } = readReferenceTablesWire(value);
  if (problems.length) throw new ProblemError(problems);
  return tables;
}

/** What rules ask of tables that these tables do not give: a table or column that is not there, or too many rows. */
export function checkReferenceTables(rules: readonly Rule[], tables: ReferenceTables): Problem[] {
  return rules.flatMap((rule) => rule.referenceTables.flatMap((join, i): Problem[] => {
    const place = `referenceTables[${i}]`;
    const rows = rowsOf(tables, join.tableName);
    const level = "warning" as const;
    if (!rows) return [{ code: "rule/unknown-table", level, place: `${place}.tableName`, message: `${rule.name}: there is no reference table ${join.tableName}`, hint: "give it beside the rules, or the rule sees an empty table" }];
    if (rows.length > FILTER_ROW_CAP) return [tooLarge(rule, join, rows.length, place)];
    return [["columnName", join.columnName] as const, ...join.columns.map((column, n) => [`columns[${n}]`, column] as const)]
      .filter(([, column]) => rows.length && !rows.some((row) => Object.hasOwn(row, column)))
      .map(([name, column]) => ({ code: "rule/unknown-column", level, place: `${place}.${name}`, message: `${rule.name}: table ${join.tableName} has no column ${column}`, hint: `its columns are ${Object.keys(rows[0]!).slice(0, 20).join(", ")}` }));
  }));
}

/** The join as part of the query it narrows. Throws a `ProblemError` for a table too large to filter by. */
export function joinNode(rule: Rule, join: ReferenceTableJoin, tables: ReferenceTables): QueryNode {
  const rows = rowsOf(tables, join.tableName) ?? [];
  if (rows.length > FILTER_ROW_CAP) throw new ProblemError([tooLarge(rule, join, rows.length, `referenceTables[${rule.referenceTables.indexOf(join)}]`)]);
  const values = new Set<string>();
  for (const row of rows) {
    const value = isMembers(row) && Object.hasOwn(row, join.columnName) ? row[join.columnName] : undefined;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") values.add(String(value));
  }
  const inTable = isIn(join.fieldPath, [...values]);
  return join.checkPresence ? inTable : not(inTable);
}

export function rowsOf(tables: ReferenceTables, name: string): ReferenceTables[string] | undefined {
  return Object.hasOwn(tables, name) ? tables[name] : undefined;
}

function tooLarge(rule: Rule, join: ReferenceTableJoin, rows: number, place: string): Problem {
  return { code: "rule/table-too-large", place: `${place}.tableName`, message: `${rule.name}: table ${join.tableName} has ${rows} rows`, hint: `a rule filters by tables of at most ${FILTER_ROW_CAP} rows` };
}

/** The event has one of these there. A path without `@` is an attribute's, and where the event has none, a tag's or reserved attribute's. */
export function isIn(path: string, values: readonly string[]): QueryNode {
  const attribute = readField(path.startsWith("@") ? path : `@${path}`);
  const byAttribute = oneOf(attribute, values);
  if (path.startsWith("@") || !values.length) return byAttribute;
  const exists: QueryNode = { kind: "leaf", field: attribute, test: { kind: "exists" }, span };
  return { kind: "or", nodes: [byAttribute, { kind: "and", nodes: [not(exists), oneOf(namedField(path), values)], span }], span };
}

function oneOf(field: Field, values: readonly string[]): QueryNode {
  const nodes = values.map((text): QueryNode => ({ kind: "leaf", field, test: { kind: "phrase", text }, span }));
  return nodes.length ? { kind: "or", nodes, span } : not({ kind: "all", span });
}

function not(node: QueryNode): QueryNode {
  return { kind: "not", node, span };
}
