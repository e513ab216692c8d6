import { describe, expect, test } from "vitest";
import { SqlDriver } from "../../../host/store/driver.ts";
import { KeyStore } from "../../../host/store/keys.ts";
import { migrations } from "../../../host/store/migrations.ts";
import { PeopleStore } from "../../../host/store/people.ts";
import { send, serverFolder, TestRules } from "../../serve/support.ts";
import { permissionId } from "../../../host/control/people/permission-id.ts";
import type { Headed } from "./support.ts";

describe("people of a whole server", () => {
  const folder = serverFolder();

  test("[RB-04] [IN-05] two people see the logs their roles let them; an API key made by one lets logs in at once, and taken back lets none in", async () => {
    const server = await folder.start(new TestRules([]), { keysRequired: true });
    const sql = SqlDriver.open(`${folder.path}/data/vespid.db`, migrations);
    const keys = new KeyStore(sql);
    const apiKey = keys.create("api", "first", 0).key;
    const admin = { "dd-api-key": apiKey, "dd-application-key": keys.create("application", "operator", 0).key };
    const ask = async (method: string, path: string, body?: unknown, headers: Headed = admin): Promise<{ readonly status: number; readonly body: any }> => {
      const answer = await fetch(`http://127.0.0.1:${server.address.port}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }), headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) } });
      const text = await answer.text();
      return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
    };

    const made = (await ask("POST", "/api/v2/api_keys", { data: { type: "api_keys", attributes: { name: "shipper" } } })).body.data;
    const logs = ["blue", "red", "blue"].map((team, i) => ({ message: `order ${i}`, ddsource: "shop", ddtags: `team:${team}`, timestamp: Date.now() }));
    expect(await send(server, logs, { "dd-api-key": made.attributes.key })).toBe(202);

    const person = async (team: string): Promise<Headed> => {
      const role = (await ask("POST", "/api/v2/roles", { data: { type: "roles", attributes: { name: `Team ${team}` }, relationships: { permissions: { data: [{ id: permissionId("logs_read_data"), type: "permissions" }] } } } })).body.data;
      expect((await ask("PUT", `/api/v2/roles/${role.id}/restriction_query`, { data: { attributes: { restriction_query: `team:${team}` } } })).status).toBe(200);
      const user = (await ask("POST", "/api/v2/users", { data: { type: "users", attributes: { email: `${team}@example.com` }, relationships: { roles: { data: [{ id: role.id, type: "roles" }] } } } })).body.data;
      const key = (await ask("POST", "/api/v2/application_keys", { data: { type: "application_keys", attributes: { name: team }, relationships: { owned_by: { data: { id: user.id, type: "users" } } } } })).body.data;
      return { "dd-api-key": apiKey, "dd-application-key": key.attributes.key };
    };
    const [blue, red] = [await person("blue"), await person("red")];
    const sees = async (headers: Headed): Promise<string[]> => (await ask("POST", "/api/v2/logs/events/search", { filter: { query: "source:shop", from: "now-1h", to: "now+1m" } }, headers)).body.data.map(({ attributes }: any) => attributes.message).sort();
    expect([await sees(blue), await sees(red), await sees(admin)]).toEqual([["order 0", "order 2"], ["order 1"], ["order 0", "order 1", "order 2"]]);

    expect((await ask("DELETE", `/api/v2/api_keys/${made.id}`)).status).toBe(204);
    expect(await send(server, logs, { "dd-api-key": made.attributes.key })).toBe(403);
    const people = new PeopleStore(sql);
    expect((await ask("DELETE", `/api/v2/users/${people.userByEmail("red@example.com")!.id}`)).status).toBe(204);
    expect((await ask("GET", "/api/v2/session", undefined, red)).status).toBe(403);
    sql.close();
    expect(folder.faults).toEqual([]);
  });
});
