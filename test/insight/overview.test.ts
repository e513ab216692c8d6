import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeSignals } from "../../bench/signals-data.ts";
import { entityRisk } from "../../host/insight/entities.ts";
import type { OverviewAsk } from "../../host/insight/overview-ask.ts";
import type { OverviewData, OverviewModuleId } from "../../host/insight/overview-model.ts";
import { type OverviewLayout, type ShownModule, arranged, overviewIds, overviewModules, readOverview } from "../../host/insight/overview.ts";
import { SignalNumbers } from "../../host/insight/signal-numbers.ts";
import { attack } from "../../host/mitre/attack.ts";
import { coverageOf } from "../../host/mitre/coverage.ts";
import { readPackRules } from "../../host/pack-rules.ts";
import { contentFolder } from "../../host/packs.ts";
import type { QueryNode } from "../../host/query/tree.ts";
import { readSignalQuery } from "../../host/signal-search/aliases.ts";
import { SignalStore } from "../../host/store/signals.ts";
import { ProblemError } from "../../host/problem.ts";
import * as reference from "../reference/overview.ts";
import { Bench } from "../signal-search/support.ts";
import { overviewSignals } from "./overview-signals.ts";

const DAY_MS = 86_400_000;
const nowMs = Date.UTC(2026, 2, 30, 11, 7);
const span = { fromMs: nowMs - 7 * DAY_MS, toMs: nowMs };
const month = { fromMs: nowMs - 30 * DAY_MS, toMs: nowMs };
const plain: OverviewLayout = { order: [], hidden: [] };
const rules = [...readPackRules("windows"), ...readPackRules("linux-auth")];

let bench: Bench;
let all: reference.OverviewSignal[];
beforeAll(() => {
  bench = new Bench([], { nowMs: () => nowMs });
  writeSignals(bench.sql, overviewSignals(1500, nowMs));
  all = new SignalStore(bench.sql).all().map(reference.overviewSignal);
});
afterAll(() => bench.close());

function asking(of: reference.Span, restrict?: readonly QueryNode[]): OverviewAsk {
  return {
    span: of, nowMs, numbers: new SignalNumbers(bench.search, restrict), leastSignals: 5, isRestricted: restrict !== undefined, rules: () => rules, attack: () => attack(contentFolder()),
    risk: () => entityRisk({ signalSearch: bench.search }, { toMs: nowMs, sight: restrict ? { restriction: restrict } : {} }), packs: async () => [], sources: async () => undefined, logs: async () => ({ sources: [], isPartial: false }), news: () => [],
    onboarding: async () => ({ hasLogs: false, hasPack: false, hasNotificationRule: null, hasColleague: false, hasTriage: false, hasGeo: false }),
  };
}

async function told<I extends OverviewModuleId>(id: I, of: reference.Span = span, restrict?: readonly QueryNode[]): Promise<OverviewData[I]> {
  const [module] = await readOverview(asking(of, restrict), plain, new Set([id]), () => true);
  return (module as ShownModule<I>).data!;
}

/** Without links, which another test follows. */
function bare(value: unknown): any {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !/href$/i.test(name)).map(([name, inner]) => [name, bare(inner)]));
}

const close = (value: unknown): unknown => JSON.parse(JSON.stringify(value), (_name, each) => (typeof each === "number" ? Number(each.toPrecision(10)) : each));
const signalsOf = (restrict: boolean): reference.OverviewSignal[] => (restrict ? all.filter(({ sources }) => sources.includes("okta")) : all);
const okta = [readSignalQuery("source:okta")];

describe.each([["a week", span, false], ["a month", month, false], ["a week, as far as a role sees it", span, true]] as const)("figures of %s are those of a recount", (_, of, isRestricted) => {
  const mine = (): reference.OverviewSignal[] => signalsOf(isRestricted);
  const ask = async <I extends OverviewModuleId>(id: I): Promise<OverviewData[I]> => await told(id, of, isRestricted ? okta : undefined);

  test("[OV-08] open signals by rule, the gravest first", async () => {
    const found = await ask("important.signals");
    expect(bare(found)).toEqual(reference.openRules(mine(), of));
    expect(found.rules.length).toBeGreaterThan(3);
  });

  test("[OV-15] addresses and countries with what is important of them", async () => {
    const { ips, countries } = await ask("threat.ips");
    const expected = reference.splits(mine(), of, (signal) => signal.ips);
    expect(ips.map(({ ip, total, important, lessImportant }) => ({ name: ip, total, important, lessImportant }))).toEqual(expected.slice(0, 10));
    expect(countries.map(({ country, total, important, lessImportant }) => ({ name: country, total, important, lessImportant }))).toEqual(reference.splits(mine(), of, (signal) => signal.countries));
    const codes: Record<string, string> = { "United States": "US", "France": "FR", "Germany": "DE", "Brazil": "BR", "India": "IN", "China": "CN", "Russia": "RU", "Japan": "JP", "Nigeria": "NG", "Türkiye": "TR" };
    for (const { country, code } of countries) expect([country, code]).toEqual([country, codes[country]]);
    for (const { ip, country } of ips) expect(country === null || mine().some((signal) => signal.ips.includes(ip) && signal.countries.includes(country))).toBe(true);
  });

  test("[OV-17] countries, and regions within them", async () => {
    expect(bare(await ask("threat.country")).wedges.map(({ code: _code, ...rest }: any) => rest)).toEqual((reference.wedges(mine(), of, (signal) => signal.countries, (signal) => signal.regions) as any).wedges);
    const { total, unknown } = await ask("threat.country");
    expect([total, unknown]).toEqual([reference.created(mine(), of).length, reference.created(mine(), of).filter(({ countries }) => countries.length === 0).length]);
  });

  test("[OV-18] providers, and countries within them", async () => {
    expect(bare(await ask("threat.isp"))).toEqual(reference.wedges(mine(), of, (signal) => signal.networks, (signal) => signal.countries));
  });

  test("[OV-19] signals by severity against the span before, over time", async () => {
    const found = await ask("overview.kpi");
    expect(close(bare(found).severities)).toEqual(close(reference.kpis(mine(), of, found.intervalMs)));
    expect(found.severities[0]!.points.length).toBeGreaterThan(25);
  });

  test("[OV-20] what flows from severity to source to resolution adds up on each side", async () => {
    const { total, nodes, links } = await ask("overview.flow");
    const shown = new Set(nodes.filter(({ kind }) => kind === "source").map(({ name }) => name));
    const expected = reference.flow(mine(), of, (source) => (shown.has(source) ? source : "other"));
    expect(close(Object.fromEntries(links.map(({ from, to, value }) => [`${from}>${to}`, value]).toSorted()))).toEqual(close(Object.fromEntries([...expected].toSorted())));
    expect(total).toBe(reference.created(mine(), of).length);
    for (const kind of ["severity", "source", "resolution"]) expect(nodes.filter((node) => node.kind === kind).reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(total, 6);
    expect(shown.size).toBeLessThanOrEqual(12);
  });

  test("[OV-21] mean times to review and to archive, of those reviewed and archived in the span", async () => {
    expect(close(bare((await ask("overview.mttr")).severities))).toEqual(close(reference.response(mine(), of)));
  });

  test("[OV-22] mean time to detect, in all and by severity", async () => {
    const found = await ask("perf.mttd");
    expect(close(bare(found.all))).toEqual(close(reference.detection(mine(), of)));
    for (const each of found.severities) expect(close({ count: each.count, mean: each.mean })).toEqual(close(reference.detection(mine(), of, each.severity)));
    expect(found.severities.map(({ severity }) => severity)).toEqual(["critical", "high", "medium"]);
  });

  test("[OV-23] signal activity by severity over time", async () => {
    const { series, intervalMs } = await ask("perf.activity");
    expect(bare(series)).toEqual(reference.severities.map((severity) => {
      const own = reference.created(mine(), of).filter((signal) => signal.severity === severity);
      return { severity, count: own.length, points: reference.points(own, of, intervalMs) };
    }));
  });

  test("[OV-24] [OV-31] rules whose important signals rose in the last week, whatever the span", async () => {
    const expected = [...reference.weekChanges(mine().filter(reference.isImportant), nowMs, ({ rule }) => [rule])].map(([rule, change]) => ({ rule, ...change })).filter(({ delta }) => delta > 0).sort((a, b) => b.delta - a.delta || (a.rule < b.rule ? -1 : 1)).slice(0, 10);
    expect(close(bare((await ask("perf.rules_change")).rules))).toEqual(close(expected));
    expect(expected.length).toBeGreaterThan(0);
  });

  test("[OV-25] [OV-31] severities against the week before, whatever the span", async () => {
    const changes = reference.weekChanges(mine(), nowMs, ({ severity }) => [severity]);
    expect(close(bare((await ask("perf.severity_change")).severities))).toEqual(close(reference.severities.map((severity) => ({ severity, ...(changes.get(severity) ?? { last: 0, prior: 0, delta: 0, percent: null }) }))));
  });

  test("[OV-26] important signals by the reason they were archived for", async () => {
    const own = reference.archivedWithin(mine(), of).filter(reference.isImportant);
    const { total, reasons } = await ask("perf.archived_reasons");
    expect([total, bare(reasons)]).toEqual([own.length, reference.ordered(reference.countBy(own, ({ reason }) => [reason])).map(([reason, count]) => ({ reason, count }))]);
  });

  test.each([["[OV-27]", "perf.tp_malicious", "true_positive_malicious"], ["[OV-28]", "perf.tp_benign", "true_positive_benign"]] as const)("%s rules by what was archived as %s", async (_title, id, wanted) => {
    const own = reference.archivedWithin(mine(), of).filter(({ reason }) => reason === wanted);
    expect(bare((await ask(id)).rules)).toEqual(reference.ordered(reference.countBy(own, ({ rule }) => [rule])).slice(0, 10).map(([rule, count]) => ({ rule, count })));
  });

  test("[OV-29] rules by their false positives of all their signals, those of few signals left out", async () => {
    expect(close(bare(await ask("perf.fp")))).toEqual(close({ leastSignals: 5, rules: reference.falsePositives(mine(), of, 5) }));
  });

  test("[MI-03] signals per tactic, each signal once however its tags name it", async () => {
    const named: Record<string, string> = { "attack:persistence": "TA0003" };
    const idsOf = ({ tags }: reference.OverviewSignal): string[] => tags.flatMap((tag) => named[tag] ?? /^tactic:(ta\d{4})/i.exec(tag)?.[1]?.toUpperCase() ?? []);
    const expected = reference.countBy(reference.created(mine(), of), idsOf);
    const { items } = await ask("mitre.tactics");
    expect(Object.fromEntries(items.filter(({ signals }) => signals.count > 0).map(({ id, signals }) => [id, signals.count]))).toEqual(Object.fromEntries(expected));
    expect(items.map(({ id }) => id)).toEqual(attack(contentFolder()).tactics.map(({ id }) => id));
  });

  test("[MI-04] signals per technique, those of its sub-techniques among them", async () => {
    const table = attack(contentFolder());
    const idsOf = ({ tags }: reference.OverviewSignal): string[] => tags.flatMap((tag) => /^(?:technique|mitre):(T\d{4})/.exec(tag)?.[1] ?? []).filter((id) => table.techniques.has(id));
    const { items } = await ask("mitre.techniques");
    expect(Object.fromEntries(items.filter(({ signals }) => signals.count > 0).map(({ id, signals }) => [id, signals.count]))).toEqual(Object.fromEntries(reference.countBy(reference.created(mine(), of), idsOf)));
  });
});

describe("rules and techniques", () => {
  test("[MI-01] [MI-07] techniques that some enabled rule watches, of all of the pinned version", async () => {
    const covered = new Set(rules.filter(({ isEnabled }) => isEnabled).flatMap(({ tags }) => tags.flatMap((tag) => /^technique:(T\d{4})/.exec(tag)?.[1] ?? [])));
    const table = attack(contentFolder());
    expect(bare(await told("mitre.covered"))).toEqual({ version: table.version, covered: covered.size, total: [...table.techniques.keys()].filter((id) => !id.includes(".")).length });
  });

  test("[MI-02] densities add up to all techniques", async () => {
    const { densities } = await told("mitre.density");
    const count = (id: string): number => rules.filter(({ isEnabled, tags }) => isEnabled && tags.some((tag) => tag.startsWith(`technique:${id}-`) || tag.startsWith(`technique:${id}.`))).length;
    const counts = [...attack(contentFolder()).techniques.keys()].filter((id) => !id.includes(".")).map(count);
    const expected = { high: counts.filter((each) => each >= 7).length, medium: counts.filter((each) => each >= 3 && each <= 6).length, low: counts.filter((each) => each >= 1 && each <= 2).length, none: counts.filter((each) => each === 0).length };
    expect(Object.fromEntries(densities.map(({ density, count: each }) => [density, each]))).toEqual(expected);
    expect(densities.map(({ href }) => href)).toEqual(["high", "medium", "low", "none"].map((density) => `/security/mitre?sources=all&density=${density}`));
  });

  test("[MI-03] [MI-04] [MI-05] rules per tactic and technique, with links to rules where those of signals lead to signals", async () => {
    const coverage = coverageOf(attack(contentFolder()), rules);
    for (const { id, rules: found, signals } of (await told("mitre.tactics")).items) {
      const own = coverage.tactics.find(({ tactic }) => tactic.id === id)!;
      expect(found.count).toBe(new Set(own.techniques.flatMap((each) => each.rules.map((rule) => rule.id))).size);
      expect([found.href.split("?")[0], signals.href.split("?")[0]]).toEqual(["/security/rules", "/security/signals"]);
    }
    for (const { id, rules: found } of (await told("mitre.techniques")).items) {
      expect(found.count, id).toBe(rules.filter(({ isEnabled, tags }) => isEnabled && tags.some((tag) => tag.startsWith(`technique:${id}-`) || tag.startsWith(`technique:${id}.`))).length);
    }
  });
});

/** Everything in an answer that has a link, with the number that it stands for. */
function* linked(value: unknown, place: string): Generator<{ readonly place: string; readonly href: string; readonly count: number | undefined }> {
  if (Array.isArray(value)) for (const [i, each] of value.entries()) yield* linked(each, `${place}[${i}]`);
  else if (typeof value === "object" && value !== null) {
    const { href, count, total, last, falsePositivesHref, falsePositives } = value as Record<string, any>;
    if (href !== undefined) yield { place, href, count: count ?? total ?? last };
    if (falsePositivesHref !== undefined) yield { place: `${place}.falsePositives`, href: falsePositivesHref, count: falsePositives };
    for (const [name, inner] of Object.entries(value)) yield* linked(inner, `${place}.${name}`);
  }
}

describe("links", () => {
  test.each([["a week", span, undefined], ["a month", month, undefined], ["what a role sees", span, okta]] as const)("[OV-09] [OV-14] [OV-16] [OV-30] each leads to exactly the signals that its number counts, of %s", async (_, of, restrict) => {
    const modules = await readOverview(asking(of, restrict), plain, undefined, () => true);
    const wrong: string[] = [];
    let followed = 0;
    for (const { id, href: own, data } of modules) {
      expect(own, id).toMatch(/^\/[a-z]/);
      for (const { place, href, count } of linked(data, id)) {
        const url = new URL(href, "http://vespid");
        if (url.pathname !== "/security/signals" || count === undefined) continue;
        followed++;
        const [query, from, to] = ["query", "from", "to"].map((name) => url.searchParams.get(name)!);
        const found = await bench.search.search({ query: query!, from: Number(from), to: Number(to), limit: 1, ...(restrict ? { restrict } : {}) });
        if (found.count !== count) wrong.push(`${place}: ${count}, and ${query} finds ${found.count}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(followed).toBeGreaterThan(100);
  });

  test("[OV-20] ways of signals with one source lead to as many signals as they are wide; with more, to no fewer", async () => {
    const { nodes, links } = await told("overview.flow");
    for (const { href, value } of [...nodes, ...links]) {
      const url = new URL(href, "http://vespid");
      const { count } = await bench.search.search({ query: url.searchParams.get("query")!, from: span.fromMs, to: span.toMs, limit: 1 });
      expect(count).toBeGreaterThanOrEqual(Math.floor(value + 1e-9));
    }
    for (const { kind, href, value } of nodes.filter(({ kind: each }) => each !== "source")) {
      const { count } = await bench.search.search({ query: new URL(href, "http://vespid").searchParams.get("query")!, from: span.fromMs, to: span.toMs, limit: 1 });
      expect(count, kind).toBeCloseTo(value, 6);
    }
  });
});

describe("modules", () => {
  test("[OV-01] there is one for each that the page has, each with a name of its own", () => {
    expect(overviewModules.map(({ id }) => id)).toEqual(overviewIds);
    expect(new Set(overviewModules.map(({ title }) => title)).size).toBe(28);
  });

  test("[OV-02] an order puts its modules first and leaves the rest behind them; unknown ids do nothing", () => {
    const order = arranged({ order: ["perf.fp", "nothing", "news", "perf.fp"] });
    expect(order.slice(0, 3)).toEqual(["perf.fp", "news", "onboarding"]);
    expect(order.toSorted()).toEqual(overviewIds.toSorted());
  });

  test("[OV-02] a hidden module has no data unless it is asked for", async () => {
    const layout = { order: [], hidden: ["perf.mttd"] };
    const all = await readOverview(asking(span), layout, undefined, () => true);
    expect(all.find(({ id }) => id === "perf.mttd")).toMatchObject({ visible: false, data: null });
    const [one] = await readOverview(asking(span), layout, new Set(["perf.mttd"]), () => true);
    expect(one).toMatchObject({ visible: false, data: { all: {} } });
  });

  test("what somebody may not see is not told, and what fails takes nothing else along", async () => {
    const shown = await readOverview(asking(span), plain, new Set(["perf.mttd", "news"]), (need) => need === "known");
    expect(shown.map(({ id, data }) => [id, data === null])).toEqual([["news", false], ["perf.mttd", true]]);
    const broken = { ...asking(span), numbers: { means: () => Promise.reject(new ProblemError([{ code: "signals/too-costly", message: "it took too long" }])) } as never };
    const [module] = await readOverview(broken, plain, new Set(["perf.mttd"]), () => true);
    expect(module).toMatchObject({ data: null, note: "it took too long" });
  });

  test("[OV-03] the list of first steps goes when all of them are taken", async () => {
    const facts = { hasLogs: true, hasPack: true, hasNotificationRule: true, hasColleague: true, hasTriage: true, hasGeo: true };
    const [done] = await readOverview({ ...asking(span), onboarding: async () => facts }, plain, new Set(["onboarding"]), () => true);
    expect(done).toMatchObject({ visible: false, data: { open: 0 } });
    const [open] = await readOverview({ ...asking(span), onboarding: async () => ({ ...facts, hasGeo: false }) }, plain, new Set(["onboarding"]), () => true);
    expect(open).toMatchObject({ visible: true, data: { open: 1 } });
  });

  test("[OV-10] there are no cases in this release, and it says so", async () => {
    const [module] = await readOverview(asking(span), plain, new Set(["important.cases"]), () => true);
    expect(module).toMatchObject({ data: { cases: [] }, note: expect.stringContaining("case management") });
  });
});
