import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import { type Signal, createEngine } from "../index.ts";
import { type Rule, severities, severityNumber } from "../rule/rule.ts";
import { standingQueries } from "../rule/standing.ts";
import { type FeedOptions, feedMerged, inputFiles } from "./feed.ts";
import { loadGoodRules } from "./load-rules.ts";
import { type ChosenPipelines, choosePipelines } from "./pipelines.ts";
import { UsageError } from "./problems.ts";
import { warnOfIdle } from "./run.ts";
import { coloured, count, jsonLine, plural, safe, styled, table } from "./text.ts";

export interface ReplayOptions extends FeedOptions {
  readonly rules: readonly string[];
  readonly techniques?: string;
  readonly json?: boolean;
}

/** What somebody did on purpose, as it was recorded. */
interface Emulation {
  readonly name: string;
  readonly file: string;
  /** Lines of the file that belong to it: all when absent. */
  readonly lines?: readonly [first: number, count: number];
  /** As MITRE numbers it, such as `T1562.008`. */
  readonly attackId?: string;
}

interface Told {
  readonly technique: string;
  readonly events: number;
  readonly told: boolean;
  readonly attack_id?: string;
  /** Has one of the rules that told it a tag of its technique? */
  readonly by_its_technique?: boolean;
  readonly signals: ReadonlyArray<{ readonly rule: string; readonly severity: string; readonly title: string }>;
}

/**
 * `vespid replay`: recorded emulations of attacks, each alone, through rules that have seen nothing before: which are told, and by what.
 *
 * Exit code 1 when one is told by no rule.
 */
export async function replay(inputs: readonly string[], options: ReplayOptions): Promise<number> {
  const emulations = [...(options.techniques === undefined ? [] : listed(options.techniques)), ...(inputs.length || options.techniques === undefined ? inputFiles(inputs) : []).map((file) => ({ name: nameOf(file), file }))];
  const { rules } = await loadGoodRules(options.rules);
  const pipelines = await choosePipelines(options, standingQueries(rules));
  warnOfIdle(rules);
  const folder = mkdtempSync(join(tmpdir(), "vespid-replay-"));
  const told: Told[] = [];
  try {
    for (const emulation of emulations) {
      const one = await played(emulation, rules, pipelines, options, folder);
      told.push(one);
      if (options.json) process.stdout.write(jsonLine(one));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if (!options.json) process.stdout.write(`${tableOf(told)}\n\n`);
  const missed = told.filter((each) => !each.told);
  const others = told.filter((each) => each.told && each.by_its_technique === false);
  const summary = `${count(told.length - missed.length)} of ${plural(told.length, "emulation")} told${others.length ? `, ${count(others.length)} of them by no rule with a tag of their technique` : ""}${missed.length ? `; not told: ${missed.map(({ technique }) => safe(technique)).join(", ")}` : ""}\n`;
  (options.json ? process.stderr : process.stdout).write(summary);
  return missed.length ? 1 : 0;
}

async function played(emulation: Emulation, rules: readonly Rule[], pipelines: ChosenPipelines, options: ReplayOptions, folder: string): Promise<Told> {
  const engine = await createEngine({ rules, pipelines: pipelines.all });
  const file = emulation.lines ? cutOut(emulation, folder) : emulation.file;
  const { faults } = await feedMerged([file], options, { pipelines, push: (bytes, input, name) => engine.push(bytes, { ...input, partition: name }), ended: (name) => engine.end(name) });
  const { events } = await engine.close();
  if (faults.length) throw new UsageError(faults.join("\n"));
  if (!events) throw new UsageError(`${emulation.file}: no event of ${emulation.name} could be read`);
  const signals = engine.finalSignals().toSorted((a, b) => severityNumber(b.severity) - severityNumber(a.severity) || a.firstSeenMs - b.firstSeenMs || (a.ruleId < b.ruleId ? -1 : 1));
  return {
    technique: emulation.name, events, told: signals.length > 0,
    ...(emulation.attackId === undefined ? {} : { attack_id: emulation.attackId, by_its_technique: signals.some((signal) => isOf(signal, emulation.attackId!)) }),
    signals: signals.map(({ ruleId, severity, title }) => ({ rule: ruleId, severity, title })),
  };
}

/** A rule of the technique watches its parts, and one of a part the whole. */
function isOf({ tags }: Signal, attackId: string): boolean {
  const id = attackId.toUpperCase();
  return tags.some((tag) => {
    const [, found] = /^(?:technique|mitre):(T\d{4}(?:\.\d{3})?)\b/i.exec(tag) ?? [];
    const own = found?.toUpperCase();
    return own !== undefined && (own === id || own.startsWith(`${id}.`) || id.startsWith(`${own}.`));
  });
}

function cutOut({ name, file, lines }: Emulation, folder: string): string {
  const [first, length] = lines!;
  const all = readText(file).split("\n");
  if (first + length > all.length) throw new UsageError(`${file}: ${name} is to have lines ${first + 1} to ${first + length}, and there are ${all.length}`);
  const path = join(folder, "emulation.ndjson");
  writeFileSync(path, `${all.slice(first, first + length).join("\n")}\n`);
  return path;
}

function listed(path: string): Emulation[] {
  const wrong = (what: string): UsageError => new UsageError(`${path}: ${what}; it is a list of {"technique": "...", "file": "events.ndjson", "first_line": 0, "events": 12, "attack_id": "T1078"}, all but the first two left out where the whole file is meant`);
  let list: unknown;
  try {
    list = JSON.parse(readText(path));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw wrong("no JSON");
  }
  if (!Array.isArray(list) || !list.length) throw wrong("no list");
  return list.map((each: unknown, i): Emulation => {
    const { technique, file, first_line: first = 0, events, attack_id: attackId } = (typeof each === "object" && each !== null ? each : {}) as Record<string, unknown>;
    if (typeof technique !== "string" || typeof file !== "string") throw wrong(`entry ${i + 1} has no technique or no file`);
    const isLine = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;
    if (!isLine(first) || (events !== undefined && !isLine(events)) || (first && events === undefined)) throw wrong(`entry ${i + 1} has a first_line or a number of events that is none`);
    return { name: technique, file: isAbsolute(file) ? file : join(dirname(path), file), ...(isLine(events) ? { lines: [first, events] as const } : {}), ...(typeof attackId === "string" ? { attackId } : {}) };
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

/** The file's name without what says how it is written. */
function nameOf(file: string): string {
  return file === "-" ? "standard input" : basename(file).replace(/\.(?:gz|zst)$/, "").replace(/\.(?:json|ndjson|jsonl|log|arrow)$/, "");
}

const NAMED = 3;

function tableOf(told: readonly Told[]): string {
  const rows = told.map(({ technique, events, signals }) => {
    const rules = [...new Set(signals.map(({ rule }) => rule))];
    const named = rules.slice(0, NAMED).map(safe).join(", ");
    return [safe(technique), count(events), count(signals.length), signals[0]?.severity ?? "-", rules.length ? `${named}${rules.length > NAMED ? `, ${rules.length - NAMED} more` : ""}` : "not told"];
  });
  return table(["TECHNIQUE", { name: "EVENTS", align: "right" }, { name: "SIGNALS", align: "right" }, "GRAVEST", "RULES"], rows, (text, row, column) => {
    const severity = severities.find((each) => each === rows[row]?.[3]);
    if (column === 3 && severity) return coloured(severity, text);
    return column === 4 && rows[row]?.[4] === "not told" ? styled("red", text) : text;
  });
}
