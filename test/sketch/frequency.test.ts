import { describe, expect, test } from "vitest";
import { Frequency } from "../../host/engine/sketch/index.ts";
import { ExactFrequency } from "../reference/sketches.ts";
import { variants } from "../support/wasm.ts";
import { sketchRoom, Stream } from "./room.ts";

/** Few heavy values, many light ones. */
function skewed(stream: Stream, values: BigUint64Array, count: number): BigUint64Array {
  return BigUint64Array.from({ length: count }, () => values[Math.floor(values.length * stream.unit() ** 4)]!);
}

describe.each(variants)("frequency, %s", (variant) => {
  const room = sketchRoom(variant);

  test.each([false, true])("conservative %s: never too low, seldom too high by more than epsilon", (conservative) => {
    const epsilon = 0.005;
    const delta = 0.02;
    let beyond = 0;
    let asked = 0;
    for (let seed = 0; seed < 20; seed++) {
      const stream = new Stream(seed);
      const values = stream.hashes(2000);
      const sketch = Frequency.start(room, { epsilon, delta, conservative, seed: BigInt(seed) });
      const exact = new ExactFrequency();
      const seen = skewed(stream, values, 20_000);
      const weights = Uint32Array.from(seen, () => 1 + stream.below(5));
      sketch.add(seen, weights);
      seen.forEach((hash, i) => exact.add(hash, weights[i]!));
      sketch.of(values).forEach((estimate, i) => {
        const truth = exact.of(values[i]!);
        if (estimate < truth) throw new Error(`${estimate} is below ${truth}`);
        if (estimate > truth + epsilon * exact.total) beyond++;
        asked++;
      });
    }
    expect(beyond / asked).toBeLessThan(delta);
  });

  test("conservative estimates are never above the plain ones", () => {
    const stream = new Stream(4);
    const values = stream.hashes(500);
    const options = { epsilon: 0.05, delta: 0.05 };
    const plain = Frequency.start(room, options);
    const careful = Frequency.start(room, { ...options, conservative: true });
    const seen = skewed(stream, values, 5000);
    plain.add(seen);
    careful.add(seen);
    const high = plain.of(values);
    const low = careful.of(values);
    expect(low.every((estimate, i) => estimate <= high[i]!)).toBe(true);
    expect(low.some((estimate, i) => estimate < high[i]!)).toBe(true);
  });

  test("merging commutes and is the sketch of both streams", () => {
    const stream = new Stream(9);
    const values = stream.hashes(3000);
    const sketchOf = (...parts: BigUint64Array[]): Frequency => {
      const sketch = Frequency.start(room, { epsilon: 0.01, delta: 0.01, seed: 3n });
      for (const part of parts) sketch.add(part);
      return sketch;
    };
    const a = skewed(stream, values, 5000);
    const b = skewed(stream, values, 7000);
    const one = sketchOf(a);
    const other = sketchOf(b);
    expect(one.merge(sketchOf(b))).toBe(true);
    expect(other.merge(sketchOf(a))).toBe(true);
    expect(one.toBytes()).toEqual(sketchOf(a, b).toBytes());
    expect(other.toBytes()).toEqual(one.toBytes());
    expect(one.merge(Frequency.start(room, { epsilon: 0.01, delta: 0.01, seed: 4n }))).toBe(false);
    expect(one.merge(Frequency.start(room, { epsilon: 0.1, delta: 0.01, seed: 3n }))).toBe(false);
  });

  test("decay halves, and never below half the truth", () => {
    const sketch = Frequency.start(room, { epsilon: 0.001, delta: 0.001 });
    const values = new Stream(2).hashes(50);
    sketch.add(values, Uint32Array.from(values, (_, i) => i + 1));
    sketch.decay();
    sketch.of(values).forEach((estimate, i) => expect(estimate).toBeGreaterThanOrEqual((i + 1) >> 1));
    expect(Math.max(...sketch.of(values))).toBe(25);
    for (let i = 0; i < 6; i++) sketch.decay();
    expect(Math.max(...sketch.of(values))).toBe(0);
  });

  test("counters stay full rather than wrap", () => {
    for (const conservative of [false, true]) {
      const sketch = Frequency.start(room, { epsilon: 0.1, delta: 0.1, conservative });
      const value = BigUint64Array.of(7n);
      sketch.add(value, Uint32Array.of(0xffff_fff0));
      sketch.add(value, Uint32Array.of(0x100));
      expect(sketch.of(value)[0]).toBe(0xffff_ffff);
      const other = Frequency.start(room, { epsilon: 0.1, delta: 0.1, conservative });
      other.add(value, Uint32Array.of(5));
      expect(other.merge(sketch)).toBe(true);
      expect(other.of(value)[0]).toBe(0xffff_ffff);
    }
  });

  test("stored bytes load again, damaged ones do not; no sketch of absurd bounds", () => {
    const sketch = Frequency.start(room, { epsilon: 0.01, delta: 0.01 });
    const values = new Stream(1).hashes(100);
    sketch.add(values);
    const bytes = sketch.toBytes();
    expect(Frequency.fromBytes(room, bytes)!.of(values)).toEqual(sketch.of(values));
    const damaged = bytes.slice();
    damaged[32] = 25;
    expect(Frequency.fromBytes(room, damaged)).toBeUndefined();
    for (const [epsilon, delta] of [[0, 0.1], [1e-9, 0.1], [0.1, 1e-30], [NaN, 0.1]] as const) expect(() => Frequency.start(room, { epsilon, delta })).toThrow(RangeError);
  });
});
