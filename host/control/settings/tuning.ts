import { Type } from "typebox";
import type { Json } from "../../event/event.ts";
import { readField } from "../../query/field.ts";
import { printQuery } from "../../query/print.ts";
import { isMembers } from "../../rule/reader.ts";
import { readTimeBound } from "../../search/index.ts";
import type { SignalDocument } from "../../signal/document.ts";
import { type OutcomeCount, TuningStore } from "../../store/tuning.ts";
import { badRequest } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import type { Principal } from "../principal.ts";
import { type Route, ok, route } from "../route.ts";
import { within } from "../signals/explore.ts";
import { ruleOf } from "./rule-asked.ts";
import { Tuning } from "./schemas.ts";

const DEFAULT_FROM = "now-30d";
/** Signals of each side whose values are looked at. */
const MOST_SIGNALS = 1000;
const MOST_SHOWN = 10;
/** Values of one signal that are looked at. */
const MOST_VALUES = 300;
const MOST_DEPTH = 8;
const LONGEST_VALUE = 300;
/** A value is suggested when so much of the false positives have it and so little of the others. */
const SHARE = 0.5;
const MOST_OF_OTHERS = 0.1;
const LEAST_FALSE_POSITIVES = 2;
const span = { start: 0, end: 0 };

interface Value {
  readonly field: string;
  readonly value: string;
  falsePositives: number;
  others: number;
}

/** What a rule's signals came to, and which values its false positives have in common. */
export function tuningRoutes(context: ControlContext): Route[] {
  const store = new TuningStore(context.sql);
  return [
    route({
      method: "GET", path: "/api/v2/security_monitoring/rules/:rule_id/tuning", operationId: "getRuleTuning", summary: "Matches, signals, what was suppressed, the share of false positives, and what to suppress", tag: "Rules",
      permission: "security_monitoring_signals_read", isSearch: true, answers: { 200: Tuning }, refuses: [404],
      query: Type.Object({ from: Type.Optional(Type.String()), to: Type.Optional(Type.String()) }),
    }, async ({ params, query, principal, nowMs }) => {
      const rule = ruleOf(context, params.rule_id!);
      const [fromMs, toMs] = [readTimeBound(query.from ?? DEFAULT_FROM, nowMs, "query.from"), readTimeBound(query.to ?? "now", nowMs, "query.to")];
      if (fromMs > toMs) throw badRequest("query.from: from is after to");
      const outcomes = principal.restriction ? await seenOutcomes(context, rule.id, fromMs, toMs, principal) : store.outcomes(rule.id, fromMs, toMs);
      const sum = (pick: (outcome: (typeof outcomes)[number]) => number): number => outcomes.reduce((total, outcome) => total + pick(outcome), 0);
      const archived = outcomes.filter(({ state }) => state === "archived");
      const reasons = Object.fromEntries(archived.map(({ reason, signals }) => [reason, signals]));
      const [all, over, wrong] = [sum(({ signals }) => signals), archived.reduce((total, { signals }) => total + signals, 0), reasons.false_positive ?? 0];
      // Whoever sees some signals only is told of these alone, and no values: those of others would be among them.
      const isSeen = principal.restriction === undefined;
      const [ofWrong, ofOthers] = isSeen ? [store.documents(rule.id, fromMs, toMs, true, MOST_SIGNALS), store.documents(rule.id, fromMs, toMs, false, MOST_SIGNALS)] : [[], []];
      const values = frequentValues(ofWrong, ofOthers);
      const suggested = values.find(({ falsePositives, others }) => falsePositives >= LEAST_FALSE_POSITIVES && falsePositives >= SHARE * ofWrong.length && others <= MOST_OF_OTHERS * ofOthers.length);
      return ok({
        data: {
          id: rule.id, type: "rule_tuning",
          attributes: {
            from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), matches: sum(({ events }) => events), signals: all, suppressed: isSeen ? context.suppressed().countOf(rule.id) : 0,
            archived: over, false_positives: wrong, false_positive_rate: over === 0 ? null : wrong / over, archive_reasons: reasons,
            frequent_values: values.slice(0, MOST_SHOWN).map((each) => ({ field: each.field, value: each.value, false_positives: each.falsePositives, others: each.others, share: each.falsePositives / ofWrong.length, suppression_query: queryOf(each) })),
            ...(suggested ? { suggestion: { reason: `${suggested.falsePositives} of ${ofWrong.length} false positives have it, ${suggested.others} of ${ofOthers.length} other signals`, suppression: { name: `${rule.name}: ${suggested.field} ${suggested.value}`, enabled: true, rule_query: `ruleId:${rule.id}`, suppression_query: queryOf(suggested) } } } : {}),
            is_complete: isSeen && ofWrong.length < MOST_SIGNALS && ofOthers.length < MOST_SIGNALS,
          },
        },
      });
    }),
  ];
}

/** Of the signals that somebody may see. */
async function seenOutcomes({ signalSearch }: ControlContext, ruleId: string, from: number, to: number, principal: Principal): Promise<OutcomeCount[]> {
  const { buckets } = await signalSearch.aggregate({
    filter: { query: `@workflow.rule.id:${JSON.stringify(ruleId)}`, from, to, ...within(principal) }, compute: [{ aggregation: "count" }, { aggregation: "sum", metric: "@workflow.events_matched" }],
    group_by: [{ facet: "@workflow.triage.state" }, { facet: "@workflow.triage.archiveReason", limit: 20, missing: "none" }],
  });
  return buckets.map(({ by, computes }) => {
    const [state, reason] = Object.values(by);
    return { state: state as OutcomeCount["state"], reason: reason as OutcomeCount["reason"], signals: Number(computes.c0), events: Number(computes.c1 ?? 0) };
  });
}

/** Values of false positives, those that most of them have and fewest others first; groups before what else the logs say. */
function frequentValues(falsePositives: readonly string[], others: readonly string[]): Value[] {
  const known = new Map<string, Value & { isGroup: boolean }>();
  for (const document of falsePositives) {
    for (const { field, value, isGroup } of valuesOf(document)) {
      const key = JSON.stringify([field, value]);
      const found = known.get(key) ?? { field, value, falsePositives: 0, others: 0, isGroup };
      known.set(key, found);
      found.falsePositives++;
    }
  }
  for (const document of others) {
    for (const { field, value } of valuesOf(document)) {
      const found = known.get(JSON.stringify([field, value]));
      if (found) found.others++;
    }
  }
  const gain = ({ falsePositives: wrong, others: right }: Value): number => wrong / falsePositives.length - right / Math.max(1, others.length);
  return [...known.values()].filter((each) => each.falsePositives > 1 || falsePositives.length === 1)
    .toSorted((a, b) => gain(b) - gain(a) || Number(b.isGroup) - Number(a.isGroup) || b.falsePositives - a.falsePositives || (a.field < b.field ? -1 : a.field > b.field ? 1 : a.value < b.value ? -1 : 1));
}

function valuesOf(text: string): { readonly field: string; readonly value: string; readonly isGroup: boolean }[] {
  const { group, details } = JSON.parse(text) as SignalDocument;
  const found = new Map<string, { readonly field: string; readonly value: string; readonly isGroup: boolean }>();
  const add = (field: string, value: string, isGroup = false): void => {
    const key = JSON.stringify([field, value]);
    if (found.size < MOST_VALUES && value !== "" && value.length <= LONGEST_VALUE && !found.has(key)) found.set(key, { field, value, isGroup });
  };
  for (const [field, value] of Object.entries(group)) add(field, value, true);
  if (details) {
    for (const [field, values] of [["host", details.hosts], ["service", details.services], ["source", details.sources]] as const) for (const value of values) add(field, value);
    const walk = (value: Json | undefined, path: readonly string[]): void => {
      if (value === null || value === undefined || path.length > MOST_DEPTH) return;
      if (Array.isArray(value)) for (const item of value) walk(item, path);
      else if (isMembers(value)) for (const [name, inner] of Object.entries(value as { readonly [name: string]: Json })) walk(inner, [...path, name]);
      else if (path.length && typeof value !== "boolean") add(`@${path.join(".")}`, String(value));
    };
    walk(details.attributes, []);
  }
  return [...found.values()];
}

function queryOf({ field, value }: Value): string {
  return printQuery({ kind: "leaf", field: readField(field), test: { kind: "phrase", text: value }, span });
}
