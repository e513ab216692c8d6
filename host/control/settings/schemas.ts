import { type TProperties, Type } from "typebox";
import { severities } from "../../rule/rule.ts";

const Text = Type.String({ maxLength: 20_000 });
const Query = Type.String({ maxLength: 50_000 });
const Name = Type.String({ minLength: 1, maxLength: 500 });
const Tags = Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 200 });
/** Milliseconds since 1970. */
const Time = Type.Integer({ minimum: 0, maximum: 253_402_300_799_999 });
const TimeOrNone = Type.Union([Time, Type.Null()]);
const Version = Type.Optional(Type.Integer());
const User = Type.Object({ handle: Type.String(), name: Type.String() });

const wrapped = <T extends string, P extends TProperties>(type: T, attributes: P) => Type.Object({ data: Type.Object({ type: Type.Literal(type), attributes: Type.Object(attributes) }) });
const answered = <T extends string, P extends TProperties>(type: T, attributes: P) => Type.Object({ id: Type.String(), type: Type.Literal(type), attributes: Type.Object(attributes) });

const optionalSuppression = { description: Type.Optional(Text), suppression_query: Type.Optional(Query), data_exclusion_query: Type.Optional(Query), tags: Type.Optional(Tags) };
export const SuppressionCreate = wrapped("suppressions", { name: Name, enabled: Type.Boolean(), rule_query: Query, start_date: Type.Optional(TimeOrNone), expiration_date: Type.Optional(TimeOrNone), ...optionalSuppression });
export const SuppressionUpdate = wrapped("suppressions", { name: Type.Optional(Name), enabled: Type.Optional(Type.Boolean()), rule_query: Type.Optional(Query), start_date: Type.Optional(TimeOrNone), expiration_date: Type.Optional(TimeOrNone), version: Version, ...optionalSuppression });
export const Suppression = answered("suppressions", {
  name: Type.String(), description: Type.Optional(Type.String()), enabled: Type.Boolean(), editable: Type.Boolean(), rule_query: Type.String(), suppression_query: Type.String(), data_exclusion_query: Type.String(),
  start_date: Type.Optional(Type.Integer()), expiration_date: Type.Optional(Type.Integer()), tags: Type.Array(Type.String()), version: Type.Integer(), creation_date: Type.Optional(Type.Integer()), creator: Type.Optional(User), update_date: Type.Optional(Type.Integer()), updater: Type.Optional(User),
});
export const OneSuppression = Type.Object({ data: Suppression });
export const Suppressions = Type.Object({ data: Type.Array(Suppression), meta: Type.Optional(Type.Object({ page: Type.Object({ pageNumber: Type.Integer(), pageSize: Type.Integer(), totalCount: Type.Integer() }) })) });
export const SuppressionHistory = Type.Object({ data: Type.Object({ id: Type.String(), type: Type.Literal("suppression_version_history"), attributes: Type.Object({ count: Type.Integer(), data: Type.Object({}) }) }) });

const Exclusions = Type.Array(Type.Object({ name: Name, query: Query }), { maxItems: 100 });
const Logs = Type.Literal("logs");
export const FilterCreate = wrapped("security_filters", { name: Name, query: Query, is_enabled: Type.Boolean(), filtered_data_type: Logs, exclusion_filters: Exclusions });
export const FilterUpdate = wrapped("security_filters", { name: Type.Optional(Name), query: Type.Optional(Query), is_enabled: Type.Optional(Type.Boolean()), filtered_data_type: Type.Optional(Logs), exclusion_filters: Type.Optional(Exclusions), version: Version });
const filter = { name: Type.String(), query: Type.String(), is_enabled: Type.Boolean(), is_builtin: Type.Boolean(), filtered_data_type: Logs, exclusion_filters: Type.Array(Type.Object({ name: Type.String(), query: Type.String() })), version: Type.Integer() };
const FilterMeta = Type.Optional(Type.Object({ warning: Type.Optional(Type.String()) }));
export const OneFilter = Type.Object({ data: answered("security_filters", filter), meta: FilterMeta });
export const Filters = Type.Object({ data: Type.Array(answered("security_filters", filter)), meta: FilterMeta });
export const FilterVersions = Type.Object({ data: Type.Array(answered("security_filters_configuration", { date: Type.Integer(), version: Type.Integer(), filters: Type.Array(Type.Object({ id: Type.String(), ...filter })) })) });

const AssetSeverity = Type.Enum([...severities, "increase", "decrease", "no-op"]);
export const AssetCreate = wrapped("critical_assets", { query: Query, rule_query: Query, severity: AssetSeverity, enabled: Type.Optional(Type.Boolean()), description: Type.Optional(Text), tags: Type.Optional(Tags) });
export const AssetUpdate = wrapped("critical_assets", { query: Type.Optional(Query), rule_query: Type.Optional(Query), severity: Type.Optional(AssetSeverity), enabled: Type.Optional(Type.Boolean()), description: Type.Optional(Text), tags: Type.Optional(Tags), version: Version });
const Asset = answered("critical_assets", {
  query: Type.String(), rule_query: Type.String(), severity: AssetSeverity, enabled: Type.Boolean(), editable: Type.Boolean(), description: Type.Optional(Type.String()), tags: Type.Array(Type.String()), version: Type.Integer(),
  creation_author_id: Type.Optional(Type.Integer()), creation_date: Type.Optional(Type.Integer()), creator: Type.Optional(User), update_author_id: Type.Optional(Type.Integer()), update_date: Type.Optional(Type.Integer()), updater: Type.Optional(User),
});
export const OneAsset = Type.Object({ data: Asset });
export const Assets = Type.Object({ data: Type.Array(Asset) });

const Sample = Type.Object({ time: Type.String(), rule_id: Type.String(), rule_name: Type.String(), group: Type.Object({}), severity: Type.String(), signal: Type.Object({}) });
export const Stats = Type.Object({
  data: answered("suppression_stats", {
    matches: Type.Integer({ description: "matches that opened or extended no signal" }), first_match: Type.Optional(Type.String()), last_match: Type.Optional(Type.String()),
    by_rule: Type.Array(Type.Object({ rule_id: Type.String(), rule_name: Type.Optional(Type.String()), matches: Type.Integer() })),
    samples: Type.Array(Sample, { description: "newest first, 100 at most" }),
    excluded: Type.Optional(Type.Object({ from: Type.String(), to: Type.String(), logs: Type.Integer(), is_complete: Type.Boolean(), samples: Type.Array(Type.Object({})) }, { description: "logs in the journal that the data exclusion keeps from the rules it is for" })),
  }),
});

const Share = Type.Object({ field: Type.String(), value: Type.String(), false_positives: Type.Integer(), others: Type.Integer(), share: Type.Number(), suppression_query: Type.String() });
export const Tuning = Type.Object({
  data: answered("rule_tuning", {
    from: Type.String(), to: Type.String(), matches: Type.Integer({ description: "events that were matched by its signals" }), signals: Type.Integer(), suppressed: Type.Integer({ description: "matches that suppressions stopped" }),
    archived: Type.Integer(), false_positives: Type.Integer(), false_positive_rate: Type.Union([Type.Number(), Type.Null()], { description: "of the archived signals; null while there is none" }),
    archive_reasons: Type.Object({}), frequent_values: Type.Array(Share), suggestion: Type.Optional(Type.Object({ reason: Type.String(), suppression: Type.Object({}) })), is_complete: Type.Boolean(),
  }),
});
