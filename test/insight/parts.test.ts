import { describe, expect, test } from "vitest";
import { bucketWidth, filled } from "../../host/insight/buckets.ts";
import { all, entityHref, logsHref, phrase, signalsHref } from "../../host/insight/links.ts";
import { hourChange } from "../../host/insight/unusual.ts";
import { readReleases, releases } from "../../host/news.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe("buckets of a span", () => {
  test.each([[HOUR_MS, 60_000], [DAY_MS, 30 * 60_000], [7 * DAY_MS, 3 * HOUR_MS], [30 * DAY_MS, 12 * HOUR_MS], [60_000, 60_000], [365 * DAY_MS, 7 * DAY_MS]])("%i ms long are %i wide", (length, width) => {
    expect(bucketWidth({ fromMs: 0, toMs: length })).toBe(width);
  });

  test("are not narrower than what is known is counted in", () => expect(bucketWidth({ fromMs: 0, toMs: HOUR_MS }, 600_000)).toBe(600_000));

  test("hold the whole span, empty ones among them", () => {
    expect(filled(new Map([[100, 3]]), { fromMs: 60, toMs: 201 }, 50)).toEqual([[50, 0], [100, 3], [150, 0], [200, 0]]);
    expect(filled(new Map(), { fromMs: 100, toMs: 200 }, 50)).toEqual([[100, 0], [150, 0]]);
  });
});

describe("links", () => {
  test("hold whatever a value holds", () => {
    const hostile = 'a" OR \\ <script>&#?/\u202e💣';
    const url = new URL(signalsHref(all("*", `@usr.id:${phrase(hostile)}`, ""), { fromMs: 1, toMs: 2 }), "http://vespid");
    expect([url.pathname, url.searchParams.get("query"), url.searchParams.get("from"), url.searchParams.get("to")]).toEqual(["/security/signals", '@usr.id:"a\\" OR \\\\ <script>&#?/\u202e💣"', "1", "2"]);
    expect(entityHref("user", "a/b?c")).toBe("/security/entities/user/a%2Fb%3Fc");
    expect(logsHref("\ud800", { fromMs: 1, toMs: 2 })).toContain("query=%EF%BF%BD");
  });
});

describe("[OV-07] an unusual hour", () => {
  const at = 20 * DAY_MS + 10 * HOUR_MS;
  const days = (...counts: readonly number[]): Map<number, number> => new Map(counts.map((count, i): [number, number] => [at - (i + 1) * DAY_MS, count]));
  test.each([
    ["three deviations above are none yet", [100, 100, 100, 100, 100, 100, 100], 130, null],
    ["beyond them it is a spike", [100, 100, 100, 100, 100, 100, 100], 131, "spike"],
    ["or a drop", [100, 100, 100, 100, 100, 100, 100], 69, "drop"],
    ["a source that wavers may waver", [50, 150, 50, 150, 50, 150, 100], 230, null],
    ["nothing, where logs always come", [900, 900, 900, 900, 900, 900, 900], 0, "drop"],
    ["one log more of few is nothing", [1, 1, 1, 1, 1, 1, 1], 4, null],
    ["of a source that is two days old nothing is usual", [5, 5], 5000, null],
  ] as const)("%s", (_, before, logs, expected) => {
    expect(hourChange(new Map([...days(...before), [at, logs]]), at)?.kind ?? null).toBe(expected);
  });

  test("an hour without logs counts as one, from the first log on", () => {
    expect(hourChange(new Map([[at - 7 * DAY_MS, 10], [at, 30]]), at)).toMatchObject({ kind: "spike", usual: 10 / 7, logs: 30 });
    expect(hourChange(new Map([[at - 2 * DAY_MS, 10], [at, 30]]), at)).toBeNull();
    expect(hourChange(new Map(), at)).toBeNull();
  });
});

describe("[OV-04] release notes", () => {
  test("are read off the changelog, each release with what changed", () => {
    expect(readReleases("# Changelog\n\nText\n\n## 0.2.0 - 2026-05-01\n\n- One\n  goes on\n- Two `x`\n\n## [0.1.0]\n\nThe first.\n\n* Three\n")).toEqual([
      { version: "0.2.0", date: "2026-05-01", changes: ["One goes on", "Two `x`"] }, { version: "0.1.0", changes: ["Three"] },
    ]);
    expect(readReleases("nothing")).toEqual([]);
  });

  test("of this program are there", () => {
    const [latest] = releases();
    expect(latest!.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(latest!.changes.length).toBeGreaterThan(3);
  });
});
