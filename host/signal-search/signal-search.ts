import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { ProblemError } from "../problem.ts";
import { canonicalQuery } from "./aliases.ts";
import type { FacetCounts, Scope } from "./answers.ts";
import { readEntityQuery } from "./entity-query.ts";
import type { EntityDetail, EntityPage } from "./entity-rows.ts";
import type { Kpis } from "./kpis.ts";
import { type MetricSeries, metricInterval, metricRollup, metricScalars, metricSeries, readMetricQuery } from "./metric-query.ts";
import { readCursor, writeCursor } from "./page.ts";
import type { Asked, IndexStatus, Kind, Question, Reply, WorkerSetup } from "./protocol.ts";
import { type ComputeText, type GroupByText, MOST_FACET_VALUES, MOST_SIGNALS, MOST_SKIPPED, type SignalFilter, type SortText, readComputes, readEntitySort, readFacets, readGroups, readLimit, readScope, readSort } from "./requests.ts";
import type { RollupBucket } from "./rollup.ts";

export interface SignalSearchOptions {
  /** What `now` is in times. */
  readonly nowMs?: () => number;
  /** One question may take so long; beyond, it is refused. Default 10 s. */
  readonly mostMs?: number;
  /** Rows of replaced signals from which memory is cleared of them. Default 20,000. */
  readonly mostDead?: number;
  /** Signals read at a time. Default 500. */
  readonly chunk?: number;
}

export interface SearchRequest extends SignalFilter {
  readonly sort?: SortText;
  /** 1 to 1000, default 10. */
  readonly limit?: number;
  /** `after` of the page before: goes on behind it, within the bounds of time that one had. */
  readonly cursor?: string;
  /** Signals passed over, 0 to 1,000,000: for tables that show any part of a long list. Default 0. */
  readonly skip?: number;
}

export interface SearchAnswer {
  /** In order. */
  readonly ids: readonly string[];
  /** Absent on the last page. */
  readonly after?: string;
  /** Signals of all pages together, as of now. */
  readonly count: number;
}

export interface FacetsRequest extends SignalFilter {
  /** Names of the panel (`Signal State`), aliases, `@path`, tag keys, reserved attributes. */
  readonly facets: readonly string[];
  /** Values of each: 1 to 100, default 10. */
  readonly limit?: number;
}

export interface AggregateRequest {
  readonly filter?: SignalFilter;
  /** Default: a count. */
  readonly compute?: readonly ComputeText[];
  readonly group_by?: readonly GroupByText[];
}

/** As Datadog's aggregate calls answer: `c0`, `c1`, … in the order of `compute`; times as ISO 8601. */
export interface AggregateBucket {
  readonly by: Readonly<Record<string, string>>;
  readonly computes: Readonly<Record<string, number | null | ReadonlyArray<{ readonly time: string; readonly value: number | null }>>>;
}

export interface MetricRequest {
  /** `count:security_signal{status:high} by {rule_name}` */
  readonly query: string;
  readonly from: string | number;
  readonly to: string | number;
  readonly restrict?: SignalFilter["restrict"];
}

/** As of which instant, and of whose signals. */
interface RiskRequest {
  /** Epoch ms. */
  readonly atMs: number;
  readonly restrict?: SignalFilter["restrict"];
}

export interface EntitiesRequest extends RiskRequest {
  /** Only entities to whose score a signal adds that was created since; epoch ms. */
  readonly fromMs?: number;
  /** `type:user severity:critical`; see `EntityQuery`. */
  readonly query?: string;
  /** Only of these types; none: of all. */
  readonly types?: readonly string[];
  /** One of `entitySorts`, with `-` before it for the greatest first. Default `-score`. */
  readonly sort?: string;
  readonly offset?: number;
  /** 0 to 1000, default 10. */
  readonly limit?: number;
}

export interface EntityRequest extends RiskRequest {
  /** `type:value` */
  readonly id: string;
  /** Of the timeline. Default an hour. */
  readonly intervalMs?: number;
  /** Contributions told one by one. Default 100. */
  readonly limit?: number;
}

const MOST_MS = 10_000;
const MOST_DEAD = 20_000;
const CHUNK = 500;

/**
 * Search, facets and rollups over the signals of a database, answered by a thread of its own that holds them as columns.
 *
 * What was committed before a question is in its answer. Signals that were deleted are to be told (`gone`). The index is built when
 * this is made; questions wait for it, and `status` tells how far it is.
 *
 * Throws `ProblemError` for what is wrong with a request; codes `query/…`, `search/bad-time`, `search/bad-interval`, `signals/…`.
 */
export class SignalSearch {
  readonly #worker: Worker;
  readonly #nowMs: () => number;
  readonly #mostMs: number;
  readonly #waiting = new Map<number, { readonly resolve: (answer: unknown) => void; readonly reject: (error: Error) => void }>();
  #asked = 0;
  #ended: Error | undefined;

  /** @param path the database's file, open to write elsewhere in this process or not. */
  constructor(path: string, { nowMs = Date.now, mostMs = MOST_MS, mostDead = MOST_DEAD, chunk = CHUNK }: SignalSearchOptions = {}) {
    this.#nowMs = nowMs;
    this.#mostMs = mostMs;
    this.#worker = new Worker(workerFile(), { workerData: { path, mostDead, chunk } satisfies WorkerSetup });
    this.#worker.unref();
    this.#worker.on("message", (reply: Reply) => this.#take(reply));
    this.#worker.on("error", (error) => this.#end(error as Error));
    this.#worker.on("exit", () => this.#end(new Error("the search over signals is closed")));
  }

  async search(request: SearchRequest): Promise<SearchAnswer> {
    const asked = JSON.stringify([request.query ?? "", request.sort ?? ""]);
    const cursor = request.cursor === undefined || request.cursor === "" ? undefined : readCursor(request.cursor, asked);
    const scope: Scope = { ...this.#scope(cursor ? { ...request, from: undefined, to: undefined } : request), ...(cursor ? { fromMs: cursor.fromMs, toMs: cursor.toMs } : {}) };
    const limit = readLimit(request.limit, MOST_SIGNALS, "page.limit");
    const skip = readLimit(request.skip, MOST_SKIPPED, "page.skip", 0, 0);
    const { ids, last, count } = await this.#ask("page", { ...scope, sort: readSort(request.sort), limit, after: cursor?.after, skip });
    return { ids, count, ...(last ? { after: writeCursor({ after: last, fromMs: scope.fromMs, toMs: scope.toMs }, asked) } : {}) };
  }

  async facets(request: FacetsRequest): Promise<readonly FacetCounts[]> {
    return await this.#ask("facets", { ...this.#scope(request), facets: readFacets(request.facets), limit: readLimit(request.limit, MOST_FACET_VALUES, "limit") });
  }

  async aggregate({ filter = {}, compute = [], group_by = [] }: AggregateRequest): Promise<{ readonly buckets: readonly AggregateBucket[] }> {
    const buckets = await this.#ask("rollup", { ...this.#scope(filter), rollup: { computes: readComputes(compute), groups: readGroups(group_by) } });
    return { buckets: buckets.map(({ by, values }) => ({ by, computes: Object.fromEntries(values.map((value, i) => [`c${i}`, shown(value)])) })) };
  }

  /** A metric query over time. */
  async timeseries(request: MetricRequest): Promise<{ readonly intervalMs: number; readonly series: readonly MetricSeries[] }> {
    const query = readMetricQuery(request.query);
    const { fromMs, toMs, ...scope } = this.#bounded(request);
    const intervalMs = query.rollupSeconds === undefined ? metricInterval(fromMs, toMs) : query.rollupSeconds * 1000;
    const buckets = await this.#ask("rollup", { ...scope, node: query.node, fromMs, toMs, rollup: metricRollup(query, intervalMs) });
    return { intervalMs, series: metricSeries(query, buckets, fromMs, toMs, intervalMs) };
  }

  /** A metric query as one number for each group. */
  async scalar(request: MetricRequest): Promise<ReadonlyArray<{ readonly by: Readonly<Record<string, string>>; readonly value: number | null }>> {
    const query = readMetricQuery(request.query);
    const { fromMs, toMs, ...scope } = this.#bounded(request);
    const buckets = await this.#ask("rollup", { ...scope, node: query.node, fromMs, toMs, rollup: metricRollup(query, undefined) });
    return metricScalars(query, buckets, toMs - fromMs);
  }

  /** Times to detect, acknowledge and resolve, false positives, changes of the week. */
  async kpis(filter: SignalFilter): Promise<Kpis> {
    return await this.#ask("kpis", { ...this.#scope(filter), nowMs: this.#nowMs() });
  }

  /** Entities with a score above 0. */
  async entities({ restrict, query = "", types = [], sort, offset = 0, limit, ...asked }: EntitiesRequest): Promise<EntityPage> {
    const node = query.trim() === "" && !types.length ? {} : { node: readEntityQuery(query, types, "filter.query") };
    return await this.#ask("entities", { ...asked, ...node, restrict: restrict?.map(canonicalQuery), mostMs: this.#mostMs, sort: readEntitySort(sort), offset, limit: readLimit(limit, MOST_SIGNALS, "page.size", undefined, 0) });
  }

  /** Undefined where no signal of the 14 days before is about it. */
  async entity({ restrict, intervalMs = 3_600_000, limit = 100, ...asked }: EntityRequest): Promise<EntityDetail | undefined> {
    return (await this.#ask("entity", { ...asked, restrict: restrict?.map(canonicalQuery), mostMs: this.#mostMs, intervalMs, limit })) ?? undefined;
  }

  /** Answers when what was committed until now is in the index. */
  async changed(ids: readonly string[] = []): Promise<void> {
    await this.#ask("changed", { ids });
  }

  /** Signals that are no more in the store. */
  async gone(ids: readonly string[]): Promise<void> {
    await this.#ask("gone", { ids });
  }

  /** At once, whether or not the index is whole. */
  async status(): Promise<IndexStatus> {
    return await this.#ask("status", {});
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    const exited = new Promise((resolve) => this.#worker.once("exit", resolve));
    this.#worker.ref();
    this.#worker.postMessage("close");
    await exited;
  }

  #scope(filter: SignalFilter): Scope {
    return readScope(filter, this.#nowMs(), this.#mostMs);
  }

  #bounded({ from, to, restrict }: MetricRequest): Scope & { readonly fromMs: number; readonly toMs: number } {
    const scope = this.#scope({ from, to, restrict });
    return { ...scope, fromMs: scope.fromMs!, toMs: scope.toMs! };
  }

  #ask<K extends Kind>(kind: K, body: Asked[K]["question"]): Promise<Asked[K]["answer"]> {
    if (this.#ended) return Promise.reject(this.#ended);
    const number = ++this.#asked;
    this.#worker.ref();
    this.#worker.postMessage({ number, kind, body } satisfies Question);
    return new Promise((resolve, reject) => this.#waiting.set(number, { resolve: resolve as (answer: unknown) => void, reject }));
  }

  #take(reply: Reply): void {
    const waiting = this.#waiting.get(reply.number);
    this.#waiting.delete(reply.number);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ("answer" in reply) waiting?.resolve(reply.answer);
    else waiting?.reject("problems" in reply ? new ProblemError(reply.problems) : new Error(reply.error));
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function shown(value: RollupBucket["values"][number]): AggregateBucket["computes"][string] {
  return typeof value === "object" && value !== null ? value.map(({ timeMs, value: each }) => ({ time: new Date(timeMs).toISOString(), value: each })) : value;
}

/** The thread's file beside this one: `.js` once built, `.ts` in a clone. */
function workerFile(): string {
  const built = fileURLToPath(new URL("./signal-worker.js", import.meta.url));
  return existsSync(built) ? built : fileURLToPath(new URL("./signal-worker.ts", import.meta.url));
}
