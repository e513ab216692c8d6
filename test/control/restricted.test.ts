import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { READ_ONLY_ROLE_ID, STANDARD_ROLE_ID } from "../../host/control/people/managed-roles.ts";
import type { VespidServer } from "../../host/serve/server.ts";
import { type Payload, TestRules, send, serverFolder, until } from "../serve/support.ts";
import { type Told, call } from "./audit-support.ts";

const RULES = "/api/v2/security_monitoring/rules";
const SIGNALS = "/api/v2/security_monitoring/signals";
const SUPPRESSIONS = "/api/v2/security_monitoring/configuration/suppressions";
const JOBS = "/api/v2/siem-historical-detections/jobs";
const rule: Payload = {
  id: "logins", name: "Logins", message: "Look.", isEnabled: true, type: "log_detection", tags: [], options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: "source:auth", aggregation: "count", groupByFields: ["@usr.id", "service"] }], cases: [{ name: "", status: "high", condition: "a > 0" }],
};
const log = (user: string, service: string): Payload => ({ message: user, ddsource: "auth", service, usr: { id: user } });

describe("[AU-07] a role whose query hides most", () => {
  const folder = serverFolder();

  /** @returns asks as a new user of one role */
  async function somebody(server: VespidServer, like: string, query: string | null): Promise<(method: string, path: string, body?: unknown) => Promise<Told>> {
    const name = `user-${Math.random().toString(36).slice(2)}`;
    const role = (await call(server, "POST", `/api/v2/roles/${like}/clone`, { data: { type: "roles", attributes: { name } } })).body.data.id;
    expect((await call(server, "PUT", `/api/v2/roles/${role}/restriction_query`, { data: { attributes: { restriction_query: query } } })).status).toBe(200);
    const user = (await call(server, "POST", "/api/v2/users", { data: { type: "users", attributes: { email: `${name}@example.com` }, relationships: { roles: { data: [{ id: role, type: "roles" }] } } } })).body.data.id;
    const application = (await call(server, "POST", "/api/v2/application_keys", { data: { type: "application_keys", attributes: { name }, relationships: { owned_by: { data: { id: user, type: "users" } } } } })).body.data.attributes.key;
    const api = (await call(server, "POST", "/api/v2/api_keys", { data: { type: "api_keys", attributes: { name } } })).body.data.attributes.key;
    return (method, path, body) => call(server, method, path, body, { "dd-api-key": api, "dd-application-key": application });
  }

  test("hides them from the report of a rule, from what suppressions stopped and from the numbers of jobs as well", async () => {
    const server = await folder.start(new TestRules([rule]), { data: join(folder.path, "hidden") });
    const { id: suppression } = (await call(server, "POST", SUPPRESSIONS, { data: { type: "suppressions", attributes: { name: "quiet", enabled: true, rule_query: "*", suppression_query: "@usr.id:quiet*" } } })).body.data;
    await send(server, [log("ann", "web"), log("bob", "secret"), log("cid", "secret"), log("cid", "secret"), log("quiet-1", "web"), log("quiet-2", "secret")]);
    await server.detection.storeSignals();
    for (const { id } of server.signals.all()) await call(server, "PATCH", `${SIGNALS}/${id}/state`, { data: { attributes: { state: "archived", archive_reason: "false_positive" } } });
    const wide = await somebody(server, STANDARD_ROLE_ID, null);
    const narrow = await somebody(server, STANDARD_ROLE_ID, "service:web");
    const tuning = async (ask: typeof wide): Promise<unknown> => {
      const { matches, signals, archived, suppressed, archive_reasons: reasons } = (await ask("GET", `${RULES}/logins/tuning?to=now%2B1m`)).body.data.attributes;
      return { matches, signals, archived, suppressed, reasons };
    };
    expect(await tuning(wide)).toEqual({ matches: 4, signals: 3, archived: 3, suppressed: 2, reasons: { false_positive: 3 } });
    expect(await tuning(narrow)).toEqual({ matches: 1, signals: 1, archived: 1, suppressed: 0, reasons: { false_positive: 1 } });
    const stats = async (ask: typeof wide): Promise<unknown> => {
      const { matches, by_rule: byRule, samples } = (await ask("GET", `${SUPPRESSIONS}/${suppression}/stats`)).body.data.attributes;
      return [matches, byRule.map((each: Payload) => each.matches), samples.length];
    };
    expect([await stats(wide), await stats(narrow)]).toEqual([[2, [2], 2], [1, [1], 1]]);
    const job = { data: { type: "historicalDetectionsJobCreate", attributes: { fromRule: { id: "logins", from: Date.now() - 3_600_000, to: Date.now() + 60_000, index: "main" } } } };
    const [ofWide, ofNarrow] = [(await wide("POST", JOBS, job)).body.data.id, (await narrow("POST", JOBS, job)).body.data.id];
    await until(async () => (await wide("GET", JOBS)).body.data.every(({ attributes }: any) => attributes.jobStatus === "completed"));
    const numbers = async (id: string): Promise<unknown> => {
      const { signalCount, eventCount } = (await narrow("GET", `${JOBS}/${id}`)).body.data.attributes;
      return [signalCount, eventCount];
    };
    expect(await numbers(ofWide)).toEqual([undefined, undefined]);
    expect(await numbers(ofNarrow)).toEqual([1, undefined]);
    expect(folder.faults).toEqual([]);
  });

  test("what others did is looked through by a job of those only who may read the trail", async () => {
    const server = await folder.start(new TestRules([rule]), { data: join(folder.path, "trail") });
    const standard = await somebody(server, STANDARD_ROLE_ID, null);
    const reader = await somebody(server, READ_ONLY_ROLE_ID, null);
    const { options } = rule;
    const definition = { name: "who", message: "", type: "log_detection", from: Date.now() - 3_600_000, to: Date.now(), index: "audit", options, queries: [{ query: "*", aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status: "info", condition: "a > 0" }] };
    const body = { data: { type: "historicalDetectionsJobCreate", attributes: { jobDefinition: definition } } };
    expect([(await standard("POST", JOBS, body)).status, (await reader("POST", JOBS, body)).status, (await call(server, "POST", JOBS, body)).status]).toEqual([403, 403, 201]);
  });
});
