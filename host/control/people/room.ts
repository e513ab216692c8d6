import { KeyStore } from "../../store/keys.ts";
import { PeopleStore } from "../../store/people.ts";
import { LoginAttempts, SessionStore } from "../../store/sessions.ts";
import type { ControlContext } from "../context.ts";
import type { Room } from "../control.ts";
import type { KeyDoorkeeper } from "./doorkeeper.ts";
import { Grants } from "./grants.ts";
import { keyRoutes } from "./keys.ts";
import { loginRoutes } from "./login.ts";
import { setUpPeople } from "./managed-roles.ts";
import { oidcRoutes } from "./oidc-login.ts";
import type { OidcSettings } from "./oidc.ts";
import type { People } from "./people.ts";
import { roleRoutes } from "./roles.ts";
import { userRoutes } from "./users.ts";

export interface PeopleSettings {
  /** The connections are encrypted, by this server or by one before it: cookies go over no other. */
  readonly isSecure?: boolean;
  readonly oidc?: OidcSettings;
  /** Called when API keys were made, changed or taken back. */
  readonly apiKeysChanged?: () => void;
}

/** Users, roles, keys and sessions. Makes the roles that come along, and in a new data folder the first account. */
export function peopleRoom(context: Pick<ControlContext, "sql" | "audit" | "nowMs">, doorkeeper: KeyDoorkeeper, { isSecure = false, oidc, apiKeysChanged = () => {} }: PeopleSettings = {}): Room {
  const { sql } = context;
  const store = new PeopleStore(sql);
  const keys = new KeyStore(sql);
  const people: People = { ...context, store, keys, sessions: new SessionStore(sql), attempts: new LoginAttempts(sql), grants: new Grants(store, keys), doorkeeper, apiKeysChanged, isSecure: isSecure || oidc?.redirectUrl.startsWith("https:") === true };
  sql.transaction(() => setUpPeople(store, context.nowMs()));
  return {
    routes: [...userRoutes(people), ...roleRoutes(people), ...keyRoutes(people), ...loginRoutes(people, oidc !== undefined), ...(oidc ? oidcRoutes(people, oidc) : [])],
    tend(nowMs) {
      people.sessions.sweep(nowMs);
      people.attempts.sweep(nowMs);
    },
  };
}
