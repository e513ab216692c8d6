import { describe, expect, test } from "vitest";
import { Distinct } from "../../host/engine/sketch/index.ts";
import { ExactDistinct } from "../reference/sketches.ts";
import { variants } from "../support/wasm.ts";
import { sketchRoom, Stream } from "./room.ts";

const PRECISIONS = Array.from({ length: 13 }, (_, i) => i + 4);

describe.each(variants)("distinct, %s", (variant) => {
  const room = sketchRoom(variant);

  test.each(PRECISIONS)("precision %i stays within its bound over many seeds", (precision) => {
    const bound = 1.04 / Math.sqrt(2 ** precision);
    const runs = precision < 13 ? 60 : 12;
    for (const count of [1, 10, 100, 1000, 2 ** precision, 5 * 2 ** Math.min(precision, 12)]) {
      let squares = 0;
      let bias = 0;
      for (let seed = 0; seed < runs; seed++) {
        const sketch = Distinct.start(room, precision, BigInt(seed));
        const stream = new Stream(seed * 1000 + count);
        const hashes = stream.hashes(count);
        sketch.add(hashes);
        sketch.add(hashes);
        const error = sketch.count() / count - 1;
        squares += error * error;
        bias += error;
      }
      // The root mean square of a few dozen runs scatters around the standard error by a tenth or two.
      expect(Math.sqrt(squares / runs)).toBeLessThan(bound * 1.35);
      expect(Math.abs(bias / runs)).toBeLessThan((bound * 4) / Math.sqrt(runs));
    }
  });

  test("few values are counted all but exactly, whatever the precision", () => {
    for (const precision of [10, 12, 14, 16]) {
      const sketch = Distinct.start(room, precision);
      const exact = new ExactDistinct();
      const hashes = new Stream(precision).hashes(2 ** precision / 16);
      sketch.add(hashes);
      exact.add(hashes);
      expect(sketch.isDense).toBe(false);
      expect(Math.abs(sketch.count() / exact.count() - 1)).toBeLessThan(0.001);
      sketch.add(new Stream(99).hashes(8));
      expect(sketch.isDense).toBe(true);
    }
  });

  test("merging commutes and is the sketch of the union, byte for byte", () => {
    for (const [left, right] of [[3, 5], [100, 3], [3, 4000], [3000, 9000], [0, 10], [200, 200]] as const) {
      const stream = new Stream(left * 31 + right);
      const a = stream.hashes(left);
      const b = stream.hashes(right);
      const sketchOf = (...parts: BigUint64Array[]): Distinct => {
        const sketch = Distinct.start(room, 12, 5n);
        for (const part of parts) sketch.add(part);
        return sketch;
      };
      const one = sketchOf(a);
      const other = sketchOf(b);
      expect(one.merge(sketchOf(b))).toBe(true);
      expect(other.merge(sketchOf(a))).toBe(true);
      expect(one.toBytes()).toEqual(sketchOf(a, b).toBytes());
      expect(other.toBytes()).toEqual(one.toBytes());
      expect(sketchOf(b, a).toBytes()).toEqual(one.toBytes());
    }
  });

  test("sketches of two precisions merge into the lower one", () => {
    for (const [left, right] of [[14, 8], [8, 14], [12, 11], [16, 4], [4, 16]] as const) {
      for (const [few, many] of [[5, 5], [5, 20_000], [20_000, 5], [20_000, 20_000], [900, 30]] as const) {
        const stream = new Stream(left + right * 100 + few);
        const a = stream.hashes(few);
        const b = stream.hashes(many);
        const merged = Distinct.start(room, left);
        const other = Distinct.start(room, right);
        merged.add(a);
        other.add(b);
        expect(merged.merge(other)).toBe(true);
        const direct = Distinct.start(room, Math.min(left, right));
        direct.add(a);
        direct.add(b);
        expect(merged.count()).toBe(direct.count());
        const later = stream.hashes(1000);
        merged.add(later);
        direct.add(later);
        expect(merged.count()).toBe(direct.count());
      }
    }
  });

  test("stored bytes load again; damaged or foreign ones do not", () => {
    for (const count of [0, 20, 50_000]) {
      const sketch = Distinct.start(room, 11, 9n);
      sketch.add(new Stream(count).hashes(count));
      const bytes = sketch.toBytes();
      const again = Distinct.fromBytes(room, bytes)!;
      expect(again.count()).toBe(sketch.count());
      expect(again.toBytes()).toEqual(bytes);
      for (const place of [0, 4, 8, 16, 33, 40, bytes.length - 1]) {
        const damaged = bytes.slice();
        damaged[place]! ^= 1;
        expect(Distinct.fromBytes(room, damaged)).toBeUndefined();
      }
      expect(Distinct.fromBytes(room, bytes.slice(0, -8))).toBeUndefined();
    }
    expect(Distinct.fromBytes(room, new Uint8Array(0))).toBeUndefined();
    expect(Distinct.fromBytes(room, new Uint8Array(64))).toBeUndefined();
  });

  test("a small place is filled, then the bytes go on in a larger one", () => {
    const { kernel, arena } = room;
    const small = arena.alloc(48 + 64);
    expect(kernel.distinctStart(small, 48 + 64, 12, 0n)).toBe(1);
    const hashes = new Stream(3).hashes(1000);
    const address = arena.alloc(8000);
    arena.u64.set(hashes, address >> 3);
    const taken = kernel.distinctAdd(small, address, 1000);
    expect(taken).toBe(16);
    const large = arena.alloc(kernel.distinctBytes(12));
    arena.u8.copyWithin(large, small, small + 48 + 64);
    expect(kernel.distinctGrow(large, kernel.distinctBytes(12))).toBe(1);
    expect(kernel.distinctAdd(large, address + taken * 8, 1000 - taken)).toBe(1000 - taken);
    const direct = Distinct.start(room, 12);
    direct.add(hashes);
    expect(new Distinct(room, large).toBytes()).toEqual(direct.toBytes());
  });

  test("no sketch of other precisions; empty and extreme hashes do no harm", () => {
    for (const precision of [-1, 0, 3, 17, 2 ** 31]) expect(() => Distinct.start(room, precision)).toThrow(RangeError);
    const sketch = Distinct.start(room, 4);
    expect(sketch.count()).toBe(0);
    sketch.add(new BigUint64Array(0));
    expect(sketch.count()).toBe(0);
    sketch.add(new BigUint64Array(1000));
    expect(Math.round(sketch.count())).toBe(1);
    sketch.add(BigUint64Array.from({ length: 64 }, (_, i) => 1n << BigInt(i)));
    expect(sketch.count()).toBeGreaterThan(20);
  });
});
