/** Where a Sigma log source is found among our logs, and what its fields are called there. */
export interface SourceMap {
  /** Query text that narrows to the source. */
  readonly query: string;
  /** Sigma field to ours. */
  readonly fields: Readonly<Record<string, string>>;
  /** What a field without an entry becomes; `$` stands for its name. */
  readonly others: string;
  /** Of ours: pipelines keep these in small letters, so that any case is found. */
  readonly lowered: ReadonlySet<string>;
  /** Whom or what signals of these logs are about, where the rule does not say. */
  readonly entity: string;
}

export interface LogSource {
  readonly product?: string;
  readonly category?: string;
  readonly service?: string;
}

const windows: Readonly<Record<string, string>> = {
  EventID: "@evt.id", Image: "@process.executable.path", NewProcessName: "@process.executable.path", CommandLine: "@process.command_line", ProcessCommandLine: "@process.command_line",
  ParentImage: "@process.parent.executable.path", ParentProcessName: "@process.parent.executable.path", ComputerName: "host", Computer: "host", Provider_Name: "@Event.System.Provider.Name", Channel: "@Event.System.Channel",
};
const windowsLowered = new Set(["@process.executable.path", "@process.command_line", "@process.parent.executable.path"]);
const web: Readonly<Record<string, string>> = {
  "c-ip": "@network.client.ip", "cs-method": "@http.method", "cs-uri": "@http.url_decoded", "cs-uri-query": "@http.url_decoded", "cs-uri-stem": "@http.url_decoded", "cs-user-agent": "@http.useragent_lower", "c-useragent": "@http.useragent_lower",
  "sc-status": "@http.status_code", "cs-referer": "@http.referer", "cs-username": "@usr.name", "cs-host": "@http.url_details.host", "c-uri": "@http.url_decoded", "sc-bytes": "@network.bytes_written",
};
const webLowered = new Set(["@http.url_decoded", "@http.useragent_lower"]);
const none: ReadonlySet<string> = new Set();

const eventIds: Readonly<Record<string, string>> = {
  process_creation: "source:windows.events @evt.id:(1 OR 4688)", network_connection: "source:windows.events @evt.id:(3 OR 5156)", image_load: "source:windows.events @evt.id:7", file_event: "source:windows.events @evt.id:11",
  registry_event: "source:windows.events @evt.id:(12 OR 13 OR 14)", registry_set: "source:windows.events @evt.id:13", registry_add: "source:windows.events @evt.id:12", dns_query: "source:windows.events @evt.id:22",
  ps_script: "source:windows.events @evt.id:4104", create_remote_thread: "source:windows.events @evt.id:8", process_access: "source:windows.events @evt.id:10", pipe_created: "source:windows.events @evt.id:(17 OR 18)", driver_load: "source:windows.events @evt.id:6",
};
const channels: Readonly<Record<string, string>> = {
  security: "Security", system: "System", application: "Application", powershell: "Microsoft-Windows-PowerShell/Operational", "powershell-classic": "Windows PowerShell", sysmon: "Microsoft-Windows-Sysmon/Operational",
  taskscheduler: "Microsoft-Windows-TaskScheduler/Operational", windefend: "Microsoft-Windows-Windows Defender/Operational", "terminalservices-localsessionmanager": "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",
};

const clouds: Readonly<Record<string, SourceMap>> = {
  "aws cloudtrail": { query: "source:cloudtrail", fields: { eventName: "@evt.name", sourceIPAddress: "@network.client.ip", errorCode: "@error.kind", errorMessage: "@error.message", userAgent: "@http.useragent" }, others: "@$", lowered: none, entity: "@userIdentity.arn" },
  "gcp gcp.audit": { query: "source:gcp*", fields: { "gcp.audit.method_name": "@evt.name", "data.protoPayload.methodName": "@evt.name" }, others: "@$", lowered: none, entity: "@usr.id" },
  "azure activitylogs": { query: "source:azure.activitylogs", fields: { operationName: "@evt.name", properties_message: "@evt.name" }, others: "@$", lowered: none, entity: "@usr.id" },
  "azure auditlogs": { query: "source:azure.activedirectory @evt.category:AuditLogs", fields: { properties_message: "@evt.name", activityDisplayName: "@evt.name" }, others: "@$", lowered: none, entity: "@usr.id" },
  "azure signinlogs": { query: "source:azure.activedirectory @evt.category:SignInLogs", fields: { ResultType: "@resultType", userPrincipalName: "@usr.id", IPAddress: "@network.client.ip" }, others: "@properties.$", lowered: none, entity: "@usr.id" },
  "m365 *": { query: "source:microsoft-365", fields: { eventName: "@evt.name", Operation: "@evt.name", eventSource: "service", Workload: "service" }, others: "@$", lowered: none, entity: "@usr.id" },
  "okta okta": { query: "source:okta", fields: { eventType: "@evt.name", eventtype: "@evt.name", "outcome.result": "@evt.outcome" }, others: "@$", lowered: none, entity: "@usr.id" },
  "github audit": { query: "source:github", fields: { action: "@evt.name", actor: "@usr.name" }, others: "@$", lowered: none, entity: "@usr.name" },
  "kubernetes *": { query: "source:kubernetes.audit", fields: { verb: "@http.method", "user.username": "@usr.name", "responseStatus.code": "@http.status_code", requestURI: "@http.url_details.path" }, others: "@$", lowered: none, entity: "@usr.id" },
  "linux auditd": { query: "source:auditd", fields: { type: "@auditd.type", exe: "@process.executable.path", comm: "@process.name", key: "@auditd.key" }, others: "@auditd.$", lowered: none, entity: "host" },
  "linux process_creation": { query: "source:auditd", fields: { Image: "@process.executable.path", CommandLine: "@process.args", ParentImage: "@process.parent.executable.path", User: "@usr.name" }, others: "@process.$", lowered: none, entity: "host" },
  "linux auth": { query: "source:auth", fields: {}, others: "@$", lowered: none, entity: "host" },
  "linux sshd": { query: "source:auth service:sshd", fields: {}, others: "@$", lowered: none, entity: "host" },
  "linux syslog": { query: "source:syslog", fields: {}, others: "@$", lowered: none, entity: "host" },
  "linux sudo": { query: "source:auth service:sudo", fields: {}, others: "@$", lowered: none, entity: "host" },
  "linux cron": { query: "source:(syslog OR auth) service:cron", fields: {}, others: "@$", lowered: none, entity: "host" },
};

/** Where logs of a source are; undefined where nobody has said yet. */
export function sourceMap({ product = "", category = "", service = "" }: LogSource): SourceMap | undefined {
  if (product === "windows") {
    const narrowed = category !== "" ? eventIds[category] : service !== "" ? channels[service] && `source:windows.events @Event.System.Channel:"${channels[service]}"` : "source:windows.events";
    return narrowed ? { query: narrowed, fields: windows, others: "@Event.EventData.Data.$", lowered: windowsLowered, entity: "host" } : undefined;
  }
  if (category === "webserver" || category === "proxy") return { query: product === "" || product === "apache" || product === "nginx" ? "source:(nginx OR apache OR web*)" : `source:${product}`, fields: web, others: "@$", lowered: webLowered, entity: "@network.client.ip" };
  if (category === "dns" && product === "") return { query: "source:dns", fields: { query: "@dns.question.name", record_type: "@dns.question.type", answer: "@dns.answer.name", parent_domain: "@dns.question.registered_domain" }, others: "@dns.$", lowered: none, entity: "@network.client.ip" };
  return clouds[`${product} ${service || category}`] ?? clouds[`${product} *`];
}
