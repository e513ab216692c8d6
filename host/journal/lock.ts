import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { JournalError } from "./error.ts";

const WAIT_MS = 500;

export interface Lock {
  release(): void;
}

/**
 * The right to write in a folder.
 *
 * Node has no file locks of its own, SQLite has: an exclusive transaction on an empty database holds one of the operating
 * system's, which ends with the process however it dies, and is seen from other containers too. Nothing is ever written
 * to that file, so a full disk does not matter.
 */
export function takeLock(folder: string): Lock {
  const database = new DatabaseSync(join(folder, "lock"));
  try {
    // Somebody who only looks holds it for an instant, and shall not turn a writer away.
    // Its own journal stays in memory: on a full disk it could not be made.
    database.exec(`PRAGMA busy_timeout = ${WAIT_MS}; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE`);
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new JournalError("journal/locked", `${folder} is being written by another process${holder(folder)}`, "stop that process first, or give this one a folder of its own");
  }
  try {
    writeFileSync(join(folder, "writer"), `${process.pid}\n`);
  } catch {
    // only there for the message above
  }
  return { release: () => database.close() };
}

/** Whether some process, or this one, writes there now. Needs no right to write. */
export function isLocked(folder: string): boolean {
  const path = join(folder, "lock");
  if (!existsSync(path)) return false;
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    database.exec("SELECT 1 FROM sqlite_master");
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  } finally {
    database.close();
  }
}

/** SQLITE_BUSY. */
function isBusy(error: unknown): boolean {
  return (error as { errcode?: number }).errcode === 5;
}

function holder(folder: string): string {
  try {
    return ` (${Number(readFileSync(join(folder, "writer"), "utf8"))})`;
  } catch {
    return "";
  }
}
