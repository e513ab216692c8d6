import { Type } from "typebox";

/** Shapes of Datadog's signals API (rule-api spec 5). */
export const SIGNALS = "/api/v2/security_monitoring/signals";

const Reason = Type.Enum(["none", "false_positive", "testing_or_maintenance", "remediated", "investigated_case_opened", "true_positive_benign", "true_positive_malicious", "other"]);
const State = Type.Enum(["open", "archived", "under_review"]);
const Version = Type.Optional(Type.Integer({ minimum: 0 }));
const Comment = Type.Optional(Type.String({ maxLength: 10_000 }));
const User = Type.Object({ uuid: Type.String({ maxLength: 100 }), handle: Type.Optional(Type.String()), name: Type.Optional(Type.Union([Type.String(), Type.Null()])), id: Type.Optional(Type.Number()), icon: Type.Optional(Type.String()) });
const Incidents = Type.Array(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), { maxItems: 100 });

const StateChange = { state: State, archive_reason: Type.Optional(Reason), archive_comment: Comment, version: Version };
const UpdateChange = { state: Type.Optional(State), archive_reason: Type.Optional(Reason), archive_comment: Comment, assignee: Type.Optional(User), version: Version };

const one = <A extends Record<string, never>>(attributes: A) => Type.Object({ data: Type.Object({ attributes: Type.Object(attributes) }) });
const many = <A extends Record<string, never>>(attributes: A) => Type.Object({ data: Type.Array(Type.Object({ id: Type.String({ minLength: 1, maxLength: 200 }), attributes: Type.Object(attributes) }), { minItems: 1 }) });

export const StateUpdate = one(StateChange as never);
export const AssigneeUpdate = one({ assignee: User, version: Version } as never);
export const IncidentsUpdate = one({ incident_ids: Incidents, version: Version } as never);
export const SignalUpdate = one(UpdateChange as never);
export const BulkState = many(StateChange as never);
export const BulkAssignee = many({ assignee: Type.String({ maxLength: 100 }), version: Version } as never);
export const BulkUpdate = many(UpdateChange as never);

/** The older calls, flat and in their own words. */
export const OldState = Type.Object({ state: State, archiveReason: Type.Optional(Reason), archiveComment: Comment, version: Version });
export const OldAssignee = Type.Object({ assignee: Type.String({ maxLength: 100 }), version: Version });
export const OldIncident = Type.Object({ incident_id: Type.Integer({ minimum: 0 }), add_to_signal_timeline: Type.Optional(Type.Boolean()), version: Version });

const TriageUser = Type.Object({ uuid: Type.String(), name: Type.String() });
export const TriageAttributes = Type.Object({ state: State, assignee: TriageUser, incident_ids: Type.Array(Type.Integer()) });
export const TriageAnswer = Type.Object({ data: Type.Object({ id: Type.String(), type: Type.Literal("signal_metadata"), attributes: TriageAttributes }) });
export const BulkAnswer = Type.Object({ type: Type.String(), status: Type.String(), result: Type.Object({ count: Type.Integer(), events: Type.Array(Type.Object({ id: Type.String(), event: TriageAttributes })) }) });

export const SignalData = Type.Object({ id: Type.String(), type: Type.Literal("signal"), attributes: Type.Object({ timestamp: Type.String(), message: Type.String(), tags: Type.Array(Type.String()), custom: Type.Object({}) }) });
export const OneSignal = Type.Object({ data: SignalData });
export const SignalList = Type.Object({ data: Type.Array(SignalData), links: Type.Optional(Type.Object({ next: Type.String() })), meta: Type.Optional(Type.Object({ page: Type.Optional(Type.Object({ after: Type.String() })) })) });
