import { keyHash } from "../../store/keys.ts";
import type { SqlDriver } from "../../store/driver.ts";
import type { Doorkeeper, Stranger } from "../authenticate.ts";
import { allPermissions } from "../permission.ts";
import type { Principal } from "../principal.ts";
import type { CallHead } from "../route.ts";

/** Longest key that is looked at. */
const MOST_KEY_CHARS = 4096;

/** Who asks, by an API key and an application key. */
export class KeyDoorkeeper implements Doorkeeper {
  readonly #sql: SqlDriver;
  readonly #isRequired: boolean;

  constructor(sql: SqlDriver, isRequired: boolean) {
    this.#sql = sql;
    this.#isRequired = isRequired;
  }

  who(head: CallHead): Principal | Stranger {
    const api = headerOf(head, "dd-api-key");
    const application = headerOf(head, "dd-application-key");
    if (!this.#isRequired && application === undefined) return { ...operator, authMethod: "NONE" };
    if (api === undefined || application === undefined) return { status: 401, text: "an API key in DD-API-KEY and an application key in DD-APPLICATION-KEY are required; vespid keys create NAME --application makes one" };
    const apiKeyId = this.#find("api", api);
    const applicationKeyId = this.#find("application", application);
    if (this.#isRequired && (apiKeyId === undefined || applicationKeyId === undefined)) return { status: 403, text: "Forbidden" };
    return { ...operator, ...(apiKeyId === undefined ? {} : { apiKeyId }), ...(applicationKeyId === undefined ? {} : { applicationKeyId }) };
  }

  #find(kind: string, key: string): string | undefined {
    if (key.length > MOST_KEY_CHARS) return undefined;
    return this.#sql.get("SELECT id FROM keys WHERE kind = ? AND hash = ?", kind, keyHash(key))?.id as string | undefined;
  }
}

const operator: Principal = { userId: "00000000-0000-4000-8000-000000000001", handle: "admin@localhost", name: "Administrator", email: "admin@localhost", authMethod: "API + App Key", permissions: allPermissions };

function headerOf({ headers }: CallHead, name: string): string | undefined {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) || undefined;
}
