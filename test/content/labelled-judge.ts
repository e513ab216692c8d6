import { readFileSync } from "node:fs";
import { createEngine } from "../../host/index.ts";
import type { EventFormat, LogEvent } from "../../host/event/event.ts";
import { normalizeEvent } from "../../host/event/normalize.ts";
import { runPipelines } from "../../host/event/pipeline/run.ts";
import { contentFolder, readPacks } from "../../host/packs.ts";
import { matches } from "../../host/query/matches.ts";
import { readRuleDocument } from "../../host/rule/document.ts";
import type { Rule, Severity } from "../../host/rule/rule.ts";
import { readRule } from "../../host/rule/wire.ts";
import { queriesOf } from "./cloud-support.ts";

/** Every pack that comes along, and every rule of theirs. */
const packs = await readPacks(contentFolder());
export const rules: readonly Rule[] = packs.flatMap((pack) => pack.ruleFiles.flatMap((file) => readRuleDocument(readFileSync(file, "utf8"), file, "yaml").rules)).map(({ wire }) => readRule(wire));
const queriesByRule = rules.map((rule) => ({ rule, nodes: queriesOf(rule).map(({ node }) => node) }));

const ARRIVAL_MS = Date.UTC(2026, 2, 1, 12);

export interface Sent {
  readonly source: string;
  readonly format: EventFormat;
  readonly arrivalMs?: number;
}

/** A rule that gave a signal; how many of them does not matter here. */
export interface Told {
  readonly rule: string;
  readonly severity: Severity;
}

/** What the rules make of records that come alone, in a fresh engine. */
export interface Judged {
  readonly told: readonly Told[];
  /** Rules that gave no signal, but count what one of their queries finds and wait for more. Of one record only. */
  readonly waiting: readonly string[];
}

/**
 * All shipped rules over records that come alone, through the pipelines of the packs that read the source.
 *
 * A single JSON record goes through the pipelines by itself first, and only rules with a query that finds it are started: a rule none
 * of whose queries finds anything gives no signal, and starting all of them anew for each of hundreds of records takes minutes.
 */
export async function judged(lines: readonly string[], sent: Sent): Promise<Judged> {
  const { source, format, arrivalMs = ARRIVAL_MS } = sent;
  const pipelines = packs.filter(({ sources }) => sources.some((each) => each === source || source.startsWith(`${each}.`))).flatMap((pack) => pack.pipelines);
  const isSingle = lines.length === 1 && lines[0]!.startsWith("{");
  const event = isSingle ? runPipelines(normalizeEvent(JSON.parse(lines[0]!), { format, source }), pipelines, arrivalMs) : undefined;
  const wanted = event ? finding(event) : rules;
  if (!wanted.length) return { told: [], waiting: [] };
  const engine = await createEngine({ rules: wanted, pipelines });
  for (let at = 0; at < lines.length; at += 2000) await engine.push(new TextEncoder().encode(`${lines.slice(at, at + 2000).join("\n")}\n`), { format, source, arrivalMs });
  await engine.close();
  const told = new Map(engine.finalSignals().map(({ ruleId, severity }) => [`${ruleId} ${severity}`, { rule: ruleId, severity }]));
  return {
    told: [...told].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each),
    waiting: event ? wanted.filter(({ id, options }) => options.method.kind === "threshold" && !told.values().some(({ rule }) => rule === id)).map(({ id }) => id).toSorted() : [],
  };
}

function finding(event: LogEvent): Rule[] {
  return queriesByRule.filter(({ nodes }) => nodes.some((node) => matches(node, event))).map(({ rule }) => rule);
}
