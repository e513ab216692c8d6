import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { overviewIds } from "../../../host/insight/overview.ts";
import { ask, TestRules, send, serverFolder } from "../../serve/support.ts";

const rule = {
  id: "burst", name: "Failed logins", message: "", isEnabled: true, type: "log_detection", tags: ["tactic:TA0006-credential-access", "technique:T1110-brute-force"],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: "@evt.name:login", aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status: "high", condition: "a > 0" }],
};

describe("the overview of a server", () => {
  const folder = serverFolder();

  test("[OV-01] tells every module of the last seven days", async () => {
    const server = await folder.start(new TestRules([rule]), { data: join(folder.path, "all") });
    await send(server, [{ message: "in", ddsource: "auth", evt: { name: "login" }, usr: { id: "ann" } }]);
    await server.detection.storeSignals();
    const { status, text } = await ask(server, "/api/v2/security/overview?to=now%2B1m");
    expect(status).toBe(200);
    const { modules } = JSON.parse(text);
    expect(modules.map(({ id }: any) => id)).toEqual(overviewIds);
    for (const { id, data } of modules) expect(data, id).not.toBeNull();
    if (process.env.SHOW) console.log(JSON.stringify(modules, null, 1).slice(0, 20000));
    expect(folder.faults).toEqual([]);
  });
});
