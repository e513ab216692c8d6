import { randomUUID } from "node:crypto";
import type { SqlDriver, SqlRow } from "./driver.ts";

export interface StoredUser {
  readonly id: string;
  readonly handle: string;
  readonly name: string;
  /** In small letters. */
  readonly email: string;
  readonly isActive: boolean;
  readonly hasPassword: boolean;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly lastLoginMs?: number;
  /** Whom an identity provider knows by it: its address and its name for the user. */
  readonly oidcSubject?: string;
}

export interface StoredRole {
  readonly id: string;
  readonly name: string;
  /** Comes with the program and is not edited. */
  readonly isManaged: boolean;
  readonly permissions: readonly string[];
  /** Log search its users see logs and signals through; undefined: all of them. */
  readonly restrictionQuery?: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly userCount: number;
}

export interface NewUser {
  readonly email: string;
  readonly name: string;
  /** The address, where there is none. */
  readonly handle?: string;
  readonly passwordHash?: string;
  readonly oidcSubject?: string;
  readonly id?: string;
}

export interface UserChange {
  readonly email?: string;
  readonly name?: string;
  readonly isActive?: boolean;
  readonly passwordHash?: string | null;
  readonly oidcSubject?: string;
  readonly lastLoginMs?: number;
}

export interface RoleChange {
  readonly name?: string;
  readonly permissions?: readonly string[];
  /** Null: its users see everything again. */
  readonly restrictionQuery?: string | null;
}

const ROLES = "SELECT roles.*, (SELECT count(*) FROM user_roles WHERE role_id = roles.id) AS user_count FROM roles";

/** Users and roles on disk. Users are disabled, never deleted: what they did stays theirs. */
export class PeopleStore {
  readonly #sql: SqlDriver;

  constructor(sql: SqlDriver) {
    this.#sql = sql;
  }

  /** Throws what SQLite says where the address or handle is taken. */
  addUser({ id = randomUUID(), email, name, handle = email, passwordHash, oidcSubject }: NewUser, nowMs: number): StoredUser {
    this.#sql.run(
      "INSERT INTO users (id, handle, name, email, status, password, oidc_subject, created_at, modified_at) VALUES (?, ?, ?, ?, 'active', ?, ?, ?, ?)",
      id, handle, name, email, passwordHash ?? null, oidcSubject ?? null, nowMs, nowMs,
    );
    return this.user(id)!;
  }

  user(id: string): StoredUser | undefined {
    return this.#user("id", id);
  }

  userByEmail(email: string): StoredUser | undefined {
    return this.#user("email", email.toLowerCase());
  }

  userBySubject(subject: string): StoredUser | undefined {
    return this.#user("oidc_subject", subject);
  }

  /** Oldest first. */
  users(): StoredUser[] {
    return this.#sql.all("SELECT * FROM users ORDER BY created_at, id").map(storedUser);
  }

  passwordHash(userId: string): string | undefined {
    return (this.#sql.get("SELECT password FROM users WHERE id = ?", userId)?.password ?? undefined) as string | undefined;
  }

  /**
   * Of somebody who may not come in any more, or by another password, the sessions end with it. With another address the account
   * is whose that address is: at the identity provider it is found by it anew.
   */
  changeUser(id: string, change: UserChange, nowMs: number): StoredUser {
    const isFact = change.email !== undefined || change.name !== undefined || change.isActive !== undefined;
    this.#sql.run(
      `UPDATE users SET email = coalesce(?, email), handle = CASE WHEN ? IS NOT NULL AND handle = email THEN ? ELSE handle END, name = coalesce(?, name), status = coalesce(?, status),
       oidc_subject = CASE WHEN ? <> email THEN NULL ELSE coalesce(?, oidc_subject) END, last_login_at = coalesce(?, last_login_at), modified_at = CASE WHEN ? = 1 THEN ? ELSE modified_at END WHERE id = ?`,
      change.email ?? null, change.email ?? null, change.email ?? null, change.name ?? null, change.isActive === undefined ? null : change.isActive ? "active" : "disabled",
      change.email ?? null, change.oidcSubject ?? null, change.lastLoginMs ?? null, isFact ? 1 : 0, nowMs, id,
    );
    if (change.passwordHash !== undefined) this.#sql.run("UPDATE users SET password = ? WHERE id = ?", change.passwordHash, id);
    if (change.passwordHash !== undefined || change.isActive === false) this.#sql.run("DELETE FROM sessions WHERE user_id = ?", id);
    return this.user(id)!;
  }

  addRole(name: string, permissions: readonly string[], nowMs: number, more: { readonly id?: string; readonly isManaged?: boolean; readonly restrictionQuery?: string } = {}): StoredRole {
    const { id = randomUUID(), isManaged = false, restrictionQuery } = more;
    this.#sql.run(
      "INSERT INTO roles (id, name, is_managed, permissions, restriction_query, created_at, modified_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      id, name, isManaged ? 1 : 0, JSON.stringify(permissions), restrictionQuery ?? null, nowMs, nowMs,
    );
    return this.role(id)!;
  }

  role(id: string): StoredRole | undefined {
    const row = this.#sql.get(`${ROLES} WHERE id = ?`, id);
    return row && storedRole(row);
  }

  /** Whatever its letters' case. */
  roleByName(name: string): StoredRole | undefined {
    const row = this.#sql.get(`${ROLES} WHERE name = ? COLLATE NOCASE`, name);
    return row && storedRole(row);
  }

  /** By name. */
  roles(): StoredRole[] {
    return this.#sql.all(`${ROLES} ORDER BY name`).map(storedRole);
  }

  changeRole(id: string, { name, permissions, restrictionQuery }: RoleChange, nowMs: number): StoredRole {
    this.#sql.run("UPDATE roles SET name = coalesce(?, name), permissions = coalesce(?, permissions), modified_at = ? WHERE id = ?", name ?? null, permissions ? JSON.stringify(permissions) : null, nowMs, id);
    if (restrictionQuery !== undefined) this.#sql.run("UPDATE roles SET restriction_query = ? WHERE id = ?", restrictionQuery, id);
    return this.role(id)!;
  }

  deleteRole(id: string): void {
    this.#sql.run("DELETE FROM roles WHERE id = ?", id);
  }

  /** By name. */
  rolesOf(userId: string): StoredRole[] {
    return this.#sql.all(`${ROLES} JOIN user_roles ON user_roles.role_id = roles.id WHERE user_roles.user_id = ? ORDER BY name`, userId).map(storedRole);
  }

  /** What the roles of a user let do and see; asked with each request, so nothing is counted. */
  grantsOf(userId: string): Pick<StoredRole, "permissions" | "restrictionQuery">[] {
    return this.#sql.all("SELECT permissions, restriction_query FROM roles JOIN user_roles ON role_id = roles.id WHERE user_id = ? ORDER BY name", userId).map((row) => ({
      permissions: JSON.parse(String(row.permissions)) as string[], ...(row.restriction_query === null ? {} : { restrictionQuery: String(row.restriction_query) }),
    }));
  }

  usersOf(roleId: string): StoredUser[] {
    return this.#sql.all("SELECT users.* FROM users JOIN user_roles ON user_roles.user_id = users.id WHERE user_roles.role_id = ? ORDER BY users.created_at, users.id", roleId).map(storedUser);
  }

  /** False when the user had it. */
  giveRole(userId: string, roleId: string): boolean {
    return this.#sql.run("INSERT INTO user_roles (user_id, role_id) VALUES (?, ?) ON CONFLICT DO NOTHING", userId, roleId).changes > 0;
  }

  /** False when the user did not have it. */
  takeRole(userId: string, roleId: string): boolean {
    return this.#sql.run("DELETE FROM user_roles WHERE user_id = ? AND role_id = ?", userId, roleId).changes > 0;
  }

  /** Users of a role who may come in. */
  activeUsersOf(roleId: string): number {
    return Number(this.#sql.get("SELECT count(*) AS count FROM user_roles JOIN users ON users.id = user_id WHERE role_id = ? AND status = 'active'", roleId)!.count);
  }

  #user(column: "id" | "email" | "oidc_subject", value: string): StoredUser | undefined {
    const row = this.#sql.get(`SELECT * FROM users WHERE ${column} = ?`, value);
    return row && storedUser(row);
  }
}

function storedUser(row: SqlRow): StoredUser {
  return {
    id: String(row.id), handle: String(row.handle), name: String(row.name), email: String(row.email), isActive: row.status === "active", hasPassword: row.password !== null,
    createdMs: Number(row.created_at), modifiedMs: Number(row.modified_at), ...(row.last_login_at === null ? {} : { lastLoginMs: Number(row.last_login_at) }),
    ...(row.oidc_subject === null ? {} : { oidcSubject: String(row.oidc_subject) }),
  };
}

function storedRole(row: SqlRow): StoredRole {
  return {
    id: String(row.id), name: String(row.name), isManaged: row.is_managed === 1, permissions: JSON.parse(String(row.permissions)) as string[],
    ...(row.restriction_query === null ? {} : { restrictionQuery: String(row.restriction_query) }),
    createdMs: Number(row.created_at), modifiedMs: Number(row.modified_at), userCount: Number(row.user_count),
  };
}
