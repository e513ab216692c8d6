import type { Migration } from "../driver.ts";

/**
 * Who may what. Texts of permissions, scopes and queries are the control API's; here they are lists and texts.
 *
 * `password` is a scrypt hash with its salt, `hash` of a session the SHA-256 of its token: neither can be shown again.
 * A key without an owner is of the time before people had accounts, or an API key, which is nobody's.
 */
export const people: Migration = {
  version: 3,
  sql: `
    CREATE TABLE users (
      id TEXT PRIMARY KEY,
      handle TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      email TEXT NOT NULL UNIQUE,
      status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
      password TEXT,
      oidc_subject TEXT UNIQUE,
      created_at INTEGER NOT NULL,
      modified_at INTEGER NOT NULL,
      last_login_at INTEGER
    ) STRICT;
    CREATE TABLE roles (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE COLLATE NOCASE,
      is_managed INTEGER NOT NULL,
      permissions TEXT NOT NULL,
      restriction_query TEXT,
      created_at INTEGER NOT NULL,
      modified_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE user_roles (
      user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      role_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
      PRIMARY KEY (user_id, role_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX user_roles_by_role ON user_roles (role_id, user_id);
    ALTER TABLE keys ADD COLUMN owner TEXT REFERENCES users (id);
    ALTER TABLE keys ADD COLUMN scopes TEXT;
    ALTER TABLE keys ADD COLUMN created_by TEXT REFERENCES users (id);
    ALTER TABLE keys ADD COLUMN modified_at INTEGER;
    ALTER TABLE keys ADD COLUMN last_used_at INTEGER;
    ALTER TABLE keys ADD COLUMN disabled_at INTEGER;
    CREATE INDEX keys_by_owner ON keys (owner);
    CREATE TABLE sessions (
      hash TEXT PRIMARY KEY,
      user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      csrf TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      last_seen_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sessions_by_user ON sessions (user_id);
    CREATE INDEX sessions_by_end ON sessions (expires_at);
    CREATE TABLE login_attempts (
      subject TEXT PRIMARY KEY,
      count INTEGER NOT NULL,
      since INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
