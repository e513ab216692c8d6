import { randomUUID } from "node:crypto";
import { Type } from "typebox";
import { readField } from "../../query/field.ts";
import { AuditStore, type StoredAudit } from "../../store/audit.ts";
import type { ControlContext } from "../context.ts";
import type { Room } from "../control.ts";
import type { Principal } from "../principal.ts";
import { type Route, ok, route } from "../route.ts";
import { type AuditPage, AuditSearch, auditFacets } from "./search.ts";

const EVENTS = "/api/v2/audit/events";
const TAG = "Audit";
const MOST_FACETS = 10;
const MOST_VALUES = 1000;

const Bound = Type.Union([Type.String(), Type.Number()]);
const Filter = Type.Object({ query: Type.Optional(Type.String()), from: Type.Optional(Bound), to: Type.Optional(Bound) });
const Event = Type.Object({
  id: Type.String(), type: Type.Literal("audit"),
  attributes: Type.Object({ attributes: Type.Object({}), message: Type.String(), service: Type.String(), tags: Type.Array(Type.String()), timestamp: Type.String() }),
});
const Events = Type.Object({ data: Type.Array(Event), meta: Type.Object({}), links: Type.Optional(Type.Object({ next: Type.String() })) });
const Facets = Type.Object({
  data: Type.Array(Type.Object({ id: Type.String(), type: Type.Literal("audit_facet"), attributes: Type.Object({ name: Type.String(), path: Type.String(), values: Type.Array(Type.Object({ value: Type.String(), count: Type.Integer() })) }) })),
  meta: Type.Object({}),
});

/** The audit trail as Datadog's clients ask for it. Whoever lacks `audit_logs_read` sees what they did themselves. */
export function auditRoom({ sql }: Pick<ControlContext, "sql">): Room {
  const search = new AuditSearch(new AuditStore(sql));
  const routes: Route[] = [
    route({
      method: "GET", path: EVENTS, operationId: "listAuditLogs", summary: "Audit events by query parameters, newest first", tag: TAG, permission: "known", isSearch: true,
      query: Type.Object({ "filter[query]": Type.Optional(Type.String()), "filter[from]": Type.Optional(Type.String()), "filter[to]": Type.Optional(Type.String()), sort: Type.Optional(Type.String()), "page[cursor]": Type.Optional(Type.String()), "page[limit]": Type.Optional(Type.Integer()) }),
      answers: { 200: Events },
    }, async ({ query, principal, nowMs }) => {
      const found = await search.page({ query: query["filter[query]"], from: query["filter[from]"], to: query["filter[to]"], sort: query.sort, cursor: query["page[cursor]"], limit: query["page[limit]"] }, onlyOf(principal), nowMs);
      const given = new URLSearchParams(Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]));
      if (found.cursor !== undefined) given.set("page[cursor]", found.cursor);
      return ok({ ...pageBody(found), ...(found.cursor === undefined ? {} : { links: { next: `${EVENTS}?${given.toString()}` } }) });
    }),
    route({
      method: "POST", path: `${EVENTS}/search`, operationId: "searchAuditLogs", summary: "Audit events that match a query, newest first", tag: TAG, permission: "known", isSearch: true,
      isBodyOptional: true, body: Type.Object({ filter: Type.Optional(Filter), sort: Type.Optional(Type.String()), page: Type.Optional(Type.Object({ limit: Type.Optional(Type.Integer()), cursor: Type.Optional(Type.String()) })) }),
      answers: { 200: Events },
    }, async ({ body, principal, nowMs }) => ok(pageBody(await search.page({ ...body?.filter, ...body?.page, sort: body?.sort }, onlyOf(principal), nowMs)))),
    route({
      method: "POST", path: `${EVENTS}/facets`, operationId: "listAuditLogsFacets", summary: "Values of facets with their counts", tag: TAG, permission: "known", isSearch: true,
      isBodyOptional: true,
      body: Type.Object({ filter: Type.Optional(Filter), facets: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { minItems: 1, maxItems: MOST_FACETS })), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_VALUES })) }),
      answers: { 200: Facets },
    }, async ({ body, principal, nowMs }) => {
      const paths = body?.facets?.map((facet): [string, string] => [facet, Object.hasOwn(auditFacets, facet) ? auditFacets[facet]! : facet]) ?? Object.entries(auditFacets);
      for (const [, path] of paths) readField(path);
      const { facets, isComplete } = await search.facets(body?.filter ?? {}, paths, body?.limit ?? 100, onlyOf(principal), nowMs);
      return ok({ data: facets.map((attributes) => ({ id: attributes.path.replace(/^@/, ""), type: "audit_facet", attributes })), meta: { request_id: randomUUID(), status: isComplete ? "done" : "timeout" } });
    }),
  ];
  return { routes };
}

/** Undefined: everybody's. */
function onlyOf({ permissions, userId }: Principal): string | undefined {
  return permissions.has("audit_logs_read") ? undefined : userId;
}

function pageBody({ events, cursor, isComplete }: AuditPage): Record<string, unknown> {
  const warnings = [{ code: "search/incomplete", title: "The search was ended before all was read", detail: "go on with page.after, or ask for less time" }];
  return {
    data: events.map(apiEvent),
    meta: { request_id: randomUUID(), status: isComplete ? "done" : "timeout", ...(cursor === undefined ? {} : { page: { after: cursor } }), ...(isComplete ? {} : { warnings }) },
  };
}

function apiEvent({ record, number, hash }: StoredAudit): Record<string, unknown> {
  const { id, message, service, tags, timestamp, attributes, status } = record;
  return { id, type: "audit", attributes: { attributes, message, service, tags, timestamp, status, chain: { number, hash } } };
}
