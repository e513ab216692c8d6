import type { Field } from "../query/tree.ts";
import { type Severity, severities } from "../rule/rule.ts";
import type { EntityType } from "../signal-model/entities.ts";
import { RISK_CHANGE_MS, RISK_WINDOW_MS, isNoRisk, riskPoints } from "../signal-model/risk.ts";
import type { ArchiveReason, TriageState } from "../signal-model/stored.ts";
import { severityField, stateField } from "./aliases.ts";
import type { Deadline } from "./deadline.ts";
import { fieldColumn } from "./field-column.ts";
import { grown } from "./growing.ts";
import type { SignalIndex, TextColumn } from "./signal-index.ts";

/** How far back a score reaches: what ran out within its window was created in the one before. */
export const RISK_REACH_MS = 2 * RISK_WINDOW_MS;
export const attribute = (path: string): Field => ({ kind: "attribute", path: path.split(".") });
const entityField = attribute("workflow.entities");
const points = severities.map((severity) => riskPoints[severity]);

/** What the rows of a question add to scores, by their place among them. Times in epoch ms. */
export interface RiskRows {
  /** Ascending. */
  readonly rows: Uint32Array;
  readonly createdMs: Float64Array;
  /** When they add nothing any more: they ran out, or were archived as none. */
  readonly endMs: Float64Array;
  /** Place in `severities`, -1 where it is none. */
  readonly ranks: Int8Array;
  readonly points: Uint8Array;
}

/** @param rows ascending; created within the reach of the instant and not after it. */
export function riskRows(index: SignalIndex, rows: Uint32Array): RiskRows {
  const count = rows.length;
  const [createdMs, endMs, ranks, own] = [new Float64Array(count), new Float64Array(count), new Int8Array(count).fill(-1), new Uint8Array(count)];
  eachText(fieldColumn(index, severityField), rows, (text) => severities.indexOf(text as Severity), (i, rank) => {
    ranks[i] = rank;
    own[i] = points[rank] ?? 0;
  });
  const reasons: (string | undefined)[] = Array.from({ length: count });
  eachText(fieldColumn(index, attribute("workflow.triage.archiveReason")), rows, (text) => text, (i, reason) => (reasons[i] = reason));
  const isNone = new Uint8Array(count);
  eachText(fieldColumn(index, stateField), rows, (text) => text, (i, state) => (isNone[i] = isNoRisk(state as TriageState, reasons[i] as ArchiveReason) ? 1 : 0));
  for (let i = 0; i < count; i++) {
    createdMs[i] = index.times[rows[i]!]!;
    endMs[i] = isNone[i] ? createdMs[i]! : createdMs[i]! + RISK_WINDOW_MS;
  }
  // It counted until then, so that a score of before is what it was.
  const archived = fieldColumn(index, attribute("workflow.triage.lastArchivedAt"));
  archived?.each(rows, (i, code) => {
    if (isNone[i] && code > 0) endMs[i] = Math.min(Math.max(endMs[i]!, Date.parse(archived.dictionary.text(code))), createdMs[i]! + RISK_WINDOW_MS);
  });
  return { rows, createdMs, endMs, ranks, points: own };
}

/** Calls for each value of each row, which is read once for all rows that have it. */
export function eachText<T>(column: TextColumn | undefined, rows: Uint32Array, read: (text: string) => T, take: (i: number, value: T) => void): void {
  const known = new Map<number, T>();
  column?.each(rows, (i, code) => {
    if (code < 0) return;
    let value = known.get(code);
    if (value === undefined) known.set(code, (value = read(column.dictionary.text(code))));
    take(i, value);
  });
}

export interface TableSetup {
  readonly index: SignalIndex;
  readonly rows: Uint32Array;
  readonly atMs: number;
  readonly deadline: Deadline;
}

/**
 * Scores of all entities as of one instant, each entity at a place of its own.
 *
 * Which rows are an entity's is told by pairs: row `pairRows[i]`, a place in `risk.rows`, and entity `pairEntities[i]`; by row.
 */
export class EntityTable {
  readonly atMs: number;
  readonly risk: RiskRows;
  readonly score: Float64Array;
  readonly before: Float64Array;
  readonly updatedMs: Float64Array;
  /** Of the window, by entity and severity. */
  readonly counts: Uint32Array;
  readonly contributing: Uint32Array;
  /** Of the latest that adds to the score. */
  readonly contributedMs: Float64Array;
  pairRows = new Uint32Array(1024);
  pairEntities = new Uint32Array(1024);
  pairs = 0;
  /** By entity: the code of its name. */
  readonly #codes: number[] = [];
  readonly #column: TextColumn | undefined;
  readonly #byCode: Int32Array;

  constructor({ index, rows, atMs, deadline }: TableSetup) {
    this.atMs = atMs;
    this.risk = riskRows(index, rows);
    deadline.check();
    this.#column = fieldColumn(index, entityField);
    this.#byCode = new Int32Array((this.#column?.dictionary.count ?? 0) + 1).fill(-1);
    this.#column?.each(rows, (i, code) => code > 0 && this.#pair(i, code));
    deadline.check();
    const count = this.#codes.length;
    this.score = new Float64Array(count);
    this.before = new Float64Array(count);
    this.updatedMs = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
    this.counts = new Uint32Array(count * severities.length);
    this.contributing = new Uint32Array(count);
    this.contributedMs = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
    for (let i = 0; i < this.pairs; i++) this.#add(this.pairEntities[i]!, this.pairRows[i]!);
  }

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

  /** Order of their names. */
  compareNames(a: number, b: number): number {
    return this.#column!.dictionary.compareTexts(this.#codes[a]!, this.#codes[b]!);
  }

  /** Signals of the window, whatever they add. */
  signals(entity: number): number {
    let sum = 0;
    for (let rank = 0; rank < severities.length; rank++) sum += this.counts[entity * severities.length + rank]!;
    return sum;
  }

  countsOf(entity: number): Record<Severity, number> {
    return Object.fromEntries(severities.map((severity, rank) => [severity, this.counts[entity * severities.length + rank]!])) as Record<Severity, number>;
  }

  /** Was the row created in the 14 days before the instant? */
  isInWindow(row: number): boolean {
    return this.risk.createdMs[row]! > this.atMs - RISK_WINDOW_MS;
  }

  /** Does the row add to a score at an instant? */
  isCounted(row: number, atMs: number): boolean {
    return this.risk.points[row]! > 0 && this.risk.createdMs[row]! <= atMs && atMs < this.risk.endMs[row]!;
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

  #add(entity: number, row: number): void {
    const { createdMs, endMs, ranks, points: own } = this.risk;
    const rank = ranks[row]!;
    if (rank < 0) return;
    if (this.isInWindow(row)) this.counts[entity * severities.length + rank]!++;
    const [created, end] = [createdMs[row]!, endMs[row]!];
    if (own[row] === 0 || end <= created) return;
    if (this.isCounted(row, this.atMs)) {
      this.score[entity]! += own[row]!;
      this.contributing[entity]!++;
      this.contributedMs[entity] = Math.max(this.contributedMs[entity]!, created);
    }
    if (this.isCounted(row, this.atMs - RISK_CHANGE_MS)) this.before[entity]! += own[row]!;
    this.updatedMs[entity] = Math.max(this.updatedMs[entity]!, end <= this.atMs ? end : created);
  }
}
