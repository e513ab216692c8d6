import { Type } from "typebox";
import { apiSignal } from "../../signal-model/api.ts";
import { readDocument } from "../../signal-model/document.ts";
import { entitiesOf } from "../../signal-model/entities.ts";
import { relatedQuery } from "../../signal-model/related-query.ts";
import type { StoredSignal } from "../../signal-model/stored.ts";
import { relatedSignals } from "../../store/signals-related.ts";
import { TriageStore } from "../../store/signals-triage.ts";
import { notFound } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import { type Call, type Route, type RouteFacts, ok, route } from "../route.ts";
import { OneSignal, SIGNALS, SignalData } from "./schemas.ts";
import type { Sight } from "./sight.ts";

const facts: Pick<RouteFacts, "tag" | "permission" | "refuses"> = { tag: "Signals", permission: "security_monitoring_signals_read", refuses: [404] };
const Action = Type.Object({ id: Type.String(), type: Type.Enum(["investigation_log_queries", "recommended_blog_posts"]), attributes: Type.Object({}) });
const Actions = Type.Object({ data: Type.Array(Action) });
const Limit = Type.Object({ "page[limit]": Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })) });
const HOUR_MS = 3_600_000;

/** One signal, and what is known around it. */
export function investigationRoutes(context: ControlContext, sight: Sight): readonly Route[] {
  const seen = (call: Pick<Call, "principal" | "params">): StoredSignal => {
    const stored = sight.see(call.params.signal_id!, call.principal);
    if (!stored) throw notFound("Signal not found");
    return stored;
  };
  return [
    route({ ...facts, method: "GET", path: `${SIGNALS}/:signal_id`, operationId: "getSecurityMonitoringSignal", summary: "One signal", answers: { 200: OneSignal } },
      (call) => {
        const stored = seen(call);
        return ok({ data: apiSignal(stored) }, stored.version);
      }),
    route({ ...facts, method: "GET", path: `${SIGNALS}/:signal_id/history`, operationId: "getSignalHistory", summary: "What was done to a signal, newest first", query: Limit, answers: { 200: Type.Object({ data: Type.Array(Type.Object({})) }) } },
      (call) => {
        const { id } = seen(call);
        const entries = new TriageStore(context.sql, { nowMs: context.nowMs }).history(id, call.query["page[limit]"] ?? 100);
        return ok({
          data: entries.map(({ number, timestampMs, actor, action, before, after, triageVersion }) => ({
            id: String(number), type: "signal_history",
            attributes: { timestamp: new Date(timestampMs).toISOString(), action, actor, before, after, version: triageVersion },
          })),
        });
      }),
    route({ ...facts, method: "GET", path: `${SIGNALS}/:signal_id/related`, operationId: "getRelatedSignals", summary: "Signals of the same entities within a week, those that share most first", query: Limit, answers: { 200: Type.Object({ data: Type.Array(SignalData) }) } },
      (call) => {
        const { id } = seen(call);
        const found = relatedSignals(context.sql, id, call.query["page[limit]"] ?? 50) ?? [];
        const shown = found.filter(({ signal }) => sight.isVisible(signal.id, call.principal));
        return ok({ data: shown.map(({ signal, shared }) => ({ ...apiSignal(signal), meta: { shared } })) });
      }),
    route({ ...facts, method: "GET", path: `${SIGNALS}/:signal_id/entities`, operationId: "getSignalEntities", summary: "Whom and what a signal is about", answers: { 200: Type.Object({ data: Type.Object({ id: Type.String(), type: Type.Literal("entities"), attributes: Type.Object({ identities: Type.Array(Type.Object({})) }) }) }) } },
      (call) => {
        const stored = seen(call);
        return ok({ data: { id: stored.id, type: "entities", attributes: { identities: entitiesOf(readDocument(stored.document)).map(({ type, value, text, isPrimary }) => ({ type, value, query: text, is_primary: isPrimary })) } } });
      }),
    route({ ...facts, method: "GET", path: `${SIGNALS}/:signal_id/investigation_queries`, operationId: "getInvestigationLogQueriesMatchingSignal", summary: "Log searches that tell more of a signal", answers: { 200: Actions } },
      (call) => ok({ data: investigationQueries(seen(call)) })),
    route({ ...facts, method: "GET", path: `${SIGNALS}/:signal_id/suggested_actions`, operationId: "getSuggestedActionsMatchingSignal", summary: "What to look at next", answers: { 200: Actions } },
      (call) => ok({ data: investigationQueries(seen(call)) })),
  ];
}

/** The signal's own logs, and all that its entities did around it. */
function investigationQueries(stored: StoredSignal): unknown[] {
  const document = readDocument(stored.document);
  const own = relatedQuery(document);
  const [fromMs, toMs] = [document.first_seen - HOUR_MS, document.last_seen + HOUR_MS];
  const around = entitiesOf(document).filter(({ isPrimary }) => isPrimary).map(({ type, value, text }) => {
    const at = text.indexOf(":");
    return { title: `All logs of ${type} ${value}`, query: `${text.slice(0, at)}:"${value.replaceAll(/[\\"]/g, "\\$&")}"`, from: fromMs, to: toMs };
  });
  const all = [...(own ? [{ title: "Logs of this signal", query: own.query, from: Date.parse(own.from), to: Date.parse(own.to) }] : []), ...around];
  return all.map(({ title, query, from, to }, i) => ({
    id: `${stored.id}-${i}`, type: "investigation_log_queries",
    attributes: { name: title, title, query_filter: query, template_variables: {}, url: `/logs?query=${encodeURIComponent(query.toWellFormed())}&from_ts=${from}&to_ts=${to}&live=false` },
  }));
}
