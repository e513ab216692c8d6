import { beforeAll, describe, expect, test } from "vitest";
import { PageKernel } from "../../host/engine/browser/page-kernel.ts";
import { recordsOf } from "../../host/engine/browser/records.ts";
import { compileKernel } from "../../host/engine/kernel-file.ts";
import { createMatcher } from "../../host/matcher.ts";
import { queryOf } from "../support/query.ts";
import { searchVectors as vectors } from "../support/vectors.ts";
import { loadKernel, variants } from "../support/wasm.ts";

const arrivalMs = Date.parse("2026-03-01T12:00:00Z");
const pageKernel = async (): Promise<PageKernel> => new PageKernel(await compileKernel("simd"), "simd");

beforeAll(() => variants.forEach((variant) => loadKernel(variant)));

describe("records of a pasted text", () => {
  const told = (text: string): Array<readonly [number, string]> => recordsOf(text).map(({ line, fed }) => [line, fed] as const);

  test("objects one a line, plain lines between them, blank lines left out", () => {
    expect(told('{"a":1}\n\n  plain "text"\r\n{"b":[1,2]}\n')).toEqual([[1, '{"a":1}'], [3, '{"message":"plain \\"text\\""}'], [4, '{"b":[1,2]}']]);
  });

  test("an object over several lines is one record, fed on one line", () => {
    expect(told('{\n  "a": "}",\n  "b": {"c": 1}\n}\n{"d":1}')).toEqual([[1, '{   "a": "}",   "b": {"c": 1} }'], [5, '{"d":1}']]);
  });

  test("objects one behind the other are records of one line", () => {
    expect(told('{"a":1} {"b":"{"}\n{"c":1}x')).toEqual([[1, '{"a":1}'], [1, '{"b":"{"}'], [2, '{"c":1}x']]);
  });

  test("the elements of an array, whatever they are, with the lines they begin at and their digits as they stand", () => {
    expect(told('\n[ {"a": 12345678901234567890},\n {"b":\n"]"}, 7, "x,y"\n]\nrest')).toEqual([[2, '{"a": 12345678901234567890}'], [3, '{"b": "]"}'], [4, "7"], [4, '"x,y"'], [6, '{"message":"rest"}']]);
  });

  test("an array that does not end keeps what begins as its last record", () => {
    expect(told('[{"a":1},{"b":')).toEqual([[1, '{"a":1}'], [1, '{"b":']]);
    expect(told("[]")).toEqual([]);
  });

  test("brackets of a time are no array, and an object that never ends takes no lines from others", () => {
    expect(told("[12.5] kernel: up")).toEqual([[1, '{"message":"[12.5] kernel: up"}']]);
    expect(told('{"a":\n{"b":1}\nplain')).toEqual([[1, '{"a":'], [2, '{"b":1}'], [3, '{"message":"plain"}']]);
  });

  test("a text of many open ends is read in one go", () => {
    expect(recordsOf("{\n".repeat(50_000))).toHaveLength(50_000);
    expect(recordsOf(`[${"{".repeat(100_000)}`)).toHaveLength(1);
  });
});

describe("kernels over pasted logs", () => {
  test("[SE-08] matches by query, counts, reasons of what is no event, and queries that cannot be read", async () => {
    const kernel = await pageKernel();
    const text = '{"ddsource":"auth","evt":{"outcome":"failure"},"usr":{"id":"ann"}}\n{"ddsource":"auth","evt":{"outcome":"success"}}\nsession opened for ann\n{"ddsource":\n{"a":1}x\n';
    const { records, queries, variant } = await kernel.match({ queries: [["source:auth"], ["@evt.outcome:failure", "@usr.id:ann"], ["opened"], ['"open'], ["*", "(a"], [""]], text, arrivalMs });
    expect(variant).toBe("simd");
    expect(records.map(({ line, matched, malformed }) => [line, matched, malformed])).toEqual([
      [1, [0, 1, 5], undefined], [2, [0, 5], undefined], [3, [2, 5], undefined], [4, [], "truncated"], [5, [], "trailing-bytes"],
    ]);
    expect(queries).toMatchObject([2, 1, 1, { part: 0, problem: { code: "query/unclosed-quote", at: { start: 0, end: 5 } } }, { part: 1 }, 3]);
  });

  test("one memory serves question after question, with the answers a new one gives", async () => {
    const kernel = await pageKernel();
    const text = Array.from({ length: 300 }, (_, i) => JSON.stringify({ message: `line ${i}`, ddsource: i % 2 ? "web" : "auth", n: i })).join("\n");
    for (const query of ["source:web", "@n:>=290", "line -source:auth", "@n:[10 TO 12]", "*", "source:w?b @n:<10"]) {
      const { records } = await kernel.match({ queries: [[query], ["source:auth"]], text, arrivalMs });
      const matcher = await createMatcher({ queries: [queryOf(query)] });
      const hits = await matcher.match(new TextEncoder().encode(text), { format: "intake", arrivalMs });
      await matcher.close();
      expect(records.flatMap(({ matched }, i) => (matched.includes(0) ? [i] : []))).toEqual(hits.map(({ index }) => index));
      expect(records.filter(({ matched }) => matched.includes(1))).toHaveLength(150);
    }
  });

  test("more than a task holds is judged in pieces, and what is larger than a slot is told", async () => {
    const kernel = await pageKernel();
    const row = (i: number): string => JSON.stringify({ message: `row ${i} ${"x".repeat(900)}`, n: i });
    const text = [...Array.from({ length: 3000 }, (_, i) => row(i)), JSON.stringify({ message: "y".repeat(3 << 20) }), row(3000)].join("\n");
    const { records, queries } = await kernel.match({ queries: [["@n:>=0"], ["@n:3000"]], text, arrivalMs });
    expect(queries).toEqual([3001, 1]);
    expect(records[3000]).toMatchObject({ malformed: "too-large", matched: [] });
    expect(records[3001]).toMatchObject({ line: 3002, matched: [0, 1] });
  });

  test("nothing pasted, and nothing asked", async () => {
    const kernel = await pageKernel();
    expect(await kernel.match({ queries: [["a"]], text: " \n", arrivalMs })).toMatchObject({ records: [], queries: [0] });
    expect(await kernel.match({ queries: [], text: "a", arrivalMs })).toMatchObject({ records: [{ line: 1, matched: [] }], queries: [] });
  });

  test.skipIf(!vectors.length)("[SE-01] every search vector, all queries at once on all events pasted (skipped where ../shared is absent)", async () => {
    const kernel = await pageKernel();
    const { records, queries } = await kernel.match({ queries: vectors.map(({ query }) => [query]), text: vectors.map(({ event }) => JSON.stringify(event)).join("\n"), arrivalMs });
    expect(vectors.filter(({ error }, i) => (typeof queries[i] === "number") === (error === true))).toEqual([]);
    expect(vectors.flatMap(({ id, query, match, error }, i) => (error || records[i]!.matched.includes(i) === match ? [] : [`${id} not ${match}: ${query}`]))).toEqual([]);
  });
});
