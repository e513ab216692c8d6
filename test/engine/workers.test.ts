import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createEngine, signalJson } from "../../host/index.ts";
import { readRuleDocument } from "../../host/rule/document.ts";
import { loadKernel } from "../support/wasm.ts";

const demo = join(import.meta.dirname, "..", "..", "fixtures", "demo");
const rules = readdirSync(join(demo, "rules")).sort().flatMap((file) => readRuleDocument(readFileSync(join(demo, "rules", file), "utf8"), file, "yaml").rules);
const logs = readdirSync(join(demo, "logs")).sort().map((file) => readFileSync(join(demo, "logs", file)));

beforeAll(() => {
  loadKernel("simd");
  loadKernel("scalar");
});

/** Small seeded generator: the cuts differ from case to case and are the same in every run. */
function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** All signals as text: what is compared is bytes. */
async function signalsOf(workers: number, variant: "simd" | "scalar", pieces: (bytes: Uint8Array) => Iterable<Uint8Array>): Promise<string> {
  const engine = await createEngine({ rules, workers, variant });
  for (const [i, bytes] of logs.entries()) {
    for (const piece of pieces(bytes)) await engine.push(piece, { format: "intake", arrivalMs: 0, partition: String(i) });
  }
  await engine.close();
  return engine.finalSignals().map((signal) => JSON.stringify(signalJson(signal))).join("\n");
}

function* randomPieces(bytes: Uint8Array, seed: number): Generator<Uint8Array> {
  const random = mulberry(seed);
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(10, Math.min(bytes.length - 1, at + Math.floor(random() * 40_000))) + 1;
    yield bytes.subarray(at, end || bytes.length);
    at = end || bytes.length;
  }
}

const whole = (bytes: Uint8Array): Uint8Array[] => [bytes];

describe("the same bytes of signals", () => {
  test("the demonstration holds six attacks", async () => {
    const signals = (await signalsOf(0, "simd", whole)).split("\n").map((line) => JSON.parse(line) as { rule_id: string });
    expect(signals.map((signal) => signal.rule_id).sort()).toEqual([
      "demo-brute-force", "demo-password-spray", "demo-root-console-login", "demo-trail-stopped", "demo-web-probe", "demo-web-scan",
    ]);
  });
  test.each([1, 2, 3])("[DE-09] with %i workers as with none", async (workers) => {
    expect(await signalsOf(workers, "simd", whole)).toBe(await signalsOf(0, "simd", whole));
  });
  test("from the scalar kernel as from the SIMD kernel", async () => {
    expect(await signalsOf(0, "scalar", whole)).toBe(await signalsOf(0, "simd", whole));
  });
  test.each(Array.from({ length: 12 }, (_, seed) => seed))("for batches cut at random, seed %i", async (seed) => {
    expect(await signalsOf(seed % 4, "simd", (bytes) => randomPieces(bytes, seed))).toBe(await signalsOf(0, "simd", whole));
  });
});
