import { readInput } from "../batch/input.ts";
import { ColumnPlan } from "../engine/columns.ts";
import { Matching } from "../engine/matching/matching.ts";
import { createMatcher } from "../matcher.ts";
import { printQuery } from "../query/print.ts";
import { parseQuery } from "../query/parse.ts";
import type { QueryNode } from "../query/tree.ts";
import { type StandingQuery, standingQueries } from "../rule/standing.ts";
import { columnText, predicateText } from "./explanation.ts";
import { loadGoodRules } from "./load-rules.ts";
import { UsageError } from "./problems.ts";
import { count, cut, jsonLine, plural, safe, table } from "./text.ts";

export interface RulesExplainOptions {
  readonly json?: boolean;
  readonly over?: string;
}

/** Bytes of a log that costs are measured over; enough to be steady, little enough for a thousand rules. */
const SAMPLE_BYTES = 4 * 1024 * 1024;
const ROUNDS = 5;

/** `vespid rules explain`: what each query needs, when it runs, and, over a log, what it costs. */
export async function rulesExplain(paths: readonly string[], options: RulesExplainOptions): Promise<number> {
  const { rules } = await loadGoodRules(paths);
  const standing = standingQueries(rules);
  const columns = new ColumnPlan();
  const matching = new Matching(columns, standing);
  const costs = options.over === undefined ? undefined : await measure(standing, options.over);
  const explained = standing.map((query, i) => {
    const rule = rules[query.ruleIndex]!;
    const { cover } = matching.compiled[i]!;
    return {
      rule: rule.name,
      rule_id: rule.id,
      query: rule.queries[query.queryIndex]!.label,
      text: printQuery(query.query),
      fields: fieldsOf(query),
      /** Null: no predicate is known that must have fired, so the query runs on every batch. */
      cover: cover?.map((predicate) => predicateText(matching.predicates[predicate]!, columns)) ?? null,
      ...(costs && { matches: costs.matches[i], nanoseconds_per_event: Math.round(costs.nanoseconds[i]! * 10) / 10 }),
    };
  });
  if (options.json) for (const each of explained) process.stdout.write(jsonLine(each));
  else {
    const costColumns = costs ? [{ name: "MATCHES", align: "right" as const }, { name: "NS/EVENT", align: "right" as const }] : [];
    process.stdout.write(`${table(["RULE", "QUERY", ...costColumns, "RUNS WHERE"], explained.map((each) => [
      cut(safe(each.rule), 36), `${safe(each.query)}: ${cut(safe(each.text), 56)}`,
      ...(costs ? [count(each.matches!), each.nanoseconds_per_event!.toFixed(1)] : []),
      each.cover ? cut(safe(each.cover.join(" | ")), 60) : "always",
    ]))}\n`);
  }
  const idle = rules.length - new Set(standing.map((query) => query.ruleIndex)).size;
  process.stderr.write(`${plural(rules.length, "rule")}, ${plural(standing.length, "query", "queries")}, ${plural(matching.predicates.length, "predicate")} over ${plural(columns.keys.length, "field")}` +
    `${idle ? `; ${plural(idle, "rule")} not run by this release or switched off` : ""}` +
    `${costs ? `; measured over ${plural(costs.events, "event")}; reading alone costs ${costs.readingNanoseconds.toFixed(0)} ns an event` : ""}\n`);
  return 0;
}

function fieldsOf(query: StandingQuery): string[] {
  const columns = new ColumnPlan();
  void new Matching(columns, [{ id: 0, query: query.query }]);
  return columns.keys.map(columnText);
}

interface Costs {
  readonly events: number;
  readonly readingNanoseconds: number;
  readonly matches: readonly number[];
  readonly nanoseconds: readonly number[];
}

/** Each query alone over the head of a log, less what reading the log costs without it. Never below nothing. */
async function measure(standing: readonly StandingQuery[], input: string): Promise<Costs> {
  const pieces: Array<{ bytes: Uint8Array; options: Parameters<Parameters<typeof readInput>[1]["push"]>[1] }> = [];
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
  // A short log is read over and over, so that the clock has something to see.
  const repeats = Math.max(1, Math.ceil(SAMPLE_BYTES / Math.max(1, pieces.reduce((sum, { bytes }) => sum + bytes.length, 0))));
  const time = async (query: QueryNode): Promise<{ matches: number; events: number; ms: number }> => {
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
  };
  const nothing = parseQuery("-*:*");
  if (!nothing.ok) throw new Error("the query that matches nothing must parse");
  const reading = await time(nothing.node);
  if (!reading.events) throw new UsageError(`${input}: no event in it could be read`);
  const each: Array<{ matches: number; nanoseconds: number }> = [];
  for (const query of standing) {
    const { matches, ms } = await time(query.query);
    each.push({ matches, nanoseconds: Math.max(0, ((ms - reading.ms) * 1e6) / reading.events) });
  }
  return { events: reading.events / repeats, readingNanoseconds: (reading.ms * 1e6) / reading.events, matches: each.map((one) => one.matches), nanoseconds: each.map((one) => one.nanoseconds) };
}
