import type { MethodEvent, MethodMatch } from "../../host/detect/method/method.ts";
import type { Rule } from "../../host/rule/rule.ts";

export interface TwinAnomalyHit {
  readonly caseIndex: number;
  readonly groupKey: string;
  readonly timeMs: number;
  readonly slot: number;
  readonly slots: readonly number[];
  readonly total: number;
}

interface Kept {
  readonly timeMs: number;
  readonly slot: number;
  readonly matches: readonly MethodMatch[];
  counted: boolean;
}

const DAY_MS = 86_400_000;

/** Volume anomaly of one rule, slow and obvious: keeps every event for ever and counts all of them anew for every question. */
export class AnomalyTwin {
  lateDropped = 0;
  readonly #rule: Rule;
  readonly #latenessMs: number;
  readonly #bucketMs: number;
  readonly #groups = new Map<string, Kept[]>();
  readonly #closed = new Set<number>();
  #timeMs = Number.NEGATIVE_INFINITY;

  constructor(rule: Rule, latenessMs: number) {
    this.#rule = rule;
    this.#latenessMs = latenessMs;
    this.#bucketMs = this.#method().bucketSeconds * 1000;
  }

  apply(event: MethodEvent): TwinAnomalyHit[] {
    if (event.timeMs < event.highMs - this.#latenessMs || (this.#bucketOf(event) + 1) * this.#bucketMs <= this.#timeMs) {
      this.lateDropped += event.matches.length;
      return [];
    }
    return [...new Set(event.matches.map((match) => match.groupKey))].flatMap((key) => {
      const events = this.#groups.get(key) ?? [];
      this.#groups.set(key, events);
      events.push({ timeMs: event.timeMs, slot: event.slot, matches: event.matches.filter((match) => match.groupKey === key), counted: false });
      return this.#judge(key, this.#bucketOf(event), event.slot);
    });
  }

  advance(timeMs: number): TwinAnomalyHit[] {
    this.#timeMs = Math.max(timeMs, this.#timeMs);
    const buckets = new Set([...this.#groups.values()].flat().map((event) => this.#bucketOf(event)));
    const closing = [...buckets].filter((bucket) => (bucket + 1) * this.#bucketMs <= timeMs && !this.#closed.has(bucket));
    return closing.flatMap((bucket) => {
      this.#closed.add(bucket);
      return [...this.#groups].flatMap(([key, events]) => {
        const own = events.filter((event) => this.#bucketOf(event) === bucket);
        return own.some((event) => !event.counted) ? this.#judge(key, bucket, inOrder(own).at(-1)!.slot) : [];
      });
    });
  }

  #method(): Extract<Rule["options"]["method"], { kind: "anomaly_detection" }> {
    const { method } = this.#rule.options;
    if (method.kind !== "anomaly_detection") throw new Error("not an anomaly rule");
    return method;
  }

  #bucketOf(event: { readonly timeMs: number }): number {
    return Math.floor(event.timeMs / this.#bucketMs);
  }

  #judge(key: string, bucket: number, slot: number): TwinAnomalyHit[] {
    const events = this.#groups.get(key)!;
    const caseIndex = this.#rule.cases.findIndex((each) => this.#isAnomalous(events, bucket, each.percentile ?? 0.995));
    if (caseIndex < 0) return [];
    const own = inOrder(events.filter((event) => this.#bucketOf(event) === bucket));
    const fresh = own.filter((event) => !event.counted);
    for (const event of fresh) event.counted = true;
    return [{ caseIndex, groupKey: key, timeMs: own.at(-1)!.timeMs, slot, slots: fresh.map((event) => event.slot), total: fresh.length }];
  }

  #isAnomalous(events: readonly Kept[], bucket: number, percentile: number): boolean {
    const value = this.#value(events, bucket);
    const bound = this.#bound(events, bucket, percentile);
    if (bound === undefined || value <= bound) return false;
    const window = Math.max(1, Math.ceil((this.#rule.options.evaluationWindowMs || 1_800_000) / this.#bucketMs));
    const first = Math.min(...events.map((event) => this.#bucketOf(event)));
    let excess = 0;
    let bounds = 0;
    for (let each = Math.max(first, bucket - window + 1); each <= bucket; each++) {
      const own = this.#bound(events, each, percentile);
      if (own === undefined) continue;
      excess += Math.max(0, this.#value(events, each) - own);
      bounds += Math.max(1, own);
    }
    return excess / bounds > this.#method().tolerance / 5 && excess >= 3 * Math.sqrt(bounds);
  }

  #bound(events: readonly Kept[], bucket: number, percentile: number): number | undefined {
    const { learningHours, learningBaseline } = this.#method();
    const firstMs = Math.min(...events.map((event) => event.timeMs));
    if (bucket * this.#bucketMs - firstMs < learningHours * 3_600_000) return learningBaseline;
    const first = Math.floor(firstMs / this.#bucketMs);
    const history: number[] = [];
    for (let each = first; each < bucket; each++) if ((bucket - each) * this.#bucketMs <= 14 * DAY_MS) history.push(each);
    const seasonal = history.filter((each) => {
      const apart = Math.abs(this.#hourOf(each) - this.#hourOf(bucket));
      return apart <= 1 || apart === 23;
    });
    const isSeason = seasonal.length > 0 && (bucket - seasonal[0]!) * this.#bucketMs >= 3 * DAY_MS;
    const values = (isSeason ? seasonal : history).map((each) => this.#value(events, each)).toSorted((a, b) => a - b);
    return values[Math.max(1, Math.ceil(percentile * values.length - 1e-9)) - 1]!;
  }

  #hourOf(bucket: number): number {
    return new Date(bucket * this.#bucketMs).getUTCHours();
  }

  #value(events: readonly Kept[], bucket: number): number {
    const own = events.filter((event) => this.#bucketOf(event) === bucket);
    switch (this.#rule.queries[0]!.aggregation) {
      case "sum":
        return own.reduce((sum, event) => sum + (Number.isNaN(event.matches[0]!.number) ? 0 : event.matches[0]!.number), 0);
      case "cardinality": {
        const present = own.flatMap((event) => event.matches).filter((match) => match.values.every((values) => values.length > 0));
        return new Set(present.map((match) => JSON.stringify(match.values))).size;
      }
      default:
        return own.length;
    }
  }
}

function inOrder(events: readonly Kept[]): Kept[] {
  return events.toSorted((a, b) => a.timeMs - b.timeMs || a.slot - b.slot);
}
