import { matches } from "../../query/matches.ts";
import { type ApiSignal, apiSignal } from "../../signal-model/api.ts";
import type { StoredSignal } from "../../signal-model/stored.ts";
import { canonicalQuery } from "../../signal-search/aliases.ts";
import { readCursor, writeCursor } from "../../signal-search/page.ts";
import { MOST_SIGNALS, type SortText, readLimit, readScope, readSort } from "../../signal-search/requests.ts";
import { searchable } from "../../signal-search/searchable.ts";
import { type JobSignalKey, type JobStore, jobOf } from "../../store/jobs.ts";
import { ApiError, badRequest } from "../api-error.ts";
import type { Principal } from "../principal.ts";

/** What is asked of results: as of signals, by time alone. */
export interface ResultsRequest {
  readonly jobId?: string;
  readonly query?: string;
  readonly from?: string | number;
  readonly to?: string | number;
  readonly sort?: SortText;
  readonly cursor?: string;
  readonly limit?: number;
}

export interface ResultsPage {
  readonly signals: readonly StoredSignal[];
  /** For the next page; absent on the last. */
  readonly after?: string;
}

/** Rows looked at between two looks at other work. */
const ROWS_AT_ONCE = 50;
/** One search takes so long at most. */
const MOST_MS = 5000;

/** Results of jobs that a query finds, row by row: there are thousands of them, not millions. */
export async function findResults(store: JobStore, request: ResultsRequest, who: Pick<Principal, "restriction">, nowMs: number): Promise<ResultsPage> {
  const scope = readScope({ query: request.query, from: request.from, to: request.to }, nowMs, MOST_MS);
  const { field, descending } = readSort(request.sort);
  if (field) throw badRequest("sort: results are sorted by timestamp or -timestamp");
  const limit = readLimit(request.limit, MOST_SIGNALS, "page.limit");
  const asked = JSON.stringify([request.jobId ?? null, request.query ?? "", descending]);
  const cursor = request.cursor === undefined || request.cursor === "" ? undefined : readCursor(request.cursor, asked);
  const { fromMs, toMs } = cursor ?? scope;
  const isWanted = (stored: StoredSignal): boolean => {
    if (scope.node.kind === "all" && !who.restriction) return true;
    const { event } = searchable(stored);
    return matches(scope.node, event) && isWithin(event, who);
  };
  let after: JobSignalKey | undefined = cursor && { timeMs: Number(cursor.after.value), id: cursor.after.id };
  const signals: StoredSignal[] = [];
  const startMs = performance.now();
  for (;;) {
    const rows = store.signals({ jobId: request.jobId, fromMs, toMs, isDescending: descending, after, limit: ROWS_AT_ONCE });
    for (const stored of rows) {
      if (!isWanted(stored)) continue;
      if (signals.length === limit) {
        const last = signals.at(-1)!;
        return { signals, after: writeCursor({ after: { value: last.firstSeenMs, id: last.id }, fromMs, toMs }, asked) };
      }
      signals.push(stored);
    }
    const last = rows.at(-1);
    if (!last || rows.length < ROWS_AT_ONCE) return { signals };
    after = { timeMs: last.firstSeenMs, id: last.id };
    if (performance.now() - startMs > MOST_MS) throw new ApiError(400, `the search took more than ${MOST_MS / 1000} s; narrow it by time or job`);
    await new Promise((next) => setImmediate(next));
  }
}

/** A result, where there is one that somebody may see. */
export function seeResult(store: JobStore, id: string, who: Pick<Principal, "restriction">): StoredSignal | undefined {
  const stored = store.signal(id);
  return stored && (!who.restriction || isWithin(searchable(stored).event, who)) ? stored : undefined;
}

export function resultData(stored: StoredSignal): ApiSignal {
  const { attributes, ...rest } = apiSignal(stored);
  return { ...rest, attributes: { ...attributes, custom: { ...attributes.custom, historical_job_id: jobOf(stored.id) } } };
}

function isWithin(event: ReturnType<typeof searchable>["event"], { restriction }: Pick<Principal, "restriction">): boolean {
  return !restriction || restriction.some((node) => matches(canonicalQuery(node), event));
}
