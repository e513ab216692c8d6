import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { EventFormat, LogEvent } from "../../host/event/event.ts";
import { normalizeEvent } from "../../host/event/normalize.ts";
import { type Pack, readPack } from "../../host/event/pipeline/packs.ts";
import { runPipelines } from "../../host/event/pipeline/run.ts";
import { matches } from "../../host/query/matches.ts";
import { readRuleDocument } from "../../host/rule/document.ts";
import type { Rule } from "../../host/rule/rule.ts";
import { readRule } from "../../host/rule/wire.ts";

export const content = join(import.meta.dirname, "..", "..", "content");
export const ARRIVAL_MS = Date.UTC(2026, 2, 1, 12);

export interface SaasPack {
  readonly pack: Pack;
  readonly rules: readonly Rule[];
}

export function saasPack(name: string): SaasPack {
  const folder = join(content, name);
  const text = (path: string): string => readFileSync(join(folder, path), "utf8");
  const pack = readPack(text("manifest.yaml"), join(folder, "manifest.yaml"), (path) => (existsSync(join(folder, path)) ? text(path) : undefined));
  return { pack, rules: pack.rules.flatMap((path) => readRuleDocument(text(path), path, "yaml").rules).map(({ wire }) => readRule(wire)) };
}

/** Samples of a pack: `tests/<name>`, and what a sender would call them. */
export interface Samples {
  readonly file: string;
  readonly source: string;
  readonly format: EventFormat;
}

export function linesOf(pack: string, { file }: Samples): string[] {
  return readFileSync(join(content, pack, "tests", file), "utf8").split("\n").filter((line) => line !== "");
}

export function madeEvent(pack: Pack, line: string, { format, source }: Samples): LogEvent {
  return runPipelines(normalizeEvent(format === "text" ? line : JSON.parse(line), { format, source }), pack.pipelines, ARRIVAL_MS);
}

/** `rule/query` of each that finds the event. */
export function found(rules: readonly Rule[], event: LogEvent): string[] {
  return rules.flatMap((rule) => rule.queries.filter(({ node }) => matches(node, event)).map(({ label }) => `${rule.id}/${label}`));
}
