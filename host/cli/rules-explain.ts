import type { InputOptions } from "../batch/input.ts";
import { readInput } from "../batch/input.ts";
import { Census } from "../census.ts";
import { type StateSize, stateSize } from "../detect/state-size.ts";
import { ColumnPlan } from "../engine/columns.ts";
import { Matching } from "../engine/matching/matching.ts";
import type { Predicate } from "../engine/matching/predicate.ts";
import { createMatcher } from "../matcher.ts";
import { DetectionPipeline } from "../pipeline.ts";
import { printQuery } from "../query/print.ts";
import { parseQuery } from "../query/parse.ts";
import type { QueryNode } from "../query/tree.ts";
import type { Rule } from "../rule/rule.ts";
import { type StandingQuery, idleReason, standingQueries } from "../rule/standing.ts";
import { columnText, predicateText } from "./explanation.ts";
import { loadGoodRules } from "./load-rules.ts";
import { UsageError } from "./problems.ts";
import { byteSize, count, cut, jsonLine, plural, safe, table, widthText } from "./text.ts";

export interface RulesExplainOptions {
  readonly json?: boolean;
  readonly over?: string;
}

/** Bytes of a log that costs are measured over; enough to be steady, little enough for a thousand rules. */
const SAMPLE_BYTES = 4 * 1024 * 1024;
const ROUNDS = 5;

/**
 * What makes a query run. `indexed`: exact texts or words, which one look at a column answers for all rules together.
 * `scanned`: patterns, ranges or mere presence, answered value by value. `always`: nothing is known that must be there.
 */
type CostClass = "indexed" | "scanned" | "always";
const costClasses: readonly CostClass[] = ["indexed", "scanned", "always"];

interface Explained {
  readonly rule: Rule;
  readonly size: StateSize;
  readonly cost: CostClass | undefined;
  readonly idle: string | undefined;
  readonly queries: readonly ExplainedQuery[];
  readonly groups?: number;
}

interface ExplainedQuery {
  readonly label: string;
  readonly text: string;
  readonly fields: readonly string[];
  /** Undefined: no predicate is known that must have fired, so the query runs on every batch. */
  readonly cover: readonly string[] | undefined;
  readonly cost: CostClass;
  readonly matches?: number;
  readonly nanoseconds?: number;
}

/** `vespid rules explain`: how each rule detects, what it keeps of a group, when its queries run, and, over a log, what they cost. */
export async function rulesExplain(paths: readonly string[], options: RulesExplainOptions): Promise<number> {
  const { rules } = await loadGoodRules(paths);
  const standing = standingQueries(rules);
  const columns = new ColumnPlan();
  const matching = new Matching(columns, standing);
  const measured = options.over === undefined ? undefined : await measure(rules, standing, options.over);
  const explained = rules.map((rule, index) => explain(rule, index, standing, columns, matching, measured));
  if (options.json) for (const each of explained) for (const line of jsonLines(each)) process.stdout.write(jsonLine(line));
  else process.stdout.write(`${ruleTable(explained)}\n\n${queryTable(explained)}\n`);
  const idle = explained.filter((each) => each.idle !== undefined).length;
  process.stderr.write(`${plural(rules.length, "rule")}, ${plural(standing.length, "query", "queries")}, ${plural(matching.predicates.length, "predicate")} over ${plural(columns.keys.length, "field")}` +
    `${idle ? `; ${plural(idle, "rule")} not run by this release or switched off` : ""}` +
    `${measured ? `; measured over ${plural(measured.events, "event")}; reading alone costs ${measured.readingNanoseconds.toFixed(0)} ns an event; all rules together keep ${byteSize(measured.stateBytes)}` : ""}\n`);
  return 0;
}

function explain(rule: Rule, index: number, standing: readonly StandingQuery[], columns: ColumnPlan, matching: Matching, measured: Measured | undefined): Explained {
  const queries = standing.filter((query) => query.ruleIndex === index).map((query): ExplainedQuery => {
    const { cover } = matching.compiled[query.id]!;
    const predicates = cover?.map((predicate) => matching.predicates[predicate]!);
    return {
      label: labelOf(rule, query), text: printQuery(query.query), fields: fieldsOf(query),
      cover: predicates?.map((predicate) => predicateText(predicate, columns)), cost: costOf(predicates),
      ...(measured && { matches: measured.matches[query.id]!, nanoseconds: Math.round(measured.nanoseconds[query.id]! * 10) / 10 }),
    };
  });
  const cost = queries.map((query) => query.cost).toSorted((a, b) => costClasses.indexOf(b) - costClasses.indexOf(a))[0];
  return { rule, size: stateSize(rule), cost, idle: idleReason(rule), queries, ...(measured && { groups: measured.groups[index]! }) };
}

/** Third party: root queries, then those of the cases. */
function labelOf(rule: Rule, { queryIndex }: StandingQuery): string {
  const { method } = rule.options;
  if (method.kind !== "third_party") return rule.queries[queryIndex]!.label;
  return queryIndex < method.rootQueries.length ? `root ${queryIndex + 1}` : `case ${queryIndex - method.rootQueries.length + 1}`;
}

function costOf(cover: readonly Predicate[] | undefined): CostClass {
  if (!cover) return "always";
  return cover.every(({ kind }) => kind === "equal" || kind === "words") ? "indexed" : "scanned";
}

function ruleTable(explained: readonly Explained[]): string {
  const hasGroups = explained.some((each) => each.groups !== undefined);
  const right = (name: string) => ({ name, align: "right" as const });
  return table(["RULE", "METHOD", right("WINDOW"), right("A GROUP ONCE"), right("AT MOST"), ...(hasGroups ? [right("GROUPS")] : []), "COST", "KEEPS OF EACH GROUP"], explained.map(({ rule, size, cost, idle, groups }) => [
    cut(safe(rule.name), 36), rule.options.detectionMethod, rule.options.evaluationWindowMs ? widthText(rule.options.evaluationWindowMs) : "-", byteSize(size.first), byteSize(size.full),
    ...(hasGroups ? [count(groups ?? 0)] : []), cost ?? "-", cut(safe(idle ?? size.keeps), 72),
  ]));
}

function queryTable(explained: readonly Explained[]): string {
  const rows = explained.flatMap(({ rule, queries }) => queries.map((query) => ({ rule, query })));
  const costs = rows.some(({ query }) => query.matches !== undefined) ? [{ name: "MATCHES", align: "right" as const }, { name: "NS/EVENT", align: "right" as const }] : [];
  return table(["RULE", "QUERY", ...costs, "RUNS WHERE"], rows.map(({ rule, query }) => [
    cut(safe(rule.name), 36), `${safe(query.label)}: ${cut(safe(query.text), 56)}`,
    ...(costs.length ? [count(query.matches!), query.nanoseconds!.toFixed(1)] : []),
    query.cover ? cut(safe(query.cover.join(" | ")), 60) : "always",
  ]));
}

/** One line a query, each with what is the rule's; a rule without a query that runs on events has a line of its own. */
function jsonLines({ rule, size, cost, idle, queries, groups }: Explained): unknown[] {
  const own = {
    rule: rule.name, rule_id: rule.id, method: rule.options.detectionMethod, window_ms: rule.options.evaluationWindowMs, ...(idle === undefined ? {} : { idle }),
    state: { first_bytes: size.first, full_bytes: size.full, keeps: size.keeps }, rule_cost: cost ?? null, ...(groups === undefined ? {} : { groups }),
  };
  if (!queries.length) return [own];
  return queries.map(({ label, text, fields, cover, cost: queryCost, matches, nanoseconds }) => ({
    ...own, query: label, text, fields, cover: cover ?? null, cost: queryCost, ...(matches === undefined ? {} : { matches, nanoseconds_per_event: nanoseconds }),
  }));
}

function fieldsOf(query: StandingQuery): string[] {
  const columns = new ColumnPlan();
  void new Matching(columns, [{ id: 0, query: query.query }]);
  return columns.keys.map(columnText);
}

interface Measured {
  readonly events: number;
  readonly readingNanoseconds: number;
  readonly matches: readonly number[];
  readonly nanoseconds: readonly number[];
  /** By rule. */
  readonly groups: readonly number[];
  /** Of all rules together. */
  readonly stateBytes: number;
}

interface SamplePiece {
  readonly bytes: Uint8Array;
  readonly options: InputOptions;
}

/** Each query alone over the head of a log, less what reading the log costs without it, never below nothing; and all rules once for their groups. */
async function measure(rules: readonly Rule[], standing: readonly StandingQuery[], input: string): Promise<Measured> {
  const pieces = await sampleOf(input);
  // A short log is read over and over, so that the clock has something to see.
  const repeats = Math.max(1, Math.ceil(SAMPLE_BYTES / Math.max(1, pieces.reduce((sum, { bytes }) => sum + bytes.length, 0))));
  const nothing = parseQuery("-*:*");
  if (!nothing.ok) throw new Error("the query that matches nothing must parse");
  const reading = await timeOf(nothing.node, pieces, repeats);
  if (!reading.events) throw new UsageError(`${input}: no event in it could be read`);
  const each: Array<{ matches: number; nanoseconds: number }> = [];
  for (const query of standing) {
    const { matches, ms } = await timeOf(query.query, pieces, repeats);
    each.push({ matches, nanoseconds: Math.max(0, ((ms - reading.ms) * 1e6) / reading.events) });
  }
  const census = new Census(rules, standing);
  const engine = await DetectionPipeline.create({
    rules, pipelines: [], suppressions: [], criticalAssets: [], referenceTables: {}, workers: 0, variant: "simd", allowedLatenessMs: 300_000,
    onSignal() {}, onMatches: (matches, firstEvent) => census.count(matches, firstEvent),
  });
  for (const { bytes, options } of pieces) await engine.push(bytes, options);
  await engine.flush();
  const { stateBytes } = engine.stats();
  await engine.close();
  return {
    events: reading.events / repeats, readingNanoseconds: (reading.ms * 1e6) / reading.events, matches: each.map((one) => one.matches), nanoseconds: each.map((one) => one.nanoseconds),
    groups: rules.map((_, i) => census.of(i).groupCount), stateBytes,
  };
}

async function sampleOf(input: string): Promise<SamplePiece[]> {
  const pieces: SamplePiece[] = [];
  let size = 0;
  await readInput(input, {
    async push(bytes, options) {
      if (size < SAMPLE_BYTES) pieces.push({ bytes: bytes.slice(0, bytes.lastIndexOf(10) + 1 || bytes.length), options });
      size += bytes.length;
    },
    tooLarge() {},
  }, {
    settings: { format: "auto" }, nowMs: Date.now, enough: () => size >= SAMPLE_BYTES,
    arrange: async () => await (await import("../engine/reframing.ts")).createLineReframer(),
  });
  return pieces;
}

async function timeOf(query: QueryNode, pieces: readonly SamplePiece[], repeats: number): Promise<{ matches: number; events: number; ms: number }> {
  const matcher = await createMatcher({ queries: [query] });
  let best = Number.POSITIVE_INFINITY;
  let matches = 0;
  let events = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    const before = matcher.events;
    matches = 0;
    for (let i = 0; i < repeats; i++) for (const { bytes, options } of pieces) matches += (await matcher.match(bytes, options)).length;
    matches /= repeats;
    events = matcher.events - before;
    best = Math.min(best, performance.now() - startMs);
  }
  await matcher.close();
  return { matches, events, ms: best };
}
