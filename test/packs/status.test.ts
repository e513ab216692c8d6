import { describe, expect, test } from "vitest";
import { coverageGaps, stateOf } from "../../host/control/packs/facts.ts";
import { DAY_MS, type PackFacts, packState } from "../../host/control/packs/status.ts";
import { defaultHealth, packCategories } from "../../host/event/pipeline/packs.ts";

const HOUR_MS = 3_600_000;
/** Noon of a day, so that yesterday and today are both in sight. */
const NOW_MS = Math.floor(Date.UTC(2026, 2, 10, 12));
const TODAY = Math.floor(NOW_MS / DAY_MS);

function facts(more: Partial<PackFacts> = {}): PackFacts {
  return { activation: "activated", activatedMs: NOW_MS - 10 * DAY_MS, health: defaultHealth, days: [day(0)], filters: "passed", rules: 3, idle: [], ...more };
}

/** A day of so many logs, the last of them so many hours ago. */
function day(back: number, events = 1000, more: { readonly unparsed?: number; readonly filtered?: number; readonly hoursAgo?: number } = {}) {
  return { source: "s", day: TODAY - back, events, unparsed: more.unparsed ?? 0, filtered: more.filtered ?? 0, lastSeenMs: NOW_MS - (more.hoursAgo ?? back * 24) * HOUR_MS };
}

describe("[CP-03] the state of a pack", () => {
  const idle = [{ id: "r", reason: "scheduled" }];
  const week = Array.from({ length: 7 }, (_, i) => day(i + 1, 1000));
  test.each<readonly [string, Partial<PackFacts>, string, string]>([
    ["nothing ever came, nobody asked for it", { activation: "never_activated", activatedMs: undefined, days: [] }, "install", ""],
    ["logs come, nobody asked for it", { activation: "never_activated" }, "activate", ""],
    ["disabled", { activation: "deactivated", days: [] }, "activate", ""],
    ["enabled just now", { activatedMs: NOW_MS - HOUR_MS / 2, days: [] }, "initializing", "no log has come yet"],
    ["enabled two hours ago", { activatedMs: NOW_MS - 2 * HOUR_MS, days: [] }, "warning", "no log has come yet"],
    ["enabled, and silent for four days", { activatedMs: NOW_MS - 4 * DAY_MS, days: [] }, "broken", "no log has come in the 4 days since it was enabled"],
    ["logs of today", {}, "active", ""],
    ["rules that ask for places nobody tells", { placeless: 2 }, "warning", "2 of its rules ask where an address is, and no GeoIP database is given"],
    ["24 hours ago", { days: [day(1, 1000, { hoursAgo: 24 })] }, "active", ""],
    ["30 hours ago", { days: [day(1, 1000, { hoursAgo: 30 })] }, "warning", "the last log came 30 hours ago"],
    ["73 hours ago", { days: [day(3, 1000, { hoursAgo: 73 })] }, "broken", "the last log came 3 days ago"],
    ["5 % not understood", { days: [day(0, 1000, { unparsed: 50 })] }, "active", ""],
    ["6 % not understood", { days: [day(0, 1000, { unparsed: 60 })] }, "warning", "6 % of its logs were not understood by its pipelines"],
    ["half not understood", { days: [day(0, 1000, { unparsed: 500 })] }, "warning", "50 % of its logs were not understood by its pipelines"],
    ["more than half not understood", { days: [day(0, 1000, { unparsed: 510 })] }, "broken", "51 % of its logs were not understood by its pipelines"],
    ["borders of its own", { days: [day(0, 1000, { unparsed: 60 })], health: { ...defaultHealth, parseFailures: { warning: 10, broken: 20 } } }, "active", ""],
    ["a twentieth of the usual", { days: [day(0, 20), day(1, 60), ...week.slice(1)] }, "warning", "50 logs in a day, where 1000 are usual"],
    ["the usual", { days: [day(0, 600), ...week] }, "active", ""],
    ["filters exclude it", { filters: "excluded" }, "broken", "the security filters exclude its sources, so no rule sees their logs"],
    ["filters let nothing pass", { days: [day(0, 10, { filtered: 10 })] }, "broken", "the security filters let none of its logs pass"],
    ["no filter for it", { filters: "unconfigured" }, "not_configured", "no security filter lets its sources pass"],
    ["a rule that cannot fire", { idle }, "warning", "1 of its 3 rules cannot fire"],
    ["no rule that can fire", { idle, rules: 1 }, "broken", "none of its rules can fire"],
  ])("%s", (_, more, status, reason) => {
    const state = packState(facts(more), NOW_MS);
    expect([state.status, state.reasons.join("; ")]).toEqual([status, reason]);
  });

  test("when the last log came is told in buckets", () => {
    const bucket = (hoursAgo: number) => packState(facts({ days: [day(Math.floor(hoursAgo / 24), 1, { hoursAgo })] }), NOW_MS).lastSeen;
    expect([0, 24, 25, 72, 73, 720, 721].map(bucket)).toEqual(["within_24_hours", "within_24_hours", "within_24_to_72_hours", "within_24_to_72_hours", "over_72h_to_30d", "over_72h_to_30d", "over_30d"]);
    expect(packState(facts({ days: [] }), NOW_MS).lastSeen).toBe("not_seen");
  });

  test("only its own sources count; logs that passed the filters tell better than a source's name", () => {
    const { days: _, filters: __, ...kept } = facts();
    const state = stateOf({ sources: ["s"] }, { ...kept, filtersBySource: "unconfigured" }, [day(0), { ...day(0), source: "other", unparsed: 1000 }], NOW_MS);
    expect(state).toMatchObject({ status: "active", parseFailures: 0, isFiltered: false, events: 1000 });
    expect(stateOf({ sources: ["s"] }, { ...kept, filtersBySource: "unconfigured" }, [day(0, 5, { filtered: 5 })], NOW_MS)).toMatchObject({ status: "not_configured", isFiltered: true });
  });
});

test("[CP-12] categories without an enabled pack are gaps, with the packs that would close them", () => {
  const packs = [{ name: "cloudtrail", category: "Cloud audit" }, { name: "gcp", category: "Cloud audit" }, { name: "dns", category: "DNS" }] as const;
  const gaps = coverageGaps(packs, new Set(["gcp"]));
  expect(gaps.map(({ category }) => category)).toEqual(packCategories.filter((category) => category !== "Cloud audit"));
  expect(gaps.find(({ category }) => category === "DNS")?.packs).toEqual(["dns"]);
  expect(coverageGaps(packs, new Set(["gcp", "dns"])).map(({ category }) => category)).not.toContain("DNS");
});
