import { Type } from "typebox";
import { ApiError, badRequest, notFound } from "../api-error.ts";
import type { StoredUser } from "../../store/people.ts";
import { type Call, created, empty, ok, type Route, route } from "../route.ts";
import { permissionsOf } from "./doorkeeper.ts";
import { hashPassword, passwordFault } from "./password.ts";
import type { People } from "./people.ts";
import { emailOf, isLike, Name, Open, pageOf, permissionBodies, PermissionShape, roleBody, RoleRefs, sortedBy, User, userBody, UserQuery } from "./shapes.ts";

const PATH = "/api/v2/users";
const tag = "Users";
const One = Type.Object({ data: User, included: Type.Array(Open) });
const Many = Type.Object({ data: Type.Array(User), included: Type.Array(Open), meta: Open });
const NewUser = Type.Object({
  data: Type.Object({
    type: Type.Enum(["users"]),
    attributes: Type.Object({ email: Type.String({ maxLength: 254 }), name: Type.Optional(Name), password: Type.Optional(Type.String({ maxLength: 1024 })) }),
    relationships: Type.Optional(Type.Object({ roles: Type.Optional(RoleRefs) })),
  }),
});
const ChangedUser = Type.Object({
  data: Type.Object({
    id: Type.String(), type: Type.Enum(["users"]),
    attributes: Type.Object({ email: Type.Optional(Type.String({ maxLength: 254 })), name: Type.Optional(Name), disabled: Type.Optional(Type.Boolean()), password: Type.Optional(Type.String({ maxLength: 1024 })) }),
  }),
});
const sorts = { name: ({ name }: StoredUser) => name.toLowerCase(), email: ({ email }: StoredUser) => email, handle: ({ handle }: StoredUser) => handle, created_at: ({ createdMs }: StoredUser) => createdMs, modified_at: ({ modifiedMs }: StoredUser) => modifiedMs, status: ({ isActive }: StoredUser) => (isActive ? 0 : 1) };

/** Accounts: anybody who is known sees who there is; making and changing them takes a permission, and power over the account. */
export function userRoutes(people: People): readonly Route[] {
  const { store, grants, sql } = people;

  const one = (user: StoredUser): Record<string, unknown> => {
    const roles = store.rolesOf(user.id);
    return { data: userBody(user, roles), included: [...roles.map(roleBody), ...permissionBodies(permissionsOf(roles))] };
  };
  const get = (id: string): StoredUser => {
    const user = store.user(id);
    if (!user) throw notFound("User not found");
    return user;
  };
  const checkFree = (email: string, id?: string): void => {
    const known = store.userByEmail(email) ?? store.users().find(({ handle }) => handle === email);
    if (known && known.id !== id) throw badRequest("User already exists");
  };
  const audited = (user: StoredUser): Record<string, unknown> => ({ ...(userBody(user, []).attributes as object), roles: store.rolesOf(user.id).map(({ name }) => name) });

  /** One transaction; `work` changes the user. */
  const changed = (call: Pick<Call, "audit" | "principal" | "nowMs">, id: string, work: (user: StoredUser) => StoredUser): StoredUser => sql.transaction(() => {
    const user = get(id);
    const before = audited(user);
    const after = work(user);
    grants.checkAdminLeft();
    call.audit({ event: "Access Management", action: "modified", asset: { type: "user", id, name: after.email }, before, after: audited(after) });
    return after;
  });

  return [
    route({ tag, permission: "known", method: "GET", path: PATH, operationId: "listUsers", summary: "Users", query: UserQuery, answers: { 200: Many } }, ({ query }) => {
      const all = store.users();
      const states = query["filter[status]"]?.split(",").map((text) => text.trim().toLowerCase());
      const found = all.filter((user) => isLike(query.filter, user.name, user.email, user.handle) && (!states || states.includes(user.isActive ? "active" : "disabled")));
      const sort = query.sort ?? "name";
      const { shown, meta } = pageOf(sortedBy(found, query.sort_dir === "desc" && !sort.startsWith("-") ? `-${sort}` : sort, sorts), all.length, query);
      const roles = new Map(shown.flatMap(({ id }) => store.rolesOf(id)).map((role) => [role.id, role]));
      return ok({ data: shown.map((user) => userBody(user, store.rolesOf(user.id))), included: [...roles.values()].map(roleBody), meta });
    }),
    route({ tag, permission: ["user_access_invite", "user_access_manage"], method: "POST", path: PATH, operationId: "createUser", summary: "A new user, with roles the caller holds too", body: NewUser, answers: { 201: One } }, async (call) => {
      const { attributes, relationships } = call.body.data;
      const email = emailOf(attributes.email);
      const passwordHash = await newPasswordHash(attributes.password);
      return created(sql.transaction(() => {
        checkFree(email);
        const user = store.addUser({ email, name: attributes.name ?? email, ...(passwordHash === undefined ? {} : { passwordHash }) }, call.nowMs);
        for (const { id } of relationships?.roles?.data ?? []) {
          const role = store.role(id);
          if (!role) throw badRequest(`data.relationships.roles: there is no role ${id}`);
          grants.checkRole(call.principal, role);
          store.giveRole(user.id, id);
        }
        call.audit({ event: "Access Management", action: "created", asset: { type: "user", id: user.id, name: email }, after: audited(user) });
        return one(user);
      }));
    }),
    route({ tag, permission: "known", method: "GET", path: `${PATH}/:id`, operationId: "getUser", summary: "One user", answers: { 200: One }, refuses: [404] }, ({ params }) => ok(one(get(params.id!)))),
    route({ tag, permission: "user_access_manage", method: "PATCH", path: `${PATH}/:id`, operationId: "updateUser", summary: "Another name or address; comes in again, or not any more", body: ChangedUser, answers: { 200: One }, refuses: [404, 422] }, async (call) => {
      const { id, attributes } = call.body.data;
      if (id !== call.params.id) throw new ApiError(422, "data.id is another user's than the path's");
      const passwordHash = await newPasswordHash(attributes.password);
      return ok(one(changed(call as Call, id, (user) => {
        grants.checkGoverns(call.principal, user);
        if (attributes.disabled) checkOther(call.principal.userId, id);
        const email = attributes.email === undefined ? undefined : emailOf(attributes.email);
        if (email !== undefined) checkFree(email, id);
        return store.changeUser(id, {
          ...(email === undefined ? {} : { email }), ...(attributes.name === undefined ? {} : { name: attributes.name }),
          ...(attributes.disabled === undefined ? {} : { isActive: !attributes.disabled }), ...(passwordHash === undefined ? {} : { passwordHash }),
        }, call.nowMs);
      })));
    }),
    route({ tag, permission: "user_access_manage", method: "DELETE", path: `${PATH}/:id`, operationId: "disableUser", summary: "Comes in no more; what the user did stays", answers: { 204: undefined }, refuses: [404] }, (call) => {
      const id = call.params.id!;
      changed(call as Call, id, (user) => {
        grants.checkGoverns(call.principal, user);
        checkOther(call.principal.userId, id);
        return store.changeUser(id, { isActive: false }, call.nowMs);
      });
      return empty;
    }),
    route({ tag, permission: "known", method: "GET", path: `${PATH}/:id/permissions`, operationId: "listUserPermissions", summary: "What all roles of a user let do together", answers: { 200: Type.Object({ data: Type.Array(PermissionShape) }) }, refuses: [404] },
      ({ params }) => ok({ data: permissionBodies(permissionsOf(store.rolesOf(get(params.id!).id))) })),
    route({ tag, permission: "known", method: "GET", path: `${PATH}/:id/roles`, operationId: "listUserRoles", summary: "Roles of a user", answers: { 200: Type.Object({ data: Type.Array(Open) }) }, refuses: [404] },
      ({ params }) => ok({ data: store.rolesOf(get(params.id!).id).map(roleBody) })),
    route({ tag, permission: "known", method: "GET", path: "/api/v2/current_user", operationId: "getCurrentUser", summary: "Who the caller is", answers: { 200: One } }, ({ principal }) => ok(one(get(principal.userId)))),
  ];
}

/** Throws an `ApiError` with 400 for one that is too easily guessed. */
export async function newPasswordHash(password: string | undefined): Promise<string | undefined> {
  if (password === undefined) return undefined;
  const fault = passwordFault(password);
  if (fault !== undefined) throw badRequest(`password: ${fault}`);
  return await hashPassword(password);
}

function checkOther(own: string, id: string): void {
  if (own === id) throw badRequest("nobody disables their own account; another administrator can");
}
