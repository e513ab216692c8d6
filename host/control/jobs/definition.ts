import { hash } from "node:crypto";
import { type HistoryIndex, historyIndexes } from "../../history/contract.ts";
import { indexOf } from "../../history/judge.ts";
import { withSources } from "../../history/needed.ts";
import { type Problem, ProblemError } from "../../problem.ts";
import { type QueryNode } from "../../query/tree.ts";
import { parseQuery } from "../../query/parse.ts";
import type { Rule } from "../../rule/rule.ts";
import { isOnSignals, readsSignals } from "../../rule/signal-source.ts";
import { idleReason } from "../../rule/standing.ts";
import { readRule, readRuleWire } from "../../rule/wire.ts";
import { writeRuleWire } from "../../rule/wire-write.ts";
import { ApiError, badRequest, notFound, problemsError } from "../api-error.ts";
import type { Setup } from "../context.ts";

type Wire = Readonly<Record<string, unknown>>;

/** What a job runs: rules as they were when it was asked for. Plain JSON. */
export interface JobWork {
  /** The rule itself, then those whose signals it reads. */
  readonly rules: readonly Wire[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly index: HistoryIndex;
  /** Of whoever asked: only events that one of these finds are judged. */
  readonly restriction?: readonly QueryNode[];
  /** How loud the rule would be at other settings is found out too. */
  readonly turned?: boolean;
}

/** A request, understood. */
export interface AskedJob {
  readonly name: string;
  readonly definition: unknown;
  readonly work: JobWork;
  readonly fromRuleId?: string;
}

export interface FromRule {
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly index: string;
  readonly caseIndex?: number | null;
}

/** What a job says itself, in the words of rules but for a few. */
export type JobDefinition = Wire & { readonly from: number; readonly to: number; readonly index: string; readonly name: string };

const TITLE = "Invalid job definition";
/** Where a job says nothing of its times. */
const usualOptions = { evaluationWindow: 300, keepAlive: 3600, maxSignalDuration: 86_400 };
/** Members of a rule that mean something in a job. */
const taken = ["name", "message", "type", "tags", "cases", "thirdPartyCases", "groupSignalsBy", "referenceTables", "calculatedFields", "hasExtendedTitle", "filters"] as const;

/** Throws an `ApiError` with everything that is wrong. */
export function askedFromRule(asked: FromRule, setup: Setup, restriction: readonly QueryNode[] | undefined): AskedJob {
  const known = rulesOf(setup);
  const rule = known.find(({ id }) => id === asked.id);
  if (!rule) throw notFound(`rule ${asked.id} not found`);
  const range = rangeOf(asked);
  const judged = ruleOf(ofCase({ ...writeRuleWire(rule), isEnabled: true }, asked.caseIndex ?? undefined));
  checkRunnable(judged, range.index);
  return {
    name: rule.name, fromRuleId: rule.id, definition: definitionOf(writeRuleWire(judged), asked),
    work: { rules: wiresOf(judged, known), ...range, ...(restriction ? { restriction } : {}) },
  };
}

/** The same for a job that says all of it itself. */
export function askedByDefinition(jobId: string, definition: JobDefinition, setup: Setup, restriction: readonly QueryNode[] | undefined): AskedJob {
  const range = rangeOf(definition);
  const judged = ruleOf(ruleWire(jobId, definition, range.index));
  checkRunnable(judged, range.index);
  return { name: judged.name, definition, work: { rules: wiresOf(judged, rulesOf(setup)), ...range, ...(restriction ? { restriction } : {}) } };
}

/** The rules of a job, as they are run; the first is the one it is about. */
export function rulesToRun({ rules, restriction }: JobWork): Rule[] {
  const read = rules.map(readRule);
  if (!restriction) return read;
  const node: QueryNode = { kind: "or", nodes: restriction, span: { start: 0, end: 0 } };
  return read.map((rule) => ({ ...rule, filters: [...rule.filters, { action: "require", node }] }));
}

export function rulesOf(setup: Setup): Rule[] {
  return setup.rules.map((rule) => ("wire" in rule ? (rule as Rule) : readRule(rule)));
}

function rangeOf({ from, to, index }: Pick<FromRule, "from" | "to" | "index">): Pick<JobWork, "fromMs" | "toMs" | "index"> {
  if (from >= to) throw badRequest("from: it has to be before to; both are milliseconds since 1970");
  const named = historyIndexes.find((each) => each === (index === "" ? "main" : index));
  if (!named) throw badRequest(`index: there is no index ${JSON.stringify(index)}; use main for logs, audit for audit events`);
  return { fromMs: from, toMs: to, index: named };
}

function ruleOf(wire: Wire): Rule {
  const read = readRuleWire(wire);
  if (!read.ok) throw problemsError(read.problems, TITLE);
  return read.rule;
}

function checkRunnable(rule: Rule, index: HistoryIndex): void {
  const idle = idleReason(rule);
  if (idle !== undefined) throw badRequest(`the rule cannot be run: ${idle}`);
  if (isOnSignals(rule) || rule.options.method.kind === "third_party") return;
  const asks = rule.queries.filter((query) => !readsSignals(query));
  if (!asks.some((query) => indexOf(query) === index)) throw badRequest(`index: no query of the rule asks about events of ${index}; run it over ${index === "main" ? "audit" : "main"}`);
}

/** One case of a rule alone. */
function ofCase(wire: Wire, index: number | undefined): Wire {
  if (index === undefined) return wire;
  const cases = listOf(wire.cases);
  if (index >= cases.length) throw badRequest(`caseIndex: the rule has ${cases.length} cases, counted from 0`);
  const vendor = listOf(wire.thirdPartyCases);
  return { ...wire, cases: [cases[index]], ...(vendor.length ? { thirdPartyCases: [vendor[index]], queries: [listOf(wire.queries)[index]] } : {}) };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The rule, and all whose signals it reads. Tests are left out: they are nothing to run. */
function wiresOf(judged: Rule, known: readonly Rule[]): Wire[] {
  const missing = judged.queries.findIndex((query) => query.correlation && query.correlation.ruleId !== judged.id && !known.some(({ id }) => id === query.correlation!.ruleId));
  if (missing >= 0) throw badRequest(`queries[${missing}].ruleId: there is no rule ${judged.queries[missing]!.correlation!.ruleId}`);
  return withSources([judged], known).map((rule) => ({ ...writeRuleWire(rule), tests: undefined }));
}

/** The rule that a definition comes to. */
function ruleWire(jobId: string, definition: JobDefinition, index: HistoryIndex): Wire {
  const problems: Problem[] = [];
  const queries = listOf(definition.queries).map((query, i) => (isObject(query) ? queryWire(query, i, index, problems) : query));
  if (problems.length) throw problemsError(problems, TITLE);
  return {
    ...Object.fromEntries(taken.flatMap((name) => (definition[name] === undefined || definition[name] === null ? [] : [[name, definition[name]]]))),
    id: idOfJob(jobId), version: 1, isEnabled: true, queries, options: definition.options ?? usualOptions,
  };
}

/** As ids of rules look; the same for the same job, so that a job that is begun anew finds signals of the same ids. */
function idOfJob(jobId: string): string {
  return hash("sha256", jobId).slice(0, 9).replace(/(...)(...)(...)/, "$1-$2-$3");
}

/** Filters that are said beside the query are part of it. */
function queryWire(query: Wire, i: number, index: HistoryIndex, problems: Problem[]): Wire {
  const { additionalFilters, customQueryExtension, index: _index, indexes: _indexes, datasetIds: _datasets, queryLanguage: _language, ...rest } = query;
  const extensions: string[] = [];
  for (const [name, text] of [["customQueryExtension", customQueryExtension], ["additionalFilters", additionalFilters]] as const) {
    if (text === undefined || text === null || (typeof text === "string" && text.trim() === "")) continue;
    const place = `queries[${i}].${name}`;
    if (typeof text !== "string") {
      problems.push({ code: "jobs/wrong-type", place, message: `${name} is no text`, hint: "put it in quotes" });
      continue;
    }
    const parsed = parseQuery(text);
    // Each is right by itself: no bracket of one opens in the other.
    if (!parsed.ok) problems.push(...parsed.problems.map((problem) => ({ ...problem, place })));
    extensions.push(`(${text})`);
  }
  return { ...rest, dataSource: query.dataSource ?? (index === "audit" ? "audit" : undefined), ...(extensions.length ? { customQueryExtension: extensions.join(" ") } : {}) };
}

function isObject(value: unknown): value is Wire {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A rule as a job would say it; words are those the official client knows in jobs. */
function definitionOf(wire: Wire, { from, to, index }: FromRule): Wire {
  const { name, message, type, tags, queries, cases, thirdPartyCases, groupSignalsBy, referenceTables, calculatedFields } = wire;
  const options = wire.options as Wire;
  const told = { name, message, type, tags, queries, cases, thirdPartyCases, groupSignalsBy, referenceTables, calculatedFields };
  return {
    ...Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)), from, to, index,
    options: options.detectionMethod === "content_anomaly" ? { ...options, detectionMethod: "anomaly_threshold" } : options,
  };
}

/** What the reader of rules could only find when it ran. */
export function reasonOf(error: unknown): string {
  if (error instanceof ProblemError) return error.problems.map(({ message }) => message).join("; ");
  return error instanceof ApiError || error instanceof Error ? error.message : String(error);
}
