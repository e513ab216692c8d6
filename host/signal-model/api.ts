import { hash } from "node:crypto";
import type { Json } from "../event/event.ts";
import type { RuleType, Severity } from "../rule/rule.ts";
import { severityNumber } from "../rule/rule.ts";
import type { DocumentSample, SignalDocument } from "../signal/document.ts";
import { type Members, attributesOf, readDocument, reservedOf } from "./document.ts";
import { entitiesOf } from "./entities.ts";
import { isoTime, logsUrl, relatedQuery } from "./related-query.ts";
import type { StoredSignal } from "./stored.ts";
import { type ApiTriageUser, apiUser, unassigned } from "./triage-api.ts";

/** A signal as Datadog's API gives it (platform spec 1.3, rule-api spec 5). Plain JSON; every text in it is text of somebody else's. */
export interface ApiSignal {
  readonly id: string;
  readonly type: "signal";
  readonly attributes: ApiSignalAttributes;
}

export interface ApiSignalAttributes {
  /** When it was created, ISO 8601. */
  readonly timestamp: string;
  readonly message: string;
  readonly tags: readonly string[];
  readonly status: Severity;
  readonly severity: Severity;
  /** 0 (info) to 4. */
  readonly severity_id: number;
  readonly title: string;
  readonly host?: string;
  readonly service: readonly string[];
  readonly custom: Readonly<Record<string, unknown>>;
}

export interface ApiSignalOptions {
  /** Puts the message between `%%%`, as Datadog does. Default true. */
  readonly wrapsMessage?: boolean;
}

const TAG_CAP = 200;
const typeWords: Readonly<Record<RuleType, string>> = {
  log_detection: "Log Detection", signal_correlation: "Signal Correlation", workload_security: "Workload Security",
  application_security: "Application Security", api_security: "API Security", workload_activity: "Workload Activity",
  cloud_configuration: "Cloud Configuration", infrastructure_configuration: "Infrastructure Configuration",
};
/** Fields of `custom` that are ours: an attribute of a log never takes their place. */
const own: ReadonlySet<string> = new Set([
  "title", "status", "hostname", "service", "entities", "groupByPaths", "groupByValues", "groupByValuesHash", "internal_id", "rule", "triggeringRuleCase", "queries",
  "relatedQuery", "relatedLogsQueryUrl", "samples", "workflow", "impossible_travel", "anomaly", "content_anomaly", "new_value", "env_decremented", "first_event_at",
  "triggered_at", "attributes", "__proto__",
]);

/**
 * The API form of a stored signal.
 *
 * @param document as read from `stored.document` before, to save a second reading.
 */
export function apiSignal(stored: StoredSignal, options: ApiSignalOptions = {}, document: SignalDocument = readDocument(stored.document)): ApiSignal {
  const { details } = document;
  const hosts = reservedOf(document, "host");
  return {
    id: stored.id, type: "signal",
    attributes: {
      timestamp: isoTime(stored.createdMs),
      message: options.wrapsMessage === false ? document.message : `%%%\n${document.message}\n%%%`,
      tags: [...new Set(details?.tags ?? document.tags)].slice(0, TAG_CAP),
      status: document.severity, severity: document.severity, severity_id: severityNumber(document.severity),
      title: document.title, ...(hosts.length ? { host: hosts[0]! } : {}), service: reservedOf(document, "service"),
      custom: customOf(stored, document, hosts),
    },
  };
}

function customOf(stored: StoredSignal, document: SignalDocument, hosts: readonly string[]): Record<string, unknown> {
  const { details, group } = document;
  const paths = Object.keys(group);
  const groupHash = hash("sha256", JSON.stringify(Object.values(group)));
  const related = relatedQuery(document);
  const rule = apiRule(document, stored);
  const [attributes, hidden] = parted(attributesOf(document));
  return {
    ...attributes,
    ...(Object.keys(hidden).length ? { attributes: hidden } : {}),
    title: document.title, status: document.severity, hostname: oneOrAll(hosts), service: oneOrAll(reservedOf(document, "service")),
    entities: entitiesOf(document).map(({ text }) => text),
    groupByPaths: paths, groupByValues: group, groupByValuesHash: groupHash.slice(0, 32),
    internal_id: internalId(document, rule.version, groupHash),
    rule: { ...rule, tags: details?.rule.tags ?? [], url: `/security/rules/${encodeURIComponent(document.rule_id)}` },
    triggeringRuleCase: {
      name: document.case, status: document.severity, condition: details?.case.condition ?? "", notifications: details?.case.notifications ?? [],
      ...(details ? { index: details.case.index, caseStatus: details.case.severity } : {}),
    },
    queries: (details?.queries ?? []).map(({ name, query, aggregation, distinct_fields, metrics, group_by, events, distinct_values, value }) => ({
      name, query, aggregation, distinctFields: distinct_fields, metric: metrics[0] ?? null, metrics, groupByPaths: group_by,
      aggregationDetails: { eventsCount: events, distinctValues: distinct_values, value: value ?? null },
    })),
    ...(related ? { relatedQuery: related, relatedLogsQueryUrl: logsUrl(related) } : {}),
    samples: document.samples.map((sample) => apiSample(sample, details !== undefined)),
    ...details?.method,
    ...(details ? { env_decremented: details.env_decremented, first_event_at: isoTime(details.first_event_at), triggered_at: isoTime(details.triggered_at) } : {}),
    workflow: {
      events_matched: document.events_matched, first_seen: isoTime(document.first_seen), last_seen: isoTime(document.last_seen),
      events_matched_per_query: Object.fromEntries((details?.queries ?? []).map(({ name, events }) => [name, events])),
      high_cardinality: { attributes: (details?.high_cardinality.attributes ?? []).map((path) => `@${path}`), tags: details?.high_cardinality.tags ?? [] },
      ...(details?.left_out ? { values_left_out: details.left_out } : {}),
      rule, triage: workflowTriage(stored),
    },
  };
}

/** Attributes of logs at the root of `custom`, and those whose names are taken there. */
function parted(attributes: Members): [Record<string, Json>, Record<string, Json>] {
  const free: Record<string, Json> = {};
  const hidden: Record<string, Json> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (!own.has(name)) free[name] = value;
    else if (name !== "__proto__") hidden[name] = value;
  }
  return [free, hidden];
}

function apiRule({ rule_id, rule_name, details }: SignalDocument, { ruleId }: StoredSignal): { readonly version: number } & Record<string, unknown> {
  const rule = details?.rule;
  const tags = rule?.tags ?? [];
  const named = (key: string): string[] => tags.filter((tag) => tag.startsWith(`${key}:`)).map((tag) => tag.slice(key.length + 1));
  return {
    id: ruleId || rule_id, name: rule_name, version: rule?.version ?? 1, type: typeWords[rule?.type ?? "log_detection"], detectionMethod: rule?.method ?? "threshold",
    isDefaultRule: rule?.is_default ?? false, ...(rule?.is_default ? { defaultRuleId: rule_id, defaultRuleVersion: rule.version } : {}),
    isDeprecated: rule?.deprecated_at !== undefined, ...(rule?.deprecated_at === undefined ? {} : { deprecationDate: isoTime(rule.deprecated_at) }),
    tactics: named("tactic"), techniques: named("technique"),
  };
}

function apiSample(sample: Json, isShaped: boolean): unknown {
  // Stored without details it is the record as it came.
  if (!isShaped) return { content: { custom: sample } };
  const { event_id, query_index, content } = sample as unknown as DocumentSample;
  const { timestamp, custom, ...rest } = content;
  return {
    eventId: event_id, id: event_id, ...(query_index === undefined ? {} : { queryIndex: query_index }), trackKey: { type: "logs" },
    content: { ...rest, ...(timestamp === undefined ? {} : { timestamp: isoTime(timestamp) }), custom, attributes: custom },
  };
}

function workflowTriage({ triage }: StoredSignal): Record<string, unknown> {
  const { assignee, stateUpdatedBy, archiveCommentBy } = triage;
  const named = (person: typeof assignee): { readonly handle: string; readonly name: string } | undefined => person && { handle: person.handle, name: person.name };
  return {
    state: triage.state, assignee: assignee ? apiUser(assignee) : unassigned, incidentIds: triage.incidentIds, caseIds: triage.caseIds, version: triage.version,
    creator: { handle: "", name: "" }, updater: named(stateUpdatedBy) ?? { handle: "", name: "" },
    archiveReason: triage.archiveReason, archiveComment: triage.archiveComment,
    ...(archiveCommentBy ? { archiveCommentUser: apiUser(archiveCommentBy) satisfies ApiTriageUser } : {}),
    ...time("archiveCommentTimestamp", triage.archiveCommentMs), ...time("stateUpdateTimestamp", triage.stateUpdatedMs),
    ...time("firstUnderReviewAt", triage.firstUnderReviewMs), ...time("lastArchivedAt", triage.lastArchivedMs),
  };
}

function time(name: string, ms: number | undefined): Record<string, string> {
  return ms === undefined ? {} : { [name]: isoTime(ms) };
}

function oneOrAll(values: readonly string[]): string | readonly string[] | undefined {
  return values.length > 1 ? values : values[0];
}

/** `<rule>-<version>-<opened>-<hash of the group>`: one for each rule, group and open window. */
function internalId({ rule_id, first_seen }: SignalDocument, version: number, groupHash: string): string {
  const opened = Buffer.alloc(6);
  opened.writeUIntBE(Math.min(Math.max(0, Math.trunc(first_seen)), 2 ** 48 - 1), 0, 6);
  return `${rule_id}-${version}-${opened.toString("base64url")}-${groupHash.slice(0, 8)}`;
}
