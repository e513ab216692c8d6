import { Type } from "typebox";
import { parseQuery } from "../../query/parse.ts";
import { ApiError, badRequest, notFound, problemsError } from "../api-error.ts";
import type { StoredRole, StoredUser } from "../../store/people.ts";
import { permissions } from "../permission.ts";
import type { Principal } from "../principal.ts";
import { type Call, empty, ok, type Route, route } from "../route.ts";
import { permissionOf } from "./permission-id.ts";
import type { People } from "./people.ts";
import { isLike, Name, pageOf, permissionBodies, permissionBody, PermissionRef, PermissionRefs, PermissionShape, Role, roleBody, RoleQuery, sortedBy, User, userBody, UserQuery, UserRef } from "./shapes.ts";

const PATH = "/api/v2/roles";
const MOST_QUERY_CHARS = 4096;
const tag = "Roles";
const One = Type.Object({ data: Role });
const Permissions = Type.Object({ data: Type.Array(PermissionShape) });
const Users = Type.Object({ data: Type.Array(User) });
const NewRole = Type.Object({ data: Type.Object({ type: Type.Optional(Type.Enum(["roles"])), attributes: Type.Object({ name: Name }), relationships: Type.Optional(Type.Object({ permissions: Type.Optional(PermissionRefs) })) }) });
const ClonedRole = Type.Object({ data: Type.Object({ type: Type.Enum(["roles"]), attributes: Type.Object({ name: Name }) }) });
const ChangedRole = Type.Object({ data: Type.Object({ id: Type.String(), type: Type.Enum(["roles"]), attributes: Type.Object({ name: Type.Optional(Name) }), relationships: Type.Optional(Type.Object({ permissions: Type.Optional(PermissionRefs) })) }) });
const Restriction = Type.Object({ data: Type.Object({ type: Type.Optional(Type.String()), attributes: Type.Object({ restriction_query: Type.Union([Type.String({ maxLength: MOST_QUERY_CHARS }), Type.Null()]) }) }) });
const sorts = { name: ({ name }: StoredRole) => name.toLowerCase(), modified_at: ({ modifiedMs }: StoredRole) => modifiedMs, user_count: ({ userCount }: StoredRole) => userCount };
const reading = { tag, permission: "known" } as const;
const writing = { tag, permission: "user_access_manage" } as const;

type Doing = Pick<Call, "audit" | "principal" | "nowMs">;

/** Roles, what they let do, who has them, and what they let see. */
export function roleRoutes(people: People): readonly Route[] {
  const { store, grants, sql } = people;

  const get = (id: string): StoredRole => {
    const role = store.role(id);
    if (!role) throw notFound("Role not found");
    return role;
  };
  const user = (id: string): StoredUser => {
    const found = store.user(id);
    if (!found) throw notFound("User not found");
    return found;
  };
  const checkFree = (name: string, id?: string): void => {
    const known = store.roleByName(name);
    if (known && known.id !== id) throw badRequest(`a role of the name ${name} exists`);
  };
  const audited = (role: StoredRole): object => ({ name: role.name, permissions: role.permissions, restriction_query: role.restrictionQuery ?? null });
  const usersBody = (roleId: string): object => {
    const users = store.usersOf(roleId);
    return { data: users.map((each) => userBody(each, store.rolesOf(each.id))), meta: pageOf(users, users.length, {}).meta };
  };

  /** A new one. Without a query of its own its users see everything, so whoever does not cannot make it. */
  const make = ({ audit, principal, nowMs }: Doing, name: string, names: readonly string[], restrictionQuery?: string): StoredRole => sql.transaction(() => {
    checkFree(name);
    grants.checkRole(principal, { permissions: names, ...(restrictionQuery === undefined ? {} : { restrictionQuery }) });
    const role = store.addRole(name, names, nowMs, restrictionQuery === undefined ? {} : { restrictionQuery });
    audit({ event: "Access Management", action: "created", asset: { type: "role", id: role.id, name }, after: audited(role) });
    return role;
  });

  /** Holders of what it was and of what it becomes change it, and no managed one. */
  const change = ({ audit, principal, nowMs }: Doing, id: string, to: Parameters<typeof store.changeRole>[1]): StoredRole => sql.transaction(() => {
    const before = get(id);
    if (before.isManaged) throw new ApiError(403, `${before.name} comes with the program and is not edited; clone it`);
    grants.checkRole(principal, before);
    if (to.name !== undefined) checkFree(to.name, id);
    const restrictionQuery = to.restrictionQuery === undefined ? before.restrictionQuery : (to.restrictionQuery ?? undefined);
    // Before it is written: the caller may be one of its users.
    grants.checkRole(principal, { permissions: to.permissions ?? before.permissions, ...(restrictionQuery === undefined ? {} : { restrictionQuery }) });
    const after = store.changeRole(id, to, nowMs);
    audit({ event: "Access Management", action: "modified", asset: { type: "role", id, name: after.name }, before: audited(before), after: audited(after) });
    return after;
  });

  const withPermissions = (call: Doing, id: string, edit: (names: ReadonlySet<string>) => Iterable<string>): object => {
    const { permissions: names } = change(call, id, { permissions: [...edit(new Set(get(id).permissions))].toSorted() });
    return { data: permissionBodies(names) };
  };

  const member = ({ audit, principal }: Doing & { readonly principal: Principal }, roleId: string, userId: string, isGiven: boolean): object => sql.transaction(() => {
    const role = get(roleId);
    const { email } = user(userId);
    grants.checkRole(principal, role);
    const before = store.rolesOf(userId).map(({ name }) => name);
    if (!(isGiven ? store.giveRole(userId, roleId) : store.takeRole(userId, roleId))) return usersBody(roleId);
    grants.checkAdminLeft();
    audit({ event: "Access Management", action: "modified", asset: { type: "user", id: userId, name: email }, before: { roles: before }, after: { roles: store.rolesOf(userId).map(({ name }) => name) } });
    return usersBody(roleId);
  });

  return [
    route({ ...reading, method: "GET", path: "/api/v2/permissions", operationId: "listPermissions", summary: "Everything that can be permitted", answers: { 200: Permissions } }, () => ok({ data: permissions.map(permissionBody) })),
    route({ ...reading, method: "GET", path: PATH, operationId: "listRoles", summary: "Roles", query: RoleQuery, answers: { 200: Type.Object({ data: Type.Array(Role) }) } }, ({ query }) => {
      const all = store.roles();
      const ids = query["filter[id]"]?.split(",").map((text) => text.trim());
      const { shown, meta } = pageOf(sortedBy(all.filter(({ id, name }) => isLike(query.filter, name) && (!ids || ids.includes(id))), query.sort ?? "name", sorts), all.length, query);
      return ok({ data: shown.map(roleBody), meta });
    }),
    route({ ...writing, method: "POST", path: PATH, operationId: "createRole", summary: "A new role, of permissions the caller holds too", body: NewRole, answers: { 200: One } }, (call) => {
      const { attributes, relationships } = call.body.data;
      return ok({ data: roleBody(make(call as Doing, attributes.name, namesOf(relationships?.permissions))) });
    }),
    route({ ...reading, method: "GET", path: `${PATH}/:id`, operationId: "getRole", summary: "One role", answers: { 200: One }, refuses: [404] }, ({ params }) => ok({ data: roleBody(get(params.id!)) })),
    route({ ...writing, method: "PATCH", path: `${PATH}/:id`, operationId: "updateRole", summary: "Another name or other permissions", body: ChangedRole, answers: { 200: One }, refuses: [404, 422] }, (call) => {
      const { id, attributes, relationships } = call.body.data;
      if (id !== call.params.id) throw new ApiError(422, "data.id is another role's than the path's");
      return ok({ data: roleBody(change(call as Doing, id, { ...(attributes.name === undefined ? {} : { name: attributes.name }), ...(relationships?.permissions?.data ? { permissions: namesOf(relationships.permissions) } : {}) })) });
    }),
    route({ ...writing, method: "DELETE", path: `${PATH}/:id`, operationId: "deleteRole", summary: "Its users have it no more", answers: { 204: undefined }, refuses: [404] }, ({ params, principal, audit }) => {
      sql.transaction(() => {
        const role = get(params.id!);
        if (role.isManaged) throw new ApiError(403, `${role.name} comes with the program and stays`);
        grants.checkRole(principal, role);
        store.deleteRole(role.id);
        audit({ event: "Access Management", action: "deleted", asset: { type: "role", id: role.id, name: role.name }, before: audited(role) });
      });
      return empty;
    }),
    route({ ...writing, method: "POST", path: `${PATH}/:id/clone`, operationId: "cloneRole", summary: "A role like another, to be edited", body: ClonedRole, answers: { 200: One }, refuses: [404] }, (call) => {
      const { permissions: names, restrictionQuery } = get(call.params.id!);
      return ok({ data: roleBody(make(call as Doing, call.body.data.attributes.name, names, restrictionQuery)) });
    }),
    route({ ...reading, method: "GET", path: `${PATH}/:id/permissions`, operationId: "listRolePermissions", summary: "What a role lets do", answers: { 200: Permissions }, refuses: [404] }, ({ params }) => ok({ data: permissionBodies(get(params.id!).permissions) })),
    route({ ...writing, method: "POST", path: `${PATH}/:id/permissions`, operationId: "addPermissionToRole", summary: "Lets its users do more", body: Type.Object({ data: PermissionRef }), answers: { 200: Permissions }, refuses: [404] },
      (call) => ok(withPermissions(call as Doing, call.params.id!, (names) => new Set([...names, ...namesOf({ data: [call.body.data] })])))),
    route({ ...writing, method: "DELETE", path: `${PATH}/:id/permissions`, operationId: "removePermissionFromRole", summary: "Lets its users do less", body: Type.Object({ data: PermissionRef }), answers: { 200: Permissions }, refuses: [404] },
      (call) => ok(withPermissions(call as Doing, call.params.id!, (names) => [...names].filter((name) => !namesOf({ data: [call.body.data] }).includes(name))))),
    route({ ...reading, method: "GET", path: `${PATH}/:id/users`, operationId: "listRoleUsers", summary: "Who has a role", query: UserQuery, answers: { 200: Users }, refuses: [404] }, ({ params, query }) => {
      const users = store.usersOf(get(params.id!).id);
      const { shown, meta } = pageOf(users.filter(({ name, email, handle }) => isLike(query.filter, name, email, handle)), users.length, query);
      return ok({ data: shown.map((each) => userBody(each, store.rolesOf(each.id))), meta });
    }),
    route({ ...writing, method: "POST", path: `${PATH}/:id/users`, operationId: "addUserToRole", summary: "Gives the role to a user", body: Type.Object({ data: UserRef }), answers: { 200: Users }, refuses: [404] }, (call) => ok(member(call as Doing, call.params.id!, call.body.data.id, true))),
    route({ ...writing, method: "DELETE", path: `${PATH}/:id/users`, operationId: "removeUserFromRole", summary: "Takes the role from a user", body: Type.Object({ data: UserRef }), answers: { 200: Users }, refuses: [404] }, (call) => ok(member(call as Doing, call.params.id!, call.body.data.id, false))),
    route({ ...writing, method: "PUT", path: `${PATH}/:id/restriction_query`, operationId: "updateRoleRestrictionQuery", summary: "Its users see logs and signals this log search finds; null: all of them", body: Restriction, answers: { 200: One }, refuses: [404] }, (call) => {
      const text = call.body.data.attributes.restriction_query;
      const parsed = text === null ? undefined : parseQuery(text);
      if (parsed?.ok === false) throw problemsError(parsed.problems.map((problem) => ({ ...problem, place: "data.attributes.restriction_query" })));
      return ok({ data: roleBody(change(call as Doing, call.params.id!, { restrictionQuery: text })) });
    }),
  ];
}

function namesOf(refs: { readonly data?: ReadonlyArray<{ readonly id?: string }> } | undefined): readonly string[] {
  const names = (refs?.data ?? []).map(({ id }) => {
    if (id === undefined) throw badRequest("permissions: id is missing");
    return permissionOf(id).name;
  });
  return [...new Set(names)].toSorted();
}
