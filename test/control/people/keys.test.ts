import { describe, expect, test } from "vitest";
import { ADMIN_ROLE_ID, STANDARD_ROLE_ID } from "../../../host/control/people/managed-roles.ts";
import { ok, route } from "../../../host/control/route.ts";
import { OPERATOR_ID } from "../../../host/store/keys.ts";
import { servePeople } from "./support.ts";

const API = "/api/v2/api_keys";
const ALL = "/api/v2/application_keys";
const OWN = "/api/v2/current_user/application_keys";
const key = (name: string, scopes?: readonly string[] | null, more: object = {}): object => ({ data: { type: "application_keys", attributes: { name, ...(scopes === undefined ? {} : { scopes }) }, ...more } });
const changed = (id: string, attributes: object, type = "application_keys"): object => ({ data: { id, type, attributes } });

/** Routes as those of signals are: one reads, one writes. */
const facts = { tag: "Signals", summary: "Signals", answers: { 200: undefined } } as const;
const signalRoutes = [
  route({ ...facts, method: "GET", path: "/api/v2/some_signals", operationId: "readSignals", permission: "security_monitoring_signals_read" }, () => ok({})),
  route({ ...facts, method: "PATCH", path: "/api/v2/some_signals/:id", operationId: "writeSignal", permission: "security_monitoring_signals_write" }, () => ok({})),
];

describe("API keys", () => {
  test("[IN-05] are made, told once, listed without their text, switched off and on, and taken back", async () => {
    const { ask, trail, keyStore } = await servePeople();
    const made = await ask("POST", API, { data: { type: "api_keys", attributes: { name: "web-1" } } });
    expect([made.status, made.body.data]).toMatchObject([201, { type: "api_keys", attributes: { name: "web-1", disabled: false } }]);
    const { id, attributes: { key: text, last4 } } = made.body.data;
    expect([text, last4]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), text.slice(-4)]);
    for (const answer of [await ask("GET", API), await ask("GET", `${API}/${id}`), await ask("GET", `${API}?filter=web&sort=-name`)]) {
      expect(JSON.stringify(answer.body)).toContain(id);
      expect(JSON.stringify(answer.body)).not.toContain(text);
    }
    expect(keyStore.hashes("api")).toHaveLength(2);
    expect((await ask("PATCH", `${API}/${id}`, changed(id, { name: "web-2", disabled: true }, "api_keys"))).body.data.attributes).toMatchObject({ name: "web-2", disabled: true });
    expect(keyStore.hashes("api")).toHaveLength(1);
    expect((await ask("PATCH", `${API}/${id}`, changed(id, { disabled: false }, "api_keys"))).body.data.attributes.disabled).toBe(false);
    expect((await ask("DELETE", `${API}/${id}`)).status).toBe(204);
    expect((await ask("GET", `${API}/${id}`)).status).toBe(404);
    expect(trail.map(({ entry }) => [entry.event, entry.action, entry.asset.type])).toEqual(["created", "modified", "modified", "deleted"].map((action) => ["Authentication", action, "api_key"]));
    expect(JSON.stringify(trail)).not.toContain(text);
  });

  test("an application key is none of them", async () => {
    const { ask, keyStore } = await servePeople();
    const { stored } = keyStore.create("application", "app", 0);
    expect([(await ask("GET", `${API}/${stored.id}`)).status, (await ask("DELETE", `${API}/${stored.id}`)).status, keyStore.get(stored.id)?.ownerId]).toEqual([404, 404, OPERATOR_ID]);
  });
});

describe("application keys", () => {
  test("[RB-06] act for their owner within their scopes: one that may only read signals cannot write them", async () => {
    const { ask, somebody, apiKey } = await servePeople({ routes: signalRoutes });
    const { keys } = somebody("ann", [STANDARD_ROLE_ID]);
    const made = await ask("POST", OWN, key("reader", ["security_monitoring_signals_read"]), keys);
    expect(made.body.data.attributes.scopes).toEqual(["security_monitoring_signals_read"]);
    const reader = { "dd-api-key": apiKey, "dd-application-key": made.body.data.attributes.key };
    expect([(await ask("GET", "/api/v2/some_signals", undefined, keys)).status, (await ask("PATCH", "/api/v2/some_signals/1", undefined, keys)).status]).toEqual([200, 200]);
    expect([(await ask("GET", "/api/v2/some_signals", undefined, reader)).status, (await ask("PATCH", "/api/v2/some_signals/1", undefined, reader)).status]).toEqual([200, 403]);
    expect((await ask("GET", "/api/v2/session", undefined, reader)).body).toMatchObject({ user: { handle: "ann@example.com" }, permissions: ["security_monitoring_signals_read"], csrf_token: null });
  });

  test("[RB-02] who may not write signals is refused, whatever else they may", async () => {
    const { ask, may } = await servePeople({ routes: signalRoutes });
    const [reader, writer] = [may("reader", ["security_monitoring_signals_read", "security_monitoring_rules_write"]), may("writer", ["security_monitoring_signals_write"])];
    expect(await ask("PATCH", "/api/v2/some_signals/1", undefined, reader.keys)).toMatchObject({ status: 403, body: { errors: ["Forbidden"] } });
    expect((await ask("PATCH", "/api/v2/some_signals/1", undefined, writer.keys)).status).toBe(200);
    expect((await ask("GET", "/api/v2/some_signals", undefined, writer.keys)).status).toBe(403);
  });

  test("[RB-06] scopes are never widened by the key itself: not for it, not by another key, not by taking them away", async () => {
    const { ask, may, keyStore } = await servePeople();
    const { user, keys } = may("ann", ["cases_read", "cases_write", "org_app_keys_write"]);
    const make = (scopes: readonly string[]): { readonly id: string; readonly headers: Record<string, string> } => {
      const { key: text, stored } = keyStore.create("application", "scoped", 0, { ownerId: user.id, scopes });
      return { id: stored.id, headers: { ...keys, "dd-application-key": text } };
    };
    const narrow = make(["cases_read"]);
    const manager = make(["cases_read", "org_app_keys_write"]);
    const statuses: number[] = [];
    for (const [by, method, path, body] of [
      [narrow, "POST", OWN, key("k", ["cases_read"])], [narrow, "POST", OWN, key("k")], [narrow, "PATCH", `${OWN}/${narrow.id}`, changed(narrow.id, { scopes: ["cases_write"] })], [narrow, "DELETE", `${OWN}/${manager.id}`, undefined],
      [manager, "POST", OWN, key("k")], [manager, "POST", OWN, key("k", null)], [manager, "POST", OWN, key("k", ["cases_write"])], [manager, "PATCH", `${ALL}/${manager.id}`, changed(manager.id, { scopes: null })],
      [manager, "PATCH", `${ALL}/${narrow.id}`, changed(narrow.id, { scopes: ["cases_read", "cases_write"] })], [manager, "POST", OWN, key("k", ["cases_read"])], [manager, "PATCH", `${ALL}/${narrow.id}`, changed(narrow.id, { scopes: [] })],
    ] as const) statuses.push((await ask(method, path, body, by.headers)).status);
    expect(statuses).toEqual([403, 403, 403, 403, 403, 403, 403, 403, 403, 201, 200]);
    expect(keyStore.get(manager.id)!.scopes).toEqual(["cases_read", "org_app_keys_write"]);
    expect((await ask("GET", "/api/v2/session", undefined, narrow.headers)).body.permissions).toEqual([]);
    expect((await ask("POST", OWN, key("k", ["no_such"]), keys)).body.errors).toEqual(["scopes: there is no permission no_such"]);
  });

  test("one's own are one's own: nobody else's are found, changed or deleted there", async () => {
    const { ask, somebody, keyStore } = await servePeople();
    const [ann, ben] = [somebody("ann", []), somebody("ben", [])];
    const { body } = await ask("POST", OWN, key("mine"), ann.keys);
    const { id } = body.data;
    expect(body.data.relationships.owned_by.data).toEqual({ id: ann.user.id, type: "users" });
    expect((await ask("GET", OWN, undefined, ann.keys)).body.data.map(({ attributes }: any) => attributes.name)).toEqual(["ann", "mine"]);
    expect((await ask("GET", OWN, undefined, ben.keys)).body.data.map(({ attributes }: any) => attributes.name)).toEqual(["ben"]);
    expect([
      (await ask("GET", `${OWN}/${id}`, undefined, ben.keys)).status, (await ask("PATCH", `${OWN}/${id}`, changed(id, { name: "x" }), ben.keys)).status, (await ask("DELETE", `${OWN}/${id}`, undefined, ben.keys)).status,
      (await ask("GET", ALL, undefined, ben.keys)).status, (await ask("PATCH", `${OWN}/${id}`, changed(id, { name: "ours" }), ann.keys)).status, (await ask("PATCH", `${OWN}/${id}`, changed(id, { disabled: true }), ann.keys)).status,
      (await ask("PATCH", `${OWN}/${id}`, changed("other", {}), ann.keys)).status, (await ask("DELETE", `${OWN}/${id}`, undefined, ann.keys)).status,
    ]).toEqual([404, 404, 404, 403, 200, 403, 422, 204]);
    expect(keyStore.get(id)).toBeUndefined();
  });

  test("[RB-06] keys of others are made by those who may all the owner may, are told by list, and are written down in both streams", async () => {
    const { ask, somebody, may, trail } = await servePeople();
    const ann = somebody("ann", [ADMIN_ROLE_ID]);
    const { keys } = may("helpdesk", ["org_app_keys_write", "org_app_keys_read"]);
    const owned = { relationships: { owned_by: { data: { id: ann.user.id, type: "users" } } } };
    expect((await ask("POST", ALL, key("theirs", ["org_app_keys_read"], owned), keys)).status).toBe(403);
    const { status, body } = await ask("POST", ALL, key("theirs", undefined, owned));
    expect(status).toBe(201);
    expect((await ask("GET", "/api/v2/session", undefined, { ...keys, "dd-application-key": body.data.attributes.key })).body.user.handle).toBe("ann@example.com");
    const { id } = body.data;
    expect((await ask("PATCH", `${ALL}/${id}`, changed(id, { disabled: true }), keys)).body.data.attributes.disabled).toBe(true);
    expect((await ask("GET", "/api/v2/session", undefined, { ...keys, "dd-application-key": body.data.attributes.key })).status).toBe(403);
    expect((await ask("GET", `${ALL}/${id}`, undefined, keys)).body.data).not.toHaveProperty("attributes.key");
    expect((await ask("DELETE", `${ALL}/${id}`, undefined, keys)).status).toBe(204);
    expect(trail.map(({ entry }) => [entry.event, entry.action, entry.asset.type])).toEqual(["created", "modified", "deleted"].flatMap((action) => ["Access Management", "Authentication"].map((event) => [event, action, "application_key"])));
  });
});
