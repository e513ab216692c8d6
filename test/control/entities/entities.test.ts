import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { STANDARD_ROLE_ID } from "../../../host/control/people/managed-roles.ts";
import type { VespidServer } from "../../../host/serve/server.ts";
import { type Payload, TestRules, send, serverFolder } from "../../serve/support.ts";
import { call } from "../audit-support.ts";

const ENTITIES = "/api/v2/security/entities";
const RISK_SCORES = "/api/v2/security-entities/risk-scores";
const SIGNALS = "/api/v2/security_monitoring/signals";
const rule = (id: string, status: string): Payload => ({
  id, name: `Rule ${id}`, message: "Look.", isEnabled: true, type: "log_detection", tags: ["tactic:TA0006-credential-access"], options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: `source:auth @evt.name:${id}`, aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status, condition: "a > 0" }],
});
const log = (name: string, user: string, service = "sso"): Payload => ({ message: `${name} by ${user}`, ddsource: "auth", service, ddtags: "env:prod", evt: { name }, usr: { id: user }, network: { client: { ip: "203.0.113.7" } } });

describe("entities of a server", () => {
  const folder = serverFolder();
  const start = async (name: string): Promise<VespidServer> => {
    const server = await folder.start(new TestRules([rule("burst", "critical"), rule("leak", "high"), rule("probe", "medium"), rule("note", "info")]), { data: join(folder.path, name) });
    expect(await send(server, [log("burst", "ann"), log("leak", "ann"), log("leak", "bob"), log("probe", "cid", "vault"), log("probe", "c/d é?", "vault"), log("note", "dee")])).toBe(202);
    await server.detection.storeSignals();
    return server;
  };
  const list = async (server: VespidServer, query = ""): Promise<[string, number, string][]> => {
    const { body } = await call(server, "GET", `${ENTITIES}?filter[query]=${encodeURIComponent(query)}`);
    return body.data.map(({ id, attributes }: any) => [id, attributes.score, attributes.severity]);
  };

  test("[OV-11] [OV-13] [OV-14] the list tells name, type, score, last update and change of each, most at risk first, and counts them", async () => {
    const server = await start("list");
    expect(await list(server)).toEqual([
      ["ip:203.0.113.7", 210, "critical"], ["service:sso", 200, "critical"], ["user:ann", 150, "critical"], ["user:bob", 50, "high"], ["service:vault", 10, "low"], ["user:c/d é?", 5, "info"], ["user:cid", 5, "info"],
    ]);
    const { body } = await call(server, "GET", `${ENTITIES}?filter[query]=type:user&sort=-score&page[limit]=1`);
    expect(body.meta).toEqual({ as_of: expect.any(String), total: 4, types: { user: 4 }, severities: { info: 2, low: 0, medium: 0, high: 1, critical: 1 } });
    const [signal] = (await call(server, "GET", `${SIGNALS}?filter[query]=${encodeURIComponent("@usr.id:ann rule_id:leak")}`)).body.data;
    expect(body.data[0]).toEqual({
      id: "user:ann", type: "entity", attributes: {
        type: "user", value: "ann", score: 150, severity: "critical", score_change: 150, last_updated: signal.attributes.timestamp, first_seen: expect.any(String), last_seen: expect.any(String), signals: 2, contributing_signals: 2,
        signal_counts: { info: 0, low: 0, medium: 0, high: 1, critical: 1 }, sources: ["auth"], misconfigurations: [], href: "/security/entities/user/ann", signals_query: '@workflow.entities:"user:ann"',
        attributes: { services: ["sso"], environments: ["prod"], accounts: [], tactics: ["TA0006-credential-access"], techniques: [], last_signal_title: expect.stringMatching(/^Rule (?:burst|leak)$/) },
      },
    });
    const seen: string[] = [];
    for (let path: string | undefined = `${ENTITIES}?page[limit]=2`; path; ) {
      const page: any = (await call(server, "GET", path)).body;
      seen.push(...page.data.map(({ id }: any) => id));
      path = page.links?.next;
    }
    expect(seen).toEqual((await list(server)).map(([id]) => id));
    expect((await list(server, "severity:(high OR critical) -type:user")).map(([id]) => id)).toEqual(["ip:203.0.113.7", "service:sso"]);
    expect((await list(server, "rule_id:probe type:user")).map(([id]) => id)).toEqual(["user:c/d é?", "user:cid"]);
    const { attributes } = (await call(server, "GET", `${ENTITIES}/summary`)).body.data;
    expect(attributes.top.map(({ id }: any) => id)).toEqual(seen);
    expect(attributes.types).toEqual([{ name: "user", count: 4, href: "/security/entities?query=type%3Auser" }, { name: "service", count: 2, href: "/security/entities?query=type%3Aservice" }, { name: "ip", count: 1, href: "/security/entities?query=type%3Aip" }]);
    expect(attributes.severities.map(({ name, count }: any) => [name, count])).toEqual([["critical", 3], ["high", 1], ["medium", 0], ["low", 1], ["info", 2]]);
  });

  test("[OV-12] [SI-29] one tells what adds to its score, rule by rule and over time; its signals are archived many at once, and those that were none count no more", async () => {
    const server = await start("one");
    const one = async (id: string, more = ""): Promise<any> => (await call(server, "GET", `${ENTITIES}/${encodeURIComponent(id)}${more}`)).body.data;
    const { attributes } = await one("user:ann");
    expect(attributes.contributions.map(({ rule: { id }, points, severity, state }: any) => [id, points, severity, state])).toEqual([["burst", 100, "critical", "open"], ["leak", 50, "high", "open"]]);
    for (const { created_at: created, expires_at: expires, expires_in_seconds: left } of attributes.contributions) {
      expect(Date.parse(expires) - Date.parse(created)).toBe(14 * 86_400_000);
      expect(left).toBe(Math.ceil((Date.parse(expires) - Date.parse(attributes.as_of)) / 1000));
    }
    expect(attributes.rules.map(({ id, points, share, signals }: any) => [id, points, Math.round(share * 100), signals])).toEqual([["burst", 100, 67, 1], ["leak", 50, 33, 1]]);
    expect([attributes.timeline.length, attributes.timeline.at(-1).score, attributes.timeline[0].score]).toEqual([14 * 24 + 1, 150, 0]);
    expect(attributes.related.map(({ id, shared_signals: shared, score }: any) => [id, shared, score])).toEqual([["ip:203.0.113.7", 2, 210], ["service:sso", 2, 200]]);
    expect(attributes.queries).toMatchObject({ logs: '@usr.id:"ann"', suppression: '@usr.id:"ann"' });
    const odd = await one("user:c/d é?", "?interval=1d&page[limit]=1");
    expect(odd.attributes).toMatchObject({ value: "c/d é?", score: 5, queries: { logs: '@usr.id:"c/d é?"' } });
    expect(odd.attributes.timeline.length).toBe(15);
    const found = (await call(server, "GET", `${SIGNALS}?filter[query]=${encodeURIComponent(attributes.queries.contributing)}`)).body.data;
    expect(found.map(({ id }: any) => id).toSorted()).toEqual(attributes.contributions.map((each: any) => each.signal_id).toSorted());
    const archive = async (reason: string): Promise<number> => (await call(server, "PATCH", `${SIGNALS}/bulk/state`, { data: found.map(({ id }: any) => ({ id, attributes: { state: "archived", archive_reason: reason } })) })).status;
    expect(await archive("remediated")).toBe(200);
    expect((await one("user:ann")).attributes.score).toBe(150);
    expect(await archive("false_positive")).toBe(200);
    expect((await one("user:ann")).attributes).toMatchObject({ score: 0, severity: "info", signals: 2, contributing_signals: 0, contributions: [], rules: [] });
    expect((await list(server)).map(([id, score]) => [id, score])).toEqual([["ip:203.0.113.7", 60], ["service:sso", 50], ["user:bob", 50], ["service:vault", 10], ["user:c/d é?", 5], ["user:cid", 5]]);
    expect((await call(server, "GET", `${SIGNALS}?filter[query]=${encodeURIComponent(attributes.queries.contributing)}`)).body.data).toEqual([]);
    // One whose signals have no points has a page, and is in no list.
    expect((await one("user:dee")).attributes).toMatchObject({ score: 0, score_change: 0, signal_counts: { info: 1 } });
    expect((await call(server, "GET", `${ENTITIES}/user%3Anobody`)).status).toBe(404);
    expect((await call(server, "GET", `${ENTITIES}/user%3Aann?as_of=now-1d`)).status).toBe(404);
    expect((await call(server, "GET", `${ENTITIES}/user%3A${"x".repeat(2000)}`)).body).toEqual({ errors: ["Entity not found"] });
    expect(folder.faults).toEqual([]);
  });

  test("[AP-01] Datadog's own calls answer in its form, with every field its clients need", async () => {
    const server = await start("official");
    const { body } = await call(server, "GET", `${RISK_SCORES}?page[size]=2&page[number]=1&filter[sort]=riskScore:asc&entityType=user&entityType=ip`);
    expect(body.meta).toEqual({ pageNumber: 1, pageSize: 2, queryId: expect.stringMatching(/^[0-9a-z]+$/), totalRowCount: 5 });
    expect(body.data.map(({ id }: any) => id)).toEqual(["user:c/d é?", "user:cid"]);
    const next = (await call(server, "GET", `${RISK_SCORES}?page[size]=2&page[number]=3&page[queryId]=${body.meta.queryId}&filter[sort]=riskScore:asc&entityType=user,ip`)).body;
    expect([next.meta.queryId, next.data.map(({ id }: any) => id)]).toEqual([body.meta.queryId, ["ip:203.0.113.7"]]);
    expect((await call(server, "GET", `${RISK_SCORES}?filter[query]=${encodeURIComponent("severity:critical AND entityType:user")}`)).body.data).toEqual([(await call(server, "GET", `${RISK_SCORES}/user%3Aann`)).body.data]);
    expect((await call(server, "GET", `${RISK_SCORES}/user%3Aann`)).body.data).toEqual({
      id: "user:ann", type: "SecurityEntityRiskScore", attributes: {
        accountIds: [], configRisks: { hasIdentityRisk: false, hasMisconfiguration: false, hasPrivilegedRole: false, isPrivileged: false, isProduction: true, isPubliclyAccessible: false },
        entityMetadata: { environments: ["prod"], mitreTactics: ["TA0006-credential-access"], mitreTechniques: [], services: ["sso"], sources: ["auth"] }, entityName: "ann", entityProviders: [], entityRoles: [], entitySubTypes: [],
        entityType: "user", entityTypes: ["user"], firstDetected: expect.any(Number), lastActivityTitle: expect.any(String), lastDetected: expect.any(Number), riskScore: 150, riskScoreEvolution: 150, severity: "critical", signalsDetected: 2,
      },
    });
    expect((await call(server, "GET", `${RISK_SCORES}/nothing`)).status).toBe(404);
    expect((await call(server, "GET", `${RISK_SCORES}?to=1000`)).body.meta.totalRowCount).toBe(0);
    for (const wrong of ["page[queryId]=%2A", "page[number]=0", "filter[sort]=colour", "filter[query]=%28", "to=-1"]) expect((await call(server, "GET", `${RISK_SCORES}?${wrong}`)).status).toBe(400);
    for (const wrong of ["as_of=soon", "sort=colour", "filter[query]=type%3A", "page[limit]=0", "page[offset]=-1"]) expect((await call(server, "GET", `${ENTITIES}?${wrong}`)).status).toBe(400);
    for (const wrong of ["interval=1s", "interval=x", "as_of=x"]) expect((await call(server, "GET", `${ENTITIES}/user%3Aann?${wrong}`)).status).toBe(400);
  });

  test("[AU-07] a role that sees few signals is told scores of those alone, and of no entity it does not see", async () => {
    const server = await start("restricted");
    const role = (await call(server, "POST", `/api/v2/roles/${STANDARD_ROLE_ID}/clone`, { data: { type: "roles", attributes: { name: "vault" } } })).body.data.id;
    expect((await call(server, "PUT", `/api/v2/roles/${role}/restriction_query`, { data: { attributes: { restriction_query: "service:vault" } } })).status).toBe(200);
    const user = (await call(server, "POST", "/api/v2/users", { data: { type: "users", attributes: { email: "few@example.com" }, relationships: { roles: { data: [{ id: role, type: "roles" }] } } } })).body.data.id;
    const application = (await call(server, "POST", "/api/v2/application_keys", { data: { type: "application_keys", attributes: { name: "few" }, relationships: { owned_by: { data: { id: user, type: "users" } } } } })).body.data.attributes.key;
    const api = (await call(server, "POST", "/api/v2/api_keys", { data: { type: "api_keys", attributes: { name: "few" } } })).body.data.attributes.key;
    const ask = async (path: string): Promise<any> => await call(server, "GET", path, undefined, { "dd-api-key": api, "dd-application-key": application });
    const scores = [["ip:203.0.113.7", 10], ["service:vault", 10], ["user:c/d é?", 5], ["user:cid", 5]];
    expect((await ask(ENTITIES)).body.data.map(({ id, attributes }: any) => [id, attributes.score])).toEqual(scores);
    expect((await ask(RISK_SCORES)).body.data.map(({ id, attributes }: any) => [id, attributes.riskScore])).toEqual(scores);
    expect((await ask(`${ENTITIES}/summary`)).body.data.attributes.severities.map(({ count }: any) => count)).toEqual([0, 0, 0, 2, 2]);
    const { attributes } = (await ask(`${ENTITIES}/ip%3A203.0.113.7`)).body.data;
    expect([attributes.score, attributes.signals, attributes.contributions.length, attributes.related.map(({ id }: any) => id)]).toEqual([10, 2, 2, ["service:vault", "user:c/d é?", "user:cid"]]);
    for (const path of [`${ENTITIES}/user%3Aann`, `${RISK_SCORES}/user%3Aann`, `${ENTITIES}/service%3Asso`]) expect((await ask(path)).status).toBe(404);
    expect((await ask(`${ENTITIES}?filter[query]=${encodeURIComponent("rule_id:burst")}`)).body.data).toEqual([]);
  });
});
