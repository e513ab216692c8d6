import { Type } from "typebox";
import { entityRisk } from "../../insight/entities.ts";
import { readInterval, readTimeBound } from "../../search/time-text.ts";
import { RISK_WINDOW_MS } from "../../signal-model/risk.ts";
import type { EntityDetail } from "../../signal-search/entity-rows.ts";
import { badRequest, notFound } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import type { Room } from "../control.ts";
import { type Call, type Route, type RouteFacts, ok, route } from "../route.ts";
import { wholeIndex, within } from "../signals/explore.ts";
import { apiEntity, apiEntityDetail, apiRiskScore } from "./answer.ts";
import { EntityList, EntitySummary, OneEntity, OneRiskScore, RiskScores } from "./schemas.ts";

const ENTITIES = "/api/v2/security/entities";
const RISK_SCORES = "/api/v2/security-entities/risk-scores";
const facts: Pick<RouteFacts, "tag" | "permission" | "isSearch"> = { tag: "Entities", permission: "security_monitoring_signals_read", isSearch: true };
const Time = Type.Optional(Type.String({ maxLength: 100 }));
const Ms = Type.Optional(Type.Integer({ minimum: 0, maximum: 8.64e15 }));
const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 }));
const MOST_OFFSET = 1_000_000;
const MOST_POINTS = 5000;
const DEFAULT_LIMIT = 25;
const TOP = 10;
/** Names of Datadog's sorts, which say the order behind a colon. */
const sorts: Readonly<Record<string, string>> = { riskScore: "score", riskScoreEvolution: "change", entityName: "value", entityType: "type", signalsDetected: "signals", firstDetected: "first_seen", lastDetected: "last_seen" };

/** Whom and what signals are about, and how much they add up to: scores are of the signals the asker may see. */
export function entitiesRoom(context: ControlContext): Room {
  const whole = wholeIndex(context.signalSearch);
  const routes = [...ownRoutes(context), ...officialRoutes(context)];
  return {
    routes: routes.map((each): Route => ({ ...each, handle: async (call) => {
      await whole();
      return await each.handle(call);
    } })),
  };
}

function ownRoutes(context: ControlContext): readonly Route[] {
  const { signalSearch: search } = context;
  return [
    route({ ...facts, method: "GET", path: ENTITIES, operationId: "listEntities", summary: "Entities with a risk score, by a query such as type:user severity:critical", answers: { 200: EntityList }, query: Type.Object({ "filter[query]": Type.Optional(Type.String()), from: Time, as_of: Time, sort: Type.Optional(Type.String()), "page[limit]": Limit, "page[offset]": Type.Optional(Type.Integer({ minimum: 0, maximum: MOST_OFFSET })) }) },
      async ({ query, principal, nowMs }) => {
        const atMs = timeOf(query.as_of, nowMs, "as_of") ?? nowMs;
        const fromMs = timeOf(query.from, nowMs, "from");
        const { "filter[query]": text, sort, "page[limit]": limit = DEFAULT_LIMIT, "page[offset]": offset = 0 } = query;
        const { rows, total, byType, bySeverity } = await search.entities({ atMs, ...(fromMs === undefined ? {} : { fromMs }), query: text, sort, offset, limit, ...within(principal) });
        // The next page is of the same instant, so that none is left out or told twice when time goes on.
        const next = new URLSearchParams({ ...(text ? { "filter[query]": text } : {}), ...(sort ? { sort } : {}), ...(fromMs === undefined ? {} : { from: String(fromMs) }), as_of: new Date(atMs).toISOString(), "page[limit]": String(limit), "page[offset]": String(offset + limit) });
        return ok({
          data: rows.map(apiEntity), ...(offset + rows.length < total && offset + limit <= MOST_OFFSET ? { links: { next: `${ENTITIES}?${next}` } } : {}),
          meta: { as_of: new Date(atMs).toISOString(), total, types: byType, severities: bySeverity },
        });
      }),
    route({ ...facts, method: "GET", path: `${ENTITIES}/summary`, operationId: "getEntitiesSummary", summary: "The ten entities with the highest scores, and how many there are of each type and severity", answers: { 200: EntitySummary }, query: Type.Object({ from: Time, as_of: Time }) },
      async ({ query, principal, nowMs }) => {
        const fromMs = timeOf(query.from, nowMs, "from");
        const risk = entityRisk(context, { toMs: timeOf(query.as_of, nowMs, "as_of") ?? nowMs, sight: principal, ...(fromMs === undefined ? {} : { fromMs }) });
        const [top, types, severities] = await Promise.all([risk.top(TOP), risk.byType(), risk.bySeverity()]);
        return ok({ data: { id: "entities", type: "entities_summary", attributes: { top: top.map(apiEntity), types, severities } } });
      }),
    route({ ...facts, method: "GET", path: `${ENTITIES}/:entity_id`, operationId: "getEntity", summary: "One entity: its score, what adds to it and until when, how it went, and what it has to do with others", answers: { 200: OneEntity }, refuses: [404], query: Type.Object({ as_of: Time, interval: Type.Optional(Type.String({ maxLength: 20 })), "page[limit]": Limit }) },
      async (call) => {
        const { query, nowMs } = call;
        const atMs = timeOf(query.as_of, nowMs, "as_of") ?? nowMs;
        const intervalMs = readInterval(query.interval ?? "1h", "interval");
        if (RISK_WINDOW_MS / intervalMs > MOST_POINTS) throw badRequest(`interval: a timeline has at most ${MOST_POINTS} points, and is of 14 days`);
        const detail = await found(context, call, { atMs, intervalMs, limit: query["page[limit]"] ?? 100 });
        return ok({ data: apiEntityDetail(detail, atMs, context.signals.get(detail.lastSignalId)) });
      }),
  ];
}

/** Datadog's own calls. */
function officialRoutes(context: ControlContext): readonly Route[] {
  return [
    route({ ...facts, method: "GET", path: RISK_SCORES, operationId: "listEntityRiskScores", summary: "The same in the form of Datadog's API", answers: { 200: RiskScores }, query: Type.Object({ from: Ms, to: Ms, "page[size]": Limit, "page[number]": Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })), "page[queryId]": Type.Optional(Type.String({ maxLength: 100 })), "filter[sort]": Type.Optional(Type.String({ maxLength: 100 })), "filter[query]": Type.Optional(Type.String()), entityType: Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { maxItems: 100 })) }) },
      async ({ query, principal, nowMs }) => {
        const { "page[size]": size = DEFAULT_LIMIT, "page[number]": number = 1, from } = query;
        const atMs = instantOf(query["page[queryId]"]) ?? query.to ?? nowMs;
        const { rows, total } = await context.signalSearch.entities({
          atMs, ...(from === undefined ? {} : { fromMs: from }), query: query["filter[query]"], types: (query.entityType ?? []).flatMap((each) => each.split(",")).filter((each) => each !== ""), sort: sortOf(query["filter[sort]"]),
          offset: (number - 1) * size, limit: size, ...within(principal),
        });
        return ok({ data: rows.map(apiRiskScore), meta: { pageNumber: number, pageSize: size, queryId: atMs.toString(36), totalRowCount: total } });
      }),
    route({ ...facts, method: "GET", path: `${RISK_SCORES}/:entity_id`, operationId: "getEntityRiskScore", summary: "One entity's score in the form of Datadog's API", answers: { 200: OneRiskScore }, refuses: [404] },
      async (call) => ok({ data: apiRiskScore(await found(context, call, { atMs: call.nowMs, limit: 0 })) })),
  ];
}

/** Throws 404 where no signal of the time is about it that the asker may see. */
async function found(context: ControlContext, { params, principal }: Pick<Call, "params" | "principal">, asked: { readonly atMs: number; readonly intervalMs?: number; readonly limit: number }): Promise<EntityDetail> {
  const detail = await context.signalSearch.entity({ ...asked, id: params.entity_id!, ...within(principal) });
  if (!detail) throw notFound("Entity not found");
  return detail;
}

function timeOf(text: string | undefined, nowMs: number, place: string): number | undefined {
  return text === undefined || text === "" ? undefined : readTimeBound(text, nowMs, place);
}

/** A query's id is the instant of its scores: pages of one are of one instant. */
function instantOf(queryId: string | undefined): number | undefined {
  if (queryId === undefined || queryId === "") return undefined;
  const ms = /^[0-9a-z]{1,11}$/.test(queryId) ? Number.parseInt(queryId, 36) : Number.NaN;
  if (!(ms <= 8.64e15)) throw badRequest("page[queryId]: this is no id that meta.queryId gave");
  return ms;
}

/** `riskScore:desc` as well as `-score`. */
function sortOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const [name = "", order] = text.replace(/^-/, "").split(":", 2);
  const sort = Object.hasOwn(sorts, name) ? sorts[name]! : name;
  return text.startsWith("-") || order === "desc" ? `-${sort}` : sort;
}
