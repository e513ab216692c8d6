import { type Answer, type Endpoint, type IntakeRequest, Refused, type RequestHead, type Router, jsonAnswer, refusedStatus, retryHeaders } from "../intake/exchange.ts";
import type { IntakeKeys } from "../intake/contract.ts";
import type { ApiAnswer, LogsApi } from "../search/index.ts";

/** Searches at a time: each shares the thread that takes logs, and they shall not keep it. */
const MOST_SEARCHES = 8;
const EVENTS = "/api/v2/logs/events";

/**
 * Datadog's log search calls over the journal. An API key lets in as it does for logs; asking takes an application key beside it.
 *
 * @param api the search as it is now: another one once pipelines changed.
 */
export function logsRoutes(api: () => LogsApi, applicationKeys: IntakeKeys): Router {
  let running = 0;
  const endpoint = (answer: (request: IntakeRequest) => Promise<ApiAnswer>): Endpoint => ({
    input: "logs-search",
    key: (head) => keyIn(head, "dd-api-key"),
    async decode(request) {
      const key = keyIn(request, "dd-application-key");
      if (applicationKeys.required && key === undefined) throw new Refused("no-key", "asking takes an application key in DD-APPLICATION-KEY; vespid keys create NAME --application makes one");
      if (applicationKeys.required && !applicationKeys.has(key!)) throw new Refused("bad-key", "Forbidden");
      if (running >= MOST_SEARCHES) throw new Refused("full", `${MOST_SEARCHES} searches are running`, { retryAfterS: 1 });
      running++;
      try {
        const { status, body } = await answer(request);
        return { batches: [], events: 0, answer: jsonAnswer(status, body) };
      } finally {
        running--;
      }
    },
    refuse: (refused): Answer => jsonAnswer(refusedStatus(refused.kind), { errors: [refused.message] }, retryHeaders(refused)),
  });
  const search = endpoint((request) => withBody(request, (body) => api().search(body)));
  const aggregate = endpoint((request) => withBody(request, (body) => api().aggregate(body)));
  const list = endpoint((request) => api().list(request.query));
  const one = endpoint((request) => api().get(request.path.slice(EVENTS.length + 1), request.query));
  return (method, path) => {
    if (method === "POST") return path === `${EVENTS}/search` ? search : path === "/api/v2/logs/analytics/aggregate" ? aggregate : undefined;
    if (method !== "GET") return undefined;
    return path === EVENTS ? list : path.startsWith(`${EVENTS}/`) ? one : undefined;
  };
}

function keyIn(head: RequestHead, name: string): string | undefined {
  const value = head.headers[name];
  return (Array.isArray(value) ? value[0] : value) || head.query.get(name) || undefined;
}

async function withBody(request: IntakeRequest, answer: (body: unknown) => Promise<ApiAnswer>): Promise<ApiAnswer> {
  let body: unknown;
  try {
    body = request.body.length ? JSON.parse(request.body.toString("utf8")) : {};
  } catch {
    return { status: 400, body: { errors: ["the body is no JSON; write {\"filter\": {\"query\": \"...\"}}"] } };
  }
  return await answer(body);
}
