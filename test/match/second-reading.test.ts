import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LogEvent } from "../../host/event/event.ts";
import { createMatcher } from "../../host/matcher.ts";
import { parseQuery } from "../../host/query/parse.ts";
import { printQuery } from "../../host/query/print.ts";
import { evaluate } from "../reference/evaluate.ts";
import { type Variant, variants } from "../support/wasm.ts";
import { TestMatcher, treeOf } from "./support.ts";

/** One event with the queries that hold of it and those that do not, or queries that are refused; `section` of search-syntax. */
interface Reading {
  readonly section: string;
  readonly event?: LogEvent;
  readonly holds?: readonly string[];
  readonly fails?: readonly string[];
  readonly refused?: readonly string[];
}

const BATCH = 300;

interface Row {
  readonly section: string;
  readonly query: string;
  readonly event: LogEvent;
  readonly holds: boolean;
}

const readings = readFileSync(join(import.meta.dirname, "second-reading.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as Reading);
const refused = readings.flatMap((reading) => (reading.refused ?? []).map((query) => ({ section: reading.section, query })));

/** A text of every length at which kernels change their stride, everywhere a text can stand. */
function longTexts(length: number): Reading {
  const text = `${"abcdefghij".repeat(100).slice(0, length - 1)}Z`;
  const short = text.slice(0, -1);
  return {
    section: "7.1",
    event: { message: `${text} tail`, host: text, tags: [`k:${text}`, text], attributes: { a: text, l: ["q", text] } },
    holds: [`@a:${text}`, `@a:${short}?`, `@a:*${text.slice(1)}`, `@l:${text}`, `k:${text}`, `tags:${text}`, text.toLowerCase(), `${short}*`, `"${text} TAIL"`, `*:${text}`, `@l:*${text.slice(-4)}`, `*${text.slice(-3)}`],
    fails: [`@a:${text}x`, `@a:${short}`, `@a:${text.slice(1)}`, `host:${short}z`, short, `@a:${text}?`, `"${text} tai"`, `-k:${text}`],
  };
}

const rows: readonly Row[] = [...readings, ...[7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 1000].map(longTexts)].flatMap(({ section, event, holds = [], fails = [] }) =>
  event ? [...holds.map((query) => ({ section, query, event, holds: true })), ...fails.map((query) => ({ section, query, event, holds: false }))] : []);
const queries = [...new Set(rows.map((row) => row.query))];
const numbers = new Map(queries.map((query, i) => [query, i]));

/** Rows whose answer is another than the one worked out by hand. */
function wrong(answer: (row: Row, at: number) => boolean): string[] {
  return rows.flatMap((row, at) => (answer(row, at) === row.holds ? [] : [`${row.section}: ${row.query} on ${JSON.stringify(row.event).slice(0, 200)}: not ${row.holds}`]));
}

const unlike: ReadonlyArray<readonly [name: string, encode: (event: LogEvent) => string]> = [
  ["as written", (event) => JSON.stringify(event)],
  ["spaced", (event) => JSON.stringify(event, null, 1).replaceAll("\n", "\t ")],
  ["escaped", (event) => JSON.stringify(event).replaceAll(/[^\u0020-\u007e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).replaceAll("/", "\\/")],
];

/** The numbers of the queries each line matches, all queries running, all lines in one go. */
async function matchLines(variant: Variant, lines: readonly string[]): Promise<Array<ReadonlySet<number>>> {
  const matcher = await createMatcher({ queries: queries.map(treeOf), variant });
  const hits = lines.map(() => new Set<number>());
  for (const hit of await matcher.match(new TextEncoder().encode(`${lines.join("\n")}\n`), { format: "log", arrivalMs: 0 })) {
    hits[hit.index] = new Set(hit.queries);
  }
  await matcher.close();
  return hits;
}

describe("[SE-01] the search language read a second time", () => {
  test("there are 1,900 answers and 300 refusals", () => {
    expect(rows.length).toBeGreaterThan(1900);
    expect(refused.length).toBeGreaterThan(300);
  });

  test("the reference gives each answer worked out by hand", () => {
    expect(wrong(({ query, event }) => evaluate(treeOf(query), event))).toEqual([]);
  });

  test("a query that was printed gives them again", () => {
    expect(wrong(({ query, event }) => evaluate(treeOf(printQuery(treeOf(query))), event))).toEqual([]);
  });

  test("what has no meaning is refused, at a place inside it", () => {
    for (const { section, query } of refused) {
      const parsed = parseQuery(query);
      expect(parsed.ok, `${section}: ${query}`).toBe(false);
      if (parsed.ok) continue;
      const { at, code, hint } = parsed.problems[0]!;
      expect(code).toMatch(/^query\//);
      expect(hint).toBeTruthy();
      expect(at!.start, query).toBeGreaterThanOrEqual(0);
      expect(at!.end, query).toBeLessThanOrEqual(query.length);
      expect(at!.start, query).toBeLessThan(at!.end);
    }
  });

  describe.each(variants)("%s", (variant) => {
    test("columns give each answer, all queries on all events", () => {
      const matcher = new TestMatcher(variant, queries);
      const sets: Array<ReadonlySet<number>> = [];
      for (let first = 0; first < rows.length; first += BATCH) {
        for (const list of matcher.match(rows.slice(first, first + BATCH).map((row) => row.event))) sets.push(new Set(list));
      }
      expect(wrong(({ query }, at) => sets[at]!.has(numbers.get(query)!))).toEqual([]);
    });

    test.each(unlike)("records %s give each answer", async (_name, encode) => {
      const hits = await matchLines(variant, rows.map((row) => encode(row.event)));
      expect(wrong(({ query }, at) => hits[at]!.has(numbers.get(query)!))).toEqual([]);
    });
  });
});
