import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, existsSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MemorySink, until } from "./lines-support.ts";
import { follow, newFolder } from "./tail-support.ts";

function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

test("a follower killed at any instant doubles and loses nothing where the sink keeps its marks", async () => {
  const folder = newFolder();
  const out = join(folder, "out.jsonl");
  const random = randomOf(11);
  const expected: string[] = [];
  const taken = (): string[] => (existsSync(out) ? readFileSync(out, "utf8").split("\n").filter((line) => line !== "") : []).flatMap((line) => (JSON.parse(line) as { text: string }).text.split("\n").filter((each) => each !== ""));
  let child: ChildProcess | undefined;
  const start = (): void => {
    child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "tail-child.ts"), folder, out], { stdio: ["ignore", "inherit", "inherit"] });
  };
  const kill = async (): Promise<void> => {
    const ended = new Promise((resolve) => child!.once("exit", resolve));
    child!.kill("SIGKILL");
    await ended;
  };
  try {
    for (let round = 0; round < 12; round++) {
      start();
      const until = Date.now() + 150 + random(350);
      while (Date.now() < until) {
        const name = join(folder, `${random(3)}.log`);
        const lines = Array.from({ length: 1 + random(200) }, (_, i) => `${round} ${expected.length + i} ${"x".repeat(random(80))}`);
        expected.push(...lines);
        // A write may end inside a line.
        const text = `${lines.join("\n")}\n`;
        const half = random(text.length);
        appendFileSync(name, text.slice(0, half));
        if (random(4) === 0) await new Promise((resolve) => setTimeout(resolve, random(20)));
        appendFileSync(name, text.slice(half));
        if (random(40) === 0) renameSync(name, `${name}.${round}.${expected.length}`);
        if (random(2) === 0) await new Promise((resolve) => setTimeout(resolve, random(5)));
      }
      await kill();
    }
    start();
    await until("all lines", () => taken().length >= expected.length, 60_000);
    expect(taken().sort()).toEqual(expected.sort());
    expect(readdirSync(folder).some((name) => /\.log\.\d/.test(name))).toBe(true);
  } finally {
    await kill();
  }
});

test.each([1, 2, 3, 4])("what is written comes exactly once, whatever happens to the files (seed %i)", async (seed) => {
  const folder = newFolder();
  const random = randomOf(seed);
  const sink = new MemorySink();
  const expected: string[] = [];
  const options = { sources: [{ path: join(folder, "*.log*"), startPosition: "beginning" as const }], positionsPath: join(folder, "positions.json"), maxOpen: 2, graceMs: 100, readers: 1 + (seed % 2) };
  let tail = await follow(sink, options);
  let rotations = 0;
  for (let step = 0; step < 120; step++) {
    const path = join(folder, `${random(3)}.log`);
    const action = random(12);
    if (action < 8) {
      const lines = Array.from({ length: 1 + random(50) }, (_, i) => `${step} ${i} ${path.slice(-5)} ${"y".repeat(random(200))}`);
      expected.push(...lines);
      appendFileSync(path, `${lines.join("\n")}\n`);
    } else if (action === 8 && existsSync(path)) {
      renameSync(path, `${path}.${rotations++}`);
    } else if (action === 9) {
      // What had not been read when a file is emptied is gone for anybody.
      await until("all so far", () => sink.lines().length >= expected.length);
      if (existsSync(path)) truncateSync(path, 0);
      await new Promise((resolve) => setTimeout(resolve, 80));
    } else if (action === 10) {
      await tail.stop();
      tail = await follow(sink, options);
    } else if (action === 11) {
      sink.refusal = sink.refusal ? undefined : { reason: "full", retryAfterS: 1 };
      if (sink.refusal) setTimeout(() => (sink.refusal = undefined), 100);
    }
    if (random(3) === 0) await new Promise((resolve) => setTimeout(resolve, random(40)));
  }
  writeFileSync(join(folder, "end.log"), "the end\n");
  expected.push("the end");
  await until("everything", () => sink.lines().length >= expected.length);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(sink.lines().sort()).toEqual(expected.sort());
  expect(tail.counts.lost).toBe(0);
});
