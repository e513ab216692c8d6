import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type AuditFault, AuditStore } from "../../host/store/audit.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { migrations } from "../../host/store/migrations.ts";
import { vespid } from "../cli/support.ts";

const DAY_MS = 86_400_000;
const T0 = Date.UTC(2026, 0, 1);
let sql: SqlDriver;
let store: AuditStore;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vespid-audit-"));
  sql = SqlDriver.open(join(folder, "vespid.db"), migrations);
  store = new AuditStore(sql);
  for (let i = 1; i <= 10; i++) add(i);
});
afterEach(() => {
  sql.close();
  rmSync(folder, { recursive: true });
});

function add(i: number): void {
  store.append({
    id: `id-${i}`, timestamp: new Date(T0 + i * DAY_MS).toISOString(), message: `did ${i}`, service: "vespid", status: "info", tags: ["source:audit"],
    attributes: { evt: { name: "Cloud Security Platform" }, action: "created", asset: { type: "security_rule", id: String(i) }, usr: { id: "ann", uuid: "u" }, auth_method: "SESSION" },
  });
}

describe("the chain", () => {
  const tampered: readonly (readonly [string, string, readonly (readonly [number, AuditFault])[]])[] = [
    ["a record rewritten", "UPDATE audit_events SET record = replace(record, 'did 4', 'did 5') WHERE number = 4", [[4, "changed"]]],
    ["a byte more", "UPDATE audit_events SET record = record || ' ' WHERE number = 10", [[10, "changed"]]],
    ["a record that is no JSON", "UPDATE audit_events SET record = 'x' WHERE number = 2", [[2, "changed"], [2, "order"]]],
    ["a record and its hash", "UPDATE audit_events SET record = replace(record, 'did 4', 'did 5'), hash = hex(randomblob(32)) WHERE number = 4", [[4, "changed"], [5, "changed"]]],
    ["one taken out", "DELETE FROM audit_events WHERE number = 5", [[5, "missing"]]],
    ["the first taken out", "DELETE FROM audit_events WHERE number = 1", [[1, "missing"]]],
    ["the end cut off", "DELETE FROM audit_events WHERE number > 8", [[10, "end"]]],
    ["all of it taken out", "DELETE FROM audit_events", [[10, "end"]]],
    ["another to blame", "UPDATE audit_events SET user_id = 'bob' WHERE number = 3", [[3, "column"]]],
    ["another time to be found at", "UPDATE audit_events SET time = time - 1 WHERE number = 3", [[3, "column"]]],
    ["one moved", "UPDATE audit_events SET number = 99 WHERE number = 10", [[10, "missing"], [99, "order"], [10, "end"]]],
    ["the head forgotten", "UPDATE audit_chain SET head_number = 9", [[9, "end"]]],
  ];
  test.each(tampered)("[AU-01] %s is seen", (_, statement, faults) => {
    expect(store.check()).toMatchObject({ events: 10, faultCount: 0 });
    sql.run(statement);
    expect(store.check().faults.map(({ number, fault }) => [number, fault])).toEqual(faults);
  });

  test("goes on over retention: what is over its age leaves an anchor, and a change behind it is still seen", () => {
    expect(store.release(T0 + 5 * DAY_MS, 10)).toBe(4);
    const check = store.check();
    expect(check).toMatchObject({ events: 6, faultCount: 0, anchor: { number: 4 } });
    expect(store.release(T0 + 5 * DAY_MS, 10)).toBe(0);
    add(11);
    expect(store.check()).toMatchObject({ events: 7, faultCount: 0, head: { number: 11 } });
    expect(store.release(T0 + 100 * DAY_MS, 8)).toBe(4);
    expect(store.check()).toMatchObject({ events: 3, faultCount: 0, anchor: { number: 8 } });
    expect(store.release(T0 + 100 * DAY_MS, 11)).toBe(3);
    expect(store.check()).toMatchObject({ events: 0, faultCount: 0, anchor: { number: 11 }, head: { number: 11 } });
    add(12);
    expect(store.check()).toMatchObject({ events: 1, faultCount: 0 });
    sql.run("DELETE FROM audit_events");
    expect(store.check().faultCount).toBe(1);
  });

  test("a clock that goes back does not let go of what is younger", () => {
    store.append({ id: "back", timestamp: new Date(T0).toISOString(), message: "", service: "", status: "info", tags: [], attributes: {} });
    expect(store.release(T0 + 3 * DAY_MS, 11)).toBe(2);
    expect(store.check()).toMatchObject({ events: 9, faultCount: 0 });
  });

  test("a record is there with the change it tells of, or neither is", () => {
    expect(() => sql.transaction(() => {
      add(11);
      throw new Error("the change failed");
    })).toThrow("the change failed");
    expect(store.check()).toMatchObject({ events: 10, faultCount: 0, head: { number: 10 } });
    add(11);
    expect(store.check()).toMatchObject({ events: 11, faultCount: 0 });
  });

  test("two programs that write at once keep one chain", () => {
    const other = SqlDriver.open(join(folder, "vespid.db"), migrations);
    const second = new AuditStore(other);
    for (let i = 11; i < 31; i++) (i % 2 ? store : second).append({ id: `both-${i}`, timestamp: new Date(T0).toISOString(), message: "", service: "", status: "info", tags: [], attributes: {} });
    expect(second.check()).toMatchObject({ events: 30, faultCount: 0, head: store.head });
    other.close();
  });
});

describe("vespid audit", () => {
  const run = async (...args: readonly string[]): Promise<{ readonly code: number | null; readonly out: string }> => {
    const { code, stdout, stderr } = await vespid(["audit", ...args, "--data", folder]);
    return { code, out: stdout + stderr };
  };

  test("verify tells a changed trail, and one that was written anew by a head that was noted", async () => {
    const whole = await run("verify");
    expect(whole).toMatchObject({ code: 0, out: expect.stringContaining("whole: 10 records") });
    const head = /head (\d+:[0-9a-f]{64})/.exec(whole.out)![1]!;
    expect((await run("verify", "--head", head)).code).toBe(0);
    expect((await run("verify", "--head", "10:abc")).code).toBe(2);
    // Somebody who knows how it is made writes all of it anew.
    sql.run("DELETE FROM audit_events");
    sql.run(`UPDATE audit_chain SET head_number = 0, head_hash = anchor_hash`);
    for (let i = 1; i <= 10; i++) if (i !== 4) add(i);
    expect((await run("verify")).code).toBe(0);
    expect(await run("verify", "--head", head)).toMatchObject({ code: 1, out: expect.stringContaining("written anew") });
    sql.run("UPDATE audit_events SET record = replace(record, 'did 7', 'did 6') WHERE number = 6");
    expect(await run("verify")).toMatchObject({ code: 1, out: expect.stringContaining("record 6") });
    expect(JSON.parse((await run("verify", "--json")).out)).toMatchObject({ whole: false, events: 9, faults: [{ number: 6, fault: "changed" }] });
  });

  test("list prints what a query finds, and says when there is none", async () => {
    const from = ["--from", "2026-01-01", "--to", "2026-02-01"];
    const listed = await run("list", "@asset.id:(3 OR 7)", ...from);
    expect(listed.code).toBe(0);
    expect(listed.out.match(/did \d+/g)).toEqual(["did 7", "did 3"]);
    expect((await run("list", "--json", "--limit", "4", ...from)).out.trim().split("\n").map((line) => JSON.parse(line).message)).toEqual(["did 10", "did 9", "did 8", "did 7"]);
    expect((await run("list", "@asset.id:none", ...from)).code).toBe(1);
    expect((await run("list", "@a:(")).code).toBe(2);
    expect((await vespid(["audit", "list", "--data", join(folder, "nowhere")])).code).toBe(2);
  });
});
