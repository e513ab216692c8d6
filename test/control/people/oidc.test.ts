import { generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ADMIN_ROLE_ID, READ_ONLY_ROLE_ID, STANDARD_ROLE_ID } from "../../../host/control/people/managed-roles.ts";
import { ownPath } from "../../../host/control/people/oidc-login.ts";
import type { OidcSettings } from "../../../host/control/people/oidc.ts";
import { OPERATOR_ID } from "../../../host/store/keys.ts";
import { type Grant, Issuer } from "./oidc-issuer.ts";
import { type Answer, type Headed, type Served, servePeople } from "./support.ts";

const REDIRECT = "http://127.0.0.1:8282/auth/oidc/callback";
const WHO = "/api/v2/session";
let issuer: Issuer;
beforeEach(async () => {
  issuer = await Issuer.start();
});
afterEach(() => issuer.close());

const settingsOf = (more: Partial<OidcSettings> = {}): OidcSettings => ({ issuer: issuer.url, clientId: "vespid", clientSecret: "secret of/ours", redirectUrl: REDIRECT, allowedDomains: ["example.com"], defaultRole: "Datadog Read Only Role", roles: {}, ...more });

interface Walk {
  readonly served: Served;
  /** To the provider. */
  begin(returnTo?: string): Promise<{ readonly location: string; readonly cookie: Headed }>;
  /** And back. */
  back(query: URLSearchParams, cookie: Headed): Promise<Answer>;
  /** All the way. */
  login(cookie?: Headed): Promise<Answer>;
}

async function walk(more: Partial<OidcSettings> = {}): Promise<Walk> {
  const served = await servePeople({ oidc: settingsOf(more) });
  const begin: Walk["begin"] = async (returnTo) => {
    const answer = await served.ask("GET", `/auth/oidc/login${returnTo === undefined ? "" : `?${new URLSearchParams({ return_to: returnTo }).toString()}`}`, undefined, {});
    expect(answer.status).toBe(302);
    return { location: answer.headers.get("location")!, cookie: { cookie: answer.cookies[0]! } };
  };
  const back: Walk["back"] = (query, cookie) => served.ask("GET", `/auth/oidc/callback?${query.toString()}`, undefined, cookie);
  return {
    served, begin, back,
    async login() {
      const { location, cookie } = await begin();
      return await back(issuer.login(location), cookie);
    },
  };
}

const sessionCookie = ({ cookies }: Answer): string | undefined => cookies.find((cookie) => /^vespid_session=./.test(cookie));

describe("logging in at an identity provider", () => {
  test("leads there with state, nonce and a challenge, and back with a session of a user that is new, in the default role", async () => {
    const { served, begin, back } = await walk();
    const { location, cookie } = await begin("/signals?query=a%20b#top");
    const url = new URL(location);
    expect(`${url.origin}${url.pathname}`).toBe(`${issuer.url}/authorize`);
    expect(Object.fromEntries(url.searchParams)).toEqual({ response_type: "code", client_id: "vespid", redirect_uri: REDIRECT, scope: "openid email profile", state: expect.stringMatching(/^[\w-]{43}$/), nonce: expect.stringMatching(/^[\w-]{43}$/), code_challenge: expect.stringMatching(/^[\w-]{43}$/), code_challenge_method: "S256" });
    const answer = await back(issuer.login(location), cookie);
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "/signals?query=a%20b#top"]);
    expect(answer.headers.getSetCookie()).toEqual([expect.stringMatching(/^vespid_session=[\w-]{43}; Path=\/; Max-Age=86400; HttpOnly; SameSite=Strict$/), "vespid_oidc=; Path=/auth/oidc; Max-Age=0; HttpOnly; SameSite=Lax"]);
    const who = await served.ask("GET", WHO, undefined, { cookie: sessionCookie(answer)! });
    expect(who.body).toMatchObject({ user: { email: "ann@example.com", name: "Ann" }, auth_method: "SESSION" });
    const user = served.store.userByEmail("ann@example.com")!;
    expect([user.hasPassword, served.store.rolesOf(user.id).map(({ id }) => id)]).toEqual([false, [READ_ONLY_ROLE_ID]]);
    expect(served.trail.map(({ entry }) => [entry.event, entry.action, entry.asset.type, entry.outcome])).toEqual([["Access Management", "created", "user", undefined], ["Authentication", "login", "login", "success"]]);
  });

  test("tokens of RSA and of elliptic curves are read by the keys the provider shows; a public client has no secret", async () => {
    const { login } = await walk();
    issuer.tokenOf = ({ nonce }) => issuer.signed(issuer.standard(nonce), "ES256");
    expect((await login()).status).toBe(302);
    await issuer.close();
    issuer = await Issuer.start(null);
    const served = await servePeople({ oidc: { issuer: issuer.url, clientId: "vespid", redirectUrl: REDIRECT, allowedDomains: ["example.com"], defaultRole: "Datadog Read Only Role", roles: {} } });
    const begun = await served.ask("GET", "/auth/oidc/login", undefined, {});
    const query = issuer.login(begun.headers.get("location")!);
    expect((await served.ask("GET", `/auth/oidc/callback?${query.toString()}`, undefined, { cookie: begun.cookies[0]! })).status).toBe(302);
  });

  test("somebody with an account keeps it and its roles, and stays themselves when the address changes", async () => {
    const { served, login } = await walk({ defaultRole: undefined } as never);
    const user = served.store.addUser({ email: "ann@example.com", name: "Anna" }, 0);
    served.store.giveRole(user.id, STANDARD_ROLE_ID);
    expect((await login()).status).toBe(302);
    issuer.claims = { ...issuer.claims, email: "ann.b@example.com" };
    expect((await login()).status).toBe(302);
    expect(served.store.userBySubject(JSON.stringify([issuer.url, "ann-1"]))).toMatchObject({ id: user.id, email: "ann@example.com", name: "Anna" });
    expect(served.store.rolesOf(user.id).map(({ id }) => id)).toEqual([STANDARD_ROLE_ID]);
  });

  test("[RB-03] groups bring roles and take them away; those given here stay, and the last administrator does", async () => {
    const { served, login } = await walk({ rolesClaim: "groups", roles: { soc: "Datadog Standard Role", admins: "datadog admin role", other: "No such role" } });
    const rolesOf = (): string[] => served.store.rolesOf(served.store.userByEmail("ann@example.com")!.id).map(({ name }) => name.replace(/^Datadog (.*) Role$/, "$1"));
    const step = async (groups: unknown): Promise<string[]> => {
      issuer.claims = { ...issuer.claims, groups };
      expect((await login()).status).toBe(302);
      return rolesOf();
    };
    expect([await step(["soc", "elsewhere"]), await step(["soc", "admins"]), await step("admins"), await step([]), await step(undefined)]).toEqual([["Read Only", "Standard"], ["Admin", "Read Only", "Standard"], ["Admin", "Read Only"], ["Read Only"], ["Read Only"]]);
    expect(served.trail.filter(({ entry }) => entry.asset.type === "user" && entry.action === "modified")).toHaveLength(3);
    await step(["admins"]);
    served.store.changeUser(OPERATOR_ID, { isActive: false }, 1);
    served.store.changeUser(served.store.userByEmail("root@example.com")!.id, { isActive: false }, 1);
    expect(await step([])).toEqual(["Admin", "Read Only"]);
    expect(served.store.activeUsersOf(ADMIN_ROLE_ID)).toBe(1);
  });
});

describe("attacks on it", () => {
  const now = (): number => Math.floor(Date.now() / 1000);
  const spoiled: readonly (readonly [string, (grant: Grant) => Promise<string | undefined>, RegExp])[] = [
    ["another login's nonce", () => issuer.signed(issuer.standard("another")), /nonce/],
    ["no nonce", ({ nonce }) => issuer.signed({ ...issuer.standard(nonce), nonce: undefined } as JWTPayload), /nonce/],
    ["another client's token", ({ nonce }) => issuer.signed({ ...issuer.standard(nonce), aud: "other" }), /aud/],
    ["a token for two, made for the other", ({ nonce }) => issuer.signed({ ...issuer.standard(nonce), aud: ["vespid", "other"], azp: "other" }), /another client/],
    ["a token for two, made for who knows whom", ({ nonce }) => issuer.signed({ ...issuer.standard(nonce), aud: ["vespid", "other"] }), /another client/],
    ["another provider's token", ({ nonce }) => issuer.signed({ ...issuer.standard(nonce), iss: "https://evil.example" }), /iss/],
    ["a token that is over", ({ nonce }) => issuer.signed({ ...issuer.standard(nonce), iat: now() - 400, exp: now() - 100 }), /exp/],
    ["a token of an hour ago", ({ nonce }) => issuer.signed({ ...issuer.standard(nonce), iat: now() - 3600 }), /iat/],
    ["a token that never ends", ({ nonce }) => issuer.signed({ ...issuer.standard(nonce), exp: undefined } as JWTPayload), /exp/],
    ["a token of nobody", ({ nonce }) => issuer.signed({ ...issuer.standard(nonce), sub: undefined } as JWTPayload), /sub/],
    ["no signature", async ({ nonce }) => new UnsecuredJWT(issuer.standard(nonce)).encode(), /not good/],
    ["the public key as a shared secret", async ({ nonce }) => await new SignJWT(issuer.standard(nonce)).setProtectedHeader({ alg: "HS256", kid: "RS256" }).sign(new TextEncoder().encode(JSON.stringify(issuer.publicJwk("RS256")))), /alg/],
    ["another key under the provider's name", async ({ nonce }) => await issuer.signed(issuer.standard(nonce), "RS256", (await generateKeyPair("RS256")).privateKey), /signature/],
    ["a key that the token brings along", async ({ nonce }) => {
      const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
      return await new SignJWT(issuer.standard(nonce)).setProtectedHeader({ alg: "ES256", kid: "mine", jwk: await crypto.subtle.exportKey("jwk", publicKey) as never }).sign(privateKey);
    }, /key/],
    ["claims changed behind the signature", async ({ nonce }) => {
      const [head, , seal] = (await issuer.signed(issuer.standard(nonce))).split(".");
      return [head, Buffer.from(JSON.stringify({ ...issuer.standard(nonce), email: "root@example.com" })).toString("base64url"), seal].join(".");
    }, /signature/],
    ["no token", async () => undefined, /without an id_token/],
    ["no token at all, but text", async () => "a.b.c", /not good/],
    ["an address nobody verified", ({ nonce }) => issuer.signed({ ...issuer.standard(nonce), email_verified: false }), /verified/],
    ["an address that says nothing of it", ({ nonce }) => issuer.signed({ ...issuer.standard(nonce), email_verified: undefined }), /verified/],
    ["an address verified in words", ({ nonce }) => issuer.signed({ ...issuer.standard(nonce), email_verified: "true" }), /verified/],
    ["an address of a domain that is not ours", ({ nonce }) => issuer.signed({ ...issuer.standard(nonce), email: "root@evil.example" }), /evil\.example/],
    ["a domain that only ends like ours", ({ nonce }) => issuer.signed({ ...issuer.standard(nonce), email: "ann@notexample.com" }), /notexample/],
    ["an address of letters that look like ours", ({ nonce }) => issuer.signed({ ...issuer.standard(nonce), email: "\u212Aim@example.com" }), /letters/],
    ["two addresses in one", ({ nonce }) => issuer.signed({ ...issuer.standard(nonce), email: "root@example.com,@example.com" }), /./],
  ];
  test.each(spoiled)("%s: nobody comes in, and the trail says why", async (_what, tokenOf, why) => {
    const { served, login } = await walk();
    const before = served.store.users().length;
    issuer.tokenOf = tokenOf;
    const answer = await login();
    expect([answer.status, answer.body.errors, sessionCookie(answer)]).toEqual([401, ["the login did not succeed; an administrator finds the reason in the audit trail"], undefined]);
    expect(served.store.users()).toHaveLength(before);
    expect(served.trail.at(-1)!.entry).toMatchObject({ event: "Authentication", action: "login", outcome: "failure", message: expect.stringMatching(why) });
    expect(served.faults).toEqual([]);
    issuer.tokenOf = undefined;
    expect((await login()).status).toBe(302);
  });

  test("a state of another login, without one, of another browser, twice, too late, or sealed by another hand", async () => {
    const { served, begin, back } = await walk();
    const [one, other] = [await begin(), await begin()];
    const statuses = [
      (await back(issuer.login(one.location), other.cookie)).status, (await back(issuer.login(one.location), {})).status,
      (await back(new URLSearchParams({ code: issuer.login(one.location).get("code")! }), one.cookie)).status, (await back(new URLSearchParams({ state: new URL(one.location).searchParams.get("state")! }), one.cookie)).status,
      (await back(new URLSearchParams({ error: "access_denied", state: new URL(one.location).searchParams.get("state")! }), one.cookie)).status,
    ];
    const query = issuer.login(one.location);
    query.set("iss", "https://evil.example");
    statuses.push((await back(query, one.cookie)).status);
    const [name, value] = one.cookie.cookie!.split("=") as [string, string];
    const login = JSON.parse(Buffer.from(value.split(".")[0]!, "base64url").toString("utf8"));
    const forged = Buffer.from(JSON.stringify({ ...login, returnTo: "https://evil.example", state: "mine" })).toString("base64url");
    statuses.push((await back(new URLSearchParams({ code: "code-1", state: "mine" }), { cookie: `${name}=${forged}.${value.split(".")[1]}` })).status, (await back(new URLSearchParams({ code: "c", state: "" }), { cookie: `${name}=.` })).status);
    expect(statuses).toEqual(statuses.map(() => 401));
    const good = issuer.login(one.location);
    expect([(await back(good, one.cookie)).status, (await back(good, one.cookie)).status]).toEqual([302, 401]);
    served.clock.nowMs += 601_000;
    expect((await back(issuer.login(other.location), other.cookie)).status).toBe(401);
  });

  test("nobody new comes in without a default role, nobody disabled, and no address that went to somebody else", async () => {
    const { served, login } = await walk({ defaultRole: undefined, allowedDomains: [] } as never);
    expect((await login()).status).toBe(401);
    const user = served.store.addUser({ email: "ann@example.com", name: "Ann" }, 0);
    expect((await login()).status).toBe(302);
    issuer.claims = { ...issuer.claims, sub: "another-ann" };
    expect([(await login()).status, served.trail.at(-1)!.entry.message]).toEqual([401, expect.stringMatching(/somebody else/)]);
    issuer.claims = { ...issuer.claims, sub: "ann-1" };
    served.store.changeUser(user.id, { isActive: false }, 1);
    expect([(await login()).status, served.trail.at(-1)!.entry.message]).toEqual([401, expect.stringMatching(/disabled/)]);
  });

  test("a session that somebody put into the browser before is not the one that begins", async () => {
    const { served, begin, back } = await walk();
    const { location, cookie } = await begin();
    const chosen = `vespid_session=${"A".repeat(43)}`;
    const answer = await back(issuer.login(location), { cookie: `${cookie.cookie}; ${chosen}` });
    expect([answer.status, sessionCookie(answer) !== chosen]).toEqual([302, true]);
    expect((await served.ask("GET", WHO, undefined, { cookie: chosen })).status).toBe(401);
  });

  test.each([
    ["https://evil.example/", "/"], ["//evil.example", "/"], ["/\\evil.example", "/"], ["/\t/evil.example", "/"], ["\\\\evil.example", "/"], ["javascript:alert(1)", "/"], ["signals", "/"], ["", "/"], ["/a\r\nset-cookie: x=1", "/"], [`/${"a".repeat(1001)}`, "/"],
    ["/.//evil.example", "/"], ["/a/..//evil.example", "/"], ["/%2f%2fevil.example", "/%2f%2fevil.example"], ["/signals?to=https://evil.example", "/signals?to=https://evil.example"], ["/", "/"],
  ])("led on to %j, one comes to %j", (text, expected) => expect(ownPath(text)).toBe(expected));

  test("a provider that calls itself otherwise, leads to plain HTTP, or does not answer, is no provider: 503", async () => {
    const statuses: number[] = [];
    for (const spoil of [{ issuer: "https://other.example" }, { token_endpoint: "http://other.example/token" }, { jwks_uri: "file:///etc/passwd" }, { authorization_endpoint: "javascript:alert(1)" }]) {
      issuer.document = spoil;
      const served = await servePeople({ oidc: settingsOf() });
      statuses.push((await served.ask("GET", "/auth/oidc/login", undefined, {})).status);
    }
    issuer.document = {};
    issuer.status = 500;
    const served = await servePeople({ oidc: settingsOf() });
    statuses.push((await served.ask("GET", "/auth/oidc/login", undefined, {})).status);
    issuer.status = 200;
    expect([...statuses, (await served.ask("GET", "/auth/oidc/login", undefined, {})).status]).toEqual([503, 503, 503, 503, 503, 302]);
  });
});
