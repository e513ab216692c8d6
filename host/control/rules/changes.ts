import { isDeepStrictEqual } from "node:util";
import { isMembers, join } from "../../rule/reader.ts";

/** What differs between two documents at one place. */
export interface Change {
  /** As `cases[0].status`. */
  readonly path: string;
  readonly op: "added" | "removed" | "modified";
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Every place where two documents differ, as deep as both go on. */
export function changesBetween(before: unknown, after: unknown, path = ""): Change[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isMembers(before) && isMembers(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) => within(own(before, name), own(after, name), join(path, name)));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    return Array.from({ length: Math.max(before.length, after.length) }, (_, i) => within(before[i] as unknown, after[i] as unknown, `${path}[${i}]`)).flat();
  }
  return [{ path, op: "modified", before, after }];
}

function within(before: unknown, after: unknown, path: string): Change[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [{ path, op: "added", after }];
  return after === undefined ? [{ path, op: "removed", before }] : changesBetween(before, after, path);
}

function own(members: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

const types = { added: "create", removed: "delete", modified: "update" } as const;

/** As version histories tell it: the value that came, as text, or the one that went. */
export function historyChange({ path, op, before, after }: Change): { readonly field: string; readonly change: string; readonly type: "create" | "update" | "delete" } {
  const value = op === "removed" ? before : after;
  return { field: path, change: typeof value === "string" ? value : JSON.stringify(value), type: types[op] };
}
