import { beforeAll, describe, expect, test } from "vitest";
import { Generator } from "../../match/generate.ts";
import { loadKernel } from "../../support/wasm.ts";
import { bytesOf, engineOf, eventsOf, scenarios, shown } from "../scenarios.ts";

beforeAll(() => {
  loadKernel("simd");
});

describe.skipIf(!scenarios.length)("scenarios cut where a checkpoint is (skipped where ../shared is absent)", () => {
  test("most of them run", () => expect(scenarios.length).toBeGreaterThan(110));

  test.each(scenarios.map((scenario, i) => [scenario.id, scenario, i] as const))("%s", async (_id, scenario, seed) => {
    const events = eventsOf(scenario);
    const random = new Generator(seed + 1);
    const places = Array.from({ length: 3 }, () => random.below(events.length + 1)).sort((a, b) => a - b);
    const whole = await engineOf(scenario);
    await whole.push(bytesOf(events), { format: "log", arrivalMs: 0 });
    const { stateBytes: _, bytes: __, ...stats } = await whole.close();
    let engine = await engineOf(scenario);
    for (const [i, to] of [...places, events.length].entries()) {
      await engine.push(bytesOf(events.slice(i ? places[i - 1] : 0, to)), { format: "log", arrivalMs: 0 });
      if (i === places.length) break;
      const state = await engine.checkpoint({ position: { events: to } });
      await engine.close({ goesOn: true });
      engine = await engineOf(scenario, { state });
      expect(engine.restored).toMatchObject({ events: to, position: { events: to }, dropped: [] });
    }
    expect(await engine.close()).toMatchObject(stats);
    expect(shown(engine.finalSignals())).toEqual(shown(whole.finalSignals()));
  });
});
