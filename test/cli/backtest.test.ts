import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { bruteForce, burst, lines, startMs, vespid, workFolder } from "./support.ts";

const folder = workFolder();
folder.write("rule.json", JSON.stringify(bruteForce));
folder.write("auth.ndjson", lines(burst));
folder.write("packed.ndjson.gz", gzipSync(lines(burst)));
const backtest = (args: readonly string[], stdin?: string) => vespid(["backtest", "--rules", "rule.json", ...args], { cwd: folder.path, stdin });

describe("backtest", () => {
  test("cases, groups, time and other settings, for people", async () => {
    const ran = await backtest(["--against", "auth.ndjson"]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toBe(`Brute force  threshold
1 signal for 1 group, of 15 events matched (failed 14, passed 1) in 2 groups

SEVERITY  CASE    SIGNALS  EVENTS  FIRST SEEN            LAST SEEN
critical  got in        1      12  2026-03-01 10:00:50Z  2026-03-01 10:01:00Z
medium    burst         0       0  -                     -

SIGNALS  SHARE  EVENTS  SEVERITY  GROUP
      1   100%      12  critical  @usr.id:admin
      0     0%       3  -         @usr.id:carol

TIME              EVENTS  of 1 min each                     SIGNALS
2026-03-01 10:00      11  ████████████████████████████████        1  ████████████████
2026-03-01 10:01       4  ███████████▋

TIMES  SIGNALS  GROUPS  BY SEVERITY  THRESHOLDS OF THE CASES
 0.5x        1       1  1 critical   failed > 5 && passed > 0; failed > 5
   1x        1       1  1 critical   failed > 10 && passed > 0; failed > 10
   2x        0       0  -            failed > 20 && passed > 0; failed > 20
   4x        0       0  -            failed > 40 && passed > 0; failed > 40
`);
    expect(ran.stderr).toMatch(/^15 events, [\d.]+ KB in [\d.]+ s; 1 rule at 4 settings in one pass\n$/);
  });

  test("the same as JSON, and the same from packed files, standard input and arguments", async () => {
    const plain = await backtest(["--json", "--against", "auth.ndjson"]);
    expect(JSON.parse(plain.stdout)).toEqual({
      rule: "Brute force", rule_id: "brute-force", method: "threshold", events_matched: 15, per_query: { failed: 14, passed: 1 }, groups: 2, signals: 1, groups_with_signals: 1,
      by_case: [
        { case: "got in", severity: "critical", signals: 1, events_matched: 12, first_seen: startMs + 50_000, last_seen: startMs + 60_000 },
        { case: "burst", severity: "medium", signals: 0, events_matched: 0, first_seen: null, last_seen: null },
      ],
      by_group: [{ group: { "@usr.id": "admin" }, signals: 1, severity: "critical", events_matched: 12 }, { group: { "@usr.id": "carol" }, signals: 0, severity: null, events_matched: 3 }],
      over_time: { from: startMs, bucket_ms: 60_000, events: [11, 4], signals: [1, 0] },
      turned: "thresholds of the cases",
      sensitivity: [
        { factor: 0.5, setting: "failed > 5 && passed > 0; failed > 5", signals: 1, groups: 1, by_severity: { critical: 1 } },
        { factor: 1, setting: "failed > 10 && passed > 0; failed > 10", signals: 1, groups: 1, by_severity: { critical: 1 } },
        { factor: 2, setting: "failed > 20 && passed > 0; failed > 20", signals: 0, groups: 0, by_severity: {} },
        { factor: 4, setting: "failed > 40 && passed > 0; failed > 40", signals: 0, groups: 0, by_severity: {} },
      ],
    });
    for (const [args, stdin] of [[["packed.ndjson.gz"], undefined], [["--against", "-"], lines(burst)], [["auth.*"], undefined]] as const) {
      expect((await backtest(["--json", ...args], stdin)).stdout).toBe(plain.stdout);
    }
  });

  test("several rules stand in one table, the loudest first; --rule picks", async () => {
    const quiet = { ...bruteForce, id: "quiet", name: "Quiet", cases: [{ status: "low", condition: "failed > 100" }] };
    folder.write("two.json", JSON.stringify([quiet, bruteForce]));
    const ran = await vespid(["backtest", "--rules", "two.json", "--against", "auth.ndjson"], { cwd: folder.path });
    expect(ran.stdout).toMatch(/^RULE +EVENTS +GROUPS +0\.5x +1x +2x +4x +SIGNALS\nBrute force +15 +2 +1 +1 +0 +0 +1 critical\nQuiet +15 +2 +0 +0 +0 +0 +-\n\nBrute force {2}threshold\n/);
    const picked = await vespid(["backtest", "--rules", "two.json", "--rule", "quiet", "--json", "auth.ndjson"], { cwd: folder.path });
    expect(JSON.parse(picked.stdout)).toMatchObject({ rule_id: "quiet", signals: 0 });
    expect(await vespid(["backtest", "--rules", "two.json", "--rule", "quieta", "auth.ndjson"], { cwd: folder.path })).toEqual({ code: 2, stdout: "", stderr: "--rule quieta: no rule has this id or name; did you mean quiet?\n" });
  });

  test("exit codes say whether a rule is too loud", async () => {
    expect((await backtest(["--max-signals", "1", "auth.ndjson"])).code).toBe(0);
    expect((await backtest(["--max-signals", "0", "auth.ndjson"])).code).toBe(1);
    expect((await backtest(["--fail-on", "critical", "auth.ndjson"])).code).toBe(1);
    expect(await backtest(["absent.ndjson"])).toMatchObject({ code: 2, stdout: "" });
    expect(await backtest(["--max-signals", "few", "auth.ndjson"])).toEqual({ code: 2, stdout: "", stderr: "--max-signals few is no whole number\n" });
  });

  test("names of groups cannot drive a terminal", async () => {
    folder.write("evil.ndjson", lines(burst).replaceAll('"admin"', '"\\u001b[31mx\\n"'));
    const ran = await backtest(["evil.ndjson"]);
    expect(ran.stdout).not.toMatch(/[^\P{Cc}\n]/u);
    expect(ran.stdout).toContain("@usr.id:\\u001b[31mx\\n");
  });
});
