import { mkdirSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Pipeline } from "../../host/event/pipeline/pipeline.ts";
import type { JournalEntry } from "../../host/journal/contract.ts";
import { Journal } from "../../host/journal/journal.ts";
import { createMatcher } from "../../host/matcher.ts";
import { packPipelines } from "../../host/packs.ts";
import { LogsApi } from "../../host/search/http.ts";
import { LogSearch } from "../../host/search/log-search.ts";
import { loadKernel } from "../support/wasm.ts";
import { randomEntry } from "./corpus.ts";
import { Dice, allLogs, entry, folders, lines, node, startMs } from "./support.ts";

const folder = folders();
let pipelines: readonly Pipeline[];
let opened = 0;

beforeAll(async () => {
  loadKernel("simd");
  pipelines = await packPipelines();
}, 240_000);

interface Answer {
  readonly data: ReadonlyArray<{ readonly id: string; readonly type: string; readonly attributes: { readonly message?: string; readonly service?: string; readonly host?: string; readonly status?: string; readonly timestamp: string; readonly tags: readonly string[]; readonly attributes: Record<string, unknown> } }>;
  readonly meta: { readonly status: string; readonly elapsed: number; readonly request_id: string; readonly page?: { readonly after: string }; readonly warnings?: ReadonlyArray<{ readonly code: string }>; readonly facets?: ReadonlyArray<{ readonly facet: string; readonly values: unknown[]; readonly missing: number }> };
}

async function withLogs<T>(entries: readonly JournalEntry[], work: (api: LogsApi, search: LogSearch, journal: Journal) => Promise<T>): Promise<T> {
  const journal = await Journal.open(folder(`api-${opened++}`), { reserveBytes: 0 });
  for (const each of entries) await journal.append([each]);
  const search = new LogSearch(journal, { pipelines });
  try {
    return await work(new LogsApi(search, { nowMs: () => startMs + 60_000 }), search, journal);
  } finally {
    await search.close();
    await journal.close();
  }
}

const found = async (api: LogsApi, query: string, more: object = {}): Promise<Answer> => {
  const { status, body } = await api.search({ filter: { query, from: "now-1d", to: "now+1h" }, ...more });
  expect([status, body]).toEqual([200, expect.anything()]);
  return body as Answer;
};

const messages = async (api: LogsApi, query: string): Promise<Array<string | undefined>> => (await found(api, query, { page: { limit: 100 } })).data.map(({ attributes }) => attributes.message).sort();

describe("what the list of features asks of log search", () => {
  test("[SE-04] @network.ip.list finds an address in a message, in a tag and in a nested array", async () => {
    const at = { timestamp: startMs };
    await withLogs([entry(lines(
      { ...at, message: "in text: peer 203.0.113.7 closed" }, { ...at, message: "in a tag", ddtags: "peer:203.0.113.7" }, { ...at, message: "in an array", a: [{ b: ["x", { c: "203.0.113.7" }] }] },
      { ...at, message: "in an error", error: { message: "refused by 203.0.113.7." } }, { ...at, message: "another: 203.0.113.70" }, { ...at, message: "none" },
    ))], async (api, search) => {
      const wanted = ["in a tag", "in an array", "in an error", "in text: peer 203.0.113.7 closed"];
      expect(await messages(api, "@network.ip.list:203.0.113.7")).toEqual(wanted);
      await search.tend();
      expect(await messages(api, "@network.ip.list:203.0.113.7")).toEqual(wanted);
    });
  });

  test("[SE-08] the last logs a query matches are listed with their number, while a rule is written", async () => {
    const records = Array.from({ length: 40 }, (_, i) => ({ timestamp: startMs + i, evt: { outcome: i % 2 ? "failure" : "success" }, n: i }));
    await withLogs([entry(lines(...records))], async (api) => {
      const answer = await found(api, "@evt.outcome:failure", { page: { limit: 3 }, facets: ["@evt.outcome"] });
      expect(answer.data.map(({ attributes }) => attributes.attributes.n)).toEqual([39, 37, 35]);
      expect(answer.meta.facets).toEqual([{ facet: "@evt.outcome", values: [{ value: "failure", count: 20 }], missing: 0 }]);
    });
  });

  test("[SE-09] a log that is exported as JSON is a unit test of a rule, which passes", async () => {
    const sample = { timestamp: startMs, ddsource: "auth", ddtags: "env:prod,team:blue", hostname: "web-1", service: "sshd", status: "error", message: "Failed password", usr: { id: "deploy" }, n: 1.5, list: [1, "two"] };
    await withLogs([entry(lines({ n: 0 }, sample))], async (api) => {
      const [log] = (await found(api, "@usr.id:deploy")).data;
      const exported = await api.get(log!.id, new URLSearchParams({ format: "ddlog" }));
      expect(exported).toEqual({ status: 200, body: sample });
      const rule = {
        name: "Failed sign-in", type: "log_detection", isEnabled: true, message: "m", options: { evaluationWindow: 300, keepAlive: 600, maxSignalDuration: 3600, detectionMethod: "threshold" },
        queries: [{ name: "a", query: "source:auth status:error env:prod host:web-1 service:sshd @usr.id:deploy @n:1.5 @list:two password", aggregation: "count", groupByFields: [] }],
        cases: [{ name: "c", status: "info", condition: "a > 0", notifications: [] }], tags: [],
        ruleQueryPayloads: [{ index: 0, expectedResult: true, payload: exported.body }],
      };
      mkdirSync(folder("rules"), { recursive: true });
      const file = join(folder("rules"), "rule.json");
      writeFileSync(file, JSON.stringify(rule));
      const printed = execFileSync(process.execPath, [join(import.meta.dirname, "../../host/cli/main.ts"), "rules", "test", file], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
      expect(printed).toContain("1 passed, 0 failed, 0 skipped");
    });
  }, 60_000);

  test("[SE-09] whatever a log is like, its export matches what the log matches", async () => {
    const dice = new Dice(77);
    await withLogs(Array.from({ length: 60 }, (_, i) => randomEntry(dice, i)), async (api, search, journal) => {
      const queries = ["root", "status:error", "source:auth", "@usr.id:deploy", "env:prod", "host:web-1", "service:api", "@network.ip.list:203.0.113.7", "@http.status_code:>=500", "@evt.name:login", "*:password", "message:*"].map(node);
      const matcher = await createMatcher({ queries });
      const envelopes = await allLogs(journal, pipelines);
      for (const { id, event } of envelopes) {
        const { body } = await api.get(id, new URLSearchParams({ format: "ddlog" }));
        const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
        const isEnvelope = "attributes" in (body as object);
        const own = await matcher.match(bytes(event), { format: "log", arrivalMs: startMs });
        const exported = await matcher.match(bytes(body), { format: isEnvelope ? "log" : "intake", arrivalMs: startMs });
        expect([id, exported[0]?.queries]).toEqual([id, own[0]?.queries]);
      }
      expect(envelopes.length).toBeGreaterThan(100);
      await matcher.close();
      await search.tend();
    });
  }, 60_000);

  test("[SE-10] a failed sign-in of sshd is an error: source:auth status:error", async () => {
    const line = "Mar  1 10:00:00 web-1 sshd[411]: Failed password for invalid user admin from 203.0.113.7 port 4022 ssh2\nMar  1 10:00:01 web-1 sshd[412]: Accepted password for deploy from 203.0.113.8 port 4023 ssh2\n";
    await withLogs([entry(line, { profile: { format: "syslog", source: "auth" } })], async (api, search) => {
      for (const round of ["without an index", "with one"]) {
        const { data } = await found(api, "source:auth status:error");
        expect([round, data.length]).toEqual([round, 1]);
        expect(data[0]!.attributes).toMatchObject({ status: "error", host: "web-1", attributes: { usr: { id: "admin" } } });
        await search.tend();
      }
    });
  });

  test("[IN-23] source:(cloudtrail OR aws.guardduty OR azure.activitylogs) finds one of each, with their attributes", async () => {
    await withLogs([
      entry(lines({ timestamp: startMs, ddsource: "cloudtrail", eventName: "ConsoleLogin", userIdentity: { type: "Root" } })),
      entry(lines({ timestamp: startMs, ddsource: "aws.guardduty", detail: { severity: 8, type: "Recon:EC2" } })),
      entry(lines({ timestamp: startMs, ddsource: "azure.activitylogs", operationName: "Microsoft.Storage/write" }, { timestamp: startMs, ddsource: "nginx" })),
    ], async (api) => {
      const { data } = await found(api, "source:(cloudtrail OR aws.guardduty OR azure.activitylogs)");
      expect(data.map(({ attributes }) => attributes.tags.find((tag) => tag.startsWith("source:"))).sort()).toEqual(["source:aws.guardduty", "source:azure.activitylogs", "source:cloudtrail"]);
      expect(data.map(({ attributes }) => attributes.attributes)).toEqual(expect.arrayContaining([
        expect.objectContaining({ eventName: "ConsoleLogin" }), expect.objectContaining({ detail: { severity: 8, type: "Recon:EC2" } }), expect.objectContaining({ operationName: "Microsoft.Storage/write" })]));
    });
  });

  test("[IN-24] auth.log, syslog and Windows security are three values of the source facet", async () => {
    await withLogs([
      entry("Mar  1 10:00:00 web-1 sshd[411]: Accepted password for deploy from 203.0.113.8 port 4023 ssh2\n", { profile: { format: "syslog", source: "auth" } }),
      entry("<13>Mar  1 10:00:02 web-1 cron[7]: job done\n", { profile: { format: "syslog" } }),
      entry(lines({ timestamp: startMs, ddsource: "windows.events", Event: { System: { EventID: 4624 } } })),
    ], async (api) => {
      const { meta, data } = await found(api, "*", { facets: ["source"] });
      expect(data.length).toBe(3);
      expect(meta.facets![0]!.values).toEqual(["auth", "syslog", "windows.events"].map((value) => ({ value, count: 1 })));
    });
  });
});

describe("the logs API", () => {
  const records = Array.from({ length: 25 }, (_, i) => ({ timestamp: startMs + i * 1000, ddsource: i % 5 ? "app" : "auth", service: `s${i % 3}`, message: `log ${i}`, ddtags: "env:prod", usr: { id: [`u${i % 2}`, "all"] } }));

  test("gives Datadog's shape, and pages to the end by meta.page.after", async () => {
    await withLogs([entry(lines(...records))], async (api) => {
      const first = await found(api, "env:prod", { page: { limit: 10 } });
      expect(first.data[0]).toEqual({
        id: expect.stringMatching(/^\d+-\d+-24$/), type: "log",
        attributes: { attributes: { ...records[24] }, message: "log 24", service: "s0", status: "info", tags: ["env:prod", "source:app"], timestamp: "2026-03-01T10:00:24.000Z" },
      });
      expect(first.meta).toEqual({ elapsed: expect.any(Number), request_id: expect.any(String), status: "done", page: { after: expect.any(String) } });
      const got = first.data.map(({ id }) => id);
      for (let after = first.meta.page?.after; after !== undefined;) {
        const page: Answer = await found(api, "env:prod", { page: { limit: 10, cursor: after } });
        got.push(...page.data.map(({ id }) => id));
        after = page.meta.page?.after;
      }
      expect(new Set(got).size).toBe(25);
      const listed = await api.list(new URLSearchParams({ "filter[query]": "source:auth", "filter[from]": String(startMs), "filter[to]": "2026-03-01T10:00:11Z", sort: "timestamp", "page[limit]": "2" }));
      expect((listed.body as Answer).data.map(({ attributes }) => attributes.message)).toEqual(["log 0", "log 5"]);
      const rest = await api.list(new URLSearchParams({ "filter[query]": "source:auth", sort: "timestamp", "page[limit]": "2", "page[cursor]": (listed.body as Answer).meta.page!.after }));
      expect((rest.body as Answer).data.map(({ attributes }) => attributes.message)).toEqual(["log 10"]);
      expect((rest.body as Answer).meta.page).toBeUndefined();
    });
  });

  test("one log by its id, as JSON:API and as a unit test takes it; 404 for one that is not there", async () => {
    await withLogs([entry(lines(...records))], async (api) => {
      const [log] = (await found(api, "\"log 3\"")).data;
      expect((await api.get(log!.id)).body).toEqual({ data: log });
      expect(await api.get("1-99-0")).toEqual({ status: 404, body: { errors: [expect.stringContaining("Log not found")] } });
      expect((await api.get("../../etc/passwd")).status).toBe(404);
      expect((await api.get(log!.id, new URLSearchParams({ format: "xml" }))).status).toBe(400);
    });
  });

  test("counts by facets and over time", async () => {
    await withLogs([entry(lines(...records))], async (api) => {
      const filter = { query: "*", from: "now-1d", to: "now+1h" };
      const buckets = async (body: object): Promise<unknown> => {
        const { status, body: answer } = await api.aggregate({ filter, ...body });
        expect(status).toBe(200);
        return (answer as { data: { buckets: unknown } }).data.buckets;
      };
      expect(await buckets({})).toEqual([{ by: {}, computes: { c0: 25 } }]);
      expect(await buckets({ compute: [{ aggregation: "count" }], group_by: [{ facet: "service" }] })).toEqual([{ by: { service: "s0" }, computes: { c0: 9 } }, { by: { service: "s1" }, computes: { c0: 8 } }, { by: { service: "s2" }, computes: { c0: 8 } }]);
      expect(await buckets({ group_by: [{ facet: "@usr.id", limit: 2, sort: { order: "asc" } }] })).toEqual([{ by: { "@usr.id": "u1" }, computes: { c0: 12 } }, { by: { "@usr.id": "u0" }, computes: { c0: 13 } }]);
      expect(await buckets({ group_by: [{ facet: "source", limit: 1 }, { facet: "service", limit: 1 }] })).toEqual([{ by: { source: "app", service: "s0" }, computes: { c0: 7 } }]);
      expect(await buckets({ compute: [{ aggregation: "count", type: "timeseries", interval: "10s" }, { aggregation: "count" }] })).toEqual([{
        by: {},
        computes: { c0: [["10:00:00", 10], ["10:00:10", 10], ["10:00:20", 5]].map(([time, value]) => ({ time: `2026-03-01T${time}.000Z`, value })), c1: 25 },
      }]);
    });
  });

  test.each<[string, unknown, string]>([
    ["no object", [], "an object is wanted"], ["a number", 7, "an object is wanted"], ["a filter of text", { filter: "x" }, "filter: an object is wanted"],
    ["a broken query", { filter: { query: 'source:"auth' } }, "quote"], ["a query of 100,000 parentheses", { filter: { query: "(".repeat(100_000) } }, "query"], ["a query that is no text", { filter: { query: { a: 1 } } }, "filter.query: a text"],
    ["no time", { filter: { from: "yesterday" } }, "filter.from: \"yesterday\" is no time; write now-1h"], ["time as a list", { filter: { to: [1] } }, "filter.to"], ["time turned round", { filter: { from: "now", to: "now-1h" } }, "let from be before to"],
    ["a limit of 0", { page: { limit: 0 } }, "page.limit"], ["a limit of 1001", { page: { limit: 1001 } }, "use 1 to 1000"], ["a limit of text", { page: { limit: "10" } }, "page.limit"],
    ["another order", { sort: "-status" }, "use timestamp or -timestamp"], ["a cursor of somebody's own", { page: { cursor: "abc" } }, "cursor"], ["facets that are none", { facets: [1] }, "facets[0]"], ["too many facets", { facets: ["a", "b", "c", "d", "e", "f", "g", "h", "i"] }, "8 at most"],
    ["names of the prototype", { __proto__: { filter: 1 }, constructor: 1, page: { limit: 5 }, sort: "x" }, "sort"],
  ])("%s is refused with a hint", async (_name, body, hint) => {
    await withLogs([], async (api) => {
      const { status, body: answer } = await api.search(body);
      expect([status, (answer as { errors: string[] }).errors.join(" ")]).toEqual([400, expect.stringContaining(hint)]);
    });
  });

  test.each<[string, unknown, string]>([
    ["an average", { compute: [{ aggregation: "avg", metric: "@a" }] }, "use count"], ["another kind", { compute: [{ type: "table" }] }, "total or timeseries"], ["no width", { compute: [{ type: "timeseries", interval: "soon" }] }, "5m"],
    ["no facet", { group_by: [{}] }, "group_by[0].facet"], ["limit", { group_by: [{ facet: "a", limit: 0 }] }, "group_by[0].limit"], ["no list", { compute: {} }, "compute: a list"],
  ])("an aggregate with %s is refused", async (_name, body, hint) => {
    await withLogs([], async (api) => {
      expect(await api.aggregate(body)).toEqual({ status: 400, body: { errors: [expect.stringContaining(hint)] } });
    });
  });

  test("an empty journal answers with nothing", async () => {
    await withLogs([], async (api) => {
      expect((await api.search(undefined)).body).toMatchObject({ data: [], meta: { status: "done" } });
      expect(await api.aggregate({})).toMatchObject({ status: 200, body: { data: { buckets: [] } } });
    });
  });

  test("queries full of wildcards and odd names end, and their counts agree with each other", async () => {
    const hostile = [`@${"a.".repeat(200)}b:x`, `*${"?*".repeat(200)}`, `@a:${"*a".repeat(100)}*`, "@__proto__.x:1", "@constructor:*", "\\*\\*\\*", "\"\u202e\u0000x\"", "@a:\"\\u0064\"", `(${Array.from({ length: 500 }, (_, i) => `@f${i}:x`).join(" OR ")})`];
    await withLogs([entry(lines(...records))], async (api, search) => {
      await search.tend();
      for (const query of hostile) {
        const [one, other] = [await api.search({ filter: { query, from: "now-1d", to: "now+1h" }, page: { limit: 1000 } }), await api.aggregate({ filter: { query, from: "now-1d", to: "now+1h" } })];
        expect([query, one.status]).toEqual([query, other.status]);
        if (one.status !== 200) continue;
        const counted = (other.body as { data: { buckets: Array<{ computes: { c0: number } }> } }).data.buckets[0]?.computes.c0 ?? 0;
        expect([query, (one.body as Answer).data.length]).toEqual([query, counted]);
      }
    });
  }, 60_000);
});
