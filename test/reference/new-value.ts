import type { MethodEvent } from "../../host/detect/method/method.ts";
import type { Rule } from "../../host/rule/rule.ts";
import type { TwinMethodHit } from "./method-hit.ts";

interface Group {
  firstMs: number;
  events: number;
  /** Last seen by value. */
  readonly seen: Map<string, number>;
}

/** New values as section 5 says them, with objects and no bounds: the detector is held to its answers. */
export class NewValueTwin {
  lateDropped = 0;
  readonly #rule: Rule;
  readonly #latenessMs: number;
  readonly #groups = new Map<string, Group>();

  constructor(rule: Rule, latenessMs: number) {
    this.#rule = rule;
    this.#latenessMs = latenessMs;
  }

  get groups(): number {
    return this.#groups.size;
  }

  apply(event: MethodEvent): TwinMethodHit[] {
    const { method } = this.#rule.options;
    if (method.kind !== "new_value") throw new Error("not a rule for new values");
    const hits: TwinMethodHit[] = [];
    for (const match of event.matches) {
      if (event.highMs - event.timeMs > this.#latenessMs) {
        this.lateDropped++;
        continue;
      }
      const firsts = match.values.map((values) => values[0]);
      if (firsts.includes(undefined)) continue;
      const value = JSON.stringify(firsts);
      const group = this.#groups.get(match.groupKey) ?? { firstMs: event.timeMs, events: 0, seen: new Map<string, number>() };
      this.#groups.set(match.groupKey, group);
      group.firstMs = Math.min(group.firstMs, event.timeMs);
      const lastMs = group.seen.get(value);
      const known = lastMs !== undefined && event.timeMs - lastMs < method.forgetAfterDays * 86_400_000;
      const { learning } = method;
      const spanMs = learning.kind === "duration" ? learning.days * 86_400_000 : 0;
      let isLearning = event.timeMs - group.firstMs < spanMs;
      if (learning.kind === "duration" && learning.days === 0) isLearning = group.events === 0;
      if (learning.kind === "threshold") isLearning = group.events < learning.values;
      if (!known && !isLearning) {
        hits.push({ caseIndex: 0, groupKey: match.groupKey, group: match.group, timeMs: event.timeMs, slot: event.slot, slots: [event.slot], perQuery: [1], total: 1 });
      }
      group.seen.set(value, Math.max(event.timeMs, lastMs ?? event.timeMs));
      group.events++;
    }
    return hits;
  }
}
