import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Bench, like, made } from "./support.ts";

const COUNT = 1600;
const signals = made(COUNT + 300);

let bench: Bench;
beforeAll(() => {
  bench = new Bench(signals.slice(0, COUNT));
});
afterAll(() => bench.close());

/** The whole list, page after page by cursors. */
async function inOrder(query: string, sort: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await bench.search.search({ query, sort, limit: 400, ...(cursor ? { cursor } : {}) });
    ids.push(...page.ids);
    cursor = page.after;
  } while (cursor);
  return ids;
}

async function compared(query: string, sort: string): Promise<void> {
  const all = await inOrder(query, sort);
  expect(new Set(all).size).toBe(all.length);
  for (const skip of [0, 499, 500, 501, 777, 1200, all.length - 3, all.length, all.length + 50]) {
    const { ids, count, after } = await bench.search.search({ query, sort, skip, limit: 25 });
    expect(ids, `${sort} from ${skip} on`).toEqual(all.slice(skip, skip + 25));
    expect(count).toBe(all.length);
    expect(after !== undefined).toBe(skip + 25 < all.length);
    if (after) expect((await bench.search.search({ query, sort, limit: 10, cursor: after })).ids).toEqual(all.slice(skip + 25, skip + 35));
  }
}

describe("far down a list", () => {
  const sorts = ["-timestamp", "timestamp", "-severity", "@workflow.rule.name", "-@workflow.triage.assignee.handle"];
  test.each(sorts)("the same signals are at the same places, by %s", (sort) => compared("", sort));
  test("of those that a query finds", () => compared("-severity:info", "-severity"));

  test.each([1, 2])("and after signals came, changed and went, time %i", async (time) => {
    bench.write(...signals.slice(COUNT + (time - 1) * 150, COUNT + time * 150));
    bench.write(...signals.slice(time * 40, time * 40 + 20).map((each) => like(each, { document: { severity: each.document.severity === "critical" ? "low" : "critical", rule_name: `changed ${time}` } })));
    await bench.remove(...signals.slice(900 + time * 10, 905 + time * 10).map(({ document }) => document.id));
    for (const sort of sorts) await compared("", sort);
  });
});
