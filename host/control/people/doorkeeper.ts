import { createHash, timingSafeEqual } from "node:crypto";
import { isIPv4 } from "node:net";
import { parseQuery } from "../../query/parse.ts";
import type { QueryNode } from "../../query/tree.ts";
import type { SqlDriver } from "../../store/driver.ts";
import { KeyStore, OPERATOR_ID, type StoredKey } from "../../store/keys.ts";
import { PeopleStore, type StoredRole, type StoredUser } from "../../store/people.ts";
import { SessionStore } from "../../store/sessions.ts";
import type { Doorkeeper, Stranger } from "../authenticate.ts";
import { allPermissions, isPermission, type Permission } from "../permission.ts";
import type { AuthMethod, Principal } from "../principal.ts";
import type { CallHead } from "../route.ts";
import { cookieOf, SESSION_COOKIE } from "./cookie.ts";

/** Longest key that is looked at. */
const MOST_KEY_CHARS = 4096;
/** Parsed restriction queries that are kept; there are as many as roles. */
const MOST_QUERIES = 1000;

const forbidden: Stranger = { status: 403, text: "Forbidden" };
const unknown: Stranger = { status: 401, text: "an API key in DD-API-KEY and an application key in DD-APPLICATION-KEY, or a session, are required; vespid keys create NAME --application makes one" };
const noToken: Stranger = { status: 403, text: "a change with a session brings its token along in x-csrf-token; GET /api/v2/session tells it" };

/**
 * Who asks: by an API key and an application key, by `Authorization: Bearer` with an application key, or by a session.
 *
 * Keys that are shown decide alone; no cookie mends a bad one. All is looked up anew each time, so whoever is disabled is out at once.
 */
export class KeyDoorkeeper implements Doorkeeper {
  readonly #keys: KeyStore;
  readonly #people: PeopleStore;
  readonly #sessions: SessionStore;
  readonly #isRequired: boolean;
  readonly #queries = new Map<string, QueryNode>();

  /** @param isRequired false: who shows nothing, or what nobody knows, and is on this machine, is the operator. */
  constructor(sql: SqlDriver, isRequired: boolean) {
    this.#keys = new KeyStore(sql);
    this.#people = new PeopleStore(sql);
    this.#sessions = new SessionStore(sql);
    this.#isRequired = isRequired;
  }

  who(head: CallHead, isChange: boolean, nowMs: number): Principal | Stranger {
    const found = this.#known(head, isChange, nowMs);
    if (found !== unknown && found !== forbidden) return found;
    return this.#isRequired || !isLocal(head) ? found : this.#operator();
  }

  #known(head: CallHead, isChange: boolean, nowMs: number): Principal | Stranger {
    const api = headerOf(head, "dd-api-key");
    const named = headerOf(head, "dd-application-key");
    const bearer = bearerOf(head);
    if (api === undefined && named === undefined && bearer === undefined) {
      const token = cookieOf(head, SESSION_COOKIE);
      return token === undefined ? unknown : this.#bySession(token, head, isChange, nowMs);
    }
    // Two keys of two people: whoever stands before us may have looked at the other one.
    if (named !== undefined && bearer !== undefined && named !== bearer) return forbidden;
    const application = bearer ?? named;
    if (application === undefined || (api === undefined && bearer === undefined)) return unknown;
    return this.#byKeys(api, application, nowMs);
  }

  #byKeys(api: string | undefined, application: string, nowMs: number): Principal | Stranger {
    const apiKey = api === undefined ? undefined : this.#find("api", api);
    const key = this.#find("application", application);
    if (!key || (api !== undefined && !apiKey)) return forbidden;
    const owner = this.#people.user(key.ownerId!);
    // Not `forbidden`, which an open door takes for somebody unknown.
    if (apiKey?.isDisabled || key.isDisabled || !owner?.isActive) return { ...forbidden };
    this.#keys.use(key, nowMs);
    if (apiKey) this.#keys.use(apiKey, nowMs);
    return { ...this.principal(owner, "API + App Key", key), ...(apiKey ? { apiKeyId: apiKey.id } : {}) };
  }

  #bySession(token: string, head: CallHead, isChange: boolean, nowMs: number): Principal | Stranger {
    const session = this.#sessions.find(token, nowMs);
    const user = session && this.#people.user(session.userId);
    if (!user) return unknown;
    if (!user.isActive) return { ...forbidden };
    if (isChange && !isSame(headerOf(head, "x-csrf-token") ?? "", session.csrf)) return noToken;
    return this.principal(user, "SESSION");
  }

  /** A user as roles make them now, cut down to a key's scopes. */
  principal(user: StoredUser, authMethod: AuthMethod, key?: StoredKey): Principal {
    const roles = this.#people.grantsOf(user.id);
    const scopes = key?.scopes && new Set(key.scopes);
    const restriction = this.#restriction(roles);
    return {
      userId: user.id, handle: user.handle, name: user.name, email: user.email, authMethod,
      permissions: new Set([...permissionsOf(roles)].filter((name) => !scopes || scopes.has(name))),
      ...(key ? { applicationKeyId: key.id } : {}), ...(restriction ? { restriction } : {}),
    };
  }

  /** Without a key, on this machine. */
  #operator(): Principal | Stranger {
    const user = this.#people.user(OPERATOR_ID);
    return user?.isActive ? { ...this.principal(user, "NONE"), permissions: allPermissions } : forbidden;
  }

  #find(kind: "api" | "application", key: string): StoredKey | undefined {
    return key.length > MOST_KEY_CHARS ? undefined : this.#keys.find(kind, key);
  }

  /** One role without a query sees everything. */
  #restriction(roles: readonly Pick<StoredRole, "restrictionQuery">[]): readonly QueryNode[] | undefined {
    const texts = [...new Set(roles.flatMap(({ restrictionQuery }) => restrictionQuery ?? []))];
    return roles.length > 0 && roles.every(({ restrictionQuery }) => restrictionQuery !== undefined) ? texts.map((text) => this.#query(text)) : undefined;
  }

  #query(text: string): QueryNode {
    let node = this.#queries.get(text);
    if (!node) {
      const parsed = parseQuery(text);
      // It was checked when it was written; what cannot be read shows nothing.
      node = parsed.ok ? parsed.node : (parseQuery("-*") as { readonly node: QueryNode }).node;
      if (this.#queries.size >= MOST_QUERIES) this.#queries.clear();
      this.#queries.set(text, node);
    }
    return node;
  }
}

/** Of all of them together. */
export function permissionsOf(roles: readonly Pick<StoredRole, "permissions">[]): ReadonlySet<Permission> {
  return new Set(roles.flatMap(({ permissions }) => permissions).filter(isPermission));
}

function headerOf({ headers }: CallHead, name: string): string | undefined {
  const value = headers[name];
  return (Array.isArray(value) ? value.join(", ") : value) || undefined;
}

function bearerOf(head: CallHead): string | undefined {
  const [, key] = /^bearer +(\S+)$/i.exec(headerOf(head, "authorization")?.trim() ?? "") ?? [];
  return key;
}

/** In a time that tells nothing of either. */
function isSame(one: string, other: string): boolean {
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(one), hash(other));
}

/**
 * From this machine, and asked for by its own name: a page whose name was made to point here would bring that name along.
 */
function isLocal(head: CallHead): boolean {
  return isLoopback(head.peer) && isLoopback((headerOf(head, "host") ?? "").replace(/:\d{1,5}$/, "").replace(/^\[(.*)\]$/, "$1").toLowerCase());
}

function isLoopback(name: string): boolean {
  return name === "localhost" || name === "::1" || (isIPv4(name) && name.startsWith("127."));
}
