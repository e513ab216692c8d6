import { expect, test } from "vitest";
import { startMs, vespid, workFolder } from "./support.ts";

const folder = workFolder();
const rules = folder.write("rule.yaml", `
name: any login
type: log_detection
isEnabled: true
tags: []
message: m
queries: [{ name: a, query: "@action:login", groupByFields: ["@n"] }]
cases: [{ status: low, condition: "a > 0" }]
options: { detectionMethod: threshold, evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 7200 }
`);
const lineOf = (n: number, minute: number, id?: string): string => `${JSON.stringify({ timestamp: startMs + minute * 60_000, action: "login", n, id })}\n`;
const first = folder.write("first.ndjson", [lineOf(0, 0, "a"), lineOf(1, 1, "a"), lineOf(2, 1), lineOf(3, 2, "b")].join(""));
const second = folder.write("second.ndjson", [lineOf(4, 9, "a"), lineOf(5, 11, "a"), lineOf(6, 11, "b")].join(""));

const groups = (stdout: string): number[] => stdout.trim().split("\n").map((line) => Number((JSON.parse(line) as { group: Record<string, unknown> }).group["@n"])).sort((a, b) => a - b);
const counted = (stderr: string): Record<string, unknown> => JSON.parse(stderr.split("\n").find((line) => line.startsWith("{"))!) as Record<string, unknown>;

test("repeats are left out and told of when somebody asks for it", async () => {
  const run = ["run", "--rules", rules, "--json", "--stats", "--format", "raw", first, second];
  const all = await vespid(run);
  expect(groups(all.stdout)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(all.stderr).not.toContain("repeats left out");
  expect(counted(all.stderr)).toMatchObject({ duplicates: 0 });
  const once = await vespid([...run, "--deduplicate"]);
  expect(groups(once.stdout)).toEqual([0, 2, 3, 5]);
  expect(once.stderr).toContain("repeats left out: 3");
  expect(counted(once.stderr)).toMatchObject({ events: 7, matches: 7, duplicates: 3, idsForgotten: 0 });
});

test("a run that goes on knows the ids of the one before", async () => {
  const run = (input: string): ReturnType<typeof vespid> => vespid(["run", "--rules", rules, "--deduplicate", "--checkpoint", `${folder.path}/state`, "--json", "--stats", "--format", "raw", input]);
  const before = await run(first);
  expect(groups(before.stdout)).toEqual([0, 2, 3]);
  const after = await run(second);
  expect(groups(after.stdout)).toEqual([5]);
  expect(counted(after.stderr)).toMatchObject({ events: 3, duplicates: 2 });
  const inspected = await vespid(["state", "inspect", `${folder.path}/state`]);
  expect(inspected.stdout).toContain("ids");
});

test("backtest counts a repeat once where it is asked to, and says how many it left out", async () => {
  const run = (more: readonly string[]) => vespid(["backtest", "--rules", rules, "--json", "--format", "raw", ...more, first, second]);
  const of = (stdout: string) => JSON.parse(stdout.trim()) as { events_matched: number; signals: number };
  const [all, once] = [await run([]), await run(["--deduplicate"])];
  expect(of(all.stdout)).toMatchObject({ events_matched: 7, signals: 7 });
  expect(of(once.stdout)).toMatchObject({ events_matched: 4, signals: 4 });
  expect(all.stderr).not.toContain("repeats left out");
  expect(once.stderr).toContain("; repeats left out: 3");
});

test("why says of a repeat that it is one", async () => {
  const ask = (nth: string, more: readonly string[] = []) => vespid(["why", "--rule", rules, "--event", first, "--nth", nth, "--logs", first, "--format", "raw", "--json", ...more]);
  const outcome = (stdout: string) => (JSON.parse(stdout) as { outcome: { kind: string }; verdict: string });
  expect(outcome((await ask("2")).stdout).outcome.kind).toBe("opened");
  const repeat = await ask("2", ["--deduplicate"]);
  expect(repeat.code).toBe(1);
  expect(outcome(repeat.stdout)).toMatchObject({ outcome: { kind: "repeat" }, verdict: expect.stringContaining("another event of its id came less than ten minutes before") });
  expect(outcome((await ask("1", ["--deduplicate"])).stdout).outcome.kind).toBe("opened");
  expect(outcome((await ask("3", ["--deduplicate"])).stdout).outcome.kind).toBe("opened");
});
