import type { AuditEntry } from "../control/audit-trail.ts";
import { Grants } from "../control/people/grants.ts";
import { hashPassword, passwordFault } from "../control/people/password.ts";
import { emailOf } from "../control/people/shapes.ts";
import type { StoredRole, StoredUser } from "../store/people.ts";
import { type PeopleStores, withPeople } from "./people-store.ts";
import { UsageError } from "./problems.ts";
import { readNewPassword } from "./secret-input.ts";
import { jsonLine, plural, safe, table, timeText } from "./text.ts";

export interface UserOptions {
  readonly data: string;
  readonly json?: boolean;
}

export interface AddOptions extends UserOptions {
  readonly name?: string;
  readonly role?: readonly string[];
  readonly password?: boolean;
}

export interface RoleOptions extends UserOptions {
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
}

/** `vespid users add`. */
export async function usersAdd(address: string, { data, name, role = [], password, json }: AddOptions): Promise<number> {
  const passwordHash = password ? await newHash() : undefined;
  return await withPeople(data, true, ({ change, people }) => {
    const user = change(() => {
      const email = emailOf(address);
      if (people.userByEmail(email)) throw new UsageError(`${safe(email)} is a user already`);
      const roles = role.map((each) => roleOf(people, each));
      const added = people.addUser({ email, name: name ?? email, ...(passwordHash === undefined ? {} : { passwordHash }) }, Date.now());
      for (const { id } of roles) people.giveRole(added.id, id);
      return { result: added, entries: [entryOf("created", added, undefined, facts(people, added))] };
    });
    tellUser(people, user, json, "added");
    if (!role.length) process.stderr.write("without a role, and so without any permission; vespid users roles gives one\n");
    return 0;
  });
}

/** `vespid users list`. */
export async function usersList({ data, json }: UserOptions): Promise<number> {
  return await withPeople(data, false, ({ people }) => {
    const users = people.users();
    if (json) for (const user of users) process.stdout.write(jsonLine(userJson(people, user)));
    else {
      const rows = users.map((user) => [safe(user.email), user.isActive ? "active" : "disabled", user.hasPassword ? "password" : user.oidcSubject === undefined ? "keys only" : "provider", user.lastLoginMs === undefined ? "-" : timeText(user.lastLoginMs), safe(people.rolesOf(user.id).map(({ name }) => name).join(", ")), safe(user.name)]);
      process.stdout.write(`${table(["address", "status", "comes in by", "last login", "roles", "name"], rows)}\n`);
      process.stderr.write(`${plural(users.length, "user")}\n`);
    }
    return 0;
  });
}

/** `vespid users disable` and `enable`. A running server refuses who is disabled at once. */
export async function usersEnable(email: string, isActive: boolean, { data, json }: UserOptions): Promise<number> {
  return await withPeople(data, false, ({ change, people, keys }) => {
    const user = change(() => {
      const before = userOf(people, email);
      const result = people.changeUser(before.id, { isActive }, Date.now());
      new Grants(people, keys).checkAdminLeft();
      return { result, entries: [entryOf("modified", result, facts(people, before), facts(people, result))] };
    });
    tellUser(people, user, json, isActive ? "may come in again" : "comes in no more");
    return 0;
  });
}

/** `vespid users password`: ends all sessions of the user. */
export async function usersPassword(email: string, { data, json }: UserOptions): Promise<number> {
  return await withPeople(data, true, async ({ change, people }) => {
    const { id } = userOf(people, email);
    const passwordHash = await newHash();
    const user = change(() => {
      const result = people.changeUser(id, { passwordHash }, Date.now());
      return { result, entries: [{ ...entryOf("modified", result), message: "password changed" }] };
    });
    tellUser(people, user, json, "has another password");
    return 0;
  });
}

/** `vespid users roles`: gives, takes, and shows. */
export async function usersRoles(email: string, { data, add = [], remove = [], json }: RoleOptions): Promise<number> {
  return await withPeople(data, false, ({ change, people, keys }) => {
    const user = userOf(people, email);
    change(() => {
      const before = facts(people, user);
      for (const name of add) people.giveRole(user.id, roleOf(people, name).id);
      for (const name of remove) people.takeRole(user.id, roleOf(people, name).id);
      new Grants(people, keys).checkAdminLeft();
      return { result: undefined, entries: add.length || remove.length ? [entryOf("modified", user, before, facts(people, user))] : [] };
    });
    if (json) process.stdout.write(jsonLine(userJson(people, user)));
    else process.stdout.write(people.rolesOf(user.id).map(({ name }) => `${safe(name)}\n`).join(""));
    return 0;
  });
}

function entryOf(action: "created" | "modified", { id, email }: StoredUser, before?: object, after?: object): AuditEntry {
  return { event: "Access Management", action, asset: { type: "user", id, name: email }, ...(before ? { before } : {}), ...(after ? { after } : {}) };
}

function facts(people: PeopleStores["people"], { id, email, name, isActive }: StoredUser): object {
  return { email, name, disabled: !isActive, roles: people.rolesOf(id).map((role) => role.name) };
}

async function newHash(): Promise<string> {
  const password = await readNewPassword();
  const fault = passwordFault(password);
  if (fault !== undefined) throw new UsageError(fault);
  return await hashPassword(password);
}

export function userOf(people: PeopleStores["people"], email: string): StoredUser {
  const user = people.userByEmail(email);
  if (!user) throw new UsageError(`there is no user ${safe(email)}; vespid users list shows who there is`);
  return user;
}

function roleOf(people: PeopleStores["people"], name: string): StoredRole {
  const role = people.roleByName(name) ?? people.role(name);
  if (!role) throw new UsageError(`there is no role ${safe(name)}; there are ${people.roles().map((each) => safe(each.name)).join(", ")}`);
  return role;
}

function userJson(people: PeopleStores["people"], user: StoredUser): object {
  return { id: user.id, email: user.email, name: user.name, status: user.isActive ? "active" : "disabled", has_password: user.hasPassword, roles: people.rolesOf(user.id).map(({ name }) => name), created_at: user.createdMs, last_login_at: user.lastLoginMs ?? null };
}

function tellUser(people: PeopleStores["people"], user: StoredUser, json: boolean | undefined, done: string): void {
  if (json) process.stdout.write(jsonLine(userJson(people, user)));
  else process.stdout.write(`${safe(user.email)} ${done}\n`);
}
