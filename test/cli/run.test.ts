import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { tableFromIPC } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { bruteForce, burst, lines, login, startMs, startVespid, vespid, workFolder } from "./support.ts";

const folder = workFolder();
folder.write("rules/brute-force.json", JSON.stringify(bruteForce));
folder.write("auth.jsonl", lines(burst));
const run = (...args: string[]) => vespid(["run", "--rules", "rules", ...args], { cwd: folder.path });

describe("vespid run", () => {
  test("[PL-06] [DE-55] eleven failures and a success give one signal, which people read as a table", async () => {
    const ran = await run("auth.jsonl");
    expect(ran.code).toBe(0);
    const [head, ...rows] = ran.stdout.trimEnd().split("\n");
    expect(head).toMatch(/^SEVERITY +FIRST SEEN +LAST SEEN +RULE +CASE +EVENTS +GROUP$/);
    expect(rows).toEqual(["critical  2026-03-01 10:00:50Z  2026-03-01 10:01:00Z  Brute force  got in      12  @usr.id:admin"]);
    expect(ran.stderr).toMatch(/^15 events, [\d.]+ KB in [\d.]+ s \([\d,]+ events\/s, [\d.]+ \wB\/s\); 1 signal\n$/);
  });

  test("[RU-24] --json is one signal a line with the members scripts rely on", async () => {
    const ran = await run("--json", "auth.jsonl");
    const signal = JSON.parse(ran.stdout) as Record<string, unknown>;
    expect(Object.keys(signal)).toEqual(["id", "rule_id", "rule_name", "case", "severity", "group", "first_seen", "last_seen", "events_matched", "title", "message", "tags", "samples"]);
    expect(signal).toMatchObject({
      rule_id: "brute-force", rule_name: "Brute force", case: "got in", severity: "critical", group: { "@usr.id": "admin" },
      first_seen: startMs + 50_000, last_seen: startMs + 60_000, events_matched: 12, title: "Brute force - got in",
    });
    expect(signal.tags).toContain("env:prod");
    expect(signal.samples).toHaveLength(10);
  });

  test("the same bytes for files, packed files, standard input and any number of workers", async () => {
    folder.write("auth.jsonl.gz", gzipSync(lines(burst)));
    const plain = await run("--json", "auth.jsonl");
    expect((await run("--json", "auth.jsonl.gz")).stdout).toBe(plain.stdout);
    expect((await vespid(["run", "--rules", "rules", "--json", "-"], { cwd: folder.path, stdin: lines(burst) })).stdout).toBe(plain.stdout);
    for (const workers of ["0", "1", "2"]) expect((await run("--json", "--workers", workers, "auth.jsonl")).stdout).toBe(plain.stdout);
  });

  test.each([["info", 1], ["critical", 1]])("--fail-on %s ends in exit code %i", async (severity, code) => {
    expect((await run("--fail-on", severity, "auth.jsonl")).code).toBe(code);
  });

  test("--fail-on a severity nobody reached ends in exit code 0", async () => {
    folder.write("quiet.jsonl", lines(burst.slice(0, 3)));
    const ran = await run("--fail-on", "info", "quiet.jsonl");
    expect([ran.code, ran.stdout]).toEqual([0, "no signals\n"]);
  });

  // Read with apache-arrow: DuckDB reads Arrow files by an extension that must be downloaded, so it is no reader for a test.
  test("--out writes the signals as an Arrow file that apache-arrow reads, with times as times", async () => {
    expect((await run("--out", "signals.arrow", "auth.jsonl")).code).toBe(0);
    const bytes = readFileSync(`${folder.path}/signals.arrow`);
    // The file format, framed by its mark, which readers map into memory; not the stream.
    expect([bytes.subarray(0, 6).toString(), bytes.subarray(-6).toString()]).toEqual(["ARROW1", "ARROW1"]);
    const table = tableFromIPC(bytes);
    expect(table.schema.fields.map((field) => `${field.name} ${String(field.type)}`)).toEqual([
      ...["id", "rule_id", "rule_name", "case", "severity", "title", "message", "group", "tags", "samples"].map((name) => `${name} Utf8`),
      "first_seen Timestamp<MILLISECOND>", "last_seen Timestamp<MILLISECOND>", "events_matched Int32",
    ]);
    expect(table.numRows).toBe(1);
    const row = (table.get(0)?.toJSON() ?? {}) as Record<string, unknown>;
    expect(row).toMatchObject({ rule_id: "brute-force", severity: "critical", group: '{"@usr.id":"admin"}', first_seen: startMs + 50_000, events_matched: 12 });
    expect(JSON.parse(String(row.samples))).toHaveLength(10);
    expect((await run("--out", "none.arrow", "quiet.jsonl")).code).toBe(0);
    const none = tableFromIPC(readFileSync(`${folder.path}/none.arrow`));
    expect([none.numRows, none.schema.fields.length]).toEqual([0, 13]);
  });

  test("the Arrow file says the same as --json, many signals with odd texts too", async () => {
    const odd = Array.from({ length: 40 }, (_, i) => `u${i} \u{1f41d} "q" \\ ${"x".repeat(i * 7)}`);
    folder.write("odd.jsonl", lines(odd.flatMap((user) => Array.from({ length: 11 }, (_, j) => login(j, user, "failure")))));
    const ran = await run("--json", "--out", "odd.arrow", "odd.jsonl");
    const told = ran.stdout.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    const rows = tableFromIPC(readFileSync(`${folder.path}/odd.arrow`)).toArray().map((row: { toJSON(): Record<string, unknown> }) => row.toJSON());
    expect(rows).toHaveLength(40);
    expect(rows.map((row) => ({ ...row, group: JSON.parse(String(row.group)), tags: JSON.parse(String(row.tags)), samples: JSON.parse(String(row.samples)) }))).toEqual(told.map((each) => expect.objectContaining(each)));
  });

  test("--stats tells everything counted, as JSON on standard error", async () => {
    const ran = await run("--stats", "auth.jsonl");
    const stats = JSON.parse(ran.stderr.trim().split("\n").at(-1)!) as Record<string, unknown>;
    expect(stats).toMatchObject({ events: 15, signals: 1, lateDropped: 0, malformed: {}, workers: 0, inputs: 1 });
  });

  test("late events are judged within --lateness, and counted beyond it", async () => {
    const late = [login(0, "x", "failure"), login(4000, "y", "failure"), ...burst.slice(0, 12).map((event) => ({ ...event, timestamp: (event.timestamp as number) + 100_000 }))];
    folder.write("late.jsonl", lines(late));
    const strict = await run("late.jsonl");
    expect([strict.stdout, strict.stderr.includes("too late to be judged: 12")]).toEqual(["no signals\n", true]);
    expect((await run("--lateness", "7200", "--json", "late.jsonl")).stdout).toContain('"severity":"critical"');
  });

  test("suppressions, security filters, critical assets and reference tables come from files", async () => {
    folder.write("suppress.yaml", "- name: known\n  enabled: true\n  rule_query: '*'\n  suppression_query: '@usr.id:admin'\n");
    expect((await run("--suppressions", "suppress.yaml", "auth.jsonl")).stderr).toContain("suppressed: ");
    folder.write("filters.json", JSON.stringify({ data: [{ attributes: { is_enabled: true, query: "service:other" } }] }));
    expect((await run("--security-filters", "filters.json", "auth.jsonl")).stdout).toBe("no signals\n");
    folder.write("assets.json", JSON.stringify([{ enabled: true, query: "@usr.id:admin", rule_query: "*", severity: "low" }]));
    expect((await run("--critical-assets", "assets.json", "auth.jsonl")).stdout).toMatch(/^low /m);
    const joined = { ...bruteForce, id: "joined", referenceTables: [{ tableName: "vip", columnName: "user", logFieldPath: "@usr.id", checkPresence: true, ruleQueryName: "failed" }] };
    folder.write("joined.json", JSON.stringify(joined));
    folder.write("tables.json", JSON.stringify({ vip: [{ user: "admin" }] }));
    const both = async (...args: string[]) => (await vespid(["run", "--rules", "joined.json", "--json", ...args, "auth.jsonl"], { cwd: folder.path })).stdout.split("\n").length - 1;
    expect(await both("--reference-tables", "tables.json")).toBe(1);
    expect(await both()).toBe(0);
  });

  test("[SU-01] [SU-02] --settings takes all kinds from one file, or from several", async () => {
    folder.write("all.yaml", "suppressions:\n- name: known\n  enabled: true\n  rule_query: '*'\n  suppression_query: '@usr.id:nobody'\ncritical_assets:\n- enabled: true\n  query: '@usr.id:admin'\n  rule_query: '*'\n  severity: low\nreference_tables:\n  vip:\n  - user: admin\n");
    folder.write("excluded.json", JSON.stringify({ data: [{ type: "suppressions", attributes: { name: "x", enabled: true, rule_query: "*", data_exclusion_query: "@evt.outcome:success" } }] }));
    const joined = ["run", "--rules", "joined.json", "--json"];
    const one = await vespid([...joined, "--settings", "all.yaml", "auth.jsonl"], { cwd: folder.path });
    expect(one.stderr).not.toContain("warning");
    expect(JSON.parse(one.stdout)).toMatchObject({ severity: "low", events_matched: 12 });
    const both = await vespid([...joined, "--settings", "all.yaml", "--settings", "excluded.json", "auth.jsonl"], { cwd: folder.path });
    expect(JSON.parse(both.stdout)).toMatchObject({ severity: "low", events_matched: 11 });
  });

  test("faults of settings come together, each with its file and line, and nothing is run", async () => {
    folder.write("faults.yaml", "suppressions:\n- name: x\n  rule_query: '@a:\"'\n  suppression_query: '*'\nreference_tables:\n  vip: 3\n");
    folder.write("strange.yaml", "supressions: []\n");
    const ran = await run("--settings", "faults.yaml", "--settings", "strange.yaml", "auth.jsonl");
    expect([ran.code, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toMatch(/^faults\.yaml:3:\d+: error query\//m);
    expect(ran.stderr).toMatch(/^faults\.yaml:6:\d+: error rule\/wrong-type/m);
    expect(ran.stderr).toMatch(/^strange\.yaml:1:\d+: error rule\/unknown-settings at supressions:/m);
    expect(ran.stderr).toContain("nothing was run");
  });

  test("a table that a rule asks for in vain is told", async () => {
    const ran = await vespid(["run", "--rules", "joined.json", "auth.jsonl"], { cwd: folder.path });
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain("warning rule/unknown-table at referenceTables[0].tableName: Brute force: there is no reference table vip");
  });

  test.each([
    [["--rules", "absent", "auth.jsonl"], "absent: no such file, folder or match"],
    [["--rules", "rules", "--fail-on", "grave", "auth.jsonl"], "--fail-on grave is no severity"],
    [["--rules", "rules", "--workers", "many", "auth.jsonl"], "--workers many is no number"],
    [["--rules", "rules", "--lateness", "soon", "auth.jsonl"], "--lateness soon is no number"],
    [["--rules", "rules", "--format", "csv", "auth.jsonl"], "Allowed choices are"],
    [["--rules", "rules", "--suppressions", "absent.json", "auth.jsonl"], "absent.json"],
    [["auth.jsonl"], "required option '--rules <path>'"],
  ])("%j ends in exit code 2 and says why", async (args, message) => {
    const ran = await vespid(["run", ...args], { cwd: folder.path });
    expect(ran.code).toBe(2);
    expect(ran.stdout).toBe("");
    expect(ran.stderr).toContain(message);
  });

  test("a rule with faults runs nothing", async () => {
    folder.write("bad.yaml", "name: x\nisEnabled: true\nmessage: m\noptions: {}\nqueries:\n  - query: 'source:\"auth'\ncases:\n  - status: high\n    condition: a > 1\n");
    const ran = await vespid(["run", "--rules", "bad.yaml", "auth.jsonl"], { cwd: folder.path });
    expect([ran.code, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toContain('    source:"auth\n           ^^^^^\n');
    expect(ran.stderr).toContain("1 error in the rules; nothing was run");
  });

  test("a rule this release does not run is never passed over in silence", async () => {
    const fresh = { ...bruteForce, id: "fresh", name: "New user", queries: [{ query: "source:auth", dataSource: "security_signals" }, { query: "source:auth" }], cases: [{ name: "", status: "low", condition: "a > 0" }] };
    folder.write("fresh.json", JSON.stringify(fresh));
    const ran = await vespid(["run", "--rules", "fresh.json", "auth.jsonl"], { cwd: folder.path });
    expect(ran.code).toBe(0);
    expect(ran.stderr).toContain("warning rule New user: query a reads signals beside queries that read events, which this release does not; the rule does nothing\n");
    const off = { ...bruteForce, isEnabled: false };
    folder.write("off.json", JSON.stringify(["a", "b", "c", "d"].map((id) => ({ ...off, id, name: `Rule ${id}` }))));
    expect((await vespid(["run", "--rules", "off.json", "auth.jsonl"], { cwd: folder.path })).stderr).toContain("warning 4 rules, such as Rule a, Rule b, Rule c: it is disabled; they do nothing\n");
  });
});

describe("live input", () => {
  test("signals show while the log goes on, once when they open and once when they grow graver", async () => {
    const child = startVespid(["run", "--rules", "rules", "--json", "--follow", "-"], folder.path);
    let shown = "";
    const waiting: Array<() => void> = [];
    child.stdout!.on("data", (chunk: Buffer) => {
      shown += chunk.toString();
      waiting.splice(0).forEach((wake) => wake());
    });
    let ended = false;
    child.on("close", () => {
      ended = true;
      waiting.splice(0).forEach((wake) => wake());
    });
    const more = async (count: number): Promise<void> => {
      while (shown.split("\n").length - 1 < count && !ended) await new Promise<void>((resolve) => waiting.push(resolve));
    };
    child.stdin!.write(lines(burst.slice(0, 11)));
    await more(1);
    child.stdin!.write(lines(burst.slice(11, 12)).slice(0, 20));
    child.stdin!.write(lines(burst.slice(11, 12)).slice(20));
    await more(2);
    child.kill("SIGINT");
    const code = await new Promise((resolve) => (ended ? resolve(child.exitCode) : child.on("close", resolve)));
    expect(code).toBe(0);
    const told = shown.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told.map((each) => [each.event, each.severity])).toEqual([["opened", "medium"], ["raised", "critical"]]);
    expect(told[0]!.id).toBe(told[1]!.id);
  });

  test("without --follow people see signals as they happen and the table at the end", async () => {
    const ran = await vespid(["run", "--rules", "rules", "-"], { cwd: folder.path, stdin: lines(burst) });
    expect(ran.stdout).toMatch(/medium {4}opened {2}Brute force - burst {2}@usr\.id:admin\n.*critical {2}raised.*\nSEVERITY/s);
  });
});

describe("what logs may not do", () => {
  const evil = "ad\u001b[2J\u009b31mmin\u202e\r\nfake";
  const hostile = [...Array.from({ length: 11 }, (_, i) => login(i, evil, "failure")), login(20, evil, "success")];

  test("escape sequences from logs never reach the reader of a table, and JSON keeps them as escapes", async () => {
    folder.write("hostile.jsonl", lines(hostile));
    const controls = /[^\P{Cc}\n]|\p{Bidi_Control}/u;
    const table = await run("hostile.jsonl");
    expect(table.stdout).not.toMatch(controls);
    expect(table.stdout).toContain("@usr.id:ad\\u001b[2J\\u009b31mmin\\u202e\\r\\nfake");
    expect(table.stdout.split("\n")).toHaveLength(3);
    const json = await run("--json", "hostile.jsonl");
    expect(json.stdout).not.toMatch(controls);
    expect((JSON.parse(json.stdout) as { group: Record<string, string> }).group["@usr.id"]).toBe(evil);
    const fields = await vespid(["match", "--fields", "@usr.id,message", "*", "hostile.jsonl"], { cwd: folder.path });
    expect(fields.stdout.replaceAll("\t", "")).not.toMatch(controls);
  });

  test("names of files and rules are as hostile", async () => {
    const ran = await vespid(["rules", "validate", folder.write("a\u001b[31m.json", "{")], { cwd: folder.path });
    expect(ran.stdout + ran.stderr).not.toContain("\u001b");
  });

  test("colours go to terminals only, and NO_COLOR has the last word", async () => {
    expect((await run("auth.jsonl")).stdout).not.toContain("\u001b");
    const coloured = (env: Record<string, string>) => vespid(["run", "--rules", "rules", "auth.jsonl"], { cwd: folder.path, env });
    expect((await coloured({ FORCE_COLOR: "1" })).stdout).toContain("\u001b[");
    expect((await coloured({ FORCE_COLOR: "1", NO_COLOR: "1" })).stdout).not.toContain("\u001b");
  });
});
