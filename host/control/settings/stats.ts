import { Type } from "typebox";
import { matches } from "../../query/matches.ts";
import type { QueryNode } from "../../query/tree.ts";
import { isMembers } from "../../rule/reader.ts";
import type { Rule } from "../../rule/rule.ts";
import { ruleEvent } from "../../rule/select.ts";
import type { Suppression } from "../../rule/suppression.ts";
import { apiLog, readTimeBound } from "../../search/index.ts";
import { canonicalQuery } from "../../signal-search/aliases.ts";
import { type RuleDocument, RuleStore } from "../../store/rules.ts";
import { type SuppressedSample, SuppressedStore } from "../../store/suppressed.ts";
import { ApiError, badRequest } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import { within } from "../logs/room.ts";
import type { Principal } from "../principal.ts";
import { type Route, ok, route } from "../route.ts";
import { type SettingKeeper, authorOf } from "./keeper.ts";
import { ruleOf } from "./rule-asked.ts";
import { Stats, Suppressions } from "./schemas.ts";
import { SUPPRESSIONS, readingSuppressions, suppressionData, writingSuppressions } from "./suppressions.ts";

/** Excluded logs are counted where they lie, for so long at most. */
const COUNT_MS = 3000;
const SHOWN_LOGS = 10;
const DEFAULT_FROM = "now-1d";
const span = { start: 0, end: 0 };

/** What suppressions stopped; and suppressions made of the filters that rules had before there were any. */
export function statsRoutes(context: ControlContext, keeper: SettingKeeper<Suppression>): Route[] {
  const samples = new SuppressedStore(context.sql);
  const rules = new RuleStore(context.sql);
  return [
    route({
      ...readingSuppressions, method: "GET", path: `${SUPPRESSIONS}/:suppression_id/stats`, operationId: "getSuppressionStats", summary: "What a suppression stopped: counts, the last matches, and logs it keeps from rules", isSearch: true, answers: { 200: Stats }, refuses: [404],
      query: Type.Object({ from: Type.Optional(Type.String()), to: Type.Optional(Type.String()) }),
    }, async ({ params, query, principal, nowMs }) => {
      const { id, form } = keeper.get(params.suppression_id!);
      const [fromMs, toMs] = [readTimeBound(query.from ?? DEFAULT_FROM, nowMs, "query.from"), readTimeBound(query.to ?? "now", nowMs, "query.to")];
      if (fromMs > toMs) throw badRequest("query.from: from is after to");
      const { restriction } = principal;
      const seen = principal.permissions.has("security_monitoring_signals_read") ? samples.samples(id).filter(({ signal }) => !restriction || restriction.some((node) => matches(canonicalQuery(node), signal))) : [];
      // Whoever sees some signals only is told of those among the last matches that they would have seen.
      const count = restriction ? countOf(seen) : context.suppressed().count(id);
      const names = new Map((context.setup().rules as readonly Rule[]).map((rule) => [rule.id, rule.name]));
      return ok({
        data: {
          id, type: "suppression_stats",
          attributes: {
            matches: count?.matches ?? 0, ...(count ? { first_match: new Date(count.firstMs).toISOString(), last_match: new Date(count.lastMs).toISOString() } : {}),
            by_rule: Object.entries(count?.byRule ?? {}).map(([ruleId, each]) => ({ rule_id: ruleId, ...(names.has(ruleId) ? { rule_name: names.get(ruleId) } : {}), matches: each })).toSorted((a, b) => b.matches - a.matches),
            samples: seen.map(({ timeMs, ruleId, ruleName, group, severity, signal }) => ({ time: new Date(timeMs).toISOString(), rule_id: ruleId, rule_name: ruleName, group, severity, signal })),
            ...(form?.exclusionNode && principal.permissions.has("logs_read_data") ? { excluded: await excluded(context, form, fromMs, toMs, principal) } : {}),
          },
        },
      });
    }),
    route({ ...writingSuppressions, permission: "security_monitoring_suppressions_write", method: "POST", path: `${SUPPRESSIONS}/from_rule/:rule_id`, operationId: "createSuppressionsFromRule", summary: "Makes suppressions of a rule's legacy filters, which go where the rule is one's own", answers: { 200: Suppressions }, refuses: [404, 409] },
      async (call) => {
        const rule = ruleOf(context, call.params.rule_id!);
        const filters = legacyFilters(rule.wire as RuleDocument);
        const suppressing = filters.filter(({ action }) => action === "suppress");
        if (!suppressing.length) throw badRequest(`rule ${rule.id} has no legacy filter that suppresses`);
        const stored = rules.get(rule.id);
        const isOwn = stored?.origin === "own";
        if (isOwn && !call.principal.permissions.has("security_monitoring_rules_write")) throw new ApiError(403, "Forbidden");
        const documents = suppressing.map(({ query }, i) => ({ name: `${rule.name}: legacy filter ${i + 1}`, description: `Made of a filter of rule ${rule.id}.`, enabled: true, rule_query: `ruleId:${rule.id}`, data_exclusion_query: query, tags: [] }));
        const made = await keeper.createSome(call, documents, () => {
          if (!isOwn) return;
          const document = { ...stored.document, filters: filters.filter(({ action }) => action !== "suppress") };
          if (!rules.write(rule.id, stored.version, { whole: document, document }, authorOf(call.principal), call.nowMs)) throw new ApiError(409, "the rule was changed by somebody else; read it again");
          call.audit({ action: "modified", asset: { type: "security_rule", id: rule.id, name: rule.name }, before: stored.document, after: document, message: "legacy filters became suppressions" });
        });
        return ok({ data: made.map(suppressionData) });
      }),
  ];
}

function countOf(samples: readonly SuppressedSample[]): SuppressedCount | undefined {
  if (!samples.length) return undefined;
  const times = samples.map(({ timeMs }) => timeMs);
  const byRule: Record<string, number> = {};
  for (const { ruleId } of samples) byRule[ruleId] = (byRule[ruleId] ?? 0) + 1;
  return { matches: samples.length, firstMs: Math.min(...times), lastMs: Math.max(...times), byRule };
}

type SuppressedCount = NonNullable<ReturnType<ReturnType<ControlContext["suppressed"]>["count"]>>;

interface LegacyFilter {
  readonly action: string;
  readonly query: string;
}

function legacyFilters({ filters }: RuleDocument): LegacyFilter[] {
  return Array.isArray(filters) ? filters.filter(isMembers).map(({ action, query }) => ({ action: String(action), query: String(query) })) : [];
}

/** Logs that rules of the suppression would have matched, and that it keeps from them: looked for in the journal, not counted as they come. */
async function excluded(context: ControlContext, suppression: Suppression, fromMs: number, toMs: number, principal: Principal): Promise<Record<string, unknown>> {
  const rules = (context.setup().rules as readonly Rule[]).filter((rule) => rule.isEnabled && matches(suppression.ruleNode, ruleEvent(rule)));
  const queries = rules.flatMap((rule) => rule.queries).filter(({ dataSource, correlation }) => dataSource === "logs" && !correlation).map(({ node }) => node);
  const [from, to] = [Math.max(fromMs, suppression.startMs ?? fromMs), Math.min(toMs, suppression.expirationMs ?? toMs)];
  const told = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
  if (!suppression.enabled || !queries.length || from >= to) return { ...told, logs: 0, is_complete: true, samples: [] };
  const limit = within(principal);
  const node: QueryNode = { kind: "and", nodes: [suppression.exclusionNode!, queries.length === 1 ? queries[0]! : { kind: "or", nodes: queries, span }, ...(limit ? [limit] : [])], span };
  const found = await context.logSearch().search({ query: node, fromMs: from, toMs: to + 1, limit: SHOWN_LOGS, mostMs: COUNT_MS, tallies: [{ fields: [] }] });
  return { ...told, logs: found.tallies[0]?.groups.reduce((sum, { count }) => sum + count, 0) ?? 0, is_complete: found.complete, samples: found.logs.map(apiLog) };
}
