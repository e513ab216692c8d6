import { describe, expect, test } from "vitest";
import { Random } from "../../bench/random.ts";
import { Lane, Merge } from "../../host/batch/input-merge.ts";
import { TimedRecords } from "../../host/batch/input-time.ts";

const input = { format: "intake", arrivalMs: 5000 } as const;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const line = (timeMs: number, more = ""): string => `${JSON.stringify({ timestamp: 1e12 + timeMs, id: more })}\n`;

interface Piece {
  readonly name: string;
  readonly lines: readonly string[];
}

/** Lanes whose lines come in portions of any size, merged. */
async function merged(files: Readonly<Record<string, readonly string[]>>, portion: () => number): Promise<{ pieces: Piece[]; ended: string[]; behind: number }> {
  const pieces: Piece[] = [];
  const ended: string[] = [];
  const lanes = Object.keys(files).map((name) => new Lane(name));
  const merge = new Merge(lanes, (lane) => void read(lane), (lane) => ended.push(lane.name));
  const read = async (lane: Lane): Promise<void> => {
    const all = files[lane.name]!;
    for (let at = 0; at < all.length; ) {
      const count = portion();
      await lane.put(encoder.encode(all.slice(at, at + count).join("")), input);
      at += count;
    }
    lane.end();
  };
  await merge.run((bytes, _input, name) => {
    pieces.push({ name, lines: decoder.decode(bytes).split(/(?<=\n)/) });
    return Promise.resolve();
  });
  return { pieces, ended, behind: merge.behind };
}

const timesOf = (pieces: readonly Piece[]): number[] => pieces.flatMap((piece) => piece.lines.map((each) => (JSON.parse(each) as { timestamp: number }).timestamp - 1e12));

describe("the merge", () => {
  test("goes by event time, in pieces as long as the others allow", async () => {
    const { pieces, ended } = await merged({ a: [0, 2000, 4000, 20_000].map((ms) => line(ms)), b: [10_000, 30_000].map((ms) => line(ms)) }, () => 100);
    expect(pieces.map(({ name, lines }) => [name, lines.length])).toEqual([["a", 3], ["b", 1], ["a", 1], ["b", 1]]);
    expect(ended).toEqual(["a", "b"]);
  });

  test("events less than a second apart are not torn into pieces of one", async () => {
    const { pieces } = await merged({ a: [0, 600, 900].map((ms) => line(ms)), b: [100, 500, 800].map((ms) => line(ms)) }, () => 100);
    expect(pieces.map(({ name, lines }) => [name, lines.length])).toEqual([["a", 3], ["b", 3]]);
  });

  test("lines that cannot be read, or have no time, hold nothing up", async () => {
    const { pieces } = await merged({ a: [line(0), "rubbish\n", "{\n", line(3000)], b: [line(1500), '{"id":"none"}\n', line(9000)], c: ["[]\n", "\n"] }, () => 1);
    expect(pieces.flatMap((piece) => piece.lines).sort()).toEqual([line(0), "rubbish\n", "{\n", line(3000), line(1500), '{"id":"none"}\n', line(9000), "[]\n", "\n"].sort());
  });

  test.each([1, 2, 3, 4, 5, 6])("seed %i: every line once, each file in its order, no file more than a second ahead, whatever the portions", async (seed) => {
    const random = new Random(seed);
    const files = Object.fromEntries(Array.from({ length: 1 + random.below(6) }, (_, i) => {
      const times = Array.from({ length: random.below(300) }, () => random.below(200_000)).sort((a, b) => a - b);
      return [`f${i}`, times.map((timeMs, j) => line(timeMs, `${i}.${j}${"x".repeat(random.below(50))}`))];
    }));
    const whole = await merged(files, () => 1000);
    for (const [name, all] of Object.entries(files)) expect(whole.pieces.filter((piece) => piece.name === name).flatMap((piece) => piece.lines)).toEqual(all);
    let highMs = Number.NEGATIVE_INFINITY;
    for (const timeMs of timesOf(whole.pieces)) {
      expect(timeMs).toBeGreaterThanOrEqual(highMs - 1000);
      highMs = Math.max(highMs, timeMs);
    }
    const cut = await merged(files, () => 1 + random.below(40));
    expect(cut.pieces.flatMap((piece) => piece.lines)).toEqual(whole.pieces.flatMap((piece) => piece.lines));
  });

  test("a failing target ends its readers too", async () => {
    const lane = new Lane("a");
    let failed: unknown;
    const merge = new Merge([lane], () => void lane.put(encoder.encode(line(0)), input).catch((error: unknown) => {
      failed = error;
    }));
    await expect(merge.run(() => Promise.reject(new Error("no room")))).rejects.toThrow("no room");
    await Promise.resolve();
    expect(failed).toMatchObject({ message: "no room" });
  });
});

describe("records cut by time", () => {
  const lengths = [0, 1, 2, 7, 40, 400];
  test.each(lengths)("%i lines: the cut is where a look at every line puts it", (count) => {
    const random = new Random(count);
    const times = Array.from({ length: count }, () => random.below(1000)).sort((a, b) => a - b);
    const texts = times.map((timeMs) => line(timeMs, "y".repeat(random.below(300))));
    const bytes = encoder.encode(texts.join(""));
    for (const untilMs of [-1, 0, 1, 250, 500, 999, 1000, ...times.slice(0, 20)]) {
      if (!count) continue;
      const records = new TimedRecords(bytes, input);
      const expected = Math.max(1, times.filter((timeMs) => timeMs <= untilMs).length);
      expect(decoder.decode(records.take(1e12 + untilMs, 0))).toBe(texts.slice(0, expected).join(""));
    }
  });

  test("a least size is reached, at a line's end, and no more than there is", () => {
    const texts = Array.from({ length: 50 }, (_, i) => line(i));
    const records = new TimedRecords(encoder.encode(texts.join("")), input);
    const first = decoder.decode(records.take(1e12, 100));
    expect(first.length).toBeGreaterThanOrEqual(100);
    expect(texts.join("").startsWith(first) && first.endsWith("\n")).toBe(true);
    expect(decoder.decode(records.take(0, 1e9))).toBe(texts.join("").slice(first.length));
  });
});
