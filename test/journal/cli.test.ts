import { appendFileSync, statSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Journal } from "../../host/journal/journal.ts";
import { segmentPath } from "../../host/journal/segment.ts";
import { vespid } from "../cli/support.ts";
import { arrivalMs, entry, flipBit, folders } from "./support.ts";

const folder = folders();

async function build(path: string): Promise<Journal> {
  const journal = await Journal.open(path, { segmentBytes: 3000, groupBytes: 0, compress: false });
  for (let i = 0; i < 12; i++) {
    await journal.append([entry(`line ${i} ${"x".repeat(500)}${i % 2 ? "\n" : ""}`, { arrivalMs: arrivalMs + i * 1000, profile: { format: "raw", source: i % 3 ? "nginx" : "auth" }, partition: "http" })]);
  }
  return journal;
}

describe("vespid journal", () => {
  const whole = folder("whole");
  const damaged = folder("damaged");
  let open: Journal;
  beforeAll(async () => {
    await (await build(whole)).close();
    await (await build(damaged)).close();
    flipBit(segmentPath(damaged, 2), 300 * 8);
    open = await build(folder("open"));
  });
  afterAll(() => open.close());

  test("verify: a whole one", async () => {
    const { code, stdout } = await vespid(["journal", "verify", whole]);
    expect(stdout).toMatch(/whole: 12 entries in 3 segments\n$/);
    expect(stdout).toMatch(/ +1 +4 +4 .*2026-03-01 10:00:00Z +2026-03-01 10:00:03Z +good +whole/);
    expect(code).toBe(0);
    const json = JSON.parse((await vespid(["journal", "verify", "--json", whole])).stdout);
    expect(json).toMatchObject({ whole: true, entries: 12, lost_entries: 0, being_written: false, segments: [{ segment: 1, entries: 4, index: "good" }, { segment: 2 }, { segment: 3, index: "open" }] });
  });

  test("verify: a flipped bit", async () => {
    const { code, stdout } = await vespid(["journal", "verify", damaged]);
    expect(stdout).toMatch(/DAMAGE segment 2, \d+ bytes at 64: the checksum is wrong; 1 entry lost\n/);
    expect(stdout).toMatch(/damaged: 1 fault; 11 entries in 3 segments can be read, 1 is lost\n$/);
    expect(code).toBe(1);
    const json = await vespid(["journal", "verify", "--json", damaged]);
    expect(JSON.parse(json.stdout)).toMatchObject({ whole: false, lost_entries: 1, segments: [{ damage: [] }, { damage: [{ offset: 64, reason: "payload", lost_entries: 1 }] }, { damage: [] }] });
    expect(json.code).toBe(1);
  });

  test("verify: a torn end, then recovered", async () => {
    const path = folder("torn");
    await (await build(path)).close();
    appendFileSync(segmentPath(path, 3), Buffer.alloc(10));
    const torn = await vespid(["journal", "verify", path]);
    expect(torn.stdout).toMatch(/DAMAGE segment 3, 10 bytes at .*: a frame is not whole/);
    expect(torn.code).toBe(1);
    await (await Journal.open(path)).close();
    const after = await vespid(["journal", "verify", path]);
    expect(after.stdout).toMatch(/note: 0000000003\.torn keeps 10 bytes that recovery cut off\nwhole: 12 entries/);
    expect(after.code).toBe(0);
  });

  test("while it is being written, the frame that grows is no damage", async () => {
    const size = statSync(segmentPath(open.folder, 3)).size;
    appendFileSync(segmentPath(open.folder, 3), Buffer.alloc(10));
    const verify = await vespid(["journal", "verify", open.folder]);
    expect(verify.stdout).toMatch(/ends with 10 bytes that are being written\nnote: a process is writing this journal now\nwhole: 12 entries/);
    expect(verify.code).toBe(0);
    const cat = await vespid(["journal", "cat", open.folder]);
    expect([cat.code, cat.stderr, cat.stdout.match(/^line/gm)!.length]).toEqual([0, "", 12]);
    await open.append([entry("over it")]);
    expect(statSync(segmentPath(open.folder, 3)).size).toBeGreaterThan(size + 10);
    expect((await vespid(["journal", "cat", open.folder])).stdout).toMatch(/over it\n$/);
  });

  test("stat", async () => {
    const { code, stdout } = await vespid(["journal", "stat", whole]);
    expect(stdout).toMatch(/nginx +8\nauth +4\n$/);
    expect(code).toBe(0);
    expect(JSON.parse((await vespid(["journal", "stat", "--json", whole])).stdout)).toMatchObject({ entries: 12, sources: { nginx: 8, auth: 4 } });
  });

  test.each<[string, readonly string[], readonly number[], number]>([
    ["all", [], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 0],
    ["between two places", ["--from", "1:2", "--to", "2:1"], [2, 3, 4], 0],
    ["of one source, so many", ["--source", "auth", "--limit", "2"], [0, 3], 0],
    ["from a segment on", ["--from", "3"], [8, 9, 10, 11], 0],
    ["none", ["--limit", "0"], [], 0],
  ])("cat: %s", async (_name, options, lines, code) => {
    const ran = await vespid(["journal", "cat", whole, ...options]);
    expect(ran.stdout).toBe(lines.map((i) => `line ${i} ${"x".repeat(500)}\n`).join(""));
    expect(ran.code).toBe(code);
  });

  test("cat: as JSON, and past damage", async () => {
    const { stdout } = await vespid(["journal", "cat", whole, "--json", "--from", "1:1", "--limit", "1"]);
    expect(JSON.parse(stdout)).toEqual({ segment: 1, entry: 1, arrival_ms: arrivalMs + 1000, partition: "http", profile: { format: "raw", source: "nginx" }, text: `line 1 ${"x".repeat(500)}\n` });
    const past = await vespid(["journal", "cat", damaged]);
    expect(past.stdout.match(/^line/gm)!.length).toBe(11);
    expect(past.stderr).toMatch(/DAMAGE segment 2/);
    expect(past.code).toBe(1);
  });

  test.each([
    [["verify", "nowhere"], /there is no such folder/],
    [["cat", ".", "--from", "x"], /use segment:entry/],
    [["cat", ".", "--limit", "many"], /no number/],
  ])("%o is refused in words", async (args, words) => {
    const ran = await vespid(["journal", ...args], { cwd: whole });
    expect(ran.stderr).toMatch(words);
    expect(ran.code).toBe(2);
  });
});
