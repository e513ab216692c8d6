import { describe, expect, test } from "vitest";
import { falseKnownRate, Members, Seen } from "../../host/engine/sketch/index.ts";
import { ExactSeen } from "../reference/sketches.ts";
import { variants } from "../support/wasm.ts";
import { sketchRoom, Stream } from "./room.ts";

const HOUR = 3_600_000;

describe.each(variants)("seen, %s", (variant) => {
  const room = sketchRoom(variant, 256);

  test("tells new from known as a map does, within the false rate", () => {
    let wrong = 0;
    let fresh = 0;
    for (let seed = 0; seed < 10; seed++) {
      const stream = new Stream(seed);
      const filter = Seen.start(room, { spanMs: 3 * HOUR, generations: 4, capacity: 4000, falseRate: 0.001, seed: BigInt(seed) });
      const exact = new ExactSeen(4, HOUR);
      const values = stream.hashes(9000);
      let ms = 1_700_000_000_000;
      for (let step = 0; step < 60; step++) {
        ms += stream.below(HOUR / 2) - (stream.below(10) ? 0 : HOUR / 4);
        const batch = BigUint64Array.from({ length: 300 }, () => stream.pick(Array.from({ length: 1 }, () => values[stream.below(values.length)]!)));
        filter.add(ms, batch).forEach((isNew, i) => {
          const expected = exact.add(ms, batch[i]!);
          if (isNew && !expected) throw new Error("a known value was taken for new");
          if (expected) fresh++;
          // The twin does as the filter did, so that one false answer counts once.
          if (expected && !isNew) {
            wrong++;
            exact.born.delete(batch[i]!);
          }
        });
      }
      expect(filter.over).toBe(0);
    }
    expect(fresh).toBeGreaterThan(20_000);
    expect(wrong / fresh).toBeLessThan(0.001);
  });

  test("the false rate of a full filter is the one computed", () => {
    const capacity = 20_000;
    const filter = Seen.start(room, { spanMs: HOUR, generations: 2, capacity, falseRate: 0.01 });
    const stream = new Stream(77);
    filter.add(0, stream.hashes(capacity));
    filter.add(HOUR, stream.hashes(capacity));
    const strangers = 200_000;
    const known = filter.has(HOUR, stream.hashes(strangers)).reduce((sum, one) => sum + one, 0);
    expect(known / strangers).toBeLessThan(0.0105);
    expect(known / strangers).toBeGreaterThan(0.007);
    expect(falseKnownRate(64 * 512 / 64 / 21)).toBeLessThan(2.2e-4);
  });

  test("a value is remembered for its span and no longer than a generation more", () => {
    for (const first of [0, HOUR / 2, HOUR - 1]) {
      for (const later of [0, HOUR, 3 * HOUR - 1, 3 * HOUR]) {
        const filter = Seen.start(room, { spanMs: 3 * HOUR, generations: 4, capacity: 10, falseRate: 0.0001 });
        const value = BigUint64Array.of(5n);
        expect([...filter.add(first, value)]).toEqual([1]);
        expect([...filter.add(first + later, value)]).toEqual([0]);
        // Seeing it again did not renew it.
        expect([...filter.add(first + 4 * HOUR, value)]).toEqual([1]);
      }
    }
  });

  test("time does not run backwards; times that are none change nothing", () => {
    const filter = Seen.start(room, { spanMs: HOUR, generations: 2, capacity: 10, falseRate: 0.001 });
    expect([...filter.add(NaN, BigUint64Array.of(1n))]).toEqual([1]);
    expect([...filter.add(10 * HOUR, BigUint64Array.of(1n, 2n, 2n))]).toEqual([1, 1, 0]);
    for (const ms of [-HOUR, 0, NaN, Infinity, -Infinity, 1e300]) expect([...filter.add(ms, BigUint64Array.of(2n))]).toEqual([0]);
    expect([...filter.add(12 * HOUR, BigUint64Array.of(2n))]).toEqual([1]);
    expect([...filter.add(-0, new BigUint64Array(0))]).toEqual([]);
  });

  test("counts what goes beyond its capacity", () => {
    const filter = Seen.start(room, { spanMs: HOUR, capacity: 100, falseRate: 1e-6 });
    filter.add(0, new Stream(6).hashes(150));
    expect(filter.over).toBe(50);
  });

  test("merges generation by generation, in either direction", () => {
    const options = { spanMs: 3 * HOUR, generations: 4, capacity: 1000, falseRate: 1e-9 };
    for (const [left, right] of [[0, 0], [0, HOUR], [2 * HOUR, 0], [0, 9 * HOUR], [9 * HOUR, 0]] as const) {
      const stream = new Stream(left + right);
      const a = stream.hashes(300);
      const b = stream.hashes(300);
      const filterOf = (...parts: (readonly [number, BigUint64Array])[]): Seen => {
        const filter = Seen.start(room, options);
        for (const [ms, part] of parts) filter.add(ms, part);
        return filter;
      };
      const one = filterOf([left, a]);
      const other = filterOf([right, b]);
      const copy = filterOf([left, a]);
      expect(one.merge(other)).toBe(true);
      expect(other.merge(copy)).toBe(true);
      expect(other.toBytes()).toEqual(one.toBytes());
      const inOrder = left <= right ? filterOf([left, a], [right, b]) : filterOf([right, b], [left, a]);
      expect(one.toBytes()).toEqual(inOrder.toBytes());
    }
    expect(Seen.start(room, options).merge(Seen.start(room, { ...options, seed: 1n }))).toBe(false);
    expect(Seen.start(room, options).merge(Seen.start(room, { ...options, spanMs: HOUR }))).toBe(false);
  });

  test("stored bytes load again, damaged ones do not", () => {
    const filter = Seen.start(room, { spanMs: HOUR, capacity: 500, falseRate: 0.001 });
    const values = new Stream(3).hashes(400);
    filter.add(5, values);
    const bytes = filter.toBytes();
    const again = Seen.fromBytes(room, bytes)!;
    expect(again.has(5, values)).toEqual(new Uint8Array(400).fill(1));
    expect(again.toBytes()).toEqual(bytes);
    const damaged = bytes.slice();
    damaged[36]! ^= 1;
    expect(Seen.fromBytes(room, damaged)).toBeUndefined();
    for (const wrong of [{ capacity: 1e12 }, { generations: 1 }, { generations: 17 }, { spanMs: NaN }, { spanMs: 0 }]) {
      expect(() => Seen.start(room, { spanMs: HOUR, capacity: 5, falseRate: 0.01, ...wrong })).toThrow(RangeError);
    }
  });
});

describe.each(variants)("members, %s", (variant) => {
  const room = sketchRoom(variant, 128);

  test("follows a set through inserts and removals, over many seeds", () => {
    let asked = 0;
    let wrong = 0;
    for (let seed = 0; seed < 10; seed++) {
      const stream = new Stream(seed);
      const filter = Members.start(room, 3000, BigInt(seed));
      const exact = new Set<bigint>();
      for (let step = 0; step < 60; step++) {
        const known = [...exact];
        if (step % 3 === 2) {
          const gone = BigUint64Array.from(new Set(Array.from({ length: 100 }, () => stream.pick(known))));
          expect(filter.remove(gone)).toBe(gone.length);
          for (const hash of gone) exact.delete(hash);
        } else {
          const batch = stream.hashes(60);
          expect(filter.add(batch)).toBe(60);
          for (const hash of batch) exact.add(hash);
        }
        expect(filter.size).toBe(exact.size);
        expect(filter.has(BigUint64Array.from(exact)).every((one) => one === 1)).toBe(true);
        wrong += filter.has(stream.hashes(5000)).reduce((sum, one) => sum + one, 0);
        asked += 5000;
      }
    }
    expect(wrong / asked).toBeLessThan(1.3e-4);
  });

  test("fills to nine tenths and more, loses nothing, and says when it is full", () => {
    for (let seed = 0; seed < 5; seed++) {
      const filter = Members.start(room, 15_000, BigInt(seed));
      const hashes = new Stream(seed).hashes(20_000);
      const taken = filter.add(hashes);
      expect(taken).toBeGreaterThan(16_384 * 0.93);
      expect(taken).toBeLessThan(16_386);
      const held = hashes.subarray(0, taken);
      expect(filter.has(held).every((one) => one === 1)).toBe(true);
      expect(filter.remove(held)).toBe(taken);
      expect(filter.size).toBe(0);
      expect(filter.add(hashes.subarray(0, 100))).toBe(100);
    }
  });

  test("the same value goes in eight or nine times, and out as often", () => {
    const filter = Members.start(room, 1000);
    const same = new BigUint64Array(20).fill(77n);
    const taken = filter.add(same);
    expect(taken).toBeGreaterThanOrEqual(4);
    expect(taken).toBeLessThanOrEqual(9);
    expect(filter.remove(same)).toBe(taken);
    expect([...filter.has(same.subarray(0, 1))]).toEqual([0]);
  });

  test("merges", () => {
    const stream = new Stream(12);
    const a = stream.hashes(300);
    const b = stream.hashes(300);
    const one = Members.start(room, 1000);
    const other = Members.start(room, 1000);
    one.add(a);
    other.add(b);
    expect(one.merge(other)).toBe(0);
    expect(one.size).toBe(600);
    expect(one.has(a).every((x) => x === 1) && one.has(b).every((x) => x === 1)).toBe(true);
    expect(one.merge(Members.start(room, 100_000))).toBeUndefined();
    expect(one.merge(Members.start(room, 1000, 1n))).toBeUndefined();
    expect(one.remove(b)).toBe(300);
    expect(one.has(a).every((x) => x === 1)).toBe(true);
  });

  test("stored bytes load again, damaged ones do not", () => {
    const filter = Members.start(room, 500);
    const values = new Stream(3).hashes(400);
    filter.add(values);
    const bytes = filter.toBytes();
    const again = Members.fromBytes(room, bytes)!;
    expect(again.has(values)).toEqual(new Uint8Array(400).fill(1));
    const damaged = bytes.slice();
    damaged[100]! ^= 128;
    expect(Members.fromBytes(room, damaged)).toBeUndefined();
    expect(() => Members.start(room, 1e12)).toThrow(RangeError);
  });
});
