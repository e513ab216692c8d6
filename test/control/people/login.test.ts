import { describe, expect, test } from "vitest";
import { hashPassword, isPassword } from "../../../host/control/people/password.ts";
import { ADMIN_ROLE_ID, STANDARD_ROLE_ID } from "../../../host/control/people/managed-roles.ts";
import { LoginAttempts } from "../../../host/store/sessions.ts";
import { type Answer, askRaw, type Headed, type Served, servePeople } from "./support.ts";

const LOGIN = "/api/v2/login";
const WHO = "/api/v2/session";
const PASSWORD = "correct horse battery";
const HOUR = 3_600_000;

async function withAnn(settings: Parameters<typeof servePeople>[0] = {}): Promise<Served & { readonly annId: string; login(password?: string, email?: string, headers?: Headed): Promise<Answer> }> {
  const served = await servePeople(settings);
  const ann = served.store.addUser({ email: "ann@example.com", name: "Ann", passwordHash: await hashPassword(PASSWORD) }, 0);
  served.store.giveRole(ann.id, STANDARD_ROLE_ID);
  return { ...served, annId: ann.id, login: (password = PASSWORD, email = "ann@example.com", headers = {}) => served.ask("POST", LOGIN, { email, password }, headers) };
}

const sessionOf = ({ cookies, body }: Answer): { readonly cookie: Headed; readonly token: Headed } => ({ cookie: { cookie: cookies[0]! }, token: { cookie: cookies[0]!, "x-csrf-token": body.csrf_token } });

describe("passwords", () => {
  test("are kept as scrypt with a salt of their own, and only the same one is right", async () => {
    const [one, other] = [await hashPassword(PASSWORD), await hashPassword(PASSWORD)];
    expect(one).not.toBe(other);
    expect([await isPassword(PASSWORD, one), await isPassword(`${PASSWORD} `, one), await isPassword("", one), await isPassword(PASSWORD, undefined), await isPassword(PASSWORD, "plain")]).toEqual([true, false, false, false, false]);
    expect(await isPassword("Zo\u00eb's password", await hashPassword("Zoe\u0308's password"))).toBe(true);
  });

  test("more than can be tried at once are told to come again", async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 24 }, () => isPassword(PASSWORD, undefined)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(18);
    expect(outcomes.filter((one) => one.status === "rejected" && one.reason.status === 429)).toHaveLength(6);
  });
});

describe("a session", () => {
  test("[RB-06] begins with address and password, says who it is, changes with its token, and ends", async () => {
    const { login, ask, trail, annId } = await withAnn();
    const answer = await login(PASSWORD, " Ann@Example.com ");
    expect([answer.status, answer.body]).toMatchObject([200, { user: { id: annId, handle: "ann@example.com" }, auth_method: "SESSION", csrf_token: expect.stringMatching(/^[\w-]{43}$/) }]);
    expect(answer.headers.get("set-cookie")).toMatch(/^vespid_session=[\w-]{43}; Path=\/; Max-Age=86400; HttpOnly; SameSite=Strict$/);
    const { cookie, token } = sessionOf(answer);
    expect((await ask("GET", WHO, undefined, cookie)).body).toEqual(answer.body);
    const made = await ask("POST", "/api/v2/current_user/application_keys", { data: { type: "application_keys", attributes: { name: "mine" } } }, token);
    expect(made.status).toBe(201);
    const out = await ask("POST", "/api/v2/logout", undefined, token);
    expect([out.status, out.headers.get("set-cookie")]).toEqual([204, "vespid_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"]);
    expect((await ask("GET", WHO, undefined, cookie)).status).toBe(401);
    expect(trail.map(({ who, entry }) => [who.authMethod, entry.event, entry.action, entry.asset.type, entry.outcome])).toEqual([
      ["SESSION", "Authentication", "login", "login", "success"], ["SESSION", "Access Management", "created", "application_key", undefined], ["SESSION", "Authentication", "created", "application_key", undefined], ["SESSION", "Authentication", "deleted", "login", undefined],
    ]);
    expect(JSON.stringify(trail)).not.toContain(cookie.cookie!.split("=")[1]);
  });

  test("behind TLS its cookie goes over nothing else", async () => {
    const { login } = await withAnn({ isSecure: true });
    expect((await login()).headers.get("set-cookie")).toMatch(/; HttpOnly; SameSite=Strict; Secure$/);
  });

  test("nothing is changed without its token, with another session's, or for a page of another site", async () => {
    const { login, ask, url, somebody, store } = await withAnn();
    const { cookie, token } = sessionOf(await login());
    const other = sessionOf(await login());
    const body = { data: { type: "application_keys", attributes: { name: "k" } } };
    const make = async (headers: Headed): Promise<number> => (await ask("POST", "/api/v2/current_user/application_keys", body, headers)).status;
    expect([
      await make(cookie), await make({ ...cookie, "x-csrf-token": "" }), await make({ ...cookie, "x-csrf-token": other.token["x-csrf-token"]! }), await make({ ...cookie, "x-csrf-token": cookie.cookie!.split("=")[1]! }),
      await make({ ...token, origin: "https://evil.example" }), await make({ ...token, origin: "null" }), await make({ "x-csrf-token": token["x-csrf-token"]! }), await make(token), await make({ ...token, origin: url }),
    ]).toEqual([403, 403, 403, 403, 403, 403, 401, 201, 201]);
    expect((await ask("POST", "/api/v2/logout", undefined, cookie)).status).toBe(403);
    // A key that is shown decides alone: a bad one is not mended by a good cookie.
    expect([await make({ ...token, "dd-api-key": "x", "dd-application-key": "x" }), await make({ ...token, authorization: "Bearer x" })]).toEqual([403, 403]);
    const { keys, user } = somebody("ben", []);
    store.giveRole(user.id, ADMIN_ROLE_ID);
    expect((await ask("GET", WHO, undefined, { ...cookie, ...keys })).body.user.handle).toBe("ben@example.com");
  });

  test("is never one that somebody else chose: login makes a new one, and ends what came along", async () => {
    const { login, ask, sql } = await withAnn();
    const chosen = `vespid_session=${"A".repeat(43)}`;
    const first = await login(PASSWORD, undefined, { cookie: chosen });
    expect(first.cookies[0]).not.toBe(chosen);
    expect((await ask("GET", WHO, undefined, { cookie: chosen })).status).toBe(401);
    const second = await login(PASSWORD, undefined, sessionOf(first).cookie);
    expect(second.cookies[0]).not.toBe(first.cookies[0]);
    expect(second.body.csrf_token).not.toBe(first.body.csrf_token);
    expect((await ask("GET", WHO, undefined, sessionOf(first).cookie)).status).toBe(401);
    expect(sql.get("SELECT count(*) AS count FROM sessions")!.count).toBe(1);
  });

  test("two cookies of its name are none; it ends with its time, its user, and another password", async () => {
    const { login, ask, url, clock, store, annId } = await withAnn();
    const { cookie } = sessionOf(await login());
    const status = async (headers: Headed = cookie): Promise<number> => (await ask("GET", WHO, undefined, headers)).status;
    expect([await status(), await status({ cookie: `${cookie.cookie}; ${cookie.cookie}` }), await status({ cookie: `a=1;  ${cookie.cookie} ; b=2` }), await status({ cookie: `vespid_session=; x=${cookie.cookie}` })]).toEqual([200, 401, 200, 401]);
    expect(await askRaw(url, WHO, [["Cookie", cookie.cookie!], ["Cookie", `vespid_session=${"A".repeat(43)}`]])).toBe(401);
    clock.nowMs += 9 * HOUR;
    expect(await status()).toBe(401);
    const next = sessionOf(await login());
    store.changeUser(annId, { isActive: false }, 1);
    store.changeUser(annId, { isActive: true }, 1);
    expect(await status(next.cookie)).toBe(401);
  });

  test("a password is changed by who knows it, in a session, and every other session ends", async () => {
    const { login, ask, keyStore, apiKey, annId } = await withAnn();
    const [one, other] = [sessionOf(await login()), sessionOf(await login())];
    const put = (current: string, next: string, headers: Headed): Promise<Answer> => ask("PUT", "/api/v2/current_user/password", { current_password: current, new_password: next }, headers);
    const { key } = keyStore.create("application", "k", 0, { ownerId: annId });
    expect((await put(PASSWORD, "another password", { "dd-api-key": apiKey, "dd-application-key": key })).status).toBe(403);
    expect([(await put("wrong password", "another password", one.token)).status, (await put(PASSWORD, "short", one.token)).status]).toEqual([400, 400]);
    const changed = await put(PASSWORD, "another password", one.token);
    expect(changed.status).toBe(200);
    expect([(await ask("GET", WHO, undefined, one.cookie)).status, (await ask("GET", WHO, undefined, other.cookie)).status, (await ask("GET", WHO, undefined, sessionOf(changed).cookie)).status]).toEqual([401, 401, 200]);
    expect([(await login()).status, (await login("another password")).status]).toEqual([401, 200]);
  });
});

describe("who is not let in", () => {
  test("hears the same, whether the account is there, has a password, or is disabled; and it is written down", async () => {
    const { login, store, trail, annId } = await withAnn();
    store.addUser({ email: "none@example.com", name: "None" }, 0);
    const answers = [await login("wrong password"), await login(PASSWORD, "nobody@example.com"), await login(PASSWORD, "none@example.com"), await login("", "none@example.com")];
    store.changeUser(annId, { isActive: false }, 1);
    answers.push(await login());
    expect(answers.map(({ status, body, cookies }) => [status, body, cookies])).toEqual(answers.map(() => [401, { errors: ["the address or the password is not right"] }, []]));
    expect(trail.map(({ who, entry }) => [who.handle, who.userId, entry.action, entry.outcome])).toEqual([
      ["ann@example.com", annId, "login", "failure"], ["nobody@example.com", "", "login", "failure"], ["none@example.com", expect.any(String), "login", "failure"], ["none@example.com", expect.any(String), "login", "failure"], ["ann@example.com", annId, "login", "failure"],
    ]);
  });

  test("is let try five times in a quarter of an hour at one account, whether it is there or not; the right password too must wait", async () => {
    const { login, clock } = await withAnn();
    const tries = async (email: string): Promise<number[]> => {
      const statuses: number[] = [];
      for (let i = 0; i < 6; i++) statuses.push((await login("wrong password", email)).status);
      return statuses;
    };
    const expected = [401, 401, 401, 401, 401, 429];
    expect([await tries("ann@example.com"), await tries("nobody@example.com")]).toEqual([expected, expected]);
    const waiting = await login();
    expect([waiting.status, Number(waiting.headers.get("retry-after")) > 0]).toEqual([429, true]);
    clock.nowMs += 15 * 60_000;
    expect((await login()).status).toBe(200);
    expect((await login("wrong password")).status).toBe(401);
  });

  test("is let try thirty times from one address, whatever the accounts", async () => {
    const { login, sql, clock } = await withAnn();
    expect((await login("wrong password", "user-0@example.com")).status).toBe(401);
    for (let i = 1; i < 29; i++) new LoginAttempts(sql).take({ "address 127.0.0.1": 30 }, clock.nowMs);
    expect([(await login("wrong password", "user-29@example.com")).status, (await login("wrong password", "user-30@example.com")).status]).toEqual([401, 429]);
  });

  test("many at once are counted as many", async () => {
    const { login } = await withAnn();
    const statuses = (await Promise.all(Array.from({ length: 12 }, () => login("wrong password")))).map(({ status }) => status);
    expect([statuses.filter((one) => one === 401).length, statuses.filter((one) => one === 429).length]).toEqual([5, 7]);
  });

  test("ways in are told to anybody", async () => {
    const { ask } = await withAnn();
    expect((await ask("GET", LOGIN, undefined, {})).body).toEqual({ password: true, oidc: false });
  });
});
