import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readPipelines } from "../../host/event/pipeline/document.ts";

describe("pipelines of a file", () => {
  test("YAML and JSON, one, a list, or under a name", () => {
    const one = { name: "Web access", is_enabled: true, filter: { query: "source:nginx" }, processors: [{ type: "url-parser", name: "url", is_enabled: true, sources: ["http.url"], target: "http.url_details" }] };
    for (const text of [JSON.stringify(one), JSON.stringify([one]), JSON.stringify({ pipelines: [one] }, null, 2)]) {
      const read = readPipelines(text, "f.json");
      expect(read.problems).toEqual([]);
      expect(read.pipelines).toMatchObject([{ id: "web-access", name: "Web access", enabled: true, processors: [{ kind: "url-parser", sources: [{ kind: "attribute", path: ["http", "url"] }] }] }]);
    }
    expect(readPipelines("", "empty.yaml")).toEqual({ pipelines: [], problems: [] });
  });

  test("everything wrong is told at once, where it stands", () => {
    const read = readPipelines(`name: broken
is_enabled: yes please
filter: { query: "source:(a" }
processors:
  - type: grok-parser
    samples: ["fits 1", "does not"]
    grok:
      support_rules: |
        number %{data:x:xml}
      match_rules: |
        # first
        good %{word:w} %{integer:n}
        bad %{nothing:x}
  - type: grok-parser
    samples: ["fits 1", "does not"]
    grok: { match_rules: 'r %{word:w} %{integer:n}' }
  - type: attribute-remapper
    sources: []
    target: a:b
    target_format: float
    presrve_source: true
  - type: array-processor
  - type: teleporter
  - { type: lookup-processor, source: a, target: b, lookup_table: ["x"] }
  - { type: arithmetic-processor, expression: "1 +", target: c }
  - { type: category-processor, target: d, categories: [{ filter: { query: "@a:[1 TO" }, name: x }] }
  - plain text
`, "broken.yaml");
    expect(read.pipelines).toEqual([]);
    expect(read.problems.map(({ code, line, level }) => [line, code, level ?? "error"])).toEqual([
      [2, "pipeline/member", "error"],
      [3, expect.stringMatching(/^query\//), "error"],
      [13, "grok/matcher", "error"],
      [15, "pipeline/sample", "warning"],
      [18, "pipeline/sources", "error"],
      [19, "pipeline/place", "error"],
      [20, "pipeline/member", "error"],
      [21, "pipeline/unknown-member", "warning"],
      [22, "pipeline/not-offered", "warning"],
      [23, "pipeline/unknown-type", "error"],
      [24, "pipeline/lookup", "error"],
      [25, "pipeline/expression", "error"],
      [26, expect.stringMatching(/^query\//), "error"],
      [27, "pipeline/no-type", "error"],
    ]);
    for (const problem of read.problems) expect(problem).toMatchObject({ file: "broken.yaml", hint: expect.any(String), column: expect.any(Number) });
  });

  test.each<[string, string, string]>([
    ["a: [", "pipeline/not-yaml", "error"],
    ["a: &x [*x]", "pipeline/unknown-member", "warning"],
    ["just text", "pipeline/not-a-pipeline", "error"],
    ["filter: {query: a}", "pipeline/no-name", "error"],
    ["name: n\nfilter: {query: a}", "pipeline/off", "warning"],
    ["- {name: n, is_enabled: true}\n- {name: N, is_enabled: true}", "pipeline/duplicate-id", "error"],
    ["{name: n, is_enabled: true, processors: {}}", "pipeline/processors", "error"],
    ["{name: n, is_enabled: true, processors: [{type: grok-parser}]}", "pipeline/grok", "error"],
    ["{name: n, is_enabled: true, processors: [{type: lookup-processor, source: a, target: b, lookup_enrichment_table: t}]}", "pipeline/not-offered", "warning"],
    ["{name: n, is_enabled: true, processors: [{type: status-remapper, sources: [\"@a\"]}]}", "pipeline/place", "error"],
    [`{name: n, is_enabled: true, processors: ${'[{type: pipeline, processors: '.repeat(12)}[]${"}]".repeat(12)}}`, "pipeline/processors", "error"],
  ])("%j is %s", (text, code, level) => {
    const { problems } = readPipelines(text, "f.yaml");
    expect(problems.map((problem) => [problem.code, problem.level ?? "error"])).toContainEqual([code, level]);
  });

  test("no text and no tree breaks the reader", () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => void readPipelines(text, "f")), { numRuns: 500 });
    const words = fc.constantFrom("name", "type", "filter", "query", "processors", "grok", "match_rules", "sources", "target", "categories", "__proto__", "grok-parser", "attribute-remapper", "category-processor", "pipeline", "r %{word:x}");
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof({ maxDepth: 5 }, words, fc.boolean(), fc.constant(null), fc.integer(), fc.array(tie("tree"), { maxLength: 3 }), fc.array(fc.tuple(words, tie("tree")), { maxLength: 5 }).map((pairs) => Object.fromEntries(pairs))),
    }));
    fc.assert(fc.property(tree, (value) => void readPipelines(JSON.stringify(value), "f")), { numRuns: 1500 });
  });
});
