/** A detection rule as the API writes it, as far as these pages look at it; members they do not know stay in it. */
export interface RuleQueryWire {
  readonly name?: string;
  readonly query?: string;
  readonly aggregation?: string;
  readonly groupByFields?: readonly string[];
  readonly distinctFields?: readonly string[];
  readonly metrics?: readonly string[];
  readonly dataSource?: string;
  readonly customQueryExtension?: string;
  readonly [member: string]: unknown;
}

export interface RuleCaseWire {
  readonly name?: string;
  readonly status?: string;
  readonly condition?: string;
  readonly query?: string;
  readonly notifications?: readonly string[];
  readonly customStatus?: string;
  readonly [member: string]: unknown;
}

export interface RuleTestWire {
  readonly name?: string;
  readonly query?: string;
  readonly expected?: boolean;
  readonly log?: unknown;
  readonly [member: string]: unknown;
}

export interface RuleDraft {
  readonly name: string;
  readonly type: string;
  readonly message: string;
  readonly isEnabled: boolean;
  readonly tags: readonly string[];
  readonly queries: readonly RuleQueryWire[];
  readonly cases: readonly RuleCaseWire[];
  readonly thirdPartyCases?: readonly RuleCaseWire[];
  readonly options: Readonly<Record<string, unknown>> & { readonly detectionMethod?: string; readonly evaluationWindow?: number; readonly keepAlive?: number; readonly maxSignalDuration?: number };
  readonly tests?: readonly RuleTestWire[];
  readonly [member: string]: unknown;
}

export interface Rule extends RuleDraft {
  readonly id: string;
  readonly version: number;
  readonly isDefault: boolean;
  readonly isDeprecated: boolean;
  readonly createdAt: number;
  readonly updatedAt?: number;
  readonly creator: { readonly handle: string; readonly name: string };
  readonly lint?: ReadonlyArray<{ readonly code: string; readonly place: string; readonly message: string; readonly hint?: string }>;
}

export const RULES = "/api/v2/security_monitoring/rules";

export interface Method {
  readonly id: string;
  /** Other names that rules have it by; one made here has the id, which Datadog's client knows. */
  readonly aliases?: readonly string[];
  readonly title: string;
  readonly about: string;
  readonly aggregations: readonly string[];
  /** The member of options that is this method's own, and what it begins with. */
  readonly member?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /** What its first case says. */
  readonly condition?: string;
  /** It has a window of its own. */
  readonly isWindowless?: boolean;
  /** It takes one query and no more. */
  readonly isSingle?: boolean;
}

const counting = ["count", "cardinality", "sum", "max", "event_count"] as const;

export const methods: readonly Method[] = [
  { id: "threshold", title: "Threshold", about: "So many events, distinct values, or so great a sum within a window", aggregations: counting, condition: "a > 10" },
  { id: "new_value", title: "New value", about: "A value that was not seen before", aggregations: ["new_value"], member: "newValueOptions", options: { forgetAfter: 28, learningMethod: "duration", learningDuration: 7, learningThreshold: 0, instantaneousBaseline: false }, isWindowless: true, isSingle: true },
  { id: "anomaly_detection", title: "Anomaly", about: "More of something than it ever was at this time", aggregations: ["count", "cardinality", "sum"], isSingle: true, member: "anomalyDetectionOptions", options: { bucketDuration: 300, learningDuration: 24, detectionTolerance: 5 }, condition: "a > 0.8" },
  {
    id: "anomaly_threshold", aliases: ["content_anomaly"], title: "Content anomaly", about: "So many texts within a window that are unlike those before", aggregations: ["count"], condition: "a > 0",
    member: "contentAnomalyOptions", options: { learningDuration: 7, forgetAfter: 7, similarityPercentageThreshold: 70, nbSimilarItemsThreshold: 1 },
  },
  { id: "impossible_travel", title: "Impossible travel", about: "Two places too far apart for the time between", aggregations: ["geo_data"], member: "impossibleTravelOptions", options: { baselineUserLocations: true }, isWindowless: true, isSingle: true },
  { id: "third_party", title: "Third party", about: "Another product's alerts become signals", aggregations: ["none"], member: "thirdPartyRuleOptions", options: { defaultStatus: "medium", rootQueries: [{ query: "source:guardduty", groupByFields: [] }] }, isWindowless: true },
  { id: "sequence_detection", title: "Sequence", about: "Steps one after another", aggregations: counting, member: "sequenceDetectionOptions", options: { steps: [], stepTransitions: [] } },
  { id: "hardcoded", title: "Log4Shell", about: "A lookup of Log4Shell anywhere in a log, however it is disguised", aggregations: ["none", "count"], isWindowless: true, isSingle: true },
];

export const methodOf = (rule: Pick<RuleDraft, "options">): Method => methods.find(({ id, aliases = [] }) => [id, ...aliases].includes(rule.options.detectionMethod ?? "threshold")) ?? methods[0]!;

export const emptyRule: RuleDraft = {
  name: "", type: "log_detection", message: "", isEnabled: true, tags: [],
  queries: [{ name: "a", query: "", aggregation: "count", groupByFields: [], distinctFields: [], dataSource: "logs" }],
  cases: [{ name: "", status: "medium", condition: "a > 10", notifications: [] }],
  options: { detectionMethod: "threshold", evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86_400 }, tests: [],
};

/** The same rule by another method: its own options begin anew, and aggregations that it does not know are replaced. */
export function withMethod(rule: RuleDraft, id: string): RuleDraft {
  const method = methods.find((each) => each.id === id)!;
  const { evaluationWindow = 300, keepAlive = 3600, maxSignalDuration = 86_400 } = rule.options;
  const options = { detectionMethod: id, evaluationWindow: method.isWindowless ? 0 : evaluationWindow, keepAlive, maxSignalDuration, ...(method.member ? { [method.member]: method.options } : {}), ...(id === "hardcoded" ? { hardcodedEvaluatorType: "log4shell" } : {}) };
  if (id === "third_party") return { ...rule, options, queries: [], cases: [], thirdPartyCases: [{ name: "", status: "medium", query: "*", notifications: [] }] };
  const queries = (rule.queries.length ? rule.queries : emptyRule.queries).slice(0, method.isSingle ? 1 : undefined).map((query) => ({ ...query, aggregation: method.aggregations.includes(query.aggregation ?? "count") ? query.aggregation : method.aggregations[0], ...(id === "impossible_travel" ? { metrics: ["@network.client.geoip"] } : {}) }));
  const cases = (rule.cases.length ? rule.cases : emptyRule.cases).map((each) => (method.condition === undefined ? { ...each, condition: "" } : { ...each, condition: each.condition && each.condition !== methodOf(rule).condition ? each.condition : method.condition }));
  const { thirdPartyCases: _, ...rest } = rule;
  return { ...rest, options, queries, cases };
}

/** What the API takes: without what the server adds. */
const SERVERS = ["id", "version", "isDefault", "isDeleted", "isDeprecated", "createdAt", "updatedAt", "creator", "updater", "creationAuthorId", "updateAuthorId", "lint", "defaultTags", "metadata"];

export function draftOf(rule: Rule): RuleDraft {
  return Object.fromEntries(Object.entries(rule).filter(([name]) => !SERVERS.includes(name))) as RuleDraft;
}

const ORDER = ["critical", "high", "medium", "low", "info"];

export function severityOf({ cases, thirdPartyCases = [] }: Pick<RuleDraft, "cases" | "thirdPartyCases">): string {
  const all = [...cases, ...thirdPartyCases].map(({ customStatus, status }) => customStatus ?? status ?? "info");
  return ORDER.find((each) => all.includes(each)) ?? "info";
}

export const tagValues = (tags: readonly string[], key: string): readonly string[] => tags.filter((tag) => tag.startsWith(`${key}:`)).map((tag) => tag.slice(key.length + 1));
