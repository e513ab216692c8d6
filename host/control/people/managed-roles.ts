import { OPERATOR_ID } from "../../store/keys.ts";
import type { PeopleStore } from "../../store/people.ts";
import { allPermissions, type Permission } from "../permission.ts";

export const ADMIN_ROLE_ID = "00000000-0000-4000-8000-0000000000a1";
export const STANDARD_ROLE_ID = "00000000-0000-4000-8000-0000000000a2";
export const READ_ONLY_ROLE_ID = "00000000-0000-4000-8000-0000000000a3";

const readOnly: readonly Permission[] = [...allPermissions].filter((name) => (/_read(?:_data|_index_data)?$/.test(name) && name !== "audit_logs_read" && name !== "api_keys_read"));
const standard: readonly Permission[] = [
  ...readOnly, "dashboards_write", "security_monitoring_signals_write", "cases_write", "incident_write", "workflows_write", "workflows_run", "reference_tables_write",
  "security_monitoring_suppressions_write", "security_monitoring_rules_write", "security_monitoring_notification_profiles_write", "security_monitoring_filters_write",
];

/** Roles that come along, each with all of the one below it (platform spec 4.2). */
export const managedRoles: ReadonlyArray<{ readonly id: string; readonly name: string; readonly permissions: readonly Permission[] }> = [
  { id: ADMIN_ROLE_ID, name: "Datadog Admin Role", permissions: [...allPermissions] },
  { id: STANDARD_ROLE_ID, name: "Datadog Standard Role", permissions: standard },
  { id: READ_ONLY_ROLE_ID, name: "Datadog Read Only Role", permissions: readOnly },
];

const OPERATOR_EMAIL = "admin@localhost";

/** Roles as this version has them, and in a new data folder the account that keys of the command line act for. In a transaction. */
export function setUpPeople(people: PeopleStore, nowMs: number): void {
  for (const { id, name, permissions } of managedRoles) {
    const known = people.role(id);
    if (!known) people.addRole(name, permissions, nowMs, { id, isManaged: true });
    else if (known.name !== name || known.permissions.join() !== permissions.join()) people.changeRole(id, { name, permissions }, nowMs);
  }
  if (people.user(OPERATOR_ID)) return;
  people.addUser({ id: OPERATOR_ID, email: OPERATOR_EMAIL, name: "Administrator" }, nowMs);
  people.giveRole(OPERATOR_ID, ADMIN_ROLE_ID);
}
