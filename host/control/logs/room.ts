import { Type } from "typebox";
import type { QueryNode } from "../../query/tree.ts";
import type { ApiAnswer } from "../../search/index.ts";
import type { Room } from "../control.ts";
import type { ControlContext } from "../context.ts";
import type { Principal } from "../principal.ts";
import { type Route, type RouteAnswer, route } from "../route.ts";

const EVENTS = "/api/v2/logs/events";
const Bound = Type.Union([Type.String(), Type.Number()]);
const Filter = Type.Object({ query: Type.Optional(Type.String()), from: Type.Optional(Bound), to: Type.Optional(Bound) });
const Log = Type.Object({ id: Type.String(), type: Type.Literal("log"), attributes: Type.Object({}) });
const Logs = Type.Object({ data: Type.Array(Log), meta: Type.Object({}) });
const facts = { tag: "Logs", permission: "logs_read_data", isSearch: true } as const;

/** Datadog's log search calls over the journal; each sees what its roles let it. */
export function logsRoom({ logs }: ControlContext): Room {
  const routes: Route[] = [
    route({ ...facts, method: "POST", path: `${EVENTS}/search`, operationId: "listLogs", summary: "Logs that match a query, newest first; with facets, counted by them", isBodyOptional: true, body: Type.Object({ filter: Type.Optional(Filter), sort: Type.Optional(Type.String()), page: Type.Optional(Type.Object({ limit: Type.Optional(Type.Integer()), cursor: Type.Optional(Type.String()) })), facets: Type.Optional(Type.Array(Type.String())) }), answers: { 200: Logs } },
      async ({ body, principal }) => answerOf(await logs().search(body, within(principal)))),
    route({ ...facts, method: "GET", path: EVENTS, operationId: "listLogsGet", summary: "The same by query parameters", query: Type.Object({ "filter[query]": Type.Optional(Type.String()), "filter[from]": Type.Optional(Type.String()), "filter[to]": Type.Optional(Type.String()), sort: Type.Optional(Type.String()), "page[cursor]": Type.Optional(Type.String()), "page[limit]": Type.Optional(Type.Integer()) }), answers: { 200: Logs } },
      async ({ query, principal }) => answerOf(await logs().list(new URLSearchParams(Object.entries(query).map(([name, value]): [string, string] => [name, String(value)])), within(principal)))),
    route({ ...facts, method: "POST", path: "/api/v2/logs/analytics/aggregate", operationId: "aggregateLogs", summary: "Counts of logs by facets and over time", isBodyOptional: true, body: Type.Object({ filter: Type.Optional(Filter), compute: Type.Optional(Type.Array(Type.Object({}))), group_by: Type.Optional(Type.Array(Type.Object({}))) }), answers: { 200: Type.Object({ data: Type.Object({ buckets: Type.Array(Type.Object({})) }), meta: Type.Object({}) }) } },
      async ({ body, principal }) => answerOf(await logs().aggregate(body, within(principal)))),
    route({ ...facts, method: "GET", path: `${EVENTS}/:log_id`, operationId: "getLog", summary: "One log; with format=ddlog as a rule's test takes it", query: Type.Object({ format: Type.Optional(Type.String()) }), answers: { 200: Type.Object({}) }, refuses: [404] },
      async ({ params, query, principal }) => answerOf(await logs().get(params.log_id!, new URLSearchParams(query.format === undefined ? {} : { format: query.format }), within(principal)))),
  ];
  return { routes };
}

/** Undefined: all logs. */
export function within({ restriction }: Pick<Principal, "restriction">): QueryNode | undefined {
  if (!restriction) return undefined;
  const [only] = restriction;
  return restriction.length === 1 ? only! : { kind: "or", nodes: restriction, span: only!.span };
}

function answerOf({ status, body }: ApiAnswer): RouteAnswer {
  return { status, body };
}
