import { beforeAll, describe, expect, test } from "vitest";
import { ID_SPAN_MS, RecentIds } from "../../host/detect/recent-ids.ts";
import { SECTION_IDS, readState, writeState } from "../../host/detect/state/format.ts";
import { ProblemError, createEngine } from "../../host/index.ts";
import { Generator } from "../match/generate.ts";
import { loadKernel } from "../support/wasm.ts";

beforeAll(() => {
  loadKernel("simd");
});

const MEBIBYTE = 1 << 20;
const startMs = Date.parse("2026-03-01T10:00:00Z");
const slotBytes = 12;

/** A bijection of 64 bits: numbers that differ give hashes that differ. */
function hashOf(n: number): readonly [low: number, high: number] {
  const low = Math.imul(n ^ (n >>> 15), 0x2c1b3c6d) >>> 0;
  return [Math.imul(low ^ (low >>> 12), 0x297a2d39) >>> 0, n];
}

describe("an id that never came", () => {
  test.each([1, 2, 3, 4, 5])("is never taken for one that did: 200,000 of them beside each other (%i)", (seed) => {
    const random = new Generator(seed);
    const ids = new RecentIds(64 * MEBIBYTE);
    let repeats = 0;
    for (let i = 0; i < 200_000; i++) if (ids.isRepeat(random.below(2 ** 32), random.below(2 ** 32), startMs + random.below(1_200_000))) repeats++;
    // The bound is 1e-6, of a million in all five; by the hashes' width it is about 1e-14.
    expect(repeats).toBe(0);
    expect(ids).toMatchObject({ ids: 200_000, forgotten: 0 });
  });

  test.each<readonly [string, (i: number) => unknown]>([
    ["numbers in a row", (i) => i], ["texts in a row", (i) => `event-${i}`], ["long texts that differ at one place", (i) => `${"a".repeat(61)}${String(i).padStart(9, "0")}${"b".repeat(40)}`],
    ["hexadecimal", (i) => `0000000000000000${i.toString(16)}`], ["eight bytes", (i) => String(i).padStart(8, "0")], ["words of zeros", (i) => `${"\0".repeat(i % 13)}${i}`],
  ])("as the kernel hashes %s", async (_, idAt) => {
    const engine = await createEngine({
      deduplicate: true,
      rules: [{
        type: "log_detection", isEnabled: true, tags: [], id: "r", name: "r", message: "m", options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 300, maxSignalDuration: 600 },
        queries: [{ name: "a", query: "*", aggregation: "count", groupByFields: [], distinctFields: [] }], cases: [{ name: "", status: "low", condition: "a > 1000000", notifications: [] }],
      }],
    });
    const count = 100_000;
    await engine.push(new TextEncoder().encode(Array.from({ length: count }, (_none, i) => `${JSON.stringify({ timestamp: startMs, id: idAt(i) })}\n`).join("")), { format: "raw", arrivalMs: startMs });
    expect(await engine.close()).toMatchObject({ events: count, matches: count, duplicates: 0, idsForgotten: 0 });
  });
});

describe("memory", () => {
  test("one span of more ids than there is room for: none is lost, those that found room are known", () => {
    const ids = new RecentIds(MEBIBYTE);
    const repeats = (): number => Array.from({ length: 200_000 }, (_, i) => ids.isRepeat(...hashOf(i), startMs)).filter(Boolean).length;
    expect(repeats()).toBe(0);
    expect(ids.bytes).toBeLessThanOrEqual(MEBIBYTE);
    const held = ids.ids;
    expect(ids.forgotten).toBe(200_000 - held);
    // Three quarters of 65,536 slots of 12 bytes.
    expect(held).toBe(49_152);
    expect(repeats()).toBe(held);
  });

  test("when the next span begins, the one before gives way", () => {
    const ids = new RecentIds(MEBIBYTE);
    for (let i = 0; i < 40_000; i++) ids.isRepeat(...hashOf(i), startMs);
    for (let i = 40_000; i < 80_000; i++) expect(ids.isRepeat(...hashOf(i), startMs + ID_SPAN_MS)).toBe(false);
    expect(ids).toMatchObject({ ids: 40_000, forgotten: 40_000 });
    expect(ids.bytes).toBeLessThanOrEqual(MEBIBYTE);
  });

  test("does not grow with time", () => {
    const ids = new RecentIds(1024 * MEBIBYTE);
    const perSpan = 60_000;
    for (let span = 0; span < 40; span++) {
      for (let i = 0; i < perSpan; i++) ids.isRepeat(...hashOf(span * perSpan + i), startMs + span * ID_SPAN_MS + i * 10);
    }
    expect(ids.forgotten).toBe(0);
    // What 262,144 events did not need goes when the next span begins: five spans of these, and the three at hand.
    expect(ids.ids).toBeLessThanOrEqual(8 * perSpan);
    expect(ids.bytes).toBeLessThanOrEqual(8 * 131_072 * slotBytes);
  });

  test("times thrown about hold 256 spans at most", () => {
    const random = new Generator(1);
    const ids = new RecentIds(1024 * MEBIBYTE);
    for (let i = 0; i < 50_000; i++) ids.isRepeat(...hashOf(i), (random.next() - 0.5) * 1e15);
    expect(ids.bytes).toBeLessThanOrEqual(256 * 256 * slotBytes);
    for (const timeMs of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300]) expect([ids.isRepeat(7, 7, timeMs), ids.isRepeat(7, 7, timeMs)]).toEqual([false, false]);
  });
});

test("streams far from each other in time each keep their ten minutes", () => {
  const ids = new RecentIds(64 * MEBIBYTE);
  const streams = [0, -40, 100, 3000].map((spans) => startMs + spans * ID_SPAN_MS);
  let wrong = 0;
  for (let i = 0; i < 20_000; i++) {
    for (const stream of streams) {
      const at = stream + i * 100;
      if (ids.isRepeat(...hashOf(i), at) !== false) wrong++;
      if (i >= 5900 && ids.isRepeat(...hashOf(i - 5900), at) !== true) wrong++;
    }
  }
  expect(wrong).toBe(0);
});

test("times before 1970 are times", () => {
  const ids = new RecentIds(MEBIBYTE);
  expect([-700_001, -100_002, -100_001, 0, 499_998, 499_999].map((timeMs) => ids.isRepeat(1, 2, timeMs))).toEqual([false, true, false, true, true, false]);
});

test("ids that cannot be are refused with a way out", async () => {
  const rules = [{
    type: "log_detection", isEnabled: true, tags: [], id: "r", name: "r", message: "m", options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 300, maxSignalDuration: 600 },
    queries: [{ name: "a", query: "*", aggregation: "count", groupByFields: [], distinctFields: [] }], cases: [{ name: "", status: "low", condition: "a > 9", notifications: [] }],
  }];
  const engine = await createEngine({ rules, deduplicate: true });
  await engine.push(new TextEncoder().encode(`{"timestamp":${startMs},"id":"a"}\n`), { format: "raw", arrivalMs: startMs });
  const { info, sections } = readState(await engine.checkpoint());
  await engine.close({ goesOn: true });
  const withIds = (change: (body: Buffer) => Uint8Array): Uint8Array =>
    writeState(info, sections.map((section) => (section.kind === SECTION_IDS ? { ...section, body: change(Buffer.from(section.body)) } : section)));
  const set = (at: number, value: number) => (body: Buffer): Buffer => {
    body.writeUInt32LE(value, at);
    return body;
  };
  // f64 dropped, events, forgotten; u32 generations; f64 number, touched; u32 count; hash and time.
  const faults = [(body: Buffer) => body.subarray(0, 30), (body: Buffer) => Buffer.concat([body, Buffer.alloc(4)]), set(24, 9), set(44, 0xffffffff), set(56, 0), set(56, ID_SPAN_MS + 1), (body: Buffer) => (body.writeDoubleLE(0.5, 28), body)];
  for (const fault of faults) {
    const refused = await createEngine({ rules, deduplicate: true, state: withIds(fault) }).then(() => undefined, (error: unknown) => error);
    expect(refused, fault.toString()).toBeInstanceOf(ProblemError);
    expect((refused as ProblemError).problems[0]!.code).toBe("state/damaged");
  }
  // Where nobody asks for ids, those of another engine are let lie.
  const without = await createEngine({ rules, state: withIds(set(24, 9)) });
  expect(await without.close()).toMatchObject({ events: 1, duplicates: 0 });
});
