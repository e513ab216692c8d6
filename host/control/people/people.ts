import type { KeyStore } from "../../store/keys.ts";
import type { PeopleStore } from "../../store/people.ts";
import type { LoginAttempts, SessionStore } from "../../store/sessions.ts";
import type { ControlContext } from "../context.ts";
import type { KeyDoorkeeper } from "./doorkeeper.ts";
import type { Grants } from "./grants.ts";

/** What the routes of this room work with. */
export interface People extends Pick<ControlContext, "sql" | "audit" | "nowMs"> {
  readonly store: PeopleStore;
  readonly keys: KeyStore;
  readonly sessions: SessionStore;
  readonly attempts: LoginAttempts;
  readonly grants: Grants;
  readonly doorkeeper: KeyDoorkeeper;
  /** API keys are others now: intake hears of it at once. */
  readonly apiKeysChanged: () => void;
  /** Cookies are for encrypted connections alone. */
  readonly isSecure: boolean;
}
