import { describe, expect, test } from "vitest";
import type { MatchColumns } from "../../host/batch/matches.ts";
import { RecentEvents } from "../../host/detect/recent.ts";
import { Generator } from "../match/generate.ts";

/** Columns of events that lie in shared memory, each twice, as two queries would match it. */
function batchOf(lengths: readonly number[], firstEvent: number, gap: number): MatchColumns {
  const total = lengths.reduce((sum, length) => sum + length + gap, 16);
  const bytes = new Uint8Array(new SharedArrayBuffer(total));
  const twice = lengths.flatMap((length, row) => [{ length, row }, { length, row }]);
  const starts: number[] = [];
  let at = 3;
  lengths.forEach((length, row) => {
    starts.push(at);
    bytes.fill((firstEvent + row) & 255, at, at + length);
    at += length + gap;
  });
  const none = new Float64Array();
  return {
    count: twice.length, timeMs: none, highMs: none, standing: new Uint32Array(), row: Uint32Array.from(twice, (each) => each.row), keyHash: new BigUint64Array(),
    value: new BigUint64Array(), keyStart: new Uint32Array(), keyLength: new Uint32Array(), eventStart: Uint32Array.from(twice, (each) => starts[each.row]!),
    eventLength: Uint32Array.from(twice, (each) => each.length), id: new Uint32Array(twice.length * 2), bytes, batchHighMs: 0,
  };
}

/** What is held at the end, and at some places on the way. */
function held(lengths: readonly number[], cut: number, gap: number): string[] {
  const recent = new RecentEvents();
  const seen: string[] = [];
  for (let from = 0; from < lengths.length; from += cut) {
    const batch = lengths.slice(from, from + cut);
    recent.addBatch(batchOf(batch, from, gap), from, 7);
    for (let slot = from; slot < from + batch.length; slot++) {
      recent.now = slot + 1;
      if (slot % 97 && slot !== lengths.length - 1) continue;
      let oldest = slot;
      while (recent.eventNumber(oldest - 1) >= 0) oldest--;
      const bytes = recent.bytes(oldest)!;
      const isWhole = bytes.length === lengths[oldest] && bytes.every((byte) => byte === (oldest & 255));
      seen.push(`${slot} ${oldest} ${recent.eventNumber(oldest)} ${recent.profile(oldest)} ${isWhole} ${recent.bytes(oldest - 1)?.length} ${recent.bytes(slot + 1)?.length}`);
    }
  }
  return seen;
}

describe("recent events", () => {
  test.each([1, 40])("what is held depends on the stream alone, not on its cuts; %i bytes between events", (gap) => {
    const random = new Generator(gap);
    const lengths = Array.from({ length: 1500 }, () => (random.chance(0.05) ? random.below(1_500_000) : random.below(90_000)));
    const whole = held(lengths, 20, gap);
    expect(whole.every((line) => line.includes(" 7 true undefined undefined"))).toBe(true);
    expect(Number(whole.at(-1)!.split(" ")[1])).toBeGreaterThan(100);
    expect(held(lengths, 1, gap)).toEqual(whole);
    expect(held(lengths, 7, gap)).toEqual(whole);
  }, 30_000);

  test("many small events give way by their number", () => {
    const recent = new RecentEvents();
    const lengths = Array.from({ length: 50_000 }, () => 3);
    for (let i = 0; i < 24; i++) recent.addBatch(batchOf(lengths, i * 50_000, 1), i * 50_000, 0);
    recent.now = recent.count;
    expect(recent.count).toBe(1_200_000);
    expect(recent.eventNumber(100_000)).toBe(-1);
    expect(recent.eventNumber(400_000)).toBe(400_000);
    expect([...recent.bytes(400_000)!]).toEqual([400_000 & 255, 400_000 & 255, 400_000 & 255]);
  });
});
