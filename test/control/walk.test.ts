import { request } from "node:http";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SqlDriver } from "../../host/store/driver.ts";
import { KeyStore } from "../../host/store/keys.ts";
import { migrations } from "../../host/store/migrations.ts";
import { PeopleStore } from "../../host/store/people.ts";
import type { VespidServer } from "../../host/serve/server.ts";
import { TestRules, send, serverFolder } from "../serve/support.ts";
import { type Schema, valuesOf } from "./json-schema.ts";

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  readonly "x-permission": string | readonly string[];
  readonly security?: readonly unknown[];
  readonly parameters?: ReadonlyArray<{ readonly name: string; readonly in: string; readonly required: boolean; readonly schema: Schema }>;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, unknown>>;
}

/** Requests tried on each route; a longer run finds more. */
const TRIES = Number(process.env.VESPID_WALK ?? 12);
const rule = {
  id: "burst", name: "Failed logins", message: "", isEnabled: true, type: "log_detection", tags: [],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 },
  queries: [{ name: "a", query: "@evt.name:login", aggregation: "count", groupByFields: ["@usr.id"] }], cases: [{ name: "", status: "high", condition: "a > 0" }],
};

async function statusFrom(localAddress: string, port: number, method: string, path: string, headers: Record<string, string>): Promise<number> {
  return await new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, localAddress, method, path, headers: { "content-type": "application/json", ...headers } }, (answer) => answer.resume().on("end", () => resolve(answer.statusCode!)));
    asked.on("error", reject);
    asked.end(method === "GET" ? undefined : "{}");
  });
}

describe("the whole API, route by route", () => {
  const folder = serverFolder();

  async function begin(name: string): Promise<{ readonly server: VespidServer; readonly operations: readonly Operation[]; readonly keys: Record<"api" | "admin" | "powerless" | "scoped", string> }> {
    const data = join(folder.path, name);
    await (await folder.start(new TestRules([rule]), { data })).close();
    const sql = SqlDriver.open(join(data, "vespid.db"), migrations);
    const people = new PeopleStore(sql);
    const store = new KeyStore(sql);
    const nobody = people.addUser({ email: "nobody@example.com", name: "Nobody" }, 1);
    const operator = people.users().find(({ id }) => id !== nobody.id)!;
    const keys = {
      api: store.create("api", "shipper", 1).key,
      admin: store.create("application", "admin", 1, { ownerId: operator.id }).key,
      powerless: store.create("application", "powerless", 1, { ownerId: nobody.id }).key,
      scoped: store.create("application", "scoped", 1, { ownerId: operator.id, scopes: ["dashboards_read"] }).key,
    };
    sql.close();
    const server = await folder.start(new TestRules([rule]), { data, keysRequired: true });
    expect(await send(server, [{ message: "in", evt: { name: "login" }, usr: { id: "ann" } }], { "dd-api-key": keys.api })).toBe(202);
    await server.detection.storeSignals();
    const document = (await (await fetch(`http://127.0.0.1:${server.address.port}/openapi.json`)).json()) as { readonly paths: Record<string, Record<string, Operation>> };
    const operations = Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })));
    return { server, operations, keys };
  }

  const call = async (server: VespidServer, { method, path }: Pick<Operation, "method" | "path">, headers: Record<string, string>, body?: unknown): Promise<Response> =>
    await fetch(`http://127.0.0.1:${server.address.port}${path}`, { method, headers: { "content-type": "application/json", ...headers }, redirect: "manual", ...(body === undefined || method === "GET" ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }) });

  test("[RB-05] [RB-06] no route answers without a key, with a bad one, without the permission or beyond a key's scope", async () => {
    const { server, operations, keys } = await begin("doors");
    expect(operations.length).toBeGreaterThan(40);
    const closed = operations.filter(({ security }) => security === undefined);
    const wrong: string[] = [];
    // Strangers are slowed down by address: each route is asked from one of its own.
    const expectStatus = async (operation: Operation, what: string, headers: Record<string, string>, status: number): Promise<void> => {
      const path = operation.path.replaceAll(/\{\w+\}/g, "x");
      const found = await statusFrom(`127.0.${1 + Math.floor(operations.indexOf(operation) / 200)}.${1 + (operations.indexOf(operation) % 200)}`, server.address.port, operation.method, path, headers);
      if (found !== status) wrong.push(`${operation.method} ${operation.path} ${what}: ${found}`);
    };
    for (const operation of closed) {
      await expectStatus(operation, "without a key", {}, 401);
      await expectStatus(operation, "with an API key alone", { "dd-api-key": keys.api }, 401);
      await expectStatus(operation, "with a bad key", { "dd-api-key": keys.api, "dd-application-key": "0".repeat(40) }, 403);
      await expectStatus(operation, "with an API key for an application key", { "dd-api-key": keys.api, "dd-application-key": keys.api }, 403);
      if (operation["x-permission"] === "known") continue;
      await expectStatus(operation, "without the permission", { "dd-api-key": keys.api, "dd-application-key": keys.powerless }, 403);
      if (![operation["x-permission"]].flat().includes("dashboards_read")) await expectStatus(operation, "beyond its scope", { "dd-api-key": keys.api, "dd-application-key": keys.scoped }, 403);
    }
    expect(wrong).toEqual([]);
    const open = operations.filter(({ security }) => security !== undefined).map(({ operationId }) => operationId).toSorted();
    expect(open).toEqual(["getSession", "listLoginMethods", "login", "oidcCallback", "oidcLogin", "putReferenceTableUploadPart"].filter((name) => open.includes(name)));
  }, 120_000);

  test("every operation has a name of its own, a permission and an answer; every path parameter is described", async () => {
    const { operations } = await begin("document");
    const names = operations.map(({ operationId }) => operationId);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    for (const { path, parameters = [], responses } of operations) {
      expect(Object.keys(responses).some((status) => status.startsWith("2") || status.startsWith("3"))).toBe(true);
      expect(parameters.filter((each) => each.in === "path").map(({ name }) => `{${name}}`).toSorted()).toEqual((path.match(/\{\w+\}/g) ?? []).toSorted());
    }
  });

  test("[AP-07] requests made of the schemas, and bent ones, are never a fault of ours; what goes well has a status of the document", async () => {
    const { server, operations, keys } = await begin("fuzz");
    const headers = { "dd-api-key": keys.api, "dd-application-key": keys.admin };
    const signal = server.signals.all()[0]!.id;
    const surprising = new Set<string>();
    for (const operation of operations.toSorted((a, b) => Number(a.method === "DELETE") - Number(b.method === "DELETE"))) {
      const ids = fc.constantFrom(signal, "burst", "abc-def-ghi", "1", "00000000-0000-4000-8000-000000000000", "%00", "%2e%2e", "x".repeat(300));
      const queries = fc.record(Object.fromEntries((operation.parameters ?? []).filter((each) => each.in === "query").map(({ name, schema }) => [name, valuesOf(schema)])), { requiredKeys: (operation.parameters ?? []).filter((each) => each.in === "query" && each.required).map(({ name }) => name) });
      const schema = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
      const bodies = schema ? valuesOf(schema) : fc.constant(undefined);
      const samples = fc.sample(fc.tuple(fc.array(ids, { minLength: 4, maxLength: 4 }), queries, bodies), { numRuns: TRIES, seed: 20261121 });
      for (const [names, query, body] of samples) {
        let i = 0;
        const path = operation.path.replaceAll(/\{\w+\}/g, () => names[i++ % 4]!);
        const search = new URLSearchParams(Object.entries(query as object).flatMap(([name, value]) => (value === undefined ? [] : [value].flat().map((one): [string, string] => [name, (typeof one === "string" ? one : String(JSON.stringify(one))).toWellFormed()]))));
        const answer = await call(server, { ...operation, path: `${path}?${search}` }, headers, body);
        const text = await answer.text();
        if (answer.status >= 500) surprising.add(`${operation.method} ${path}?${search} ${JSON.stringify(body)} -> ${answer.status} ${text}`);
        else if (answer.status < 400 && operation.responses[answer.status] === undefined) surprising.add(`${operation.method} ${operation.path} -> ${answer.status}, which the document does not know`);
        else if (answer.status >= 400 && !/^\{"error/.test(text)) surprising.add(`${operation.method} ${operation.path} -> ${answer.status} without errors: ${text.slice(0, 100)}`);
        if (answer.status === 429) break;
      }
    }
    expect([folder.faults.slice(0, 5).map((each) => String((each as unknown[])[1] instanceof Error ? ((each as unknown[])[1] as Error).stack : each)), [...surprising].slice(0, 20)]).toEqual([[], []]);
    // It still takes logs, and judges them.
    expect(await send(server, [{ message: "in", evt: { name: "login" }, usr: { id: "zoe" } }], { "dd-api-key": keys.api })).toBe(202);
  }, 300_000);
});
