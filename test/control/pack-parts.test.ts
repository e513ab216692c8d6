import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packPipelines } from "../../host/packs.ts";
import { call } from "./audit-support.ts";
import { TestRules, serverFolder } from "../serve/support.ts";

const PACK = "/api/v2/security_monitoring/content_packs/linux-auth";

/** A server that has every pack's pipelines, as the settings have it, and no rule yet. */
class Pipelines extends TestRules {
  override async load() {
    const found = await super.load();
    return { ...found, setup: { ...found.setup, pipelines: await packPipelines(["linux-auth"]) } };
  }
}

describe("the parts of a pack", () => {
  const folder = serverFolder();

  test("[CP-01] rules, parser and dashboard come with a pack that is enabled; disabled, rules and dashboard go, and what was kept stays", async () => {
    const server = await folder.start(new Pipelines([]), { data: join(folder.path, "parts") });
    const rules = async (): Promise<number> => (await call(server, "GET", "/api/v2/security_monitoring/rules?query=origin:default&page[size]=1")).body.meta.page.total_filtered_count;
    const dashboards = async (): Promise<string[]> => (await call(server, "GET", "/api/v1/dashboard")).body.dashboards.map(({ id }: any) => id);
    const lines = async (user: string, from: string): Promise<void> => {
      const text = [...Array.from({ length: 6 }, () => "Failed"), "Accepted"].map((word) => `${new Date().toISOString()} web-1 sshd[411]: ${word} password for ${user} from ${from} port 4022 ssh2\n`).join("");
      const answer = await fetch(`http://127.0.0.1:${server.address.port}/api/v2/logs?ddsource=auth`, { method: "POST", headers: { "content-type": "text/plain" }, body: text });
      expect(answer.status).toBe(202);
    };
    const signals = async (): Promise<number> => {
      await server.detection.storeSignals();
      return (await call(server, "POST", "/api/v2/security_monitoring/signals/search", { filter: { query: "@workflow.rule.id:linux-ssh-bruteforce-success" } })).body.data.length;
    };
    const logs = async (query: string): Promise<number> => (await call(server, "POST", "/api/v2/logs/events/search", { filter: { query, from: "now-1h", to: "now+1h" }, page: { limit: 100 } })).body.data.length;

    expect([await rules(), (await dashboards()).includes("pack-linux-auth")]).toEqual([0, false]);
    expect((await call(server, "PUT", `${PACK}/activate`)).status).toBe(204);
    const all = await rules();
    expect(all).toBeGreaterThan(10);
    expect(await dashboards()).toContain("pack-linux-auth");
    await lines("deploy", "203.0.113.7");
    expect([await logs("source:auth @usr.id:deploy @evt.outcome:failure status:error"), await signals()]).toEqual([6, 1]);

    expect((await call(server, "PUT", `${PACK}/deactivate`)).status).toBe(204);
    expect([await rules(), (await dashboards()).includes("pack-linux-auth")]).toEqual([0, false]);
    await lines("mina", "203.0.113.8");
    expect([await logs("source:auth"), await signals()]).toEqual([14, 1]);
    expect((await call(server, "GET", "/api/v1/dashboard/pack-linux-auth")).status).toBe(404);
    expect(folder.faults).toEqual([]);
  });
});
