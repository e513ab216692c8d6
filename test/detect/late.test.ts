import { beforeAll, describe, expect, test } from "vitest";
import { createEngine } from "../../host/index.ts";
import { Generator } from "../match/generate.ts";
import { loadKernel } from "../support/wasm.ts";

beforeAll(() => void loadKernel("simd"));

const START = 1_700_000_000_000;
const query = (name: string, text: string, more: Record<string, unknown> = {}) => ({ name, query: text, aggregation: "count", groupByFields: ["@u"], ...more });
const shapes: ReadonlyArray<readonly [string, Record<string, unknown>[], string]> = [
  ["count", [query("a", "@k:f")], "a > 3"],
  ["join", [query("a", "@k:f"), query("b", "@k:s")], "a > 2 && b > 0"],
  ["cardinality", [query("a", "@k:f", { aggregation: "cardinality", distinctFields: ["@v"] })], "a > 2"],
  ["sum", [query("a", "@k:f", { aggregation: "sum", metrics: ["@v"] })], "a >= 9"],
  ["then", [query("a", "@k:f"), query("b", "@k:s")], "a > 1 THEN b > 0"],
];

function rule(queries: Record<string, unknown>[], condition: string, keepAlive: number): Record<string, unknown> {
  return {
    id: "late", name: "late", message: "", isEnabled: true, type: "log_detection", tags: [],
    options: { detectionMethod: "threshold", evaluationWindow: 60, keepAlive, maxSignalDuration: 86400 },
    queries, cases: [{ name: "", status: "low", condition }],
  };
}

async function signalsOf(events: readonly object[], payload: Record<string, unknown>): Promise<string[]> {
  const engine = await createEngine({ rules: [payload] });
  await engine.push(new TextEncoder().encode(`${events.map((event) => JSON.stringify(event)).join("\n")}\n`), { format: "raw", arrivalMs: START });
  await engine.close();
  return engine.finalSignals().map((signal) => `${signal.group["@u"]} ${signal.firstSeenMs - START} ${signal.lastSeenMs - START} ${signal.eventsMatched}`).sort();
}

describe("late events", () => {
  test.each(shapes.flatMap(([name, queries, condition]) => [60, 300].map((keepAlive) => [name, keepAlive, queries, condition] as const)))(
    "%s, kept alive %i s: the signals of a disordered stream are those of the ordered one",
    async (_name, keepAlive, queries, condition) => {
      for (let seed = 1; seed <= 30; seed++) {
        const random = new Generator(seed * 31 + keepAlive);
        const events = Array.from({ length: 150 }, () => ({ timestamp: START + random.below(3_000_000), u: `u${random.below(3)}`, k: random.chance(0.7) ? "f" : "s", v: random.below(6) }));
        // Equal times are ordered by arrival, so the streams keep them apart.
        const used = new Set<number>();
        for (const event of events) {
          while (used.has(event.timestamp)) event.timestamp++;
          used.add(event.timestamp);
        }
        const ordered = [...events].sort((a, b) => a.timestamp - b.timestamp);
        const arrival = new Map(events.map((event) => [event, event.timestamp + (random.chance(0.2) ? random.below(200_000) : 0)]));
        const disordered = [...events].sort((a, b) => arrival.get(a)! - arrival.get(b)!);
        const payload = rule(queries, condition, keepAlive);
        expect(await signalsOf(disordered, payload), `seed ${seed}`).toEqual(await signalsOf(ordered, payload));
      }
    },
  );
});
