import { type Members, isMembers } from "./reader.ts";
import type { Rule } from "./rule.ts";

type Wire = Record<string, unknown>;

/**
 * The rule in Datadog's JSON shape: everything that was given, unknown members too, with defaults filled in as a server
 * answers them. Reading the result gives the same rule.
 */
export function writeRuleWire(rule: Rule): Wire {
  const given = rule.wire;
  const wire: Wire = {
    filters: [], tags: [], hasExtendedTitle: false, isDefault: false, ...withoutNull(given),
    id: rule.id, version: rule.version, type: rule.type,
    queries: listOf(given.queries).map((query, i) => writeQuery(query, i, rule)),
    cases: listOf(given.cases).map(writeCase),
    options: writeOptions(rule),
  };
  return rule.options.method.kind === "third_party" ? mirrored(wire, rule) : wire;
}

function listOf(value: unknown): readonly Members[] {
  return Array.isArray(value) ? value.filter(isMembers) : [];
}

function withoutNull(members: Members): Wire {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
}

function writeQuery(query: Members, index: number, rule: Rule): Wire {
  if (rule.type === "signal_correlation") return { name: "", aggregation: "event_count", correlatedByFields: [], ...withoutNull(query) };
  const wire: Wire = {
    name: "", query: "", aggregation: rule.queries[index]?.aggregation ?? "count", dataSource: "logs", groupByFields: [], distinctFields: [],
    hasOptionalGroupByFields: false, ...withoutNull(query),
  };
  // One metric is told in both its forms, whichever it was given in.
  if (typeof wire.metric === "string" && !Array.isArray(wire.metrics)) wire.metrics = [wire.metric];
  if (wire.aggregation === "geo_data" && Array.isArray(wire.metrics) && wire.metric === undefined) wire.metric = wire.metrics[0] as unknown;
  return wire;
}

function writeCase(given: Members): Wire {
  return { name: "", notifications: [], ...withoutNull(given) };
}

function writeOptions(rule: Rule): Wire {
  const given = isMembers(rule.wire.options) ? withoutNull(rule.wire.options) : {};
  const { options } = rule;
  const wire: Wire = { keepAlive: options.keepAliveMs / 1000, maxSignalDuration: options.maxSignalDurationMs / 1000, ...given, detectionMethod: options.detectionMethod };
  const { method } = options;
  if (method.kind === "threshold" || method.kind === "content_anomaly") wire.evaluationWindow = options.evaluationWindowMs / 1000;
  if (method.kind === "content_anomaly") {
    wire.contentAnomalyOptions = {
      ...(isMembers(given.contentAnomalyOptions) ? given.contentAnomalyOptions : {}),
      learningDuration: method.learningDays, forgetAfter: method.forgetAfterDays,
      similarityPercentageThreshold: method.similarityPercent, nbSimilarItemsThreshold: method.similarItems,
    };
  }
  return wire;
}

/** Third-party cases are told a second time as queries and cases of the general form. */
function mirrored(wire: Wire, rule: Rule): Wire {
  const thirdPartyCases = listOf(wire.thirdPartyCases);
  if (!thirdPartyCases.length) return wire;
  return {
    ...wire,
    queries: rule.cases.map((each) => ({
      name: "", query: each.query?.text ?? "", aggregation: "none", dataSource: "logs", groupByFields: [], distinctFields: [], hasOptionalGroupByFields: false,
    })),
    cases: thirdPartyCases.map(({ query: _query, ...each }) => writeCase(each)),
  };
}
