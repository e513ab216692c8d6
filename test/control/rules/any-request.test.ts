import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { detectionMethods, ruleTypes } from "../../../host/rule/rule.ts";
import { serveRules } from "./room-support.ts";
import { BASE, type Wire, loginRule } from "./support.ts";

const json = fc.jsonValue({ depthSize: "small" });
const number = fc.oneof(fc.constantFrom(0, 60, 300, 3600, 86400, -1, 1e300), fc.integer());
const text = fc.oneof(fc.constantFrom("", "a", "*", "source:auth", "@usr.id:(a OR", "a > 2", "a > 0 && b > 1", "THEN", "__proto__", "new-new-new", "\u0000", "\ud800"), fc.string());

/** A rule, as a whole right or nearly so. */
const query = fc.record({ name: text, query: text, aggregation: fc.constantFrom("count", "cardinality", "sum", "max", "new_value", "geo_data", "event_count", "none", 3), groupByFields: fc.array(text, { maxLength: 3 }), metrics: fc.array(text, { maxLength: 2 }), distinctFields: fc.array(text, { maxLength: 2 }), dataSource: fc.constantFrom("logs", "audit", "spans", "nowhere"), ruleId: text, correlatedByFields: fc.array(text, { maxLength: 2 }), customQueryExtension: text }, { requiredKeys: [] });
const each = fc.record({ name: text, status: fc.constantFrom("info", "low", "high", "critical", "urgent", null), condition: text, notifications: fc.array(text, { maxLength: 2 }), query: text, customStatus: text }, { requiredKeys: [] });
const options = fc.record({ detectionMethod: fc.constantFrom(...detectionMethods, "magic"), evaluationWindow: number, keepAlive: number, maxSignalDuration: number, thirdPartyRuleOptions: json, sequenceDetectionOptions: json, newValueOptions: json, anomalyDetectionOptions: json, hardcodedEvaluatorType: fc.constantFrom("log4shell", "x") }, { requiredKeys: [] });
const anyRule = fc.record({
  name: text, message: text, isEnabled: fc.boolean(), type: fc.constantFrom(...ruleTypes, "x"), tags: fc.array(text, { maxLength: 3 }), queries: fc.array(query, { maxLength: 3 }), cases: fc.array(each, { maxLength: 3 }),
  thirdPartyCases: fc.array(each, { maxLength: 2 }), options, filters: json, referenceTables: json, groupSignalsBy: json, schedulingOptions: json, calculatedFields: json, tests: json, deprecationDate: fc.oneof(number, json), version: fc.oneof(number, json), metadata: json, customName: json, id: text,
}, { requiredKeys: [] });
/** A good rule with one member that is something else. */
const mutated = fc.tuple(fc.constantFrom(...Object.keys(loginRule()), "customMessage", "replacedBy", "filters", "defaultTags"), fc.oneof(json, text, number)).map(([name, value]): Wire => ({ ...loginRule(), [name]: value }));
const rule = fc.oneof(mutated, anyRule as fc.Arbitrary<Wire>, json as fc.Arbitrary<Wire>);

const known = ["pack-logins", "file-logins", "own"];
const id = fc.constantFrom(...known, "aaa-bbb-ccc", "__proto__", "%00");
const ids = (type: string) => fc.record({ data: fc.record({ type: fc.constantFrom(type, "x"), attributes: fc.oneof(fc.record({ ruleIds: fc.array(fc.constantFrom(...known.slice(0, 2), "none"), { maxLength: 3 }) }), json) }) });
const bound = fc.oneof(text, number);
const page = fc.record({ "page[size]": bound, "page[number]": bound, query: text, sort: fc.constantFrom("name", "-source", "x") }, { requiredKeys: [] });

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}
const asked = (query: Readonly<Record<string, unknown>>): string => new URLSearchParams(Object.entries(query).map(([name, value]): [string, string] => [name, String(value).toWellFormed()])).toString();

const request: fc.Arbitrary<Request> = fc.oneof(
  page.map((query) => ({ method: "GET", path: `?${asked(query)}` })),
  ...["", "/validation", "/convert"].map((path) => rule.map((body) => ({ method: "POST", path, body }))),
  fc.tuple(id, rule).map(([one, body]) => ({ method: "PUT", path: `/${one}`, body })),
  fc.tuple(id, fc.constantFrom("", "/convert", "/version_history", "/version_history?page[size]=3", "/versions/diff?from=1&to=2&mode=unified", "/versions/diff?from=x")).map(([one, rest]) => ({ method: "GET", path: `/${one}${rest}` })),
  fc.tuple(id, fc.record({ ruleQueryPayloads: fc.oneof(fc.array(fc.record({ index: number, expectedResult: fc.boolean(), payload: json }, { requiredKeys: [] }), { maxLength: 3 }), json) })).map(([one, body]) => ({ method: "POST", path: `/${one}/test`, body })),
  fc.record({ rule, ruleQueryPayloads: fc.array(fc.record({ index: fc.nat(3), expectedResult: fc.boolean(), payload: fc.oneof(fc.record({ message: text, ddtags: text, ddsource: text }), json) }), { maxLength: 2 }) }).map((body) => ({ method: "POST", path: "/test", body })),
  fc.tuple(id, fc.oneof(fc.record({ name: text, isEnabled: fc.boolean() }), json)).map(([one, body]) => ({ method: "POST", path: `/${one}/clone`, body })),
  fc.tuple(id, bound).map(([one, version]) => ({ method: "POST", path: `/${one}/restore/${encodeURIComponent(String(version).toWellFormed())}` })),
  ids("security_monitoring_rules_bulk_export").map((body) => ({ method: "POST", path: "/bulk_export", body })),
  ids("security_monitoring_rules_convert_bulk").map((body) => ({ method: "POST", path: "/convert/bulk", body })),
  ids("bulk_delete_rules").map((body) => ({ method: "DELETE", path: "/bulk_delete", body })),
  fc.oneof(fc.array(rule, { maxLength: 2 }), rule, fc.string()).map((body) => ({ method: "POST", path: "/bulk_import", body })),
  fc.record({ rule, queries: fc.array(query, { maxLength: 2 }), from: bound, limit: number }, { requiredKeys: [] }).map((body) => ({ method: "POST", path: "/preview", body })),
);

describe("any request", () => {
  test("[AP-07] has an answer of the API's form and no fault of the server's, and leaves rules that the engine runs", async () => {
    const { ask, faults, rules } = await serveRules([{ ...loginRule(), id: "pack-logins", isDefault: true }, { ...loginRule(), id: "file-logins" }]);
    const own = (await ask("POST", BASE, loginRule())).body.id as string;
    const taken = { ok: 0, refused: 0 };
    await fc.assert(fc.asyncProperty(request, async ({ method, path, body }) => {
      const answer = await ask(method, `${BASE}${path.replace("/own", `/${own}`)}`, body);
      expect([answer.status < 500 || JSON.stringify(faults), answer.status, answer.text.slice(0, 200)]).toEqual([true, expect.any(Number), expect.any(String)]);
      if (answer.status >= 400) expect(answer.body.errors.length).toBeGreaterThan(0);
      taken[answer.status < 400 ? "ok" : "refused"]++;
    }), { numRuns: 1500 });
    expect(Math.min(taken.ok, taken.refused)).toBeGreaterThan(100);
    expect(rules().length).toBeGreaterThan(2);
  }, 120_000);

  test("[RU-25] [RB-05] nobody without the right may read or change rules, whatever the call", async () => {
    const { api, ask } = await serveRules();
    for (const { method, path, permission } of api.routes) {
      const body = method === "GET" ? undefined : {};
      const at = path.replace(":rule_id", "aaa-bbb-ccc").replace(":version", "1");
      const isRead = permission === "security_monitoring_rules_read";
      expect([path, (await ask(method, at, body, "")).status, (await ask(method, at, body, "nobody")).status]).toEqual([path, 401, 403]);
      if (permission !== "security_monitoring_rules_read") expect((await ask(method, at, body, "reader")).status).toBe(403);
      if (isRead) expect((await ask(method, at, body, "writer")).status).toBe(403);
    }
  });
});
