import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readPipelines } from "../../host/event/pipeline/document.ts";
import type { Pipeline } from "../../host/event/pipeline/pipeline.ts";
import { runPipelines } from "../../host/event/pipeline/run.ts";
import type { Json, LogEvent } from "../../host/event/event.ts";

const ARRIVAL_MS = Date.UTC(2026, 2, 1, 12);

function pipelines(...processors: unknown[]): readonly Pipeline[] {
  const read = readPipelines(JSON.stringify({ name: "p", is_enabled: true, filter: { query: "" }, processors }), "p.json");
  if (read.problems.length) throw new Error(JSON.stringify(read.problems));
  return read.pipelines;
}

function run(event: LogEvent, ...processors: unknown[]): LogEvent {
  return runPipelines(event, pipelines(...processors), ARRIVAL_MS);
}

const remap = (members: object): object => ({ type: "attribute-remapper", ...members });

describe("attribute-remapper", () => {
  test.each<[string, object, LogEvent, LogEvent]>([
    ["moves", { sources: ["a.b"], target: "c.d" }, { attributes: { a: { b: 1 } } }, { attributes: { c: { d: 1 } } }],
    ["copies", { sources: ["a.b"], target: "c", preserve_source: true }, { attributes: { a: { b: 1 } } }, { attributes: { a: { b: 1 }, c: 1 } }],
    ["takes the first source that has a value", { sources: ["x", "a", "b"], target: "c", preserve_source: true }, { attributes: { x: null, a: 1, b: 2 } }, { attributes: { x: null, a: 1, b: 2, c: 1 } }],
    ["reads keys with dots", { sources: ["a.b"], target: "c" }, { attributes: { "a.b": 1, z: 0 } }, { attributes: { z: 0, c: 1 } }],
    ["leaves a target that is there", { sources: ["a"], target: "c" }, { attributes: { a: 1, c: 2 } }, { attributes: { a: 1, c: 2 } }],
    ["overrides when told to", { sources: ["a"], target: "c", override_on_conflict: true }, { attributes: { a: 1, c: 2 } }, { attributes: { c: 1 } }],
    ["casts to a text", { sources: ["a"], target: "c", target_format: "string" }, { attributes: { a: 1.5 } }, { attributes: { c: "1.5" } }],
    ["casts to an integer", { sources: ["a"], target: "c", target_format: "integer" }, { attributes: { a: "42" } }, { attributes: { c: 42 } }],
    ["casts to a double", { sources: ["a"], target: "c", target_format: "double" }, { attributes: { a: "4.25" } }, { attributes: { c: 4.25 } }],
    ["keeps what cannot be cast", { sources: ["a"], target: "c", target_format: "integer" }, { attributes: { a: "x" } }, { attributes: { c: "x" } }],
    ["moves objects whole", { sources: ["a"], target: "c.d" }, { attributes: { a: { b: [1] } } }, { attributes: { c: { d: { b: [1] } } } }],
    ["goes below itself", { sources: ["a"], target: "a.b" }, { attributes: { a: 1 } }, { attributes: { a: { b: 1 } } }],
    ["makes a tag", { sources: ["a"], target: "Env", target_type: "tag", preserve_source: true }, { tags: ["x"], attributes: { a: "Prod 1" } }, { tags: ["x", "env:prod_1"], attributes: { a: "Prod 1" } }],
    ["reads a tag", { sources: ["env"], source_type: "tag", target: "e", preserve_source: true }, { tags: ["env:prod"] }, { tags: ["env:prod"], attributes: { e: "prod" } }],
    ["moves a tag", { sources: ["env"], source_type: "tag", target: "e" }, { tags: ["env:prod", "a:b"] }, { tags: ["a:b"], attributes: { e: "prod" } }],
    ["sets a reserved attribute", { sources: ["a"], target: "host", preserve_source: true }, { attributes: { a: "h" } }, { host: "h", attributes: { a: "h" } }],
    ["does nothing without a source", { sources: ["x"], target: "c" }, { attributes: {} }, { attributes: {} }],
    ["takes __proto__ for a name", { sources: ["a"], target: "__proto__.polluted" }, { attributes: { a: 1 } }, { attributes: JSON.parse('{"__proto__":{"polluted":1}}') as { [name: string]: Json } }],
  ])("%s", (_, members, event, expected) => {
    const before = structuredClone(event);
    expect(run(event, remap(members))).toEqual(expected);
    expect(event).toEqual(before);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe("processors", () => {
  test.each<[string, object[], LogEvent, LogEvent]>([
    ["a status is normalised, and the first that finds one counts", [{ type: "status-remapper", sources: ["nope", "lvl"] }, { type: "status-remapper", sources: ["other"] }], { status: "info", attributes: { lvl: "Warning", other: "error" } }, { status: "warn", attributes: { lvl: "Warning", other: "error" } }],
    ["the first service counts", [{ type: "service-remapper", sources: ["s"] }, { type: "service-remapper", sources: ["t"] }], { attributes: { s: "one", t: "two" } }, { service: "one", attributes: { s: "one", t: "two" } }],
    ["the message comes of msg", [{ type: "message-remapper" }], { message: "{}", attributes: { msg: "hello" } }, { message: "hello", attributes: { msg: "hello" } }],
    ["trace and span", [{ type: "trace-id-remapper" }, { type: "span-id-remapper" }], { attributes: { dd: { trace_id: "7", span_id: 8 } } }, { trace_id: "7", attributes: { dd: { trace_id: "7", span_id: 8 }, span_id: 8 } }],
    ["the last date counts", [{ type: "date-remapper", sources: ["a"] }, { type: "date-remapper", sources: ["b"] }, { type: "date-remapper", sources: ["c"] }], { timestamp: 1, attributes: { a: "2026-03-01T10:00:00Z", b: "Mar  1 10:00:05", c: "soon" } }, { timestamp: Date.UTC(2026, 2, 1, 10, 0, 5), attributes: { a: "2026-03-01T10:00:00Z", b: "Mar  1 10:00:05", c: "soon" } }],
    ["the first category that matches", [{ type: "category-processor", target: "k", categories: [{ filter: { query: "@n:>5" }, name: "big" }, { filter: { query: "@n:*" }, name: "small" }] }], { attributes: { n: 3 } }, { attributes: { n: 3, k: "small" } }],
    ["no category", [{ type: "category-processor", target: "k", categories: [{ filter: { query: "@n:>5" }, name: "big" }] }], { attributes: { n: 3 } }, { attributes: { n: 3 } }],
    ["a lookup", [{ type: "lookup-processor", source: "n", target: "t", lookup_table: ["1,one", "2,two, or a pair"] }], { attributes: { n: 2 } }, { attributes: { n: 2, t: "two, or a pair" } }],
    ["a lookup of something else", [{ type: "lookup-processor", source: "n", target: "t", lookup_table: ["1,one"], default_lookup: "many" }], { attributes: { n: 9 } }, { attributes: { n: 9, t: "many" } }],
    ["a lookup of nothing", [{ type: "lookup-processor", source: "n", target: "t", lookup_table: ["1,one"], default_lookup: "many" }], { attributes: {} }, { attributes: {} }],
    ["a built text", [{ type: "string-builder-processor", target: "t", template: "%{service}/%{a.b} %{list}" }], { service: "s", attributes: { a: { b: 1 }, list: ["x", 2] } }, { service: "s", attributes: { a: { b: 1 }, list: ["x", 2], t: "s/1 x,2" } }],
    ["a built text that lacks a part", [{ type: "string-builder-processor", target: "t", template: "%{a}!" }], { attributes: {} }, { attributes: {} }],
    ["a built text with the part left empty", [{ type: "string-builder-processor", target: "t", template: "%{a}!", is_replace_missing: true }], { attributes: {} }, { attributes: { t: "!" } }],
    ["arithmetic", [{ type: "arithmetic-processor", target: "r", expression: "(a.x + 2) * 3 - b / 4" }], { attributes: { a: { x: 1 }, b: "2" } }, { attributes: { a: { x: 1 }, b: "2", r: 8.5 } }],
    ["names with dashes", [{ type: "arithmetic-processor", target: "r", expression: "a-b - 0.1" }], { attributes: { "a-b": 0.3 } }, { attributes: { "a-b": 0.3, r: 0.2 } }],
    ["a missing operand", [{ type: "arithmetic-processor", target: "r", expression: "a + 1" }], { attributes: { r: 7 } }, { attributes: { r: 7 } }],
    ["a missing operand as 0", [{ type: "arithmetic-processor", target: "r", expression: "a + 1", is_replace_missing: true }], { attributes: { r: 7 } }, { attributes: { r: 1 } }],
    ["division by nothing", [{ type: "arithmetic-processor", target: "r", expression: "1 / a" }], { attributes: { a: 0 } }, { attributes: { a: 0 } }],
    ["a URL", [{ type: "url-parser" }], { attributes: { http: { url: "https://u@x.example:8443/a/b?c=d&c=e#f", url_details: { queryString_raw: "c=d" } } } }, { attributes: { http: { url: "https://u@x.example:8443/a/b?c=d&c=e#f", url_details: { queryString_raw: "c=d", scheme: "https", host: "x.example", port: 8443, path: "/a/b", queryString: { c: ["d", "e"] }, hash: "f" } } } }],
    ["a path", [{ type: "url-parser", sources: ["u"], target: "d" }], { attributes: { u: "/a?b" } }, { attributes: { u: "/a?b", d: { path: "/a", queryString: { b: "" } } } }],
    ["grok joins what is there", [{ type: "grok-parser", grok: { match_rules: "r %{word:a.b} %{integer:n}" } }], { message: "x 1", attributes: { a: { c: 2 }, n: "old" } }, { message: "x 1", attributes: { a: { c: 2, b: "x" }, n: 1 } }],
    ["grok that does not match", [{ type: "grok-parser", grok: { match_rules: "r %{integer:n}" } }], { message: "x" }, { message: "x" }],
    ["a processor that is off", [{ type: "grok-parser", is_enabled: false, grok: { match_rules: "r %{word:w}" } }], { message: "x" }, { message: "x" }],
    ["nested pipelines ask on what was done before", [{ type: "grok-parser", grok: { match_rules: "r %{word:w}" } }, { type: "pipeline", name: "n", filter: { query: "@w:x" }, processors: [{ type: "lookup-processor", source: "w", target: "v", lookup_table: ["x,y"] }] }, { type: "pipeline", name: "m", filter: { query: "@w:other" }, processors: [{ type: "lookup-processor", source: "w", target: "w", lookup_table: ["x,z"] }] }], { message: "x", attributes: {} }, { message: "x", attributes: { w: "x", v: "y" } }],
  ])("%s", (_, processors, event, expected) => {
    const before = structuredClone(event);
    expect(run(event, ...processors)).toEqual(expected);
    expect(event).toEqual(before);
  });

  test("every pipeline whose filter matches is passed, and those that are off are not", () => {
    const { pipelines: read } = readPipelines(`
- { name: one, is_enabled: true, filter: { query: "source:a" }, processors: [{ type: attribute-remapper, sources: [x], target: y }] }
- { name: two, is_enabled: true, filter: { query: "@y:1" }, processors: [{ type: attribute-remapper, sources: [y], target: z }] }
- { name: three, is_enabled: false, filter: { query: "" }, processors: [{ type: attribute-remapper, sources: [z], target: w }] }
- { name: four, is_enabled: true, filter: { query: "source:b" }, processors: [{ type: attribute-remapper, sources: [z], target: w }] }
`, "p.yaml");
    expect(runPipelines({ source: "a", attributes: { x: 1 } }, read)).toEqual({ source: "a", attributes: { z: 1 } });
  });

  test("the event itself tells the year when no arrival is given", () => {
    const steps = pipelines({ type: "grok-parser", grok: { match_rules: 'r %{date("MMM d HH:mm:ss"):t}' } }, { type: "date-remapper", sources: ["t"] });
    expect(runPipelines({ message: "Feb 2 10:00:00", timestamp: ARRIVAL_MS }, steps).timestamp).toBe(Date.UTC(2026, 1, 2, 10));
    expect(runPipelines({ message: "Feb 2 10:00:00" }, steps)).toEqual({ message: "Feb 2 10:00:00" , attributes: {} });
  });
});

describe("hostile events", () => {
  const every = pipelines(
    { type: "grok-parser", grok: { match_rules: "r %{data::keyvalue}" } },
    { type: "grok-parser", source: "a.b", grok: { match_rules: "r %{data:c:json}" } },
    { type: "date-remapper", sources: ["timestamp", "a"] },
    { type: "status-remapper", sources: ["a", "a.b"] },
    { type: "service-remapper", sources: ["a", "b"] },
    { type: "message-remapper", sources: ["b"] },
    remap({ sources: ["a", "__proto__"], target: "constructor.prototype.x" }),
    remap({ sources: ["b"], target: "t", target_type: "tag" }),
    remap({ sources: ["t"], source_type: "tag", target: "toString.x", target_format: "double" }),
    { type: "category-processor", target: "c", categories: [{ filter: { query: "@a.b:x OR *:b" }, name: "y" }] },
    { type: "lookup-processor", source: "a", target: "c.d", lookup_table: ["a,b"], default_lookup: "z" },
    { type: "string-builder-processor", template: "%{a} %{b} %{__proto__}", target: "a.b.c", is_replace_missing: true },
    { type: "arithmetic-processor", expression: "a + b * c", target: "b", is_replace_missing: true },
    { type: "url-parser", sources: ["a", "b"] },
  );

  test("no event breaks a run, and the event given stays as it is", () => {
    const key = fc.constantFrom("a", "b", "c", "t", "a.b", "__proto__", "constructor", "toString", "");
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof({ maxDepth: 4 }, fc.string({ maxLength: 6 }), fc.double(), fc.boolean(), fc.constant(null), fc.constantFrom("a=1 b=2", "http://x/y?z", '{"a":1}', "%%%"), fc.array(tie("tree"), { maxLength: 3 }), fc.array(fc.tuple(key, tie("tree")), { maxLength: 4 }).map((pairs) => Object.fromEntries(pairs))),
    }));
    fc.assert(fc.property(fc.record({ message: fc.oneof(fc.string(), fc.constantFrom("a=1 b=2 __proto__=3")), attributes: fc.array(fc.tuple(key, tree), { maxLength: 5 }).map((pairs) => JSON.parse(JSON.stringify(Object.fromEntries(pairs))) as { [name: string]: Json }), tags: fc.array(fc.string({ maxLength: 8 })), timestamp: fc.oneof(fc.integer(), fc.string()) }, { requiredKeys: [] }), (event) => {
      const before = JSON.stringify(event);
      const after = runPipelines(event, every);
      expect(JSON.stringify(event)).toBe(before);
      expect(typeof JSON.stringify(after)).toBe("string");
    }), { numRuns: 2000 });
  });

  test("deep and long ones pass through", () => {
    const deep = JSON.parse(`${'{"a":'.repeat(3000)}1${"}".repeat(3000)}`) as { [name: string]: Json };
    const nested = JSON.parse(`${"[".repeat(20_000)}1${"]".repeat(20_000)}`) as Json;
    runPipelines({ attributes: deep }, every);
    runPipelines({ attributes: { a: nested, b: nested } }, every);
    const long = runPipelines({ message: "a=1 ".repeat(250_000), attributes: { b: "x".repeat(1_000_000) } }, every);
    expect(Array.isArray(long.attributes?.a) || long.attributes !== undefined).toBe(true);
  });
});
