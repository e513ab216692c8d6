import { type Dirent, closeSync, copyFileSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { SqlDriver, StoreError } from "../store/driver.ts";
import { migrations } from "../store/migrations.ts";
import { UsageError } from "./problems.ts";
import { Progress } from "./progress.ts";
import { byteSize, jsonLine, plural, safe } from "./text.ts";

export interface BackupOptions {
  readonly data: string;
  /** Signals, rules, people and settings alone. */
  readonly journal: boolean;
  readonly json?: boolean;
}

/** Held by a running server, and made anew by the next. */
const OF_THE_PROCESS = new Set(["lock", "writer"]);

/**
 * `vespid backup`: a copy of a data folder that a server can be started on, taken while another one writes.
 *
 * What rules know comes first, then the journal, the database last. A server on the copy reads the journal from where that state
 * was, and tells the signals in between once more, as after a kill; the other way round the database would lack them.
 */
export async function backup(target: string, options: BackupOptions): Promise<number> {
  const from = resolve(options.data);
  const to = resolve(target);
  if (!existsSync(join(from, "vespid.db"))) throw new UsageError(`${safe(options.data)}: no server keeps its data there`);
  if (existsSync(to) && readdirSync(to).length) throw new UsageError(`${safe(target)} is not empty; name a folder that is not there yet`);
  if (`${to}/`.startsWith(`${from}/`)) throw new UsageError(`${safe(target)} lies in the data folder itself; name one beside it`);
  // Under its own name only once it is whole: half a backup shall not be taken for one.
  const unfinished = join(dirname(to), `.${basename(to)}.unfinished`);
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o750 });
  try {
    const files = filesToCopy(from, options.journal);
    const progress = new Progress(files.reduce((sum, { bytes }) => sum + bytes, 0));
    let bytes = 0;
    for (const file of files) {
      progress.begin(file.path);
      copyFile(join(from, file.path), join(unfinished, file.path));
      progress.advance(file.bytes);
      bytes += file.bytes;
    }
    progress.end();
    bytes += await copyDatabase(join(from, "vespid.db"), join(unfinished, "vespid.db"));
    rmSync(to, { recursive: true, force: true });
    renameSync(unfinished, to);
    syncFolder(dirname(to));
    if (options.json) process.stdout.write(jsonLine({ folder: to, files: files.length + 1, bytes, journal: options.journal }));
    else process.stdout.write(`${plural(files.length + 1, "file")}, ${byteSize(bytes)}, in ${safe(to)}; vespid serve --data ${safe(target)} goes on from there\n`);
    return 0;
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (error instanceof StoreError) throw new UsageError(`${error.message} (${error.code}); ${error.hint}`);
    if (typeof (error as NodeJS.ErrnoException).code === "string") throw new UsageError(`${safe(target)}: ${(error as Error).message}; nothing is left of the copy`);
    throw error;
  }
}

function filesToCopy(from: string, withJournal: boolean): Array<{ readonly path: string; readonly bytes: number }> {
  if (!withJournal) return [];
  const all = readdirSync(from, { recursive: true, withFileTypes: true }).filter((entry: Dirent) => entry.isFile());
  return all.map((entry) => join(entry.parentPath, entry.name).slice(from.length + 1))
    .filter((path) => !path.startsWith("vespid.db") && !OF_THE_PROCESS.has(basename(path)) && !path.endsWith(".tmp"))
    .map((path) => ({ path, bytes: statSync(join(from, path)).size }))
    .sort((a, b) => Number(a.path.startsWith("journal")) - Number(b.path.startsWith("journal")) || (a.path < b.path ? -1 : 1));
}

/** Retention may have taken a segment since it was seen: it is in no backup then, as it would be in no journal. */
function copyFile(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o750 });
  try {
    copyFileSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  sync(to, "r+");
}

/** As of one moment, whatever is written meanwhile; looked through before it counts. */
async function copyDatabase(from: string, to: string): Promise<number> {
  closeSync(openSync(to, "a", 0o640));
  const sql = SqlDriver.open(from, migrations);
  try {
    await sql.backupTo(to);
  } finally {
    sql.close();
  }
  const copy = SqlDriver.open(to, migrations);
  try {
    copy.check();
  } finally {
    copy.close();
  }
  sync(to, "r+");
  return statSync(to).size;
}

function sync(path: string, flags: string): void {
  const file = openSync(path, flags);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncFolder(path: string): void {
  if (process.platform !== "win32") sync(path, "r");
}
