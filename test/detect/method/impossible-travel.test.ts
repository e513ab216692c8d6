import { describe, expect, test } from "vitest";
import { Random } from "../../../bench/random.ts";
import { ImpossibleTravelDetector, distanceKm } from "../../../host/detect/method/impossible-travel.ts";
import type { MethodEvent } from "../../../host/detect/method/method.ts";
import type { Rule } from "../../../host/rule/rule.ts";
import { readRule } from "../../../host/rule/wire.ts";
import { ImpossibleTravelTwin } from "../../reference/impossible-travel.ts";
import { LATENESS_MS, playScenario, scenariosOf } from "./harness.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, drawEvents, playDetector } from "./streams.ts";

const scenarios = scenariosOf("impossible_travel");
const setup = { allowedLatenessMs: LATENESS_MS };

describe.skipIf(!scenarios.length)("[DE-30] [DE-31] [DE-33] [DE-34] impossible travel scenarios (skipped where ../shared is absent)", () => {
  test.each(scenarios.map((scenario) => [scenario.id, scenario.why, scenario] as const))("%s: %s", (_id, _why, scenario) => {
    expect(playScenario(scenario, (rule) => new ImpossibleTravelDetector(rule, setup))).toEqual([]);
  });
});

function travelRule(baselineDays?: number): Rule {
  return readRule({
    id: "rule", name: "rule", message: "", isEnabled: true, type: "log_detection", tags: [],
    options: {
      detectionMethod: "impossible_travel", keepAlive: 3600, maxSignalDuration: 86400,
      impossibleTravelOptions: { baselineUserLocations: baselineDays !== undefined, ...(baselineDays === undefined ? {} : { baselineUserLocationsDuration: baselineDays }) },
    },
    queries: [{ name: "a", query: "@q:a", aggregation: "geo_data", groupByFields: ["@u"], metrics: ["@network.client.geoip"] }],
    cases: [{ name: "", status: "low" }],
  });
}

/** Latitude, longitude, city, ISO code, country. */
type Place = ReadonlyArray<readonly string[]>;
function place(latitude: number | string, longitude: number | string, city?: string, code?: string, country?: string): Place {
  return [[String(latitude)], [String(longitude)], ...[city, code, country].map((text) => (text === undefined ? [] : [text]))];
}
const paris = place(48.8566, 2.3522, "Paris", "FR", "France");
const london = place(51.5074, -0.1278, "London", "GB", "United Kingdom");
const berlin = place(52.52, 13.405, "Berlin", "DE", "Germany");
const tokyo = place(35.6762, 139.6503, "Tokyo", "JP", "Japan");
const newYork = place(40.7128, -74.006, "New York", "US");
const places = [
  paris, london, berlin, tokyo, newYork, place(-33.87, 151.21, "Sydney", undefined, "Australia"), place(48.6, 2.9, undefined, "FR"), place(-17.7, 178.0), place(-17.71, -179.9),
  place(90, 0, "Pole"), place(0, 0), place("", ""), place("north", "1"), place(91, 0), [[], [], [], [], []] as Place,
];

describe("[DE-30] [DE-33] impossible travel and its twin", () => {
  test("give the same hits, saved and put back wherever it be", () => {
    let found = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const random = new Random(seed);
      const rule = travelRule(random.pick([undefined, 0, 0.5, 1, 3]));
      const [placeCap, moveCap] = random.pick([[64, 256], [3, 4], [2, 1]] as const);
      const own = Array.from({ length: 2 + random.below(6) }, () => random.pick(places));
      const events = drawEvents(random, {
        count: 50 + random.below(350), groups: 1 + random.below(12),
        steps: random.below(2) ? [0, 1, MINUTE_MS, HOUR_MS, 7 * HOUR_MS, DAY_MS / 2] : [0, HOUR_MS, 7 * HOUR_MS, 15 * DAY_MS, 30 * DAY_MS - 1, 30 * DAY_MS], valuesOf: () => random.pick(own),
      });
      const twin = new ImpossibleTravelTwin(rule, LATENESS_MS, placeCap, moveCap);
      const expected = events.flatMap((event) => twin.apply(event));
      const make = (): ImpossibleTravelDetector => new ImpossibleTravelDetector(rule, { ...setup, placeCap, moveCap, sweepLeast: 1 + random.below(3) });
      const { hits, detector } = playDetector(events, make, new Random(seed));
      expect(hits, `seed ${seed}`).toEqual(expected);
      expect(detector.counts().lateDropped, `seed ${seed}`).toBe(twin.lateDropped);
      found += hits.length;
    }
    expect(found).toBeGreaterThan(3000);
  });
});

const at = 1_700_000_000_000;
function access(values: Place, timeMs: number, slot: number, user = "u", highMs = timeMs): MethodEvent {
  return { timeMs, highMs, slot, matches: [{ queryIndex: 0, groupKey: user, group: [user], values, number: Number.NaN }] };
}
function hitsOf(rule: Rule, events: readonly MethodEvent[]): Array<readonly [number, readonly number[]]> {
  return playDetector(events, () => new ImpossibleTravelDetector(rule, setup)).hits.map(({ timeMs, slots }) => [timeMs - at, slots] as const);
}

describe("impossible travel", () => {
  test.each([
    [paris, london, 343.6], [paris, tokyo, 9712], [newYork, london, 5570], [place(0, 0), place(0, 180), 20015.1], [place(0, 179), place(0, -179), 222.4], [place(90, 0), place(90, 77), 0],
  ] as const)("the distance between two places, case %#", (from, to, km) => {
    const between = distanceKm(Number(from[0]![0]), Number(from[1]![0]), Number(to[0]![0]), Number(to[1]![0]));
    expect(Math.abs(between - km)).toBeLessThan(Math.max(0.1, km / 1000));
  });

  test("[DE-30] Paris then Tokyo an hour later, at once, and Paris then London", () => {
    expect(hitsOf(travelRule(), [access(paris, at, 0), access(tokyo, at + HOUR_MS, 1)])).toEqual([[HOUR_MS, [0, 1]]]);
    expect(hitsOf(travelRule(), [access(paris, at, 0), access(tokyo, at, 1)])).toEqual([[0, [0, 1]]]);
    expect(hitsOf(travelRule(), [access(paris, at, 0), access(london, at + 3 * HOUR_MS, 1)])).toEqual([]);
  });

  test("an event is counted for one hit of its user", () => {
    expect(hitsOf(travelRule(), [paris, tokyo, newYork].map((each, i) => access(each, at + i, i)))).toEqual([[1, [0, 1]], [2, [2]]]);
  });

  test("a late event is held against the user's latest; the match is at the later one's time", () => {
    expect(hitsOf(travelRule(), [access(paris, at, 0), access(tokyo, at - 1000, 1, "u", at)])).toEqual([[0, [1, 0]]]);
    expect(hitsOf(travelRule(), [access(paris, at, 0), access(tokyo, at - LATENESS_MS - 1, 1, "u", at), access(paris, at, 2)])).toEqual([]);
  });

  test("[DE-33] a location unseen for 30 days is unknown again, but not the way that leads there", () => {
    const home = (days: number, slot: number): MethodEvent => access(paris, at + days * DAY_MS, slot);
    const away = (days: number, slot: number): MethodEvent => access(newYork, at + days * DAY_MS + HOUR_MS, slot);
    expect(hitsOf(travelRule(1), [home(0, 0), access(tokyo, at + DAY_MS / 2, 1), home(29, 2), away(29, 3), home(31, 4), away(31, 5)])).toEqual([[29 * DAY_MS + HOUR_MS, [2, 3]]]);
    expect(hitsOf(travelRule(1), [home(0, 0), away(0, 1), home(30.5, 2), away(30.5, 3)])).toEqual([]);
    expect(hitsOf(travelRule(1), [home(0, 0), access(london, at + HOUR_MS / 2, 1), away(0, 2), home(30.5, 3), away(30.5, 4)])).toEqual([[30.5 * DAY_MS + HOUR_MS, [3, 4]]]);
  });

  test("users of whom nothing can follow leave, those longest unseen give way to too many, and are counted", () => {
    const many = (rule: Rule, step: number, groupCap: number): ImpossibleTravelDetector => {
      const detector = new ImpossibleTravelDetector(rule, { ...setup, groupCap, sweepLeast: 10 });
      for (let i = 0; i < 1000; i++) {
        detector.apply(access(paris, at + i * step, i, `u${i}`), () => undefined);
        detector.advance(at + i * step - LATENESS_MS);
      }
      return detector;
    };
    expect(many(travelRule(), HOUR_MS, 100).counts()).toMatchObject({ evicted: 0 });
    expect(many(travelRule(), HOUR_MS, 100).counts().groups).toBeLessThan(60);
    const kept = many(travelRule(1), HOUR_MS, 100).counts();
    expect(kept.groups + kept.evicted).toBe(1000);
    expect(kept.groups).toBeLessThanOrEqual(100);
  });

  test("damaged state is refused, wherever the damage is", () => {
    const detector = new ImpossibleTravelDetector(travelRule(1), setup);
    places.forEach((each, i) => detector.apply(access(each, at + i * HOUR_MS, i, `u${i % 3}`), () => undefined));
    const bytes = detector.save();
    for (let i = 0; i < bytes.length; i += 3) {
      const damaged = bytes.slice();
      damaged[i]! ^= 1 << (i & 7);
      expect(new ImpossibleTravelDetector(travelRule(1), setup).restore(damaged), `byte ${i}`).toBeTypeOf("string");
    }
    expect(new ImpossibleTravelDetector(travelRule(1), setup).restore(bytes)).toBeUndefined();
  });
});
