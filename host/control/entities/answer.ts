import { entityHref } from "../../insight/links.ts";
import { readDocument } from "../../signal-model/document.ts";
import { entitiesOf } from "../../signal-model/entities.ts";
import type { StoredSignal } from "../../signal-model/stored.ts";
import type { EntityDetail, EntityRow } from "../../signal-search/entity-rows.ts";

/** An entity as the API tells it (platform spec 14). */
export function apiEntity(row: EntityRow): Record<string, unknown> {
  return { id: row.id, type: "entity", attributes: rowAttributes(row) };
}

function rowAttributes(row: EntityRow): Record<string, unknown> {
  const { id, type, value, score, severity, change, updatedMs, firstSeenMs, lastSeenMs, signals, contributing, signalCounts, sources, services, environments, accounts, tactics, techniques, lastTitle } = row;
  return {
    type, value, score, severity, score_change: change, ...(updatedMs === undefined ? {} : { last_updated: iso(updatedMs) }), first_seen: iso(firstSeenMs), last_seen: iso(lastSeenMs),
    signals, contributing_signals: contributing, signal_counts: signalCounts, sources, misconfigurations: [], attributes: { services, environments, accounts, tactics, techniques, last_signal_title: lastTitle },
    href: entityHref(type, value), signals_query: signalsQuery(id),
  };
}

/** @param newest the newest of its signals, which says by what name logs know the entity. */
export function apiEntityDetail(detail: EntityDetail, atMs: number, newest: StoredSignal | undefined): Record<string, unknown> {
  const { id, score, contributions, rules, timeline, related } = detail;
  const logs = newest && logsQuery(detail, newest);
  return {
    id, type: "entity",
    attributes: {
      ...rowAttributes(detail), as_of: iso(atMs),
      contributions: contributions.map(({ signalId, title, severity, state, ruleId, ruleName, points, createdMs, expiresMs }) => ({
        signal_id: signalId, title, severity, state, rule: { id: ruleId, name: ruleName }, points, created_at: iso(createdMs), expires_at: iso(expiresMs), expires_in_seconds: Math.ceil((expiresMs - atMs) / 1000),
      })),
      rules: rules.map(({ ruleId, ruleName, points, signals, lastCreatedMs, nextExpiryMs }) => ({ id: ruleId, name: ruleName, points, share: points / score, signals, last_signal_at: iso(lastCreatedMs), next_expiry_at: iso(nextExpiryMs) })),
      timeline: timeline.map(({ timeMs, score: then, signals }) => ({ timestamp: iso(timeMs), score: then, signals })),
      related: related.map((other) => ({ id: other.id, type: other.type, value: other.value, score: other.score, severity: other.severity, shared_signals: other.shared, href: entityHref(other.type, other.value) })),
      queries: {
        signals: signalsQuery(id),
        contributing: `${signalsQuery(id)} status:(medium OR high OR critical) -(@workflow.triage.state:archived @workflow.triage.archiveReason:(false_positive OR testing_or_maintenance))`,
        // A suppression asks logs.
        ...(logs === undefined ? {} : { logs, suppression: logs }),
      },
    },
  };
}

/** Finds the entity's signals in the explorer of signals. */
function signalsQuery(id: string): string {
  return `@workflow.entities:${quoted(id)}`;
}

/** Finds its logs, as its newest signal names it. */
function logsQuery({ type, value }: EntityRow, newest: StoredSignal): string | undefined {
  if (type === "k8s_object") {
    const parts = value.split("/");
    const names = parts.length > 2 ? ["resource", "namespace", "name"] : ["resource", "name"];
    return names.map((name, i) => `@objectRef.${name}:${quoted(i === names.length - 1 ? parts.slice(i).join("/") : parts[i]!)}`).join(" ");
  }
  const text = entitiesOf(readDocument(newest.document)).find((each) => each.type === type && each.value === value)?.text;
  return text && `${text.slice(0, text.indexOf(":"))}:${quoted(value)}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll(/[\\"]/g, "\\$&")}"`;
}

/** The same in the words of Datadog's risk scores (rule-api spec 9); what nobody here knows is empty or false. */
export function apiRiskScore(row: EntityRow): Record<string, unknown> {
  const { id, type, value, score, severity, change, firstSeenMs, lastSeenMs, signals, sources, services, environments, accounts, tactics, techniques, lastTitle } = row;
  return {
    id, type: "SecurityEntityRiskScore",
    attributes: {
      accountIds: accounts,
      configRisks: { hasIdentityRisk: false, hasMisconfiguration: false, hasPrivilegedRole: false, isPrivileged: false, isProduction: environments.some((each) => /^prod(?:uction)?$/i.test(each)), isPubliclyAccessible: false },
      entityMetadata: { ...(accounts.length === 1 ? { accountID: accounts[0]! } : {}), environments, mitreTactics: tactics, mitreTechniques: techniques, services, sources },
      entityName: value, entityProviders: type.startsWith("aws_") || type === "s3_bucket" ? ["aws"] : type.startsWith("gcp_") ? ["gcp"] : [], entityRoles: [], entitySubTypes: [], entityType: type, entityTypes: [type],
      firstDetected: firstSeenMs, lastActivityTitle: lastTitle, lastDetected: lastSeenMs, riskScore: score, riskScoreEvolution: change, severity, signalsDetected: signals,
    },
  };
}

/** Times of signals may be whatever a log said. */
function iso(ms: number): string {
  return new Date(Math.min(Math.max(ms, -8.64e15), 8.64e15)).toISOString();
}
