import { createHash } from "node:crypto";
import { badRequest } from "../api-error.ts";
import { isPermission, type Permission, type PermissionFacts, permissions } from "../permission.ts";

/** Permissions have UUIDs in Datadog's calls; ours are made of the name, so they are the same everywhere and always. */
export function permissionId(name: string): string {
  const hex = createHash("sha256").update(`vespid permission ${name}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const byId = new Map(permissions.map((facts) => [permissionId(facts.name), facts]));

/** By its UUID or its name. Throws an `ApiError` with 400. */
export function permissionOf(id: string): PermissionFacts {
  const facts = byId.get(id.toLowerCase()) ?? permissions.find(({ name }) => name === id);
  if (!facts) throw badRequest(`there is no permission ${id.slice(0, 100)}; GET /api/v2/permissions lists them`);
  return facts;
}

/** Names of permissions that a key is held to. Throws an `ApiError` with 400. */
export function scopesOf(names: readonly string[]): readonly Permission[] {
  const odd = names.filter((name) => !isPermission(name));
  if (odd.length) throw badRequest(...odd.slice(0, 10).map((name) => `scopes: there is no permission ${name.slice(0, 100)}`));
  return [...new Set(names)].filter(isPermission).toSorted();
}
