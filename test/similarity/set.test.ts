import { describe, expect, test } from "vitest";
import { Signatures } from "../../host/engine/sketch/index.ts";
import { variants } from "../support/wasm.ts";
import { sketchRoom, Stream } from "../sketch/room.ts";

describe.each(variants)("sets, %s", (variant) => {
  const room = sketchRoom(variant, 32);
  const { kernel, arena } = room;
  const places = [arena.alloc(40_000), arena.alloc(40_000)] as const;

  /** Writes a token set; its size. */
  function put(place: number, hashes: Iterable<bigint>): number {
    const all = BigUint64Array.from(hashes);
    arena.u64.set(all, place >> 3);
    return kernel.tokenSet(place, all.length);
  }

  test("are sorted and unique at every size", () => {
    const stream = new Stream(1);
    for (const spread of [3, 50, 1e9]) {
      for (let count = 0; count < 300; count++) {
        const hashes = Array.from({ length: count }, () => BigInt(stream.below(spread)) * 0x1_0000_0001n);
        const kept = put(places[0], hashes);
        const expected = [...new Set(hashes)].toSorted((a, b) => (a < b ? -1 : 1));
        expect([...arena.u64.subarray(places[0] >> 3, (places[0] >> 3) + kept)]).toEqual(expected);
      }
    }
    expect(put(places[0], [0n, 0xffff_ffff_ffff_ffffn, 1n << 63n, 0n])).toBe(3);
  });

  test("similarity is that of plain sets, for all shapes", () => {
    const stream = new Stream(2);
    for (let i = 0; i < 4000; i++) {
      const universe = stream.hashes(1 + stream.below(i % 7 ? 40 : 1500));
      const take = (most: number): Set<bigint> => new Set(Array.from({ length: 1 + stream.below(most) }, () => universe[stream.below(universe.length)]!));
      const a = take(i % 5 ? 20 : 3);
      const b = take(i % 7 ? 20 : 1500);
      const sizes = [put(places[0], a), put(places[1], b)] as const;
      const shared = [...a].filter((token) => b.has(token)).length;
      expect(kernel.common(places[0], sizes[0], places[1], sizes[1])).toBe(shared);
      expect(kernel.common(places[1], sizes[1], places[0], sizes[0])).toBe(shared);
      expect(kernel.jaccard(places[0], sizes[0], places[1], sizes[1])).toBe(shared / (a.size + b.size - shared));
    }
    expect(kernel.jaccard(places[0], 0, places[1], 0)).toBeNaN();
    expect(kernel.jaccard(places[0], 0, places[1], 1)).toBe(0);
  });

  test.each([0.2, 0.5, 0.7, 0.9])("signatures estimate a similarity of %f within their error", (similarity) => {
    const out = [arena.alloc(1024), arena.alloc(1024)] as const;
    const size = 200;
    const shared = Math.round((2 * size * similarity) / (1 + similarity));
    const truth = shared / (2 * size - shared);
    let squares = 0;
    let sum = 0;
    const runs = 300;
    for (let seed = 0; seed < runs; seed++) {
      const stream = new Stream(seed);
      const signatures = seed % 100 ? last! : Signatures.start(room, 128, BigInt(seed));
      last = signatures;
      const both = [...stream.hashes(shared)];
      signatures.write(places[0], put(places[0], [...both, ...stream.hashes(size - shared)]), out[0]);
      signatures.write(places[1], put(places[1], [...both, ...stream.hashes(size - shared)]), out[1]);
      const error = signatures.similarity(out[0], out[1]) - truth;
      squares += error * error;
      sum += error;
    }
    const bound = Math.sqrt((truth * (1 - truth)) / 128);
    expect(Math.sqrt(squares / runs)).toBeLessThan(bound * 1.2);
    expect(Math.abs(sum / runs)).toBeLessThan(bound / 4);
  });
  let last: Signatures | undefined;

  test("the signature of a union is the merge of both; equal sets agree throughout", () => {
    const stream = new Stream(4);
    const signatures = Signatures.start(room, 64, 3n);
    const out = [arena.alloc(256), arena.alloc(256), arena.alloc(256)] as const;
    const a = [...stream.hashes(9)];
    const b = [...stream.hashes(5)];
    signatures.write(places[0], put(places[0], a), out[0]);
    signatures.write(places[0], put(places[0], b), out[1]);
    signatures.write(places[0], put(places[0], [...a, ...b]), out[2]);
    kernel.signatureMerge(out[0], out[1], 64);
    expect(signatures.similarity(out[0], out[2])).toBe(1);
    const again = Signatures.fromBytes(room, signatures.toBytes())!;
    again.write(places[0], put(places[0], [...b, ...a]), out[1]);
    expect(again.similarity(out[1], out[2])).toBe(1);
    for (const length of [0, 3, 5, 260]) expect(() => Signatures.start(room, length)).toThrow(RangeError);
  });
});
