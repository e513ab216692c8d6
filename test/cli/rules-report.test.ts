import { describe, expect, test } from "vitest";
import { type QualityReport } from "../../host/cli/rules-report.ts";
import { vespid, workFolder } from "./support.ts";

const folder = workFolder();
const rule = (id: string, query: string, more: object = {}) => ({
  id, name: `Rule ${id}`, message: "", isEnabled: true, type: "log_detection", tags: ["tactic:TA0006-credential-access", "technique:T1110-brute-force"],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 300, maxSignalDuration: 300 },
  queries: [{ name: "a", query, aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status: "high", condition: "a > 1" }], ...more,
});
const rules = folder.write("rules.json", JSON.stringify([
  rule("failures", "@evt.name:failure"), rule("once", "@evt.name:once"), rule("never", "@evt.name:never", { tags: [] }), rule("off", "@evt.name:failure", { isEnabled: false }),
]));
const event = (time: string, name: string, id: string) => ({ timestamp: time, ddsource: "auth", evt: { name }, usr: { id } });
const logs = folder.write("logs.ndjson", [
  event("2026-03-01T08:00:00Z", "failure", "ann"), event("2026-03-01T08:00:10Z", "failure", "ann"), event("2026-03-01T08:00:20Z", "once", "ann"),
  event("2026-03-02T08:00:00Z", "failure", "bob"), event("2026-03-02T08:00:10Z", "failure", "bob"), event("2026-03-02T09:00:00Z", "failure", "cyd"), event("2026-03-02T09:00:10Z", "failure", "cyd"),
].map((each) => JSON.stringify(each)).join("\n"));

describe("vespid rules report", () => {
  test("fired, matched, never matched and idle; noise, coverage, and false positives of a quiet period", async () => {
    const { code, stdout } = await vespid(["rules", "report", "--rules", rules, "--against", logs, "--quiet", "2026-03-02..2026-03-03", "--json"]);
    const report = JSON.parse(stdout) as QualityReport;
    expect(code).toBe(0);
    expect(report).toMatchObject({
      events: 7, signals: 3, signals_per_500_events: 214.286, outcomes: { fired: 1, matched: 1, silent: 1, idle: 1 }, by_severity: { high: 3 },
      quiet: { from: "2026-03-02T00:00:00.000Z", to: "2026-03-03T00:00:00.000Z", signals: 2, rules: 1 }, coverage: { watched: 1, fired: 1 },
    });
    expect(report.rules.map(({ rule_id, outcome, signals, events_matched, quiet_signals }) => [rule_id, outcome, signals, events_matched, quiet_signals])).toEqual([
      ["failures", "fired", 3, 6, 2], ["once", "matched", 0, 1, 0], ["never", "silent", 0, 0, 0], ["off", "idle", 0, 0, 0],
    ]);
    expect(report.rules.find(({ rule_id }) => rule_id === "off")).toMatchObject({ idle: "it is disabled" });
    expect(report.rules.filter(({ cost_percent: cost }) => cost !== null && !(cost >= 0 && cost <= 100))).toEqual([]);
  });

  test("the table tells the same, and --max-false ends with 1", async () => {
    const { code, stdout } = await vespid(["rules", "report", "--rules", rules, "--no-cost", "--quiet", "2026-03-02T08:30Z..2026-03-03T00:00Z", "--max-false", "0", logs]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^4 rules over 7 events: 1 fired, 1 matched and stayed silent, 1 never matched, 1 idle$/m);
    expect(stdout).toMatch(/: 1 false positive of 1 rule$/m);
    expect(stdout).toMatch(/^Rule failures +high +3 +6 +1 +failures$/m);
    expect(stdout).toMatch(/^never matched: never$/m);
    expect(stdout).not.toMatch(/COST/);
  });

  test.each([[["--quiet", "yesterday"], "is no period"], [["--max-false", "1"], "goes with --quiet"], [["--lateness", "x"], "is no number of seconds"]])("%j is refused", async (more, text) => {
    const { code, stderr } = await vespid(["rules", "report", "--rules", rules, ...more, logs]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(text)]);
  });
});
