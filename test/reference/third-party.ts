import type { MethodEvent } from "../../host/detect/method/method.ts";
import type { LogEvent } from "../../host/event/event.ts";
import { valuesOf } from "../../host/query/values.ts";
import type { Rule } from "../../host/rule/rule.ts";
import { evaluate } from "./evaluate.ts";
import type { TwinMethodHit } from "./method-hit.ts";

/** Alerts of other products as section 8 says them, from the events themselves: the detector is held to its answers. */
export class ThirdPartyTwin {
  lateDropped = 0;
  readonly #rule: Rule;
  readonly #latenessMs: number;

  constructor(rule: Rule, latenessMs: number) {
    this.#rule = rule;
    this.#latenessMs = latenessMs;
  }

  apply({ timeMs, highMs, slot }: MethodEvent, event: LogEvent): TwinMethodHit[] {
    const { method } = this.#rule.options;
    if (method.kind !== "third_party") throw new Error("not a rule for other products");
    const root = method.rootQueries.find((each) => evaluate(each.node, event));
    if (!root) return [];
    let groups: string[][] = [[]];
    for (const field of root.groupBy) {
      const values = [...new Set(valuesOf(field, event).map(String))];
      groups = groups.flatMap((group) => values.map((value) => [...group, value]));
    }
    if (timeMs < highMs - this.#latenessMs) {
      this.lateDropped += groups.length;
      return [];
    }
    const found = this.#rule.cases.findIndex((each) => each.query && evaluate(each.query.node, event));
    const caseIndex = found < 0 ? this.#rule.cases.length : found;
    const rootIndex = method.rootQueries.indexOf(root);
    const perQuery = [
      ...method.rootQueries.map((_, i) => (i === rootIndex ? 1 : 0)),
      ...this.#rule.cases.map((_, i) => (i === caseIndex ? 1 : 0)),
    ];
    return groups.map((group) => {
      const key = root.groupBy.length ? JSON.stringify(group) : `${slot} ${timeMs}`;
      return { caseIndex, groupKey: `${rootIndex} ${caseIndex} ${key}`, group, timeMs, slot, slots: [slot], perQuery, total: 1 };
    });
  }
}
