import type { Person, Triage } from "./stored.ts";

/** A `SMTriageUser`. */
export interface ApiTriageUser {
  readonly id: number;
  readonly uuid: string;
  readonly handle?: string;
  readonly name: string;
  readonly icon?: string;
}

/** Nobody, as the API says it. */
export const unassigned: ApiTriageUser = { id: -1, name: "Unassigned", uuid: "" };

/** Numbers of users are Datadog's own: ours are known by their uuid, and the number is 0. */
export function apiUser({ uuid, handle, name }: Person): ApiTriageUser {
  return { id: 0, uuid, handle, name, icon: "" };
}

/** A `SMSignalTriageAttributes`: what every triage call answers. Timestamps in ms. */
export function apiTriage(triage: Triage): Record<string, unknown> {
  return {
    state: triage.state, assignee: triage.assignee ? apiUser(triage.assignee) : unassigned, incident_ids: triage.incidentIds, archive_reason: triage.archiveReason,
    archive_comment: triage.archiveComment, version: triage.version, case_ids: triage.caseIds,
    ...(triage.stateUpdatedMs === undefined ? {} : { state_update_timestamp: triage.stateUpdatedMs }),
    ...(triage.stateUpdatedBy ? { state_update_user: apiUser(triage.stateUpdatedBy) } : {}),
    ...(triage.archiveCommentMs === undefined ? {} : { archive_comment_timestamp: triage.archiveCommentMs }),
    ...(triage.archiveCommentBy ? { archive_comment_user: apiUser(triage.archiveCommentBy) } : {}),
  };
}
