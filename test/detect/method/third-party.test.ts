import { describe, expect, test } from "vitest";
import { Random } from "../../../bench/random.ts";
import { ThirdPartyDetector, lifeCycleOf, thirdPartyCase, thirdPartyGroupNames } from "../../../host/detect/method/third-party.ts";
import type { LogEvent } from "../../../host/event/event.ts";
import type { Rule } from "../../../host/rule/rule.ts";
import { readRule } from "../../../host/rule/wire.ts";
import { ThirdPartyTwin } from "../../reference/third-party.ts";
import { type BookRules, LATENESS_MS, methodEvents, playHits, playScenario, scenariosOf } from "./harness.ts";
import { DAY_MS, HOUR_MS, playDetector } from "./streams.ts";

const scenarios = scenariosOf("third_party");
const setup = { allowedLatenessMs: LATENESS_MS };

function book(rule: Rule): BookRules {
  return { ...lifeCycleOf(rule), caseOf: (caseIndex) => thirdPartyCase(rule, caseIndex), groupNames: (hit) => thirdPartyGroupNames(rule, hit.groupKey) };
}

describe.skipIf(!scenarios.length)("[DE-35] [DE-36] [DE-37] third party scenarios (skipped where ../shared is absent)", () => {
  test.each(scenarios.map((scenario) => [scenario.id, scenario.why, scenario] as const))("%s: %s", (_id, _why, scenario) => {
    expect(playScenario(scenario, (rule) => new ThirdPartyDetector(rule, setup), book)).toEqual([]);
  });
});

interface Root {
  readonly query: string;
  readonly groupByFields: readonly string[];
}

function vendorRule(rootQueries: readonly Root[], cases: readonly string[]): Rule {
  return readRule({
    id: "rule", name: "rule", message: "", isEnabled: true, type: "log_detection", tags: [],
    options: { detectionMethod: "third_party", keepAlive: 0, maxSignalDuration: 86400, thirdPartyRuleOptions: { defaultStatus: "medium", defaultNotifications: ["@soc"], rootQueries } },
    thirdPartyCases: cases.map((query, i) => ({ name: `case ${i}`, query, status: "high" })),
  });
}

describe("[DE-35] [DE-37] third party and its twin", () => {
  test("give the same hits, saved and put back wherever it be", () => {
    const roots = ["source:edr", "@kind:a", "@kind:(a OR b)", "*"].flatMap((query) => [[], ["@u"], ["@u", "@v"], ["team"]].map((groupByFields) => ({ query, groupByFields })));
    let found = 0;
    for (let seed = 1; seed <= 300; seed++) {
      const random = new Random(seed);
      const rule = vendorRule(Array.from({ length: 1 + random.below(3) }, () => random.pick(roots)), Array.from({ length: 1 + random.below(3) }, () => random.pick(["@s:1", "@s:(1 OR 2)", "@kind:b"])));
      let highMs = 1_700_000_000_000;
      const list = (): string[] => Array.from({ length: random.below(4) }, () => `u${random.below(3)}`);
      const logs = Array.from({ length: 60 }, (): LogEvent => {
        highMs += random.pick([0, 1, HOUR_MS, DAY_MS]);
        const timestamp = highMs - (random.below(4) === 0 ? random.pick([1, LATENESS_MS, LATENESS_MS + 1]) : 0);
        const attributes = { kind: random.pick(["a", "b", "c"]), s: random.below(4), u: list(), v: list() };
        return { timestamp, source: random.pick(["edr", "other"]), tags: random.below(2) ? ["team:x", "team:y"] : [], attributes };
      });
      const events = methodEvents(rule, logs);
      const twin = new ThirdPartyTwin(rule, LATENESS_MS);
      const expected = events.flatMap((event) => twin.apply(event, event.event));
      const { hits, detector } = playDetector(events, () => new ThirdPartyDetector(rule, setup), new Random(seed));
      expect(hits, `seed ${seed}`).toEqual(expected);
      expect(detector.counts().lateDropped, `seed ${seed}`).toBe(twin.lateDropped);
      found += hits.length;
    }
    expect(found).toBeGreaterThan(5000);
  });
});

describe("third party", () => {
  const rule = vendorRule([{ query: "@kind:a", groupByFields: ["@u"] }, { query: "*", groupByFields: [] }], ["@s:1"]);

  test("[DE-37] the first root query takes the event, also one it cannot group", () => {
    const events = methodEvents(rule, [{ timestamp: 1, attributes: { kind: "a", s: 1 } }, { timestamp: 2, attributes: { s: 1 } }]);
    const { hits } = playDetector(events, () => new ThirdPartyDetector(rule, setup));
    expect(hits.map(({ timeMs, groupKey }) => [timeMs, groupKey])).toEqual([[2, "1 0 1 2"]]);
  });

  test("[DE-35] an event of no case has the default severity and targets", () => {
    expect(thirdPartyCase(rule, 0)).toMatchObject({ name: "case 0", severity: "high" });
    expect(thirdPartyCase(rule, 1)).toEqual({ name: "", severity: "medium", notifications: ["@soc"] });
  });

  test("[DE-36] a value of the grouping attribute is one signal in 24 hours, each case having its own", () => {
    const log = (timestamp: number, u: string, s = 1): LogEvent => ({ timestamp, attributes: { kind: "a", u, s } });
    const events = methodEvents(rule, [log(0, "x"), log(HOUR_MS, "x"), log(HOUR_MS, "y"), log(2 * HOUR_MS, "x", 2), log(DAY_MS, "x"), log(DAY_MS + 1, "x")]);
    const { hits } = playDetector(events, () => new ThirdPartyDetector(rule, setup));
    const signals = playHits(rule, hits.map((hit) => ({ ...hit, event: {} })), book(rule));
    expect(signals.map(({ caseName, group, firstMs, lastMs }) => [caseName, group["@u"], firstMs, lastMs])).toEqual([
      ["case 0", "x", 0, DAY_MS], ["case 0", "y", HOUR_MS, HOUR_MS], ["", "x", 2 * HOUR_MS, 2 * HOUR_MS], ["case 0", "x", DAY_MS + 1, DAY_MS + 1],
    ]);
  });
});
