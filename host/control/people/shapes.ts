import { Type } from "typebox";
import type { StoredKey } from "../../store/keys.ts";
import type { StoredRole, StoredUser } from "../../store/people.ts";
import { badRequest } from "../api-error.ts";
import { type PermissionFacts, permissions } from "../permission.ts";
import { permissionId } from "./permission-id.ts";

// Datadog's forms of users, roles, permissions and keys (its public API v2), with few members of our own.

export const Open = Type.Object({});
export const Name = Type.String({ minLength: 1, maxLength: 200 });
export const RoleRef = Type.Object({ id: Type.String({ maxLength: 100 }), type: Type.Optional(Type.Enum(["roles"])) });
export const UserRef = Type.Object({ id: Type.String({ maxLength: 100 }), type: Type.Optional(Type.Enum(["users"])) });
export const PermissionRef = Type.Object({ id: Type.Optional(Type.String({ maxLength: 100 })), type: Type.Optional(Type.Enum(["permissions"])) });
export const RoleRefs = Type.Object({ data: Type.Optional(Type.Array(RoleRef, { maxItems: 100 })) });
export const PermissionRefs = Type.Object({ data: Type.Optional(Type.Array(PermissionRef, { maxItems: 500 })) });

const Paged = { "page[size]": Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })), "page[number]": Type.Optional(Type.Integer({ minimum: 0 })) };
export const UserQuery = Type.Object({ ...Paged, sort: Type.Optional(Type.String()), sort_dir: Type.Optional(Type.Enum(["asc", "desc"])), filter: Type.Optional(Type.String()), "filter[status]": Type.Optional(Type.String()) });
export const RoleQuery = Type.Object({ ...Paged, sort: Type.Optional(Type.Enum(["name", "-name", "modified_at", "-modified_at", "user_count", "-user_count"])), filter: Type.Optional(Type.String()), "filter[id]": Type.Optional(Type.String()) });
export const KeyQuery = Type.Object({ ...Paged, sort: Type.Optional(Type.Enum(["created_at", "-created_at", "last4", "-last4", "modified_at", "-modified_at", "name", "-name"])), filter: Type.Optional(Type.String()) });

const Related = Type.Object({ id: Type.String(), type: Type.String() });
export const User = Type.Object({
  id: Type.String(), type: Type.Literal("users"),
  attributes: Type.Object({ handle: Type.String(), name: Type.String(), email: Type.String(), status: Type.Enum(["Active", "Disabled"]), disabled: Type.Boolean(), created_at: Type.String(), modified_at: Type.String() }),
  relationships: Type.Object({ roles: Type.Object({ data: Type.Array(Related) }) }),
});
export const Role = Type.Object({
  id: Type.String(), type: Type.Literal("roles"),
  attributes: Type.Object({ name: Type.String(), user_count: Type.Integer(), created_at: Type.String(), modified_at: Type.String(), managed: Type.Boolean(), restriction_query: Type.Union([Type.String(), Type.Null()]) }),
  relationships: Type.Object({ permissions: Type.Object({ data: Type.Array(Related) }) }),
});
export const PermissionShape = Type.Object({
  id: Type.String(), type: Type.Literal("permissions"),
  attributes: Type.Object({ name: Type.String(), display_name: Type.String(), description: Type.String(), group_name: Type.String(), restricted: Type.Boolean() }),
});
export const Key = Type.Object({
  id: Type.String(), type: Type.Enum(["api_keys", "application_keys"]),
  attributes: Type.Object({ name: Type.String(), last4: Type.String(), created_at: Type.String(), key: Type.Optional(Type.String({ description: "Only where it was just made." })), scopes: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])), disabled: Type.Boolean() }),
});

const isoText = (ms: number): string => new Date(ms).toISOString();

export function userBody(user: StoredUser, roles: readonly StoredRole[]): Record<string, unknown> {
  return {
    id: user.id, type: "users",
    attributes: {
      handle: user.handle, name: user.name, email: user.email, title: null, icon: "", verified: true, service_account: false, mfa_enabled: false,
      status: user.isActive ? "Active" : "Disabled", disabled: !user.isActive, created_at: isoText(user.createdMs), modified_at: isoText(user.modifiedMs),
      ...(user.lastLoginMs === undefined ? {} : { last_login_time: isoText(user.lastLoginMs) }),
    },
    relationships: { roles: { data: roles.map(({ id }) => ({ id, type: "roles" })) } },
  };
}

export function roleBody(role: StoredRole): Record<string, unknown> {
  return {
    id: role.id, type: "roles",
    attributes: { name: role.name, user_count: role.userCount, created_at: isoText(role.createdMs), modified_at: isoText(role.modifiedMs), managed: role.isManaged, restriction_query: role.restrictionQuery ?? null },
    relationships: { permissions: { data: role.permissions.map((name) => ({ id: permissionId(name), type: "permissions" })) } },
  };
}

/** Since there is no time at which a permission was made, the first is told. */
export function permissionBody({ name, displayName, group }: PermissionFacts): Record<string, unknown> {
  return {
    id: permissionId(name), type: "permissions",
    attributes: { name, display_name: displayName, description: descriptionOf(name, displayName), group_name: group, display_type: /_read(?:_data|_index_data)?$/.test(name) ? "read" : "write", restricted: false, created: isoText(0) },
  };
}

/** Those of these names, in the order in which permissions are listed. */
export function permissionBodies(names: Iterable<string>): Record<string, unknown>[] {
  const wanted = new Set(names);
  return permissions.filter(({ name }) => wanted.has(name)).map(permissionBody);
}

/** @param key the key itself, which is told where it was just made, and never again */
export function keyBody(stored: StoredKey, key?: string): Record<string, unknown> {
  const isApi = stored.kind === "api";
  const used = stored.lastUsedMs === undefined ? null : isoText(stored.lastUsedMs);
  const person = (id: string | undefined): { readonly data: object } | undefined => (id === undefined ? undefined : { data: { id, type: "users" } });
  return {
    id: stored.id, type: isApi ? "api_keys" : "application_keys",
    attributes: {
      name: stored.name, last4: stored.last4, created_at: isoText(stored.createdMs), modified_at: isoText(stored.modifiedMs), disabled: stored.isDisabled,
      ...(key === undefined ? {} : { key }), ...(isApi ? (used === null ? {} : { date_last_used: used }) : { scopes: stored.scopes ?? null, last_used_at: used }),
    },
    relationships: isApi ? { created_by: person(stored.createdBy) } : { owned_by: person(stored.ownerId) },
  };
}

/** One page of a list, with what is said of the whole. */
export function pageOf<T>(list: readonly T[], total: number, query: { readonly "page[size]"?: number; readonly "page[number]"?: number }): { readonly shown: readonly T[]; readonly meta: object } {
  const { "page[size]": size = 10, "page[number]": number = 0 } = query;
  return { shown: list.slice(size * number, size * (number + 1)), meta: { page: { total_count: total, total_filtered_count: list.length } } };
}

/** By a member's value, descending behind a minus. */
export function sortedBy<T>(list: readonly T[], sort: string, by: Readonly<Record<string, (item: T) => string | number>>): readonly T[] {
  const isDown = sort.startsWith("-");
  const value = by[isDown ? sort.slice(1) : sort];
  if (!value) throw badRequest(`query.sort: must be one of ${Object.keys(by).flatMap((name) => [name, `-${name}`]).join(", ")}`);
  const order = (one: T, other: T): number => (value(one) < value(other) ? -1 : value(one) > value(other) ? 1 : 0);
  return list.toSorted((one, other) => (isDown ? order(other, one) : order(one, other)));
}

/** Does one of the texts hold what is looked for, whatever the case? */
export function isLike(filter: string | undefined, ...texts: readonly string[]): boolean {
  return filter === undefined || texts.some((text) => text.toLowerCase().includes(filter.toLowerCase()));
}

/** As it is kept, in small letters. Only plain letters: in others, two addresses can look the same, or be the same in small letters. */
export function emailOf(text: string): string {
  const email = text.trim().toLowerCase();
  if (email.length > 254 || !/^[!-?A-~]+@[!-?A-~]+$/.test(text.trim())) throw badRequest("email: must be an address such as ann@example.com");
  return email;
}

function descriptionOf(name: string, displayName: string): string {
  const [, subject = displayName, verb = ""] = /^(.*?) (Read|Write|Manage|Delete|Run|Actions|Invite)(?: (?:Data|Index Data|Pipelines))?$/.exec(displayName) ?? [];
  const verbs: Readonly<Record<string, string>> = { Read: "See", Write: "Make and change", Manage: "Manage", Delete: "Delete", Run: "Run", Actions: "Run actions of", Invite: "Invite people to" };
  return name === "org_management" ? "Manage what concerns the whole organisation." : `${verbs[verb] ?? "Use"} ${subject.toLowerCase()}.`;
}
