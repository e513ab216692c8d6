import type { Field } from "../query/tree.ts";
import { type Severity, severities } from "../rule/rule.ts";
import { type EntityType, entityTypes } from "../signal-model/entities.ts";
import { RISK_WINDOW_MS, isNoRisk, riskPoints } from "../signal-model/risk.ts";
import type { ArchiveReason, TriageState } from "../signal-model/stored.ts";
import { severityField, stateField } from "./aliases.ts";
import { fieldColumn } from "./field-column.ts";
import { grown } from "./growing.ts";
import type { SignalIndex, TextColumn } from "./signal-index.ts";

export const attribute = (path: string): Field => ({ kind: "attribute", path: path.split(".") });
const entityField = attribute("workflow.entities");
const points = severities.map((severity) => riskPoints[severity]);

/**
 * Signals as scores are made of them: when they add how much, and to which entities. Times in epoch ms.
 *
 * A row's place among `rows` is what it is called by here. Which rows are an entity's is told by pairs, in the order of rows: row
 * `pairRows[i]` and entity `pairEntities[i]`.
 */
export class RiskRows {
  /** As the index numbers them, ascending. */
  readonly rows: Uint32Array;
  readonly createdMs: Float64Array;
  /** When they add nothing any more: they ran out, or were archived as none. */
  readonly endMs: Float64Array;
  /** Place in `severities`, -1 where it is none. */
  readonly ranks: Int8Array;
  readonly points: Uint8Array;
  pairRows = new Uint32Array(1024);
  pairEntities = new Uint32Array(1024);
  pairs = 0;
  /** By entity: the code of its name. */
  readonly #codes: number[] = [];
  readonly #column: TextColumn | undefined;
  readonly #byCode: Int32Array;
  /** Rows entity after entity, and where each one's begin; made when one is asked for. */
  #byEntity: { readonly starts: Uint32Array; readonly rows: Uint32Array } | undefined;
  #types: Int8Array | undefined;

  constructor(index: SignalIndex, rows: Uint32Array) {
    this.rows = rows;
    this.createdMs = Float64Array.from(rows, (row) => index.times[row]!);
    this.ranks = new Int8Array(rows.length).fill(-1);
    this.points = new Uint8Array(rows.length);
    eachText(fieldColumn(index, severityField), rows, (text) => severities.indexOf(text as Severity), (i, rank) => {
      this.ranks[i] = rank;
      this.points[i] = points[rank] ?? 0;
    });
    this.endMs = this.#ends(index);
    this.#column = fieldColumn(index, entityField);
    this.#byCode = new Int32Array((this.#column?.dictionary.count ?? 0) + 1).fill(-1);
    this.#column?.each(rows, (i, code) => code > 0 && this.#pair(i, code));
  }

  /** Entities. */
  get count(): number {
    return this.#codes.length;
  }

  /** -1 where no row is this entity's. */
  find(id: string): number {
    const code = this.#column?.dictionary.find(id) ?? 0;
    return code === 0 ? -1 : this.#byCode[code]!;
  }

  nameOf(entity: number): { readonly id: string; readonly type: EntityType; readonly value: string } {
    const id = this.#column!.dictionary.text(this.#codes[entity]!);
    const at = id.indexOf(":");
    return { id, type: id.slice(0, at) as EntityType, value: id.slice(at + 1) };
  }

  /** The type of each entity by its place in `entityTypes`, -1 where it is none of them. */
  get types(): Int8Array {
    this.#types ??= Int8Array.from(this.#codes, (_, entity) => entityTypes.indexOf(this.nameOf(entity).type));
    return this.#types;
  }

  /** Places among `rows` of an entity's rows, ascending. */
  rowsOf(entity: number): Uint32Array {
    this.#byEntity ??= this.#sorted();
    const { starts, rows } = this.#byEntity;
    return rows.subarray(starts[entity], starts[entity + 1]);
  }

  /** Names of all entities there ever were, for what is looked for in them; undefined where there were none. */
  get names(): TextColumn["dictionary"] | undefined {
    return this.#column?.dictionary;
  }

  /** Its name's code in `names`. */
  codeOf(entity: number): number {
    return this.#codes[entity]!;
  }

  /** Order of their names. */
  compareNames(a: number, b: number): number {
    return this.#column!.dictionary.compareTexts(this.#codes[a]!, this.#codes[b]!);
  }

  #sorted(): { readonly starts: Uint32Array; readonly rows: Uint32Array } {
    const { pairs, pairRows, pairEntities, count } = this;
    const starts = new Uint32Array(count + 1);
    for (let i = 0; i < pairs; i++) starts[pairEntities[i]! + 1]!++;
    for (let entity = 0; entity < count; entity++) starts[entity + 1]! += starts[entity]!;
    const next = starts.slice();
    const rows = new Uint32Array(pairs);
    for (let i = 0; i < pairs; i++) rows[next[pairEntities[i]!]!++] = pairRows[i]!;
    return { starts, rows };
  }

  #ends(index: SignalIndex): Float64Array {
    const { rows, createdMs } = this;
    const reasons: (string | undefined)[] = Array.from({ length: rows.length });
    eachText(fieldColumn(index, attribute("workflow.triage.archiveReason")), rows, (text) => text, (i, reason) => (reasons[i] = reason));
    const isNone = new Uint8Array(rows.length);
    eachText(fieldColumn(index, stateField), rows, (text) => text, (i, state) => (isNone[i] = isNoRisk(state as TriageState, reasons[i] as ArchiveReason) ? 1 : 0));
    const endMs = createdMs.map((ms, i) => (isNone[i] ? ms : ms + RISK_WINDOW_MS));
    // It counted until then, so that a score of before is what it was.
    const archived = fieldColumn(index, attribute("workflow.triage.lastArchivedAt"));
    archived?.each(rows, (i, code) => {
      if (isNone[i] && code > 0) endMs[i] = Math.min(Math.max(endMs[i]!, Date.parse(archived.dictionary.text(code))), createdMs[i]! + RISK_WINDOW_MS);
    });
    return endMs;
  }

  #pair(row: number, code: number): void {
    let entity = this.#byCode[code]!;
    if (entity < 0) {
      this.#byCode[code] = entity = this.#codes.length;
      this.#codes.push(code);
    }
    if (this.pairs === this.pairRows.length) {
      this.pairRows = grown(this.pairRows, this.pairs * 2);
      this.pairEntities = grown(this.pairEntities, this.pairs * 2);
    }
    this.pairRows[this.pairs] = row;
    this.pairEntities[this.pairs++] = entity;
  }
}

/** Calls for each value of each row, which is read once for all rows that have it. */
function eachText<T>(column: TextColumn | undefined, rows: Uint32Array, read: (text: string) => T, take: (i: number, value: T) => void): void {
  const known = new Map<number, T>();
  column?.each(rows, (i, code) => {
    if (code < 0) return;
    let value = known.get(code);
    if (value === undefined) known.set(code, (value = read(column.dictionary.text(code))));
    take(i, value);
  });
}
