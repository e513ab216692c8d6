// The must-have calls of the control API through the official client: every answer is looked through for what the client could not
// read. Prints one JSON object: by call, what went wrong ("" for nothing).
import { client, v1, v2 } from "@datadog/datadog-api-client";

const { VESPID_URL, VESPID_KEY, VESPID_APP_KEY } = process.env;
const { protocol, host } = new URL(VESPID_URL);
const configuration = client.createConfiguration({ serverIndex: 1, authMethods: { apiKeyAuth: VESPID_KEY, appKeyAuth: VESPID_APP_KEY } });
configuration.setServerVariables({ protocol: protocol.slice(0, -1), name: host });
for (const name of Object.keys(configuration.unstableOperations)) configuration.unstableOperations[name] = true;
const api = new v2.SecurityMonitoringApi(configuration);
const tables = new v2.ReferenceTablesApi(configuration);
const outcomes = {};

function unread(value, path = "", seen = new Set()) {
  if (typeof value !== "object" || value === null || seen.has(value)) return [];
  seen.add(value);
  if (value._unparsed === true || value.constructor?.name === "UnparsedObject") return [path || "(all)"];
  return Object.entries(value).flatMap(([name, inner]) => unread(inner, `${path}.${name}`, seen));
}

/** One call. `check` tells what is wrong with its answer. */
async function call(name, work, check = () => "") {
  try {
    const answer = await work();
    const wrong = [...unread(answer).map((path) => `unread ${path}`), check(answer)].filter((text) => text !== "" && text !== undefined && text !== true);
    outcomes[name] = wrong.join("; ");
    return answer;
  } catch (error) {
    outcomes[name] = `${error.code ?? ""} ${error.message ?? error} ${JSON.stringify(error.body ?? "")}`.trim();
    return undefined;
  }
}

/** A call that must be refused so. */
async function refused(name, status, work) {
  try {
    await work();
    outcomes[name] = "was not refused";
  } catch (error) {
    outcomes[name] = error.code === status ? "" : `${error.code} instead of ${status}: ${error.message}`;
  }
}

async function pages(generator) {
  const all = [];
  for await (const item of generator) all.push(item);
  return all;
}

const rule = (name, more = {}) => ({
  name, type: "log_detection", isEnabled: true, message: "See {{@usr.id}}", tags: ["source:compat", "security:attack", "tactic:TA0006-credential-access", "technique:T1110-brute-force"], hasExtendedTitle: true, filters: [],
  queries: [{ name: "a", query: "source:compat-signals @evt.name:login", aggregation: "count", groupByFields: ["@usr.id"], distinctFields: [] }],
  cases: [{ name: "many", status: "high", condition: "a > 0", notifications: [] }],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 }, ...more,
});

// Rules
const made = await call("createSecurityMonitoringRule", () => api.createSecurityMonitoringRule({ body: rule("Compat logins") }), (answer) => answer.id && answer.version === 1 ? "" : `id ${answer.id}, version ${answer.version}`);
const methods = {
  new_value: { queries: [{ name: "a", query: "source:compat", aggregation: "new_value", metric: "@usr.id", metrics: ["@usr.id"], groupByFields: ["host"] }], cases: [{ status: "low" }], options: { detectionMethod: "new_value", evaluationWindow: 0, keepAlive: 3600, maxSignalDuration: 86400, newValueOptions: { forgetAfter: 7, learningDuration: 1, learningMethod: "duration", learningThreshold: 0 } } },
  impossible_travel: { queries: [{ name: "a", query: "source:compat", aggregation: "geo_data", metric: "@network.client.geoip", metrics: ["@network.client.geoip"], groupByFields: ["@usr.id"] }], cases: [{ status: "low" }], options: { detectionMethod: "impossible_travel", evaluationWindow: 900, keepAlive: 3600, maxSignalDuration: 86400, impossibleTravelOptions: { baselineUserLocations: true } } },
  anomaly_detection: { cases: [{ status: "low" }], options: { detectionMethod: "anomaly_detection", evaluationWindow: 1800, keepAlive: 3600, maxSignalDuration: 86400 } },
  third_party: { queries: [], cases: [], thirdPartyCases: [{ name: "bad", query: "status:error", status: "high" }], options: { detectionMethod: "third_party", keepAlive: 0, maxSignalDuration: 600, thirdPartyRuleOptions: { defaultStatus: "info", rootQueries: [{ query: "source:compat-alerts", groupByFields: ["host"] }] } } },
};
for (const [method, more] of Object.entries(methods)) await call(`createSecurityMonitoringRule ${method}`, () => api.createSecurityMonitoringRule({ body: rule(`Compat ${method}`, more) }), (answer) => answer.options?.detectionMethod === method ? "" : `method ${answer.options?.detectionMethod}`);
await call("createSecurityMonitoringRule content_anomaly", () => api.createSecurityMonitoringRule({ body: rule("Compat content", { cases: [{ status: "low" }], options: { detectionMethod: "anomaly_threshold", evaluationWindow: 900, keepAlive: 3600, maxSignalDuration: 86400, additionalProperties: { contentAnomalyOptions: { fields: ["@http.useragent"] } } } }) }).catch((error) => { if (error.code === 400) return {}; throw error; }));
const correlation = await call("createSecurityMonitoringRule signal_correlation", () => api.createSecurityMonitoringRule({ body: { name: "Compat both", type: "signal_correlation", isEnabled: true, message: "", tags: [], queries: [{ ruleId: made.id, name: "a", aggregation: "event_count", correlatedByFields: ["@usr.id"] }], cases: [{ name: "", status: "high", condition: "a > 0" }], options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86400 } } }));
await refused("createSecurityMonitoringRule bad", 400, () => api.createSecurityMonitoringRule({ body: rule("bad", { cases: [{ status: "high", condition: "b > 3" }] }) }));
await call("getSecurityMonitoringRule", () => api.getSecurityMonitoringRule({ ruleId: made.id }), (answer) => answer.name === "Compat logins" ? "" : answer.name);
await refused("getSecurityMonitoringRule unknown", 404, () => api.getSecurityMonitoringRule({ ruleId: "abc-def-ghi" }));
await call("listSecurityMonitoringRules", () => api.listSecurityMonitoringRules({ pageSize: 100 }), (answer) => answer.data.some(({ id }) => id === made.id) && answer.meta?.page?.totalCount >= 6 ? "" : `${answer.data.length} rules, ${JSON.stringify(answer.meta)}`);
await call("updateSecurityMonitoringRule", () => api.updateSecurityMonitoringRule({ ruleId: made.id, body: { name: "Compat logins 2", version: 1 } }), (answer) => answer.version === 2 && answer.name === "Compat logins 2" ? "" : JSON.stringify([answer.version, answer.name]));
await refused("updateSecurityMonitoringRule stale", 400, () => api.updateSecurityMonitoringRule({ ruleId: made.id, body: { name: "late", version: 1 } }));
await call("validateSecurityMonitoringRule", () => api.validateSecurityMonitoringRule({ body: rule("valid") }));
await refused("validateSecurityMonitoringRule bad", 400, () => api.validateSecurityMonitoringRule({ body: rule("bad", { options: { detectionMethod: "threshold", evaluationWindow: 3600, keepAlive: 300, maxSignalDuration: 60 } }) }));
const tried = { ruleQueryPayloads: [{ expectedResult: true, index: 0, payload: { ddsource: "compat-signals", ddtags: "env:prod", hostname: "h", message: "in", service: "s", additionalProperties: { evt: { name: "login" }, usr: { id: "ann" } } } }, { expectedResult: true, index: 0, payload: { ddsource: "other", message: "in" } }] };
const verdict = (answer) => JSON.stringify(answer.results) === "[true,false]" ? "" : JSON.stringify(answer.results);
await call("testSecurityMonitoringRule", () => api.testSecurityMonitoringRule({ body: { rule: rule("tried"), ...tried } }), verdict);
await call("testExistingSecurityMonitoringRule", () => api.testExistingSecurityMonitoringRule({ ruleId: made.id, body: tried }), verdict);
const isTerraform = (answer) => answer.terraformContent?.includes('resource "datadog_security_monitoring_rule"') ? "" : answer.terraformContent;
await call("convertSecurityMonitoringRuleFromJSONToTerraform", () => api.convertSecurityMonitoringRuleFromJSONToTerraform({ body: rule("converted") }), isTerraform);
await call("convertExistingSecurityMonitoringRule", () => api.convertExistingSecurityMonitoringRule({ ruleId: made.id }), isTerraform);
await call("bulkExportSecurityMonitoringRules", () => api.bulkExportSecurityMonitoringRules({ body: { data: { type: "security_monitoring_rules_bulk_export", attributes: { ruleIds: [made.id] } } } }), (file) => file?.data?.length > 20 ? "" : "no file");
await call("getRuleVersionHistory", () => api.getRuleVersionHistory({ ruleId: made.id }), (answer) => answer.data.attributes.count === 2 ? "" : JSON.stringify(answer.data.attributes.count));
if (api.restoreSecurityMonitoringRule) await call("restoreSecurityMonitoringRule", () => api.restoreSecurityMonitoringRule({ ruleId: made.id, version: 1 }), (answer) => answer.version === 3 && answer.name === "Compat logins" ? "" : JSON.stringify([answer.version, answer.name]));

// Suppressions, filters, assets
const suppression = { data: { type: "suppressions", attributes: { name: "Robots", enabled: true, ruleQuery: "type:log_detection", suppressionQuery: "@usr.id:robot-*", description: "known", expirationDate: Date.now() + 86400000 } } };
const quiet = await call("createSecurityMonitoringSuppression", () => api.createSecurityMonitoringSuppression({ body: suppression }), (answer) => answer.data.attributes.version === 1 ? "" : "version");
await call("listSecurityMonitoringSuppressions", () => api.listSecurityMonitoringSuppressions(), (answer) => answer.data.length === 1 ? "" : String(answer.data.length));
await call("getSecurityMonitoringSuppression", () => api.getSecurityMonitoringSuppression({ suppressionId: quiet.data.id }));
await call("updateSecurityMonitoringSuppression", () => api.updateSecurityMonitoringSuppression({ suppressionId: quiet.data.id, body: { data: { type: "suppressions", attributes: { name: "Robots 2", version: 1 } } } }), (answer) => answer.data.attributes.version === 2 ? "" : "version");
await refused("updateSecurityMonitoringSuppression stale", 409, () => api.updateSecurityMonitoringSuppression({ suppressionId: quiet.data.id, body: { data: { type: "suppressions", attributes: { name: "late", version: 1 } } } }));
await call("validateSecurityMonitoringSuppression", () => api.validateSecurityMonitoringSuppression({ body: suppression }));
await call("getSuppressionsAffectingRule", () => api.getSuppressionsAffectingRule({ ruleId: made.id }), (answer) => answer.data.length === 1 ? "" : String(answer.data.length));
await call("getSuppressionsAffectingFutureRule", () => api.getSuppressionsAffectingFutureRule({ body: rule("future") }), (answer) => answer.data.length === 1 ? "" : String(answer.data.length));
await call("getSuppressionVersionHistory", () => api.getSuppressionVersionHistory({ suppressionId: quiet.data.id }), (answer) => answer.data.attributes.count === 2 ? "" : "count");
await call("listSecurityFilters", () => api.listSecurityFilters(), (answer) => answer.data.some(({ attributes }) => attributes.isBuiltin) ? "" : "no built-in filter");
const filter = await call("createSecurityFilter", () => api.createSecurityFilter({ body: { data: { type: "security_filters", attributes: { name: "compat", query: "source:compat*", isEnabled: true, filteredDataType: "logs", exclusionFilters: [{ name: "none", query: "never:there" }] } } } }));
await call("getSecurityFilter", () => api.getSecurityFilter({ securityFilterId: filter.data.id }));
await call("updateSecurityFilter", () => api.updateSecurityFilter({ securityFilterId: filter.data.id, body: { data: { type: "security_filters", attributes: { name: "compat 2" } } } }));
await call("deleteSecurityFilter", () => api.deleteSecurityFilter({ securityFilterId: filter.data.id }));
const asset = await call("createSecurityMonitoringCriticalAsset", () => api.createSecurityMonitoringCriticalAsset({ body: { data: { type: "critical_assets", attributes: { query: "host:vault", ruleQuery: "*", severity: "critical", enabled: true, tags: ["team:sec"] } } } }));
await call("listSecurityMonitoringCriticalAssets", () => api.listSecurityMonitoringCriticalAssets(), (answer) => answer.data.length === 1 ? "" : String(answer.data.length));
await call("getSecurityMonitoringCriticalAsset", () => api.getSecurityMonitoringCriticalAsset({ criticalAssetId: asset.data.id }));
await call("updateSecurityMonitoringCriticalAsset", () => api.updateSecurityMonitoringCriticalAsset({ criticalAssetId: asset.data.id, body: { data: { type: "critical_assets", attributes: { enabled: false, version: 1 } } } }));
await call("getCriticalAssetsAffectingRule", () => api.getCriticalAssetsAffectingRule({ ruleId: made.id }));
await call("deleteSecurityMonitoringCriticalAsset", () => api.deleteSecurityMonitoringCriticalAsset({ criticalAssetId: asset.data.id }));

// Signals of logs sent the same way
const logs = new v2.LogsApi(client.createConfiguration({ authMethods: { apiKeyAuth: VESPID_KEY, appKeyAuth: VESPID_APP_KEY }, operationServerIndices: { "v2.LogsApi.submitLog": 1 } }));
logs.configuration.setServerVariables({ protocol: protocol.slice(0, -1), name: host });
await call("submitLog", () => logs.submitLog({ body: ["ann", "bob", "cid", "robot-1"].map((user) => ({ ddsource: "compat-signals", hostname: "web-1", service: "sso", message: "in", additionalProperties: { evt: { name: "login" }, usr: { id: user } } })) }));
const query = `source:compat-signals status:high @workflow.rule.id:${made.id}`;
let found = [];
for (let i = 0; i < 100 && found.length < 3; i++) {
  await new Promise((next) => setTimeout(next, 100));
  found = (await api.searchSecurityMonitoringSignals({ body: { filter: { query, from: new Date(Date.now() - 3600000), to: new Date(Date.now() + 60000) }, sort: "-timestamp", page: { limit: 25 } } })).data;
}
const isTyped = (signal) => signal.attributes.custom?.workflow?.rule?.id === made.id && signal.attributes.timestamp instanceof Date && signal.attributes.tags.includes("security:attack") ? "" : JSON.stringify(signal);
await call("searchSecurityMonitoringSignals", async () => found, (signals) => signals.length === 3 ? signals.map(isTyped).join("") : `${signals.length} signals, and 3 were to come (one is suppressed)`);
await call("listSecurityMonitoringSignals", () => api.listSecurityMonitoringSignals({ filterQuery: query, pageLimit: 2 }), (answer) => answer.data.length === 2 && answer.meta.page.after ? "" : JSON.stringify(answer.meta));
await call("listSecurityMonitoringSignalsWithPagination", () => pages(api.listSecurityMonitoringSignalsWithPagination({ filterQuery: query, pageLimit: 2 })), (all) => new Set(all.map(({ id }) => id)).size === 3 && all.length === 3 ? "" : String(all.length));
await call("searchSecurityMonitoringSignalsWithPagination", () => pages(api.searchSecurityMonitoringSignalsWithPagination({ body: { filter: { query }, page: { limit: 1 } } })), (all) => all.length === 3 ? "" : String(all.length));
const [one, two, three] = found.map(({ id }) => id);
await call("getSecurityMonitoringSignal", () => api.getSecurityMonitoringSignal({ signalId: one }), (answer) => isTyped(answer.data));
await refused("getSecurityMonitoringSignal unknown", 404, () => api.getSecurityMonitoringSignal({ signalId: "AAAA" }));
const state = (wanted) => (answer) => answer.data.attributes.state === wanted ? "" : answer.data.attributes.state;
await call("editSecurityMonitoringSignalState", () => api.editSecurityMonitoringSignalState({ signalId: one, body: { data: { type: "signal_metadata", attributes: { state: "archived", archiveReason: "true_positive_benign", archiveComment: "seen" } } } }), state("archived"));
await call("editSecurityMonitoringSignalAssignee", () => api.editSecurityMonitoringSignalAssignee({ signalId: one, body: { data: { attributes: { assignee: { uuid: "" } } } } }), (answer) => answer.data.attributes.assignee.id === -1 ? "" : "assignee");
await call("editSecurityMonitoringSignalIncidents", () => api.editSecurityMonitoringSignalIncidents({ signalId: one, body: { data: { attributes: { incidentIds: [2066] } } } }), (answer) => answer.data.attributes.incidentIds[0] === 2066 ? "" : "incidents");
await call("editSecurityMonitoringSignal", () => api.editSecurityMonitoringSignal({ signalId: two, body: { data: { type: "signal_metadata", attributes: { state: "under_review" } } } }), state("under_review"));
const isDone = (answer) => answer.status === "done" && answer.result.count === 2 ? "" : JSON.stringify(answer);
await call("bulkEditSecurityMonitoringSignalsState", () => api.bulkEditSecurityMonitoringSignalsState({ body: { data: [two, three].map((id) => ({ id, type: "signal", attributes: { state: "archived", archiveReason: "other" } })) } }), isDone);
await call("bulkEditSecurityMonitoringSignalsAssignee", () => api.bulkEditSecurityMonitoringSignalsAssignee({ body: { data: [two, three].map((id) => ({ id, type: "signal", attributes: { assignee: "" } })) } }), isDone);
await call("bulkEditSecurityMonitoringSignals", () => api.bulkEditSecurityMonitoringSignals({ body: { data: [two, three].map((id) => ({ id, type: "signal", attributes: { state: "open" } })) } }), isDone);
await call("editSecurityMonitoringSignalState v1", () => new v1.SecurityMonitoringApi(configuration).editSecurityMonitoringSignalState({ signalId: three, body: { state: "archived", archiveReason: "none" } }));
await call("getSignalEntities", () => api.getSignalEntities({ signalId: one }));
await call("getInvestigationLogQueriesMatchingSignal", () => api.getInvestigationLogQueriesMatchingSignal({ signalId: one }));

// Historical jobs
const range = { from: Date.now() - 3600000, to: Date.now() + 60000, index: "main" };
const job = await call("runHistoricalJob", () => api.runHistoricalJob({ body: { data: { type: "historicalDetectionsJobCreate", attributes: { fromRule: { id: made.id, ...range } } } } }), (answer) => answer.data.type === "historicalDetectionsJob" ? "" : "type");
let status = "";
for (let i = 0; i < 100 && !["completed", "failed"].includes(status); i++) {
  await new Promise((next) => setTimeout(next, 100));
  status = (await api.getHistoricalJob({ jobId: job.data.id })).data.attributes.jobStatus;
}
await call("getHistoricalJob", () => api.getHistoricalJob({ jobId: job.data.id }), (answer) => answer.data.attributes.jobStatus === "completed" ? "" : answer.data.attributes.jobStatus);
await call("listHistoricalJobs", () => api.listHistoricalJobs(), (answer) => answer.meta.totalCount === 1 ? "" : JSON.stringify(answer.meta));
const results = await call("getSecurityMonitoringHistsignalsByJobId", () => api.getSecurityMonitoringHistsignalsByJobId({ jobId: job.data.id }), (answer) => answer.data.length >= 3 ? "" : String(answer.data.length));
await call("listSecurityMonitoringHistsignals", () => api.listSecurityMonitoringHistsignals(), (answer) => answer.data.length >= 3 ? "" : String(answer.data.length));
await call("searchSecurityMonitoringHistsignals", () => api.searchSecurityMonitoringHistsignals({ body: { filter: { query: "@usr.id:ann" } } }), (answer) => answer.data.length === 1 ? "" : String(answer.data.length));
await call("getSecurityMonitoringHistsignal", () => api.getSecurityMonitoringHistsignal({ histsignalId: results.data[0].id }));
await call("convertJobResultToSignal", () => api.convertJobResultToSignal({ body: { data: { type: "historicalDetectionsJobResultSignalConversion", attributes: { jobResultIds: [results.data[0].id], notifications: [], signalMessage: "made of the past", signalSeverity: "critical" } } } }));
await refused("cancelHistoricalJob finished", 409, () => api.cancelHistoricalJob({ jobId: job.data.id }));
await call("deleteHistoricalJob", () => api.deleteHistoricalJob({ jobId: job.data.id }));
await refused("getHistoricalJob deleted", 404, () => api.getHistoricalJob({ jobId: job.data.id }));

// Reference tables
const upload = await call("createReferenceTableUpload", () => tables.createReferenceTableUpload({ body: { data: { type: "upload", attributes: { headers: ["user", "risk"], tableName: "compat_users", partCount: 1, partSize: 1000 } } } }));
await call("part", async () => (await fetch(upload.data.attributes.partUrls[0], { method: "PUT", body: "user,risk\nann,1\nbob,2\n" })).status, (code) => code === 200 ? "" : String(code));
const table = await call("createReferenceTable", () => tables.createReferenceTable({ body: { data: { type: "reference_table", attributes: { tableName: "compat_users", source: "LOCAL_FILE", schema: { fields: [{ name: "user", type: "STRING" }, { name: "risk", type: "INT32" }], primaryKeys: ["user"] }, fileMetadata: { uploadId: upload.data.id } } } } }));
await call("listTables", () => tables.listTables(), (answer) => answer.data.length === 1 ? "" : String(answer.data.length));
await call("getTable", () => tables.getTable({ id: table.data.id }), (answer) => answer.data.attributes.rowCount === 2 ? "" : String(answer.data.attributes.rowCount));
await call("updateReferenceTable", () => tables.updateReferenceTable({ id: table.data.id, body: { data: { type: "reference_table", attributes: { description: "who" } } } }));
await call("upsertRows", () => tables.upsertRows({ id: table.data.id, body: { data: [{ type: "row", id: "cid", attributes: { values: { user: "cid", risk: 3 } } }] } }));
await call("getRowsByID", () => tables.getRowsByID({ id: table.data.id, rowId: ["ann", "cid"] }), (answer) => answer.data.length === 2 ? "" : String(answer.data.length));
await call("listReferenceTableRows", () => tables.listReferenceTableRows({ id: table.data.id }), (answer) => answer.data.length === 3 ? "" : String(answer.data.length));
await call("deleteRows", () => tables.deleteRows({ id: table.data.id, body: { data: [{ type: "row", id: "cid" }] } }));
await call("deleteTable", () => tables.deleteTable({ id: table.data.id }));

// What is left is taken away
await call("deleteSecurityMonitoringSuppression", () => api.deleteSecurityMonitoringSuppression({ suppressionId: quiet.data.id }));
if (correlation) await call("deleteSecurityMonitoringRule correlation", () => api.deleteSecurityMonitoringRule({ ruleId: correlation.id }));
await call("deleteSecurityMonitoringRule", () => api.deleteSecurityMonitoringRule({ ruleId: made.id }));
await refused("deleteSecurityMonitoringRule again", 404, () => api.deleteSecurityMonitoringRule({ ruleId: made.id }));
process.stdout.write(JSON.stringify(outcomes));
