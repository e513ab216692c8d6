import type { AuditEntry } from "../control/audit-trail.ts";
import { scopesOf } from "../control/people/permission-id.ts";
import { type KeyKind, OPERATOR_ID, type StoredKey } from "../store/keys.ts";
import { withPeople } from "./people-store.ts";
import { UsageError } from "./problems.ts";
import { jsonLine, plural, safe, table, timeText } from "./text.ts";
import { userOf } from "./users.ts";

export interface KeyOptions {
  readonly data: string;
  readonly json?: boolean;
  readonly application?: boolean;
  /** Address of the owner. */
  readonly user?: string;
  readonly scope?: readonly string[];
}

const NAME_CAP = 200;

/** `vespid keys create`. */
export async function keysCreate(name: string, { data, json, application, user, scope }: KeyOptions): Promise<number> {
  if (name.trim() === "" || name.length > NAME_CAP) throw new UsageError(`a key's name has 1 to ${NAME_CAP} characters`);
  if (!application && (user !== undefined || scope?.length)) throw new UsageError("--user and --scope are of application keys: add --application");
  const kind: KeyKind = application ? "application" : "api";
  return await withPeople(data, true, ({ change, keys, people }) => {
    const scopes = scope?.length ? scopesOf(scope) : undefined;
    const ownerId = user === undefined ? OPERATOR_ID : userOf(people, user).id;
    const { key, stored } = change(() => {
      const result = keys.create(kind, name, Date.now(), application ? { ownerId, ...(scopes ? { scopes } : {}) } : {});
      return { result, entries: entriesOf("created", result.stored) };
    });
    if (json) process.stdout.write(jsonLine({ id: stored.id, kind, name, key, ...ownedJson(stored, people.user(ownerId)?.email) }));
    else {
      process.stdout.write(`${key}\n`);
      process.stderr.write(`${kind === "api" ? "API" : "application"} key ${stored.id} for ${safe(name)}${application ? `, acting for ${safe(people.user(ownerId)!.email)}${scopes ? ` within ${scopes.join(", ")}` : ""}` : ""}; it is not shown again\n`);
    }
    return 0;
  });
}

/** `vespid keys list`. */
export async function keysList({ data, json }: KeyOptions): Promise<number> {
  return await withPeople(data, false, ({ keys, people }) => {
    const list = keys.list();
    const owner = ({ ownerId }: StoredKey): string | undefined => (ownerId === undefined ? undefined : people.user(ownerId)?.email);
    if (json) for (const key of list) process.stdout.write(jsonLine({ id: key.id, kind: key.kind, name: key.name, last4: key.last4, created_at: key.createdMs, ...ownedJson(key, owner(key)) }));
    else if (!list.length) process.stdout.write("no keys\n");
    else {
      const rows = list.map((key) => [key.id, `${key.kind}${key.isDisabled ? ", off" : ""}`, key.last4, timeText(key.createdMs), key.lastUsedMs === undefined ? "-" : timeText(key.lastUsedMs), safe(owner(key) ?? "-"), key.scopes ? key.scopes.join(" ") : "-", safe(key.name)]);
      process.stdout.write(`${table(["id", "kind", "ends in", "created", "last used", "owner", "scopes", "name"], rows)}\n`);
      process.stderr.write(`${plural(list.length, "key")}\n`);
    }
    return 0;
  });
}

/** `vespid keys revoke`: exit code 1 when there was none. */
export async function keysRevoke(id: string, { data }: KeyOptions): Promise<number> {
  return await withPeople(data, true, ({ change, keys }) => {
    const isGone = change(() => {
      const key = keys.get(id);
      return { result: keys.revoke(id), entries: key ? entriesOf("deleted", key) : [] };
    });
    if (isGone) return 0;
    process.stderr.write(`there is no key ${safe(id)}\n`);
    return 1;
  });
}

/** As the API writes them down: an application key is of both streams. */
function entriesOf(action: "created" | "deleted", { id, kind, name, last4, ownerId, scopes }: StoredKey): AuditEntry[] {
  const facts = { name, last4, ...(kind === "application" ? { owner: ownerId, scopes: scopes ?? null } : {}) };
  const entry = { action, asset: { type: kind === "api" ? "api_key" : "application_key", id, name }, ...(action === "created" ? { after: facts } : { before: facts }) };
  return [...(kind === "application" ? [{ ...entry, event: "Access Management" as const }] : []), { ...entry, event: "Authentication" as const }];
}

function ownedJson({ kind, scopes, isDisabled, lastUsedMs }: StoredKey, owner: string | undefined): object {
  return { disabled: isDisabled, last_used_at: lastUsedMs ?? null, ...(kind === "application" ? { owner: owner ?? null, scopes: scopes ?? null } : {}) };
}
