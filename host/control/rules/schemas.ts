import { Type } from "typebox";
import { severities } from "../../rule/rule.ts";
import { canaryStates } from "./health.ts";

const text = (description: string) => Type.Optional(Type.String({ description }));
const texts = Type.Optional(Type.Array(Type.String()));
const members = Type.Optional(Type.Object({}));
const list = Type.Optional(Type.Array(Type.Object({})));

/**
 * A rule as it comes in. Its members are checked by the reader of rules, which tells all faults at once, each with its place and a way
 * out; the schema only names them.
 */
export const RulePayload = Type.Object({
  name: Type.Optional(Type.Unknown({ description: "text" })),
  type: Type.Optional(Type.Unknown({ description: "log_detection, signal_correlation, workload_security, application_security, api_security, workload_activity, cloud_configuration or infrastructure_configuration" })),
  message: Type.Optional(Type.Unknown({ description: "text: what to check and do, Markdown with variables" })),
  isEnabled: Type.Optional(Type.Unknown({ description: "true or false" })),
  tags: Type.Optional(Type.Unknown({ description: "list of texts" })),
  queries: Type.Optional(Type.Unknown({ description: "list of { name, query, aggregation, groupByFields, distinctFields, metrics, dataSource, ... }" })),
  cases: Type.Optional(Type.Unknown({ description: "list of { name, status, condition, notifications, ... }" })),
  thirdPartyCases: Type.Optional(Type.Unknown({ description: "list of { name, status, query, notifications }" })),
  options: Type.Optional(Type.Unknown({ description: "{ detectionMethod, evaluationWindow, keepAlive, maxSignalDuration, ... }, durations in seconds" })),
  filters: Type.Optional(Type.Unknown({ description: "list of { action: require or suppress, query }" })),
  groupSignalsBy: Type.Optional(Type.Unknown({ description: "list of texts" })),
  hasExtendedTitle: Type.Optional(Type.Unknown({ description: "true or false" })),
  referenceTables: Type.Optional(Type.Unknown({ description: "list of { tableName, columnName, logFieldPath, checkPresence, columns, ruleQueryName }" })),
  schedulingOptions: Type.Optional(Type.Unknown({ description: "{ rrule, start, timezone }" })),
  calculatedFields: Type.Optional(Type.Unknown({ description: "list of { name, expression }" })),
  deprecationDate: Type.Optional(Type.Unknown({ description: "milliseconds: from then on the rule is disabled, and fifteen months later deleted" })),
  replacedBy: Type.Optional(Type.Unknown({ description: "id of the rule that follows a deprecated one" })),
}, { description: "a detection rule in Datadog's shape; unknown members are kept" });

export const RuleChange = Type.Intersect([RulePayload, Type.Object({
  version: Type.Optional(Type.Unknown({ description: "the version the change was made of; another one now is a refusal" })),
  customName: Type.Optional(Type.Unknown({ description: "text: of default rules" })),
  customMessage: Type.Optional(Type.Unknown({ description: "text: of default rules" })),
})]);

const Person = Type.Object({ handle: Type.String(), name: Type.String() });
const Case = Type.Object({ name: text("of the case"), status: Type.Optional(Type.Enum([...severities])), customStatus: Type.Optional(Type.Enum([...severities])), condition: text("over the queries' labels"), notifications: texts });

export const Rule = Type.Object({
  id: Type.String(), version: Type.Integer(), name: Type.String(), message: Type.String(), type: Type.String(), isEnabled: Type.Boolean(), isDefault: Type.Boolean(), isDeleted: Type.Boolean(), isDeprecated: Type.Boolean(),
  queries: Type.Array(Type.Object({})), cases: Type.Array(Case), thirdPartyCases: list, options: Type.Object({}), filters: list, tags: texts, defaultTags: texts, groupSignalsBy: texts,
  hasExtendedTitle: Type.Boolean(), referenceTables: list, schedulingOptions: members, calculatedFields: list, customName: text("what the users of a default rule call it"), customMessage: text("what they say in it"),
  createdAt: Type.Integer({ description: "milliseconds" }), creationAuthorId: Type.Integer(), updatedAt: Type.Optional(Type.Integer()), updateAuthorId: Type.Optional(Type.Integer()), creator: Person, updater: Type.Optional(Person),
  deprecationDate: Type.Optional(Type.Integer()), deletionDate: Type.Optional(Type.Integer()), replacedBy: text("id of the rule that follows"), metadata: members,
  lint: Type.Optional(Type.Array(Type.Object({ code: Type.String(), place: Type.String(), message: Type.String(), hint: text("the way out") }), { description: "after a change: what a detection engineer would want to hear of it" })),
});

export const Rules = Type.Object({ data: Type.Array(Rule), meta: Type.Object({ page: Type.Object({ total_count: Type.Integer(), total_filtered_count: Type.Integer() }) }) });

export const RuleId = Type.Object({ rule_id: Type.String() });

export const TestRequest = Type.Object({
  rule: Type.Optional(RulePayload),
  ruleQueryPayloads: Type.Optional(Type.Array(Type.Object({ index: Type.Optional(Type.Integer({ minimum: 0 })), expectedResult: Type.Optional(Type.Boolean()), payload: Type.Optional(Type.Object({})) }))),
});
export const TestResponse = Type.Object({ results: Type.Array(Type.Boolean()) });
export const ConvertResponse = Type.Object({ ruleId: Type.Optional(Type.String()), terraformContent: Type.String() });

const idList = (type: string) => Type.Object({ data: Type.Object({ id: Type.Optional(Type.String()), type: Type.Literal(type), attributes: Type.Object({ ruleIds: Type.Array(Type.String(), { minItems: 1, maxItems: 1000 }) }) }) });
export const BulkExport = idList("security_monitoring_rules_bulk_export");
export const BulkConvert = idList("security_monitoring_rules_convert_bulk");
export const BulkDelete = idList("bulk_delete_rules");
export const BulkDeleted = Type.Object({ data: Type.Object({ id: Type.String(), type: Type.Literal("bulk_delete_response"), attributes: Type.Object({ deletedRules: Type.Array(Type.String()), failedRules: Type.Array(Type.String()) }) }) });

export const History = Type.Object({
  data: Type.Object({
    id: Type.String(), type: Type.Literal("GetRuleVersionHistoryResponse"),
    attributes: Type.Object({
      count: Type.Integer(),
      data: Type.Record(Type.String(), Type.Object({ rule: Type.Object({}), changes: Type.Array(Type.Object({ field: Type.String(), change: Type.String(), type: Type.Enum(["create", "update", "delete"]) })) })),
    }),
  }),
});
export const Diff = Type.Object({ data: Type.Object({ id: Type.String(), type: Type.Literal("rule_version_diff"), attributes: Type.Object({ from: Type.Integer(), to: Type.Integer(), mode: Type.Enum(["split", "unified"]), changes: Type.Array(Type.Object({})) }) }) });

const Bound = Type.Union([Type.String(), Type.Number()]);
export const PreviewRequest = Type.Object({ rule: Type.Optional(RulePayload), queries: Type.Optional(Type.Array(Type.Object({}))), from: Type.Optional(Bound), to: Type.Optional(Bound), limit: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })) });
export const PreviewResponse = Type.Object({ data: Type.Array(Type.Object({ id: Type.String(), type: Type.Literal("rule_query_preview"), attributes: Type.Object({ query: Type.String(), count: Type.Integer(), complete: Type.Boolean(), ids: Type.Array(Type.String()), logs: Type.Array(Type.Object({})) }) })) });
export const Imported = Type.Object({ data: Type.Array(Rule) });
export const CloneRequest = Type.Object({ name: Type.Optional(Type.String({ minLength: 1 })), isEnabled: Type.Optional(Type.Boolean()) });

export const RuleHealth = Type.Object({
  data: Type.Array(Type.Object({
    id: Type.String(), type: Type.Literal("rule_health"),
    attributes: Type.Object({
      canary: Type.Enum([...canaryStates]), reason: Type.Optional(Type.String()),
      matches: Type.Optional(Type.Integer({ description: "of its queries, each of which moves what the rule remembers" })), share: Type.Optional(Type.Number({ description: "of the matches of all rules, from 0 to 1" })),
    }),
  })),
  meta: Type.Object({ since: Type.Optional(Type.String()), events: Type.Optional(Type.Integer()), matches: Type.Optional(Type.Integer()) }),
});
