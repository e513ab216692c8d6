import { randomUUID } from "node:crypto";
import { type Problem, ProblemError } from "../problem.ts";
import { readField } from "../query/field.ts";
import { matches } from "../query/matches.ts";
import type { QueryNode } from "../query/tree.ts";
import { type LogSearch, MOST_LOGS, readQuery, type SearchAnswer, type SearchRequest } from "./log-search.ts";
import type { SortOrder } from "./order.ts";
import { type ApiLog, apiLog, testLog, timeText } from "./show.ts";
import type { TallyAnswer, TallyGroup, TallyRequest } from "./tally.ts";
import { readInterval, readTimeBound } from "./time-text.ts";

/** What a server answers: JSON, and its HTTP status. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface LogsApiOptions {
  /** What one request may cost; beyond it the answer's `meta.status` is `timeout`. Default 20 s. */
  readonly mostMs?: number;
  readonly mostBytes?: number;
  readonly nowMs?: () => number;
}

const MOST_MS = 20_000;
const DEFAULT_FROM = "now-15m";
const DEFAULT_GROUPS = 10;
const MOST_GROUPS = 1000;

type Members = Readonly<Record<string, unknown>>;

/**
 * Datadog's log search calls, without a server around them: whoever has read a request hands in its body or query and gets the
 * answer. Nothing is thrown for what a request says. Each call takes what its asker may see at most, as `within`.
 */
export class LogsApi {
  readonly #search: LogSearch;
  readonly #options: LogsApiOptions;

  constructor(search: LogSearch, options: LogsApiOptions = {}) {
    this.#search = search;
    this.#options = options;
  }

  /** `POST /api/v2/logs/events/search`: `filter.query|from|to`, `sort`, `page.limit|cursor`; and `facets`, of ours, which counts by them. */
  async search(body: unknown, within?: QueryNode): Promise<ApiAnswer> {
    return await answered(async () => {
      const members = asMembers(body ?? {}, "");
      const [filter, page] = [inner(members, "filter"), inner(members, "page")];
      const facets = texts(members, "facets");
      return await this.#list({
        ...this.#bounds(filter, "filter."), query: narrowed(text(filter, "query", "filter."), within), sort: sortOf(text(members, "sort")),
        ...pageOf(page.limit, text(page, "cursor", "page."), "page.limit"), tallies: facets.map((facet) => ({ fields: [readField(facet)] })),
      }, facets);
    });
  }

  /** `GET /api/v2/logs/events`: the same by `filter[query]`, `filter[from]`, `filter[to]`, `sort`, `page[cursor]`, `page[limit]`. */
  async list(query: URLSearchParams, within?: QueryNode): Promise<ApiAnswer> {
    return await answered(async () => {
      const given = (name: string): string | undefined => query.get(name) ?? undefined;
      const limit = given("page[limit]");
      return await this.#list({
        ...this.#bounds({ from: given("filter[from]"), to: given("filter[to]") }, "filter."), query: narrowed(given("filter[query]"), within), sort: sortOf(given("sort")),
        ...pageOf(limit === undefined ? undefined : Number(limit), given("page[cursor]"), "page[limit]"),
      }, []);
    });
  }

  /** `GET /api/v2/logs/events/{id}`; with `format=ddlog` the log alone, as a rule's unit test takes it. */
  async get(id: string, query: URLSearchParams = new URLSearchParams(), within?: QueryNode): Promise<ApiAnswer> {
    return await answered(async () => {
      const format = query.get("format") ?? "api";
      if (format !== "api" && format !== "ddlog") throw wrong("search/bad-format", "format", `${format} is no format of a log`, "use ddlog, or leave it out");
      const log = await this.#search.log(id);
      if (!log || (within && !matches(within, log.event))) return { status: 404, body: { errors: ["Log not found: the journal has no such log, or keeps it no more"] } };
      return { status: 200, body: format === "ddlog" ? testLog(log) : { data: apiLog(log) } };
    });
  }

  /** `POST /api/v2/logs/analytics/aggregate`: counts, by facets and over time. */
  async aggregate(body: unknown, within?: QueryNode): Promise<ApiAnswer> {
    return await answered(async () => {
      const members = asMembers(body ?? {}, "");
      const filter = inner(members, "filter");
      const computes = list(members, "compute").map(computeOf);
      if (computes.length === 0) computes.push({ intervalMs: undefined });
      const groups = list(members, "group_by").map(groupOf);
      const tallies = computes.map(({ intervalMs }): TallyRequest => ({ fields: groups.map(({ facet }) => readField(facet)), ...(intervalMs === undefined ? {} : { intervalMs }) }));
      const found = await this.#search.search({ ...this.#bounds(filter, "filter."), ...this.#limits(), query: narrowed(text(filter, "query", "filter."), within), limit: 0, tallies });
      return { status: 200, body: { data: { buckets: bucketsOf(found.tallies, groups, computes) }, meta: this.#meta(found) } };
    });
  }

  async #list(request: SearchRequest, facets: readonly string[]): Promise<ApiAnswer> {
    const found = await this.#search.search({ ...request, ...this.#limits() });
    const data: ApiLog[] = found.logs.map(apiLog);
    const counts = facets.map((facet, i) => ({ facet, values: found.tallies[i]!.groups.slice(0, MOST_GROUPS).map(({ values, count }) => ({ value: values[0], count })), missing: found.tallies[i]!.missing }));
    return {
      status: 200,
      body: { data, meta: { ...this.#meta(found), ...(found.cursor === undefined ? {} : { page: { after: found.cursor } }), ...(facets.length ? { facets: counts } : {}) } },
    };
  }

  #meta({ complete, cost, damaged, logs }: SearchAnswer): Members {
    const warnings = [
      ...(complete ? [] : [{ code: "search/incomplete", title: "The search was ended before all was read", detail: `${logs.length} logs of ${cost.scannedBytes} bytes; ask for less time, or by a rarer word` }]),
      ...(damaged ? [{ code: "search/damaged", title: "Part of the journal cannot be read", detail: `${damaged} places; vespid journal verify says which` }] : []),
    ];
    return { elapsed: Math.round(cost.ms), request_id: randomUUID(), status: complete ? "done" : "timeout", ...(warnings.length ? { warnings } : {}) };
  }

  #limits(): Pick<SearchRequest, "mostMs" | "mostBytes"> {
    const { mostMs = MOST_MS, mostBytes } = this.#options;
    return { mostMs, ...(mostBytes === undefined ? {} : { mostBytes }) };
  }

  #bounds({ from = DEFAULT_FROM, to = "now" }: Members, place: string): { fromMs: number; toMs: number } {
    const nowMs = (this.#options.nowMs ?? Date.now)();
    const bound = (value: unknown, name: string): number => {
      if (typeof value !== "string" && typeof value !== "number") throw wrong("search/bad-time", place + name, "a time is a text or a number", "write now-1h, or 2026-03-01T10:00:00Z");
      return readTimeBound(value, nowMs, place + name);
    };
    const [fromMs, toMs] = [bound(from, "from"), bound(to, "to")];
    if (fromMs > toMs) throw wrong("search/bad-time", `${place}from`, `${timeText(fromMs)} is after ${timeText(toMs)}`, "let from be before to");
    return { fromMs, toMs };
  }
}

/** What is asked for, of what may be seen. */
function narrowed(query = "*", within: QueryNode | undefined): QueryNode {
  const asked = readQuery(query);
  return within ? { kind: "and", nodes: [asked, within], span: asked.span } : asked;
}

async function answered(work: () => Promise<ApiAnswer>): Promise<ApiAnswer> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return { status: 400, body: { errors: error.problems.map(problemLine) } };
  }
}

function problemLine({ place, at, message, hint }: Problem): string {
  const where = place ?? (at ? `query, characters ${at.start}-${at.end}` : undefined);
  return `${where === undefined ? "" : `${where}: `}${message}${hint === undefined ? "" : `; ${hint}`}`;
}

function wrong(code: string, place: string, message: string, hint: string): ProblemError {
  return new ProblemError([{ code, place, message, hint }]);
}

function asMembers(value: unknown, place: string): Members {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Members;
  throw wrong("search/bad-body", place, "an object is wanted here", 'send JSON such as {"filter":{"query":"source:auth","from":"now-1h","to":"now"}}');
}

function inner(members: Members, name: string): Members {
  const value = Object.hasOwn(members, name) ? members[name] : undefined;
  return value === undefined || value === null ? {} : asMembers(value, name);
}

function text(members: Members, name: string, place = ""): string | undefined {
  const value = Object.hasOwn(members, name) ? members[name] : undefined;
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw wrong("search/bad-body", place + name, "a text is wanted here", "write it in quotes");
}

function list(members: Members, name: string): unknown[] {
  const value = Object.hasOwn(members, name) ? members[name] : undefined;
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw wrong("search/bad-body", name, "a list is wanted here", "write it in brackets");
}

function texts(members: Members, name: string): string[] {
  return list(members, name).map((value, i) => {
    if (typeof value === "string" && value !== "") return value;
    throw wrong("search/bad-body", `${name}[${i}]`, "the name of a facet is wanted here", "write such as @evt.name or service");
  });
}

function sortOf(sort: string | undefined): SortOrder {
  if (sort === undefined || sort === "" || sort === "-timestamp") return "newest";
  if (sort === "timestamp") return "oldest";
  throw wrong("search/bad-sort", "sort", `logs cannot be sorted by ${JSON.stringify(sort)}`, "use timestamp or -timestamp");
}

function pageOf(limit: unknown, cursor: string | undefined, place: string): Pick<SearchRequest, "limit" | "cursor"> {
  if (limit !== undefined && limit !== null && !(Number.isInteger(limit) && Number(limit) >= 1 && Number(limit) <= MOST_LOGS)) throw wrong("search/bad-limit", place, `${JSON.stringify(limit)} is no number of logs for a page`, `use 1 to ${MOST_LOGS}, and page.cursor for more`);
  return { ...(limit === undefined || limit === null ? {} : { limit: Number(limit) }), ...(cursor === undefined || cursor === "" ? {} : { cursor }) };
}

interface Compute {
  /** Undefined: one number for all time. */
  readonly intervalMs: number | undefined;
}

function computeOf(value: unknown, i: number): Compute {
  const compute = asMembers(value, `compute[${i}]`);
  const aggregation = text(compute, "aggregation", `compute[${i}].`) ?? "count";
  if (aggregation !== "count") throw wrong("search/bad-aggregation", `compute[${i}].aggregation`, `${aggregation} is not computed over logs by this release`, "use count");
  const type = text(compute, "type", `compute[${i}].`) ?? "total";
  if (type !== "total" && type !== "timeseries") throw wrong("search/bad-aggregation", `compute[${i}].type`, `${JSON.stringify(type)} is no kind of result`, "use total or timeseries");
  const { interval = "5m" } = compute;
  if (typeof interval !== "string" && typeof interval !== "number") throw wrong("search/bad-interval", `compute[${i}].interval`, "an interval is a text", "write such as 5m");
  return { intervalMs: type === "total" ? undefined : readInterval(interval, `compute[${i}].interval`) };
}

interface Group {
  readonly facet: string;
  readonly limit: number;
  readonly ascending: boolean;
  readonly byName: boolean;
}

function groupOf(value: unknown, i: number): Group {
  const group = asMembers(value, `group_by[${i}]`);
  const facet = text(group, "facet", `group_by[${i}].`);
  if (!facet) throw wrong("search/bad-body", `group_by[${i}].facet`, "the facet is missing", "write such as @evt.name or service");
  const { limit = DEFAULT_GROUPS } = group;
  if (!Number.isInteger(limit) || Number(limit) < 1 || Number(limit) > MOST_GROUPS) throw wrong("search/bad-limit", `group_by[${i}].limit`, `${JSON.stringify(limit)} is no number of groups`, `use 1 to ${MOST_GROUPS}`);
  const sort = inner(group, "sort");
  return { facet, limit: Number(limit), ascending: text(sort, "order") === "asc", byName: text(sort, "type") === "alphabetical" };
}

/** Groups of the first facet hold those of the next, each facet to its limit and in its order. */
function bucketsOf(tallies: readonly TallyAnswer[], groups: readonly Group[], computes: readonly Compute[]): unknown[] {
  const first = tallies[0]!;
  const chosen = chosenGroups(first.groups, groups, 0);
  const byKey = tallies.map(({ groups: each }) => new Map(each.map((group) => [JSON.stringify(group.values), group])));
  return chosen.map((group) => ({
    by: Object.fromEntries(groups.map(({ facet }, i) => [facet, group.values[i]!])),
    computes: Object.fromEntries(computes.map(({ intervalMs }, i) => {
      const same = byKey[i]!.get(JSON.stringify(group.values));
      return [`c${i}`, intervalMs === undefined ? (same?.count ?? 0) : (same?.buckets ?? []).map(({ fromMs, count }) => ({ time: timeText(fromMs), value: count }))];
    })),
  }));
}

function chosenGroups(all: readonly TallyGroup[], groups: readonly Group[], at: number): TallyGroup[] {
  const by = groups[at];
  if (!by) return [...all];
  const held = new Map<string, { count: number; readonly inner: TallyGroup[] }>();
  for (const group of all) {
    const value = group.values[at]!;
    const known = held.get(value);
    if (known) {
      known.count += group.count;
      known.inner.push(group);
    } else held.set(value, { count: group.count, inner: [group] });
  }
  const compare = (a: readonly [string, { readonly count: number }], b: readonly [string, { readonly count: number }]): number => {
    const order = by.byName ? 0 : b[1].count - a[1].count;
    const named = a[0] < b[0] ? -1 : 1;
    if (by.byName) return by.ascending ? named : -named;
    return order === 0 ? named : by.ascending ? -order : order;
  };
  return [...held].sort(compare).slice(0, by.limit).flatMap(([, { inner: within }]) => chosenGroups(within, groups, at + 1));
}
