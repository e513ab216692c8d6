import { Type } from "typebox";
import { ApiError, badRequest } from "../api-error.ts";
import type { StoredUser } from "../../store/people.ts";
import type { Principal } from "../principal.ts";
import { type CallHead, empty, ok, type Route, type RouteAnswer, route } from "../route.ts";
import { cookieOf, SESSION_COOKIE, setCookie } from "./cookie.ts";
import { permissionsOf } from "./doorkeeper.ts";
import { isPassword } from "./password.ts";
import type { People } from "./people.ts";
import { newPasswordHash } from "./users.ts";

const tag = "Sessions";
/** Attempts in a quarter of an hour: of one address at one account, of one address, and at one account from wherever. */
const AT_ACCOUNT_FROM_ADDRESS = 5;
const FROM_ADDRESS = 30;
const AT_ACCOUNT = 50;

const Session = Type.Object({
  user: Type.Object({ id: Type.String(), handle: Type.String(), name: Type.String(), email: Type.String() }),
  permissions: Type.Array(Type.String()), auth_method: Type.String(),
  csrf_token: Type.Union([Type.String(), Type.Null()]), expires_at: Type.Union([Type.String(), Type.Null()]),
});

/** Coming in by address and password, going again, and who one is. */
export function loginRoutes(people: People, hasOidc: boolean): readonly Route[] {
  const { store, attempts, sessions, sql } = people;
  return [
    route({ tag, permission: "anyone", method: "GET", path: "/api/v2/login", operationId: "listLoginMethods", summary: "How one comes in", answers: { 200: Type.Object({ password: Type.Boolean(), oidc: Type.Boolean() }) } }, () => ok({ password: true, oidc: hasOidc })),
    route({ tag, permission: "anyone", method: "POST", path: "/api/v2/login", operationId: "login", summary: "Begins a session", body: Type.Object({ email: Type.String({ maxLength: 254 }), password: Type.String({ maxLength: 1024 }) }), answers: { 200: Session }, refuses: [401] }, async ({ body, head, nowMs }) => {
      const email = body.email.trim().toLowerCase();
      const account = `account ${email}`;
      const pair = `account ${email} from ${head.peer}`;
      const waitS = attempts.take({ [pair]: AT_ACCOUNT_FROM_ADDRESS, [`address ${head.peer}`]: FROM_ADDRESS, [account]: AT_ACCOUNT }, nowMs);
      if (waitS > 0) {
        tellFailure(people, head, nowMs, email, "too many attempts");
        throw tooMany(waitS);
      }
      const known = store.userByEmail(email);
      const isGood = await isPassword(body.password, known?.isActive ? store.passwordHash(known.id) : undefined);
      // Hashing took a while: the account may have been disabled, or got another password, which ended nothing of ours yet.
      const user = isGood ? store.user(known!.id) : undefined;
      if (!user?.isActive) {
        tellFailure(people, head, nowMs, email, "wrong address or password");
        throw new ApiError(401, "the address or the password is not right");
      }
      attempts.forget([pair, account]);
      return begin(people, user, head, nowMs, "password");
    }),
    route({ tag, permission: "known", method: "POST", path: "/api/v2/logout", operationId: "logout", summary: "Ends the session", answers: { 204: undefined } }, ({ head, principal, audit }) => {
      const token = cookieOf(head, SESSION_COOKIE);
      sql.transaction(() => {
        if (token === undefined || principal.authMethod !== "SESSION") return;
        sessions.end(token);
        audit({ event: "Authentication", action: "deleted", asset: { type: "login", id: principal.userId, name: principal.email }, message: "logged out" });
      });
      return { ...empty, headers: { "set-cookie": setCookie(SESSION_COOKIE, "", { maxAgeS: 0, isSecure: people.isSecure }) } };
    }),
    route({ tag, permission: "known", method: "GET", path: "/api/v2/session", operationId: "getSession", summary: "Who the caller is, what they may, and the token changes bring along", answers: { 200: Session } }, ({ head, principal, nowMs }) => {
      const token = principal.authMethod === "SESSION" ? cookieOf(head, SESSION_COOKIE) : undefined;
      return ok(sessionBody(principal, token === undefined ? undefined : sessions.find(token, nowMs)));
    }),
    route({ tag, permission: "known", method: "PUT", path: "/api/v2/current_user/password", operationId: "updateCurrentUserPassword", summary: "Another password of one's own; all other sessions end", body: Type.Object({ current_password: Type.String({ maxLength: 1024 }), new_password: Type.String({ maxLength: 1024 }) }), answers: { 200: Session } }, async (call) => {
      const { principal, body, head, nowMs } = call;
      if (principal.authMethod !== "SESSION") throw new ApiError(403, "a password is changed in a session");
      const pair = `password of ${principal.userId}`;
      const waitS = attempts.take({ [pair]: AT_ACCOUNT_FROM_ADDRESS }, nowMs);
      if (waitS > 0) throw tooMany(waitS);
      if (!(await isPassword(body.current_password, store.passwordHash(principal.userId)))) throw badRequest("current_password: it is not right");
      const passwordHash = (await newPasswordHash(body.new_password))!;
      return sql.transaction(() => {
        if (!store.user(principal.userId)?.isActive) throw new ApiError(403, "Forbidden");
        const user = store.changeUser(principal.userId, { passwordHash }, nowMs);
        attempts.forget([pair]);
        call.audit({ event: "Access Management", action: "modified", asset: { type: "user", id: user.id, name: user.email }, message: "password changed" });
        return begin(people, user, head, nowMs, "password");
      });
    }),
  ];
}

/** A session for somebody who has shown who they are; whatever session came along with the request ends. */
export function begin(people: People, user: StoredUser, head: CallHead, nowMs: number, by: string): RouteAnswer {
  const { sql, sessions, store, audit, doorkeeper, isSecure } = people;
  return sql.transaction(() => {
    const before = cookieOf(head, SESSION_COOKIE);
    if (before !== undefined) sessions.end(before);
    const { token, session } = sessions.begin(user.id, nowMs);
    const principal = doorkeeper.principal(store.changeUser(user.id, { lastLoginMs: nowMs }, nowMs), "SESSION");
    audit.record(principal, { event: "Authentication", action: "login", asset: { type: "login", id: user.id, name: user.email }, outcome: "success", message: `logged in by ${by}` }, head, nowMs);
    const cookie = setCookie(SESSION_COOKIE, token, { maxAgeS: Math.floor((session.expiresMs - nowMs) / 1000), isSecure });
    return { status: 200, body: sessionBody(principal, session), headers: { "set-cookie": cookie } };
  });
}

/** Written down as tried by nobody: who it was is not known, only whom they named. */
export function tellFailure({ audit, store }: People, head: CallHead, nowMs: number, email: string, why: string): void {
  const user = store.userByEmail(email);
  const who: Principal = { userId: user?.id ?? "", handle: email, name: user?.name ?? "", email, authMethod: "NONE", permissions: permissionsOf([]) };
  audit.record(who, { event: "Authentication", action: "login", asset: { type: "login", id: user?.id ?? "", name: email }, outcome: "failure", message: why }, head, nowMs);
}

function sessionBody(principal: Principal, session: { readonly csrf: string; readonly expiresMs: number } | undefined): object {
  const { userId: id, handle, name, email } = principal;
  return { user: { id, handle, name, email }, permissions: [...principal.permissions].toSorted(), auth_method: principal.authMethod, csrf_token: session?.csrf ?? null, expires_at: session ? new Date(session.expiresMs).toISOString() : null };
}

function tooMany(waitS: number): ApiError {
  return new ApiError(429, "too many attempts; wait before the next", { headers: { "retry-after": String(waitS), "x-ratelimit-reset": String(waitS) } });
}
