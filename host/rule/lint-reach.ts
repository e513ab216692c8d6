import { printQuery } from "../query/print.ts";
import { matchesEverything } from "./lint-query.ts";
import type { Rule } from "./rule.ts";

type Warn = (code: string, place: string, message: string, hint: string) => void;

/** Cases that an earlier one always takes the match from, where cases are no conditions over counts. */
export function lintReach(rule: Rule, warn: Warn): void {
  const { method } = rule.options;
  switch (method.kind) {
    case "new_value":
    case "impossible_travel":
    case "hardcoded":
      rule.cases.slice(1).forEach((_, i) => warn("lint/shadowed-case", `cases[${i + 1}]`, `${rule.options.detectionMethod} knows one case, so this one is never reached`, "take it out"));
      break;
    case "anomaly_detection":
      rule.cases.forEach((each, i) => {
        const own = each.percentile ?? DEFAULT_PERCENTILE;
        const earlier = rule.cases.slice(0, i).findIndex((other) => (other.percentile ?? DEFAULT_PERCENTILE) <= own);
        if (earlier >= 0) warn("lint/shadowed-case", `cases[${i}]`, `cases[${earlier}] is true whenever this one is, so this one is never reached`, "put the higher percentile first");
      });
      break;
    case "third_party": {
      const texts = rule.cases.map((each, i) => each.query ?? rule.queries[i]);
      texts.forEach((query, i) => {
        if (!query) return;
        const own = printQuery(query.node);
        const earlier = texts.slice(0, i).findIndex((other) => other && (matchesEverything(other.node) || printQuery(other.node) === own));
        if (earlier >= 0) warn("lint/shadowed-case", `cases[${i}]`, `cases[${earlier}] takes every event this one could, so this one is never reached`, "put the narrower query first");
      });
      break;
    }
    case "sequence_detection": {
      const { keepAliveMs } = rule.options;
      const longest = method.transitionMs.reduce((most, ms) => Math.max(most, ms), 0);
      if (keepAliveMs > 0 && longest > keepAliveMs) {
        warn("lint/window-beyond-keep-alive", "options.keepAlive", `a step may take ${longest / 1000} s and a signal stays open for ${keepAliveMs / 1000} s, so one sequence that completes twice opens two signals`, `set keepAlive to at least ${longest / 1000}`);
      }
      break;
    }
    case "threshold":
    case "content_anomaly": {
      const { keepAliveMs, evaluationWindowMs } = rule.options;
      // Every event of a burst is a match as long as the window holds it.
      if (keepAliveMs === 0 && evaluationWindowMs === 0 && rule.queries.some((query) => query.groupBy.length > 0)) {
        warn("lint/signal-per-event", "options.keepAlive", "without keepAlive every event that matches opens a signal of its own", "set keepAlive to the time in which one signal is enough for a group");
      }
      break;
    }
  }
}

/** As the engine takes it where a case names none. */
const DEFAULT_PERCENTILE = 0.995;
