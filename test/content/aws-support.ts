import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createEngine } from "../../host/index.ts";
import { type LoadedPack, contentFolder, readPacks } from "../../host/packs.ts";
import { readRuleDocument } from "../../host/rule/document.ts";
import { readRule } from "../../host/rule/wire.ts";
import type { Rule } from "../../host/rule/rule.ts";
import type { Signal } from "../../host/signal/signal.ts";
import { readShared } from "../support/shared.ts";

const names = ["aws-edge", "aws-network", "cloudtrail"];
/** Rules and pipelines of AWS alone. */
export const awsPacks: readonly LoadedPack[] = (await readPacks(contentFolder())).filter((pack) => names.includes(pack.name));
export const awsRules: readonly Rule[] = awsPacks.flatMap(rulesOf);

export function rulesOf(pack: LoadedPack): Rule[] {
  return pack.ruleFiles.flatMap((file) => readRuleDocument(readFileSync(file, "utf8"), file, "yaml").rules).map(({ wire }) => readRule(wire));
}

export function packFile(pack: string, path: string): string {
  return readFileSync(join(contentFolder(), pack, path), "utf8");
}

export function linesOf(text: string | Uint8Array): string[] {
  return (typeof text === "string" ? text : new TextDecoder().decode(text)).split("\n").filter((line) => line.trim() !== "");
}

export function sharedLines(path: string): string[] {
  return linesOf(readShared(path));
}

const ARRIVAL_MS = Date.UTC(2026, 2, 1, 12);

/** What the rules make of lines, in a fresh engine, through the packs' pipelines. */
export async function played(lines: readonly string[], source: string, rules: readonly Rule[] = awsRules): Promise<readonly Signal[]> {
  const engine = await createEngine({ rules, pipelines: awsPacks.flatMap((pack) => pack.pipelines) });
  const format = lines.every((line) => line.startsWith("{")) ? "intake" : "text";
  await engine.push(new TextEncoder().encode(`${lines.join("\n")}\n`), { format, source, arrivalMs: ARRIVAL_MS });
  await engine.close();
  return engine.finalSignals();
}
