import { describe, expect, test } from "vitest";
import { bruteForce, burst, lines, login, vespid, workFolder } from "./support.ts";

const folder = workFolder();
folder.write("rule.json", JSON.stringify(bruteForce));
folder.write("auth.ndjson", lines(burst));
const why = (args: readonly string[], stdin?: string) => vespid(["why", ...args], { cwd: folder.path, stdin });

describe("why", () => {
  test("one event among its logs, for people", async () => {
    const ran = await why(["--rule", "rule.json", "--event", "auth.ndjson", "--nth", "8", "--logs", "auth.ndjson"]);
    expect(ran).toEqual({
      code: 1, stderr: "", stdout: `Brute force  threshold
✗ it was counted, and no case is true: burst needs 3 more of failed

EVENT  2026-03-01 10:00:35Z  auth sso bastion-1: login failure for admin
       after 7 events of the logs

QUERIES
✓ failed: source:auth @evt.outcome:failure
✗ passed: source:auth @evt.outcome:success
    ✓ source:auth   is "auth"
    ✗ @evt.outcome:success   is "failure"

GROUP  @usr.id:admin
window of 5 min up to 2026-03-01 10:00:35Z
QUERY   COUNTS  VALUE  EVENTS  OLDEST                NEWEST                OLDEST LEAVES
failed  count       8       8  2026-03-01 10:00:00Z  2026-03-01 10:00:35Z  2026-03-01 10:05:00Z
passed  count       0       0  -                     -                     -
✗ critical got in: failed > 10 && passed > 0
    ✗ failed > 10   8 against 10
    ✗ passed > 0   0 against 0
    needs 3 more of failed and 1 more of passed
✗ medium burst: failed > 10
    ✗ failed > 10   8 against 10
    needs 3 more of failed
`,
    });
  });

  test("a signal is exit code 0, and JSON says the same", async () => {
    const ran = await why(["--rule", "rule.json", "--event", "auth.ndjson", "--nth", "11", "--logs", "auth.ndjson", "--json"]);
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      rule_id: "brute-force", verdict: "it opened a signal: medium, Brute force - burst", outcome: { kind: "opened", signals: [{ case: "burst", severity: "medium" }] }, context_events: 10,
      queries: [{ label: "failed", trace: { holds: true } }, { label: "passed", trace: { holds: false, parts: [{ holds: true }, { text: "@evt.outcome:success", holds: false, values: ["failure"] }] } }],
      groups: [{ group: { "@usr.id": "admin" }, windows: [{ label: "failed", value: 11 }, { label: "passed", value: 0 }], cases: [{ case: "got in", holds: false }, { case: "burst", holds: true }], open_signal: null }],
    });
  });

  test.each([
    ["no query", login(0, "x", "failure", { evt: { outcome: "unknown" } }), [], "✗ no query of the rule matches it"],
    ["no group", login(0, "x", "failure", { usr: {} }), [], "✗ query failed matches it, but it has no @usr.id to be counted for"],
    ["exclusion", login(0, "x", "failure"), ["--suppressions", "exclusion.json"], "✗ it was kept from the rule by data exclusion quiet host"],
  ])("verdict: %s", async (_name, event, args, expected) => {
    folder.write("exclusion.json", JSON.stringify([{ name: "quiet host", enabled: true, rule_query: "*", data_exclusion_query: "host:bastion-1" }]));
    const ran = await why(["--rule", "rule.json", "--event", "-", ...args], JSON.stringify(event));
    expect([ran.code, ran.stdout.split("\n")[1]]).toEqual([1, expected]);
  });

  test("an event over several lines, and a rule by its name among others", async () => {
    folder.write("event.json", JSON.stringify(login(0, "x", "failure"), null, 2));
    folder.write("rules/two.json", JSON.stringify([bruteForce, { ...bruteForce, id: "other", name: "Other", isEnabled: false }]));
    const ran = await why(["--rules", "rules", "--rule", "Other", "--event", "event.json"]);
    expect([ran.code, ran.stdout.split("\n")[1]]).toEqual([1, "✗ the rule judges nothing: it is disabled"]);
  });

  test("what cannot be asked ends in exit code 2", async () => {
    folder.write("bad.json", "{\n");
    folder.write("two.json", JSON.stringify([bruteForce, { ...bruteForce, id: "other", name: "Other" }]));
    for (const [args, message] of [
      [["--rule", "rule.json", "--event", "absent.json"], "absent.json: no such file\n"],
      [["--rule", "rule.json", "--event", "auth.ndjson", "--nth", "99"], "auth.ndjson: it holds 15 events, and --nth asks for number 99\n"],
      [["--rule", "rule.json", "--event", "auth.ndjson", "--nth", "0"], "--nth 0 is no number of an event; the first is 1\n"],
      [["--rule", "brute-force", "--event", "auth.ndjson"], "--rule brute-force is no file; name the files with --rules to pick it by its id or name\n"],
      [["--rule", "two.json", "--event", "auth.ndjson"], "two.json holds 2 rules; pick one: --rules two.json --rule brute-force\n"],
      [["--rule", "rule.json", "--event", "bad.json", "--format", "log"], "bad.json: no event can be read there: truncated\n"],
    ] as const) expect(await why(args)).toEqual({ code: 2, stdout: "", stderr: message });
  });

  test("text from logs cannot drive a terminal", async () => {
    const ran = await why(["--rule", "rule.json", "--event", "-"], JSON.stringify(login(0, "\u001b[31mx\n", "failure", { evt: { outcome: "\u001b[2J" } })));
    expect(ran.stdout).not.toMatch(/[^\P{Cc}\n]/u);
    expect(ran.stdout).toContain("\\u001b[2J");
  });
});
