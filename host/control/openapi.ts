import type { TSchema } from "typebox";
import type { Route } from "./route.ts";

const refusalTexts: Readonly<Record<number, string>> = {
  400: "What is asked is not right; every fault is told.", 401: "No key and no session came with it.", 403: "The key is not good, or its owner may not do this.", 404: "There is none of this id.",
  409: "It clashes with what is there, or was changed by somebody else.", 412: "If-Match names another version.", 413: "The body is too large.", 422: "It cannot be done.", 429: "Too many requests; x-ratelimit-reset says when to ask again.",
};

const errorSchema = {
  type: "object",
  properties: { errors: { type: "array", items: { anyOf: [{ type: "string" }, { type: "object" }] } }, error: { type: "object" } },
};

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly required: boolean;
  readonly schema: unknown;
}

/** The document of all routes, from the schemas that check them: OpenAPI 3.1. */
export function openApi(routes: readonly Route[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const each of routes) {
    const path = each.path.replaceAll(/:(\w+)/g, "{$1}");
    (paths[path] ??= {})[each.method.toLowerCase()] = operation(each);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Vespid", version, description: "Rules, signals, triage and people, in the form of Datadog's API." },
    servers: [{ url: "/" }],
    security: [{ apiKeyAuth: [], appKeyAuth: [] }, { session: [] }],
    paths,
    components: {
      securitySchemes: {
        apiKeyAuth: { type: "apiKey", in: "header", name: "DD-API-KEY" },
        appKeyAuth: { type: "apiKey", in: "header", name: "DD-APPLICATION-KEY" },
        session: { type: "apiKey", in: "cookie", name: "vespid_session" },
      },
      schemas: { Errors: errorSchema },
    },
  };
}

function operation(each: Route): Record<string, unknown> {
  const isOpen = each.permission === "anyone";
  const refuses = [400, ...(isOpen ? [] : [401, 403]), ...(each.refuses ?? []), 429];
  const answers = Object.entries(each.answers).map(([status, schema]) => [status, schema ? { description: "Done.", content: { "application/json": { schema } } } : { description: "Done." }]);
  const refusals = [...new Set(refuses)].map((status) => [String(status), { description: refusalTexts[status] ?? "Refused.", content: { "application/json": { schema: { $ref: "#/components/schemas/Errors" } } } }]);
  const content = each.bytes ? { [each.bytes.type]: { schema: { type: "string", format: "binary" } } } : each.body ? { "application/json": { schema: each.body } } : undefined;
  const parameters = [...pathParameters(each), ...parametersOf(each.query, "query")];
  return {
    operationId: each.operationId, summary: each.summary, tags: [each.tag],
    ...(isOpen ? { security: [] } : {}),
    "x-permission": each.permission,
    ...(parameters.length ? { parameters } : {}),
    ...(content ? { requestBody: { required: !each.isBodyOptional, content } } : {}),
    responses: Object.fromEntries([...answers, ...refusals]),
  };
}

function pathParameters(each: Route): Parameter[] {
  const described = new Map(parametersOf(each.params, "path").map((one) => [one.name, one]));
  return [...each.path.matchAll(/:(\w+)/g)].map(([, name]) => described.get(name!) ?? { name: name!, in: "path", required: true, schema: { type: "string" } });
}

function parametersOf(schema: TSchema | undefined, where: Parameter["in"]): Parameter[] {
  const { properties = {}, required = [] } = (schema ?? {}) as { readonly properties?: Readonly<Record<string, unknown>>; readonly required?: readonly string[] };
  return Object.entries(properties).map(([name, inner]) => ({ name, in: where, required: where === "path" || required.includes(name), schema: inner }));
}
