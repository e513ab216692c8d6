import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { SAMPLE_ARRIVAL_MS, readPackSamples } from "../../host/cli/pack-samples.ts";
import { explainPipelines } from "../../host/engine/pipelines/explain.ts";
import type { InputProfile } from "../../host/engine/task.ts";
import type { Json, LogEvent } from "../../host/event/event.ts";
import { madeEvent } from "../../host/event/made.ts";
import type { Pipeline } from "../../host/event/pipeline/pipeline.ts";
import { readPipeline } from "../../host/event/pipeline/wire.ts";
import { readTimestamp } from "../../host/event/timestamp.ts";
import { createEngine } from "../../host/index.ts";
import { createMatcher } from "../../host/matcher.ts";
import { type LoadedPack, loadPacks } from "../../host/packs.ts";
import { printQuery } from "../../host/query/print.ts";
import type { Field, QueryNode, Test } from "../../host/query/tree.ts";
import { scalarsBelow, valuesAt } from "../../host/query/values.ts";
import { readRuleDocument } from "../../host/rule/document.ts";
import type { Rule } from "../../host/rule/rule.ts";
import { standingQueries } from "../../host/rule/standing.ts";
import { readRule } from "../../host/rule/wire.ts";
import { Generator } from "../match/generate.ts";
import { evaluate } from "../reference/evaluate.ts";
import { loadKernel, variants } from "../support/wasm.ts";

const arrivalMs = Date.parse("2026-03-02T12:00:00Z");
const EVENTS = 40;
const SEEDS = 40;
const input = { format: "raw", source: "x" } as const;
const span = { start: 0, end: 0 };

beforeAll(() => variants.forEach((variant) => loadKernel(variant)));

/** Attributes that hold values, and one that holds an object. */
const names = ["a", "b", "c.d", "c.e", "n", "m.x"] as const;
const made = ["p", "q.r", "q.s", "o"] as const;
const reserved = ["host", "service", "message", "status", "trace_id", "source"] as const;
const texts = ["", "5", "007", "-2.50", "1e3", "up", "Up", "a=1 b=two", '{"k":1,"l":{"v":["x",2]}}', '{"k":null}', "[1,x]", "k=3&k=4", "ünï", "true", "2026-03-02T11:00:00Z", "x".repeat(300)];

function scalar(random: Generator): Json {
  return random.chance(0.6) ? random.pick(texts) : random.pick<Json>([0, 7, 2.5, -3, 1e21, true, false, null, 1_772_440_000]);
}

function value(random: Generator): Json {
  return random.chance(0.15) ? Array.from({ length: random.below(4) }, () => scalar(random)) : scalar(random);
}

function record(random: Generator): { [name: string]: Json } {
  const out: { [name: string]: Json } = {};
  for (const name of ["a", "b", "n", "host", "service", "message", "status"]) if (random.chance(0.6)) out[name] = ["a", "b", "n"].includes(name) ? value(random) : random.pick(["", "up", "h-1", "5"]);
  if (random.chance(0.7)) out.c = { ...(random.chance(0.7) ? { d: value(random) } : {}), ...(random.chance(0.6) ? { e: value(random) } : {}) };
  if (random.chance(0.4)) out.m = [{ x: scalar(random) }, { x: scalar(random) }].slice(random.below(2));
  if (random.chance(0.6)) out.ddtags = random.pick(["env:test", "env:test,team:red,team:blue", "bare,team", "TEAM: Red ,env:x"]);
  return out;
}

interface Wire {
  readonly [name: string]: unknown;
}

/** One processor, as a pipeline's file has it. */
function processor(random: Generator, kind: string): Wire {
  const name = (): string => random.pick([...names, ...made]);
  const target = (): string => random.pick([...made, ...made, "a", "c.d", ...reserved]);
  const on = { type: kind, is_enabled: true };
  switch (kind) {
    case "string-builder-processor":
      return { ...on, template: random.pick([`%{${name()}}`, `%{${name()}}-%{ ${name()} }`, `é%{host}:%{${name()}}`, `%{${name()}}%{status}`]), target: target(), is_replace_missing: random.chance(0.4) };
    case "arithmetic-processor":
      return { ...on, expression: random.pick([`${name()} / 60`, `n * 2 - ${name()}`, `(${name()} + 1) * ${name()}`]), target: target(), is_replace_missing: random.chance(0.4) };
    case "attribute-remapper": {
      const toTag = random.chance(0.3);
      const fromTag = random.chance(0.15);
      const to = toTag ? random.pick(["team", "env", "new-key"]) : target();
      const isInner = !toTag && !(reserved as readonly string[]).includes(to);
      return {
        ...on, sources: fromTag ? ["team"] : Array.from({ length: 1 + random.below(3) }, name), source_type: fromTag ? "tag" : "attribute", target: to, target_type: toTag ? "tag" : "attribute",
        target_format: random.pick(["auto", "string", "integer", "double"]), preserve_source: !isInner || fromTag || random.chance(0.7), override_on_conflict: random.chance(0.5),
      };
    }
    case "category-processor":
      return { ...on, target: target(), categories: [{ name: "five", filter: { query: `@${name()}:5` } }, { name: "Error: any", filter: { query: `@${name()}:*` } }] };
    case "lookup-processor":
      return { ...on, source: name(), target: target(), lookup_table: ["5,five", "up,down", "true,yes", "7,7"], ...(random.chance(0.4) ? { default_lookup: "other" } : {}) };
    case "grok-parser":
      return {
        ...on, source: random.pick([...names, "message"]),
        grok: { match_rules: random.pick(["json (?s)%{data:q:json}", "json (?s)%{data::json}", "pairs %{data:q:keyvalue}", "pairs %{data:q.r:keyvalue}", "query %{data:q:querystring}", 'list %{data:p:array("[]", ",")}', "low %{data:o:lowercase}", 'some %{word:p}=%{data:q.s}\nany %{notSpace:q.r:json}']) },
      };
    default:
      return { ...on, sources: Array.from({ length: 1 + random.below(2) }, name) };
  }
}

const kinds = ["string-builder-processor", "arithmetic-processor", "attribute-remapper", "attribute-remapper", "category-processor", "lookup-processor", "grok-parser", "status-remapper", "service-remapper", "message-remapper", "date-remapper"];

function pipelineOf(random: Generator, id: string, only?: string): Pipeline {
  const processors = Array.from({ length: 1 + random.below(4) }, () => processor(random, only ?? random.pick(kinds)));
  const read = readPipeline({ id, name: id, is_enabled: true, filter: { query: random.pick(["*", "*", "@a:*", "-@b:5", "source:x"]) }, processors });
  if (!read.pipeline) throw new Error(JSON.stringify(read.problems));
  return read.pipeline;
}

/** Everything that can be asked of a field, of what any of the events has there. */
function asked(events: readonly LogEvent[]): QueryNode[] {
  const leaf = (field: Field, test: Test): QueryNode => ({ kind: "leaf", field, test, span });
  const ask = (field: Field, found: ReadonlySet<string>): QueryNode[] => [leaf(field, { kind: "exists" }), leaf(field, { kind: "comparison", op: ">=", bound: { text: "3", number: 3, quoted: false } }), ...[...found].map((text) => leaf(field, { kind: "phrase", text }))];
  const paths = [...names, ...made, "q", "c", "q.k", "q.l.v", "q.r.a", "q.b", "k", "l.v", "q.s.k"].map((path) => path.split("."));
  return [
    ...paths.flatMap((path) => ask({ kind: "attribute", path }, new Set(events.flatMap(({ attributes }) => valuesAt(attributes, path).filter((each) => typeof each !== "object").map(String))))),
    ...paths.map((path) => leaf({ kind: "attribute", path }, { kind: "exists" })),
    ...reserved.flatMap((name) => ask({ kind: "reserved", name }, new Set(events.flatMap((event) => scalarsBelow(event[name] as Json).map(String))))),
    ...["team", "env", "new-key"].flatMap((key) => ask({ kind: "tag", key }, new Set(events.flatMap(({ tags = [] }) => tags.filter((tag) => tag.startsWith(`${key}:`)).map((tag) => tag.slice(key.length + 1)))))),
    ...[...new Set(events.flatMap(({ tags = [] }) => tags))].map((text) => leaf({ kind: "reserved", name: "tags" }, { kind: "phrase", text })),
  ];
}

function isPlausible(ms: number): boolean {
  return ms > 1e11 && ms < 1e14;
}

/** @returns 1 where columns were read, 0 where every event was made by itself */
async function compare(variant: "simd" | "scalar", seed: number, only?: string): Promise<number> {
  const random = new Generator(seed * 104_729);
  const pipelines = [pipelineOf(random, "first", only), pipelineOf(random, "second", only)];
  const lines = Array.from({ length: EVENTS }, () => JSON.stringify(record(random)));
  const events = lines.map((line) => madeEvent(line, input, pipelines, arrivalMs)!);
  const queries: QueryNode[] = [...asked(events), { kind: "all", span }];
  const matcher = await createMatcher({ queries, pipelines, variant });
  const found = await matcher.match(Buffer.from(`${lines.join("\n")}\n`), { ...input, arrivalMs });
  const hits = new Map(found.map((hit) => [hit.index, new Set(hit.queries)]));
  const { slowRows } = matcher;
  await matcher.close();
  // What is no time of these centuries is milliseconds once it was read, and something else when it is read again.
  const times = events.map(({ timestamp }) => (timestamp === undefined ? arrivalMs : isPlausible(Number(timestamp)) ? readTimestamp(timestamp, arrivalMs)! : 0));
  expect([seed, ...found.map(({ timeMs }, i) => (isPlausible(times[i]!) ? timeMs : 0))]).toEqual([seed, ...times.map((time) => (isPlausible(time) ? time : 0))]);
  const wrong: string[] = [];
  events.forEach((event, row) => queries.forEach((query, i) => {
    const expected = evaluate(query, event);
    if (expected !== (hits.get(row)?.has(i) ?? false) && wrong.length < 2) wrong.push(`seed ${seed}: expected ${expected}: ${printQuery(query)}\n on ${lines[row]}\n as ${JSON.stringify(event)}\n by ${JSON.stringify(pipelines.map(({ filter, processors }) => [printQuery(filter), ...processors]))}`);
  }));
  expect(wrong.join("\n")).toBe("");
  return slowRows < EVENTS ? 1 : 0;
}

describe.each(variants)("random pipelines over random events, %s", (variant) => {
  test.each([...new Set(kinds)])("[IN-27] %s: columns hold what events hold", async (kind) => {
    let onColumns = 0;
    for (let seed = 1; seed <= SEEDS; seed++) onColumns += await compare(variant, seed, kind);
    expect(onColumns).toBeGreaterThan(SEEDS / 4);
  }, 120_000);

  test("[IN-27] all kinds together", async () => {
    let onColumns = 0;
    for (let seed = 1; seed <= SEEDS; seed++) onColumns += await compare(variant, seed + 1000);
    expect(onColumns).toBeGreaterThan(SEEDS / 4);
  }, 120_000);
});

const content = await loadPacks();
const rulesOf = (pack: LoadedPack): Rule[] => pack.ruleFiles.flatMap((file) => readRuleDocument(readFileSync(file, "utf8"), file, "yaml").rules).map(({ wire }) => readRule(wire));

interface Samples {
  readonly input: InputProfile;
  readonly lines: readonly string[];
}

function samplesOf(pack: LoadedPack): Samples[] {
  const groups = new Map<string, { input: InputProfile; lines: string[] }>();
  for (const { format, source, text, golden } of readPackSamples(pack).samples) {
    if (!golden) continue;
    const key = `${format} ${source}`;
    const group = groups.get(key) ?? { input: { format, source }, lines: [] };
    groups.set(key, group);
    group.lines.push(text);
  }
  return [...groups.values()];
}

async function signalsOf(rules: readonly Rule[], pipelines: readonly Pipeline[], pieces: readonly Samples[]): Promise<string> {
  const engine = await createEngine({ rules, pipelines });
  for (const { input: profile, lines } of pieces) await engine.push(Buffer.from(lines.map((line) => `${line}\n`).join("")), { ...profile, arrivalMs: SAMPLE_ARRIVAL_MS });
  await engine.close();
  return JSON.stringify(engine.finalSignals().map(({ samples: _samples, samplesText: _text, ...signal }) => signal));
}

describe.each(content.filter((pack) => pack.pipelines.length && samplesOf(pack).length).map((pack) => [pack.name, pack] as const))("the pack %s", (name, pack) => {
  const rules = rulesOf(pack);
  const everySample = samplesOf(pack);

  test("[IN-27] is followed by columns, which find what its rules find in the events", async () => {
    const queries = standingQueries(rules).map(({ query }) => query);
    for (const { input: profile, lines } of everySample) {
      const matcher = await createMatcher({ queries, pipelines: pack.pipelines });
      const found = new Map((await matcher.match(Buffer.from(`${lines.join("\n")}\n`), { ...profile, arrivalMs: SAMPLE_ARRIVAL_MS })).map((hit) => [hit.index, hit.queries]));
      await matcher.close();
      const expected = lines.map((line) => {
        const event = madeEvent(line, profile, pack.pipelines, SAMPLE_ARRIVAL_MS)!;
        return queries.flatMap((query, i) => (evaluate(query, event) ? [i] : []));
      });
      expect(lines.map((_, i) => found.get(i) ?? [])).toEqual(expected);
    }
    const kept = explainPipelines(pack.pipelines, standingQueries(rules), {});
    expect(kept.filter(({ runs }) => runs === "host").map(({ processor, reason }) => `${processor.kind}: ${reason}`)).toEqual([]);
  });

  test("[IN-27] tells the same signals of columns as of events made one by one", async () => {
    const events = everySample.map(({ input: profile, lines }): Samples => ({ input: { format: "log" }, lines: lines.map((line) => JSON.stringify(madeEvent(line, profile, pack.pipelines, SAMPLE_ARRIVAL_MS))) }));
    const signals = await signalsOf(rules, pack.pipelines, everySample);
    expect(signals).toBe(await signalsOf(rules, [], events));
    // Tunnels in names show in many events.
    expect(signals === "[]").toBe(name === "dns");
  });
});
