import { type Answer, type DecodeContext, type Decoded, type Endpoint, type IntakeRequest, type Refused, type Router, jsonAnswer, retryHeaders } from "../exchange.ts";
import { frameBody } from "../frame.ts";
import { headerText } from "../keys.ts";
import { draftOf, queryDefaults } from "../query.ts";
import { decodeWrapped, wrapperOf } from "./cloud.ts";
import { datadogKey, refusePlain, statusOf, titles } from "./datadog-manner.ts";

function refuseV2(refused: Refused): Answer {
  const status = statusOf(refused);
  return jsonAnswer(status, { errors: [{ status: String(status), title: titles[status] ?? "Error", detail: refused.message }] }, retryHeaders(refused));
}

function refuseV1(refused: Refused): Answer {
  const status = statusOf(refused);
  return jsonAnswer(status, { code: status, message: refused.message }, retryHeaders(refused));
}

/** A body as Agents, forwarders and hands send it: arrays, objects, lines, text; also the clouds' own wrappers. */
export async function decodeDatadog(request: IntakeRequest, context: DecodeContext, answer: Answer): Promise<Decoded> {
  const wrapper = wrapperOf(request.body);
  if (wrapper) {
    const decoded = await decodeWrapped(wrapper, request, context, answer);
    if (decoded) return decoded;
  }
  // Only a body that calls itself JSON must be it: a line of text may well begin with a bracket.
  const lenient = !(headerText(request.headers, "content-type") ?? "").toLowerCase().includes("json");
  const framed = frameBody(request.body, context.limits, lenient, context.framer);
  const { events, truncated, rejected } = framed;
  return { batches: draftOf(framed, queryDefaults(request), context), events, truncated, rejected, answer };
}

const v2: Endpoint = {
  input: "datadog",
  key: datadogKey,
  decode: (request, context) => decodeDatadog(request, context, { status: 202, body: "{}" }),
  refuse: refuseV2,
};

function v1(pathKey: string | undefined): Endpoint {
  return {
    input: "datadog-v1",
    key: (head) => pathKey ?? datadogKey(head),
    decode: (request, context) => decodeDatadog(request, context, { status: 200, body: "{}" }),
    refuse: refuseV1,
  };
}

const validate: Endpoint = {
  input: "validate",
  key: datadogKey,
  decode: () => ({ batches: [], events: 0, answer: jsonAnswer(200, { valid: true }) }),
  refuse: refusePlain,
};

const LEGACY = /^\/v1\/input(?:\/([^/]+))?\/?$/;

/**
 * `POST /api/v2/logs`, `POST /v1/input[/<key>]`, `GET /api/v1/validate`.
 *
 * Source: intake.md 2-4.
 */
export const datadog: Router = (method, path) => {
  if (method === "POST" && (path === "/api/v2/logs" || path === "/api/v2/logs/")) return v2;
  if (method === "GET" && path === "/api/v1/validate") return validate;
  const legacy = method === "POST" ? LEGACY.exec(path) : null;
  return legacy ? v1(legacy[1] === undefined ? undefined : decoded(legacy[1])) : undefined;
};

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
