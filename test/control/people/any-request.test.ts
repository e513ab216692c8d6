import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyDoorkeeper } from "../../../host/control/people/doorkeeper.ts";
import { ADMIN_ROLE_ID } from "../../../host/control/people/managed-roles.ts";
import { peopleRoom } from "../../../host/control/people/room.ts";
import { OPERATOR_ID } from "../../../host/store/keys.ts";
import { SqlDriver } from "../../../host/store/driver.ts";
import { migrations } from "../../../host/store/migrations.ts";
import { servePeople } from "./support.ts";

const text = fc.oneof(fc.string({ maxLength: 30 }), fc.string({ unit: "grapheme", maxLength: 20 }), fc.constantFrom("users", "roles", "permissions", "api_keys", "application_keys", "cases_read", "team:(", "*", "a@b", "\u0000", "x".repeat(3000), OPERATOR_ID, ADMIN_ROLE_ID));
const scalar = fc.oneof(text, fc.double(), fc.boolean(), fc.constant(null), fc.array(text, { maxLength: 3 }));
const reference = fc.record({ id: scalar, type: scalar }, { requiredKeys: [] });
const attributes = fc.record({ name: scalar, email: scalar, disabled: scalar, scopes: scalar, restriction_query: scalar, password: fc.constantFrom("short", 7, null) }, { requiredKeys: [] });
const relationships = fc.record({ roles: fc.record({ data: fc.oneof(scalar, fc.array(reference, { maxLength: 3 })) }), permissions: fc.record({ data: fc.oneof(scalar, fc.array(reference, { maxLength: 3 })) }), owned_by: fc.record({ data: reference }) }, { requiredKeys: [] });
const body = fc.oneof(scalar, fc.record({ data: fc.oneof(scalar, fc.record({ id: scalar, type: scalar, attributes: fc.oneof({ weight: 5, arbitrary: attributes }, scalar), relationships }, { requiredKeys: [] })) }), fc.record({ email: scalar, password: fc.constantFrom("", 7, null), current_password: fc.constant(""), new_password: fc.constant("") }, { requiredKeys: [] }));
const query = fc.dictionary(fc.constantFrom("page[size]", "page[number]", "sort", "sort_dir", "filter", "filter[status]", "filter[id]"), text, { maxKeys: 3 });

function routesOf(): { readonly method: string; readonly path: string }[] {
  const sql = SqlDriver.open(":memory:", migrations);
  const { routes } = peopleRoom({ sql, audit: { record() {} }, nowMs: () => 0 }, new KeyDoorkeeper(sql, true));
  sql.close();
  return routes.map(({ method, path }) => ({ method, path }));
}

test("[AP-06] whatever is asked of users, roles, keys and sessions, it is no fault of ours, and an administrator is left", async () => {
  const { ask, faults, store, clock, admin } = await servePeople();
  const root = store.userByEmail("root@example.com")!.id;
  const seen = new Map<number, number>();
  const ids = fc.oneof(text.filter((one) => one !== ""), fc.constantFrom(root, OPERATOR_ID, ADMIN_ROLE_ID));
  await fc.assert(fc.asyncProperty(fc.constantFrom(...routesOf()), ids, body, query, fc.boolean(), async ({ method, path }, id, any, asked, isFitting) => {
    // What has the outer form right reaches what is behind it.
    const inner = (any as { readonly data?: { readonly attributes?: object } } | null)?.data;
    const type = /users$/.test(path) || path === "/api/v2/users/:id" ? "users" : /permissions$/.test(path) ? "permissions" : /(roles|api_keys|application_keys)/.exec(path)?.[1];
    const sent = isFitting ? { data: { ...inner, id, type, attributes: { name: id.slice(0, 20), email: "some@example.com", ...(typeof inner?.attributes === "object" ? inner.attributes : {}) } } } : any;
    clock.nowMs += 60_000;
    const target = path.replace(":id", encodeURIComponent(id).replaceAll(".", "%2e")) + (Object.keys(asked).length ? `?${new URLSearchParams(asked).toString()}` : "");
    const { status } = await ask(method, target, method === "GET" ? undefined : sent, admin);
    seen.set(status, (seen.get(status) ?? 0) + 1);
    expect(status, `${method} ${target}`).toBeLessThan(500);
    expect(store.activeUsersOf(ADMIN_ROLE_ID)).toBeGreaterThan(0);
    if (!store.user(root)!.isActive) store.changeUser(root, { isActive: true }, 0);
    store.giveRole(root, ADMIN_ROLE_ID);
  }), { numRuns: 1000, seed: 4711 });
  expect(faults).toEqual([]);
  expect([...seen.keys()]).toEqual(expect.arrayContaining([200, 201, 204, 400, 403, 404]));
});
