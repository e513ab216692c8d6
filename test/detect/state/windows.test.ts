import { beforeAll, describe, expect, test } from "vitest";
import type { Detector } from "../../../host/detect/detector.ts";
import { RuleKeys, restoreDetection, saveDetection, seedOf } from "../../../host/detect/state/detection-state.ts";
import { SECTION_ENGINE, SECTION_RECENT, readState, writeState } from "../../../host/detect/state/format.ts";
import type { Rule } from "../../../host/rule/rule.ts";
import { Generator } from "../../match/generate.ts";
import { type Variant, loadKernel, variants } from "../../support/wasm.ts";
import { shapes } from "../shapes.ts";
import { type TestEvent, columnsOf, createDetector, thresholdRule } from "../support.ts";

beforeAll(() => variants.forEach((variant) => loadKernel(variant)));

function stream(rules: readonly Rule[], random: Generator, count: number): TestEvent[] {
  let nowMs = 1_700_000_000_000;
  return Array.from({ length: count }, () => {
    nowMs += random.below(12) * 1000;
    if (random.chance(0.003)) nowMs += 4_000_000;
    const records = rules.flatMap((rule, ruleIndex) => rule.queries.flatMap((query, queryIndex) => {
      if (random.chance(0.4)) return [];
      // Some keys are longer than what is kept of them.
      const user = `${random.chance(0.1) ? "long ".repeat(140) : ""}user ${random.below(12)}`;
      return [{ ruleIndex, queryIndex, key: query.groupBy.map(() => user), values: [random.below(9), random.below(9)].slice(0, 1 + random.below(2)) }];
    }));
    return { timeMs: nowMs - (random.chance(0.2) ? random.below(200) * 1000 : 0), stream: random.chance(0.02) ? "other" : "one", records };
  });
}

function saved(detector: Detector, rules: readonly Rule[]): Uint8Array {
  return writeState({ events: 0, streams: {} }, saveDetection(detector, new RuleKeys(rules), rules.length));
}

/** All but the events' texts, which are numbered by batch here. */
function known(detector: Detector, rules: readonly Rule[]): unknown[] {
  return saveDetection(detector, new RuleKeys(rules), rules.length).filter(({ kind }) => kind !== SECTION_RECENT)
    .map(({ kind, items, body }) => [kind, items, Buffer.from(body).toString(kind === SECTION_ENGINE ? "utf8" : "hex")]);
}

/** Plays events, going over into a fresh detector at each of the places. */
async function played(rules: readonly Rule[], events: readonly TestEvent[], places: readonly number[], variant: Variant): Promise<{ readonly hits: unknown[]; readonly detector: Detector }> {
  const keys = new RuleKeys(rules);
  const hits: unknown[] = [];
  let detector = await createDetector(rules, variant, { seed: 77n, salts: keys.salts });
  for (let from = 0, to = 0; from < events.length; from = to) {
    while (to < events.length && (to === from || (!places.includes(to) && events[to]!.stream === events[from]!.stream && to - from < 40))) to++;
    detector.apply(columnsOf(rules, events.slice(from, to)), from, 0, events[from]!.stream!, (hit) => {
      hits.push([hit.ruleIndex, hit.caseIndex, hit.group, hit.timeMs, hit.slot, hit.events("all"), hit.count("fresh")]);
    });
    if (!places.includes(to)) continue;
    const file = readState(saved(detector, rules));
    detector = await createDetector(rules, variant, { seed: seedOf(file), salts: keys.salts });
    expect(restoreDetection(detector, keys, file)).toEqual([]);
  }
  return { hits, detector };
}

describe.each(variants)("windows saved and restored, %s", (variant) => {
  test.each(shapes)("%s", async (_name, queries, conditions, windowSeconds) => {
    const rules = [thresholdRule(queries, conditions, windowSeconds)];
    let hits = 0;
    for (let seed = 1; seed <= 4; seed++) {
      const random = new Generator(seed);
      const events = stream(rules, random, 1500);
      const places = [1 + random.below(400), 401 + random.below(400), 801 + random.below(600)];
      const whole = await played(rules, events, [], variant);
      const cut = await played(rules, events, places, variant);
      expect(cut.hits, `seed ${seed} at ${places.join()}`).toEqual(whole.hits);
      expect({ ...cut.detector.counts, stateBytes: 0 }).toEqual({ ...whole.detector.counts, stateBytes: 0 });
      // Not only what was told: all that is known is the same.
      expect(known(cut.detector, rules), `seed ${seed}`).toEqual(known(whole.detector, rules));
      hits += whole.hits.length;
    }
    if (!(windowSeconds === 0 && conditions[0]?.includes("THEN"))) expect(hits).toBeGreaterThan(20);
  }, 60_000);
});
