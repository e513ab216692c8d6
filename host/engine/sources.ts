import type { EventFormat } from "../event/event.ts";
import { intakeCandidates } from "../event/normalize.ts";
import type { ColumnKey, ColumnPlan } from "./columns.ts";
import type { DefaultName } from "./defaults.ts";

/** A column the extraction fills from the record itself. */
export interface RawColumn {
  readonly column: number;
  readonly kind: "value" | "exists" | "all";
  /** Path in the record as received. */
  readonly path: readonly string[];
  /** How many leading segments are names of the envelope, never part of a dotted key. */
  readonly fixed: number;
}

export type StepSpec =
  | { readonly kind: "coalesce"; readonly target: number; readonly source: number }
  | { readonly kind: "default"; readonly target: number; readonly name: DefaultName }
  | { readonly kind: "status"; readonly target: number }
  | { readonly kind: "tags"; readonly source: number; readonly tags: number | undefined; readonly keys: ReadonlyArray<{ key: string; column: number }>; readonly split: boolean };

export interface SourcePlan {
  readonly raw: readonly RawColumn[];
  readonly steps: readonly StepSpec[];
  /** Logical columns first, helper columns after. */
  readonly columnCount: number;
  /** The column event times are read from. */
  readonly timeColumn: number;
  /** The column of the message, when the plan has one or JSON inside it may matter. */
  readonly messageColumn: number | undefined;
}


const defaultNames: readonly string[] = ["source", "service", "host"] satisfies DefaultName[];

export function isDefault(name: string): name is DefaultName {
  return defaultNames.includes(name);
}

/** Where each column of a plan comes from in records of one format: directly from a path, or derived from helper columns. */
export class SourcePlanner {
  readonly #raw: RawColumn[] = [];
  readonly #steps: StepSpec[] = [];
  readonly #helpers = new Map<string, number>();
  readonly #format: EventFormat;
  #columnCount: number;

  constructor(format: EventFormat, columnCount: number) {
    this.#format = format;
    this.#columnCount = columnCount;
  }

  plan(columns: ColumnPlan): SourcePlan {
    const tagKeys: Array<{ key: string; column: number }> = [];
    let tags: number | undefined;
    let timeColumn: number | undefined;
    columns.keys.forEach((key, column) => {
      if (key.kind === "tag") tagKeys.push({ key: key.key, column });
      else if (key.kind === "tags") tags = column;
      else if (key.kind === "reserved" && key.name === "timestamp") timeColumn = column;
      this.#addKey(key, column);
    });
    if (timeColumn === undefined) {
      timeColumn = this.#columnCount++;
      this.#addReserved("timestamp", timeColumn);
    }
    this.#addTags(tags, tagKeys);
    let messageColumn: number | undefined = columns.keys.findIndex((key) => key.kind === "reserved" && key.name === "message");
    if (messageColumn < 0) messageColumn = this.#format === "log" ? undefined : this.#helper(["message"], "value");
    return { raw: this.#raw, steps: this.#steps, columnCount: this.#columnCount, timeColumn, messageColumn };
  }

  #addKey(key: ColumnKey, column: number): void {
    switch (key.kind) {
      case "attribute":
        this.#addAttribute(key.path, column, "value");
        return;
      case "exists":
        this.#addAttribute(key.path, column, "exists");
        return;
      case "any":
        for (const path of key.paths) this.#addAttribute(path, column, "value");
        return;
      case "reserved":
        this.#addReserved(key.name, column);
        return;
      case "member":
        if (this.#format === "log") this.#raw.push({ column, kind: "value", path: [key.name], fixed: 1 });
        return;
      case "all":
        this.#raw.push({ column, kind: "all", path: this.#prefix([]), fixed: this.#fixed });
        return;
      case "tags":
      case "tag":
      case "addresses":
        return; // derived
    }
  }

  #addAttribute(path: readonly string[], column: number, kind: "value" | "exists"): void {
    this.#raw.push({ column, kind, path: this.#prefix(path), fixed: this.#fixed });
  }

  #addReserved(name: string, column: number): void {
    const candidates = this.#format === "log" ? [[name]] : intakeCandidates[name] ?? [];
    candidates.forEach((path, i) => {
      if (i === 0) this.#raw.push({ column, kind: "value", path, fixed: this.#format === "log" ? 1 : 0 });
      else this.#steps.push({ kind: "coalesce", target: column, source: this.#helper(path, "value") });
    });
    if (isDefault(name)) this.#steps.push({ kind: "default", target: column, name });
    if (name === "status" && this.#format !== "log") this.#steps.push({ kind: "status", target: column });
  }

  #addTags(tags: number | undefined, keys: ReadonlyArray<{ key: string; column: number }>): void {
    if (this.#format === "log") {
      if (tags !== undefined) this.#raw.push({ column: tags, kind: "value", path: ["tags"], fixed: 1 });
      if (tags !== undefined || keys.length) {
        const source = tags ?? this.#helper(["tags"], "value");
        this.#steps.push({ kind: "tags", source, tags: undefined, keys, split: false });
      }
      return;
    }
    if (tags === undefined && !keys.length) return;
    this.#steps.push({ kind: "tags", source: this.#helper(["ddtags"], "value"), tags, keys, split: true });
  }

  get #fixed(): number {
    return this.#format === "log" ? 1 : 0;
  }

  #prefix(path: readonly string[]): readonly string[] {
    return this.#format === "log" ? ["attributes", ...path] : path;
  }

  #helper(path: readonly string[], kind: "value" | "exists"): number {
    const key = `${kind}:${JSON.stringify(path)}`;
    let column = this.#helpers.get(key);
    if (column === undefined) {
      column = this.#columnCount++;
      this.#helpers.set(key, column);
      this.#raw.push({ column, kind, path, fixed: this.#fixed });
    }
    return column;
  }
}
