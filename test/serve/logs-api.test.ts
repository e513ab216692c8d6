import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SqlDriver } from "../../host/store/driver.ts";
import { KeyStore } from "../../host/store/keys.ts";
import { migrations } from "../../host/store/migrations.ts";
import type { VespidServer } from "../../host/serve/server.ts";
import { TestRules, send, serverFolder } from "./support.ts";

const rule = {
  id: "any", name: "any", message: "", isEnabled: true, type: "log_detection", tags: [],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: "@never:there", aggregation: "count", groupByFields: [] }], cases: [{ name: "", status: "low", condition: "a > 0" }],
};

interface Found {
  readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: { readonly message: string; readonly service?: string } }>;
  readonly meta: { readonly page?: { readonly after: string }; readonly facets?: ReadonlyArray<{ readonly facet: string; readonly values: unknown }> };
}

async function ask(server: VespidServer, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<{ status: number; body: Found }> {
  const { host, port } = server.address;
  const answer = await fetch(`http://${host}:${port}${path}`, { method: body === undefined ? "GET" : "POST", headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return { status: answer.status, body: (await answer.json()) as Found };
}

describe("log search of a server", () => {
  const folder = serverFolder();
  const logs = Array.from({ length: 30 }, (_, i) => ({ message: `order ${i} shipped`, ddsource: "shop", service: i % 3 ? "cart" : "stock", order: i }));

  test("[SE-08] what was taken is found, newest first, paged, counted by facet; one log as a rule's test takes it", async () => {
    const server = await folder.start(new TestRules([rule]));
    expect(await send(server, logs)).toBe(202);
    const found = await ask(server, "/api/v2/logs/events/search", { filter: { query: "source:shop @order:<12", from: "now-1h", to: "now+1m" }, page: { limit: 5 }, facets: ["service"] });
    expect(found.status).toBe(200);
    expect(found.body.data).toHaveLength(5);
    expect(found.body.meta.facets![0]!.values).toEqual([{ value: "cart", count: 8 }, { value: "stock", count: 4 }]);
    const messages = found.body.data.map(({ attributes }) => attributes.message);
    const rest = await ask(server, "/api/v2/logs/events/search", { filter: { query: "source:shop @order:<12", from: "now-1h", to: "now+1m" }, page: { limit: 50, cursor: found.body.meta.page!.after } });
    messages.push(...rest.body.data.map(({ attributes }) => attributes.message));
    expect(messages.toSorted()).toEqual(logs.slice(0, 12).map(({ message }) => message).toSorted());
    const list = await ask(server, "/api/v2/logs/events?filter[query]=%22order%207%22&filter[from]=now-1h&filter[to]=now%2B1m");
    expect(list.body.data.map(({ attributes }) => attributes.message)).toEqual(["order 7 shipped"]);
    const one = await ask(server, `/api/v2/logs/events/${list.body.data[0]!.id}?format=ddlog`);
    expect(one.body).toMatchObject({ message: "order 7 shipped", ddsource: "shop" });
    expect((await ask(server, "/api/v2/logs/events/search", { filter: { query: "source:(" } })).status).toBe(400);
    expect(folder.faults).toEqual([]);
  });

  test("[IN-05] asking takes both keys", async () => {
    const server = await folder.start(new TestRules([rule]), { keysRequired: true });
    const sql = SqlDriver.open(join(folder.path, "data", "vespid.db"), migrations);
    const keys = new KeyStore(sql);
    const [api, application] = [keys.create("api", "a", 1).key, keys.create("application", "b", 2).key];
    sql.close();
    const status = async (headers: Readonly<Record<string, string>>): Promise<number> => (await ask(server, "/api/v2/logs/events", undefined, headers)).status;
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect([
      await status({}), await status({ "dd-api-key": api }), await status({ "dd-api-key": api, "dd-application-key": api }),
      await status({ "dd-api-key": application, "dd-application-key": application }), await status({ "dd-api-key": api, "dd-application-key": application }),
    ]).toEqual([401, 401, 403, 403, 200]);
  });
});
