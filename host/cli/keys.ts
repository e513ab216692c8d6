import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { SqlDriver, StoreError } from "../store/driver.ts";
import { type KeyKind, KeyStore } from "../store/keys.ts";
import { migrations } from "../store/migrations.ts";
import { UsageError } from "./problems.ts";
import { jsonLine, plural, safe, table, timeText } from "./text.ts";

export interface KeyOptions {
  readonly data: string;
  readonly json?: boolean;
  readonly application?: boolean;
}

const NAME_CAP = 200;

function withKeys<T>(folder: string, work: (keys: KeyStore) => T): T {
  const path = resolve(folder);
  let sql: SqlDriver;
  try {
    mkdirSync(path, { recursive: true, mode: 0o750 });
    sql = SqlDriver.open(join(path, "vespid.db"), migrations);
  } catch (error) {
    if (error instanceof StoreError) throw new UsageError(`${error.message} (${error.code}); ${error.hint}`);
    throw new UsageError(`${safe(folder)}: ${(error as Error).message}`);
  }
  try {
    return work(new KeyStore(sql));
  } finally {
    sql.close();
  }
}

/** `vespid keys create`. */
export function keysCreate(name: string, options: KeyOptions): number {
  if (name.trim() === "" || name.length > NAME_CAP) throw new UsageError(`a key's name has 1 to ${NAME_CAP} characters`);
  const kind: KeyKind = options.application ? "application" : "api";
  const { key, stored } = withKeys(options.data, (keys) => keys.create(kind, name, Date.now()));
  if (options.json) process.stdout.write(jsonLine({ id: stored.id, kind, name, key }));
  else {
    process.stdout.write(`${key}\n`);
    process.stderr.write(`${kind === "api" ? "API" : "application"} key ${stored.id} for ${safe(name)}; it is not shown again\n`);
  }
  return 0;
}

/** `vespid keys list`. */
export function keysList(options: KeyOptions): number {
  if (!existsSync(join(options.data, "vespid.db"))) throw new UsageError(`${safe(options.data)}: no server keeps its data there`);
  const list = withKeys(options.data, (keys) => keys.list());
  if (options.json) for (const { id, kind, name, last4, createdMs } of list) process.stdout.write(jsonLine({ id, kind, name, last4, created_at: createdMs }));
  else if (!list.length) process.stdout.write("no keys\n");
  else {
    process.stdout.write(`${table(["id", "kind", "ends in", "created", "name"], list.map(({ id, kind, name, last4, createdMs }) => [id, kind, last4, timeText(createdMs), safe(name)]))}\n`);
    process.stderr.write(`${plural(list.length, "key")}\n`);
  }
  return 0;
}

/** `vespid keys revoke`: exit code 1 when there was none. */
export function keysRevoke(id: string, options: KeyOptions): number {
  if (withKeys(options.data, (keys) => keys.revoke(id))) return 0;
  process.stderr.write(`there is no key ${safe(id)}\n`);
  return 1;
}
