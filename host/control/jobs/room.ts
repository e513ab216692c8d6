import { randomUUID } from "node:crypto";
import { JobStore, type StoredJob, jobOf } from "../../store/jobs.ts";
import { OneSignal, SignalList } from "../signals/schemas.ts";
import { ApiError, badRequest, notFound } from "../api-error.ts";
import type { ControlContext } from "../context.ts";
import type { Room } from "../control.ts";
import type { Principal } from "../principal.ts";
import { type Call, type RouteAnswer, type RouteFacts, created, empty, ok, route } from "../route.ts";
import { type JobDefinition, askedByDefinition, askedFromRule } from "./definition.ts";
import { type ResultsRequest, findResults, resultData, seeResult } from "./found.ts";
import { chosenJobs, jobTime } from "./list.ts";
import { type JobLimits, JobRunner, usualLimits } from "./runner.ts";
import { ConvertResults, JobCreated, JobId, Jobs, JobsQuery, OneJob, ResultsBody, ResultsQuery, RunJob } from "./schemas.ts";

const BASE = "/api/v2/siem-historical-detections";
const JOBS = `${BASE}/jobs`;
const RESULTS = `${BASE}/histsignals`;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Jobs that are kept, and that wait. */
const MOST_JOBS = 1000;
const MOST_WAITING = 100;
const DEFAULT_PAGE = 10;

type Facts = Pick<RouteFacts, "tag" | "errors" | "permission">;
const seeing: Facts = { tag: "Historical Jobs", errors: "objects", permission: "security_monitoring_signals_read" };
const running: Facts = { ...seeing, permission: "security_monitoring_rules_write" };
const converting: Facts = { ...seeing, permission: "security_monitoring_signals_write" };

/** Rules over logs of the past: jobs, what they found, and signals made of it. */
export function jobsRoom(context: ControlContext, limits: JobLimits = usualLimits): Room {
  const store = new JobStore(context.sql);
  const runner = new JobRunner(context, store, limits);

  const jobOrRefusal = (id: string): StoredJob => {
    if (!UUID.test(id)) throw badRequest("invalid jobId");
    const job = store.get(id);
    if (!job) throw notFound("job not found");
    return job;
  };
  const audit = (call: Pick<Call, "audit">, action: "created" | "modified" | "deleted" | "executed", job: Pick<StoredJob, "id" | "name">, more: { readonly before?: unknown; readonly after?: unknown; readonly message?: string } = {}): void =>
    call.audit({ action, asset: { type: "historical_job", id: job.id, name: job.name }, ...more });
  const results = async (request: ResultsRequest, { principal, nowMs }: Pick<Call, "principal" | "nowMs">, path: string): Promise<RouteAnswer> => {
    mayRead(principal);
    const { signals, after } = await findResults(store, request, principal, nowMs);
    const data = signals.map(resultData);
    if (after === undefined) return ok({ data });
    const texts = { "filter[query]": request.query, "filter[from]": request.from, "filter[to]": request.to, sort: typeof request.sort === "string" ? request.sort : undefined, "page[limit]": request.limit, "page[cursor]": after };
    const next = new URLSearchParams(Object.entries(texts).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, String(value)]])));
    return ok({ data, links: { next: `${path}?${next}` }, meta: { page: { after } } });
  };

  return {
    routes: [
      route({ ...running, method: "POST", path: JOBS, operationId: "runHistoricalJob", summary: "Runs a rule over past logs", body: RunJob, answers: { 201: JobCreated }, refuses: [404] },
        (call) => {
          const { fromRule, jobDefinition, signalOutput = false, sensitivity = false } = call.body.data.attributes;
          if ((fromRule === undefined) === (jobDefinition === undefined)) throw badRequest("exactly one of fromRule and jobDefinition is to be given");
          if (store.count() >= MOST_JOBS) throw badRequest(`there are ${MOST_JOBS} jobs already; delete some that are done`);
          if (store.count("pending") >= MOST_WAITING) throw new ApiError(429, `${MOST_WAITING} jobs wait already`, { headers: { "x-ratelimit-reset": "60", "retry-after": "60" } });
          const id = randomUUID();
          const { principal } = call;
          if ((fromRule ?? jobDefinition)!.index === "audit" && !principal.permissions.has("audit_logs_read")) throw new ApiError(403, "what others did is read with audit_logs_read");
          const asked = fromRule ? askedFromRule(fromRule, context.setup(), principal.restriction) : askedByDefinition(id, jobDefinition as unknown as JobDefinition, context.setup(), principal.restriction);
          context.sql.transaction(() => {
            store.add({ id, ...asked, work: { ...asked.work, ...(sensitivity ? { turned: true } : {}) }, signalOutput, createdBy: { uuid: principal.userId, handle: principal.handle, name: principal.name } }, call.nowMs);
            audit(call, "created", { id, name: asked.name }, { after: asked.definition });
          });
          runner.wake();
          return created({ data: { id, type: "historicalDetectionsJob" } });
        }),
      route({ ...seeing, method: "GET", path: JOBS, operationId: "listHistoricalJobs", summary: "Historical jobs, newest first", query: JobsQuery, answers: { 200: Jobs } },
        ({ query, principal }) => {
          mayRead(principal);
          const found = chosenJobs(store.list(), query["filter[query]"] ?? "", query.sort ?? "");
          const size = query["page[size]"] ?? DEFAULT_PAGE;
          const start = (query["page[number]"] ?? 0) * size;
          return ok({ data: found.slice(start, start + size).map((job) => jobData(job, runner, principal)), meta: { totalCount: found.length } });
        }),
      route({ ...seeing, method: "GET", path: `${JOBS}/:job_id`, operationId: "getHistoricalJob", summary: "One historical job", params: JobId, answers: { 200: OneJob }, refuses: [404] },
        ({ params, principal }) => {
          mayRead(principal);
          return ok({ data: jobData(jobOrRefusal(params.job_id), runner, principal) });
        }),
      route({ ...running, method: "PATCH", path: `${JOBS}/:job_id/cancel`, operationId: "cancelHistoricalJob", summary: "Ends a job that waits or runs", params: JobId, answers: { 204: undefined }, refuses: [404, 409] },
        (call) => {
          const job = jobOrRefusal(call.params.job_id);
          if (job.status !== "pending" && job.status !== "running") throw new ApiError(409, `the job is ${job.status} already`, { code: "FailedPrecondition" });
          context.sql.transaction(() => {
            runner.cancel(job.id);
            audit(call, "modified", job, { before: { status: job.status }, after: { status: "cancelled" }, message: "cancelled" });
          });
          return empty;
        }),
      route({ ...running, method: "DELETE", path: `${JOBS}/:job_id`, operationId: "deleteHistoricalJob", summary: "Deletes a job and what it found", params: JobId, answers: { 204: undefined }, refuses: [404, 409] },
        (call) => {
          const job = jobOrRefusal(call.params.job_id);
          if (job.status === "pending" || job.status === "running") throw new ApiError(409, `the job is ${job.status}; cancel it first`, { code: "FailedPrecondition" });
          context.sql.transaction(() => {
            store.delete(job.id);
            audit(call, "deleted", job, { before: { status: job.status, definition: job.definition } });
          });
          return empty;
        }),
      route({ ...converting, method: "POST", path: `${JOBS}/signal_convert`, operationId: "convertJobResultToSignal", summary: "Makes signals of results", body: ConvertResults, answers: { 204: undefined }, refuses: [404] },
        (call) => {
          const { jobResultIds, notifications, signalMessage: message, signalSeverity: severity } = call.body.data.attributes;
          const found = [...new Set(jobResultIds)].map((id) => {
            const stored = seeResult(store, id, call.principal);
            if (!stored) throw notFound(`job result ${id} not found`);
            return stored;
          });
          const made = context.sql.transaction(() => {
            const ids = found.flatMap((stored) => store.convert(stored, { message, severity, notifications }, call.nowMs) ?? []);
            for (const id of new Set(found.map((stored) => jobOf(stored.id)))) {
              const of = found.filter((stored) => jobOf(stored.id) === id).map((stored) => stored.id);
              audit(call, "executed", { id, name: store.get(id)!.name }, { after: { jobResultIds: of, severity, notifications }, message: `${of.length} results converted to signals` });
            }
            return ids;
          });
          context.signalsChanged(made);
          return empty;
        }),
      route({ ...seeing, method: "GET", path: RESULTS, operationId: "listSecurityMonitoringHistsignals", summary: "Results of jobs that match a query", query: ResultsQuery, answers: { 200: SignalList }, refuses: [404], isSearch: true },
        (call) => results(requestOf(call.query), call, RESULTS)),
      route({ ...seeing, method: "POST", path: `${RESULTS}/search`, operationId: "searchSecurityMonitoringHistsignals", summary: "The same with a body", isBodyOptional: true, body: ResultsBody, answers: { 200: SignalList }, refuses: [404], isSearch: true },
        (call) => results({ ...call.body?.filter, ...call.body?.page, sort: call.body?.sort }, call, RESULTS)),
      route({ ...seeing, method: "GET", path: `${RESULTS}/:histsignal_id`, operationId: "getSecurityMonitoringHistsignal", summary: "One result", answers: { 200: OneSignal }, refuses: [404] },
        ({ params, principal }) => {
          mayRead(principal);
          const stored = seeResult(store, params.histsignal_id!, principal);
          if (!stored) throw notFound("Signal not found");
          return ok({ data: resultData(stored) });
        }),
      route({ ...seeing, method: "GET", path: `${JOBS}/:job_id/histsignals`, operationId: "getSecurityMonitoringHistsignalsByJobId", summary: "Results of one job", params: JobId, query: ResultsQuery, answers: { 200: SignalList }, refuses: [404], isSearch: true },
        async (call) => {
          mayRead(call.principal);
          const { id } = jobOrRefusal(call.params.job_id);
          return await results({ ...requestOf(call.query), jobId: id }, call, `${JOBS}/${id}/histsignals`);
        }),
    ],
    close: () => runner.close(),
  };
}

/** Jobs show rules as well as signals. */
function mayRead({ permissions }: Principal): void {
  if (!permissions.has("security_monitoring_rules_read")) throw new ApiError(403, "Forbidden");
}

function requestOf(query: Readonly<Record<string, string | number | undefined>>): ResultsRequest {
  const text = (name: string): string | undefined => query[name] as string | undefined;
  return { query: text("filter[query]"), from: text("filter[from]"), to: text("filter[to]"), sort: text("sort"), cursor: text("page[cursor]"), limit: query["page[limit]"] as number | undefined };
}

/** Numbers of a job that saw more than the asker does are not told. It passes over all events of its range: how many is for those who may see all. */
function jobData(job: StoredJob, runner: JobRunner, { restriction, userId }: Principal): unknown {
  const isSeen = restriction === undefined || job.createdBy.uuid === userId;
  const { id, name, status, definition, fromRuleId, createdBy, createdMs, modifiedMs, signalOutput, progress, signals, leftOut, events, note, sensitivity } = job;
  return {
    id, type: "historicalDetectionsJob",
    attributes: {
      createdAt: jobTime(createdMs), createdByHandle: createdBy.handle, createdByName: createdBy.name, ...(fromRuleId === undefined ? {} : { createdFromRuleId: fromRuleId }),
      jobDefinition: definition, jobName: name, jobStatus: status, modifiedAt: jobTime(modifiedMs),
      progressRate: status === "running" ? (runner.progressOf(id) ?? 0) : progress, signalOutput,
      ...(status === "completed" && isSeen ? { signalCount: signals, signalsLeftOut: leftOut, ...(restriction ? {} : { eventCount: events }), ...(sensitivity ? { sensitivity } : {}) } : {}), ...(note === "" || !isSeen ? {} : { note }),
    },
  };
}
