import { describe, expect, test } from "vitest";
import { Random } from "../../../bench/random.ts";
import { ImpossibleTravelDetector } from "../../../host/detect/method/impossible-travel.ts";
import type { MethodEvent } from "../../../host/detect/method/method.ts";
import { NewValueDetector } from "../../../host/detect/method/new-value.ts";
import { type BudgetHolder, GroupBudget, StateBudget } from "../../../host/detect/method/state-budget.ts";
import { readRule } from "../../../host/rule/wire.ts";
import { LATENESS_MS } from "./harness.ts";
import { HOUR_MS } from "./streams.ts";

class Holder implements BudgetHolder {
  stateBytes: number;
  readonly least: number;

  constructor(stateBytes: number, least = 0) {
    this.stateBytes = stateBytes;
    this.least = least;
  }
  giveWay(): boolean {
    if (this.stateBytes <= this.least) return false;
    this.stateBytes -= 10;
    return true;
  }
}

describe("a budget of several", () => {
  const budgetOf = (...holders: readonly Holder[]): StateBudget => {
    const budget = new StateBudget(100);
    for (const holder of holders) budget.join(holder);
    return budget;
  };

  test("the largest gives way to whoever asks, until there is room", () => {
    const [small, middle, large] = [new Holder(10), new Holder(30), new Holder(60)];
    expect(budgetOf(small, middle, large).allows(small, 15)).toBe(true);
    expect([small, middle, large].map(({ stateBytes }) => stateBytes)).toEqual([10, 30, 40]);
  });

  test("the largest itself gets no more, and neither does who would become it", () => {
    const [small, large] = [new Holder(40), new Holder(60)];
    expect(budgetOf(small, large).allows(large, 1)).toBe(false);
    expect(budgetOf(small, large).allows(small, 30)).toBe(false);
    expect([small, large].map(({ stateBytes }) => stateBytes)).toEqual([40, 60]);
  });

  test("one who has nothing left to give does not hang the others", () => {
    const [small, stuck] = [new Holder(10), new Holder(90, 90)];
    expect(budgetOf(small, stuck).allows(small, 5)).toBe(false);
  });

  test("groups that are objects are measured seldom, and give way where they are too large", () => {
    let measured = 0;
    let groups = 0;
    const holder = {
      get groupCount() {
        return groups;
      },
      measure: () => (measured++, groups * 1000),
      giveWay: () => groups > 0 && ((groups -= Math.max(1, groups >> 4)), true),
    };
    const budget = new GroupBudget(new StateBudget(10_000_000), holder);
    for (let i = 0; i < 1_000_000; i++) {
      budget.makeRoom();
      groups++;
      if (groups > 10_000) expect.fail(`${groups} groups`);
    }
    expect(groups).toBeGreaterThan(8000);
    expect(measured).toBeLessThan(5000);
  });
});

const cities = Array.from({ length: 40 }, (_, n) => [[String((n * 37) % 80)], [String((n * 71) % 170)], [`city ${n}`], ["X"], []]);

function eventsOf(seed: number, count: number, users: number, startMs: number, valuesOf: (random: Random) => ReadonlyArray<readonly string[]>): MethodEvent[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, slot) => {
    const user = `u${random.below(users)}`;
    const timeMs = startMs + slot * HOUR_MS / 4;
    return { timeMs, highMs: timeMs, slot, matches: [{ queryIndex: 0, groupKey: user, group: [user], values: valuesOf(random), number: Number.NaN }] };
  });
}

function ruleOf(detectionMethod: string, options: Record<string, unknown>, query: Record<string, unknown>): ReturnType<typeof readRule> {
  return readRule({
    id: "rule", name: "rule", message: "", isEnabled: true, type: "log_detection", tags: [], options: { detectionMethod, keepAlive: 3600, maxSignalDuration: 86400, ...options },
    queries: [{ name: "a", query: "*", groupByFields: ["@u"], ...query }], cases: [{ name: "", status: "low" }],
  });
}

describe("who gave way", () => {
  test("impossible travel: of users that stay nothing is forgotten", () => {
    const rule = ruleOf("impossible_travel", { impossibleTravelOptions: { baselineUserLocations: true } }, { aggregation: "geo_data", metrics: ["@network.client.geoip"] });
    const events = eventsOf(1, 4000, 200, 1_700_000_000_000, (random) => random.pick(cities));
    const [whole, given] = [0, 1].map(() => new ImpossibleTravelDetector(rule, { allowedLatenessMs: LATENESS_MS })) as [ImpossibleTravelDetector, ImpossibleTravelDetector];
    for (const event of events.slice(0, 3000)) for (const detector of [whole, given]) detector.apply(event, () => undefined);
    const before = given.counts();
    expect(given.giveWay()).toBe(true);
    const after = given.counts();
    expect([before.groups - after.groups, after.evicted - before.evicted]).toEqual([25, 25]);
    expect(after.stateBytes).toBeLessThan(before.stateBytes);
    // The eighth that was seen least lately.
    const lastSeen = new Map(events.slice(0, 3000).map(({ slot, matches }) => [matches[0]!.groupKey, slot]));
    const stays = new Set([...lastSeen].toSorted((a, b) => b[1] - a[1]).slice(0, 175).map(([user]) => user));
    let hits = 0;
    for (const event of events.slice(3000)) {
      const told: number[][] = [[], []];
      [whole, given].forEach((detector, i) => detector.apply(event, ({ timeMs, slots }) => told[i]!.push(timeMs, ...slots)));
      if (!stays.has(event.matches[0]!.groupKey)) continue;
      expect(told[1]).toEqual(told[0]);
      hits += told[0]!.length;
    }
    expect(hits).toBeGreaterThan(100);
    while (given.giveWay());
    expect(given.counts().groups).toBe(0);
  });

  test("new value: values that went to the filters are known, and none of the others is", () => {
    const rule = ruleOf("new_value", { newValueOptions: { learningDuration: 1, forgetAfter: 28 } }, { aggregation: "new_value", metrics: ["@v"] });
    const detector = new NewValueDetector(rule, { allowedLatenessMs: LATENESS_MS });
    const startMs = 1_700_000_000_000;
    const at = (value: number, timeMs: number): boolean => {
      let told = false;
      detector.apply({ timeMs, highMs: timeMs, slot: 0, matches: [{ queryIndex: 0, groupKey: "u", group: ["u"], values: [[`v${value}`]], number: Number.NaN }] }, () => (told = true));
      return told;
    };
    for (let value = 0; value < 40_000; value++) at(value, startMs + value);
    const before = detector.counts();
    expect(detector.giveWay()).toBe(true);
    const after = detector.counts();
    expect([after.groups, after.evicted, after.filtered]).toEqual([1, 0, 5000]);
    expect(after.stateBytes).toBeLessThan(before.stateBytes);
    const later = startMs + 2 * 24 * HOUR_MS;
    for (let value = 0; value < 40_000; value++) if (at(value, later)) expect.fail(`v${value} is told anew`);
    for (let value = 40_000; value < 60_000; value++) if (!at(value, later)) expect.fail(`v${value} is not told`);
    // Then groups go too, and with them what is left.
    while (detector.giveWay());
    expect(detector.counts().groups).toBe(0);
  });
});
