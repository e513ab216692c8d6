import type { ApiSignal } from "./api.ts";

type Cell = string | number | boolean | null | ReadonlyArray<string | number | boolean>;

const MOST_CHARS = 300;
const MOST_VALUES = 5;

const inner = (signal: ApiSignal, path: readonly string[]): unknown =>
  path.reduce<unknown>((at, name) => (typeof at === "object" && at !== null && Object.hasOwn(at, name) ? (at as Record<string, unknown>)[name] : undefined), signal.attributes.custom);

/** Columns that people know by a word. */
const named: Readonly<Record<string, (signal: ApiSignal) => unknown>> = {
  timestamp: ({ attributes }) => attributes.timestamp,
  severity: ({ attributes }) => attributes.severity,
  title: ({ attributes }) => attributes.title,
  message: ({ attributes }) => attributes.message,
  host: ({ attributes }) => attributes.host,
  service: ({ attributes }) => attributes.service,
  state: (signal) => inner(signal, ["workflow", "triage", "state"]),
  assignee: (signal) => inner(signal, ["workflow", "triage", "assignee", "handle"]) ?? null,
  archive_reason: (signal) => inner(signal, ["workflow", "triage", "archiveReason"]),
  changed: (signal) => inner(signal, ["workflow", "triage", "stateUpdateTimestamp"]),
  rule: (signal) => inner(signal, ["workflow", "rule", "name"]),
  rule_id: (signal) => inner(signal, ["workflow", "rule", "id"]),
  method: (signal) => inner(signal, ["workflow", "rule", "detectionMethod"]),
  first_seen: (signal) => inner(signal, ["workflow", "first_seen"]),
  last_seen: (signal) => inner(signal, ["workflow", "last_seen"]),
  events: (signal) => inner(signal, ["workflow", "events_matched"]),
  entities: (signal) => inner(signal, ["entities"]),
  tags: ({ attributes }) => attributes.tags,
};

export const namedColumns: readonly string[] = Object.keys(named);

/**
 * What a table shows of a signal under a column: a known word, an attribute (`@usr.id`) or the key of a tag (`env`). Long texts and
 * lists are cut; null where it has none.
 */
export function signalCell(signal: ApiSignal, column: string): Cell {
  if (column.startsWith("@")) return shown(inner(signal, column.slice(1).split(".")));
  const known = Object.hasOwn(named, column) ? named[column] : undefined;
  if (known) return shown(known(signal));
  return shown(signal.attributes.tags.filter((tag) => tag.startsWith(`${column}:`)).map((tag) => tag.slice(column.length + 1)));
}

function shown(value: unknown): Cell {
  if (typeof value === "string") return value.length > MOST_CHARS ? `${value.slice(0, MOST_CHARS)}…` : value;
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) {
    const cells = value.slice(0, MOST_VALUES).map((each) => shown(each)).filter((each) => each !== null && !Array.isArray(each)) as Array<string | number | boolean>;
    return cells.length === 0 ? null : cells.length === 1 ? cells[0]! : cells;
  }
  return typeof value === "object" && value !== null ? shown(JSON.stringify(value)) : null;
}
