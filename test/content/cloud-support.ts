import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LogEvent } from "../../host/event/event.ts";
import { normalizeEvent } from "../../host/event/normalize.ts";
import { type Pack, readPack } from "../../host/event/pipeline/packs.ts";
import { runPipelines } from "../../host/event/pipeline/run.ts";
import { matches } from "../../host/query/matches.ts";
import type { QueryNode } from "../../host/query/tree.ts";
import { readRuleDocument } from "../../host/rule/document.ts";
import { readRule } from "../../host/rule/wire.ts";
import type { Rule } from "../../host/rule/rule.ts";

export const content = join(import.meta.dirname, "..", "..", "content");
export const ARRIVAL_MS = Date.UTC(2026, 2, 2, 12);

export interface CloudPack {
  readonly pack: Pack;
  readonly rules: readonly Rule[];
  /** Lines of tests/records.ndjson. */
  readonly lines: readonly string[];
}

export function cloudPack(name: string): CloudPack {
  const folder = join(content, name);
  const text = (path: string): string => readFileSync(join(folder, path), "utf8");
  const pack = readPack(text("manifest.yaml"), join(folder, "manifest.yaml"), (path) => (existsSync(join(folder, path)) ? text(path) : undefined));
  const rules = pack.rules.flatMap((path) => readRuleDocument(text(path), path, "yaml").rules).map(({ wire }) => readRule(wire));
  return { pack, rules, lines: text("tests/records.ndjson").split("\n").filter((line) => line !== "") };
}

/** A record as a file has it, after the pack's pipelines. */
export function madeEvent({ pack }: CloudPack, record: unknown, source = pack.sources[0]!): LogEvent {
  return runPipelines(normalizeEvent(record, { format: "raw", source }), pack.pipelines, ARRIVAL_MS);
}

export interface NamedQuery {
  readonly rule: Rule;
  readonly label: string;
  readonly node: QueryNode;
}

/** What a rule looks for; of a third party's alerts, each root query. */
export function queriesOf(rule: Rule): NamedQuery[] {
  const { method } = rule.options;
  if (method.kind === "third_party") return method.rootQueries.map(({ node }, i) => ({ rule, label: `root ${i + 1}`, node }));
  return rule.queries.map(({ label, node }) => ({ rule, label, node }));
}

/** `rule/query` of each that finds the event. */
export function found(queries: readonly NamedQuery[], event: LogEvent): string[] {
  return queries.filter(({ node }) => matches(node, event)).map(({ rule, label }) => `${rule.id}/${label}`);
}
