import { beforeAll, describe, expect, test } from "vitest";
import type { Signal } from "../../host/signal/signal.ts";
import { Generator } from "../match/generate.ts";
import { loadKernel } from "../support/wasm.ts";
import { bytesOf, engineOf, eventsOf, scenarios } from "./scenarios.ts";
import { LATENESS_MS } from "./support.ts";

beforeAll(() => {
  loadKernel("simd");
});

type Event = ReturnType<typeof eventsOf>[number];

function timeOf({ timestamp }: Event): number {
  return typeof timestamp === "number" ? timestamp : Date.parse(String(timestamp));
}

/** Late by less than is allowed, each by an amount of its own; those of one time stay in their order. */
function shuffled(events: readonly Event[], random: Generator): Event[] {
  const timed = events.map((event) => ({ event, timeMs: timeOf(event), lateMs: random.below(LATENESS_MS) }));
  const latest = new Map<number, number>();
  return timed
    .map(({ event, timeMs, lateMs }) => {
      const arrivalMs = Math.max(timeMs + lateMs, latest.get(timeMs) ?? 0);
      latest.set(timeMs, arrivalMs);
      return { event, arrivalMs };
    })
    .toSorted((a, b) => a.arrivalMs - b.arrivalMs).map(({ event }) => event);
}

/** Which of two events is the first of its value, or of its group, is told as they come: nothing else is what these are about. */
const aboutArrival: ReadonlySet<string> = new Set(["nv-006", "nv-007"]);

/** A bucket is judged while it fills: which of its events tips it hangs on the order in which they come. */
function isJudgedFilling(scenario: (typeof scenarios)[number]): boolean {
  return scenario.method === "anomaly_detection";
}

async function signalsOf(scenario: (typeof scenarios)[number], events: readonly Event[]): Promise<unknown[]> {
  const engine = await engineOf(scenario);
  await engine.push(bytesOf(events), { format: "log", arrivalMs: 0 });
  await engine.close();
  return engine.finalSignals()
    .map(({ ruleId, caseName, severity, group, firstSeenMs, lastSeenMs, eventsMatched, title }: Signal) => ({ ruleId, caseName, severity, group, firstSeenMs: isJudgedFilling(scenario) ? 0 : firstSeenMs, lastSeenMs, eventsMatched, title }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** Their events come out of order, so the order they come in is what they are about; or they have no time of their own. */
const ordered = scenarios.filter((scenario) => {
  if (aboutArrival.has(scenario.id)) return false;
  const times = eventsOf(scenario).map(timeOf);
  return times.every((time, i) => Number.isFinite(time) && time >= (times[i - 1] ?? 0));
});

describe.skipIf(!scenarios.length)("scenarios whose events come late, as late as is allowed (skipped where ../shared is absent)", () => {
  test("most are not about the order of arrival", () => expect(ordered.length).toBeGreaterThan(100));

  test.each(ordered.map((scenario, i) => [scenario.id, scenario, i] as const))("%s", async (_id, scenario, number) => {
    const events = eventsOf(scenario);
    const expected = await signalsOf(scenario, events);
    for (let seed = 1; seed <= 3; seed++) expect(await signalsOf(scenario, shuffled(events, new Generator(number * 10 + seed))), `seed ${seed}`).toEqual(expected);
  });
});
