import { describe, expect, test } from "vitest";
import { permissionId } from "../../../host/control/people/permission-id.ts";
import { ADMIN_ROLE_ID, READ_ONLY_ROLE_ID, STANDARD_ROLE_ID } from "../../../host/control/people/managed-roles.ts";
import { allPermissions, permissions } from "../../../host/control/permission.ts";
import { OPERATOR_ID } from "../../../host/store/keys.ts";
import { roleRef, type Served, servePeople, userRef } from "./support.ts";

const ROLES = "/api/v2/roles";
const newRole = (name: string, names: readonly string[] = []): object => ({ data: { type: "roles", attributes: { name }, relationships: { permissions: { data: names.map((each) => ({ id: permissionId(each), type: "permissions" })) } } } });
const clone = (name: string): object => ({ data: { type: "roles", attributes: { name } } });
const permissionRef = (name: string): object => ({ data: { id: permissionId(name), type: "permissions" } });
const namesOf = (body: any): string[] => body.data.map(({ attributes }: any) => attributes.name).sort();

async function made(served: Served, name: string, names: readonly string[]): Promise<string> {
  return (await served.ask("POST", ROLES, newRole(name, names))).body.data.id;
}

describe("roles that come along", () => {
  test("[RB-01] Admin, Standard and Read Only are there, each with all of the one below, and the first account is an administrator", async () => {
    const { ask, store } = await servePeople();
    const { body } = await ask("GET", ROLES);
    expect(namesOf(body)).toEqual(["Datadog Admin Role", "Datadog Read Only Role", "Datadog Standard Role"]);
    const of = async (id: string): Promise<string[]> => namesOf((await ask("GET", `${ROLES}/${id}/permissions`)).body);
    const [admin, standard, readOnly] = [await of(ADMIN_ROLE_ID), await of(STANDARD_ROLE_ID), await of(READ_ONLY_ROLE_ID)];
    expect(admin).toEqual([...allPermissions].sort());
    expect(standard).toEqual(expect.arrayContaining(readOnly));
    expect(standard.filter((name) => !readOnly.includes(name))).toEqual([
      "cases_write", "dashboards_write", "incident_write", "reference_tables_write", "security_monitoring_filters_write", "security_monitoring_notification_profiles_write",
      "security_monitoring_rules_write", "security_monitoring_signals_write", "security_monitoring_suppressions_write", "workflows_run", "workflows_write",
    ]);
    expect(readOnly).toEqual(expect.arrayContaining(["security_monitoring_signals_read", "logs_read_data", "logs_read_index_data", "dashboards_read"]));
    expect(readOnly.filter((name) => /write|manage|audit|api_keys/.test(name))).toEqual([]);
    expect(store.rolesOf(OPERATOR_ID).map(({ id }) => id)).toEqual([ADMIN_ROLE_ID]);
    expect(store.user(OPERATOR_ID)).toMatchObject({ email: "admin@localhost", isActive: true });
  });

  test("[RB-01] permissions are listed by name, display name and group, each under an id of its own", async () => {
    const { ask } = await servePeople();
    const { body } = await ask("GET", "/api/v2/permissions");
    expect(namesOf(body)).toEqual([...allPermissions].sort());
    expect(body.data.find(({ attributes }: any) => attributes.name === "security_monitoring_signals_write")).toMatchObject({
      type: "permissions", attributes: { display_name: "Security Signals Write", group_name: "Cloud Security Platform", restricted: false, description: "Make and change security signals." },
    });
    expect(new Set(body.data.map(({ id }: any) => id)).size).toBe(permissions.length);
    expect(body.data.every(({ id }: any) => /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(true);
  });

  test("[RB-01] they are not edited, and can be cloned", async () => {
    const { ask } = await servePeople();
    const path = `${ROLES}/${READ_ONLY_ROLE_ID}`;
    const refused = [
      await ask("PATCH", path, { data: { id: READ_ONLY_ROLE_ID, type: "roles", attributes: { name: "Mine" } } }), await ask("DELETE", path),
      await ask("POST", `${path}/permissions`, permissionRef("cases_write")), await ask("DELETE", `${path}/permissions`, permissionRef("cases_read")),
      await ask("PUT", `${path}/restriction_query`, { data: { attributes: { restriction_query: "team:blue" } } }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
    const { status, body } = await ask("POST", `${path}/clone`, clone("Auditors"));
    expect([status, body.data.attributes]).toMatchObject([200, { name: "Auditors", managed: false, user_count: 0 }]);
    expect((await ask("PATCH", `${ROLES}/${body.data.id}`, { data: { id: body.data.id, type: "roles", attributes: { name: "Mine" } } })).body.data.attributes.name).toBe("Mine");
    expect((await ask("GET", path)).body.data.attributes.name).toBe("Datadog Read Only Role");
  });
});

describe("roles of one's own", () => {
  test("[RB-03] are made, found, renamed, and deleted with what they gave", async () => {
    const { ask, trail, somebody } = await servePeople();
    const { status, body } = await ask("POST", ROLES, newRole("Triage", ["security_monitoring_signals_read", "security_monitoring_signals_write"]));
    expect([status, body.data]).toMatchObject([200, { type: "roles", attributes: { name: "Triage", user_count: 0 } }]);
    const { id } = body.data;
    const { keys } = somebody("ann", [id]);
    expect((await ask("GET", "/api/v2/session", undefined, keys)).body.permissions).toEqual(["security_monitoring_signals_read", "security_monitoring_signals_write"]);
    expect((await ask("GET", `${ROLES}?filter=tri&sort=-name`)).body).toMatchObject({ data: [{ id, attributes: { user_count: 1 } }], meta: { page: { total_count: 4, total_filtered_count: 1 } } });
    expect(namesOf((await ask("GET", `${ROLES}?page[size]=2&page[number]=1`)).body)).toHaveLength(2);
    expect((await ask("POST", ROLES, newRole("triage"))).body.errors).toEqual(["a role of the name triage exists"]);
    expect((await ask("PATCH", `${ROLES}/${id}`, { data: { id, type: "roles", attributes: { name: "Tier 1" }, relationships: { permissions: { data: [{ id: permissionId("cases_read"), type: "permissions" }] } } } })).body.data.attributes.name).toBe("Tier 1");
    expect((await ask("GET", "/api/v2/session", undefined, keys)).body.permissions).toEqual(["cases_read"]);
    expect((await ask("PATCH", `${ROLES}/${id}`, { data: { id: "other", type: "roles", attributes: {} } })).status).toBe(422);
    expect((await ask("DELETE", `${ROLES}/${id}`)).status).toBe(204);
    expect((await ask("GET", "/api/v2/session", undefined, keys)).body.permissions).toEqual([]);
    expect([(await ask("GET", `${ROLES}/${id}`)).status, (await ask("DELETE", `${ROLES}/${id}`)).status]).toEqual([404, 404]);
    expect(trail.map(({ who, entry }) => [who.handle, entry.event, entry.action, entry.asset.type, entry.asset.name])).toEqual([
      ["root@example.com", "Access Management", "created", "role", "Triage"], ["root@example.com", "Access Management", "modified", "role", "Tier 1"], ["root@example.com", "Access Management", "deleted", "role", "Tier 1"],
    ]);
    expect(trail[1]!.entry).toMatchObject({ before: { name: "Triage" }, after: { name: "Tier 1", permissions: ["cases_read"] } });
  });

  test("[RB-03] permissions and users are added and taken away", async () => {
    const served = await servePeople();
    const { ask, somebody, trail } = served;
    const id = await made(served, "Triage", ["cases_read"]);
    const { user, keys } = somebody("ann", []);
    expect(namesOf((await ask("POST", `${ROLES}/${id}/permissions`, permissionRef("cases_write"))).body)).toEqual(["cases_read", "cases_write"]);
    expect(namesOf((await ask("DELETE", `${ROLES}/${id}/permissions`, permissionRef("cases_read"))).body)).toEqual(["cases_write"]);
    expect((await ask("POST", `${ROLES}/${id}/permissions`, { data: { id: "no-such", type: "permissions" } })).status).toBe(400);
    expect((await ask("POST", `${ROLES}/${id}/users`, { data: userRef(user.id) })).body.data).toMatchObject([{ id: user.id, type: "users", relationships: { roles: { data: [roleRef(id)] } } }]);
    expect((await ask("GET", "/api/v2/session", undefined, keys)).body.permissions).toEqual(["cases_write"]);
    const before = trail.length;
    expect((await ask("POST", `${ROLES}/${id}/users`, { data: userRef(user.id) })).status).toBe(200);
    expect(trail.length).toBe(before);
    expect((await ask("GET", `${ROLES}/${id}/users`)).body.data).toHaveLength(1);
    expect((await ask("DELETE", `${ROLES}/${id}/users`, { data: userRef(user.id) })).body.data).toEqual([]);
    expect((await ask("GET", "/api/v2/session", undefined, keys)).body.permissions).toEqual([]);
    expect(trail.at(-1)!.entry).toMatchObject({ event: "Access Management", asset: { type: "user", id: user.id }, before: { roles: ["Triage"] }, after: { roles: [] } });
    expect((await ask("POST", `${ROLES}/${id}/users`, { data: userRef("nobody") })).status).toBe(404);
  });

  test("[RB-03] nobody gives what they do not hold, by a new role, an edit, a clone, a user, or a key", async () => {
    const { ask, may, somebody, store } = await servePeople();
    const { keys, user } = may("manager", ["user_access_manage", "cases_read"]);
    const { user: ann } = somebody("ann", []);
    const own = store.rolesOf(user.id)[0]!.id;
    const statuses = async (...asked: (readonly [string, string, object])[]): Promise<number[]> => {
      const found: number[] = [];
      for (const [method, path, body] of asked) found.push((await ask(method, path, body, keys)).status);
      return found;
    };
    expect(await statuses(
      ["POST", ROLES, newRole("More", ["cases_write"])], ["POST", `${ROLES}/${own}/permissions`, permissionRef("cases_write")], ["POST", `${ROLES}/${ADMIN_ROLE_ID}/clone`, clone("Root")],
      ["POST", `${ROLES}/${ADMIN_ROLE_ID}/users`, { data: userRef(user.id) }], ["POST", `${ROLES}/${READ_ONLY_ROLE_ID}/users`, { data: userRef(ann.id) }],
      ["POST", "/api/v2/users", { data: { type: "users", attributes: { email: "eve@example.com" }, relationships: { roles: { data: [roleRef(ADMIN_ROLE_ID)] } } } }],
      ["POST", "/api/v2/current_user/application_keys", { data: { type: "application_keys", attributes: { name: "k", scopes: ["cases_write"] } } }],
      ["DELETE", `${ROLES}/${ADMIN_ROLE_ID}/users`, { data: userRef(OPERATOR_ID) }],
    )).toEqual([403, 403, 403, 403, 403, 403, 403, 403]);
    expect([store.userByEmail("eve@example.com"), store.roleByName("Root"), store.rolesOf(ann.id)]).toEqual([undefined, undefined, []]);
    expect(await statuses(["POST", ROLES, newRole("Same", ["cases_read"])], ["POST", `${ROLES}/${own}/users`, { data: userRef(ann.id) }])).toEqual([200, 200]);
  });
});

describe("restriction queries", () => {
  const put = (text: string | null): object => ({ data: { type: "restriction_queries", attributes: { restriction_query: text } } });

  test("are read at the door, kept, told and taken away", async () => {
    const served = await servePeople();
    const { ask, trail } = served;
    const id = await made(served, "Blue", ["logs_read_data"]);
    expect((await ask("PUT", `${ROLES}/${id}/restriction_query`, put("team:("))).status).toBe(400);
    expect((await ask("PUT", `${ROLES}/${id}/restriction_query`, put("team:blue"))).body.data.attributes.restriction_query).toBe("team:blue");
    expect(trail.at(-1)!.entry).toMatchObject({ before: { restriction_query: null }, after: { restriction_query: "team:blue" } });
    expect((await ask("POST", `${ROLES}/${id}/clone`, clone("Blue too"))).body.data.attributes.restriction_query).toBe("team:blue");
    expect((await ask("PUT", `${ROLES}/${id}/restriction_query`, put(null))).body.data.attributes.restriction_query).toBeNull();
  });

  test("whoever sees a part gives sight of no more: not by their own role, a new one, or another account", async () => {
    const { ask, may, somebody, store } = await servePeople();
    const { keys, user } = may("blue", ["user_access_manage", "cases_read"], "team:blue");
    const [role] = store.rolesOf(user.id);
    const whole = store.addRole("Whole", ["cases_read"], 0);
    const { user: ann } = somebody("ann", [whole.id]);
    const asked = [
      await ask("PUT", `${ROLES}/${role!.id}/restriction_query`, put(null), keys), await ask("PUT", `${ROLES}/${role!.id}/restriction_query`, put("*"), keys),
      await ask("POST", ROLES, newRole("All", []), keys), await ask("POST", `${ROLES}/${whole.id}/users`, { data: userRef(user.id) }, keys),
      await ask("PATCH", `/api/v2/users/${ann.id}`, { data: { id: ann.id, type: "users", attributes: { email: "mine@example.com" } } }, keys),
    ];
    expect(asked.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
    expect(store.role(role!.id)!.restrictionQuery).toBe("team:blue");
    expect((await ask("POST", `${ROLES}/${role!.id}/clone`, clone("Blue too"), keys)).status).toBe(200);
  });
});
