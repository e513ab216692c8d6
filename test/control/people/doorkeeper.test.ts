import { describe, expect, test } from "vitest";
import { matches } from "../../../host/query/matches.ts";
import { printQuery } from "../../../host/query/print.ts";
import { KeyDoorkeeper } from "../../../host/control/people/doorkeeper.ts";
import { ADMIN_ROLE_ID, READ_ONLY_ROLE_ID } from "../../../host/control/people/managed-roles.ts";
import type { Principal } from "../../../host/control/principal.ts";
import type { CallHead } from "../../../host/control/route.ts";
import { OPERATOR_ID } from "../../../host/store/keys.ts";
import { askRaw, type Headed, type Served, servePeople } from "./support.ts";

const WHO = "/api/v2/session";
const headOf = (headers: Headed, peer = "127.0.0.1"): CallHead => ({ method: "GET", path: WHO, peer, userAgent: "", requestId: "1", origin: "", headers: { host: "127.0.0.1:8282", ...headers } });
const status = async ({ ask }: Served, headers: Headed): Promise<number> => (await ask("GET", WHO, undefined, headers)).status;

describe("keys at the door", () => {
  test("[IN-05] both keys, or a bearer; not one alone, not the wrong way round, not a key that is not known", async () => {
    const served = await servePeople();
    const { somebody, apiKey } = served;
    const { "dd-application-key": application } = somebody("ann", []).keys as { "dd-application-key": string };
    const table: readonly (readonly [Headed, number])[] = [
      [{}, 401], [{ "dd-api-key": apiKey }, 401], [{ "dd-application-key": application }, 401], [{ "dd-api-key": apiKey, "dd-application-key": application }, 200],
      [{ "dd-api-key": application, "dd-application-key": application }, 403], [{ "dd-api-key": apiKey, "dd-application-key": apiKey }, 403], [{ "dd-api-key": "x", "dd-application-key": application }, 403],
      [{ "dd-api-key": apiKey, "dd-application-key": "x" }, 403], [{ "dd-api-key": apiKey, "dd-application-key": "x".repeat(5000) }, 403], [{ "dd-api-key": apiKey, "dd-application-key": application.toUpperCase() }, application === application.toUpperCase() ? 200 : 403],
      [{ authorization: `Bearer ${application}` }, 200], [{ authorization: `bearer ${application}`, "dd-api-key": apiKey }, 200], [{ authorization: `Bearer ${application}`, "dd-api-key": "x" }, 403],
      [{ authorization: `Bearer ${apiKey}` }, 403], [{ authorization: `Basic ${application}` }, 401], [{ authorization: "Bearer " }, 401], [{ authorization: `Bearer ${application}`, "dd-api-key": apiKey, "dd-application-key": application }, 200],
    ];
    const found: number[] = [];
    for (const [headers] of table) found.push(await status(served, headers));
    expect(found).toEqual(table.map(([, expected]) => expected));
  });

  test("refusals of a key that is not there, one that is off, and one of somebody disabled are the same to the letter", async () => {
    const { ask, somebody, store, keyStore, apiKey } = await servePeople();
    const [off, gone] = [somebody("off", []), somebody("gone", [])];
    keyStore.change(keyStore.find("application", off.keys["dd-application-key"]!)!.id, { isDisabled: true }, 1);
    store.changeUser(gone.user.id, { isActive: false }, 1);
    const answers = await Promise.all([off.keys, gone.keys, { "dd-api-key": apiKey, "dd-application-key": "0".repeat(40) }, { "dd-api-key": "0".repeat(32), "dd-application-key": "0".repeat(40) }].map((headers) => ask("GET", WHO, undefined, headers)));
    expect(answers.map(({ status: one, body }) => [one, body])).toEqual(answers.map(() => [403, { errors: ["Forbidden"] }]));
  });

  test("[RB-06] who is disabled, whose key or API key is off, is out with the next call", async () => {
    const served = await servePeople();
    const { somebody, store, keyStore, apiKey } = served;
    const { user, keys } = somebody("ann", [READ_ONLY_ROLE_ID]);
    const { id } = keyStore.find("application", keys["dd-application-key"]!)!;
    const { id: apiId } = keyStore.find("api", apiKey)!;
    const found = [await status(served, keys)];
    for (const [off, on] of [
      [() => store.changeUser(user.id, { isActive: false }, 1), () => store.changeUser(user.id, { isActive: true }, 1)],
      [() => keyStore.change(id, { isDisabled: true }, 1), () => keyStore.change(id, { isDisabled: false }, 1)],
      [() => keyStore.change(apiId, { isDisabled: true }, 1), () => keyStore.change(apiId, { isDisabled: false }, 1)],
    ] as const) {
      off();
      found.push(await status(served, keys));
      on();
      found.push(await status(served, keys));
    }
    expect(found).toEqual([200, 403, 200, 403, 200, 403, 200]);
    store.takeRole(user.id, READ_ONLY_ROLE_ID);
    expect((await served.ask("GET", WHO, undefined, keys)).body.permissions).toEqual([]);
  });

  test("two keys of two people, and a header that comes twice, are refused: a proxy may have judged the other one", async () => {
    const { url, somebody, admin } = await servePeople();
    const { keys } = somebody("ann", []);
    const [[, api], [, ann], [, root]] = [["", keys["dd-api-key"]!], ["", keys["dd-application-key"]!], ["", admin["dd-application-key"]!]] as const;
    expect(await askRaw(url, WHO, [["DD-API-KEY", api], ["DD-APPLICATION-KEY", ann]])).toBe(200);
    expect([
      await askRaw(url, WHO, [["DD-API-KEY", api], ["DD-APPLICATION-KEY", ann], ["Authorization", `Bearer ${root}`]]), await askRaw(url, WHO, [["DD-API-KEY", api], ["DD-APPLICATION-KEY", ann], ["dd-application-key", root]]),
      await askRaw(url, WHO, [["Authorization", `Bearer ${ann}`], ["Authorization", `Bearer ${root}`]]), await askRaw(url, WHO, [["DD-API-KEY", api], ["DD-API-KEY", api], ["DD-APPLICATION-KEY", ann]]),
      await askRaw(url, WHO, [["DD-API-KEY", api], ["DD-APPLICATION-KEY", `${ann}, ${root}`]]), await askRaw(url, WHO, [["DD-API-KEY", api], ["DD_APPLICATION_KEY", ann]]),
    ]).toEqual([403, 400, 400, 400, 403, 401]);
  });
});

describe("what a person may and sees", () => {
  test("[RB-06] is what all roles let them together, cut down to the key's scopes", async () => {
    const { sql, somebody, store } = await servePeople();
    const roles = [store.addRole("One", ["cases_read", "no_longer_there"], 0), store.addRole("Two", ["cases_read", "cases_write"], 0)];
    const keeper = new KeyDoorkeeper(sql, true);
    const whole = keeper.who(headOf(somebody("ann", roles.map(({ id }) => id)).keys), false, 1) as Principal;
    expect([...whole.permissions].sort()).toEqual(["cases_read", "cases_write"]);
    const scoped = keeper.who(headOf(somebody("ben", roles.map(({ id }) => id), ["cases_write", "org_management"]).keys), false, 1) as Principal;
    expect([...scoped.permissions]).toEqual(["cases_write"]);
    expect(scoped).toMatchObject({ authMethod: "API + App Key", handle: "ben@example.com", apiKeyId: expect.any(String), applicationKeyId: expect.any(String) });
  });

  test("[RB-04] one of their roles' queries matches; a role without one sees everything; what cannot be read shows nothing", async () => {
    const { sql, somebody, store } = await servePeople();
    const role = (name: string, restrictionQuery?: string): string => store.addRole(name, ["logs_read_data"], 0, restrictionQuery === undefined ? {} : { restrictionQuery }).id;
    const [blue, red, all, broken] = [role("Blue", "team:blue"), role("Red", "team:red"), role("All"), role("Broken", "team:(")];
    const keeper = new KeyDoorkeeper(sql, true);
    const sees = (name: string, roles: readonly string[]): readonly string[] | undefined => (keeper.who(headOf(somebody(name, roles).keys), false, 1) as Principal).restriction?.map(printQuery);
    expect([sees("a", [blue]), sees("b", [blue, red]), sees("c", [blue, all]), sees("d", [broken])]).toEqual([["team:blue"], ["team:blue", "team:red"], undefined, ["-*:*"]]);
    const [nothing] = (keeper.who(headOf(somebody("e", [broken]).keys), false, 1) as Principal).restriction!;
    expect([matches(nothing!, { message: "any", attributes: {} } as never), matches(nothing!, {} as never)]).toEqual([false, false]);
  });
});

describe("the open door", () => {
  const table: readonly (readonly [string, Headed, string, number])[] = [
    ["nothing", {}, "127.0.0.1", 200], ["this machine's IPv6 name", { host: "[::1]:8282" }, "::1", 200], ["localhost", { host: "localhost" }, "127.0.0.1", 200], ["a key nobody knows", { "dd-api-key": "x", "dd-application-key": "x" }, "127.0.0.1", 200],
    ["a page whose name points here", { host: "evil.example:8282" }, "127.0.0.1", 401], ["a name that begins like one of ours", { host: "localhost.evil.example" }, "127.0.0.1", 401], ["an address written another way", { host: "127.1" }, "127.0.0.1", 401],
    ["another machine", {}, "10.0.0.7", 401], ["another machine that says it is this one", { host: "localhost" }, "10.0.0.7", 401], ["no name", { host: "" }, "127.0.0.1", 401],
  ];
  test.each(table)("%s", async (_what, headers, peer, expected) => {
    const { sql } = await servePeople({ keysRequired: false });
    const who = new KeyDoorkeeper(sql, false).who(headOf(headers, peer), true, 1);
    if (expected === 200) expect(who).toMatchObject({ userId: OPERATOR_ID, authMethod: "NONE" });
    else expect(who).toMatchObject({ status: expected });
  });

  test("over the wire a foreign Host is nobody, and good keys act for their owner", async () => {
    const served = await servePeople({ keysRequired: false });
    const { url, ask, somebody, store, keyStore } = served;
    expect([await askRaw(url, WHO, []), await askRaw(url, WHO, [["Host", "rebound.example"]]), await askRaw(url, WHO, [["Host", "rebound.example"], ["Origin", "http://rebound.example"]], "GET")]).toEqual([200, 401, 401]);
    expect((await ask("GET", WHO, undefined, {})).body).toMatchObject({ user: { id: OPERATOR_ID }, auth_method: "NONE" });
    const { keys, user } = somebody("ann", [READ_ONLY_ROLE_ID]);
    expect((await ask("GET", WHO, undefined, keys)).body.user.id).toBe(user.id);
    keyStore.change(keyStore.find("application", keys["dd-application-key"]!)!.id, { isDisabled: true }, 1);
    expect(await status(served, keys)).toBe(403);
    store.giveRole(user.id, ADMIN_ROLE_ID);
    store.changeUser(OPERATOR_ID, { isActive: false }, 1);
    expect(await status(served, {})).toBe(403);
  });
});
