import { beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../bench/random.ts";
import { type EngineStats, createEngine, signalJson } from "../../host/index.ts";
import { loadKernel, variants } from "../support/wasm.ts";
import { methodLines, methodRules } from "./method-stream.ts";

beforeAll(() => variants.forEach((variant) => loadKernel(variant)));

const encoder = new TextEncoder();
const lines = methodLines(7, 12_000);

interface Run {
  readonly workers?: number;
  readonly variant?: "simd" | "scalar";
  /** Lines of one push. */
  readonly piece?: () => number;
}

/** All signals as text: what is compared is bytes. */
async function play({ workers = 0, variant = "simd", piece = () => lines.length }: Run): Promise<{ readonly text: string; readonly stats: EngineStats }> {
  const engine = await createEngine({ rules: methodRules, workers, variant });
  for (let from = 0; from < lines.length;) {
    const to = from + piece();
    await engine.push(encoder.encode(`${lines.slice(from, to).join("\n")}\n`), { format: "intake", arrivalMs: 0 });
    from = to;
  }
  const stats = await engine.close();
  return { text: engine.finalSignals().map((signal) => JSON.stringify(signalJson(signal))).join("\n"), stats };
}

/** The first line that differs tells enough of many. */
function expectSame(text: string, expected: string): void {
  const lines = text.split("\n");
  const wrong = expected.split("\n").findIndex((line, i) => line !== lines[i]);
  if (wrong >= 0) expect(lines[wrong], `signal ${wrong}`).toBe(expected.split("\n")[wrong]);
  expect(text === expected).toBe(true);
}

describe("all methods on one stream give the same bytes of signals", () => {
  let first: { readonly text: string; readonly stats: EngineStats };
  beforeAll(async () => {
    first = await play({});
  }, 60_000);

  test("every method finds something, some of it late, and nothing gave way", () => {
    const found = Object.groupBy(first.text.split("\n").map((line) => (JSON.parse(line) as { rule_id: string }).rule_id), (id) => id);
    expect(Object.keys(found).toSorted()).toEqual(methodRules.map((rule) => rule.id as string).toSorted());
    expect(first.stats).toMatchObject({ evicted: 0, refused: 0, malformed: {} });
    expect(first.stats.lateDropped).toBeGreaterThan(0);
  });

  test.each([1, 2, 3])("with %i workers as with none", async (workers) => {
    const { text, stats } = await play({ workers });
    expectSame(text, first.text);
    expect(stats.lateDropped).toBe(first.stats.lateDropped);
  }, 60_000);

  test("from the scalar kernels as from the SIMD kernels", async () => {
    expectSame((await play({ variant: "scalar" })).text, first.text);
    expectSame((await play({ variant: "scalar", workers: 2 })).text, first.text);
  }, 60_000);

  test.each([1, 2, 3])("however the stream is cut, seed %i", async (seed) => {
    const random = new Random(seed);
    const { text, stats } = await play({ workers: seed - 1, piece: () => 1 + random.skewed(3000) });
    expectSame(text, first.text);
    expect(stats.lateDropped).toBe(first.stats.lateDropped);
  }, 60_000);
});
