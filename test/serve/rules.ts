/** Rules of several kinds, so that all sorts of state are carried over a kill. */
const options = { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 600, maxSignalDuration: 3600 };
const common = { isEnabled: true, type: "log_detection", tags: ["security:attack"] };

export const burst = {
  ...common, id: "burst", name: "Burst", message: "{{@usr.id}} failed {{events_matched}} times", options,
  queries: [
    { name: "failed", query: "source:sso @evt.outcome:failure", aggregation: "count", groupByFields: ["@usr.id"] },
    { name: "passed", query: "source:sso @evt.outcome:success", aggregation: "count", groupByFields: ["@usr.id"] },
  ],
  cases: [{ name: "got in", status: "critical", condition: "failed > 12 && passed > 1" }, { name: "burst", status: "high", condition: "failed > 30" }, { name: "some", status: "low", condition: "failed > 5" }],
};

export const spread = {
  ...common, id: "spread", name: "Spread", message: "{{@network.client.ip}}", options: { ...options, evaluationWindow: 60 },
  queries: [{ name: "users", query: "source:sso", aggregation: "cardinality", distinctFields: ["@usr.id"], groupByFields: ["@network.client.ip"] }],
  cases: [{ name: "many", status: "medium", condition: "users > 6" }],
};

export const fresh = {
  ...common, id: "fresh", name: "Fresh", message: "{{@network.client.ip}} is new to {{@usr.id}}",
  options: { detectionMethod: "new_value", evaluationWindow: 0, keepAlive: 600, maxSignalDuration: 3600, newValueOptions: { learningDuration: 0, forgetAfter: 28, learningMethod: "duration" } },
  queries: [{ name: "", query: "source:sso @evt.outcome:success", aggregation: "new_value", metrics: ["@network.client.ip"], groupByFields: ["@usr.id"] }],
  cases: [{ name: "", status: "info" }],
};

export const chain = {
  ...common, id: "chain", name: "Chain", message: "{{@usr.id}}",
  options: { ...options, detectionMethod: "sequence_detection", evaluationWindow: 600, sequenceDetectionOptions: { steps: [{ name: "tried", condition: "a > 2", evaluationWindow: 600 }, { name: "in", condition: "b > 0", evaluationWindow: 0 }], stepTransitions: [{ parent: "tried", child: "in", evaluationWindow: 600 }] } },
  queries: [
    { name: "a", query: "source:sso @evt.outcome:failure", aggregation: "count", groupByFields: ["@usr.id"] },
    { name: "b", query: "source:sso @evt.outcome:success", aggregation: "count", groupByFields: ["@usr.id"] },
  ],
  cases: [{ name: "", status: "high", condition: "in > 0" }],
};

/** Reads the signals of others, some of which turn out to be part of each other. */
export const both = {
  ...common, id: "both", name: "Both", type: "signal_correlation", message: "{{@usr.id}}", options: { ...options, evaluationWindow: 600 },
  queries: [
    { name: "a", ruleId: "burst", aggregation: "event_count", correlatedByFields: ["@usr.id"] },
    { name: "b", ruleId: "chain", aggregation: "event_count", correlatedByFields: ["@usr.id"] },
  ],
  cases: [{ name: "", status: "critical", condition: "a > 0 && b > 0" }],
};

export const killRules: readonly Record<string, unknown>[] = [burst, spread, fresh, chain, both];

/** A login; `next` chooses who, from where, and how it went. */
export function login(nr: number, atMs: number, next: () => number): Record<string, unknown> {
  const pick = (count: number): number => Math.floor(next() ** 2 * count);
  return {
    ddsource: "sso", service: "login", timestamp: Math.round(atMs - next() * 40_000), nr,
    evt: { outcome: next() < 0.85 ? "failure" : "success" }, usr: { id: `user-${pick(24)}` }, network: { client: { ip: `192.0.2.${pick(40)}` } },
    message: "login ".repeat(1 + pick(5)),
  };
}
