import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SqlDriver } from "../../../host/store/driver.ts";
import { KeyStore, OPERATOR_ID } from "../../../host/store/keys.ts";
import { beginnings } from "../../../host/store/migration/beginnings.ts";
import { people as peopleTables } from "../../../host/store/migration/people.ts";
import { migrations } from "../../../host/store/migrations.ts";
import { PeopleStore } from "../../../host/store/people.ts";
import { LoginAttempts, SessionStore } from "../../../host/store/sessions.ts";

let sql: SqlDriver;
let people: PeopleStore;
beforeEach(() => {
  sql = SqlDriver.open(":memory:", migrations);
  people = new PeopleStore(sql);
});
afterEach(() => sql.close());

const HOUR = 3_600_000;
const ann = { email: "ann@example.com", name: "Ann" };

describe("users and roles on disk", () => {
  test("an address is one user's, whatever the case it is asked for in", () => {
    const user = people.addUser(ann, 1000);
    expect(user).toMatchObject({ handle: "ann@example.com", isActive: true, hasPassword: false, createdMs: 1000, modifiedMs: 1000 });
    expect(people.userByEmail("ANN@example.com")).toEqual(user);
    expect(() => people.addUser({ ...ann, name: "Other" }, 2000)).toThrow("UNIQUE");
  });

  test("[RB-03] a role is given once, taken once, and gone with its name free again", () => {
    const user = people.addUser(ann, 1000);
    const role = people.addRole("Triage", ["a_read"], 1000, { restrictionQuery: "team:blue" });
    expect([people.giveRole(user.id, role.id), people.giveRole(user.id, role.id)]).toEqual([true, false]);
    expect(people.rolesOf(user.id)).toEqual([{ ...role, userCount: 1 }]);
    expect(people.usersOf(role.id)).toEqual([user]);
    expect(people.activeUsersOf(role.id)).toBe(1);
    people.changeUser(user.id, { isActive: false }, 2000);
    expect(people.activeUsersOf(role.id)).toBe(0);
    expect(people.changeRole(role.id, { permissions: ["b_read"], restrictionQuery: null }, 3000)).toEqual({ id: role.id, name: "Triage", isManaged: false, permissions: ["b_read"], createdMs: 1000, modifiedMs: 3000, userCount: 1 });
    expect(() => people.addRole("TRIAGE", [], 4000)).toThrow("UNIQUE");
    people.deleteRole(role.id);
    expect(people.rolesOf(user.id)).toEqual([]);
    expect(people.addRole("triage", [], 5000).name).toBe("triage");
  });

  test("with another address the account is no longer whose the provider knew it as", () => {
    const user = people.addUser({ ...ann, oidcSubject: "ann at home" }, 0);
    expect(people.changeUser(user.id, { email: "ann@example.com", name: "Anna" }, 1).oidcSubject).toBe("ann at home");
    expect(people.changeUser(user.id, { email: "ben@example.com" }, 2)).toMatchObject({ email: "ben@example.com", handle: "ben@example.com" });
    expect([people.userBySubject("ann at home"), people.changeUser(user.id, { oidcSubject: "ben" }, 3).oidcSubject]).toEqual([undefined, "ben"]);
  });

  test("who is disabled, or has another password, has no session any more", () => {
    const sessions = new SessionStore(sql);
    const user = people.addUser(ann, 0);
    const first = sessions.begin(user.id, 0);
    people.changeUser(user.id, { passwordHash: "hash" }, 1);
    expect(sessions.find(first.token, 2)).toBeUndefined();
    const second = sessions.begin(user.id, 3);
    people.changeUser(user.id, { name: "Anna" }, 4);
    expect(sessions.find(second.token, 5)).toEqual(second.session);
    people.changeUser(user.id, { isActive: false }, 6);
    expect(sessions.find(second.token, 7)).toBeUndefined();
    expect([people.user(user.id)!.isActive, people.passwordHash(user.id)]).toEqual([false, "hash"]);
  });
});

describe("keys on disk", () => {
  test("[RB-06] a key has an owner and scopes, is off and on again, and its use is written once a minute", () => {
    const user = people.addUser(ann, 0);
    const keys = new KeyStore(sql);
    const { key, stored } = keys.create("application", "mine", 1000, { ownerId: user.id, scopes: ["a_read"], createdBy: user.id });
    expect(keys.find("application", key)).toEqual(stored);
    expect(stored).toMatchObject({ ownerId: user.id, scopes: ["a_read"], createdBy: user.id, last4: key.slice(-4), isDisabled: false });
    expect([keys.find("api", key), keys.find("application", `${key}0`), keys.find("application", "")]).toEqual([undefined, undefined, undefined]);
    keys.use(stored, 60_000);
    const used = keys.get(stored.id)!;
    keys.use(used, 119_999);
    expect(keys.get(stored.id)!.lastUsedMs).toBe(60_000);
    keys.use(used, 120_000);
    expect(keys.get(stored.id)!.lastUsedMs).toBe(120_000);
    expect(keys.change(stored.id, { isDisabled: true, scopes: null }, 2000)).toBe(true);
    expect(keys.get(stored.id)).toMatchObject({ isDisabled: true, name: "mine", modifiedMs: 2000 });
    expect(keys.get(stored.id)).not.toHaveProperty("scopes");
    keys.change(stored.id, { isDisabled: false }, 3000);
    expect(keys.find("application", key)).toMatchObject({ isDisabled: false });
    expect(keys.change("none", {}, 4000)).toBe(false);
  });

  test("an API key that is off lets nothing in", () => {
    const keys = new KeyStore(sql);
    const { stored } = keys.create("api", "shipper", 0);
    expect(keys.hashes("api")).toHaveLength(1);
    keys.change(stored.id, { isDisabled: true }, 1);
    expect(keys.hashes("api")).toEqual([]);
  });

  test("keys of before there were users stay good: an application key is the operator's", () => {
    const old = SqlDriver.open(":memory:", [beginnings]);
    old.run("INSERT INTO keys (id, kind, name, hash, last4, created_at) VALUES ('k1', 'application', 'old', 'h1', 'abcd', 5), ('k2', 'api', 'old', 'h2', 'abcd', 6)");
    for (const statement of peopleTables.sql.split(";").filter((each) => each.trim() !== "")) old.run(statement);
    expect(new KeyStore(old).list()).toEqual([
      { id: "k1", kind: "application", name: "old", last4: "abcd", createdMs: 5, modifiedMs: 5, isDisabled: false, ownerId: OPERATOR_ID },
      { id: "k2", kind: "api", name: "old", last4: "abcd", createdMs: 6, modifiedMs: 6, isDisabled: false },
    ]);
    old.close();
  });
});

describe("sessions on disk", () => {
  test("end after a day, after eight hours unused, when they are ended, and when twenty others began", () => {
    const sessions = new SessionStore(sql);
    const { id } = people.addUser(ann, 0);
    const { token, session } = sessions.begin(id, 0);
    expect(session.csrf).not.toBe(token);
    for (const hour of [7, 14, 21]) expect(sessions.find(token, hour * HOUR)).toEqual(session);
    expect(sessions.find(token, 24 * HOUR)).toBeUndefined();
    const idle = sessions.begin(id, 0).token;
    expect([sessions.find(idle, 8 * HOUR - 1) !== undefined, sessions.find(idle, 17 * HOUR)]).toEqual([true, undefined]);
    const ended = sessions.begin(id, 0).token;
    sessions.end(ended);
    expect(sessions.find(ended, 1)).toBeUndefined();
    const oldest = sessions.begin(id, HOUR).token;
    const others = Array.from({ length: 20 }, (_, i) => sessions.begin(id, 2 * HOUR + i).token);
    expect([sessions.find(oldest, 3 * HOUR), sessions.find(others[0]!, 3 * HOUR) !== undefined]).toEqual([undefined, true]);
    sessions.sweep(30 * HOUR);
    expect(sql.get("SELECT count(*) AS count FROM sessions")!.count).toBe(0);
  });

  test("the table holds no token", () => {
    const { token } = new SessionStore(sql).begin(people.addUser(ann, 0).id, 0);
    expect(JSON.stringify(sql.all("SELECT * FROM sessions"))).not.toContain(token);
  });

  test("attempts are counted for each subject, end with their time, and are forgotten on success", () => {
    const attempts = new LoginAttempts(sql);
    const waits = Array.from({ length: 4 }, (_, i) => attempts.take({ ann: 3, "10.0.0.1": 10 }, i * 1000));
    expect(waits).toEqual([0, 0, 0, 897]);
    expect(attempts.take({ ben: 3, "10.0.0.1": 10 }, 5000)).toBe(0);
    expect(attempts.take({ ann: 3 }, 15 * 60_000)).toBe(0);
    attempts.forget(["ben"]);
    expect(attempts.take({ ben: 1 }, 6000)).toBe(0);
    attempts.sweep(HOUR);
    expect(sql.get("SELECT count(*) AS count FROM login_attempts")!.count).toBe(0);
  });
});
