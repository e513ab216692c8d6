import { describe, expect, test } from "vitest";
import { ADMIN_ROLE_ID, READ_ONLY_ROLE_ID, STANDARD_ROLE_ID } from "../../../host/control/people/managed-roles.ts";
import { OPERATOR_ID } from "../../../host/store/keys.ts";
import { roleRef, servePeople, userRef } from "./support.ts";

const USERS = "/api/v2/users";
const newUser = (email: string, more: object = {}, roles: readonly string[] = []): object => ({ data: { type: "users", attributes: { email, ...more }, relationships: { roles: { data: roles.map(roleRef) } } } });
const change = (id: string, attributes: object): object => ({ data: { id, type: "users", attributes } });

describe("users", () => {
  test("[RB-01] are made with roles, found, changed and disabled; what was done is written down, without passwords", async () => {
    const { ask, trail, store } = await servePeople();
    const { status, body } = await ask("POST", USERS, newUser("Ann@Example.com", { name: "Ann", password: "correct horse battery" }, [STANDARD_ROLE_ID]));
    expect([status, body.data]).toMatchObject([201, { type: "users", attributes: { email: "ann@example.com", handle: "ann@example.com", name: "Ann", status: "Active", disabled: false, verified: true }, relationships: { roles: { data: [{ id: STANDARD_ROLE_ID, type: "roles" }] } } }]);
    expect(body.included.filter(({ type }: any) => type === "roles")).toMatchObject([{ id: STANDARD_ROLE_ID }]);
    const { id } = body.data;
    expect(store.passwordHash(id)).toMatch(/^scrypt\$32768\$8\$1\$/);
    expect((await ask("GET", `${USERS}/${id}`)).body).toEqual(body);
    expect((await ask("GET", `${USERS}?filter=ANN&sort=-email`)).body).toMatchObject({ data: [{ id }], meta: { page: { total_count: 3, total_filtered_count: 1 } } });
    expect((await ask("GET", `${USERS}?filter[status]=Disabled`)).body.data).toEqual([]);
    expect((await ask("GET", `${USERS}?page[size]=2&page[number]=1`)).body.data).toHaveLength(1);
    expect((await ask("GET", `${USERS}/${id}/roles`)).body.data).toMatchObject([{ id: STANDARD_ROLE_ID }]);
    expect((await ask("GET", `${USERS}/${id}/permissions`)).body.data.map(({ attributes }: any) => attributes.name)).toContain("security_monitoring_signals_write");
    expect((await ask("PATCH", `${USERS}/${id}`, change(id, { name: "Anna", email: "anna@example.com" }))).body.data.attributes).toMatchObject({ name: "Anna", email: "anna@example.com", handle: "anna@example.com" });
    expect((await ask("DELETE", `${USERS}/${id}`)).status).toBe(204);
    expect((await ask("GET", `${USERS}/${id}`)).body.data.attributes).toMatchObject({ disabled: true, status: "Disabled" });
    expect((await ask("PATCH", `${USERS}/${id}`, change(id, { disabled: false }))).body.data.attributes.status).toBe("Active");
    expect(trail.map(({ entry }) => [entry.event, entry.action, entry.asset.type])).toEqual([["Access Management", "created", "user"], ...Array.from({ length: 3 }, () => ["Access Management", "modified", "user"])]);
    expect(trail[2]!.entry).toMatchObject({ before: { disabled: false, roles: ["Datadog Standard Role"] }, after: { disabled: true } });
    expect(JSON.stringify(trail)).not.toMatch(/correct horse|scrypt/);
  });

  test.each([
    ["an address that is taken, in other letters", newUser("ROOT@example.com")], ["no address", newUser("root")], ["a Kelvin sign, whose small letter is a plain k", newUser("\u212Aim@example.com")],
    ["a role there is not", newUser("a@example.com", {}, ["none"])], ["a short password", newUser("a@example.com", { password: "short" })], ["one letter as password", newUser("a@example.com", { password: "aaaaaaaaaaaaaaaa" })],
    ["a control character", newUser("a\n@example.com")], ["another kind", { data: { type: "teams", attributes: { email: "a@example.com" } } }], ["nothing", {}],
  ])("%s is 400, and makes nobody", async (_what, body) => {
    const { ask, store } = await servePeople();
    const before = store.users().length;
    expect((await ask("POST", USERS, body)).status).toBe(400);
    expect(store.users()).toHaveLength(before);
  });

  test("unknown ones are 404, and a body of another id is 422", async () => {
    const { ask } = await servePeople();
    expect([(await ask("GET", `${USERS}/none`)).status, (await ask("DELETE", `${USERS}/none`)).status, (await ask("PATCH", `${USERS}/none`, change("none", {}))).status, (await ask("PATCH", `${USERS}/none`, change("other", {}))).status]).toEqual([404, 404, 404, 422]);
  });

  test("the caller is told who they are", async () => {
    const { ask, somebody } = await servePeople();
    const { user, keys } = somebody("ann", [READ_ONLY_ROLE_ID]);
    expect((await ask("GET", "/api/v2/current_user", undefined, keys)).body.data).toMatchObject({ id: user.id, attributes: { email: "ann@example.com" } });
  });
});

describe("who governs whom", () => {
  test("[RB-01] the last administrator stays: not disabled, not stripped; with another one it goes", async () => {
    const { ask, store, admin } = await servePeople();
    const root = store.userByEmail("root@example.com")!.id;
    expect((await ask("DELETE", `${USERS}/${OPERATOR_ID}`)).status).toBe(204);
    const asked = [
      await ask("DELETE", `/api/v2/roles/${ADMIN_ROLE_ID}/users`, { data: userRef(root) }), await ask("DELETE", `${USERS}/${root}`), await ask("PATCH", `${USERS}/${root}`, change(root, { disabled: true })),
    ];
    expect(asked.map(({ status }) => status)).toEqual([400, 400, 400]);
    expect(asked[0]!.body.errors[0]).toMatch(/last administrator/);
    expect(store.rolesOf(root).map(({ id }) => id)).toEqual([ADMIN_ROLE_ID]);
    expect((await ask("PATCH", `${USERS}/${OPERATOR_ID}`, change(OPERATOR_ID, { disabled: false }), admin)).status).toBe(200);
    expect((await ask("DELETE", `/api/v2/roles/${ADMIN_ROLE_ID}/users`, { data: userRef(root) })).status).toBe(200);
  });

  test("nobody disables themselves, and nobody becomes somebody who may more by their address or password", async () => {
    const { ask, may, store, somebody } = await servePeople();
    const { keys, user } = may("manager", ["user_access_manage", "user_access_invite"]);
    const { user: equal } = somebody("equal", []);
    const root = store.userByEmail("root@example.com")!.id;
    const asked = [
      await ask("DELETE", `${USERS}/${user.id}`, undefined, keys), await ask("PATCH", `${USERS}/${root}`, change(root, { email: "mine@example.com" }), keys), await ask("PATCH", `${USERS}/${root}`, change(root, { password: "correct horse battery" }), keys),
      await ask("DELETE", `${USERS}/${root}`, undefined, keys), await ask("PATCH", `${USERS}/${equal.id}`, change(equal.id, { name: "Equal" }), keys), await ask("DELETE", `${USERS}/${equal.id}`, undefined, keys),
    ];
    expect(asked.map(({ status }) => status)).toEqual([400, 403, 403, 403, 200, 204]);
    expect(store.user(root)).toMatchObject({ email: "root@example.com", isActive: true, hasPassword: false });
  });
});
