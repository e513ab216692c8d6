import { describe, expect, test } from "vitest";
import { lines, vespid, workFolder } from "./support.ts";

const folder = workFolder();
const startMs = Date.UTC(2026, 2, 1);

function ruleOf(id: string, detectionMethod: string, options: Record<string, unknown>, query: Record<string, unknown>, condition?: string): string {
  return JSON.stringify({
    id, name: id, message: "", isEnabled: true, type: "log_detection", tags: [], options: { detectionMethod, keepAlive: 3600, maxSignalDuration: 86400, ...options },
    queries: [{ name: "a", query: "*", groupByFields: ["@u"], ...query }], cases: [{ name: "", status: "low", condition }],
  });
}

folder.write("windows/rule.json", ruleOf("windows", "threshold", { evaluationWindow: 3600 }, {}, "a > 10"));
folder.write("methods/rule.json", ruleOf("methods", "new_value", { newValueOptions: { learningDuration: 1 } }, { aggregation: "new_value", metrics: ["@v"] }));
folder.write("many.jsonl", lines(Array.from({ length: 250_000 }, (_, i) => ({ timestamp: startMs + i, u: `user${i}`, v: "x" }))));
folder.write("values.jsonl", lines(Array.from({ length: 60_000 }, (_, i) => ({ timestamp: startMs + i, u: "user", v: `value ${i}` }))));
const run = (...args: string[]) => vespid(["run", "--stats", ...args], { cwd: folder.path });

describe("vespid run --memory", () => {
  test.each(["windows", "methods"])("too little for the groups of %s is said, and kept to", async (rules) => {
    const ran = await run("--rules", rules, "--memory", "8MB", "many.jsonl");
    expect(ran.code).toBe(0);
    expect(ran.stderr).toMatch(/\nwarning rules had too little memory, so signals may be missing: [\d,]+ groups or values given up; give more with --memory\n/);
    const stats = JSON.parse(ran.stderr.split("\n").find((line) => line.startsWith("{"))!) as { stateBytes: number; evicted: number };
    expect(stats.evicted).toBeGreaterThan(10_000);
    expect(stats.stateBytes).toBeLessThanOrEqual(8 * 1024 * 1024);
    expect((await run("--rules", rules, "many.jsonl")).stderr).not.toContain("warning");
  });

  test("so are values that only filters know", async () => {
    const ran = await run("--rules", "methods", "--memory", "1MiB", "values.jsonl");
    expect(ran.stderr).toMatch(/: [\d,]+ values known by a filter only, which may miss a new one; give more with --memory\n/);
    expect(JSON.parse(ran.stderr.split("\n").find((line) => line.startsWith("{"))!) as unknown).toMatchObject({ evicted: 0 });
  });

  test.each(["soon", "12", "-1MB", "1TB", "0.5MB"])("--memory %s is refused", async (size) => {
    const ran = await run("--rules", "windows", "--memory", size, "many.jsonl");
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(`--memory ${size} is no size of 1MB or more`);
  });
});
