import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { JWTPayload } from "jose";
import { Type } from "typebox";
import { ApiError } from "../api-error.ts";
import type { PeopleStore, StoredUser } from "../../store/people.ts";
import { type CallHead, type Route, type RouteAnswer, route } from "../route.ts";
import { cookieOf, setCookie } from "./cookie.ts";
import { begin, tellFailure } from "./login.ts";
import { ADMIN_ROLE_ID } from "./managed-roles.ts";
import { OidcError, OidcProvider, type OidcSettings } from "./oidc.ts";
import type { People } from "./people.ts";
import { emailOf } from "./shapes.ts";

const COOKIE = "vespid_oidc";
const PATH = "/auth/oidc";
/** Time to log in at the provider. */
const LASTS_S = 600;
const MOST_RETURN_CHARS = 1000;
const tag = "Sessions";

/** One login on its way, in a cookie that only we can write. */
interface Login {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** A path of ours. */
  readonly returnTo: string;
  readonly untilMs: number;
}

/** To the provider and back: a session for whom it vouches, by an address it has verified. */
export function oidcRoutes(people: People, settings: OidcSettings): readonly Route[] {
  const provider = new OidcProvider(settings);
  // A login that a restart interrupts begins anew.
  const secret = randomBytes(32);
  const cookie = (value: string, maxAgeS: number): string => setCookie(COOKIE, value, { maxAgeS, isSecure: people.isSecure, path: PATH, sameSite: "Lax" });

  return [
    route({ tag, permission: "anyone", method: "GET", path: `${PATH}/login`, operationId: "oidcLogin", summary: "Leads to the identity provider", query: Type.Object({ return_to: Type.Optional(Type.String()) }), answers: { 302: undefined }, refuses: [503] }, async ({ query, head, nowMs }) => {
      const login: Login = { state: chance(), nonce: chance(), verifier: chance(), returnTo: ownPath(query.return_to), untilMs: nowMs + LASTS_S * 1000 };
      try {
        const location = await provider.loginUrl(login, nowMs);
        return { status: 302, headers: { location, "set-cookie": cookie(sealed(login, secret), LASTS_S) } };
      } catch (error) {
        throw refusal(people, error, head, nowMs, 503);
      }
    }),
    route({ tag, permission: "anyone", method: "GET", path: `${PATH}/callback`, operationId: "oidcCallback", summary: "Where the identity provider leads back to", query: Type.Object({ code: Type.Optional(Type.String()), state: Type.Optional(Type.String()), error: Type.Optional(Type.String()), iss: Type.Optional(Type.String()) }), answers: { 302: undefined }, refuses: [401] }, async ({ query, head, nowMs }): Promise<RouteAnswer> => {
      let email = "";
      try {
        const login = opened(cookieOf(head, COOKIE), secret, nowMs);
        if (!login || query.state === undefined || !isSame(query.state, login.state)) throw new OidcError("this browser began no such login, or too long ago");
        if (query.iss !== undefined && query.iss !== settings.issuer) throw new OidcError("another provider led back here");
        if (query.error !== undefined) throw new OidcError(`the provider said ${query.error.slice(0, 200)}`);
        if (query.code === undefined) throw new OidcError("the provider led back without a code");
        const claims = await provider.claims(query.code, login, nowMs);
        email = typeof claims.email === "string" ? claims.email.slice(0, 254) : "";
        const { headers } = people.sql.transaction(() => {
          const user = vouchedFor(people.store, settings, claims, nowMs, (action, { id, email: name }, before, after) => people.audit.record(people.doorkeeper.principal(people.store.user(id)!, "SESSION"), {
            event: "Access Management", action, asset: { type: "user", id, name }, before: { roles: before }, after: { roles: after }, message: "by what the identity provider says",
          }, head, nowMs));
          return begin(people, user, head, nowMs, "OpenID Connect");
        });
        return { status: 302, headers: { location: login.returnTo, "set-cookie": [String(headers!["set-cookie"]), cookie("", 0)] } };
      } catch (error) {
        throw refusal(people, error, head, nowMs, 401, email, cookie("", 0));
      }
    }),
  ];
}

type Told = (action: "created" | "modified", user: StoredUser, before: readonly string[], after: readonly string[]) => void;

/**
 * The user of whom a token speaks: known by the provider's own name for them, else by their address, else new. Throws an `OidcError`.
 *
 * @param tell hears of an account that is made and of roles that come and go, by their names
 */
export function vouchedFor(store: PeopleStore, settings: OidcSettings, claims: JWTPayload, nowMs: number, tell: Told): StoredUser {
  const email = verifiedEmail(claims);
  const domain = email.slice(email.lastIndexOf("@") + 1);
  if (settings.allowedDomains.length && !settings.allowedDomains.includes(domain)) throw new OidcError(`addresses of ${domain} are not let in`);
  const subject = JSON.stringify([settings.issuer, claims.sub]);
  const known = store.userBySubject(subject) ?? byAddress(store, email, subject, nowMs);
  if (known?.isActive === false) throw new OidcError("the account is disabled");
  const namesOf = (user: StoredUser | undefined): readonly string[] => (user ? store.rolesOf(user.id).map(({ name }) => name) : []);
  const before = namesOf(known);
  const user = known ?? newUser(store, settings, claims, email, subject, nowMs);
  giveRoles(store, settings, claims, user);
  const after = namesOf(user);
  if (!known || before.join("\n") !== after.join("\n")) tell(known ? "modified" : "created", user, before, after);
  return user;
}

function verifiedEmail({ email, email_verified: isVerified }: JWTPayload): string {
  if (typeof email !== "string") throw new OidcError("the provider names no address");
  // Whoever could write any address into their profile could be anybody here.
  if (isVerified !== true) throw new OidcError("the provider has not verified the address");
  try {
    return emailOf(email);
  } catch {
    throw new OidcError("the address has letters that are not taken");
  }
}

function byAddress(store: PeopleStore, email: string, subject: string, nowMs: number): StoredUser | undefined {
  const user = store.userByEmail(email);
  if (!user) return undefined;
  // An address can be given to another person; the account is not.
  if (user.oidcSubject !== undefined && user.oidcSubject !== subject) throw new OidcError("the account of this address belongs to somebody else at the provider");
  return store.changeUser(user.id, { oidcSubject: subject }, nowMs);
}

function newUser(store: PeopleStore, { defaultRole }: OidcSettings, { name }: JWTPayload, email: string, oidcSubject: string, nowMs: number): StoredUser {
  if (defaultRole === undefined) throw new OidcError("there is no account of this address");
  const role = store.roleByName(defaultRole);
  if (!role) throw new OidcError(`oidc.default_role names ${defaultRole}, which is no role`);
  const user = store.addUser({ email, name: typeof name === "string" && name.trim() !== "" ? name.slice(0, 200) : email, oidcSubject }, nowMs);
  store.giveRole(user.id, role.id);
  return user;
}

/** Roles that groups stand for come and go with the groups; others stay as they were given here. */
function giveRoles(store: PeopleStore, { rolesClaim, roles }: OidcSettings, claims: JWTPayload, user: StoredUser): void {
  if (rolesClaim === undefined) return;
  const claimed = claims[rolesClaim];
  const groups = new Set<unknown>(Array.isArray(claimed) ? claimed : [claimed]);
  const wanted = new Set(Object.entries(roles).flatMap(([group, name]) => (groups.has(group) ? [name.toLowerCase()] : [])));
  for (const name of new Set(Object.values(roles))) {
    const role = store.roleByName(name);
    if (!role) continue;
    if (wanted.has(name.toLowerCase())) store.giveRole(user.id, role.id);
    else if (role.id !== ADMIN_ROLE_ID || store.activeUsersOf(role.id) > 1) store.takeRole(user.id, role.id);
  }
}

/** What the person hears; the trail hears why. Faults of ours are none of it. */
function refusal(people: People, error: unknown, head: CallHead, nowMs: number, status: number, email = "", setCookieText?: string): unknown {
  if (!(error instanceof OidcError)) return error;
  tellFailure(people, head, nowMs, email, `OpenID Connect: ${error.why}`);
  return new ApiError(status, `${error.message}; an administrator finds the reason in the audit trail`, setCookieText === undefined ? {} : { headers: { "set-cookie": setCookieText } });
}

/** A path of this server, so that nobody is led on to a page that only looks like it. */
export function ownPath(text: string | undefined): string {
  if (text === undefined || text.length > MOST_RETURN_CHARS || !/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(text)) return "/";
  const here = "http://vespid.invalid";
  const url = URL.canParse(text, here) ? new URL(text, here) : undefined;
  return url?.origin === here && !url.pathname.startsWith("//") ? `${url.pathname}${url.search}${url.hash}` : "/";
}

const chance = (): string => randomBytes(32).toString("base64url");

function sealed(login: Login, secret: Buffer): string {
  const text = Buffer.from(JSON.stringify(login)).toString("base64url");
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

function opened(value: string | undefined, secret: Buffer, nowMs: number): Login | undefined {
  const [text = "", seal = ""] = (value ?? "").split(".");
  if (!isSame(seal, createHmac("sha256", secret).update(text).digest("base64url"))) return undefined;
  const login = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Login;
  return login.untilMs > nowMs ? login : undefined;
}

function isSame(one: string, other: string): boolean {
  const bytes = [Buffer.from(one), Buffer.from(other)] as const;
  return bytes[0].length === bytes[1].length && timingSafeEqual(bytes[0], bytes[1]);
}
