import {
  AGGREGATE_CARDINALITY, AGGREGATE_COUNT, AGGREGATE_NUMBER, AGGREGATE_TEXTS, SHAPE_AGGREGATION, SHAPE_BYTES, SHAPE_GROUPS, SHAPE_GROUP_COLUMNS,
  SHAPE_LIST_CAP, SHAPE_OPTIONAL, SHAPE_VALUES, SHAPE_VALUE_COLUMNS,
} from "../../assembly/layout.ts";
import type { EventFormat } from "../event/event.ts";
import type { Field } from "../query/tree.ts";
import type { StandingQuery } from "../rule/standing.ts";
import type { ColumnKey, ColumnPlan } from "./columns.ts";
import type { Arena } from "./memory.ts";

/** The column a group-by, distinct or metric field is read from. */
export function fieldColumnKey(field: Field): ColumnKey {
  switch (field.kind) {
    case "attribute":
      return field.path.join(".") === "network.ip.list" ? { kind: "addresses" } : { kind: "attribute", path: field.path };
    case "reserved":
      return field.name === "tags" ? { kind: "tags" } : { kind: "reserved", name: field.name };
    case "tag":
      return { kind: "tag", key: field.key };
    case "freeText":
    case "fullText":
      return { kind: "reserved", name: "message" };
    case "calculated":
      return { kind: "tag", key: `#${field.name}` }; // never has a value
  }
}

/** Where a shipper may have written the id of an event: the first that holds one counts. */
export function idKeys(format: EventFormat, ids: "own" | "made"): readonly ColumnKey[] {
  const id: ColumnKey = { kind: "member", name: "id" };
  if (ids === "made") return [id];
  const attribute = (name: string): ColumnKey => ({ kind: "attribute", path: [name] });
  // Members of a record as it is shipped are attributes of its event.
  return format === "log" ? [id, { kind: "member", name: "_id" }, attribute("event_id")] : [attribute("id"), attribute("_id"), attribute("event_id")];
}

/** Columns that emitting a standing query's records needs. */
export interface Shape {
  readonly aggregation: number;
  readonly optional: boolean;
  readonly groups: readonly number[];
  readonly values: readonly number[];
}

export function shapeOf(standing: StandingQuery, columns: ColumnPlan): Shape {
  const column = (field: Field): number => columns.column(fieldColumnKey(field));
  const groups = standing.groupBy.slice(0, SHAPE_LIST_CAP).map(column);
  switch (standing.aggregation) {
    case "cardinality":
      return { aggregation: AGGREGATE_CARDINALITY, optional: standing.optionalGroupBy, groups, values: standing.distinct.slice(0, SHAPE_LIST_CAP).map(column) };
    case "texts":
      return { aggregation: AGGREGATE_TEXTS, optional: standing.optionalGroupBy, groups, values: standing.distinct.slice(0, SHAPE_LIST_CAP).map(column) };
    case "sum":
    case "max":
      return { aggregation: AGGREGATE_NUMBER, optional: standing.optionalGroupBy, groups, values: standing.metric ? [column(standing.metric)] : [] };
    case "count":
      return { aggregation: AGGREGATE_COUNT, optional: standing.optionalGroupBy, groups, values: [] };
  }
}

/** Writes the shapes and the table that leads from a standing query's number to its shape. */
export function writeShapes(arena: Arena, shapes: readonly Shape[]): number {
  const table = arena.alloc(Math.max(4, shapes.length * 4), 16);
  const start = arena.alloc(Math.max(SHAPE_BYTES, shapes.length * SHAPE_BYTES), 16);
  shapes.forEach((shape, i) => {
    const at = start + i * SHAPE_BYTES;
    arena.u32[(table >> 2) + i] = at;
    arena.u8[at + SHAPE_AGGREGATION] = shape.aggregation;
    arena.u8[at + SHAPE_OPTIONAL] = shape.optional ? 1 : 0;
    arena.u8[at + SHAPE_GROUPS] = shape.groups.length;
    arena.u8[at + SHAPE_VALUES] = shape.values.length;
    shape.groups.forEach((column, g) => (arena.u32[(at + SHAPE_GROUP_COLUMNS + g * 4) >> 2] = column));
    shape.values.forEach((column, v) => (arena.u32[(at + SHAPE_VALUE_COLUMNS + v * 4) >> 2] = column));
  });
  return table;
}
