import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchGrok, readGrok } from "../../host/event/pipeline/grok.ts";

const ARRIVAL_MS = Date.UTC(2026, 2, 1, 12);

function values(pattern: string, text: string, support = ""): unknown {
  const read = readGrok(`rule ${pattern}`, support);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return matchGrok(read.rules, text, ARRIVAL_MS)?.values;
}

describe("matchers", () => {
  test.each<[string, string, unknown]>([
    ["%{integer:a}", "-12", { a: -12 }],
    ["%{integerStr:a}", "007", { a: "007" }],
    ["%{integerExt:a}", "-1e+2", { a: -100 }],
    ["%{integerExt:a}", "1e-2", {}],
    ["%{integerExt:a}", "1.5e2", undefined],
    ["%{number:a}", "-1.25", { a: -1.25 }],
    ["%{number:a}", ".5", { a: 0.5 }],
    ["%{numberStr:a}", "1.50", { a: "1.50" }],
    ["%{numberExt:a}", "-1234e+3", { a: -1234000 }],
    ["%{numberExtStr:a}", "1e3", { a: "1e3" }],
    ["%{boolean:a}", "TRUE", { a: true }],
    ["%{boolean:a}", "maybe", undefined],
    ['%{boolean("yes|y", "no"):a}', "y", { a: true }],
    ['%{boolean("yes", "no"):a}', "no", { a: false }],
    ["%{word:a} %{word:b}", "one two_3", { a: "one", b: "two_3" }],
    ["%{word:a}", "one-two", undefined],
    ["%{notSpace:a} %{data:b}", "x=1 all the rest", { a: "x=1", b: "all the rest" }],
    ["a%{space}b", "a \t b", {}],
    ["%{quotedString:a} %{qs:b}", `"one" 'two'`, { a: '"one"', b: "'two'" }],
    ["%{uuid:a}", "0a1b2c3d-0000-4000-8000-0123456789ab", { a: "0a1b2c3d-0000-4000-8000-0123456789ab" }],
    ["%{mac:a}", "00:1B:44:11:3A:B7", { a: "00:1B:44:11:3A:B7" }],
    ["%{ip:a}", "192.0.2.7", { a: "192.0.2.7" }],
    ["%{ipv4:a}", "192.0.2.256", undefined],
    ["%{ip:a}", "2001:db8::1", { a: "2001:db8::1" }],
    ["%{ip:a}", "::ffff:192.0.2.7", { a: "::ffff:192.0.2.7" }],
    ["%{ip:a}", "fe80::1%eth0", { a: "fe80::1%eth0" }],
    ["%{ipOrHost:a}:%{port:b:integer}", "web-1.example.org:8080", { a: "web-1.example.org", b: 8080 }],
    ["%{user:a}@%{hostname:b}", "j.doe-2@h.example", { a: "j.doe-2", b: "h.example" }],
    ["%{path:a}", "/var/log/auth.log", { a: "/var/log/auth.log" }],
    ["%{path:a}", "C:\\Windows\\notepad.exe", { a: "C:\\Windows\\notepad.exe" }],
    ["%{uri:a}", "https://u:p@example.org:8443/a/b?c=d", { a: "https://u:p@example.org:8443/a/b?c=d" }],
    ["%{uriPath:p}(%{uriParam:q})?", "/a/b?c=d", { p: "/a/b", q: "?c=d" }],
    ['%{regex("[a-z]+"):a.b}_%{regex("\\\\d+"):a.c}', "abc_12", { a: { b: "abc", c: "12" } }],
    ['%{regex("\\d{2,3}"):a}', "123", { a: "123" }],
    ["%{greedyData:a}", "one\ntwo", undefined],
    ["(?s)%{word:a}.%{word:b}", "one\ntwo", { a: "one", b: "two" }],
    ["(?s)%{data:a}!", "one\ntwo!", { a: "one\ntwo" }],
    ["(?i)failed %{word:a}", "FaILED x", { a: "x" }],
    ["((?i)a)b", "Ab", {}],
    ["((?i)a)b", "AB", undefined],
    ["(?i:[b-d]+)[^x]", "BcDX", {}],
    ["(?<name>a)(?>b|c)", "ac", {}],
    ["[[:alpha:]]+\\Q.*\\E\\x41\\h", "ab.*A\t", {}],
    ["\\[%{data:a}\\] 100\\% {x}", "[y] 100% {x}", { a: "y" }],
  ])("%s over %j gives %j", (pattern, text, expected) => expect(values(pattern, text)).toEqual(expected));

  test("a match takes the whole text", () => {
    expect(values("%{integer:a}", "12 ")).toBeUndefined();
    expect(values("a|ab", "ab")).toEqual({});
  });

  test("the first rule that matches reads the text", () => {
    const read = readGrok("# tried in order\nnumbers %{integer:n}\n\nwords %{word:w}\nlate %{data:d}", "");
    expect(read.ok && read.rules.map((rule) => rule.name)).toEqual(["numbers", "words", "late"]);
    expect(read.ok && matchGrok(read.rules, "12")?.values).toEqual({ n: 12 });
    expect(read.ok && matchGrok(read.rules, "x")?.rule.name).toBe("words");
  });
});

describe("dates", () => {
  test.each<[string, string, unknown]>([
    ['%{date("dd/MMM/yyyy:HH:mm:ss Z"):t}', "17/May/2015:10:05:03 +0200", { t: Date.UTC(2015, 4, 17, 8, 5, 3) }],
    [`%{date("yyyy-MM-dd'T'HH:mm:ss.SSSZ"):t}`, "2026-03-01T10:00:00.125Z", { t: Date.UTC(2026, 2, 1, 10, 0, 0, 125) }],
    ['%{date("yyyy-MM-dd HH:mm:ss", "Europe/Paris"):t}', "2026-07-01 12:00:00", { t: Date.UTC(2026, 6, 1, 10) }],
    ['%{date("yyyy-MM-dd HH:mm:ss", "Europe/Paris"):t}', "2026-01-01 12:00:00", { t: Date.UTC(2026, 0, 1, 11) }],
    ['%{date("yyyy-MM-dd HH:mm:ss", "UTC+5"):t}', "2026-01-01 12:00:00", { t: Date.UTC(2026, 0, 1, 7) }],
    ['%{date("yyyyMMddHHmmss"):t}', "20260301100000", { t: Date.UTC(2026, 2, 1, 10) }],
    ['%{date("MMM d HH:mm:ss"):t}', "Feb 28 10:00:00", { t: Date.UTC(2026, 1, 28, 10) }],
    ['%{date("MMM d HH:mm:ss"):t}', "Dec 31 10:00:00", { t: Date.UTC(2025, 11, 31, 10) }],
    ['%{date("EEE MMM dd hh:mm:ss a yyyy"):t}', "Sun Mar 01 12:05:06 AM 2026", { t: Date.UTC(2026, 2, 1, 0, 5, 6) }],
    ['%{date("yy/M/d"):t}', "26/3/1", { t: Date.UTC(2026, 2, 1) }],
    ['%{date("yyyy-MM-dd"):t}', "2026-02-30", {}],
    ['%{notSpace:t:date("yyyy-MM-dd")}', "2026-02-03", { t: Date.UTC(2026, 1, 3) }],
    ['%{notSpace:t:date("yyyy-MM-dd")}', "yesterday", {}],
  ])("%s over %j gives %j", (pattern, text, expected) => expect(values(pattern, text)).toEqual(expected));
});

describe("filters", () => {
  test.each<[string, string, unknown]>([
    ['%{notSpace:a:nullIf("-")}', "-", {}],
    ['%{notSpace:a:nullIf("-")}', "x", { a: "x" }],
    ["%{number:a:scale(1000)}", "0.25", { a: 250 }],
    ["%{data:a:scale(0.5)}", "x", {}],
    ["%{data:a:number}", "1.0", { a: 1 }],
    ["%{data:a:integer}", "1.5", {}],
    ["%{data:a:boolean}", "False", { a: false }],
    ["%{data:a:lowercase} %{data:b:uppercase}", "Äb Cd", { a: "äb", b: "CD" }],
    ["%{data:a:json}", '{"b":[1,{"c":null}]}', { a: { b: [1, { c: null }] } }],
    ["%{data::json}", '{"b":1,"c":"d"}', { b: 1, c: "d" }],
    ["%{data::json}", "[1]", {}],
    ["%{data:a:json}", "{oops", {}],
    ["%{data:q:querystring}", "?a=1&b=x+y%21&a=2&c", { q: { a: ["1", "2"], b: "x y!", c: "" } }],
    ["%{data:a:decodeuricomponent}", "%27a%20b+c%zz%4", { a: "'a b+c%zz%4" }],
    ["%{data:a:decodeuricomponent}", "%ff%C3%A9", { a: "\ufffdé" }],
    ["%{data:a:decodeurl(3):lowercase}", "/A%252520B+C%25252520", { a: "/a b c%20" }],
    ["%{data:a:length}", "déjà 🙂", { a: 6 }],
    ["%{data:a:entropy}", "aaaa", { a: 0 }],
    ["%{data:a:entropy}", "abcdabcd", { a: 2 }],
    ["%{data:a:decodeuricomponent:base64}", "YWxlcnQ%3d%3bREVOWQ%3d%3d", { a: "alert;DENY" }],
    ["%{data:a:base64}", "not base64!", {}],
    ['%{data:a:array("[]", ",")}', '[x, "y z",w]', { a: ["x", "y z", "w"] }],
    ['%{data:a:array("-")}', "[x-y]", { a: ["x", "y"] }],
    ['%{data:a:array("{}", "-", integer)}', "{1-2}", { a: [1, 2] }],
    ['%{data:a:array("", ";", number)}', "1;2.5", { a: [1, 2.5] }],
    ['%{data:a:array("[]", ",", integer)}', "[1,x]", {}],
    ['%{data:a:array("[]", "|", keyvalue(":"))}', "[a:1|b:2]", { a: [{ a: 1 }, { b: 2 }] }],
    ["%{data:a:array}", "x,y", {}],
    ["%{data::keyvalue}", 'user=root uid=0 tty=ssh x= y=null ok=true s="a b" code=007 <i>=1', { user: "root", uid: 0, tty: "ssh", ok: true, s: "a b", code: "007", i: 1 }],
    ['%{data::keyvalue(": ")}', "user: root, uid: 0", { user: "root", uid: 0 }],
    ['%{data::keyvalue("=", "/:?")}', "url=https://x.example/a?b now", { url: "https://x.example/a?b" }],
    ["%{data::keyvalue}", "url=/a b=1", { b: 1 }],
    ['%{data:kv:keyvalue("=", "", "<>", "|")}', "a=<x y>|b=2", { kv: { a: "x y", b: 2 } }],
    ["%{data::keyvalue}", "a=1 a=2", { a: [1, 2] }],
    ["%{integer:n.f} %{notSpace:n.f:uppercase} %{notSpace:n.f:nullIf(\"-\")}", "1 info -", { n: { f: [1, "INFO"] } }],
    ["%{data:a}x", "x", {}],
    ["%{data:__proto__.x} %{data:constructor}", "a b", JSON.parse('{"__proto__":{"x":"a"},"constructor":"b"}')],
  ])("%s over %j gives %j", (pattern, text, expected) => expect(values(pattern, text)).toEqual(expected));
});

describe("support rules", () => {
  test("they use each other and matchers, and may be captured whole", () => {
    expect(values("%{from:where}!", "10.0.0.1:22!", "from %{ip:ip}:%{_port}\n_port %{port:port:integer}")).toEqual({ where: "10.0.0.1:22", ip: "10.0.0.1", port: 22 });
  });

  test("their alternatives stay their own", () => expect(values("%{ab}c", "ac", "ab a|b")).toEqual({}));

  test("groups stand for captures only", () => {
    const read = readGrok("r (a(%{word:x}))(?<y>b)", "");
    expect(read.ok && read.rules[0]).toEqual({ name: "r", regex: "(?:a(?:(\\b\\w+\\b)))(?:b)", captures: [{ group: 1, path: ["x"], filters: [] }] });
  });
});

describe("problems", () => {
  test.each<[string, string, string]>([
    ["r %{nothing:x}", "", "grok/matcher"],
    ["r %{data:x:nothing}", "", "grok/filter"],
    ["r %{data:x:xml}", "", "grok/filter"],
    ["r %{data:x:rubyhash}", "", "grok/filter"],
    ["r %{data:x:scale()}", "", "grok/filter"],
    ["r %{data:x:array(\"[]\", \"\")}", "", "grok/filter"],
    ["r %{data:x:keyvalue(\"\")}", "", "grok/filter"],
    ["r %{regex(1):x}", "", "grok/token"],
    ["r %{regex(\"(a\"):x}", "", "grok/pattern"],
    ["r %{word(1):x}", "", "grok/token"],
    ["r %{date(\"QQQ\"):x}", "", "grok/token"],
    ["r %{date(\"yyyy-MM-dd\", \"Mars/Base\"):x}", "", "grok/token"],
    ["r %{data:x..y}", "", "grok/token"],
    ["r %{data:x", "", "grok/token"],
    ["r (a", "", "grok/pattern"],
    ["r a)", "", "grok/pattern"],
    ["r [a", "", "grok/pattern"],
    ["r a*+", "", "grok/pattern"],
    ["r (?=a)", "", "grok/pattern"],
    ["r (?<!a)", "", "grok/pattern"],
    ["r (a)\\1", "", "grok/pattern"],
    ["r \\p{L}", "", "grok/pattern"],
    ["r a{2000}", "", "grok/pattern"],
    [`r ${"a{900}".repeat(9)}`, "", "grok/too-large"],
    ["r %{a}", "a %{b}\nb %{a}", "grok/recursion"],
    ["r %{a}", "a x\na y", "grok/duplicate-rule"],
    ["r x\nr y", "", "grok/duplicate-rule"],
    ["justaname", "", "grok/not-a-rule"],
    ["", "", "grok/no-rule"],
    ["r %{a0}", Array.from({ length: 20 }, (_, i) => `a${i} %{a${i + 1}}%{a${i + 1}}%{a${i + 1}}`).join("\n") + "\na20 x", "grok/too-large"],
  ])("%j with %j is %s", (match, support, code) => {
    const read = readGrok(match, support);
    const problems = read.ok ? [] : read.problems;
    expect(problems.map((problem) => problem.code)).toContain(code);
    for (const problem of problems) expect(problem).toMatchObject({ line: expect.any(Number), hint: expect.any(String), place: expect.stringMatching(/^grok\./) });
  });

  test("all are told at once, each with its line", () => {
    const read = readGrok("one %{nope:a}\ntwo fine\nthree %{data:b:xml}", "s (?=x)\nt %{t}\n");
    expect(read.ok ? [] : read.problems.map(({ code, line }) => [code, line])).toEqual([["grok/matcher", 1], ["grok/filter", 3]]);
  });
});

describe("hostile text", () => {
  test.each<[string, string]>([
    ["(a+)+b", "a".repeat(100_000)],
    ["(a|a)*b", "a".repeat(100_000)],
    ["%{data:a}%{data:b}%{data:c}x", "y".repeat(1_000_000)],
    ["%{data::keyvalue}", '"'.repeat(1_000_000)],
    ["%{data::keyvalue}", "a=".repeat(500_000)],
    ["%{data::keyvalue}", "<".repeat(500_000) + "=".repeat(500_000)],
    ["%{data:a:array}", `[${",".repeat(500_000)}]`],
    ["%{data:a:json}", "[".repeat(1_000_000)],
    ["%{data:a:decodeurl(9)}", "%25".repeat(300_000)],
  ])("%s reads a million characters in its stride", (pattern, text) => {
    expect(() => values(pattern, text)).not.toThrow();
  });

  test("no rule text breaks the reader, and what is read matches without breaking", () => {
    const piece = fc.oneof(
      fc.constantFrom("%{", "}", "data", "integer", ":", "a.b", ":json", "(", ")", '"', "[", "]", "\\", "^", "*", "?", "{2}", "|", "%{word:x}", "%{data::keyvalue}", "(?i)", "regex(\"a\")", ",", "date(\"yyyy-MM-dd\")"),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), fc.string({ maxLength: 30 }), (pieces, text) => {
      const read = readGrok(`r ${pieces.join("")}`, "");
      if (read.ok) matchGrok(read.rules, text, ARRIVAL_MS);
    }), { numRuns: 3000 });
  });
});
