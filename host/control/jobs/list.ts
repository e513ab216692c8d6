import type { Queryable } from "../../event/event.ts";
import { ProblemError } from "../../problem.ts";
import { matches } from "../../query/matches.ts";
import { parseQuery } from "../../query/parse.ts";
import type { StoredJob } from "../../store/jobs.ts";
import { badRequest } from "../api-error.ts";

/** What jobs are sorted by, as answers call it. */
const orders: Readonly<Record<string, (job: StoredJob) => string | number>> = {
  createdAt: ({ createdMs }) => createdMs, created_at: ({ createdMs }) => createdMs, modifiedAt: ({ modifiedMs }) => modifiedMs, modified_at: ({ modifiedMs }) => modifiedMs,
  jobName: ({ name }) => name, name: ({ name }) => name, jobStatus: ({ status }) => status, status: ({ status }) => status, progressRate: ({ progress }) => progress,
  createdByHandle: ({ createdBy }) => createdBy.handle, createdByName: ({ createdBy }) => createdBy.name, id: ({ id }) => id,
};

/** Jobs that a query finds, in an order. Throws a `ProblemError` of the query, and an `ApiError`. */
export function chosenJobs(jobs: readonly StoredJob[], query: string, sort: string): StoredJob[] {
  const parsed = parseQuery(query);
  if (!parsed.ok) throw new ProblemError(parsed.problems.map((problem) => ({ ...problem, place: "filter[query]" })));
  const found = parsed.node.kind === "all" ? [...jobs] : jobs.filter((job) => matches(parsed.node, asked(job)));
  if (sort === "") return found;
  const isDescending = sort.startsWith("-");
  const name = isDescending ? sort.slice(1) : sort;
  if (!Object.hasOwn(orders, name)) throw badRequest(`sort: jobs cannot be sorted by ${JSON.stringify(name)}; use ${Object.keys(orders).join(", ")}, with - before it for the reverse`);
  const valueOf = orders[name]!;
  const sign = isDescending ? -1 : 1;
  return found.sort((a, b) => {
    const [left, right] = [valueOf(a), valueOf(b)];
    return left < right ? -sign : left > right ? sign : 0;
  });
}

/** A job as a query sees it: what answers call it, as a tag (`id:...`) and as an attribute (`@id:...`). */
function asked({ id, name, status, createdBy, fromRuleId, signalOutput }: StoredJob): Queryable {
  const facts: Record<string, string> = { id, jobId: id, name, jobName: name, jobStatus: status, createdByHandle: createdBy.handle, createdByName: createdBy.name, signalOutput: String(signalOutput), ...(fromRuleId === undefined ? {} : { createdFromRuleId: fromRuleId }) };
  return { message: name, status, tags: Object.entries(facts).map(([key, value]) => `${key}:${value}`), attributes: { ...facts, status } };
}

/** `2026-05-26 20:46:03.567000+00`. */
export function jobTime(ms: number): string {
  return new Date(ms).toISOString().replace("T", " ").replace("Z", "000+00");
}
