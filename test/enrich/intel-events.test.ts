import { beforeAll, describe, expect, test } from "vitest";
import { Random } from "../../bench/random.ts";
import { readPipelines } from "../../host/event/pipeline/document.ts";
import type { InputProfile } from "../../host/index.ts";
import { loadKernel, variants } from "../support/wasm.ts";
import { bothWays, enrichedBy } from "./support.ts";

const arrivalMs = Date.parse("2026-03-01T00:00:00Z");
const feeds = {
  tor: "ip_address,category,intention,subcategory\n203.0.113.7,tor,suspicious,tor\n2001:db8::bad,tor,suspicious,tor\n198.51.100.0/24,hosting_proxy,unknown,proxy\n",
  malware: 'domain,additional_data,category,intention,source\nevil.example,"{""score"": 9, ""by"": ""192.0.2.200""}",malware,malicious,"{""name"": ""Lab"", ""url"": ""https://lab.example""}"\n',
  urls: "https://dropper.example/a.exe",
  hashes: "sha256,category\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855,malware\n",
  old: "ip_address,category,valid_until\n203.0.113.99,scanner,2026-02-01T00:00:00Z\n",
};

beforeAll(() => void loadKernel("simd"));

describe.each(variants)("events with indicators, %s", (variant) => {
  const matched = async (query: string, lines: readonly unknown[], input: InputProfile = { format: "intake" }): Promise<number[]> => {
    const texts = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
    const { kernel, reference } = await bothWays([query], texts, { ...input, arrivalMs }, enrichedBy(feeds), variant);
    expect(kernel).toEqual(reference);
    return kernel[0]!;
  };

  test("[TI-01] [TI-02] [SE-04] an indicator is found wherever it stands", async () => {
    const lines = [
      { message: "from 203.0.113.7:4022 port" }, { message: "x", ddtags: "peer:203.0.113.7,env:prod" }, { a: [{ b: ["z", "203.0.113.7"] }] }, { host: "198.51.100.9" }, { error: { message: "(198.51.100.1)" } },
      { message: JSON.stringify({ inner: { ip: "203.0.113.7" } }) }, { message: "v6 2001:DB8:0::BAD." }, { dns: { question: { name: "www.Evil.example." } } }, { dns: { answer: { name: ["ok.example", "evil.example"] } } },
      { http: { url: "https://evil.example:8443/x" } }, { http: { url_details: { host: "a.evil.example" } } }, { hostname: "evil.example" }, { http: { url: "http://DROPPER.example/a.exe#x" } },
      { file: { sha256: "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855" } }, { process: { hashes: { sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" } } },
      { network: { client: { ip: "::ffff:203.0.113.7" } } },
    ];
    expect(await matched("@threat_intel.indicators_matched:*", lines)).toEqual(lines.map((_, i) => i));
  });

  test("what only looks like an indicator is none", async () => {
    const lines = [
      { message: "1203.0.113.7" }, { message: "203.0.113.70" }, { message: "203.0.113.7.1" }, { message: "v203.0.113.7" }, { message: "203.0.113.7_x" }, { "203.0.113.7": 1 }, { message: "é203.0.113.7" },
      { message: "notevil.example" }, { note: "evil.example" }, { dns: { question: { name: "notevil.example" } } }, { dns: { question: { name: "example" } } }, { message: "203.0.113.99" }, { a: 203.0 },
      { message: "2001:db8::bad:1" }, { file: { sha256: "e3b0" } }, { note: "https://dropper.example/a.exe" }, { threat_intel: { note: "mine" }, message: "203.0.113.7" }, { message: "192.0.2.200" },
    ];
    expect(await matched("@threat_intel.results.indicator:*", lines)).toEqual([]);
  });

  test("[TI-03] [TI-04] [TI-05] [TI-07] [SE-06] [SE-07] categories, intentions, subcategories and sources are asked for", async () => {
    const lines = [{ message: "203.0.113.7" }, { message: "198.51.100.1" }, { dns: { question: { name: "evil.example" } } }, { message: "203.0.113.7 198.51.100.2", dns: { question: { name: "x.evil.example" } } }, { message: "nothing" }];
    const asked: ReadonlyArray<readonly [string, number[]]> = [
      ["@threat_intel.indicators_matched:*", [0, 1, 2, 3]], ["@threat_intel:*", [0, 1, 2, 3]], ["-@threat_intel.results.category:*", [4]], ["@threat_intel.indicators_matched:IP", [0, 1, 3]], ["@threat_intel.indicators_matched:DOMAIN", [2, 3]],
      ["@threat_intel.results.category:tor", [0, 3]], ["@threat_intel.results.category:(hosting_proxy OR scanner)", [1, 3]], ["@threat_intel.results.category:malware", [2, 3]],
      ["@threat_intel.results.intention:malicious", [2, 3]], ["@threat_intel.results.intention:unknown", [1, 3]], ["@threat_intel.results.intention:suspicious", [0, 3]],
      ["@threat_intel.results.subcategory:proxy", [1, 3]], ["@threat_intel.results.subcategory:t?r", [0, 3]], ["@threat_intel.results.subcategory:vpn", []],
      ["@threat_intel.results.source.name:Lab", [2, 3]], ["@threat_intel.results.source.url:*tor.example*", [0, 1, 3]], ["@threat_intel.results.additional_data.score:>8", [2, 3]],
      ["@threat_intel.results.indicator:evil.example", [2, 3]], ["@threat_intel.results.indicator:198.51.100.*", [1, 3]], ["@threat_intel.results.type:IP -@threat_intel.results.type:DOMAIN", [0, 1]],
      ["*:malware", []], ["@network.ip.list:192.0.2.200", []], ["CIDR(@threat_intel.results.indicator, 198.51.0.0/16)", [1, 3]],
    ];
    for (const [query, expected] of asked) expect([query, await matched(query, lines)]).toEqual([query, expected]);
  });

  test("events that passed no pipeline, lines of text and syslog, and a sender that is listed itself", async () => {
    expect(await matched("@threat_intel.results.category:tor", [{ attributes: { a: "203.0.113.7" } }, { message: "203.0.113.7" }, { tags: ["ip:203.0.113.7"] }, { attributes: { threat_intel: { results: [{ category: "tor" }] } } }, {}], { format: "log" })).toEqual([0, 1, 2, 3]);
    expect(await matched("@threat_intel.results.category:tor", ["a 203.0.113.7 b", "x203.0.113.7", "\\u203.0.113.7", "203.0.113.7"], { format: "text" })).toEqual([0, 3]);
    expect(await matched("@threat_intel.results.category:tor", ["<34>Oct 11 22:14:15 203.0.113.7 su: 'su root' failed", "<34>Oct 11 22:14:15 web1 sshd[4]: from 203.0.113.7 port 22", "<34>Oct 11 22:14:15 web1 su: no"], { format: "syslog" })).toEqual([0, 1]);
    expect(await matched("@threat_intel.results.category:tor", [{ a: 1 }, { a: 2, host: "web" }], { format: "raw", host: "203.0.113.7" })).toEqual([0]);
    expect(await matched("@threat_intel.results.category:tor", [{ a: 1 }], { format: "raw", tags: ["ip:203.0.113.7"] })).toEqual([0]);
  });

  test("an indicator that pipelines cut out is found, and one that was valid at the event's time", async () => {
    const pipelines = readPipelines(JSON.stringify({ name: "p", is_enabled: true, filter: { query: "source:x" }, processors: [
      { type: "grok-parser", source: "message", grok: { match_rules: "r q=%{notSpace:dns.question.name} c=_%{ip:network.client.ip}_ %{data:rest}" } },
    ] }), "p.json").pipelines;
    expect(pipelines).toHaveLength(1);
    const lines = ["q=a.evil.example c=_192.0.2.1_ x", "q=ok.example c=_203.0.113.7_ x", "q=ok.example c=_192.0.2.1_ x", "q=ok.example c=_203.0.113.99_ x"];
    const { kernel, reference } = await bothWays(["@threat_intel:*", "@threat_intel.results.type:DOMAIN"], lines, { format: "text", source: "x", arrivalMs }, enrichedBy(feeds, pipelines), variant);
    expect(kernel).toEqual([[0, 1], [0]]);
    expect(reference).toEqual(kernel);
    expect(await matched("@threat_intel.results.category:scanner", [{ timestamp: "2026-01-31T23:59:59Z", message: "203.0.113.99" }, { timestamp: "2026-02-01T00:00:00Z", message: "203.0.113.99" }])).toEqual([0]);
  });

  // Where no IPv6 address is listed, only those are looked for that stand for an IPv4 address.
  test.each([["", feeds], [", no IPv6 address listed", { ...feeds, tor: feeds.tor.replace(/2001:db8::bad.*\n/, "") }]])("generated events of every format agree with the object evaluator%s", async (_, listed) => {
    const numbers = new Random(variant === "simd" ? 11 : 12);
    const pick = <Item>(list: readonly Item[]): Item => list[numbers.below(list.length)]!;
    const pieces = [
      "203.0.113.7", "198.51.100.200", "2001:db8::bad", "::ffff:198.51.100.1", "192.0.2.1", "evil.example", "12:30:45", "1.2.3.4.5", " ", ",", ":", ".", "x", "_", "é", "\\", '"', "\n", "\b", "\f", "\u0001", "{", "}",
      "a:b", "::", "[", "]", "=", "port", "203.0.113.", "7", "0", "f", "\u2028", "%3a", "http://", "/", "2001:db8:", ":bad",
      "::ffff:c633:6401", "0:0:0:0:0:FFFF:cb00:7107", ":ffff:", "ff", "cb00:7107", "198.51.100.7 v1.2.3.4 10.0.0.255, 203.0.113.7", "a.b.c.d", "..", "x".repeat(61),
    ];
    const text = (): string => Array.from({ length: 1 + numbers.below(6) }, () => pick(pieces)).join("");
    /** Strings with some characters spelled by their numbers. */
    const escaped = (value: string): string => `"${[...value].map((c) => (numbers.below(40) === 0 ? [...Array(c.length).keys()].map((i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, "0")}`).join("") : JSON.stringify(c).slice(1, -1))).join("")}"`;
    const record = (format: string): string => {
      const members = [`"a":${escaped(text())}`, `"b":[{"c":${escaped(text())}},${escaped(text())}]`, `${escaped(`k${text()}`)}:${numbers.below(9)}.5`];
      if (format !== "log" || numbers.below(2)) members.push(`"message":${numbers.below(4) === 0 ? JSON.stringify(`{"m":${escaped(text())},${escaped(`n${text()}`)}:1}`) : escaped(text())}`);
      if (numbers.below(3) === 0) members.push(`"dns" : {"question":{"name":${escaped(numbers.below(2) ? text() : pick(["evil.example", "x.Evil.example.", "notevil.example"]))}}}`);
      if (numbers.below(4) === 0) members.push(format === "log" ? `"host":${escaped(text())}` : `"ddtags" : ${escaped(`ip:${text()},env:x`)}`);
      if (numbers.below(4) === 0) members.push(`"network":{"client":{"ip":${escaped(pick(["203.0.113.7", "2001:DB8::BAD", "192.0.2.1"]))}}}`);
      return format === "log" ? `{"attributes":{${members.join(",")}},"message":${escaped(text())}}` : `{${members.join(", ")}}`;
    };
    const queries = ["@threat_intel:*", "@threat_intel.results.category:tor", "@threat_intel.results.indicator:198.51.100.1", "@threat_intel.results.type:DOMAIN", "@threat_intel.results.category:hosting_proxy -@threat_intel.results.category:tor"];
    for (const format of ["intake", "raw", "log", "text", "syslog"] as const) {
      const lines = Array.from({ length: 1500 }, () => (format === "text" || format === "syslog" ? `${format === "syslog" && numbers.below(2) ? "<34>Oct 11 22:14:15 h su: " : "z"}${text().replace(/[\n\u0001]/g, " ")}` : record(format)));
      const { kernel, reference } = await bothWays(queries, lines, { format, arrivalMs }, enrichedBy(listed), variant);
      queries.forEach((query, q) => {
        const odd = [...new Set([...kernel[q]!, ...reference[q]!])].filter((i) => kernel[q]!.includes(i) !== reference[q]!.includes(i));
        expect([format, query, odd.map((i) => [kernel[q]!.includes(i), lines[i]])]).toEqual([format, query, []]);
        expect(kernel[q]!.length, `${format} ${query}`).toBeGreaterThan(format === "text" || format === "syslog" ? -1 : 5);
      });
    }
  }, 60_000);
});
