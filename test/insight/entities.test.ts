import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MadeSignal } from "../../bench/signals-data.ts";
import { Random } from "../../bench/random.ts";
import { entityRisk } from "../../host/insight/entities.ts";
import { riskSeverity } from "../../host/signal-model/risk.ts";
import type { StoredSignal } from "../../host/signal-model/stored.ts";
import { SignalStore } from "../../host/store/signals.ts";
import { idsOf, pointsAt, scoresAt, severityOf } from "../reference/entity-risk.ts";
import { Bench, like, made } from "../signal-search/support.ts";
import { queryOf } from "../support/query.ts";

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 4, 1);
const REASONS = ["false_positive", "testing_or_maintenance", "remediated", "true_positive_malicious"];
const all = { sight: {} };

/** Signals of forty days about few people, many of them archived a while later. */
function someSignals(count: number, seed: number): MadeSignal[] {
  const random = new Random(seed);
  return made(count, seed).map((signal, i) => {
    const createdMs = START_MS + Math.floor((i / count) * 40 * DAY_MS) + random.below(DAY_MS);
    const severity = random.pick(["info", "low", "medium", "high", "critical"] as const);
    const user = `user${random.skewed(40)}@example.com`;
    const isArchived = random.next() < 0.4;
    return like(signal, {
      createdMs, document: { severity, group: { "@usr.id": user } },
      attributes: {
        ...signal.document.details!.attributes, usr: { id: user }, network: { client: { ip: `8.8.8.${random.below(30)}` }, ip: { list: ["9.9.9.9", "1.1.1.1"] } },
        ...(random.next() < 0.1 ? { objectRef: { resource: "secrets", namespace: "prod", name: `s${random.below(5)}` } } : {}),
      },
      triage: isArchived ? { state: "archived", reason: random.pick(REASONS), archivedMs: createdMs + random.below(20 * DAY_MS) } : { state: "open", reason: "none", archivedMs: undefined },
    });
  });
}

describe("the step formula of platform spec 14", () => {
  test.each([[0, "info"], [9, "info"], [10, "low"], [24, "low"], [25, "medium"], [49, "medium"], [50, "high"], [99, "high"], [100, "critical"], [100_000, "critical"]])("a score of %i is %s", (score, severity) => {
    expect(riskSeverity(score)).toBe(severity);
  });
});

describe("[OV-11] [OV-12] [OV-13] [OV-14] scores of entities", () => {
  let bench: Bench;
  let stored: StoredSignal[];
  const risk = (toMs: number, more: object = {}): ReturnType<typeof entityRisk> => entityRisk({ signalSearch: bench.search }, { toMs, ...all, ...more });
  beforeAll(() => {
    bench = new Bench(someSignals(1500, 5));
    stored = new SignalStore(bench.sql).all();
  });
  afterAll(() => bench.close());

  test.each([0, 3, 13.5, 14, 20.123, 40, 50, 55])("are those of the reference, day %f", async (day) => {
    const atMs = START_MS + Math.floor(day * DAY_MS);
    const [scores, before] = [scoresAt(stored, atMs), scoresAt(stored, atMs - DAY_MS)];
    const rows = await risk(atMs).top(1000);
    expect(Object.fromEntries(rows.map(({ id, score }) => [id, score]))).toEqual(Object.fromEntries(scores));
    for (const row of rows) {
      const own = stored.filter((signal) => idsOf(signal).includes(row.id) && signal.createdMs <= atMs && signal.createdMs > atMs - 14 * DAY_MS);
      expect(row).toMatchObject({
        severity: severityOf(row.score), change: row.score - (before.get(row.id) ?? 0), signals: own.length, contributing: own.filter((signal) => pointsAt(signal, atMs) > 0).length,
        firstSeenMs: Math.min(...own.map(({ firstSeenMs }) => firstSeenMs)), lastSeenMs: Math.max(...own.map(({ lastSeenMs }) => lastSeenMs)), href: `/security/entities/${row.type}/${encodeURIComponent(row.value)}`,
      });
      expect(Object.values(row.signalCounts).reduce((a, b) => a + b, 0)).toBe(own.length);
      expect(row.id).toBe(`${row.type}:${row.value}`);
    }
    const severities = await risk(atMs).bySeverity();
    expect(severities.map(({ name, count }) => [name, count])).toEqual(["critical", "high", "medium", "low", "info"].map((name) => [name, [...scores.values()].filter((score) => severityOf(score) === name).length]));
    const types = await risk(atMs).byType();
    expect(types.reduce((sum, { count }) => sum + count, 0)).toBe(scores.size);
    for (const { name, count, href } of types) {
      expect(count).toBe([...scores.keys()].filter((id) => id.startsWith(`${name}:`)).length);
      expect(href).toBe(`/security/entities?query=type%3A${name}`);
    }
  });

  test("are last updated when a signal came, ran out, or was found to be none", async () => {
    const atMs = START_MS + 30 * DAY_MS;
    for (const { id, updatedMs } of await risk(atMs).top(1000)) {
      const own = stored.filter((signal) => idsOf(signal).includes(id));
      const scoreAt = (ms: number): number => own.reduce((sum, signal) => sum + pointsAt(signal, ms), 0);
      // Where the steps are, and a step is where the score is another than a millisecond before, or signals took turns.
      const steps = own.flatMap((signal) => [signal.createdMs, signal.createdMs + 14 * DAY_MS, signal.triage.lastArchivedMs ?? 0].filter((ms) => ms <= atMs && pointsAt(signal, ms) !== pointsAt(signal, ms - 1)));
      expect(updatedMs).toBe(Math.max(...steps));
      expect(scoreAt(updatedMs!)).toBe(scoreAt(atMs));
    }
  });

  test("come in an order of scores, then of names, page by page, the same each time", async () => {
    const atMs = START_MS + 25 * DAY_MS;
    const whole = await bench.search.entities({ atMs, limit: 1000 });
    const ids = whole.rows.map(({ id }) => id);
    expect(ids).toEqual(whole.rows.toSorted((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1)).map(({ id }) => id));
    const pages: string[] = [];
    for (let offset = 0; offset < whole.total; offset += 17) pages.push(...(await bench.search.entities({ atMs, offset, limit: 17 })).rows.map(({ id }) => id));
    expect(pages).toEqual(ids);
    for (const field of ["score", "change", "signals", "first_seen", "last_seen", "updated", "value", "type"]) {
      const key = { score: "score", change: "change", signals: "signals", first_seen: "firstSeenMs", last_seen: "lastSeenMs", updated: "updatedMs", value: "value", type: "type" }[field] as "score";
      const [up, down] = [await bench.search.entities({ atMs, sort: field, limit: 1000 }), await bench.search.entities({ atMs, sort: `-${field}`, limit: 1000 })];
      expect(up.rows.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
      const keys = up.rows.map((row) => row[key]);
      if (field !== "type") expect(keys).toEqual(keys.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
      expect(down.rows.map((row) => row[key])).toEqual(keys.toReversed());
    }
    await expect(bench.search.entities({ atMs, sort: "colour" })).rejects.toMatchObject({ problems: [{ code: "signals/bad-sort", place: "sort" }] });
  });

  test.each<[string, (row: { readonly type: string; readonly value: string; readonly score: number; readonly severity: string; readonly change: number; readonly sources: readonly string[]; readonly environments: readonly string[] }) => boolean]>([
    ["type:user", ({ type }) => type === "user"],
    ["-type:(user OR ip)", ({ type }) => type !== "user" && type !== "ip"],
    ["severity:critical", ({ severity }) => severity === "critical"],
    ["severity:>=high type:ip", ({ type, severity }) => type === "ip" && (severity === "high" || severity === "critical")],
    ["status:(medium OR low)", ({ severity }) => severity === "medium" || severity === "low"],
    ["score:>200", ({ score }) => score > 200],
    ["score:[50 TO 150]", ({ score }) => score >= 50 && score <= 150],
    ["change:<0", ({ change }) => change < 0],
    ["value:user1*", ({ value }) => value.startsWith("user1")],
    ["user3", ({ value }) => value.includes("user3@")],
    ["value:*1?@example.com", ({ value }) => /1.@example\.com$/u.test(value)],
    ["value:*\\:user*", ({ value }) => /:user/.test(value)],
    ["*ser1*", ({ value }) => /ser1/.test(value)],
    ["source:okta", ({ sources }) => sources.includes("okta")],
    ["env:staging -type:service", ({ environments, type }) => environments.includes("staging") && type !== "service"],
    ["", () => true],
    ["*", () => true],
  ])("are found by %s", async (query, isFound) => {
    const atMs = START_MS + 25 * DAY_MS;
    const whole = await bench.search.entities({ atMs, limit: 1000 });
    const { rows, total, bySeverity } = await bench.search.entities({ atMs, query, limit: 1000 });
    const expected = whole.rows.filter(isFound);
    expect(rows.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
    expect([total, Object.values(bySeverity).reduce((a, b) => a + b)]).toEqual([expected.length, expected.length]);
    expect(expected.length).toBeGreaterThan(0);
  });

  test("are of the signals somebody sees, as if there were no others", async () => {
    const atMs = START_MS + 25 * DAY_MS;
    const restriction = [queryOf("source:okta"), queryOf("env:dev status:critical")];
    const seen = new Set((await bench.search.search({ restrict: restriction, limit: 1000 })).ids);
    expect(seen.size).toBeLessThan(1000);
    const scores = scoresAt(stored.filter(({ id }) => seen.has(id)), atMs);
    const rows = await risk(atMs, { sight: { restriction } }).top(1000);
    expect(Object.fromEntries(rows.map(({ id, score }) => [id, score]))).toEqual(Object.fromEntries(scores));
    expect(await risk(atMs, { sight: { restriction: [] } }).top(10)).toEqual([]);
    const hidden = [...scoresAt(stored, atMs).keys()].find((id) => !scores.has(id) && !stored.some((signal) => seen.has(signal.id) && idsOf(signal).includes(id)))!;
    expect([await bench.search.entity({ atMs, id: hidden, restrict: restriction }), (await bench.search.entity({ atMs, id: hidden }))?.id]).toEqual([undefined, hidden]);
  });

  test("since a time are those that a signal since then adds to", async () => {
    const [atMs, fromMs] = [START_MS + 25 * DAY_MS, START_MS + 24.8 * DAY_MS];
    const found = (await risk(atMs, { fromMs }).top(1000)).map(({ id, score }) => [id, score]);
    const since = new Set(stored.filter((signal) => signal.createdMs >= fromMs && pointsAt(signal, atMs) > 0).flatMap(idsOf));
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries([...scoresAt(stored, atMs)].filter(([id]) => since.has(id))));
  });

  test("of one are told signal by signal, rule by rule and hour by hour", async () => {
    const atMs = START_MS + 25.4 * DAY_MS;
    const [row] = (await bench.search.entities({ atMs, query: "type:user", limit: 1 })).rows;
    const detail = (await bench.search.entity({ atMs, id: row!.id, limit: 1000 }))!;
    expect(detail).toMatchObject(row!);
    const own = stored.filter((signal) => idsOf(signal).includes(row!.id));
    const counted = own.filter((signal) => pointsAt(signal, atMs) > 0);
    expect(detail.contributions.map(({ signalId, points, expiresMs }) => [signalId, points, expiresMs])).toEqual(
      counted.toSorted((a, b) => pointsAt(b, atMs) - pointsAt(a, atMs) || b.createdMs - a.createdMs || (a.id < b.id ? 1 : -1)).map((signal) => [signal.id, pointsAt(signal, atMs), signal.createdMs + 14 * DAY_MS]),
    );
    expect(detail.rules.reduce((sum, { points }) => sum + points, 0)).toBe(row!.score);
    for (const { ruleId, points, signals } of detail.rules) {
      const ofRule = counted.filter((signal) => signal.ruleId === ruleId);
      expect([points, signals]).toEqual([ofRule.reduce((sum, signal) => sum + pointsAt(signal, atMs), 0), ofRule.length]);
    }
    expect(detail.timeline.length).toBe(14 * 24 + 1);
    for (const { timeMs, score } of detail.timeline) expect(score).toBe(own.reduce((sum, signal) => sum + pointsAt(signal, Math.min(timeMs + 3_600_000 - 1, atMs)), 0));
    expect(detail.timeline.at(-1)!.score).toBe(row!.score);
    expect(detail.timeline.slice(1).map(({ signals }) => Object.values(signals).reduce((a, b) => a + b))).toEqual(
      detail.timeline.slice(1).map(({ timeMs }) => own.filter(({ createdMs }) => createdMs >= timeMs && createdMs < timeMs + 3_600_000 && createdMs <= atMs).length),
    );
    const recent = own.filter((signal) => signal.createdMs <= atMs && signal.createdMs > atMs - 14 * DAY_MS);
    const shared = new Map<string, number>();
    for (const id of recent.flatMap(idsOf)) if (id !== row!.id) shared.set(id, (shared.get(id) ?? 0) + 1);
    expect(detail.related).toHaveLength(20);
    for (const each of detail.related) expect(each.shared).toBe(shared.get(each.id));
    expect(detail.related.map((each) => each.shared)).toEqual([...shared.values()].toSorted((a, b) => b - a).slice(0, 20));
    expect((await bench.search.entity({ atMs, id: row!.id, limit: 3, intervalMs: DAY_MS }))!).toMatchObject({ contributions: detail.contributions.slice(0, 3), rules: detail.rules, score: row!.score });
    expect([await bench.search.entity({ atMs, id: "user:nobody" }), await bench.search.entity({ atMs: START_MS - 1, id: row!.id })]).toEqual([undefined, undefined]);
  });

  test("[SE-11] its signals are found by @workflow.entities", async () => {
    const [row] = (await bench.search.entities({ atMs: START_MS + 25 * DAY_MS, limit: 1 })).rows;
    const found = await bench.search.search({ query: `@workflow.entities:"${row!.id}"`, limit: 1000 });
    expect(found.ids.toSorted()).toEqual(stored.filter((signal) => idsOf(signal).includes(row!.id)).map(({ id }) => id).toSorted());
  });
});

describe("scores while signals change", () => {
  test("a signal counts once however often it is told again, until it is archived as none or gone", async () => {
    const base = made(1, 9)[0]!;
    const at = (signal: Partial<Parameters<typeof like>[1]>): MadeSignal => like(base, { createdMs: START_MS, document: { severity: "high", group: {} }, attributes: { usr: { id: "ann" } }, triage: { state: "open", reason: "none" }, ...signal });
    const bench = new Bench([at({})]);
    const score = async (ms: number): Promise<number | undefined> => (await bench.search.entity({ atMs: ms, id: "user:ann" }))?.score;
    const dayMs = START_MS + DAY_MS;
    expect([await score(START_MS - 1), await score(START_MS), await score(START_MS + 14 * DAY_MS - 1), await score(START_MS + 14 * DAY_MS)]).toEqual([undefined, 50, 50, undefined]);
    bench.write(at({ document: { severity: "high", group: {}, events_matched: 77 } }));
    expect(await score(dayMs)).toBe(50);
    bench.write(at({ document: { severity: "critical", group: {} } }));
    expect(await score(dayMs)).toBe(100);
    bench.write(at({ triage: { state: "archived", reason: "remediated", archivedMs: dayMs } }));
    expect(await score(dayMs)).toBe(50);
    bench.write(at({ triage: { state: "archived", reason: "false_positive", archivedMs: dayMs } }));
    expect([await score(dayMs - 1), await score(dayMs)]).toEqual([50, 0]);
    expect((await bench.search.entities({ atMs: dayMs })).total).toBe(0);
    bench.write(at({}));
    expect(await score(dayMs)).toBe(50);
    await bench.remove(base.document.id);
    expect(await score(dayMs)).toBeUndefined();
    await bench.close();
  });

  test("names of logs stay what they are: long, strange, or alike in another type", async () => {
    const names = ["<script>", "a:b:c", 'quo"te\\', "x".repeat(2000), "ünïcode 💣", "__proto__", "10.0.0.1"];
    const bench = new Bench(made(1, 4).flatMap((one) => names.map((name, i) => like(one, { createdMs: START_MS + i, document: { id: `s${i}`, severity: "critical", group: {} }, attributes: { usr: { id: name }, network: { client: { ip: name } } }, triage: { state: "open" } }))));
    const { rows } = await bench.search.entities({ atMs: START_MS + DAY_MS, query: "type:(user OR ip)", limit: 100 });
    expect(rows.map(({ id }) => id).toSorted()).toEqual(names.flatMap((name) => [`user:${name}`, `ip:${name}`]).toSorted());
    for (const name of names) expect(await bench.search.entity({ atMs: START_MS + DAY_MS, id: `user:${name}` })).toMatchObject({ value: name, score: 100, related: expect.arrayContaining([expect.objectContaining({ id: `ip:${name}`, shared: 1 })]) });
    await bench.close();
  });
});
