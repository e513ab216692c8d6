import { chmodSync, closeSync, existsSync, fchmodSync, fstatSync, openSync, statSync } from "node:fs";
import { DatabaseSync, backup, type SQLInputValue, type StatementSync } from "node:sqlite";

export type SqlValue = SQLInputValue;
export type SqlRow = Readonly<Record<string, unknown>>;

/** One change of the tables' shape, run once. Those that shipped are never edited: what is wrong with one is mended by the next. */
export interface Migration {
  readonly version: number;
  readonly sql: string;
}

/** A store that a newer version wrote, or that is none. */
export class StoreError extends Error {
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** Pages copied between two looks at other work. */
const BACKUP_PAGES = 1000;

/**
 * The embedded database, with one writer. All SQL passes here: another database needs another file of this size.
 *
 * A committed transaction survives a kill and a power cut: the log is synced at each commit.
 */
export class SqlDriver {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /**
   * Opens a file, made where there is none, and brings its tables up to date.
   *
   * Throws `StoreError` with `store/newer` when a later version wrote it, with `store/unreadable` when it is no database.
   */
  static open(path: string, migrations: readonly Migration[]): SqlDriver {
    let database: DatabaseSync | undefined;
    try {
      // Made by SQLite it would be everybody's to read; the files beside it take their rights from this one.
      if (path !== ":memory:") closeToOthers(path);
      database = new DatabaseSync(path, { timeout: 5000 });
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;");
    } catch (error) {
      database?.close();
      throw new StoreError("store/unreadable", `${path}: ${(error as Error).message}`, "name another data folder, or put a backup in its place");
    }
    const driver = new SqlDriver(database);
    try {
      driver.#migrate(path, migrations);
    } catch (error) {
      database.close();
      throw error;
    }
    return driver;
  }

  /** A second door to a file that is open elsewhere: reads what is committed, changes nothing. Throws `StoreError` with `store/unreadable`. */
  static openToRead(path: string): SqlDriver {
    try {
      return new SqlDriver(new DatabaseSync(path, { readOnly: true, timeout: 5000 }));
    } catch (error) {
      throw new StoreError("store/unreadable", `${path}: ${(error as Error).message}`, "open it to write first, which makes its tables");
    }
  }

  run(sql: string, ...values: readonly SqlValue[]): { readonly changes: number } {
    return { changes: Number(this.#prepared(sql).run(...values).changes) };
  }

  get(sql: string, ...values: readonly SqlValue[]): SqlRow | undefined {
    return this.#prepared(sql).get(...values);
  }

  all(sql: string, ...values: readonly SqlValue[]): SqlRow[] {
    return this.#prepared(sql).all(...values);
  }

  /** All of it or nothing; inside another transaction it is part of that. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#database.exec("BEGIN IMMEDIATE");
    this.#depth++;
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    } finally {
      this.#depth--;
    }
  }

  /** A copy as of one moment, while others write. */
  async backupTo(path: string): Promise<void> {
    await backup(this.#database, path, { rate: BACKUP_PAGES });
  }

  /** Throws `StoreError` with `store/damaged` where pages, indexes or references do not fit together. */
  check(): void {
    const [found] = this.all("PRAGMA integrity_check(1)");
    const [lost] = this.all("PRAGMA foreign_key_check");
    if (found?.integrity_check !== "ok" || lost) throw new StoreError("store/damaged", `the database is damaged: ${lost ? "a reference leads nowhere" : String(found?.integrity_check)}`, "put a backup in its place");
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }

  #migrate(path: string, migrations: readonly Migration[]): void {
    const at = Number(this.get("PRAGMA user_version")!.user_version);
    const newest = Math.max(0, ...migrations.map(({ version }) => version));
    if (at > newest) throw new StoreError("store/newer", `${path} is of version ${at}, and this program knows ${newest}`, "run the version that wrote it, or a later one");
    for (const { version, sql } of migrations) {
      if (version <= at) continue;
      this.transaction(() => {
        this.#database.exec(sql);
        this.#database.exec(`PRAGMA user_version = ${version}`);
      });
    }
  }
}

const RIGHTS = 0o640;

/** Makes the file where there is none, and takes from others what an earlier version, or a copy, left them; of its log as well. */
function closeToOthers(path: string): void {
  const file = openSync(path, "a", RIGHTS);
  try {
    if (hasMore(fstatSync(file).mode)) fchmodSync(file, RIGHTS);
    for (const beside of [`${path}-wal`, `${path}-shm`]) if (existsSync(beside) && hasMore(statSync(beside).mode)) chmodSync(beside, RIGHTS);
  } catch (error) {
    // Somebody else's file that we may write: its rights are the owner's to choose.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
  } finally {
    closeSync(file);
  }
}

function hasMore(mode: number): boolean {
  return process.platform !== "win32" && (mode & 0o777 & ~RIGHTS) !== 0;
}
