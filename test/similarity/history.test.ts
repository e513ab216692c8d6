import { describe, expect, test } from "vitest";
import { HISTORY_SETS, HISTORY_TABLE } from "../../assembly/layout.ts";
import { History, type HistoryShape, Words } from "../../host/engine/sketch/index.ts";
import { ExactHistory } from "../reference/sketches.ts";
import { variants } from "../support/wasm.ts";
import { sketchRoom, Stream } from "../sketch/room.ts";

const DAY = 86_400_000;
const BANDS = { count: 32, rows: 4 };

/** A log's tokens: some of a template's, some of a few values, now and then one of its own. */
function logOf(stream: Stream, templates: readonly bigint[][], values: BigUint64Array): Set<bigint> {
  const tokens = new Set(stream.pick(templates).filter(() => stream.unit() < 0.95));
  for (let i = stream.below(3); i; i--) tokens.add(values[stream.below(values.length)]!);
  if (stream.unit() < 0.1) tokens.add(stream.next());
  return tokens;
}

describe.each(variants)("history, %s", (variant) => {
  const room = sketchRoom(variant, 256);
  const { arena, kernel } = room;
  const tokensAt = arena.alloc(80_000);

  function put(tokens: Iterable<bigint>): number {
    const all = BigUint64Array.from(tokens);
    arena.u64.set(all, tokensAt >> 3);
    return kernel.tokenSet(tokensAt, all.length);
  }

  function run(shape: HistoryShape, seed: number, steps: number): { readonly history: History; readonly wrong: string[]; readonly found: number; readonly missed: number } {
    const stream = new Stream(seed);
    const history = History.start(room, shape);
    const exact = new ExactHistory(shape.items, shape.similarityPercentage * 100);
    const templates = Array.from({ length: 1 + stream.below(12) }, () => [...stream.hashes(1 + stream.below(12))]);
    const values = stream.hashes(1 + stream.below(60));
    const wrong: string[] = [];
    let found = 0;
    let missed = 0;
    let now = 0;
    for (let step = 0; step < steps; step++) {
      now += stream.below(DAY / 10);
      const ms = now - (stream.below(8) ? 0 : stream.below(DAY / 4));
      const tokens = logOf(stream, templates, values);
      const limit = 1 + stream.below(20);
      const through = now - 7 * DAY;
      const size = put(tokens);
      if (exact.expire(through) !== history.expire(through)) wrong.push(`${step}: expired`);
      const expected = exact.count(tokens, limit);
      const got = history.count(tokensAt, size, limit);
      found += expected;
      if (got < expected && shape.bands) missed += expected - got;
      else if (got !== expected) wrong.push(`${step}: ${got}, not ${expected} of ${size} tokens`);
      history.add(ms, tokensAt, size);
      exact.add(ms, tokens);
      if (history.items !== exact.items.length) wrong.push(`${step}: ${history.items} items, not ${exact.items.length}`);
    }
    return { history, wrong, found, missed };
  }

  test.each([35, 50, 60, 70, 90, 100])("is exact at a threshold of %i %%, with items coming late, expiring and pushed out", (similarityPercentage) => {
    let scans = 0;
    for (let seed = 0; seed < 12; seed++) {
      const { history, wrong } = run({ items: seed % 3 ? 100 : 40, tokens: 16, similarityPercentage }, seed * 7 + similarityPercentage, 250);
      expect(wrong.slice(0, 5)).toEqual([]);
      scans += history.scans;
    }
    // Both ways to candidates have been gone.
    if (similarityPercentage < 100) expect(scans).toBeGreaterThan(0);
  });

  test("larger histories, led by rare tokens", () => {
    const stream = new Stream(5);
    const history = History.start(room, { items: 3000, similarityPercentage: 70 });
    const exact = new ExactHistory(3000, 7000);
    const users = stream.hashes(2000);
    const words = stream.hashes(6);
    for (let i = 0; i < 2500; i++) {
      const tokens = [...words, users[stream.below(2000)]!, users[stream.below(2000)]!];
      const size = put(tokens);
      if (i % 10 === 0) expect(history.count(tokensAt, size, 5)).toBe(exact.count(tokens, 5));
      history.add(i, tokensAt, size);
      exact.add(i, tokens);
    }
    expect(history.scans).toBeLessThan(2500);
  });

  test.each([[70, BANDS, 0.01], [50, { count: 64, rows: 2 }, 0.01], [60, BANDS, 0.05]] as const)("bands at %i %% find none that is not similar, and miss few", (similarityPercentage, bands, share) => {
    let found = 0;
    let missed = 0;
    for (let seed = 0; seed < 12; seed++) {
      const result = run({ items: 100, tokens: 16, similarityPercentage, bands, seed: BigInt(seed) }, seed, 250);
      expect(result.wrong.slice(0, 5)).toEqual([]);
      found += result.found;
      missed += result.missed;
    }
    expect(found).toBeGreaterThan(1000);
    expect(missed / found).toBeLessThan(share);
  });

  test("examples of the specification", () => {
    const words = new Words(room);
    const history = (similarityPercentage: number, text: string): History => {
      const made = History.start(room, { items: 10, similarityPercentage });
      made.add(0, tokensAt, kernel.tokenSet(tokensAt, words.hashes(text, tokensAt, 100)));
      return made;
    };
    const count = (of: History, text: string): number => of.count(tokensAt, kernel.tokenSet(tokensAt, words.hashes(text, tokensAt, 100)), 20);
    expect(count(history(60, "auth k8s public swe"), "auth k8s public pm")).toBe(1);
    expect(count(history(61, "auth k8s public swe"), "auth k8s public pm")).toBe(0);
    expect(count(history(25, "User connected to abc network"), "User got unauthorized network access")).toBe(1);
    expect(count(history(26, "User connected to abc network"), "User got unauthorized network access")).toBe(0);
  });

  test("equal sets count once for each item, in one pass as in three calls", () => {
    const history = History.start(room, { items: 50, sets: 3, similarityPercentage: 70 });
    const size = put([1n, 2n, 3n]);
    const counts = Array.from({ length: 8 }, (_, i) => history.pass(i, -Infinity, tokensAt, size, 5));
    expect(counts).toEqual([0, 1, 2, 3, 4, 5, 5, 5]);
    expect([history.items, history.sets]).toEqual([8, 1]);
    expect(history.pass(8, 5, tokensAt, size, 20)).toBe(2);
    expect(history.expire(8)).toBe(3);
    expect([history.items, history.sets, history.count(tokensAt, size, 1)]).toEqual([0, 0, 0]);
  });

  test("what finds no room pushes the oldest out, whatever is short; a long set does not flush the rest", () => {
    const stream = new Stream(3);
    const history = History.start(room, { items: 1000, sets: 400, tokens: 6, tokenCap: 200, similarityPercentage: 70 });
    let newest: bigint[][] = [];
    for (let i = 0; i < 3000; i++) {
      const tokens = [...stream.hashes(i % 50 === 49 ? 200 : 1 + stream.below(9))];
      expect(history.add(i, tokensAt, put(tokens))).toBe(true);
      newest = [...newest, tokens].slice(-150);
    }
    expect(history.evicted).toBeGreaterThan(2000);
    expect(history.sets).toBeGreaterThan(150);
    for (const tokens of newest) expect(history.count(tokensAt, put(tokens), 2)).toBe(1);
    expect(History.fromBytes(room, history.toBytes())).toBeDefined();
  });

  test("long sets are cut alike, so that their similarity is a fair estimate", () => {
    const stream = new Stream(6);
    const history = History.start(room, { items: 10, tokenCap: 128, similarityPercentage: 70 });
    const shared = [...stream.hashes(900)];
    history.add(0, tokensAt, put([...shared, ...stream.hashes(50)]));
    expect(history.cut).toBe(1);
    expect(history.count(tokensAt, put([...shared, ...stream.hashes(50)]), 1)).toBe(1);
    expect(history.count(tokensAt, put([...shared.slice(0, 400), ...stream.hashes(550)]), 1)).toBe(0);
  });

  test("an empty set is like nothing; times that are none are refused", () => {
    const history = History.start(room, { items: 4, similarityPercentage: 35 });
    expect(history.add(0, tokensAt, 0)).toBe(false);
    const size = put([0n, 0xffff_ffff_ffff_ffffn]);
    for (const ms of [NaN, Infinity, -Infinity]) expect(history.add(ms, tokensAt, size)).toBe(false);
    expect(history.items).toBe(0);
    expect(history.add(-1e300, tokensAt, size)).toBe(true);
    expect(history.expire(NaN)).toBe(0);
    expect([history.count(tokensAt, 0, 5), history.count(tokensAt, size, 0), history.count(tokensAt, size, 5)]).toEqual([0, 0, 1]);
    for (const wrong of [{ items: 0 }, { similarityPercentage: 0 }, { similarityPercentage: 101 }, { tokenCap: 0 }, { bands: { count: 300, rows: 1 } }, { bands: { count: 3, rows: 1 } }]) {
      expect(() => History.start(room, { items: 4, similarityPercentage: 50, ...wrong })).toThrow(RangeError);
    }
  });

  test.each([undefined, BANDS])("merging commutes and answers as one history of all items, bands %o", (bands) => {
    for (let seed = 0; seed < 5; seed++) {
      const stream = new Stream(seed);
      const templates = Array.from({ length: 5 }, () => [...stream.hashes(6)]);
      const values = stream.hashes(20);
      const logs = Array.from({ length: 200 }, (_, i) => ({ ms: i, tokens: logOf(stream, templates, values), isLeft: stream.unit() < 0.4 }));
      const historyOf = (chosen: typeof logs): History => {
        const made = History.start(room, { items: 300, tokens: 12, similarityPercentage: 60, bands });
        for (const log of chosen) made.add(log.ms, tokensAt, put(log.tokens));
        return made;
      };
      const left = logs.filter((log) => log.isLeft);
      const right = logs.filter((log) => !log.isLeft);
      const all = [historyOf(logs), historyOf(left), historyOf(right)] as const;
      expect(all[1].merge(historyOf(right))).toBe(true);
      expect(all[2].merge(historyOf(left))).toBe(true);
      for (let i = 0; i < 100; i++) {
        const size = put(logOf(stream, templates, values));
        expect(new Set(all.map((history) => history.count(tokensAt, size, 1000))).size).toBe(1);
      }
      expect(all.map((history) => history.expire(100))).toEqual([101, 101, 101].map(() => all[0].items === all[1].items ? logs.filter((log) => log.ms <= 100 && log.tokens.size).length : -1));
    }
    // Only into one that holds sets as long.
    const [long, short] = [1024, 9].map((tokenCap) => History.start(room, { items: 5, tokenCap, similarityPercentage: 50 }));
    expect([long!.merge(short!), short!.merge(long!)]).toEqual([true, false]);
  });

  test.each([undefined, BANDS])("stored bytes load again and go on alike, bands %o", (bands) => {
    for (let seed = 0; seed < 5; seed++) {
      const { history } = run({ items: 60, tokens: 10, similarityPercentage: 50, bands, seed: 4n }, seed, 300);
      const bytes = history.toBytes();
      const again = History.fromBytes(room, bytes)!;
      const stream = new Stream(seed);
      const templates = Array.from({ length: 5 }, () => [...stream.hashes(6)]);
      for (let i = 0; i < 200; i++) {
        const size = put(logOf(stream, templates, stream.hashes(4)));
        const ms = 1e9 + i * DAY;
        expect(again.pass(ms, ms - 30 * DAY, tokensAt, size, 9)).toBe(history.pass(ms, ms - 30 * DAY, tokensAt, size, 9));
      }
      for (let i = 0; i < 40; i++) {
        const damaged = bytes.slice();
        damaged[stream.below(bytes.length)]! ^= 1 << stream.below(8);
        expect(History.fromBytes(room, damaged)).toBeUndefined();
      }
    }
  });

  test("bytes made by hand, with a fitting checksum, are refused or harmless", () => {
    const { history } = run({ items: 30, tokens: 8, similarityPercentage: 50 }, 3, 200);
    history.toBytes();
    const sound = arena.u8.slice(history.at, history.at + history.toBytes().length);
    const at = arena.alloc(sound.length);
    const stream = new Stream(2);
    const { u32 } = arena;
    let refused = 0;
    for (let i = 0; i < 400; i++) {
      arena.u8.set(sound, at);
      const offset = stream.pick([32 + stream.below(28) * 4, u32[(at + HISTORY_SETS) >> 2]! + stream.below(200) * 4, stream.below(sound.length - 32) + 32]) & ~3;
      u32[(at + offset) >> 2] = stream.pick([0, 1, 0xffff_ffff, 0x7fff_ffff, stream.below(2 ** 32), u32[(at + offset) >> 2]! + 1]);
      kernel.sketchSeal(at);
      const made = History.fromBytes(room, arena.u8.slice(at, at + sound.length));
      if (!made) refused++;
      else {
        const size = put(stream.hashes(5));
        for (let k = 0; k < 40; k++) made.pass(k * DAY, (k - 9) * DAY, tokensAt, size - (k % 3), 3);
      }
    }
    expect(refused).toBeGreaterThan(100);
    expect(u32[(history.at + HISTORY_TABLE) >> 2]).toBeGreaterThan(0);
  });
});
