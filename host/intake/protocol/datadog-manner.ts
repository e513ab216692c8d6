import { type Answer, type Refused, type RequestHead, jsonAnswer, refusedStatus, retryHeaders } from "../exchange.ts";
import { headerText } from "../keys.ts";

export const titles: Readonly<Record<number, string>> = {
  400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout", 413: "Payload Too Large",
  429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable",
};

/** Header first, then query; old clients call it `api_key`. */
export function datadogKey({ headers, query }: RequestHead): string | undefined {
  return headerText(headers, "dd-api-key") ?? (query.get("dd-api-key") || query.get("api_key") || undefined);
}

/** Datadog's paths say 400 to an encoding they do not know. */
export function statusOf(refused: Refused): number {
  return refused.kind === "bad-encoding" ? 400 : refusedStatus(refused.kind);
}

/** Lists of texts, as the key check and the events path answer. */
export function refusePlain(refused: Refused): Answer {
  const status = statusOf(refused);
  return jsonAnswer(status, { errors: [refused.kind === "no-key" || refused.kind === "bad-key" ? titles[status] : refused.message] }, retryHeaders(refused));
}
