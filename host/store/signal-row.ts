import type { Severity } from "../rule/rule.ts";
import type { ArchiveReason, Person, StoredSignal, Triage, TriageState } from "../signal-model/stored.ts";
import type { SqlRow } from "./driver.ts";

export function storedSignal(row: SqlRow): StoredSignal {
  return {
    id: String(row.id), ruleId: String(row.rule_id), severity: row.severity as Severity, firstSeenMs: Number(row.first_seen), lastSeenMs: Number(row.last_seen),
    eventsMatched: Number(row.events_matched), createdMs: Number(row.created_at), ...timeOf("closesMs", row.closes_at), version: Number(row.version),
    changeNumber: Number(row.change_number), triage: triageOf(row), document: String(row.document),
  };
}

export function triageOf(row: SqlRow): Triage {
  return {
    state: row.triage_state as TriageState, ...personOf("assignee", row.assignee),
    archiveReason: row.archive_reason as ArchiveReason, archiveComment: String(row.archive_comment),
    ...personOf("archiveCommentBy", row.archive_comment_by), ...timeOf("archiveCommentMs", row.archive_comment_at),
    ...personOf("stateUpdatedBy", row.state_updated_by), ...timeOf("stateUpdatedMs", row.state_updated_at),
    ...timeOf("firstUnderReviewMs", row.first_under_review_at), ...timeOf("lastArchivedMs", row.last_archived_at),
    incidentIds: JSON.parse(String(row.incident_ids)) as number[], caseIds: JSON.parse(String(row.case_ids)) as string[], version: Number(row.triage_version),
  };
}

function timeOf<Name extends string>(name: Name, value: unknown): { readonly [N in Name]?: number } {
  return (value === null || value === undefined ? {} : { [name]: Number(value) }) as { readonly [N in Name]?: number };
}

function personOf<Name extends string>(name: Name, value: unknown): { readonly [N in Name]?: Person } {
  return (typeof value === "string" ? { [name]: JSON.parse(value) as Person } : {}) as { readonly [N in Name]?: Person };
}
