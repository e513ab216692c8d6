import { describe, expect, test } from "vitest";
import { Quantile } from "../../host/engine/sketch/index.ts";
import { ExactQuantile } from "../reference/sketches.ts";
import { variants } from "../support/wasm.ts";
import { sketchRoom, Stream } from "./room.ts";

const QS = [0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.995, 0.999, 1];

const shapes: readonly (readonly [string, (stream: Stream) => number])[] = [
  ["even", (stream) => stream.unit() * 1000],
  ["both signs", (stream) => (stream.unit() - 0.5) * 200],
  ["heavy tail", (stream) => 1 / (1 - stream.unit()) ** 2],
  ["many zeros", (stream) => (stream.unit() < 0.6 ? 0 : stream.unit() * 50 - 10)],
  ["counts", (stream) => stream.below(30)],
  ["one value", () => 42],
  ["near a bin's edge", (stream) => (1.02 / 0.98) ** (stream.below(40) - 20)],
  ["tiny", (stream) => stream.unit() * 1e-290],
  ["huge", (stream) => (stream.unit() - 0.3) * 1.7e308],
];

describe.each(variants)("quantile, %s", (variant) => {
  const room = sketchRoom(variant, 512);

  test.each(shapes)("%s: every quantile within alpha, over many seeds", (_, draw) => {
    for (const alpha of [0.001, 0.02, 0.1]) {
      for (let seed = 0; seed < 8; seed++) {
        const stream = new Stream(seed);
        const values = Float64Array.from({ length: 1 + stream.below(3000) }, () => draw(stream));
        const sketch = Quantile.start(room, alpha, Math.ceil(25 / alpha));
        const exact = new ExactQuantile();
        sketch.add(values);
        exact.add(values);
        expect(sketch.isCollapsed).toBe(false);
        expect(sketch.count).toBe(values.length);
        for (const q of QS) {
          const truth = exact.quantile(q);
          expect(Math.abs(sketch.quantile(q) - truth)).toBeLessThanOrEqual(Math.abs(truth) * alpha * (1 + 1e-9) + 1e-299);
        }
        expect(sketch.quantile(0)).toBeGreaterThanOrEqual(Math.min(...values));
        expect(sketch.quantile(1)).toBeLessThanOrEqual(Math.max(...values));
      }
    }
  });

  test("the upper quantiles stay within alpha when low bins had to be collapsed", () => {
    const stream = new Stream(5);
    const values = Float64Array.from({ length: 5000 }, () => 10 ** (stream.unit() * 12 - 6));
    const sketch = Quantile.start(room, 0.02, 346);
    const exact = new ExactQuantile();
    sketch.add(values);
    exact.add(values);
    expect(sketch.isCollapsed).toBe(true);
    for (const q of [0.6, 0.9, 0.995, 1]) expect(Math.abs(sketch.quantile(q) / exact.quantile(q) - 1)).toBeLessThanOrEqual(0.02 + 1e-9);
    expect(sketch.quantile(0)).toBeGreaterThanOrEqual(exact.quantile(0));
    // Order does not matter, not even then; the sum is rounded in order.
    const reversed = Quantile.start(room, 0.02, 346);
    reversed.add(values.toReversed());
    expect(QS.map((q) => reversed.quantile(q))).toEqual(QS.map((q) => sketch.quantile(q)));
    expect(reversed.toBytes().slice(104)).toEqual(sketch.toBytes().slice(104));
  });

  test("merging commutes and is the sketch of the union", () => {
    for (const bins of [8, 64, 2048]) {
      for (let seed = 0; seed < 10; seed++) {
        const stream = new Stream(seed);
        const a = Float64Array.from({ length: stream.below(500) }, () => (stream.unit() - 0.5) * 10 ** stream.below(6));
        const b = Float64Array.from({ length: stream.below(500) }, () => stream.below(1000));
        const sketchOf = (...parts: Float64Array[]): Quantile => {
          const sketch = Quantile.start(room, 0.02, bins);
          for (const part of parts) sketch.add(part);
          return sketch;
        };
        const one = sketchOf(a);
        const other = sketchOf(b);
        expect(one.merge(sketchOf(b))).toBe(true);
        expect(other.merge(sketchOf(a))).toBe(true);
        expect(other.toBytes()).toEqual(one.toBytes());
        const union = sketchOf(a, b);
        expect(one.toBytes().slice(104)).toEqual(union.toBytes().slice(104));
        expect(QS.map((q) => one.quantile(q))).toEqual(QS.map((q) => union.quantile(q)));
      }
    }
    expect(Quantile.start(room, 0.02, 64).merge(Quantile.start(room, 0.01, 64))).toBe(false);
  });

  test("a growing sketch refuses to collapse, and grows", () => {
    const stream = new Stream(8);
    const values = Float64Array.from({ length: 4000 }, () => 10 ** (stream.unit() * 6));
    let sketch = Quantile.start(room, 0.02, 16, true);
    for (let from = 0; from < values.length;) {
      from += sketch.add(values.subarray(from));
      if (from < values.length) sketch = sketch.grown(sketch.bins * 2);
    }
    expect(sketch.isCollapsed).toBe(false);
    expect(sketch.bins).toBeLessThanOrEqual(512);
    const direct = Quantile.start(room, 0.02, sketch.bins, true);
    direct.add(values);
    expect(direct.toBytes()).toEqual(sketch.toBytes());
    const small = Quantile.start(room, 0.02, 16, true);
    expect(small.merge(sketch)).toBe(false);
    expect(small.count).toBe(0);
  });

  test("what is no number is refused and counted; an empty sketch has no quantile", () => {
    const sketch = Quantile.start(room, 0.02, 64);
    expect(sketch.quantile(0.5)).toBeNaN();
    expect(sketch.add(Float64Array.of(NaN, Infinity, -Infinity))).toBe(3);
    expect([sketch.count, sketch.refused]).toEqual([0, 3]);
    sketch.add(Float64Array.of(-0, 0, Number.MIN_VALUE, -Number.MIN_VALUE));
    expect(sketch.quantile(0.5)).toBeCloseTo(0, 300);
    for (const q of [-0.1, 1.1, NaN, Infinity]) expect(sketch.quantile(q)).toBeNaN();
    for (const rank of [-1, 4, NaN]) expect(sketch.atRank(rank)).toBeNaN();
    sketch.add(Float64Array.of(Number.MAX_VALUE, -Number.MAX_VALUE));
    expect(sketch.quantile(1)).toBeGreaterThan(1.6e308);
    expect(sketch.quantile(0)).toBeLessThan(-1.6e308);
    for (const [alpha, bins] of [[0, 64], [NaN, 64], [0.6, 64], [0.02, 1], [0.02, 1e9]] as const) expect(() => Quantile.start(room, alpha, bins)).toThrow(RangeError);
  });

  test("nearest rank is the ceil(p n)-th smallest", () => {
    const sketch = Quantile.start(room, 0.0001, 60_000);
    sketch.add(Float64Array.from({ length: 200 }, (_, i) => i + 1));
    expect(sketch.nearestRank(0.995)).toBeCloseTo(199, 1);
    expect(sketch.nearestRank(0.5)).toBeCloseTo(100, 1);
    expect(sketch.nearestRank(0)).toBeCloseTo(1, 3);
  });

  test("stored bytes load again; damaged ones do not", () => {
    const sketch = Quantile.start(room, 0.02, 100);
    sketch.add(Float64Array.from({ length: 999 }, (_, i) => i - 300));
    const bytes = sketch.toBytes();
    const again = Quantile.fromBytes(room, bytes)!;
    expect(again.toBytes()).toEqual(bytes);
    expect(again.quantile(0.3)).toBe(sketch.quantile(0.3));
    for (const place of [6, 32, 41, 56, 70, 104, 108, 300]) {
      const damaged = bytes.slice();
      damaged[place]! ^= 4;
      expect(Quantile.fromBytes(room, damaged)).toBeUndefined();
    }
  });
});
