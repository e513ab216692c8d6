import { Type } from "typebox";
import { ApiError, notFound } from "../api-error.ts";
import type { KeyChange, KeyKind, StoredKey } from "../../store/keys.ts";
import type { StoredUser } from "../../store/people.ts";
import type { Permission } from "../permission.ts";
import { type Call, created, empty, ok, type Route, type RouteFacts, route } from "../route.ts";
import { scopesOf } from "./permission-id.ts";
import type { People } from "./people.ts";
import { isLike, Key, keyBody, KeyQuery, Name, pageOf, sortedBy, UserRef } from "./shapes.ts";

const One = Type.Object({ data: Key });
const Many = Type.Object({ data: Type.Array(Key) });
const Scopes = Type.Optional(Type.Union([Type.Array(Type.String(), { maxItems: 200 }), Type.Null()]));
const NewApiKey = Type.Object({ data: Type.Object({ type: Type.Enum(["api_keys"]), attributes: Type.Object({ name: Name }) }) });
const ChangedApiKey = Type.Object({ data: Type.Object({ id: Type.String(), type: Type.Enum(["api_keys"]), attributes: Type.Object({ name: Type.Optional(Name), disabled: Type.Optional(Type.Boolean()) }) }) });
const NewApplicationKey = Type.Object({ data: Type.Object({ type: Type.Enum(["application_keys"]), attributes: Type.Object({ name: Name, scopes: Scopes }), relationships: Type.Optional(Type.Object({ owned_by: Type.Optional(Type.Object({ data: UserRef })) })) }) });
const ChangedApplicationKey = Type.Object({ data: Type.Object({ id: Type.String(), type: Type.Enum(["application_keys"]), attributes: Type.Object({ name: Type.Optional(Name), scopes: Scopes, disabled: Type.Optional(Type.Boolean()) }) }) });
const sorts = { created_at: ({ createdMs }: StoredKey) => createdMs, modified_at: ({ modifiedMs }: StoredKey) => modifiedMs, last4: ({ last4 }: StoredKey) => last4, name: ({ name }: StoredKey) => name.toLowerCase() };

const API = "/api/v2/api_keys";
const ALL = "/api/v2/application_keys";
const OWN = "/api/v2/current_user/application_keys";
const MOST_OWN_KEYS = 1000;
const tag = "Key Management";

type Doing = Pick<Call, "audit" | "principal" | "nowMs">;

/** API keys let logs in; application keys act for their owner, within their scopes. A key's text is told once, where it is made. */
export function keyRoutes({ store, keys, grants, sql, apiKeysChanged }: People): readonly Route[] {
  const get = (kind: KeyKind, id: string, ownerId?: string): StoredKey => {
    const key = keys.get(id);
    if (!key || key.kind !== kind || (ownerId !== undefined && key.ownerId !== ownerId)) throw notFound(`${kind === "api" ? "API" : "Application"} key not found`);
    return key;
  };
  const list = (found: readonly StoredKey[], query: { readonly filter?: string; readonly sort?: string; readonly "page[size]"?: number; readonly "page[number]"?: number }): object => {
    const { shown, meta } = pageOf(sortedBy(found.filter(({ name, last4 }) => isLike(query.filter, name, last4)), query.sort ?? "name", sorts), found.length, query);
    return { data: shown.map((key) => keyBody(key)), meta };
  };
  const write = ({ audit }: Doing, action: "created" | "modified" | "deleted", key: StoredKey, before: StoredKey | undefined, after: StoredKey | undefined): void => {
    const asset = { type: key.kind === "api" ? "api_key" : "application_key", id: key.id, name: key.name };
    const facts = (one: StoredKey): unknown => keyBody(one).attributes;
    // Both streams name keys: who may what, and by what people come in.
    for (const event of key.kind === "api" ? (["Authentication"] as const) : (["Access Management", "Authentication"] as const)) {
      audit({ event, action, asset, ...(before ? { before: facts(before) } : {}), ...(after ? { after: facts(after) } : {}) });
    }
  };
  const make = (call: Doing, kind: KeyKind, name: string, owner?: StoredUser, scopes?: readonly Permission[]): object => sql.transaction(() => {
    const { userId } = call.principal;
    const { key, stored } = keys.create(kind, name, call.nowMs, { createdBy: userId, ...(owner ? { ownerId: owner.id } : {}), ...(scopes ? { scopes } : {}) });
    write(call, "created", stored, undefined, stored);
    return { data: keyBody(stored, key) };
  });
  const change = (call: Doing, before: StoredKey, to: KeyChange): object => sql.transaction(() => {
    keys.change(before.id, to, call.nowMs);
    const after = keys.get(before.id)!;
    write(call, "modified", after, before, after);
    return { data: keyBody(after) };
  });
  const revoke = (call: Doing, key: StoredKey): void => sql.transaction(() => {
    keys.revoke(key.id);
    write(call, "deleted", key, key, undefined);
  });

  const makeApplication = (call: Doing, ownerId: string, name: string, wanted: readonly string[] | null | undefined): object => {
    const owner = store.user(ownerId);
    if (!owner) throw notFound("User not found");
    const scopes = wanted ? scopesOf(wanted) : undefined;
    grants.checkScopes(call.principal, owner, scopes);
    if (keys.list("application").filter((key) => key.ownerId === ownerId).length >= MOST_OWN_KEYS) throw new ApiError(400, `one user has at most ${MOST_OWN_KEYS} application keys`);
    return make(call, "application", name, owner, scopes);
  };
  const changeApplication = (call: Doing, key: StoredKey, { name, scopes: wanted, disabled }: { readonly name?: string | undefined; readonly scopes?: readonly string[] | null | undefined; readonly disabled?: boolean | undefined }): object => {
    const scopes = wanted ? scopesOf(wanted) : wanted;
    if (scopes !== undefined) grants.checkScopes(call.principal, store.user(key.ownerId!)!, scopes ?? undefined);
    // What somebody switched off, its owner does not switch on again.
    if (disabled !== undefined) grants.checkHolds(call.principal, ["org_app_keys_write"]);
    return change(call, key, { ...(name === undefined ? {} : { name }), ...(scopes === undefined ? {} : { scopes }), ...(disabled === undefined ? {} : { isDisabled: disabled }) });
  };
  const told = <T>(answer: T): T => {
    apiKeysChanged();
    return answer;
  };
  /** A key with scopes manages keys where that is one of them. */
  const checkOwn = ({ principal }: Doing): void => {
    if (grants.isScoped(principal)) grants.checkHolds(principal, ["org_app_keys_write"]);
  };

  const facts = (permission: RouteFacts["permission"], method: RouteFacts["method"], path: string, operationId: string, summary: string) => ({ tag, permission, method, path, operationId, summary }) as const;
  return [
    route({ ...facts("api_keys_read", "GET", API, "listAPIKeys", "API keys"), query: KeyQuery, answers: { 200: Many } }, ({ query }) => ok(list(keys.list("api"), query))),
    route({ ...facts("api_keys_write", "POST", API, "createAPIKey", "A new API key, told this once"), body: NewApiKey, answers: { 201: One } }, (call) => told(created(make(call as Doing, "api", call.body.data.attributes.name)))),
    route({ ...facts("api_keys_read", "GET", `${API}/:id`, "getAPIKey", "One API key"), answers: { 200: One }, refuses: [404] }, ({ params }) => ok({ data: keyBody(get("api", params.id!)) })),
    route({ ...facts("api_keys_write", "PATCH", `${API}/:id`, "updateAPIKey", "Another name; off, or on again"), body: ChangedApiKey, answers: { 200: One }, refuses: [404, 422] }, (call) => {
      const { id, attributes: { name, disabled } } = call.body.data;
      checkSame(id, call.params.id!);
      return told(ok(change(call as Doing, get("api", id), { ...(name === undefined ? {} : { name }), ...(disabled === undefined ? {} : { isDisabled: disabled }) })));
    }),
    route({ ...facts("api_keys_delete", "DELETE", `${API}/:id`, "deleteAPIKey", "Lets nothing in any more"), answers: { 204: undefined }, refuses: [404] }, (call) => {
      revoke(call as Doing, get("api", call.params.id!));
      return told(empty);
    }),

    route({ ...facts("org_app_keys_read", "GET", ALL, "listApplicationKeys", "Everybody's application keys"), query: KeyQuery, answers: { 200: Many } }, ({ query }) => ok(list(keys.list("application"), query))),
    route({ ...facts("org_app_keys_write", "POST", ALL, "createApplicationKey", "An application key for somebody the caller may govern"), body: NewApplicationKey, answers: { 201: One } }, (call) => {
      const { attributes: { name, scopes }, relationships } = call.body.data;
      return created(makeApplication(call as Doing, relationships?.owned_by?.data.id ?? call.principal.userId, name, scopes));
    }),
    route({ ...facts("org_app_keys_read", "GET", `${ALL}/:id`, "getApplicationKey", "One application key"), answers: { 200: One }, refuses: [404] }, ({ params }) => ok({ data: keyBody(get("application", params.id!)) })),
    route({ ...facts("org_app_keys_write", "PATCH", `${ALL}/:id`, "updateApplicationKey", "Another name or other scopes; off, or on again"), body: ChangedApplicationKey, answers: { 200: One }, refuses: [404, 422] }, (call) => {
      const { id, attributes } = call.body.data;
      checkSame(id, call.params.id!);
      return ok(changeApplication(call as Doing, get("application", id), attributes));
    }),
    route({ ...facts("org_app_keys_write", "DELETE", `${ALL}/:id`, "deleteApplicationKey", "Acts for nobody any more"), answers: { 204: undefined }, refuses: [404] }, (call) => {
      revoke(call as Doing, get("application", call.params.id!));
      return empty;
    }),

    route({ ...facts("known", "GET", OWN, "listCurrentUserApplicationKeys", "The caller's application keys"), query: KeyQuery, answers: { 200: Many } }, ({ query, principal }) => ok(list(keys.list("application").filter(({ ownerId }) => ownerId === principal.userId), query))),
    route({ ...facts("known", "POST", OWN, "createCurrentUserApplicationKey", "An application key of one's own, told this once"), body: NewApplicationKey, answers: { 201: One } }, (call) => {
      checkOwn(call as Doing);
      const { name, scopes } = call.body.data.attributes;
      return created(makeApplication(call as Doing, call.principal.userId, name, scopes));
    }),
    route({ ...facts("known", "GET", `${OWN}/:id`, "getCurrentUserApplicationKey", "One of the caller's application keys"), answers: { 200: One }, refuses: [404] }, ({ params, principal }) => ok({ data: keyBody(get("application", params.id!, principal.userId)) })),
    route({ ...facts("known", "PATCH", `${OWN}/:id`, "updateCurrentUserApplicationKey", "Another name or other scopes"), body: ChangedApplicationKey, answers: { 200: One }, refuses: [404, 422] }, (call) => {
      checkOwn(call as Doing);
      const { id, attributes } = call.body.data;
      checkSame(id, call.params.id!);
      return ok(changeApplication(call as Doing, get("application", id, call.principal.userId), attributes));
    }),
    route({ ...facts("known", "DELETE", `${OWN}/:id`, "deleteCurrentUserApplicationKey", "Acts for nobody any more"), answers: { 204: undefined }, refuses: [404] }, (call) => {
      checkOwn(call as Doing);
      revoke(call as Doing, get("application", call.params.id!, call.principal.userId));
      return empty;
    }),
  ];
}

function checkSame(id: string, inPath: string): void {
  if (id !== inPath) throw new ApiError(422, "data.id is another key's than the path's");
}
