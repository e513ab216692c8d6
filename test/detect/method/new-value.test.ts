import { describe, expect, test } from "vitest";
import { Random } from "../../../bench/random.ts";
import type { MethodEvent } from "../../../host/detect/method/method.ts";
import { NewValueDetector } from "../../../host/detect/method/new-value.ts";
import type { Rule } from "../../../host/rule/rule.ts";
import { readRule } from "../../../host/rule/wire.ts";
import { NewValueTwin } from "../../reference/new-value.ts";
import { LATENESS_MS, playScenario, scenariosOf } from "./harness.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, drawEvents, playDetector } from "./streams.ts";

const scenarios = scenariosOf("new_value");
const setup = { allowedLatenessMs: LATENESS_MS };

describe.skipIf(!scenarios.length)("[DE-11] [DE-12] [DE-13] [DE-14] [DE-15] [DE-16] new value scenarios (skipped where ../shared is absent)", () => {
  test.each(scenarios.map((scenario) => [scenario.id, scenario.why, scenario] as const))("%s: %s", (_id, _why, scenario) => {
    expect(playScenario(scenario, (rule) => new NewValueDetector(rule, setup))).toEqual([]);
  });
});

function newValueRule(options: Record<string, unknown>, metrics = ["@v", "@w"]): Rule {
  return readRule({
    id: "rule", name: "rule", message: "", isEnabled: true, type: "log_detection", tags: [],
    options: { detectionMethod: "new_value", keepAlive: 3600, maxSignalDuration: 86400, newValueOptions: options },
    queries: [{ name: "a", query: "@q:a", aggregation: "new_value", groupByFields: ["@u"], metrics }],
    cases: [{ name: "", status: "low" }],
  });
}

const at = 1_700_000_000_000;
function sighting(value: string, timeMs: number, slot = 0, user = "u", highMs = timeMs): MethodEvent {
  return { timeMs, highMs, slot, matches: [{ queryIndex: 0, groupKey: user, group: [user], values: [[value]], number: Number.NaN }] };
}

describe("[DE-11] new value and its twin", () => {
  test("give the same hits, saved and put back wherever it be", () => {
    for (let seed = 1; seed <= 400; seed++) {
      const random = new Random(seed);
      const learning = random.pick([{ learningMethod: "duration", learningDuration: random.below(3) }, { learningMethod: "threshold", learningThreshold: random.below(2) }]);
      const rule = newValueRule({ ...learning, forgetAfter: 1 + random.below(3) });
      const texts = ["FR", "DE", "", "a", "aa", "ä"];
      const events = drawEvents(random, {
        count: 50 + random.below(350), groups: 1 + random.below(12), steps: [0, 1, 1000, HOUR_MS, DAY_MS - 1, DAY_MS, 2 * DAY_MS],
        valuesOf: () => [0, 1].map(() => random.below(12) === 0 ? [] : Array.from({ length: 1 + random.below(2) }, () => random.pick(texts))),
      });
      const twin = new NewValueTwin(rule, LATENESS_MS);
      const expected = events.flatMap((event) => twin.apply(event));
      const { hits, detector } = playDetector(events, () => new NewValueDetector(rule, { ...setup, sweepLeast: 1 + random.below(8) }), new Random(seed));
      expect(hits, `seed ${seed}`).toEqual(expected);
      expect(detector.counts(), `seed ${seed}`).toMatchObject({ groups: twin.groups, lateDropped: twin.lateDropped, evicted: 0 });
    }
  });

  test("hold many groups and values alike, whatever table they come to", () => {
    const random = new Random(7);
    const rule = newValueRule({ learningMethod: "duration", learningDuration: 0, forgetAfter: 7 }, ["@v"]);
    const events = drawEvents(random, { count: 40_000, groups: 5000, steps: [0, 1000, 10 * MINUTE_MS], valuesOf: () => [[String(random.skewed(3000))]] });
    const twin = new NewValueTwin(rule, LATENESS_MS);
    const expected = events.flatMap((event) => twin.apply(event));
    expect(expected.length).toBeGreaterThan(5000);
    expect(playDetector(events, () => new NewValueDetector(rule, setup)).hits).toEqual(expected);
  });
});

describe("new value, at its bounds", () => {
  const rule = newValueRule({ learningMethod: "threshold", learningThreshold: 0, forgetAfter: 7 }, ["@v"]);
  const isTold = (detector: NewValueDetector, event: MethodEvent): boolean => {
    let told = false;
    detector.apply(event, () => (told = true));
    return told;
  };

  test("values beyond the cap of a group go to filters, which forget none of them early and all within a day", () => {
    const detector = new NewValueDetector(rule, { ...setup, valueCap: 10 });
    for (let i = 0; i < 500; i++) expect(isTold(detector, sighting(`v${i}`, at + i))).toBe(true);
    expect(detector.filtered()).toMatchObject({ sightings: 490, heldKnown: 0 });
    for (let i = 0; i < 500; i++) expect(isTold(detector, sighting(`v${i}`, at + 6 * DAY_MS))).toBe(false);
    for (let i = 0; i < 500; i++) expect(isTold(detector, sighting(`v${i}`, at + 13 * DAY_MS - 1))).toBe(false);
    for (let i = 0; i < 500; i++) expect(isTold(detector, sighting(`v${i}`, at + 21 * DAY_MS))).toBe(true);
    expect(detector.filtered().heldKnown).toBe(2 * 490);
    expect(detector.counts().evicted).toBe(0);
  });

  test("values beyond the budget of the rule, saved and put back", () => {
    const make = (): NewValueDetector => new NewValueDetector(rule, { ...setup, valueBudget: 100 });
    const detector = make();
    for (let i = 0; i < 10_000; i++) detector.apply(sighting(`v${i}`, at + i, i, `u${i % 7}`), () => undefined);
    const again = make();
    expect(again.restore(detector.save())).toBeUndefined();
    expect(again.filtered()).toEqual(detector.filtered());
    let missed = 0;
    for (let i = 0; i < 10_000; i++) {
      expect(isTold(again, sighting(`v${i}`, at + HOUR_MS, i, `u${i % 7}`))).toBe(false);
      if (!isTold(again, sighting(`w${i}`, at + HOUR_MS, i, `u${i % 7}`))) missed++;
    }
    expect(missed).toBeLessThan(3);
    expect(again.filtered().falsePositiveRate).toBeLessThan(1e-4);
  });

  test("forgotten values leave room for others", () => {
    const detector = new NewValueDetector(rule, { ...setup, valueCap: 50 });
    for (let i = 0; i < 50; i++) detector.apply(sighting(`v${i}`, at), () => undefined);
    detector.advance(at + 7 * DAY_MS);
    for (let i = 0; i < 49; i++) detector.apply(sighting(`w${i}`, at + 8 * DAY_MS), () => undefined);
    expect(detector.filtered().sightings).toBe(0);
  });

  test("of too many groups those longest unseen give way, and are counted", () => {
    const detector = new NewValueDetector(rule, { ...setup, groupCap: 80 });
    for (let i = 0; i < 81; i++) detector.apply(sighting("v", at + i, i, `u${i}`), () => undefined);
    expect(detector.counts()).toMatchObject({ groups: 71, evicted: 10 });
    expect(isTold(detector, sighting("v", at + 100, 0, "u10"))).toBe(false);
    expect(isTold(detector, sighting("v", at + 100, 0, "u9"))).toBe(true);
  });

  test("state of another query, another version, or cut short is refused with a reason", () => {
    const detector = new NewValueDetector(rule, setup);
    detector.apply(sighting("v", at), () => undefined);
    const bytes = detector.save();
    const other = new NewValueDetector(newValueRule({ learningMethod: "threshold" }, ["@other"]), setup);
    expect(other.restore(bytes)).toMatch(/changed/);
    expect(new NewValueDetector(rule, setup).restore(bytes.subarray(0, bytes.length - 1))).toMatch(/damaged/);
    expect(new NewValueDetector(rule, setup).restore(new Uint8Array([...bytes, 0]))).toMatch(/damaged/);
    expect(new NewValueDetector(rule, setup).restore(new Uint8Array(0))).toMatch(/not of new_value/);
    expect(new NewValueDetector(newValueRule({ learningMethod: "duration", learningDuration: 3 }, ["@v"]), setup).restore(bytes)).toBeUndefined();
  });
});
