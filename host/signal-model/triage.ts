import { type ArchiveReason, type Person, type Triage, type TriageState, archiveReasons, triageStates } from "./stored.ts";

/** What somebody wants to change; what is absent stays. Texts and numbers are taken as they came. */
export interface TriageChange {
  readonly state?: unknown;
  readonly archiveReason?: unknown;
  readonly archiveComment?: unknown;
  /** Null: nobody's. */
  readonly assignee?: Person | null;
  /** In place of those it has. */
  readonly incidentIds?: unknown;
  /** Beside those it has. */
  readonly addIncidentIds?: unknown;
  readonly addCaseIds?: readonly string[];
  readonly removeCaseIds?: readonly string[];
  /** Of the triage that was seen: when it has changed since, nothing is written. */
  readonly version?: unknown;
}

export const triageActions = ["state_changed", "assigned", "unassigned", "comment", "case_linked", "case_unlinked", "incident_linked", "incident_unlinked"] as const;
export type TriageAction = (typeof triageActions)[number];

/** One thing that was done, as history keeps it. */
export interface TriageStep {
  readonly action: TriageAction;
  readonly before: unknown;
  readonly after: unknown;
}

/** Why a write is refused: a status and a text as the API answers them (rule-api spec 5). */
export interface TriageRefusal {
  readonly code: "signal/not-found" | "signal/locked" | "signal/stale" | "signal/bad-value" | "signal/too-many";
  readonly status: 400 | 404;
  readonly text: string;
}

export type TriageVerdict =
  | { readonly kind: "changed"; readonly triage: Triage; readonly steps: readonly TriageStep[] }
  | { readonly kind: "unchanged" }
  | { readonly kind: "refused"; readonly refusal: TriageRefusal };

/** Days after its creation in which a signal may be changed. */
export const TRIAGE_DAYS = 30;
const DAY_MS = 86_400_000;
const COMMENT_UNITS = 10_000;
const INCIDENTS = 100;
const CASES = 100;

export function signalNotFound(): TriageRefusal {
  return { code: "signal/not-found", status: 404, text: "Signal not found" };
}

/** Is the signal too old to be changed? */
export function isLocked(createdMs: number, nowMs: number): boolean {
  return nowMs - createdMs > TRIAGE_DAYS * DAY_MS;
}

/**
 * What a signal's triage becomes: the lock, then the version, then the values (platform spec 2.2, 2.3). A refusal changes nothing.
 *
 * Every state may follow every other. What is left of `archived` stands in the history alone. A case that is linked to an open signal
 * puts it under review.
 */
export function changedTriage(triage: Triage, createdMs: number, change: TriageChange, actor: Person, nowMs: number): TriageVerdict {
  if (isLocked(createdMs, nowMs)) return refused("signal/locked", `Signal is locked: it is older than ${TRIAGE_DAYS} days`);
  const stale = versionFault(triage, change.version);
  if (stale) return stale;
  const read = readChange(triage, change);
  if ("refusal" in read) return { kind: "refused", refusal: read.refusal };
  const next = withState({ ...triage, ...linksAfter(triage, read) }, triage, read, actor, nowMs);
  const after: Triage = change.assignee === undefined ? next : assigned(next, change.assignee);
  const steps = stepsBetween(triage, after);
  return steps.length ? { kind: "changed", triage: { ...after, version: triage.version + 1 }, steps } : { kind: "unchanged" };
}

interface ReadChange {
  readonly state: TriageState;
  /** Undefined: stays. */
  readonly reason: ArchiveReason | undefined;
  readonly comment: string | undefined;
  readonly incidentIds: readonly number[];
  readonly caseIds: readonly string[];
}

function versionFault(triage: Triage, version: unknown): TriageVerdict | undefined {
  if (version === undefined || version === null) return undefined;
  if (!Number.isSafeInteger(version) || (version as number) < 0) return refused("signal/bad-value", "version is not a whole number");
  return (version as number) < triage.version ? refused("signal/stale", `Signal has changed: version ${version as number} was given, and it is at ${triage.version} by now; read it again`) : undefined;
}

function readChange(triage: Triage, change: TriageChange): ReadChange | { readonly refusal: TriageRefusal } {
  const bad = (text: string): { readonly refusal: TriageRefusal } => ({ refusal: { code: "signal/bad-value", status: 400, text } });
  const isLinked = (change.addCaseIds ?? []).length > 0 && triage.state === "open";
  const state = change.state ?? (isLinked ? "under_review" : triage.state);
  if (!isOneOf(triageStates, state)) return bad(`state must be one of ${triageStates.join(", ")}`);
  const reason = change.archiveReason ?? undefined;
  if (reason !== undefined && !isOneOf(archiveReasons, reason)) return bad(`archive_reason must be one of ${archiveReasons.join(", ")}`);
  if (state !== "archived" && reason !== undefined && reason !== "none") return bad(`archive_reason ${reason} goes with state archived only`);
  const comment = change.archiveComment ?? undefined;
  if (comment !== undefined && typeof comment !== "string") return bad("archive_comment must be a text");
  if (comment !== undefined && comment.length > COMMENT_UNITS) return bad(`archive_comment is longer than ${COMMENT_UNITS} characters`);
  if (state !== "archived" && comment !== undefined && comment !== "") return bad("archive_comment goes with state archived only");
  const incidentIds = [...new Set([...(change.incidentIds === undefined ? triage.incidentIds : list(change.incidentIds)), ...(change.addIncidentIds === undefined ? [] : list(change.addIncidentIds))])];
  if (!incidentIds.every((id): id is number => Number.isSafeInteger(id) && (id as number) >= 0)) return bad("incident_ids must be a list of whole numbers");
  if (incidentIds.length > INCIDENTS) return bad(`a signal has at most ${INCIDENTS} incidents`);
  const caseIds = [...new Set([...triage.caseIds, ...(change.addCaseIds ?? [])])].filter((id) => !change.removeCaseIds?.includes(id));
  if (caseIds.length > CASES) return bad(`a signal has at most ${CASES} cases`);
  return { state, reason, comment, incidentIds, caseIds };
}

/** What is no list is a list of one thing, and that is no number. */
function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function linksAfter(triage: Triage, { incidentIds, caseIds }: ReadChange): Pick<Triage, "incidentIds" | "caseIds"> {
  return { incidentIds: isSame(triage.incidentIds, incidentIds) ? triage.incidentIds : incidentIds, caseIds: isSame(triage.caseIds, caseIds) ? triage.caseIds : caseIds };
}

function withState(next: Triage, before: Triage, { state, reason, comment }: ReadChange, actor: Person, nowMs: number): Triage {
  const moved = state === before.state ? next : {
    ...next, state, stateUpdatedBy: actor, stateUpdatedMs: nowMs,
    ...(state === "under_review" && before.firstUnderReviewMs === undefined ? { firstUnderReviewMs: nowMs } : {}),
    ...(state === "archived" ? { lastArchivedMs: nowMs } : {}),
  };
  const { archiveCommentBy: _by, archiveCommentMs: _at, ...plain } = moved;
  if (state !== "archived") return { ...plain, archiveReason: "none", archiveComment: "" };
  const archiveReason = reason ?? before.archiveReason;
  if (comment === undefined || comment === before.archiveComment) return { ...moved, archiveReason };
  return { ...plain, archiveReason, archiveComment: comment, ...(comment === "" ? {} : { archiveCommentBy: actor, archiveCommentMs: nowMs }) };
}

function assigned(triage: Triage, person: Person | null): Triage {
  const { assignee, ...rest } = triage;
  if (!person) return rest;
  return assignee?.uuid === person.uuid ? triage : { ...rest, assignee: { uuid: person.uuid, handle: person.handle, name: person.name } };
}

/** What history says of a change, each thing for itself. */
function stepsBetween(before: Triage, after: Triage): TriageStep[] {
  const steps: TriageStep[] = [];
  const archive = ({ state, archiveReason }: Triage): unknown => ({ state, ...(state === "archived" ? { archive_reason: archiveReason } : {}) });
  if (before.state !== after.state || before.archiveReason !== after.archiveReason) steps.push({ action: "state_changed", before: archive(before), after: archive(after) });
  if (before.assignee?.uuid !== after.assignee?.uuid) steps.push({ action: after.assignee ? "assigned" : "unassigned", before: before.assignee ?? null, after: after.assignee ?? null });
  if (before.archiveComment !== after.archiveComment) steps.push({ action: "comment", before: before.archiveComment, after: after.archiveComment });
  steps.push(...linkSteps("incident", before.incidentIds, after.incidentIds), ...linkSteps("case", before.caseIds, after.caseIds));
  return steps;
}

function linkSteps(kind: "incident" | "case", before: readonly unknown[], after: readonly unknown[]): TriageStep[] {
  const steps: TriageStep[] = [];
  if (after.some((id) => !before.includes(id))) steps.push({ action: `${kind}_linked`, before, after });
  if (before.some((id) => !after.includes(id))) steps.push({ action: `${kind}_unlinked`, before, after });
  return steps;
}

function refused(code: TriageRefusal["code"], text: string): TriageVerdict {
  return { kind: "refused", refusal: { code, status: 400, text } };
}

function isOneOf<Word extends string>(words: readonly Word[], value: unknown): value is Word {
  return (words as readonly unknown[]).includes(value);
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i]);
}
