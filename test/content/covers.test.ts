import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ColumnPlan } from "../../host/engine/columns.ts";
import { Matching } from "../../host/engine/matching/matching.ts";
import { contentFolder } from "../../host/packs.ts";
import { parseQuery } from "../../host/query/parse.ts";
import { readRuleDocument } from "../../host/rule/document.ts";
import { standingQueries } from "../../host/rule/standing.ts";
import type { QueryNode } from "../../host/query/tree.ts";

/** What a rule's file says, in a comment, of a query that has to look at every event. */
const REASON = /^\s*# no cover: \S.{20,}$/m;

/** Is there something of which a batch must hold an instance before the query is run over it? */
function hasCover(query: QueryNode): boolean {
  return new Matching(new ColumnPlan(), [{ id: 0, query }]).compiled[0]!.cover !== undefined;
}

describe("covers of shipped rules", () => {
  const files = globSync("*/rules/**/*.yaml", { cwd: contentFolder() }).sort();

  test.each(files)("%s: each query has one, or the file a reason", (file) => {
    const text = readFileSync(join(contentFolder(), file), "utf8");
    const { rules } = readRuleDocument(text, file, "yaml");
    expect(rules.length).toBeGreaterThan(0);
    const without = standingQueries(rules).filter(({ query }) => !hasCover(query)).map(({ ruleIndex, queryIndex }) => `${rules[ruleIndex]!.id}/${rules[ruleIndex]!.queries[queryIndex]!.label}`);
    if (!REASON.test(text)) expect(without).toEqual([]);
  });

  test.each([
    ["source:cloudtrail -@evt.outcome:failure", true],
    ["(@evt.name:A OR @evt.name:B) @n:>5", true],
    ["@http.url:*passwd*", true],
    ["-source:cloudtrail", false],
    ["@n:>5", false],
    ["@evt.name:A OR @usr.id:*", false],
  ])("%s: %s", (text, covered) => {
    const read = parseQuery(text);
    expect(hasCover((read as { readonly node: QueryNode }).node)).toBe(covered);
  });
});
