import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { VespidServer } from "../../host/serve/server.ts";
import { call } from "../control/audit-support.ts";
import { TestRules, send, serverFolder } from "./support.ts";

const SIGNALS = "/api/v2/security_monitoring/signals";
const rule = (id: string, query: string, status: string, tags: readonly string[], groupByFields: readonly string[] = ["@usr.id"]): Record<string, unknown> => ({
  id, name: id, message: "", isEnabled: true, type: "log_detection", tags, options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query, aggregation: "count", groupByFields }], cases: [{ name: "", status, condition: "a > 0" }],
});
const chain = {
  id: "chain", name: "Brute force, then data leaves", message: "", isEnabled: true, type: "signal_correlation", tags: [], options: { detectionMethod: "threshold", evaluationWindow: 3600, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "guess", ruleId: "guessed", aggregation: "event_count", correlatedByFields: ["@usr.id"] }, { name: "leak", ruleId: "left", aggregation: "event_count", correlatedByFields: ["@usr.id"] }], cases: [{ name: "", status: "critical", condition: "guess > 0 && leak > 0" }],
};

const folder = serverFolder();
const start = (name: string): Promise<VespidServer> => folder.start(new TestRules([rule("guessed", "source:auth @evt.outcome:failure", "medium", ["team:identity"]), rule("left", "source:proxy @bytes:>1000", "high", ["team:network"]), chain]), { data: join(folder.path, name) });
const logs = [
  { ddsource: "auth", service: "sso", hostname: "web-1", message: "login failed", evt: { outcome: "failure" }, usr: { id: "ann" } }, { ddsource: "proxy", service: "egress", hostname: "gw-1", message: "POST", bytes: 5000, usr: { id: "ann" } },
  { ddsource: "proxy", service: "egress", hostname: "gw-1", message: "GET", bytes: 10, usr: { id: "bob" } }, { ddsource: "deploy", service: "billing", hostname: "ci-1", message: "step 4 failed", status: "error" },
];
const good = async (server: VespidServer, method: string, path: string, body?: unknown): Promise<any> => {
  const answer = await call(server, method, path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  return answer.body;
};
const find = async (server: VespidServer, query: string): Promise<any[]> => (await good(server, "POST", `${SIGNALS}/search`, { filter: { query, from: "now-1h", to: "now+1h" }, page: { limit: 50 } })).data;

describe("one server for all who look at it", () => {
  test("[PL-01] logs of development and of operations, signals of security and dashboards of both, at one address", async () => {
    const server = await start("one");
    expect(await send(server, logs)).toBe(202);
    await server.detection.storeSignals();
    const range = { from: "now-1h", to: "now+1h" };
    expect((await good(server, "POST", "/api/v2/logs/events/search", { filter: { query: "service:billing status:error", ...range } })).data.map(({ attributes }: any) => attributes.message)).toEqual(["step 4 failed"]);
    expect((await find(server, "*")).map(({ attributes }) => attributes.custom.workflow.rule.id).toSorted()).toEqual(["chain", "guessed", "left"]);
    const made = await good(server, "POST", "/api/v1/dashboard", { title: "Both", layout_type: "ordered", widgets: [
      { definition: { type: "toplist", title: "Logs", requests: [{ q: "count:logs{*} by {service}" }] } }, { definition: { type: "toplist", title: "Signals", requests: [{ q: "count:security_signal{*} by {severity}" }] } },
    ] });
    const { data } = await good(server, "POST", "/api/v2/dashboards/widgets/query", { data: { attributes: { ...range, widgets: made.widgets } } });
    const rows = data.attributes.widgets.map(({ shown }: any) => Object.fromEntries(shown.rows.map(({ name, values }: any) => [name, values[0]])));
    expect(rows).toEqual([{ egress: 2, sso: 1, billing: 1 }, expect.objectContaining({ critical: 1, high: 1, medium: 1 })]);
    expect((await fetch(`http://127.0.0.1:${server.address.port}/metrics`)).status).toBe(200);
    expect(folder.faults).toEqual([]);
  });

  test("[PL-02] signals of different sources are correlated into one, found beside what they are made of, and triaged in the same place", async () => {
    const server = await start("explorer");
    expect(await send(server, logs)).toBe(202);
    await server.detection.storeSignals();
    // One search has the whole story of one user, whatever source each part is of.
    const story = await find(server, "@usr.id:ann");
    expect(story.map(({ attributes }) => `${attributes.severity} ${attributes.custom.workflow.rule.id}`).toSorted()).toEqual(["critical chain", "high left", "medium guessed"]);
    const whole = story.find(({ attributes }) => attributes.severity === "critical")!;
    const related = await good(server, "GET", `${SIGNALS}/${whole.id}/related`);
    expect(related.data.map(({ attributes }: any) => attributes.custom.workflow.rule.id).toSorted()).toEqual(["guessed", "left"]);
    const facets = await good(server, "POST", `${SIGNALS}/facets`, { query: "@usr.id:ann", from: "now-1h", to: "now+1h", facets: ["Source", "Signal State"] });
    expect(facets.data.find(({ facet }: any) => facet === "Signal State").values).toEqual([expect.objectContaining({ value: "open", count: 3 })]);
    // Triage of all of it at once, seen by the next search.
    await good(server, "PATCH", `${SIGNALS}/bulk/state`, { data: story.map(({ id }) => ({ id, type: "signal_metadata", attributes: { state: "under_review" } })) });
    expect([(await find(server, "status:open")).length, (await find(server, "@workflow.triage.state:under_review @usr.id:ann")).length]).toEqual([0, 3]);
    await good(server, "PATCH", `${SIGNALS}/${whole.id}/state`, { data: { attributes: { state: "archived", archive_reason: "true_positive_malicious" } } });
    expect((await find(server, "status:closed")).map(({ id }) => id)).toEqual([whole.id]);
    expect(folder.faults).toEqual([]);
  });
});
