import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach } from "vitest";
import { ControlApi } from "../../../host/control/api.ts";
import type { AuditEntry } from "../../../host/control/audit-trail.ts";
import { KeyDoorkeeper } from "../../../host/control/people/doorkeeper.ts";
import { ADMIN_ROLE_ID } from "../../../host/control/people/managed-roles.ts";
import { peopleRoom, type PeopleSettings } from "../../../host/control/people/room.ts";
import type { Permission } from "../../../host/control/permission.ts";
import type { Principal } from "../../../host/control/principal.ts";
import type { Route } from "../../../host/control/route.ts";
import { SqlDriver } from "../../../host/store/driver.ts";
import { KeyStore } from "../../../host/store/keys.ts";
import { migrations } from "../../../host/store/migrations.ts";
import { PeopleStore, type StoredUser } from "../../../host/store/people.ts";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export interface Answer {
  readonly status: number;
  readonly body: any;
  readonly headers: Headers;
  /** `name=value` of each cookie that was set. */
  readonly cookies: readonly string[];
}

export type Headed = Readonly<Record<string, string>>;

export interface Somebody {
  readonly user: StoredUser;
  readonly keys: Headed;
}

export interface Served {
  readonly url: string;
  readonly sql: SqlDriver;
  readonly store: PeopleStore;
  readonly keyStore: KeyStore;
  readonly trail: { readonly who: Principal; readonly entry: AuditEntry }[];
  readonly faults: unknown[];
  readonly admin: Headed;
  readonly apiKey: string;
  readonly clock: { nowMs: number };
  /** A user with roles by id, and a key pair of theirs. */
  somebody(name: string, roleIds: readonly string[], scopes?: readonly Permission[]): Somebody;
  /** A user who may just this. */
  may(name: string, permissions: readonly Permission[], restrictionQuery?: string): Somebody;
  ask(method: string, path: string, body?: unknown, headers?: Headed): Promise<Answer>;
}

/** The room of people with its real doorkeeper, on a port of its own, over a database in memory. */
export async function servePeople(settings: PeopleSettings & { readonly keysRequired?: boolean; readonly routes?: readonly Route[] } = {}): Promise<Served> {
  const { keysRequired = true, routes: more = [] } = settings;
  const sql = SqlDriver.open(":memory:", migrations);
  const trail: { who: Principal; entry: AuditEntry }[] = [];
  const faults: unknown[] = [];
  const clock = { nowMs: Date.now() };
  const audit = { record: (who: Principal, entry: AuditEntry): void => void trail.push({ who, entry }) };
  const doorkeeper = new KeyDoorkeeper(sql, keysRequired);
  const { routes } = peopleRoom({ sql, audit, nowMs: () => clock.nowMs }, doorkeeper, settings);
  const api = await ControlApi.create({ routes: [...routes, ...more], version: "0.0.0", doorkeeper, audit, nowMs: () => clock.nowMs, onFault: (_where, error) => void faults.push(error) });
  const server = createServer((asked, answer) => api.handle(asked, answer));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    await api.close();
    sql.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const store = new PeopleStore(sql);
  const keyStore = new KeyStore(sql);
  const apiKey = keyStore.create("api", "test", 0).key;
  const somebody: Served["somebody"] = (name, roleIds, scopes) => {
    const user = store.addUser({ email: `${name}@example.com`, name }, clock.nowMs);
    for (const id of roleIds) store.giveRole(user.id, id);
    const { key } = keyStore.create("application", name, clock.nowMs, { ownerId: user.id, ...(scopes ? { scopes } : {}) });
    return { user, keys: { "dd-api-key": apiKey, "dd-application-key": key } };
  };
  const { keys: admin } = somebody("root", [ADMIN_ROLE_ID]);
  return {
    url, sql, store, keyStore, trail, faults, admin, apiKey, clock, somebody,
    may: (name, permissions, restrictionQuery) => somebody(name, [store.addRole(`role of ${name}`, permissions, 0, restrictionQuery === undefined ? {} : { restrictionQuery }).id]),
    async ask(method, path, body, headers = admin) {
      const answer = await fetch(`${url}${path}`, { method, redirect: "manual", ...(body === undefined ? {} : { body: JSON.stringify(body) }), headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers } });
      const text = await answer.text();
      return { status: answer.status, body: text === "" ? undefined : JSON.parse(text), headers: answer.headers, cookies: answer.headers.getSetCookie().map((cookie) => cookie.split(";", 1)[0]!) };
    },
  };
}

/** A request with headers as they are written here, which fetch would not send: `Host`, and names that come twice. */
export async function askRaw(url: string, path: string, headers: readonly (readonly [string, string])[], method = "GET"): Promise<number> {
  const { port, host } = new URL(url);
  const named = headers.some(([name]) => name.toLowerCase() === "host") ? headers : [["Host", host] as const, ...headers];
  return await new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, method, path, headers: named.flat() as never }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode!));
    });
    asked.on("error", reject);
    asked.end();
  });
}

export const roleRef = (id: string): { readonly id: string; readonly type: "roles" } => ({ id, type: "roles" });
export const userRef = (id: string): { readonly id: string; readonly type: "users" } => ({ id, type: "users" });
