// Users, roles, permissions and keys through the official client: every answer is looked through for what the client could not
// read. Prints one JSON object: by call, what went wrong ("" for nothing).
import { client, v1, v2 } from "@datadog/datadog-api-client";

const { VESPID_URL, VESPID_KEY, VESPID_APP_KEY } = process.env;
const { protocol, host } = new URL(VESPID_URL);
function configured(authMethods) {
  const configuration = client.createConfiguration({ serverIndex: 1, authMethods });
  configuration.setServerVariables({ protocol: protocol.slice(0, -1), name: host });
  return configuration;
}
const configuration = configured({ apiKeyAuth: VESPID_KEY, appKeyAuth: VESPID_APP_KEY });
const users = new v2.UsersApi(configuration);
const roles = new v2.RolesApi(configuration);
const keys = new v2.KeyManagementApi(configuration);
const outcomes = {};

function unread(value, path = "", seen = new Set()) {
  if (typeof value !== "object" || value === null || seen.has(value)) return [];
  seen.add(value);
  if (value._unparsed === true || value.constructor?.name === "UnparsedObject") return [path || "(all)"];
  return Object.entries(value).flatMap(([name, inner]) => unread(inner, `${path}.${name}`, seen));
}

async function call(name, work, isRight = () => true) {
  try {
    const answer = await work();
    const wrong = unread(answer).map((path) => `unread ${path}`);
    outcomes[name] = [...wrong, ...(isRight(answer) ? [] : [`not as expected: ${JSON.stringify(answer)}`])].join("; ");
    return answer;
  } catch (error) {
    outcomes[name] = `${error.code ?? ""} ${error.message ?? error} ${JSON.stringify(error.body ?? "")}`.trim();
    return undefined;
  }
}

async function refused(name, status, work) {
  try {
    await work();
    outcomes[name] = "was not refused";
  } catch (error) {
    outcomes[name] = error.code === status ? "" : `${error.code} instead of ${status}: ${error.message}`;
  }
}

const role = (id, attributes) => ({ body: { data: { id, type: "roles", attributes } }, roleId: id });
await call("validate", () => new v1.AuthenticationApi(configured({ apiKeyAuth: VESPID_KEY })).validate(), ({ valid }) => valid === true);
const { data: permissions } = await call("listPermissions", () => roles.listPermissions(), ({ data }) => data.length > 40 && data.every(({ attributes }) => attributes.displayName && attributes.groupName && attributes.created instanceof Date));
const permission = (name) => ({ id: permissions.find(({ attributes }) => attributes.name === name).id, type: "permissions" });
const { data: { id: roleId } } = await call("createRole", () => roles.createRole({ body: { data: { type: "roles", attributes: { name: "Client" }, relationships: { permissions: { data: [permission("cases_read")] } } } } }), ({ data }) => data.relationships.permissions.data.length === 1);
await call("listRoles", () => roles.listRoles({ pageSize: 10, sort: "-name", filter: "datadog" }), ({ data }) => data.length === 3);
await call("getRole", () => roles.getRole({ roleId }), ({ data }) => data.attributes.name === "Client" && data.attributes.createdAt instanceof Date);
await call("updateRole", () => roles.updateRole(role(roleId, { name: "Client 2" })), ({ data }) => data.attributes.name === "Client 2");
const { data: { id: clonedId } } = await call("cloneRole", () => roles.cloneRole({ roleId, body: { data: { type: "roles", attributes: { name: "Clone" } } } }), ({ data }) => data.id !== roleId);
await call("addPermissionToRole", () => roles.addPermissionToRole({ roleId, body: { data: permission("cases_write") } }), ({ data }) => data.length === 2);
await call("listRolePermissions", () => roles.listRolePermissions({ roleId }), ({ data }) => data.length === 2);
await call("removePermissionFromRole", () => roles.removePermissionFromRole({ roleId, body: { data: permission("cases_write") } }), ({ data }) => data.length === 1);
const { data: { id: userId } } = await call("createUser", () => users.createUser({ body: { data: { type: "users", attributes: { email: "client@example.com", name: "Client" }, relationships: { roles: { data: [{ id: roleId, type: "roles" }] } } } } }), ({ data }) => data.attributes.status === "Active");
await refused("createUser twice", 400, () => users.createUser({ body: { data: { type: "users", attributes: { email: "client@example.com" } } } }));
await call("listUsers", () => users.listUsers({ pageSize: 5, sort: "name", sortDir: "desc", filter: "client", filterStatus: "Active" }), ({ data, meta }) => data.length === 1 && meta.page.totalFilteredCount === 1);
await call("listUsersWithPagination", async () => {
  const found = [];
  for await (const { attributes } of users.listUsersWithPagination({ pageSize: 1 })) found.push(attributes.email);
  return found.sort();
}, (found) => found.join() === "admin@localhost,client@example.com");
await call("getUser", () => users.getUser({ userId }), ({ data, included }) => data.relationships.roles.data[0].id === roleId && included.length === 2);
await call("updateUser", () => users.updateUser({ userId, body: { data: { id: userId, type: "users", attributes: { name: "Other" } } } }), ({ data }) => data.attributes.name === "Other");
await call("listUserPermissions", () => users.listUserPermissions({ userId }), ({ data }) => data[0].attributes.name === "cases_read");
await call("addUserToRole", () => roles.addUserToRole({ roleId: clonedId, body: { data: { id: userId, type: "users" } } }), ({ data }) => data[0].id === userId);
await call("listRoleUsers", () => roles.listRoleUsers({ roleId: clonedId }), ({ data }) => data.length === 1);
await call("removeUserFromRole", () => roles.removeUserFromRole({ roleId: clonedId, body: { data: { id: userId, type: "users" } } }), ({ data }) => data.length === 0);
await call("disableUser", () => users.disableUser({ userId }), (answer) => answer === undefined);

const { data: { id: apiKeyId } } = await call("createAPIKey", () => keys.createAPIKey({ body: { data: { type: "api_keys", attributes: { name: "one" } } } }), ({ data }) => /^[0-9a-f]{32}$/.test(data.attributes.key));
await call("listAPIKeys", () => keys.listAPIKeys({ sort: "name", pageSize: 10 }), ({ data }) => data.length === 2 && data.every(({ attributes }) => attributes.last4.length === 4));
await call("getAPIKey", () => keys.getAPIKey({ apiKeyId }), ({ data }) => data.attributes.name === "one" && data.attributes.key === undefined);
await call("updateAPIKey", () => keys.updateAPIKey({ apiKeyId, body: { data: { id: apiKeyId, type: "api_keys", attributes: { name: "two" } } } }), ({ data }) => data.attributes.name === "two");
await call("deleteAPIKey", () => keys.deleteAPIKey({ apiKeyId }), (answer) => answer === undefined);
await refused("getAPIKey deleted", 404, () => keys.getAPIKey({ apiKeyId }));

const application = (name, more) => ({ body: { data: { type: "application_keys", attributes: { name, ...more } } } });
const { data: { id: appKeyId, attributes: { key: scoped } } } = await call("createCurrentUserApplicationKey", () => keys.createCurrentUserApplicationKey(application("scoped", { scopes: ["user_access_invite"] })), ({ data }) => data.attributes.scopes.length === 1);
await call("listCurrentUserApplicationKeys", () => keys.listCurrentUserApplicationKeys({ filter: "scoped" }), ({ data }) => data.length === 1);
await call("getCurrentUserApplicationKey", () => keys.getCurrentUserApplicationKey({ appKeyId }), ({ data }) => data.attributes.key === undefined);
await refused("a key within its scopes", 403, () => new v2.RolesApi(configured({ apiKeyAuth: VESPID_KEY, appKeyAuth: scoped })).deleteRole({ roleId }));
await call("a bearer", () => new v2.UsersApi(configured({ AuthZ: { accessToken: scoped } })).listUsers(), ({ data }) => data.length === 2);
const changed = (attributes) => ({ appKeyId, body: { data: { id: appKeyId, type: "application_keys", attributes } } });
await call("updateCurrentUserApplicationKey", () => keys.updateCurrentUserApplicationKey(changed({ name: "renamed" })), ({ data }) => data.attributes.name === "renamed");
await call("listApplicationKeys", () => keys.listApplicationKeys(), ({ data }) => data.length === 2);
await call("getApplicationKey", () => keys.getApplicationKey({ appKeyId }), ({ data }) => data.relationships.ownedBy.data.type === "users");
await call("updateApplicationKey", () => keys.updateApplicationKey(changed({ scopes: ["cases_read"] })), ({ data }) => data.attributes.scopes.join() === "cases_read");
await call("deleteApplicationKey", () => keys.deleteApplicationKey({ appKeyId }), (answer) => answer === undefined);
const { data: own } = await call("createCurrentUserApplicationKey again", () => keys.createCurrentUserApplicationKey(application("whole")), ({ data }) => data.attributes.scopes === null || data.attributes.scopes === undefined);
await call("deleteCurrentUserApplicationKey", () => keys.deleteCurrentUserApplicationKey({ appKeyId: own.id }), (answer) => answer === undefined);
await call("deleteRole", () => roles.deleteRole({ roleId }), (answer) => answer === undefined);
process.stdout.write(JSON.stringify(outcomes));
