import type { Field } from "../query/tree.ts";
import { Column } from "./column.ts";
import type { SignalIndex, TextColumn } from "./signal-index.ts";
import { Texts } from "./texts.ts";

/** Columns whose values are all of a field, as far as whole values are kept: not of the message, `tags`, or time. */
export function columnsOf(index: SignalIndex, field: Field): TextColumn[] {
  switch (field.kind) {
    case "attribute":
      return index.columnsAt(field.path.join(".")).filter(({ path }) => keysTaken(path, field.path) === path.length).map(({ column }) => column);
    case "tag":
      return known(index.tags.get(field.key));
    case "reserved":
      return known(index.reserved.get(field.name));
    case "freeText":
    case "fullText":
    case "calculated":
      return [];
  }
}

function known(column: TextColumn | undefined): TextColumn[] {
  return column ? [column] : [];
}

/** All values of a field as one column, to be counted by: `tags` are whole tags. */
export function fieldColumn(index: SignalIndex, field: Field): TextColumn | undefined {
  if (field.kind === "reserved" && field.name === "tags") {
    return joined(index.rows, [[index.bareTags, ""], ...[...index.tags].map(([key, column]) => [column, `${key}:`] as const)]);
  }
  const columns = columnsOf(index, field);
  return columns.length < 2 ? columns[0] : joined(index.rows, columns.map((column) => [column, ""]));
}

/** One column of the values of several, each with a text before it. */
function joined(rows: number, parts: ReadonlyArray<readonly [TextColumn, string]>): TextColumn {
  const column: TextColumn = new Column(new Texts());
  const byRow = new Map<number, number[]>();
  for (const [part, before] of parts) {
    const codes = new Uint32Array(part.dictionary.count + 1);
    part.all((row, code) => {
      const value = part.dictionary.value(code);
      const own = (codes[code] ||= column.dictionary.add(before === "" ? value : before + String(value)));
      const list = byRow.get(row);
      if (list) list.push(own);
      else byRow.set(row, [own]);
    });
  }
  for (let row = 0; row < rows; row++) for (const code of byRow.get(row) ?? []) column.add(row, code);
  return column;
}

/**
 * How many keys of a column's path the segments of a query's path are, all of them used up; a key may hold the dots between
 * segments. Undefined when the one does not lead to the other.
 */
export function keysTaken(keys: readonly string[], segments: readonly string[]): number | undefined {
  let at = 0;
  for (let i = 0; i < keys.length; i++) {
    if (at === segments.length) return i;
    let key = segments[at++]!;
    while (key.length < keys[i]!.length && at < segments.length) key += `.${segments[at++]!}`;
    if (key !== keys[i]) return undefined;
  }
  return at === segments.length ? keys.length : undefined;
}
