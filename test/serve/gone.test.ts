import { describe, expect, test } from "vitest";
import { type Payload, send, serverFolder, TestRules } from "./support.ts";

const shared = { message: "", isEnabled: true, tags: [], options: { detectionMethod: "threshold", evaluationWindow: 900, keepAlive: 3600, maxSignalDuration: 86_400 } };
const single = (id: string): Payload => ({ ...shared, id, name: id, type: "log_detection", queries: [{ name: "a", query: `@kind:${id}`, aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status: "low", condition: "a > 0" }] });
const both: Payload = {
  ...shared, id: "both", name: "both", type: "signal_correlation", cases: [{ name: "", status: "high", condition: "a > 0 THEN b > 0" }],
  queries: ["a", "b"].map((ruleId) => ({ name: ruleId, ruleId, aggregation: "event_count", correlatedByFields: ["@usr.id"] })),
};
/** Its signals live shortly: a late log between two of them makes them one. */
const brief: Payload = { ...single("brief"), options: { ...shared.options, evaluationWindow: 0, keepAlive: 60 } };

describe("[SI-01] signals that are none any more", () => {
  const folder = serverFolder();

  async function counts(port: number): Promise<Record<string, number>> {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v2/security_monitoring/signals/aggregate`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ group_by: [{ facet: "@workflow.rule.name" }] }) });
    const { data } = (await answer.json()) as { readonly data: { readonly buckets: ReadonlyArray<{ readonly by: Record<string, string>; readonly computes: { readonly c0: number } }> } };
    return Object.fromEntries(data.buckets.map(({ by, computes }) => [Object.values(by)[0]!, computes.c0]));
  }

  test("one that lost its last match, and one that is part of another now, are in no list, no count and not stored", async () => {
    const server = await folder.start(new TestRules([single("a"), single("b"), both, brief]));
    const startMs = Date.now() - 600_000;
    const log = (seconds: number, kind: string): Payload => ({ timestamp: startMs + seconds * 1000, ddsource: "app", kind, usr: { id: "zed" }, message: kind });
    const take = async (...logs: readonly Payload[]): Promise<void> => {
      expect(await send(server, logs)).toBe(202);
      await server.detection.storeSignals();
    };
    await take(log(100, "a"), log(200, "b"), log(100, "brief"), log(200, "brief"));
    expect(server.signals.all().map(({ ruleId }) => ruleId).toSorted()).toEqual(["a", "b", "both", "brief", "brief"]);
    expect(await counts(server.address.port)).toEqual({ a: 1, b: 1, both: 1, brief: 2 });
    // Now b began before a, and a log stands between the two brief ones.
    await take(log(50, "b"), log(150, "brief"));
    expect(server.signals.all().map(({ ruleId }) => ruleId).toSorted()).toEqual(["a", "b", "brief"]);
    expect(await counts(server.address.port)).toEqual({ a: 1, b: 1, brief: 1 });
    expect(folder.faults).toEqual([]);
  });
});
