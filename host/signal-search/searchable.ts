import type { Json, Queryable } from "../event/event.ts";
import { scalarsBelow, valuesAt } from "../query/values.ts";
import { apiSignal } from "../signal-model/api.ts";
import { readDocument, reservedOf, tagValues } from "../signal-model/document.ts";
import { primaryEntityIds } from "../signal-model/entities.ts";
import type { StoredSignal } from "../signal-model/stored.ts";
import type { SignalDocument } from "../signal/document.ts";

/** A signal as searches see it. */
export interface Searchable {
  readonly id: string;
  /** When it was created. */
  readonly timestampMs: number;
  readonly event: Queryable;
}

type Members = { [name: string]: Json };

/** Shown with a signal, and not looked into: the logs themselves are searched as logs; `rule` says again what `workflow.rule` does. */
const shownOnly: ReadonlySet<string> = new Set(["samples", "relatedQuery", "relatedLogsQueryUrl", "rule"]);
const awsAccounts = [["usr", "account_id"], ["userIdentity", "accountId"]] as const;

/**
 * The event that queries are asked of: the API form of a signal with `custom` as its attributes, and what is derived from it:
 * `@workflow.triage.acted|hasCase|hasIncident`, `@workflow.timings.*` (seconds, and times in ms), `@workflow.awsAccount`,
 * `@workflow.sourceCount`, and `@workflow.entities`: those its points go to, as `user:ann`.
 *
 * What is empty because there is nobody (assignee, updater) is absent here.
 */
export function searchable(stored: StoredSignal): Searchable {
  const document = readDocument(stored.document);
  const { attributes } = apiSignal(stored, { wrapsMessage: false }, document);
  const { custom, tags } = attributes;
  const own: Members = {};
  for (const name of Object.keys(custom)) if (!shownOnly.has(name) && name !== "__proto__") own[name] = custom[name] as Json;
  const workflow = custom.workflow as Members;
  const accounts = awsAccounts.flatMap((path) => valuesAt(own, path).flatMap(scalarsBelow));
  const sources = named(document, "source", tags);
  own.workflow = {
    ...workflow, triage: triageOf(workflow.triage as Members, stored), timings: timingsOf(stored, document),
    awsAccount: [...new Set([...accounts, ...tagValues(tags, "aws_account")])], entities: primaryEntityIds(document), sourceCount: sources.length,
  };
  return {
    id: stored.id, timestampMs: stored.createdMs,
    event: {
      message: attributes.message, status: attributes.severity, tags: [...tags], timestamp: stored.createdMs,
      host: named(document, "host", tags), service: named(document, "service", tags), source: sources,
      attributes: own,
    },
  };
}

/** Of the events, and as the rule's or their tags say it. */
function named(document: SignalDocument, name: "host" | "service" | "source", tags: readonly string[]): string[] {
  return [...new Set([...reservedOf(document, name), ...tagValues(tags, name)])];
}

function triageOf(shown: Members, { triage }: StoredSignal): Members {
  const { state, assignee, stateUpdatedBy, incidentIds, caseIds } = triage;
  const [hasCase, hasIncident] = [caseIds.length > 0, incidentIds.length > 0];
  const members: Members = { ...shown, hasCase, hasIncident, acted: state !== "open" || assignee !== undefined || hasCase || hasIncident };
  if (!assignee) members.assignee = { id: -1, name: "Unassigned" };
  if (!stateUpdatedBy) delete members.updater;
  delete members.creator;
  return members;
}

/** Platform spec 3: T0 the log that triggered it, T1 creation, T2 first under review, T3 last archived while it is. Seconds, and times in ms. */
function timingsOf({ createdMs, triage }: StoredSignal, { details, first_seen, last_seen }: SignalDocument): Members {
  // What a job over past logs found was not waited for.
  const isOfPast = details?.method?.historical_job_id !== undefined;
  const timings: Members = { last_seen_at: last_seen, ...(isOfPast ? {} : { time_to_detect: Math.max(0, createdMs - (details?.triggered_at ?? first_seen)) / 1000 }) };
  const { firstUnderReviewMs: reviewedMs, lastArchivedMs } = triage;
  const archivedMs = triage.state === "archived" ? lastArchivedMs : undefined;
  if (reviewedMs !== undefined) {
    timings.acknowledged_at = reviewedMs;
    timings.time_to_acknowledge = (reviewedMs - createdMs) / 1000;
  }
  if (archivedMs !== undefined) {
    timings.resolved_at = archivedMs;
    timings.time_to_resolve = (archivedMs - createdMs) / 1000;
  }
  const firstMs = Math.min(reviewedMs ?? Number.POSITIVE_INFINITY, archivedMs ?? Number.POSITIVE_INFINITY);
  if (Number.isFinite(firstMs)) {
    timings.triaged_at = firstMs;
    timings.triage_time = (firstMs - createdMs) / 1000;
  }
  return timings;
}
