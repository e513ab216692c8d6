import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createEngine, type Signal } from "../../host/index.ts";
import { SqlDriver, StoreError } from "../../host/store/driver.ts";
import { KeyStore, keyHash } from "../../host/store/keys.ts";
import { migrations } from "../../host/store/migrations.ts";
import { SignalStore } from "../../host/store/signals.ts";
import { bruteForce, burst, lines, startMs } from "../cli/support.ts";

let folder: string;
let sql: SqlDriver;
const path = (): string => join(folder, "vespid.db");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vespid-store-"));
  sql = SqlDriver.open(path(), migrations);
});
afterEach(() => {
  sql.close();
  rmSync(folder, { recursive: true, force: true });
});

async function signals(): Promise<readonly Signal[]> {
  const engine = await createEngine({ rules: [bruteForce] });
  await engine.push(new TextEncoder().encode(lines(burst)), { format: "log", arrivalMs: startMs });
  await engine.close();
  return engine.finalSignals();
}

describe("signals on disk", () => {
  test("told again they are the same rows, and a change is one more version", async () => {
    const store = new SignalStore(sql);
    const [signal, ...others] = await signals();
    expect(others).toEqual([]);
    store.save([signal!], [], 1000);
    store.save([signal!], [], 2000);
    expect(store.all()).toMatchObject([{ id: signal!.id, ruleId: "brute-force", severity: "critical", version: 1, createdMs: 1000 }]);
    signal!.severity = "high";
    store.save([signal!], [], 3000);
    expect(store.get(signal!.id)).toMatchObject({ severity: "high", version: 2, createdMs: 1000 });
    expect(JSON.parse(store.get(signal!.id)!.document)).toMatchObject({ rule_id: "brute-force", severity: "high" });
    store.save([], [signal!.id], 4000);
    expect([store.count, store.get(signal!.id)]).toEqual([0, undefined]);
  });

  test("all of a save is there, or none", async () => {
    const store = new SignalStore(sql);
    const [signal] = await signals();
    function* broken(): Generator<Signal> {
      yield signal!;
      throw new Error("the disk is gone");
    }
    expect(() => store.save(broken(), [], 1000)).toThrow("the disk is gone");
    expect(store.count).toBe(0);
    store.save([signal!], [], 1000);
    expect(store.count).toBe(1);
  });
});

describe("keys", () => {
  test("[IN-05] a key is told once, and what is kept cannot be used", () => {
    const keys = new KeyStore(sql);
    const { key, stored } = keys.create("api", "shipper", 1000);
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(keys.hashes("api")).toEqual([keyHash(key)]);
    expect(keys.hashes("application")).toEqual([]);
    expect(JSON.stringify(sql.all("SELECT * FROM keys"))).not.toContain(key);
    expect(keys.list()).toEqual([{ ...stored, last4: key.slice(-4) }]);
    expect([keys.revoke(stored.id), keys.revoke(stored.id), keys.list()]).toEqual([true, false, []]);
  });

  test("no key is there twice", () => {
    const keys = new KeyStore(sql);
    keys.add("api", "one", "the same", 1000);
    expect(() => keys.add("api", "two", "the same", 1000)).toThrow(/UNIQUE/);
  });
});

describe("the file", () => {
  test("opens again with what was committed, and twice at once", () => {
    new KeyStore(sql).add("api", "one", "key", 1000);
    const other = SqlDriver.open(path(), migrations);
    expect(new KeyStore(other).list()).toHaveLength(1);
    other.close();
  });

  test("of a later version is refused, and so is what is no database", () => {
    sql.run(`PRAGMA user_version = ${Math.max(...migrations.map(({ version }) => version)) + 1}`);
    expect(() => SqlDriver.open(path(), migrations)).toThrow(expect.objectContaining({ code: "store/newer" }) as StoreError);
    const odd = join(folder, "odd.db");
    writeFileSync(odd, "no database at all, but long enough to be read as one".repeat(100));
    expect(() => SqlDriver.open(odd, migrations)).toThrow(expect.objectContaining({ code: "store/unreadable" }) as StoreError);
  });

  test("a failed migration leaves the version before", () => {
    sql.close();
    const broken = [...migrations, { version: 99, sql: "CREATE TABLE extra (a INTEGER) STRICT; CREATE TABLE extra (b INTEGER)" }];
    expect(() => SqlDriver.open(path(), broken)).toThrow(/already exists/);
    sql = SqlDriver.open(path(), migrations);
    expect(sql.get("SELECT name FROM sqlite_master WHERE name = 'extra'")).toBeUndefined();
  });
});
