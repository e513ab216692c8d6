type Event = Record<string, never>;

/** A rule as the engine reads it, and as the closure a program written by hand would have. */
export interface CloudRule {
  readonly wire: Record<string, unknown>;
  readonly matches: (event: Event) => boolean;
  /** As DuckDB writes it. */
  readonly sql: string;
}

function wire(id: string, queries: readonly Record<string, unknown>[], cases: readonly Record<string, unknown>[], evaluationWindow: number): Record<string, unknown> {
  return {
    id, name: id, type: "log_detection", isEnabled: true, message: "{{@usr.id}}", tags: [], queries, cases,
    options: { detectionMethod: "threshold", evaluationWindow, keepAlive: Math.max(3600, evaluationWindow), maxSignalDuration: 86400 },
  };
}

function query(name: string, text: string, by = "@usr.id"): Record<string, unknown> {
  return { name, query: text, aggregation: "count", groupByFields: [by] };
}

export const bruteForce = wire("brute-force", [query("failed", "source:sshd @evt.outcome:failure"), query("passed", "source:sshd @evt.outcome:success")], [
  { name: "got in", status: "critical", condition: "failed > 10 && passed > 0" },
  { name: "burst", status: "medium", condition: "failed > 10" },
], 300);

/** Users with more failures than so many in the whole log, which is shorter than a day. */
export function countFailures(moreThan: number): Record<string, unknown> {
  return wire("failures", [query("failed", "source:sshd @evt.outcome:failure")], [{ name: "", status: "low", condition: `failed > ${moreThan}` }], 86_400);
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const name = (event: Event): string => text((event.evt as { name?: unknown } | undefined)?.name);
const member = (event: Event, key: string): unknown => (event as Record<string, unknown>)[key];
const identity = (event: Event): Record<string, unknown> => (member(event, "userIdentity") ?? {}) as Record<string, unknown>;

function cloud(id: string, where: string, matches: (event: Event) => boolean, moreThan: number, sql: string): CloudRule {
  return { sql, wire: wire(id, [query("a", `source:cloudtrail ${where}`)], [{ name: "", status: "medium", condition: `a > ${moreThan}` }], 300), matches };
}

/** Ten rules of the kind every AWS account is watched with. */
export const cloudRules: readonly CloudRule[] = [
  cloud("root is used", "@userIdentity.type:Root @evt.name:ConsoleLogin", (e) => identity(e).type === "Root" && name(e) === "ConsoleLogin", 0, "userIdentity.type = 'Root' and evt.name = 'ConsoleLogin'"),
  cloud("trail is stopped", "@evt.name:(StopLogging OR DeleteTrail OR UpdateTrail)", (e) => ["StopLogging", "DeleteTrail", "UpdateTrail"].includes(name(e)), 20, "evt.name in ('StopLogging', 'DeleteTrail', 'UpdateTrail')"),
  cloud("denied again and again", "@errorCode:AccessDenied", (e) => member(e, "errorCode") === "AccessDenied", 10, "errorCode = 'AccessDenied'"),
  cloud("keys are made", "@evt.name:CreateKey -@userIdentity.type:AssumedRole", (e) => name(e) === "CreateKey" && identity(e).type !== "AssumedRole", 10, "evt.name = 'CreateKey' and userIdentity.type is distinct from 'AssumedRole'"),
  cloud("policies are attached", "@evt.name:(AttachPolicy OR PutPolicy) @evt.outcome:success", (e) => ["AttachPolicy", "PutPolicy"].includes(name(e)) && (member(e, "evt") as { outcome?: unknown }).outcome === "success", 10, "evt.name in ('AttachPolicy', 'PutPolicy') and evt.outcome = 'success'"),
  cloud("instances by script", "@evt.name:*Instances @userAgent:*aws-sdk-go*", (e) => name(e).endsWith("Instances") && text(member(e, "userAgent")).includes("aws-sdk-go"), 50, "evt.name like '%Instances' and userAgent like '%aws-sdk-go%'"),
  cloud("secrets are read", "@evt.name:GetSecret @awsRegion:eu-*", (e) => name(e) === "GetSecret" && text(member(e, "awsRegion")).startsWith("eu-"), 10, "evt.name = 'GetSecret' and awsRegion like 'eu-%'"),
  cloud("buckets are opened", "@evt.name:PutBucket @requestParameters.bucketName:prod-*", (e) => name(e) === "PutBucket" && text((member(e, "requestParameters") as { bucketName?: unknown } | undefined)?.bucketName).startsWith("prod-"), 10, "evt.name = 'PutBucket' and requestParameters.bucketName like 'prod-%'"),
  cloud("snapshots leave", "@evt.name:(ModifySnapshot OR CreateSnapshot) @awsRegion:ap-southeast-1", (e) => ["ModifySnapshot", "CreateSnapshot"].includes(name(e)) && member(e, "awsRegion") === "ap-southeast-1", 10, "evt.name in ('ModifySnapshot', 'CreateSnapshot') and awsRegion = 'ap-southeast-1'"),
  cloud("many items are listed", "@evt.name:List* @requestParameters.maxItems:>990", (e) => name(e).startsWith("List") && Number((member(e, "requestParameters") as { maxItems?: unknown } | undefined)?.maxItems) > 990, 20, "evt.name like 'List%' and requestParameters.maxItems > 990"),
];

/** The columns that the rules look at, as DuckDB names them. */
export const cloudColumns = "{evt: 'STRUCT(name VARCHAR, outcome VARCHAR)', userIdentity: 'STRUCT(type VARCHAR)', usr: 'STRUCT(id VARCHAR)', errorCode: 'VARCHAR', userAgent: 'VARCHAR', awsRegion: 'VARCHAR', requestParameters: 'STRUCT(bucketName VARCHAR, maxItems DOUBLE)'}";

/** Addresses that fail for more users than anybody does: only the counting costs. */
export const manyUsers: Record<string, unknown> = {
  ...wire("spray", [{ ...query("failed", "source:sshd @evt.outcome:failure", "@network.client.ip"), aggregation: "cardinality", distinctFields: ["@usr.id"] }], [{ name: "", status: "low", condition: "failed > 1000000" }], 600),
};
