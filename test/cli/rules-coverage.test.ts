import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bruteForce, burst, lines, login, vespid, workFolder } from "./support.ts";

const folder = workFolder();
const rules = (...args: string[]) => vespid(["rules", "test", ...args], { cwd: folder.path });
const failure = { ddsource: "auth", evt: { outcome: "failure" }, usr: { id: "x" } };
const logs = [{ ...failure, t: "2026-03-01T10:00:00Z", repeat: { count: 11, step: 1000 } }];

describe("scenarios in rule files", () => {
  test("logs in, signals out: made ones and recorded ones", async () => {
    folder.write("logs/auth.ndjson", lines(burst));
    folder.write("good/rule.json", JSON.stringify({
      ...bruteForce, tests: [
        { name: "a burst", logs, expect: { signals: [{ case: "burst", status: "medium", group: { "@usr.id": "x" }, first: "2026-03-01T10:00:10Z", count_at_least: 11 }] } },
        { name: "what is not said may be anything", logs, expect: { signals: [{}] } },
        { name: "one too few", logs: [{ ...logs[0], repeat: { count: 10, step: 1000 } }], expect: { signals: [] } },
        { name: "recorded", logs: "../logs/auth.ndjson", expect: { signals: [{ case: "got in", group: { "@usr.id": "admin" } }] } },
      ],
    }));
    expect(await rules("good")).toEqual({
      code: 0, stderr: "", stdout: "4 passed, 0 failed, 0 skipped\ncoverage: 1 of 1 rules tested, 1 both ways; 2 of 2 queries matched; 2 of 2 cases reached\n",
    });
  });

  test("what differs is told, and stands in the report", async () => {
    folder.write("bad/rule.json", JSON.stringify({ ...bruteForce, tests: [{ name: "graver", logs, expect: { signals: [{ status: "high" }] } }] }));
    const ran = await rules("bad", "--junit", "report.xml");
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/^FAIL bad\/rule\.json: Brute force: graver\n {4}missing \{"status":"high"\}\n {4}unexpected \{"case":"burst","status":"medium",/);
    expect(readFileSync(`${folder.path}/report.xml`, "utf8")).toMatch(/<testsuites tests="1" failures="1"/);
  });
});

describe("coverage", () => {
  const sampled = { ...bruteForce, id: "sampled", name: "Sampled", tests: [{ query: "failed", log: failure, expected: true }] };
  folder.write("many/rules.json", JSON.stringify([
    sampled, { ...bruteForce, id: "bare", name: "Bare" },
    { ...bruteForce, id: "off", name: "Off", isEnabled: false },
    { ...bruteForce, id: "silent", name: "Silent", tests: [{ query: "failed", log: { ddsource: "web" }, expected: false }] },
  ]));
  folder.write("auth.ndjson", lines([...burst, ...Array.from({ length: 12 }, (_, i) => login(100 + i, "dave", "failure"))]));

  test("[RU-08] rules without tests, one-sided ones, queries never matched; a disabled rule is not counted", async () => {
    expect(await rules("many")).toEqual({
      code: 0, stderr: "", stdout: `2 passed, 0 failed, 0 skipped
coverage: 2 of 3 rules tested, 0 both ways; 1 of 6 queries matched; no logs played, so no case reached
    without a test: bare
    nothing shows what must match: silent
    nothing shows what must not match: sampled
    queries never matched: sampled passed, bare failed, bare passed, silent failed, silent passed
`,
    });
    expect((await rules("many", "--strict")).code).toBe(1);
  });

  test("recorded logs show which queries and cases they reach", async () => {
    const quiet = { ...sampled, id: "quiet", name: "Quiet", cases: [{ name: "storm", status: "high", condition: "failed > 1000" }, { name: "burst", status: "medium", condition: "failed > 10" }] };
    folder.write("over/rules.json", JSON.stringify([sampled, quiet]));
    const ran = await rules("over", "--logs", "auth.ndjson");
    expect(ran.stdout).toBe(`2 passed, 0 failed, 0 skipped; 4 signals in the recorded logs
coverage: 2 of 2 rules tested, 0 both ways; 4 of 4 queries matched; 3 of 4 cases reached
    nothing shows what must not match: sampled, quiet
    cases never reached: quiet storm
`);
    const json = await rules("over", "--logs", "auth.ndjson", "--json");
    expect(JSON.parse(json.stdout.trim().split("\n").at(-1)!)).toEqual({
      coverage: {
        rules: 2, tested: 2, both_ways: 0, queries: 4, queries_matched: 4, cases: 4, cases_reached: 3, untested: [], without_positive: [], without_negative: ["sampled", "quiet"],
        never_matched: [], never_reached: [{ rule: "quiet", case: "storm" }],
      },
    });
    expect(await rules("over", "--logs", "absent.ndjson")).toMatchObject({ code: 2, stdout: "" });
  });
});
