import { describe, expect, test } from "vitest";
import { loadRuleFiles } from "../../host/cli/load-rules.ts";
import type { Rule } from "../../host/rule/rule.ts";
import { feedsSignals, signalProblems, signalSources } from "../../host/rule/signal-source.ts";
import { readRule } from "../../host/rule/wire.ts";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rule } from "./support.ts";

function logs(id: string, more: Record<string, unknown> = {}): Rule {
  return readRule(rule({ id, queries: [{ name: "a", query: "*", groupByFields: ["@u"] }], cases: [{ status: "low", condition: "a > 0" }], message: "m", ...more }));
}

function reads(id: string, of: readonly string[], more: Record<string, unknown> = {}, by = "@u"): Rule {
  return readRule(rule({ id, type: "signal_correlation", queries: of.map((ruleId, i) => ({ name: `q${i}`, ruleId, correlatedByFields: [by] })), cases: [{ status: "low" }], message: "m", ...more }));
}

function searches(id: string): Rule {
  return logs(id, { queries: [{ name: "a", query: "*", groupByFields: ["@u"], dataSource: "security_signals" }] });
}

describe("rules that read signals", () => {
  test("[DE-57] circles are errors, whatever the order of the rules; rules that are not there are a warning", () => {
    const found = (rules: readonly Rule[]): unknown[] => signalProblems(rules).map(({ rule: { id }, problem }) => [id, problem.code, problem.place, problem.level]);
    expect(found([logs("a"), reads("x", ["a", "y"]), reads("y", ["a"])])).toEqual([]);
    expect(found([reads("x", ["x"])])).toEqual([["x", "rule/signal-cycle", "queries[0].ruleId", undefined]]);
    expect(found([reads("x", ["a", "y"]), reads("y", ["x"]), logs("a")])).toEqual([["y", "rule/signal-cycle", "queries[0].ruleId", undefined]]);
    expect(found([reads("x", ["none", "a"]), logs("a")])).toEqual([["x", "rule/unknown-source", "queries[0].ruleId", "warning"]]);
    // Side by side is no circle.
    expect(found([reads("top", ["left", "right"]), reads("left", ["a"]), reads("right", ["a"]), logs("a")])).toEqual([]);
  });

  test("[DE-57] a search sees what no search had a part in", () => {
    const rules = [searches("s"), searches("t"), logs("a"), reads("x", ["a"]), reads("y", ["s"]), reads("z", ["y"])];
    const sources = signalSources(rules);
    expect([...sources.get(rules[0]!.queries[0]!)!].map(({ id }) => id)).toEqual(["a", "x"]);
    expect([...sources.get(rules[4]!.queries[0]!)!].map(({ id }) => id)).toEqual(["s"]);
    expect([...sources.get(rules[2]!.queries[0]!)!]).toEqual([]);
  });

  test("attributes are gathered only where a reader looks at them, also through others", () => {
    const needs = (...rules: readonly Rule[]): string[] => rules.filter((_, i) => feedsSignals(rules)[i]).map(({ id }) => id);
    expect(needs(logs("a"), reads("x", ["a"]))).toEqual([]);
    expect(needs(logs("a"), reads("x", ["a"], {}, "@ip"))).toEqual(["a"]);
    expect(needs(logs("a"), reads("x", ["a"], { message: "{{@ip}}" }))).toEqual(["a"]);
    expect(needs(logs("a"), reads("x", ["a"]), reads("y", ["x"], { message: "{{@ip}}" }))).toEqual(["a", "x"]);
    expect(needs(logs("a"), searches("s"))).toEqual(["a"]);
    expect(needs(logs("a"), reads("x", ["a"], { isEnabled: false }, "@ip"))).toEqual([]);
  });

  test("[DE-57] a circle across files is told with the file and the line", () => {
    const folder = mkdtempSync(join(tmpdir(), "vespid-rules-"));
    try {
      const files = [["x", "y"], ["y", "x"]].map(([id, of]) => {
        const file = join(folder, `${id}.yaml`);
        writeFileSync(file, `id: ${id}\nname: ${id}\nmessage: m\nisEnabled: true\ntype: signal_correlation\noptions: {}\nqueries:\n  - name: a\n    ruleId: ${of}\ncases:\n  - status: low\n    condition: a > 0\n`);
        return file;
      });
      expect(loadRuleFiles(files).problems).toMatchObject([{ code: "rule/signal-cycle", file: files[1], line: 9, message: "rules would feed each other in a circle: x reads y reads x" }]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
