import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LogEvent } from "../../host/event/event.ts";
import { normalizeEvent } from "../../host/event/normalize.ts";
import { type Pack, readPack } from "../../host/event/pipeline/packs.ts";
import { runPipelines } from "../../host/event/pipeline/run.ts";
import { readSyslog } from "../../host/event/syslog.ts";
import { readRuleDocument } from "../../host/rule/document.ts";
import type { Rule } from "../../host/rule/rule.ts";
import { readRule } from "../../host/rule/wire.ts";
import { content } from "./cloud-support.ts";

export const ARRIVAL_MS = Date.UTC(2026, 2, 2, 12);

export interface HostPack {
  readonly pack: Pack;
  readonly rules: readonly Rule[];
}

export function hostPack(name: string): HostPack {
  const folder = join(content, name);
  const text = (path: string): string => readFileSync(join(folder, path), "utf8");
  const pack = readPack(text("manifest.yaml"), join(folder, "manifest.yaml"), (path) => (existsSync(join(folder, path)) ? text(path) : undefined));
  return { pack, rules: pack.rules.flatMap((path) => readRuleDocument(text(path), path, "yaml").rules).map(({ wire }) => readRule(wire)) };
}

export function linesOf(file: string): string[] {
  return readFileSync(file, "utf8").split("\n").filter((line) => line !== "");
}

/** A record of a sample file, through the pack's pipelines: JSON as it is sent, or a line of syslog or of a web server. */
export function sampleEvent({ pack }: HostPack, line: string): LogEvent {
  return runPipelines(sampleRecord(pack, line), pack.pipelines, ARRIVAL_MS);
}

function sampleRecord(pack: Pack, line: string): LogEvent {
  if (line.startsWith("{")) return normalizeEvent(JSON.parse(line), { format: "intake", source: pack.sources[0]! });
  if (pack.format === "syslog") return normalizeEvent(readSyslog(line), { format: "intake", source: /^<(?:46|78)>/.test(line) ? "syslog" : "auth" });
  return normalizeEvent(line, { format: "text", source: pack.sources[0]! });
}
