import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { KeyDoorkeeper } from "../../host/control/people/doorkeeper.ts";
import { isPassword } from "../../host/control/people/password.ts";
import type { Principal } from "../../host/control/principal.ts";
import { AuditStore } from "../../host/store/audit.ts";
import { SqlDriver } from "../../host/store/driver.ts";
import { KeyStore, OPERATOR_ID } from "../../host/store/keys.ts";
import { migrations } from "../../host/store/migrations.ts";
import { PeopleStore } from "../../host/store/people.ts";
import { type Ran, type RunOptions, vespid, workFolder } from "./support.ts";

const PASSWORD = "correct horse battery";

const folder = workFolder();
let folders = 0;

function inFolder(): { readonly path: string; run(args: readonly string[], stdin?: string): Promise<Ran>; look<T>(work: (sql: SqlDriver) => T): T } {
  const path = join(folder.path, String(++folders));
  mkdirSync(path);
  const options = (stdin?: string): RunOptions => ({ cwd: path, ...(stdin === undefined ? {} : { stdin }) });
  return {
    path,
    run: (args, stdin) => vespid([...args, "--data", "data"], options(stdin)),
    look(work) {
      const sql = SqlDriver.open(`${path}/data/vespid.db`, migrations);
      try {
        return work(sql);
      } finally {
        sql.close();
      }
    },
  };
}

describe("vespid users", () => {
  test("[RB-01] makes users with roles and passwords from standard input, lists, disables and lets them in again", async () => {
    const { run, look } = inFolder();
    const added = await run(["users", "add", "Ann@Example.com", "--name", "Ann", "--role", "datadog standard role", "--password"], `${PASSWORD}\nmore\n`);
    expect(added).toMatchObject({ code: 0, stdout: "ann@example.com added\n" });
    const hash = look((sql) => new PeopleStore(sql).passwordHash(new PeopleStore(sql).userByEmail("ann@example.com")!.id));
    expect(await isPassword(PASSWORD, hash)).toBe(true);
    const list = async (): Promise<unknown[]> => (await run(["users", "list", "--json"])).stdout.trim().split("\n").map((line) => JSON.parse(line));
    expect(await list()).toMatchObject([{ id: OPERATOR_ID, email: "admin@localhost", roles: ["Datadog Admin Role"], has_password: false }, { email: "ann@example.com", name: "Ann", status: "active", roles: ["Datadog Standard Role"], has_password: true }]);
    expect((await run(["users", "disable", "ann@example.com"])).code).toBe(0);
    expect(await list()).toMatchObject([{}, { status: "disabled" }]);
    expect((await run(["users", "enable", "ann@example.com"])).code).toBe(0);
    expect((await run(["users", "list"])).stdout).toMatch(/ann@example\.com +active +password +- +Datadog Standard Role +Ann/);
    expect((await run(["users", "password", "ann@example.com"], "another password\n")).code).toBe(0);
    expect(await isPassword("another password", look((sql) => new PeopleStore(sql).passwordHash(new PeopleStore(sql).userByEmail("ann@example.com")!.id)))).toBe(true);
  });

  test("[RB-03] gives and takes roles, and leaves an administrator", async () => {
    const { run } = inFolder();
    await run(["users", "add", "ann@example.com"]);
    expect(await run(["users", "roles", "ann@example.com", "--add", "Datadog Admin Role", "--add", "Datadog Read Only Role"])).toMatchObject({ code: 0, stdout: "Datadog Admin Role\nDatadog Read Only Role\n" });
    expect((await run(["users", "disable", "admin@localhost"])).code).toBe(0);
    for (const args of [["users", "disable", "ann@example.com"], ["users", "roles", "ann@example.com", "--remove", "Datadog Admin Role"]]) {
      expect(await run(args)).toMatchObject({ code: 2, stderr: expect.stringContaining("the last administrator stays one") });
    }
    expect((await run(["users", "roles", "ann@example.com", "--remove", "Datadog Read Only Role"])).stdout).toBe("Datadog Admin Role\n");
  });

  test.each([
    [["users", "list"], "", "no server keeps its data there"], [["users", "add", "ann"], "", "must be an address"], [["users", "add", "ann@example.com", "--role", "Boss"], "", "there is no role Boss"], [["users", "add", "ann@example.com", "--password"], "short\n", "12 to 256 characters"],
    [["users", "add", "ann@example.com", "--password"], "", "no password came"], [["users", "password", "nobody@example.com"], `${PASSWORD}\n`, "there is no user"], [["users", "add", "admin@localhost"], "", "is a user already"], [["keys", "create", "k", "--scope", "cases_read"], "", "add --application"],
    [["keys", "create", "k", "--application", "--scope", "everything"], "", "there is no permission everything"], [["keys", "create", "k", "--application", "--user", "nobody@example.com"], "", "there is no user"],
  ])("%j says what is wrong", async (args, stdin, text) => {
    expect(await inFolder().run(args, stdin)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(text) });
  });
});

describe("vespid keys", () => {
  test("[RB-06] makes application keys with an owner and scopes; without an owner they act for the operator", async () => {
    const { run, look } = inFolder();
    await run(["users", "add", "ann@example.com", "--role", "Datadog Standard Role"]);
    const [api, whole, scoped] = [await run(["keys", "create", "a"]), await run(["keys", "create", "b", "--application"]), await run(["keys", "create", "c", "--application", "--user", "ann@example.com", "--scope", "security_monitoring_signals_read", "--scope", "org_management"])];
    expect(scoped.stderr).toMatch(/acting for ann@example\.com within org_management, security_monitoring_signals_read; it is not shown again/);
    const who = (key: string): Principal => look((sql) => new KeyDoorkeeper(sql, true).who({ method: "GET", path: "/", peer: "127.0.0.1", userAgent: "", requestId: "", headers: { "dd-api-key": api.stdout.trim(), "dd-application-key": key.trim() } } as never, false, 1) as Principal);
    expect([who(whole.stdout).handle, who(whole.stdout).permissions.has("org_management")]).toEqual(["admin@localhost", true]);
    expect([who(scoped.stdout).handle, [...who(scoped.stdout).permissions]]).toEqual(["ann@example.com", ["security_monitoring_signals_read"]]);
    expect((await run(["keys", "list", "--json"])).stdout.trim().split("\n").map((line) => JSON.parse(line))).toMatchObject([
      { kind: "api", name: "a", disabled: false }, { kind: "application", name: "b", owner: "admin@localhost", scopes: null }, { kind: "application", name: "c", owner: "ann@example.com", scopes: ["org_management", "security_monitoring_signals_read"] },
    ]);
    const { id } = look((sql) => new KeyStore(sql).list("application")[1]!);
    expect([(await run(["keys", "revoke", id])).code, (await run(["keys", "revoke", id])).code]).toEqual([0, 1]);
    const trail = look((sql) => new AuditStore(sql).after(0, 100));
    expect(trail.map(({ record: { attributes: { evt, action, asset, auth_method: by } } }: any) => [evt.name, action, asset.type, asset.name, by])).toEqual([
      ["Access Management", "created", "user", "ann@example.com", "CLI"], ["Authentication", "created", "api_key", "a", "CLI"],
      ...[["created", "b"], ["created", "c"], ["deleted", "c"]].flatMap(([action, name]) => ["Access Management", "Authentication"].map((event) => [event, action, "application_key", name, "CLI"])),
    ]);
    expect(JSON.stringify(trail)).not.toContain(scoped.stdout.trim());
  });
});
