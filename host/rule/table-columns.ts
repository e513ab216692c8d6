import type { Json, LogEvent } from "../event/event.ts";
import { namedField, readField } from "../query/field.ts";
import { matches } from "../query/matches.ts";
import type { Field, QueryNode } from "../query/tree.ts";
import { valuesOf } from "../query/values.ts";
import { type ReferenceTables, isIn, rowsOf } from "./reference-table.ts";
import type { ReferenceTableJoin, Rule, RuleQuery } from "./rule.ts";

/** Attribute that columns of tables stand below: `@reference_tables.employees.dept`. */
export const TABLES = "reference_tables";

type Row = Readonly<Record<string, unknown>>;
interface Column {
  readonly table: string;
  readonly column: string;
}

/** The column a field names; undefined where it is of the event itself. */
export function columnOf(field: Field): Column | undefined {
  if (field.kind !== "attribute" || field.path.length !== 3 || field.path[0] !== TABLES) return undefined;
  return { table: field.path[1]!, column: field.path[2]! };
}

/** Fields of a query that stand below the attribute of tables, whether or not they name a column. */
export function tableFields(node: QueryNode): Field[] {
  switch (node.kind) {
    case "all":
      return [];
    case "and": case "or":
      return node.nodes.flatMap(tableFields);
    case "not":
      return tableFields(node.node);
    case "leaf": case "cidr":
      return node.field.kind === "attribute" && node.field.path[0] === TABLES ? [node.field] : [];
  }
}

/**
 * A query over columns of tables as one over the event: `@reference_tables.employees.dept:finance` is what the event has where the
 * table is looked up in, among the keys of the rows whose dept is finance. It holds exactly for the events that hold it once
 * `withColumns` has given them their columns.
 */
export function columnsResolved(rule: Rule, query: RuleQuery, tables: ReferenceTables): QueryNode {
  const joins = rule.referenceTables.filter((join) => join.columns.length && join.queryLabel === query.label);
  return joins.length ? resolved(query.node, joins, tables) : query.node;
}

function resolved(node: QueryNode, joins: readonly ReferenceTableJoin[], tables: ReferenceTables): QueryNode {
  switch (node.kind) {
    case "all":
      return node;
    case "and": case "or":
      return { ...node, nodes: node.nodes.map((each) => resolved(each, joins, tables)) };
    case "not":
      return { ...node, node: resolved(node.node, joins, tables) };
    case "leaf": case "cidr": {
      const asked = columnOf(node.field);
      if (!asked) return node;
      const nodes = joins.filter((join) => join.tableName === asked.table && join.columns.includes(asked.column)).map((join): QueryNode => {
        const keys = (rowsOf(tables, join.tableName) ?? []).filter((row) => matches(node, eventOf(asked, row))).map((row) => textOf(row[join.columnName])).filter((key) => key !== undefined);
        return isIn(join.fieldPath, [...new Set(keys)]);
      });
      return nodes.length === 1 ? nodes[0]! : nodes.length ? { kind: "or", nodes, span: node.span } : { kind: "not", node: { kind: "all", span: node.span }, span: node.span };
    }
  }
}

function eventOf({ table, column }: Column, row: Row): LogEvent {
  const value = valueOf(row, column);
  return value === undefined ? {} : { attributes: { [TABLES]: { [table]: { [column]: value } } } };
}

/** Gives events the columns of the rows they are joined with; undefined where the rule asks for none. */
export function withColumns(rule: Rule, tables: ReferenceTables): ((event: LogEvent) => LogEvent) | undefined {
  const joins = rule.referenceTables.filter(({ columns }) => columns.length).map((join) => {
    const rows = new Map<string, Row[]>();
    for (const row of rowsOf(tables, join.tableName) ?? []) {
      const key = textOf(row[join.columnName]);
      if (key !== undefined) (rows.get(key) ?? rows.set(key, []).get(key)!).push(row);
    }
    return { join, rows };
  });
  if (!joins.length) return undefined;
  return (event) => {
    const found: { [table: string]: { [column: string]: Json } } = {};
    for (const { join, rows } of joins) {
      const own = keysOf(join.fieldPath, event).flatMap((key) => rows.get(key) ?? []);
      for (const column of join.columns) {
        const before = found[join.tableName]?.[column];
        const values = [...new Set([...(before === undefined ? [] : [before].flat()), ...own.map((row) => valueOf(row, column)).filter((value) => value !== undefined)])];
        if (values.length) (found[join.tableName] ??= {})[column] = values.length === 1 ? values[0]! : values;
      }
    }
    // What an event says of itself by this name is no row of a table.
    const { [TABLES]: _, ...attributes } = event.attributes ?? {};
    return { ...event, attributes: { ...attributes, ...(Object.keys(found).length ? { [TABLES]: found } : {}) } };
  };
}

/** What the event is looked up by, as `isIn` asks it: an attribute, and where the event has none a tag or reserved attribute. */
function keysOf(path: string, event: LogEvent): string[] {
  const attribute = readField(path.startsWith("@") ? path : `@${path}`);
  const own = valuesOf(attribute, event);
  const values = own.length || path.startsWith("@") ? own : valuesOf(namedField(path), event);
  return [...new Set(values.map(String))];
}

function valueOf(row: Row, column: string): string | number | boolean | undefined {
  const value = Object.hasOwn(row, column) ? row[column] : undefined;
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}
