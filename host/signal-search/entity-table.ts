import { type Severity, severities } from "../rule/rule.ts";
import { RISK_CHANGE_MS, RISK_WINDOW_MS } from "../signal-model/risk.ts";
import type { RiskRows } from "./risk-rows.ts";

/** How far back a score reaches: what ran out within its window was created in the one before. */
export const RISK_REACH_MS = 2 * RISK_WINDOW_MS;
const RANKS = severities.length;

/** Scores of all entities as of one instant, by their numbers in `risk`. */
export class EntityTable {
  readonly risk: RiskRows;
  readonly atMs: number;
  readonly score: Float64Array;
  /** A day ago. */
  readonly before: Float64Array;
  /** When the score last changed; -Infinity where it never did. */
  readonly updatedMs: Float64Array;
  readonly contributing: Uint32Array;
  /** Creation of the latest signal that adds to the score; -Infinity where none does. */
  readonly contributedMs: Float64Array;
  /** Of the window, by entity and severity. */
  readonly #counts: Uint32Array;

  /** @param risk rows created within the reach of the instant; later ones are passed over. */
  constructor(risk: RiskRows, atMs: number) {
    this.risk = risk;
    this.atMs = atMs;
    const { count } = risk;
    this.score = new Float64Array(count);
    this.before = new Float64Array(count);
    this.updatedMs = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
    this.contributing = new Uint32Array(count);
    this.contributedMs = new Float64Array(count).fill(Number.NEGATIVE_INFINITY);
    this.#counts = new Uint32Array(count * RANKS);
    this.#fill();
  }

  get count(): number {
    return this.risk.count;
  }

  /** Signals of the window, whatever they add. */
  signals(entity: number): number {
    let sum = 0;
    for (let rank = 0; rank < RANKS; rank++) sum += this.#counts[entity * RANKS + rank]!;
    return sum;
  }

  signalCounts(entity: number): Record<Severity, number> {
    return Object.fromEntries(severities.map((severity, rank) => [severity, this.#counts[entity * RANKS + rank]!])) as Record<Severity, number>;
  }

  /** Was the row created in the 14 days up to the instant? */
  isInWindow(row: number): boolean {
    const createdMs = this.risk.createdMs[row]!;
    return createdMs <= this.atMs && createdMs > this.atMs - RISK_WINDOW_MS;
  }

  /** Places among `risk.rows` of an entity's rows of the window, ascending. */
  rowsOf(entity: number): Uint32Array {
    const all = this.risk.rowsOf(entity);
    const { createdMs } = this.risk;
    const { atMs } = this;
    const found = new Uint32Array(all.length);
    let length = 0;
    for (let i = 0; i < all.length; i++) {
      const ms = createdMs[all[i]!]!;
      if (ms <= atMs && ms > atMs - RISK_WINDOW_MS) found[length++] = all[i]!;
    }
    return found.subarray(0, length);
  }

  /** Does the row add to a score at an instant? */
  isCounted(row: number, atMs: number): boolean {
    return this.risk.points[row]! > 0 && this.risk.createdMs[row]! <= atMs && atMs < this.risk.endMs[row]!;
  }

  #fill(): void {
    const { atMs, score, before, updatedMs, contributing, contributedMs } = this;
    const counts = this.#counts;
    const { rows, createdMs, endMs, ranks, points, pairs, pairRows, pairEntities } = this.risk;
    // What a row says is found out once: most rows are of several entities.
    let [last, rank, now, then, stepMs] = [rows.length, -1, 0, 0, 0];
    for (let i = 0; i < pairs; i++) {
      const [row, entity] = [pairRows[i]!, pairEntities[i]!];
      if (row !== last) {
        last = row;
        rank = this.isInWindow(row) ? ranks[row]! : -1;
        now = this.isCounted(row, atMs) ? points[row]! : 0;
        then = this.isCounted(row, atMs - RISK_CHANGE_MS) ? points[row]! : 0;
        const isStep = points[row]! > 0 && endMs[row]! > createdMs[row]! && createdMs[row]! <= atMs;
        stepMs = !isStep ? Number.NEGATIVE_INFINITY : endMs[row]! <= atMs ? endMs[row]! : createdMs[row]!;
      }
      if (rank >= 0) counts[entity * RANKS + rank]!++;
      if (then !== 0) before[entity]! += then;
      if (stepMs !== Number.NEGATIVE_INFINITY && stepMs > updatedMs[entity]!) updatedMs[entity] = stepMs;
      if (now === 0) continue;
      score[entity]! += now;
      contributing[entity]!++;
      if (stepMs > contributedMs[entity]!) contributedMs[entity] = stepMs;
    }
  }
}
