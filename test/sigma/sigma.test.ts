import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { importSigma } from "../../host/cli/rules-import.ts";
import { loadRules } from "../../host/cli/load-rules.ts";
import type { LogEvent } from "../../host/event/event.ts";
import { matches } from "../../host/query/matches.ts";
import { readRule } from "../../host/rule/wire.ts";
import { translateSigma } from "../../host/sigma/translate.ts";

const windows = { product: "windows", category: "process_creation" };
const cloud = { product: "aws", service: "cloudtrail" };

function translated(detection: Record<string, unknown>, logsource: Record<string, string> = cloud, more: Record<string, unknown> = {}): ReturnType<typeof translateSigma> {
  return translateSigma({ title: "One", id: "1", logsource, detection, level: "high", ...more });
}

/** Which of the events the rule's query finds. */
function found(detection: Record<string, unknown>, events: readonly LogEvent[], logsource: Record<string, string> = cloud): boolean[] {
  const { rule, faults } = translated(detection, logsource);
  expect(faults).toEqual([]);
  const [query] = readRule(rule).queries;
  return events.map((event) => matches(query!.node, event));
}

const call = (attributes: Record<string, unknown>): LogEvent => ({ source: "cloudtrail", attributes: attributes as never });
const process = (image: string, commandLine: string, more: Record<string, unknown> = {}): LogEvent => ({ source: "windows.events", attributes: { evt: { id: 4688 }, process: { executable: { path: image.toLowerCase() }, command_line: commandLine.toLowerCase() }, ...more } as never });

describe("what a Sigma rule becomes", () => {
  test.each<[string, Record<string, unknown>, LogEvent[], boolean[]]>([
    ["one value", { sel: { eventName: "StopLogging" }, condition: "sel" }, [call({ evt: { name: "StopLogging" } }), call({ evt: { name: "StartLogging" } }), { ...call({ evt: { name: "StopLogging" } }), source: "okta" }], [true, false, false]],
    ["values of a list are alternatives", { sel: { eventName: ["A", "B"] }, condition: "sel" }, [call({ evt: { name: "A" } }), call({ evt: { name: "B" } }), call({ evt: { name: "C" } })], [true, true, false]],
    ["maps of a list are alternatives, members of a map are not", { sel: [{ eventName: "A", awsRegion: "eu" }, { eventName: "B" }], condition: "sel" }, [call({ evt: { name: "A" } }), call({ evt: { name: "A" }, awsRegion: "eu" }), call({ evt: { name: "B" } })], [false, true, true]],
    ["contains, startswith, endswith", { sel: { "a|contains": "mid", "b|startswith": "up", "c|endswith": "end" }, condition: "sel" }, [call({ a: "amidst", b: "upper", c: "the end" }), call({ a: "amidst", b: "supper", c: "the end" })], [true, false]],
    ["all of the values", { sel: { "a|contains|all": ["x", "y"] }, condition: "sel" }, [call({ a: "xy" }), call({ a: "x" })], [true, false]],
    ["wildcards, and those that are none", { sel: { a: "f*o?", b: "x\\*y" }, condition: "sel" }, [call({ a: "fallow", b: "x*y" }), call({ a: "fallo", b: "x*y" }), call({ a: "fallow", b: "xzy" })], [true, false, false]],
    ["null is absent, exists is not", { sel: { a: null, "b|exists": true }, condition: "sel" }, [call({ b: 1 }), call({ a: 1, b: 1 }), call({})], [true, false, false]],
    ["numbers and comparisons", { sel: { n: 5, "m|gte": 10 }, condition: "sel" }, [call({ n: 5, m: 10 }), call({ n: 5, m: 9 }), call({ n: 6, m: 10 })], [true, false, false]],
    ["blocks of addresses", { sel: { "sourceIPAddress|cidr": ["10.0.0.0/8", "2001:db8::/32"] }, condition: "sel" }, [call({ network: { client: { ip: "10.1.2.3" } } }), call({ network: { client: { ip: "2001:db8::1" } } }), call({ network: { client: { ip: "11.0.0.1" } } })], [true, true, false]],
    ["keywords anywhere", { keywords: ["rm -rf", "whoami"], condition: "keywords" }, [{ source: "cloudtrail", message: "ran whoami now" }, { source: "cloudtrail", message: "who am i" }], [true, false]],
    ["not, brackets and precedence", { a: { x: 1 }, b: { y: 1 }, c: { z: 1 }, condition: "(a or b) and not c" }, [call({ x: 1 }), call({ y: 1, z: 1 }), call({ z: 1 })], [true, false, false]],
    ["some and all of selections", { sel_a: { x: 1 }, sel_b: { y: 1 }, filter_a: { z: 1 }, condition: "all of sel_* and not 1 of filter_*" }, [call({ x: 1, y: 1 }), call({ x: 1 }), call({ x: 1, y: 1, z: 1 })], [true, false, false]],
    ["any of them", { a: { x: 1 }, b: { y: 1 }, condition: "1 of them" }, [call({ y: 1 }), call({})], [true, false]],
    ["several conditions are alternatives", { a: { x: 1 }, b: { y: 1 }, condition: ["a", "b"] }, [call({ x: 1 }), call({ y: 1 }), call({})], [true, true, false]],
    ["spelled as written or small", { sel: { a: "ADMIN" }, condition: "sel" }, [call({ a: "ADMIN" }), call({ a: "admin" })], [true, true]],
  ])("%s", (_what, detection, events, expected) => {
    expect(found(detection, events)).toEqual(expected);
  });

  test("processes are found in any case, with either dash", () => {
    const detection = { sel: { "Image|endswith": "\\PowerShell.EXE", "CommandLine|contains|windash": " -Enc " }, condition: "sel" };
    expect(found(detection, [process("C:\\Windows\\powershell.exe", "powershell -ENC aaa"), process("C:\\Windows\\POWERSHELL.exe", "powershell /enc aaa"), process("C:\\cmd.exe", "powershell -enc a")], windows)).toEqual([true, true, false]);
  });

  test("level, tags, time frame and counts have their places", () => {
    const { rule } = translated({ sel: { errorCode: "AccessDenied" }, timeframe: "10m", condition: "sel | count(eventName) by userIdentity.arn >= 20" }, cloud, { tags: ["attack.discovery", "attack.t1580", "car.2013"], level: "critical", description: "Denied a lot." });
    expect(rule).toMatchObject({
      name: "One", message: "Denied a lot.", tags: ["sigma", "sigma_id:1", "security:attack", "tactic:TA0007-discovery", "technique:T1580"], options: { evaluationWindow: 600, keepAlive: 3600 },
      queries: [{ aggregation: "cardinality", distinctFields: ["@evt.name"], groupByFields: ["@userIdentity.arn"] }], cases: [{ status: "critical", condition: "a >= 20" }],
    });
    expect(translated({ sel: { a: 1 }, condition: "sel" }, windows).rule).toMatchObject({ queries: [{ groupByFields: ["host"], hasOptionalGroupByFields: true }], cases: [{ condition: "a > 0" }] });
  });

  test.each<[string, unknown, RegExp]>([
    ["a regular expression", { title: "x", logsource: cloud, detection: { sel: { "a|re": "^x" }, condition: "sel" } }, /modifier re/],
    ["base64", { title: "x", logsource: cloud, detection: { sel: { "a|base64offset|contains": "x" }, condition: "sel" } }, /base64offset/],
    ["an unknown source", { title: "x", logsource: { product: "zeta", service: "q" }, detection: { sel: { a: 1 }, condition: "sel" } }, /no source of ours is known for product: zeta, service: q/],
    ["a selection that is not there", { title: "x", logsource: cloud, detection: { sel: { a: 1 }, condition: "sel and other" } }, /no selection other/],
    ["an open bracket", { title: "x", logsource: cloud, detection: { sel: { a: 1 }, condition: "(sel" } }, /never closed/],
    ["absence", { title: "x", logsource: cloud, detection: { sel: { a: 1 }, condition: "sel | count() < 5" } }, /absence is no signal/],
    ["another aggregation", { title: "x", logsource: cloud, detection: { sel: { a: 1 }, condition: "sel | near other" } }, /not a count/],
    ["a correlation", { title: "x", correlation: { type: "temporal" } }, /correlations/],
    ["no title", { logsource: cloud, detection: {} }, /title is missing/],
    ["a list", [1], /no Sigma rule/],
    ["a time frame of a month", { title: "x", logsource: cloud, detection: { sel: { a: 1 }, timeframe: "30d", condition: "sel | count() > 5" } }, /longer than a day/],
    ["brackets without end", { title: "x", logsource: cloud, detection: { sel: { a: 1 }, condition: `${"(".repeat(2000)}sel${")".repeat(2000)}` } }, /too deep/],
  ])("%s is not translated, and it is said why", (_what, value, why) => {
    const { rule, faults } = translateSigma(value);
    expect(rule).toBeUndefined();
    expect(faults.join()).toMatch(why);
  });
});

describe("[RU-24] vespid rules import sigma", () => {
  const folder = mkdtempSync(join(tmpdir(), "vespid-sigma-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("writes a file for each rule that can be loaded again, and exits with 1 when some could not be", () => {
    mkdirSync(join(folder, "in/deep"), { recursive: true });
    writeFileSync(join(folder, "in/one.yml"), "title: One\nid: '1'\nlogsource: { product: aws, service: cloudtrail }\ndetection: { sel: { eventName: StopLogging }, condition: sel }\nlevel: high\n---\ntitle: Two\nid: '2'\nlogsource: { category: webserver }\ndetection: { sel: { 'cs-uri|contains': '/etc/passwd' }, condition: sel }\n");
    writeFileSync(join(folder, "in/deep/one.yaml"), "title: Three\nlogsource: { product: aws, service: cloudtrail }\ndetection: { sel: { 'a|re': x }, condition: sel }\n");
    expect(importSigma([join(folder, "in")], { out: join(folder, "out") })).toBe(1);
    expect(readdirSync(join(folder, "out")).sort()).toEqual(["one-2.json", "one.json"]);
    const { rules, problems } = loadRules([join(folder, "out")]);
    expect(problems).toEqual([]);
    expect(rules.map(({ name }) => name).sort()).toEqual(["One", "Two"]);
    expect(readFileSync(join(folder, "out/one.json"), "utf8")).toContain("StopLogging");
    expect(importSigma([join(folder, "in/one.yml")], { json: true })).toBe(0);
  });

  test("what is no YAML is told with its line", () => {
    writeFileSync(join(folder, "bad.yml"), "title: [\n");
    expect(importSigma([join(folder, "bad.yml")], {})).toBe(1);
    expect(() => importSigma([join(folder, "none")], {})).toThrow("no Sigma rule");
  });
});
