import { apiTriage } from "../../signal-model/triage-api.ts";
import type { Person } from "../../signal-model/stored.ts";
import type { TriageChange, TriageRefusal } from "../../signal-model/triage.ts";
import { PeopleStore } from "../../store/people.ts";
import { type TriageOutcome, TriageStore } from "../../store/signals-triage.ts";
import { ApiError, badRequest } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import { type Call, type Route, type RouteAnswer, type RouteFacts, ok, route } from "../route.ts";
import { AssigneeUpdate, BulkAnswer, BulkAssignee, BulkState, BulkUpdate, IncidentsUpdate, OldAssignee, OldIncident, OldState, SIGNALS, SignalUpdate, StateUpdate, TriageAnswer } from "./schemas.ts";
import type { Sight } from "./sight.ts";

const OLD = "/api/v1/security_analytics/signals";
const facts: Pick<RouteFacts, "tag" | "permission" | "answers" | "refuses"> = { tag: "Signals", permission: "security_monitoring_signals_write", answers: { 200: TriageAnswer }, refuses: [404] };

/** What bodies may say of one signal, whichever call they came by. */
interface Wanted {
  readonly state?: string;
  readonly archive_reason?: string;
  readonly archive_comment?: string;
  readonly assignee?: { readonly uuid: string } | string;
  readonly incident_ids?: readonly number[];
  readonly version?: number;
}

type OneBody = { readonly data: { readonly attributes: Wanted } };
type ManyBody = { readonly data: ReadonlyArray<{ readonly id: string; readonly attributes: Wanted }> };

/** What people do with signals: state, assignee, incidents, one by one and many at a time. */
export function triageRoutes(context: ControlContext, sight: Sight): readonly Route[] {
  const people = new PeopleStore(context.sql);

  /** Undefined: nobody. A user who is not there is nobody's assignee. */
  const assigneeOf = (wanted: Wanted["assignee"]): Person | null | undefined => {
    if (wanted === undefined) return undefined;
    const uuid = typeof wanted === "string" ? wanted : wanted.uuid;
    if (uuid === "") return null;
    const user = people.user(uuid) ?? people.userByEmail(uuid);
    if (!user) throw badRequest(`assignee.uuid: there is no user ${uuid}`);
    return { uuid: user.id, handle: user.handle, name: user.name };
  };
  const changeOf = ({ state, archive_reason: archiveReason, archive_comment: archiveComment, assignee, incident_ids: incidentIds, version }: Wanted): TriageChange => {
    const person = assigneeOf(assignee);
    return { state, archiveReason, archiveComment, incidentIds, version, ...(person === undefined ? {} : { assignee: person }) };
  };
  const storeFor = (call: Pick<Call, "principal" | "nowMs">): TriageStore => new TriageStore(context.sql, { nowMs: () => call.nowMs, isVisible: (id) => sight.isVisible(id, call.principal) });
  const told = (call: Pick<Call, "audit">, outcome: TriageOutcome): void => {
    if (outcome.kind !== "changed") return;
    call.audit({ action: "modified", asset: { type: "security_signal", id: outcome.id }, before: apiTriage(outcome.before), after: apiTriage(outcome.triage), message: outcome.actions.join(", ") });
  };
  const change = (call: Pick<Call, "principal" | "nowMs" | "audit">, id: string, wanted: TriageChange): RouteAnswer => {
    const outcome = context.sql.transaction(() => {
      const done = storeFor(call).change(id, wanted, actorOf(call));
      told(call, done);
      return done;
    });
    if (outcome.kind === "refused") throw refusalError(outcome.refusal);
    if (outcome.kind === "changed") context.signalsChanged([id]);
    return ok({ data: { id, type: "signal_metadata", attributes: apiTriage(outcome.triage) } });
  };
  const bulk = (call: Pick<Call, "principal" | "nowMs" | "audit">, items: ManyBody["data"]): RouteAnswer => {
    const outcomes = context.sql.transaction(() => {
      const done = storeFor(call).bulk(items.map(({ id, attributes }) => ({ id, change: changeOf(attributes) })), actorOf(call));
      if ("status" in done) throw refusalError(done);
      for (const each of done) told(call, each);
      return done;
    });
    context.signalsChanged(outcomes.filter(({ kind }) => kind === "changed").map(({ id }) => id));
    const taken = outcomes.filter((each) => each.kind !== "refused");
    const refused = outcomes.filter((each) => each.kind === "refused");
    // One wrong id among many holds nobody back; when nothing at all went well there is nothing to call done.
    if (!taken.length) throw new ApiError(400, refused.map(({ id, refusal }) => `${id}: ${refusal.text}`));
    return ok({
      type: "status", status: "done",
      result: { count: taken.length, events: taken.map(({ id, triage }) => ({ id, event: { ...apiTriage(triage), id } })) },
      ...(refused.length ? { errors: refused.map(({ id, refusal }) => ({ id, detail: refusal.text })) } : {}),
    });
  };

  const single = (name: string, operationId: string, summary: string, body: typeof StateUpdate): Route =>
    route({ ...facts, method: "PATCH", path: `${SIGNALS}/:signal_id/${name}`, operationId, summary, body }, (call) => change(call, call.params.signal_id!, changeOf((call.body as OneBody).data.attributes)));
  const several = (name: string, operationId: string, summary: string, body: typeof BulkState): Route =>
    route({ ...facts, method: "PATCH", path: `${SIGNALS}/bulk/${name}`, operationId, summary, body, answers: { 200: BulkAnswer }, refuses: [] }, (call) => bulk(call, (call.body as ManyBody).data));

  return [
    single("state", "editSecurityMonitoringSignalState", "Opens, reviews or archives a signal", StateUpdate),
    single("assignee", "editSecurityMonitoringSignalAssignee", "Gives a signal to somebody, or to nobody", AssigneeUpdate),
    single("incidents", "editSecurityMonitoringSignalIncidents", "Incidents a signal belongs to", IncidentsUpdate),
    single("update", "editSecurityMonitoringSignal", "State and assignee in one", SignalUpdate),
    several("state", "bulkEditSecurityMonitoringSignalsState", "States of many signals", BulkState),
    several("assignee", "bulkEditSecurityMonitoringSignalsAssignee", "Assignees of many signals", BulkAssignee),
    several("update", "bulkEditSecurityMonitoringSignals", "States and assignees of many signals", BulkUpdate),
    route({ ...facts, method: "PATCH", path: `${OLD}/:signal_id/state`, operationId: "editSecurityMonitoringSignalStateV1", summary: "State, in the words of version 1", body: OldState, answers: { 200: undefined } },
      (call) => old(change(call, call.params.signal_id!, changeOf({ state: call.body.state, archive_reason: call.body.archiveReason, archive_comment: call.body.archiveComment, version: call.body.version })))),
    route({ ...facts, method: "PATCH", path: `${OLD}/:signal_id/assignee`, operationId: "editSecurityMonitoringSignalAssigneeV1", summary: "Assignee, in the words of version 1", body: OldAssignee, answers: { 200: undefined } },
      (call) => old(change(call, call.params.signal_id!, changeOf(call.body)))),
    route({ ...facts, method: "PATCH", path: `${OLD}/:signal_id/add_to_incident`, operationId: "addSecurityMonitoringSignalToIncident", summary: "One more incident, in the words of version 1", body: OldIncident, answers: { 200: undefined } },
      (call) => old(change(call, call.params.signal_id!, { addIncidentIds: [call.body.incident_id], version: call.body.version }))),
  ];
}

function actorOf({ principal }: Pick<Call, "principal">): Person {
  return { uuid: principal.userId, handle: principal.handle, name: principal.name };
}

function refusalError({ status, text }: TriageRefusal): ApiError {
  return new ApiError(status, text);
}

function old(answer: RouteAnswer): RouteAnswer {
  return { ...answer, body: { status: "done" } };
}
