import { Flow } from "../batch/flow.ts";
import type { EventFormat } from "../event/event.ts";
import type { Pipeline, Place, Processor } from "../event/pipeline/pipeline.ts";
import { type ExplainedStep, explainPipelines } from "../engine/pipelines/explain.ts";
import { geoipOf, loadGeoip } from "../enrich/load-geoip.ts";
import { runPipelinesOf, withEnrichment } from "../event/enrichment/enrichment.ts";
import { createExecutor } from "../matcher.ts";
import { readPackRules } from "../pack-rules.ts";
import { type LoadedPack, loadPacks } from "../packs.ts";
import { fieldText } from "../query/field.ts";
import { printQuery } from "../query/print.ts";
import { type StandingQuery, standingQueries } from "../rule/standing.ts";
import { endOnErrors, loadGoodRules } from "./load-rules.ts";
import { SAMPLE_ARRIVAL_MS, readPackSamples } from "./pack-samples.ts";
import { UsageError } from "./problems.ts";
import { count, cut, jsonLine, plural, safe, styled, table } from "./text.ts";

export interface PipelineExplainOptions {
  readonly rules?: readonly string[];
  readonly json?: boolean;
  /** Database files of places and networks. */
  readonly geoip?: readonly string[];
}

/** Bytes of samples that are measured, again and again until there are as many. */
const MEASURED_BYTES = 2 * 1024 * 1024;
const ROUNDS = 5;

interface Cost {
  readonly samples: number;
  readonly events: number;
  /** Of an event, all queries of the rules among it: through the pipelines, and without any. */
  readonly nanoseconds: number;
  readonly withoutPipelines: number;
  /** Percent of events that columns could not be read from. */
  readonly slowPercent: number;
}

/** `vespid pipeline explain`: what becomes of logs of a source, step by step, and where it is done. */
export async function pipelineExplain(source: string, options: PipelineExplainOptions): Promise<number> {
  const all = await loadPacks();
  const packs = all.filter((pack) => pack.sources.includes(source));
  if (!packs.length) throw new UsageError(`no pack reads logs of ${safe(source)}; sources are ${[...new Set(all.flatMap((pack) => pack.sources))].sort().join(" ")}`);
  const rules = options.rules ? (await loadGoodRules(options.rules)).rules : packs.flatMap(({ name }) => readPackRules(name));
  const standing = standingQueries(rules);
  const databases = loadGeoip(options.geoip ?? []);
  await endOnErrors(databases.problems, "in GeoIP databases; nothing was explained");
  const geoip = geoipOf(databases.loaded);
  const plain = packs.flatMap((pack) => pack.pipelines);
  const pipelines = geoip ? runPipelinesOf(withEnrichment(plain, { geoip })) : plain;
  const steps = explainPipelines(pipelines, standing, { source });
  const cost = await measure(packs, source, pipelines, standing);
  if (options.json) {
    process.stdout.write(jsonLine({
      source, packs: packs.map(({ name }) => name), rules: rules.length, queries: standing.length,
      steps: steps.map(({ pipelines: path, processor, runs, reason }) => ({ pipeline: path.map(({ id, name }) => id || name), kind: processor.kind, what: textOf(processor), runs, ...(reason === undefined ? {} : { reason }) })),
      cost: cost ? { samples: cost.samples, events: cost.events, ns_per_event: Math.round(cost.nanoseconds), ns_without_pipelines: Math.round(cost.withoutPipelines), host_percent: Math.round(cost.slowPercent * 10) / 10 } : null,
    }));
    return 0;
  }
  process.stdout.write(`${styled("bold", safe(source))}: ${packs.map(({ name }) => safe(name)).join(", ")}; ${plural(rules.length, "rule")} ask ${plural(standing.length, "query", "queries")}\n`);
  let shown: Pipeline | undefined;
  const rows: string[][] = [];
  for (const step of steps) {
    const pipeline = step.pipelines.at(-1)!;
    if (pipeline !== shown) rows.push(["", `${"  ".repeat(step.pipelines.length - 1)}${safe(pipeline.name)}`, cut(safe(`of ${printQuery(pipeline.filter)}`), 90)]);
    shown = pipeline;
    rows.push([words[step.runs], `${"  ".repeat(step.pipelines.length)}${step.processor.kind}`, cut(safe(step.reason === undefined ? textOf(step.processor) : `${textOf(step.processor)}: ${step.reason}`), 90)]);
  }
  process.stdout.write(`${table(["RUNS", "STEP", "WHAT"], rows, (text, row, column) => (column === 0 && row >= 0 ? styled(text.startsWith("host") ? "yellow" : "dim", text) : text))}\n`);
  tell(steps, cost);
  return 0;
}

const words: Readonly<Record<ExplainedStep["runs"], string>> = { kernel: "kernel", unneeded: "left out", host: "host" };

function tell(steps: readonly ExplainedStep[], cost: Cost | undefined): void {
  const counted = (runs: ExplainedStep["runs"]): number => steps.filter((step) => step.runs === runs).length;
  process.stderr.write(`${plural(steps.length, "step")}: ${counted("kernel")} in the kernel, ${counted("unneeded")} left out because no query asks for what they make, ${counted("host")} on the host\n`);
  if (counted("host")) process.stderr.write(`${styled("yellow", "warning", process.stderr)} where a step runs on the host, whole events do, which costs many times as much\n`);
  if (!cost) process.stderr.write("no pack has samples of this source to measure\n");
  else process.stderr.write(`measured over ${plural(cost.samples, "sample")}, ${count(cost.events)} events: ${cost.nanoseconds.toFixed(0)} ns an event with all queries, ${cost.withoutPipelines.toFixed(0)} without pipelines; ${cost.slowPercent.toFixed(1)} % of events made on the host\n`);
}

/** Undefined without samples. The best of some rounds counts: others are at work beside it. */
async function measure(packs: readonly LoadedPack[], source: string, pipelines: readonly Pipeline[], standing: readonly StandingQuery[]): Promise<Cost | undefined> {
  const all = packs.flatMap((pack) => readPackSamples(pack).samples);
  const own = all.filter((sample) => sample.source === source);
  // Web servers write alike: their samples stand for each other.
  const samples = own.length ? own : all;
  if (!samples.length) return undefined;
  const formats = [...new Set(samples.map(({ format }) => format))];
  const encoder = new TextEncoder();
  const pieces = formats.map((format) => {
    const lines = encoder.encode(samples.filter((sample) => sample.format === format).map(({ text }) => `${text}\n`).join(""));
    const times = Math.max(1, Math.ceil(MEASURED_BYTES / formats.length / lines.length));
    const bytes = new Uint8Array(lines.length * times);
    for (let i = 0; i < times; i++) bytes.set(lines, i * lines.length);
    return { format, bytes };
  });
  const run = { source, standing, pieces };
  const through = await timeOf({ ...run, pipelines });
  const without = await timeOf({ ...run, pipelines: [] });
  return { samples: samples.length, events: through.events, nanoseconds: (through.ms * 1e6) / through.events, withoutPipelines: (without.ms * 1e6) / without.events, slowPercent: (100 * through.slowRows) / through.events };
}

async function timeOf({ source, standing, pieces, pipelines }: { readonly source: string; readonly standing: readonly StandingQuery[]; readonly pieces: ReadonlyArray<{ readonly format: EventFormat; readonly bytes: Uint8Array }>; readonly pipelines: readonly Pipeline[] }): Promise<{ readonly ms: number; readonly events: number; readonly slowRows: number }> {
  const executor = await createExecutor({ standing, pipelines, variant: "simd" }, 0);
  const flow = new Flow(executor, {
    onMatches() {},
    onMalformed() {},
    onLost(_bytes, _profile, error) {
      throw error;
    },
  });
  let best = Number.POSITIVE_INFINITY;
  let events = 0;
  let slowRows = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = { ...flow.stats };
    const startMs = performance.now();
    for (const { format, bytes } of pieces) await flow.push(bytes, { format, source }, SAMPLE_ARRIVAL_MS);
    await flow.flush();
    best = Math.min(best, performance.now() - startMs);
    events = flow.stats.events - before.events;
    slowRows = flow.stats.slowRows - before.slowRows;
  }
  await executor.close();
  return { ms: best, events: Math.max(1, events), slowRows };
}

function textOf(processor: ExplainedStep["processor"]): string {
  const from = "sources" in processor ? processor.sources.map(placeText).join(", ") : "source" in processor ? placeText(processor.source) : "";
  const to = "target" in processor ? placeText(processor.target) : "";
  const more = moreOf(processor);
  return [from && to ? `${from} to ${to}` : from || to, more].filter(Boolean).join("; ");
}

function moreOf(processor: Processor): string {
  switch (processor.kind) {
    case "grok-parser":
      return `${plural(processor.rules.length, "rule")}: ${processor.rules.map(({ name }) => name).join(", ")}`;
    case "category-processor":
      return processor.categories.map(({ name, filter }) => `${name} where ${printQuery(filter)}`).join(", ");
    case "lookup-processor":
      return plural(processor.table.size, "row");
    case "string-builder-processor":
      return processor.template;
    case "arithmetic-processor":
      return processor.expression;
    default:
      return "";
  }
}

function placeText(place: Place): string {
  return place.kind === "reserved" ? place.name : place.kind === "tag" ? `tag ${place.key}` : fieldText({ kind: "attribute", path: place.path });
}
