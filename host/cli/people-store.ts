import { existsSync, mkdirSync } from "node:fs";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import type { AuditEntry } from "../control/audit-trail.ts";
import { StoredTrail } from "../control/audit/trail.ts";
import { ApiError } from "../control/api-error.ts";
import { setUpPeople } from "../control/people/managed-roles.ts";
import type { Principal } from "../control/principal.ts";
import { SqlDriver, StoreError } from "../store/driver.ts";
import { KeyStore } from "../store/keys.ts";
import { migrations } from "../store/migrations.ts";
import { PeopleStore } from "../store/people.ts";
import { UsageError } from "./problems.ts";
import { safe } from "./text.ts";

export interface PeopleStores {
  readonly sql: SqlDriver;
  readonly keys: KeyStore;
  readonly people: PeopleStore;
  /** Does it and writes it down, both or neither. */
  change<T>(work: () => { readonly result: T; readonly entries: readonly AuditEntry[] }): T;
}

/**
 * The data folder's users and keys, beside a server that may be running. Throws a `UsageError` for what the folder or the work
 * does not allow.
 *
 * @param isMade a folder that is not there yet is made
 */
export async function withPeople<T>(folder: string, isMade: boolean, work: (stores: PeopleStores) => T | Promise<T>): Promise<T> {
  const path = resolve(folder);
  if (!isMade && !existsSync(join(path, "vespid.db"))) throw new UsageError(`${safe(folder)}: no server keeps its data there`);
  let sql: SqlDriver;
  try {
    mkdirSync(path, { recursive: true, mode: 0o750 });
    sql = SqlDriver.open(join(path, "vespid.db"), migrations);
  } catch (error) {
    if (error instanceof StoreError) throw new UsageError(`${error.message} (${error.code}); ${error.hint}`);
    throw new UsageError(`${safe(folder)}: ${(error as Error).message}`);
  }
  try {
    const people = new PeopleStore(sql);
    sql.transaction(() => setUpPeople(people, Date.now()));
    const trail = new StoredTrail(sql);
    return await work({
      sql, people, keys: new KeyStore(sql),
      change: (doing) => sql.transaction(() => {
        const { result, entries } = doing();
        for (const entry of entries) trail.record(whoTypes(), entry, undefined, Date.now());
        return result;
      }),
    });
  } catch (error) {
    if (error instanceof ApiError) throw new UsageError(error.texts.map(safe).join("\n"));
    throw error;
  } finally {
    sql.close();
  }
}

/** Whoever can write to the data folder; the system's name for them is all that is known. */
function whoTypes(): Principal {
  let name = "";
  try {
    name = userInfo().username;
  } catch {
    // Some systems have no name for the account a process runs under.
  }
  return { userId: "", handle: "vespid command line", name, email: "", authMethod: "CLI", permissions: new Set() };
}
