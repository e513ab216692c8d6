import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MadeSignal } from "../../bench/signals-data.ts";
import { ProblemError } from "../../host/problem.ts";
import { readSignalQuery } from "../../host/signal-search/aliases.ts";
import { IndexKeeper } from "../../host/signal-search/keeper.ts";
import * as reference from "../reference/signal-search.ts";
import { Bench, like, made } from "./support.ts";

const nowMs = Date.UTC(2026, 2, 10, 12);
const HOUR_MS = 3_600_000;
const hoursAgo = (hours: number): number => nowMs - hours * HOUR_MS;
const [base] = made(1) as [MadeSignal];
const person = { uuid: "00000000-0000-4000-8000-000000000001", handle: "ada@example.com", name: "Ada" };

/** a: open critical; b: open high; c: under review, assigned; d: archived with a reason; e: open with a case. */
function five(): MadeSignal[] {
  const one = (id: string, severity: MadeSignal["document"]["severity"], createdMs: number, triage: Partial<MadeSignal["triage"]>, document: Partial<MadeSignal["document"]> = {}): MadeSignal =>
    like(base, {
      createdMs, triage: { state: "open", assignee: undefined, reason: "none", reviewedMs: undefined, archivedMs: undefined, incidents: [], cases: [], ...triage },
      document: { id, severity, ...document }, attributes: { usr: { id: id === "a" ? "root" : `user-${id}` }, network: { client: { ip: id === "a" ? "192.0.2.7" : "198.51.100.9", geoip: { country: { name: id === "e" ? "France" : "Japan" } } } } },
    });
  return [
    one("a", "critical", hoursAgo(1), {}, { rule_name: "Root login", tags: ["env:prod", "team:red"], events_matched: 5, last_seen: hoursAgo(0.5) }),
    one("b", "high", hoursAgo(2), {}, { rule_name: "Root login", tags: ["env:prod"], events_matched: 50, last_seen: hoursAgo(1.5) }),
    one("c", "critical", hoursAgo(30), { state: "under_review", assignee: person, reviewedMs: hoursAgo(29) }, { rule_name: "Bucket made public", tags: ["env:dev"], events_matched: 1, last_seen: hoursAgo(20) }),
    one("d", "low", hoursAgo(50), { state: "archived", assignee: person, reason: "false_positive", reviewedMs: hoursAgo(48), archivedMs: hoursAgo(40), incidents: [7] }, { rule_name: "Bucket made public", tags: ["usr.id:tagged"], events_matched: 9, last_seen: hoursAgo(50) }),
    one("e", "info", hoursAgo(200), { cases: ["SEC-1"] }, { rule_name: "Port scan", tags: [], events_matched: 700, last_seen: hoursAgo(199) }),
  ];
}

let bench: Bench;
beforeAll(() => {
  bench = new Bench(five(), { nowMs: () => nowMs });
});
afterAll(() => bench.close());

const found = async (query: string): Promise<string> => [...(await bench.search.search({ query })).ids].sort().join("");
const problemOf = async (work: () => Promise<unknown>): Promise<unknown> => await work().then(() => "answered", (error: unknown) => (error instanceof ProblemError ? error.problems[0]!.code : error));

describe("names and values of signals", () => {
  test.each([
    ["[SI-13] @workflow.triage.state:open", "@workflow.triage.state:open", "abe"], ["[SI-13] under review", "@workflow.triage.state:under_review", "c"], ["[SI-13] archived", "@workflow.triage.state:archived", "d"],
    ["[SI-13] two states", "@workflow.triage.state:(open OR under_review)", "abce"],
    ["[SI-21] status by state, severity by word", "status:open severity:critical", "a"], ["[SI-21] status by severity", "status:critical", "ac"], ["[SI-21] @severity", "@severity:(high OR low)", "bd"],
    ["[SI-21] status of states in a group", "status:(open OR under_review) severity:critical", "ac"], ["[SI-21] both, as two terms", "status:open status:high", "b"], ["[SI-21] any status is any severity", "status:*", "abcde"],
    ["[SI-21] not", "-status:(open OR archived)", "c"], ["severities in their order", "severity:>=high", "abc"], ["severities below", "status:<low", "e"],
    ["[SI-22] triage", "status:triage", "c"], ["[SI-22] closed", "status:closed", "d"], ["[SI-22] in words", 'status:"under review"', "c"], ["[SI-22] at the full name", "@workflow.triage.state:closed", "d"],
    ["[SI-23] @workflow.rule.name", '@workflow.rule.name:"Root login"', "ab"], ["[SI-23] signal.rule.name", 'signal.rule.name:"Root login"', "ab"], ["[SI-23] rule_name", "rule_name:Bucket*", "cd"], ["[SI-23] rule.name", 'rule.name:"Port scan"', "e"], ["[SI-23] @rule.name", '@rule.name:"Port scan"', "e"],
    ["rule_type by the word of the API", `rule_type:${base.document.details!.rule.type}`, "abcde"], ["a type that is none of theirs", "rule_type:compliance", ""],
    ["assignee by handle", "assignee:ada@example.com", "cd"], ["assignee by uuid", `assignee:${person.uuid}`, "cd"], ["nobody's", "-assignee:*", "abe"], ["archive_reason", "archive_reason:false_positive", "d"],
    ["[SI-15] acted upon", "@workflow.triage.acted:true", "cde"], ["[SI-15] not acted upon", "@workflow.triage.acted:false", "ab"], ["with a case", "@workflow.triage.hasCase:true", "e"],
    ["an attribute without @", "network.client.geoip.country.name:France", "e"], ["an attribute, or a tag of that name", "usr.id:(root OR tagged)", "ad"], ["a block of addresses", "CIDR(@network.client.ip, 192.0.2.0/24)", "a"], ["a tag", "env:prod -team:red", "b"],
    ["indicators", "@threat_intel.indicators_matched:*", ""], ["a word of the playbook", "attacker guesses", "abcde"], ["a phrase over the end of a line", '"does not explain Strategy"', "abcde"],
  ])("%s", async (_, query, ids) => expect(await found(query)).toBe(ids));

  test.each(["status:(open OR high)", "status:(critical closed)", "env:prod status:((open) OR low)"])("[SI-21] %s asks for two things at once", async (query) => {
    expect(await problemOf(() => bench.search.search({ query }))).toBe("signals/mixed-status");
  });
  test.each(["status:open OR status:high", "status:(open) status:(high)", 'status:(open OR archived) "status:(high)"'])("%s does not", (query) => expect(readSignalQuery(query).kind).not.toBe("leaf"));
});

describe("order, pages and time", () => {
  test.each([
    ["[SI-12] by", "@workflow.triage.state", "abecd"], ["[SI-12] by", "-@workflow.triage.state", "dceba"], ["by", "severity", "edbac"], ["by", "-severity", "cabde"], ["by", "timestamp", "edcba"], ["by", "-timestamp", "abcde"],
    ["by", "last_seen", "edcba"], ["by", "-events_matched", "ebdac"], ["those without one last, by", "team", "abcde"], ["those without one last, by", "-team", "aedcb"],
  ])("%s %s", async (_, sort, order) => {
    const { ids } = await bench.search.search({ sort });
    expect(ids.join("")).toBe(order);
    const [field, desc] = sort.startsWith("-") ? [sort.slice(1), "desc"] : [sort, "asc"];
    expect((await bench.search.search({ sort: { field, order: desc } })).ids).toEqual(ids);
  });

  test.each([
    ["now-24h", "now", "ab"], ["now-90m", undefined, "a"], ["now-1d/d", "now/d", "c"], ["2026-03-08T00:00:00Z", "2026-03-09T12:00:00.000Z", "cd"], [hoursAgo(31), hoursAgo(2), "c"],
    [hoursAgo(2) / 1000, undefined, "ab"], [undefined, String(hoursAgo(50)), "e"], ["2026-03-10", undefined, "ab"],
  ])("[AP-02] from %s to %s", async (from, to, ids) => expect([...(await bench.search.search({ from, to })).ids].sort().join("")).toBe(ids));

  test.each([[{ from: "yesterday" }, "search/bad-time"], [{ from: "now", to: "now-1h" }, "signals/bad-time"], [{ limit: 0 }, "signals/bad-limit"], [{ limit: 1001 }, "signals/bad-limit"], [{ sort: "" + "@" }, "signals/bad-facet"],
    [{ sort: { field: "timestamp", order: "up" } }, "signals/bad-sort"], [{ cursor: "abc" }, "signals/bad-cursor"], [{ query: "(a" }, "query/unbalanced-parenthesis"]])("%o is refused", async (request, code) => {
    expect(await problemOf(() => bench.search.search(request))).toBe(code);
  });

  test("a cursor is of use to its own query alone", async () => {
    const { after } = await bench.search.search({ query: "env:prod", limit: 1 });
    expect(await problemOf(() => bench.search.search({ query: "env:dev", limit: 1, cursor: after! }))).toBe("signals/bad-cursor");
  });
});

describe("[AP-04] pages of 25", () => {
  test.each(["-timestamp", "timestamp", "-severity", "usr.id", "@network.client.ip", "-team"])("by %s: all signals once, whatever comes and goes meanwhile", async (sort) => {
    const all = made(130, 21);
    const many = new Bench(all, { nowMs: () => Date.UTC(2027, 1) });
    try {
      const whole = (await many.search.search({ sort, limit: 1000, to: "now" })).ids;
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; ; page++) {
        const { ids, after, count } = await many.search.search({ sort, limit: 25, to: "now", cursor });
        seen.push(...ids);
        expect(count).toBe(130 + 3 * page);
        // New ones: some before the cursor, some after, and the last signal of the page goes.
        many.write(...made(4, 900 + page));
        await many.remove(ids.at(-1)!);
        if (after === undefined) break;
        expect(ids.length).toBe(25);
        cursor = after;
      }
      const known = new Set(whole);
      expect(seen.filter((id) => known.has(id))).toEqual(whole);
      expect(new Set(seen).size).toBe(seen.length);
    } finally {
      await many.close();
    }
  });
});

describe("facets", () => {
  test("[SI-14] triage states with counts", async () => {
    const [state] = await bench.search.facets({ facets: ["Signal State"] });
    expect(state!.values.map(({ value, count }) => [value, count])).toEqual([["open", 3], ["archived", 1], ["under_review", 1]]);
  });

  test("[SI-15] what was acted upon: whose, why, by whom, with a case, with an incident", async () => {
    const counted = await bench.search.facets({ facets: ["Acted Upon", "Assignee", "Archive Reason", "State Updated By", "Has Case", "Has Incident"] });
    expect(counted.map(({ values, missing }) => [values.map(({ value, count }) => `${value} ${count}`).join(", "), missing])).toEqual([
      ["true 3, false 2", 0], ["ada@example.com 2", 3], ["none 4, false_positive 1", 0], ["ada@example.com 2", 3], ["false 4, true 1", 0], ["false 4, true 1", 0],
    ]);
  });

  test("[SE-11] a click on any value finds as many signals as the facet says", async () => {
    const facets = ["Status", "Signal State", "Rule Name", "Source", "Env", "Team", "User", "Client IP", "Country", "events_matched", "Has Case", "AWS Account", "tags", "Assignee"];
    let clicked = 0;
    for (const { facet, values, distinct } of await bench.search.facets({ query: "-status:low", facets, limit: 100 })) {
      expect(values.length, facet).toBe(distinct);
      for (const { query, count } of values) {
        clicked++;
        expect((await bench.search.search({ query: `-status:low ${query}` })).count, query).toBe(count);
      }
    }
    expect(clicked).toBe(30);
  });

  test("only what somebody may see is found and counted", async () => {
    const restrict = [readSignalQuery("env:prod"), readSignalQuery("status:archived")];
    expect((await bench.search.search({ restrict })).ids).toEqual(["a", "b", "d"]);
    expect((await bench.search.search({ query: "status:critical", restrict })).ids).toEqual(["a"]);
    expect((await bench.search.facets({ facets: ["Status"], restrict }))[0]!.values.map(({ value }) => value)).toEqual(["critical", "high", "low"]);
    expect((await bench.search.aggregate({ filter: { restrict } })).buckets).toEqual([{ by: {}, computes: { c0: 3 } }]);
    expect(await bench.search.scalar({ query: "count:security_signal", from: 0, to: "now", restrict })).toEqual([{ by: {}, value: 3 }]);
    expect((await bench.search.kpis({ restrict })).timeToDetect.count).toBe(3);
    expect((await bench.search.search({ restrict: [] })).ids).toEqual([]);
  });

  test.each([[{ facets: ["status"], limit: 101 }, "signals/bad-limit"], [{ facets: [""] }, "signals/bad-facet"]])("%o is refused", async (request, code) => {
    expect(await problemOf(() => bench.search.facets(request))).toBe(code);
  });
});

describe("an index beside a store that changes", () => {
  test("questions wait for the index to be whole, and what was committed before one is in its answer", async () => {
    const many = new Bench(made(400, 5), { chunk: 16 });
    try {
      expect((await many.search.status()).isWhole).toBe(false);
      expect((await many.search.search({})).count).toBe(400);
      const [first] = made(1, 77) as [MadeSignal];
      many.write(first);
      expect((await many.search.search({ query: `@usr.id:"${first.document.group["@usr.id"]}" rule_id:${first.document.rule_id}`, limit: 1000 })).ids).toContain(first.document.id);
      many.write(like(first, { triage: { state: "archived", reason: "other" } }));
      await many.search.changed([first.document.id]);
      expect((await many.search.search({ query: "archive_reason:other", sort: "timestamp", limit: 1000 })).ids).toContain(first.document.id);
      await many.remove(first.document.id);
      expect((await many.search.search({})).count).toBe(400);
      // Told that it is gone, though it is there: it stays.
      await many.search.gone([made(1, 5)[0]!.document.id]);
      expect((await many.search.search({})).count).toBe(400);
    } finally {
      await many.close();
    }
  });

  test("what changes while dead rows are cleared away is as it is in the store", async () => {
    const all = made(200, 31);
    const many = new Bench(all);
    const own = new IndexKeeper({ path: many.path, chunk: 50, mostDead: 20 });
    try {
      own.readAll();
      many.write(...all.slice(0, 100).map((signal) => like(signal, { triage: { state: "under_review" } })));
      own.readAll();
      const rowsBefore = own.status.deadRows;
      let steps = 0;
      while (own.tidy()) {
        // In the midst of it: changed, new and gone.
        if (++steps === 5) {
          many.write(like(all[0]!, { triage: { state: "archived", reason: "other" } }), like(all[150]!, { triage: { state: "archived", reason: "other" } }), ...made(5, 32));
          own.readAll();
          many.sql.run("DELETE FROM signals WHERE id = ?", all[3]!.document.id);
          own.remove([all[3]!.document.id]);
        }
      }
      expect([rowsBefore, steps > 10, own.status.signals, own.status.deadRows < 10]).toEqual([100, true, 204, true]);
      const scope = { mostMs: 10_000, sort: { field: undefined, descending: false }, limit: 1000 };
      const plain = many.plain();
      for (const query of ["*", "status:archived", "archive_reason:other", "status:under_review", `@usr.id:"${all[3]!.document.group["@usr.id"]}"`, "identity", "@network.ip.list:1*"]) {
        const node = readSignalQuery(query);
        expect(own.answers.page({ ...scope, node }).ids, query).toEqual(reference.sorted(reference.selected(plain, { node }), undefined, false));
      }
    } finally {
      own.close();
      await many.close();
    }
  });

  test("a signal that cannot be read keeps nobody from the others", async () => {
    const one = new Bench(made(3));
    try {
      one.sql.run("UPDATE signals SET document = '{', change_number = 99 WHERE rowid = 2");
      expect((await one.search.search({})).count).toBe(2);
      expect((await one.search.status()).unread).toBe(1);
    } finally {
      await one.close();
    }
  });

  test("a closed search says so", async () => {
    const one = new Bench(made(1));
    await one.search.search({});
    await one.close();
    await expect(one.search.search({})).rejects.toThrow("closed");
  });

  test("a question that takes too long is refused, and the next is answered", async () => {
    const one = new Bench(made(200), { mostMs: 0 });
    try {
      expect(await problemOf(() => one.search.search({ query: "@usr.id:a* OR b" }))).toBe("signals/too-costly");
    } finally {
      await one.close();
    }
    expect(await found("status:critical")).toBe("ac");
  });
});
