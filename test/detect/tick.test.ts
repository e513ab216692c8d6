import { beforeAll, describe, expect, test } from "vitest";
import { Detector } from "../../host/detect/detector.ts";
import type { MethodDetector } from "../../host/detect/method/method.ts";
import { MethodRunner } from "../../host/detect/method/runner.ts";
import { IDLE_MS, Streams } from "../../host/detect/streams.ts";
import { setupBytes } from "../../host/detect/window-memory.ts";
import { StateInstance } from "../../host/engine/state.ts";
import { createEngine } from "../../host/index.ts";
import { loadKernel } from "../support/wasm.ts";
import { LATENESS_MS, columnsOf } from "./support.ts";

beforeAll(() => void loadKernel("simd"));

const START = 1_700_000_100_000;
const DAY = 86_400_000;

/** A detector that notes the times it is told. */
async function listening(): Promise<{ readonly detector: Detector; readonly told: number[] }> {
  const told: number[] = [];
  const none = { groups: 0, stateBytes: 0, lateDropped: 0, evicted: 0 };
  const method: MethodDetector = { apply() {}, advance: (timeMs) => void told.push(timeMs), counts: () => none, save: () => new Uint8Array(), restore: () => undefined };
  const state = await StateInstance.create("simd", 1 << 26, setupBytes([]));
  return { detector: new Detector([], [], state, { allowedLatenessMs: LATENESS_MS }, { runner: new MethodRunner([method], [], LATENESS_MS) }), told };
}

describe("the server's clock", () => {
  test("is the time where every input is silent; else the one furthest behind of those that speak is", async () => {
    const { detector, told } = await listening();
    const hear = (partition: string, timeMs: number, arrivalMs: number): void => detector.apply({ ...columnsOf([], []), batchHighMs: timeMs }, 0, 0, partition, () => {}, arrivalMs);
    const tick = (clockMs: number): number | undefined => {
      told.length = 0;
      detector.tick(clockMs, () => {});
      return told[0];
    };
    hear("lagging", START, START + DAY);
    hear("quick", START + DAY, START + DAY + 10_000);
    expect(tick(START + DAY + 20_000)).toBe(START - LATENESS_MS);
    expect(tick(START + DAY + 30_000), "nothing new").toBeUndefined();
    expect(tick(START + DAY + IDLE_MS), "one is idle").toBe(START + DAY - LATENESS_MS);
    expect(tick(START + DAY + IDLE_MS + 10_000), "both are").toBe(START + DAY + IDLE_MS + 10_000 - LATENESS_MS);
    hear("lagging", START + 5000, START + 2 * DAY);
    expect(tick(START + 2 * DAY), "time does not turn back").toBeUndefined();
  });

  test("an input that speaks again counts again", () => {
    const streams = new Streams();
    streams.note("a", START, 1, START);
    streams.note("b", START + 1000, 2, START);
    expect(streams.tick(START + IDLE_MS)).toBe(START + IDLE_MS);
    expect(streams.others("b", 3, 64)).toEqual([]);
    streams.note("a", START + 2000, 3, START + IDLE_MS);
    expect(streams.tick(START + IDLE_MS + 1)).toBe(START + 2000);
    expect(streams.others("b", 3, 64)).toMatchObject([{ highMs: START + 2000 }]);
    const again = new Streams();
    again.restore(streams.entries());
    expect(again.entries()).toEqual(streams.entries());
  });

  test("stands in its place among what is pushed, and in the state that is saved", async () => {
    const rule = {
      id: "new", name: "new", message: "", isEnabled: true, type: "log_detection", tags: [],
      options: { detectionMethod: "new_value", keepAlive: 3600, maxSignalDuration: 86400, newValueOptions: { forgetAfter: 1, learningDuration: 0, learningMethod: "duration" } },
      queries: [{ name: "a", query: "*", aggregation: "new_value", groupByFields: ["@u"], metrics: ["@ip"] }], cases: [{ name: "", status: "low" }],
    };
    const line = new TextEncoder().encode(`${JSON.stringify({ timestamp: START, u: "eve", ip: "203.0.113.7" })}\n`);
    const states: string[] = [];
    for (const workers of [0, 2]) {
      const engine = await createEngine({ rules: [rule], workers });
      void engine.push(line, { format: "raw", arrivalMs: START });
      engine.tick(START + DAY);
      void engine.push(line, { format: "raw", arrivalMs: START + DAY });
      states.push(Buffer.from(await engine.checkpoint()).toString("latin1").match(/"toldMs":\d+/)![0]);
      await engine.close({ goesOn: true });
    }
    expect(states).toEqual([`"toldMs":${START + DAY - LATENESS_MS}`, `"toldMs":${START + DAY - LATENESS_MS}`]);
  });
});
