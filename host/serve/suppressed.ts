import { hash } from "node:crypto";
import type { SuppressedMatch } from "../index.ts";
import { SAMPLES_KEPT, type SuppressedSample, type SuppressedStore } from "../store/suppressed.ts";

/** What one suppression has stopped. */
export interface SuppressedCount {
  matches: number;
  firstMs: number;
  lastMs: number;
  readonly byRule: Record<string, number>;
}

export type SavedSuppressed = Readonly<Record<string, SuppressedCount>>;

/** Suppressions told of; the counts of others that came and went are let go of. */
const MOST_SUPPRESSIONS = 10_000;
const MOST_RULES = 1000;

/**
 * What suppressions stopped: counts, which a checkpoint takes along so that a restart counts nothing twice, and the last samples of
 * each, which go to the store beside signals.
 */
export class SuppressedLedger {
  readonly #counts = new Map<string, SuppressedCount>();
  readonly #pending = new Map<string, SuppressedMatch[]>();
  readonly #store: SuppressedStore | undefined;

  constructor(store: SuppressedStore | undefined) {
    this.#store = store;
  }

  add(match: SuppressedMatch): void {
    const { by, rule, timeMs } = match;
    let count = this.#counts.get(by);
    if (!count) {
      if (this.#counts.size >= MOST_SUPPRESSIONS) this.#counts.delete(this.#counts.keys().next().value!);
      this.#counts.set(by, (count = { matches: 0, firstMs: timeMs, lastMs: timeMs, byRule: Object.create(null) as Record<string, number> }));
    }
    count.matches++;
    count.firstMs = Math.min(count.firstMs, timeMs);
    count.lastMs = Math.max(count.lastMs, timeMs);
    if (count.byRule[rule.id] !== undefined || Object.keys(count.byRule).length < MOST_RULES) count.byRule[rule.id] = (count.byRule[rule.id] ?? 0) + 1;
    let pending = this.#pending.get(by);
    if (!pending) this.#pending.set(by, (pending = []));
    // No text is made of those that newer ones push out.
    if (pending.length >= 2 * SAMPLES_KEPT) pending.splice(0, pending.length - SAMPLES_KEPT + 1);
    pending.push(match);
  }

  count(suppressionId: string): Readonly<SuppressedCount> | undefined {
    return this.#counts.get(suppressionId);
  }

  /** Matches of a rule that any suppression stopped. */
  countOf(ruleId: string): number {
    let sum = 0;
    for (const { byRule } of this.#counts.values()) sum += byRule[ruleId] ?? 0;
    return sum;
  }

  store(): void {
    if (!this.#pending.size) return;
    this.#store?.save([...this.#pending].flatMap(([id, matches]) => matches.slice(-SAMPLES_KEPT).map((match) => [id, sampleOf(match)] as const)));
    this.#pending.clear();
  }

  save(): SavedSuppressed {
    return Object.fromEntries(this.#counts);
  }

  restore(saved: SavedSuppressed = {}): void {
    this.#counts.clear();
    for (const [id, count] of Object.entries(saved)) this.#counts.set(id, { ...count, byRule: Object.assign(Object.create(null), count.byRule) as Record<string, number> });
  }
}

function sampleOf({ rule, group, timeMs, signal }: SuppressedMatch): SuppressedSample {
  const key = hash("sha256", JSON.stringify([rule.id, timeMs, Object.entries(group)])).slice(0, 16);
  return { key, timeMs, ruleId: rule.id, ruleName: rule.name, group, severity: signal.status ?? "info", signal };
}
