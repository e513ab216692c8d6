import * as layout from "../../../assembly/layout.ts";
import type { ColumnPlan } from "../columns.ts";
import type { Operation, Placement } from "../pipelines/operation.ts";
import { type SourcePlan, type StepSpec, isDefault } from "../sources.ts";
import { GrokStep, type TextCapture } from "./grok-step.ts";
import { MESSAGE, STRUCTURED, headerParts, headerRules } from "./header.ts";

const BRACE = 0x7b;
const AT_SIGN = 0x40;
const BRACKET = 0x5b;

export interface TextSource extends SourcePlan {
  /** Column of whole lines. */
  readonly lineColumn: number;
  /** Column that is filled by a header with structured data; undefined where no header is read. */
  readonly structuredColumn: number | undefined;
}

/** Where columns come from when every line is an event: nothing but its message, a syslog header, and what the input says of itself. */
export function planText(format: "text" | "syslog", columns: ColumnPlan): TextSource {
  const message = columns.column({ kind: "reserved", name: "message" });
  const timeColumn = columns.column({ kind: "reserved", name: "timestamp" });
  const steps: StepSpec[] = [];
  const tagKeys: Array<{ key: string; column: number }> = [];
  let tags: number | undefined;
  columns.keys.forEach((key, column) => {
    if (key.kind === "tag") tagKeys.push({ key: key.key, column });
    else if (key.kind === "tags") tags = column;
    else if (key.kind === "reserved") {
      if (isDefault(key.name)) steps.push({ kind: "default", target: column, name: key.name });
      if (key.name === "status") steps.push({ kind: "status", target: column });
    }
  });
  let columnCount = columns.keys.length;
  const lineColumn = format === "text" ? message : columnCount++;
  const structuredColumn = format === "text" ? undefined : columnCount++;
  // No line brings tags of its own.
  if (tags !== undefined || tagKeys.length) steps.push({ kind: "tags", source: columnCount++, tags, keys: tagKeys, split: true });
  return { raw: [], steps, columnCount, timeColumn, messageColumn: message, lineColumn, structuredColumn };
}

/** Reads what a line holds before anything else is derived. */
export class LineReading {
  readonly #placement: Placement;
  readonly #message: number;
  readonly #structured: number;
  readonly #copies: Operation[];
  readonly #header: GrokStep | undefined;

  constructor(placement: Placement, source: TextSource, columns: ColumnPlan) {
    const { descriptorOf } = placement;
    this.#placement = placement;
    this.#message = descriptorOf(source.messageColumn!);
    this.#structured = source.structuredColumn === undefined ? 0 : descriptorOf(source.structuredColumn);
    const attribute = (path: readonly string[]): number[] => columns.keys.flatMap((key, column) => {
      if (key.kind !== "attribute" && key.kind !== "exists") return [];
      const isAt = key.path.length === path.length || (key.kind === "exists" && key.path.length < path.length);
      return isAt && key.path.every((segment, i) => segment === path[i]) ? [column] : [];
    });
    // The message of a record is an attribute too.
    this.#copies = attribute(["message"]).map((column) => {
      const own = placement.extras();
      const moved = placement.bitset();
      return { run: (rows) => placement.kernel.moveRows(descriptorOf(column), this.#message, 0, rows, 0, 0, own, moved) !== 0 };
    });
    if (source.structuredColumn === undefined) return;
    const columnsOf = ({ path: [name] }: TextCapture): number[] => {
      if (name === MESSAGE) return [source.messageColumn!];
      if (name === STRUCTURED) return [source.structuredColumn!];
      const reserved = headerParts.get(name!);
      const also = reserved && columns.keys.findIndex((key) => key.kind === "reserved" && key.name === reserved);
      return [...attribute(["syslog", name!]), ...(also === undefined || also < 0 ? [] : [also])];
    };
    this.#header = new GrokStep(placement.arena, placement.texts, {
      rules: headerRules, source: descriptorOf(source.lineColumn), mask: 0,
      feeds: (capture) => columnsOf(capture).map((column) => ({ descriptor: descriptorOf(column), clears: false })),
    });
  }

  /** @returns "full" when an area is full; "records" when a line holds what columns cannot be read from. */
  run(rows: number): "done" | "full" | "records" {
    const { kernel } = this.#placement;
    if (this.#header && !this.#header.run(kernel, rows)) return "full";
    if (this.#structured && kernel.anyBegins(this.#structured, rows, BRACKET, BRACKET)) return "records";
    if (kernel.anyBegins(this.#message, rows, BRACE, AT_SIGN)) return "records";
    return this.#copies.every((copy) => copy.run(rows)) ? "done" : "full";
  }
}

/** Cuts bytes into lines; has the face of the extraction. */
export class LineCutter {
  readonly struct: number;
  readonly rowStart: number;
  readonly rowEnd: number;
  readonly #placement: Placement;

  constructor(placement: Placement, lineColumn: number) {
    const { arena } = placement;
    this.#placement = placement;
    this.struct = arena.alloc(layout.LINES_BYTES, 16);
    this.rowStart = arena.alloc(layout.ROW_CAP * 4);
    this.rowEnd = arena.alloc(layout.ROW_CAP * 4);
    const fields = [[layout.LINES_ROW_START, this.rowStart], [layout.LINES_ROW_END, this.rowEnd], [layout.LINES_COLUMN, placement.descriptorOf(lineColumn)]] as const;
    for (const [field, value] of fields) arena.u32[(this.struct + field) >>> 2] = value;
  }

  read(start: number, end: number): number {
    return this.#placement.kernel.lines(this.struct, start, end);
  }

  get consumed(): number {
    return this.#placement.arena.u32[(this.struct + layout.LINES_CONSUMED) >>> 2]!;
  }
}
