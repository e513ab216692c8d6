import { derived } from "../../query/values.ts";
import type { LogEvent } from "../event.ts";
import type { Pipeline, Processor } from "../pipeline/pipeline.ts";
import type { GeoipData } from "./geoip-table.ts";
import { INTEL, intelOf } from "./intel-find.ts";
import { type IntelData, intelTable } from "./intel-table.ts";

/** What is looked up for events. */
export interface Enrichment {
  /** Indicators of threat intelligence: for every event, behind its pipelines. */
  readonly intel?: IntelData;
  /** Databases of places and networks: by the processors that ask for them. */
  readonly geoip?: GeoipData;
}

const ID = "vespid.enrichment";
const NO_SPAN = { start: 0, end: 0 };

/**
 * The pipelines with an enrichment behind them, whatever was there before. It goes where pipelines go: to every thread, to searches, to
 * whoever reads an event again. It concerns every event, also those that pass no pipeline.
 */
export function withEnrichment(pipelines: readonly Pipeline[], enrichment: Enrichment | undefined): readonly Pipeline[] {
  const plain = plainPipelines(pipelines);
  if (!enrichment?.intel && !enrichment?.geoip) return plain;
  return [...located(plain, enrichment.geoip), { id: ID, name: "Enrichment", filter: { kind: "all", span: NO_SPAN }, enabled: true, processors: [], enrichment }];
}

/** The pipelines, their processors with the databases to look in, or without. Those that have no such processor stay the same objects. */
function located(pipelines: readonly Pipeline[], geoip: GeoipData | undefined): readonly Pipeline[] {
  return pipelines.map((pipeline) => (pipeline.processors.some(asksForPlaces) ? { ...pipeline, processors: pipeline.processors.map((processor) => withDatabases(processor, geoip)) } : pipeline));
}

function withDatabases(processor: Processor, geoip: GeoipData | undefined): Processor {
  if (processor.kind === "pipeline") return { kind: "pipeline", pipeline: located([processor.pipeline], geoip)[0]! };
  if (processor.kind !== "geo-ip-parser") return processor;
  const { geoip: _, ...rest } = processor;
  return { ...rest, ...(geoip ? { geoip } : {}) };
}

/** Does it look addresses up, or a pipeline within it? */
export function asksForPlaces(processor: Processor): boolean {
  return processor.kind === "geo-ip-parser" || (processor.kind === "pipeline" && processor.pipeline.processors.some(asksForPlaces));
}

export function enrichmentOf(pipelines: readonly Pipeline[]): Enrichment | undefined {
  return pipelines.at(-1)?.enrichment;
}

const plain = new WeakMap<readonly Pipeline[], readonly Pipeline[]>();
const run = new WeakMap<readonly Pipeline[], readonly Pipeline[]>();

/** The pipelines as they are written, which know no databases. */
export function plainPipelines(pipelines: readonly Pipeline[]): readonly Pipeline[] {
  if (!enrichmentOf(pipelines)) return pipelines;
  let without = plain.get(pipelines);
  if (!without) plain.set(pipelines, (without = located(runPipelinesOf(pipelines), undefined)));
  return without;
}

/** The pipelines that are run, with the databases their processors look in. */
export function runPipelinesOf(pipelines: readonly Pipeline[]): readonly Pipeline[] {
  if (!enrichmentOf(pipelines)) return pipelines;
  let without = run.get(pipelines);
  if (!without) run.set(pipelines, (without = pipelines.filter(({ enrichment }) => !enrichment)));
  return without;
}

/** The made event with what the enrichment knows of it. The kernels make the same of it on columns. @param decoded the event before its pipelines */
export function enriched(made: LogEvent, decoded: LogEvent, enrichment: Enrichment, arrivalMs: number | undefined): LogEvent {
  const intel = enrichment.intel && intelOf(intelTable(enrichment.intel), decoded, made, arrivalMs);
  if (!intel) return made;
  derived.add(intel);
  return { ...made, attributes: { ...made.attributes, [INTEL]: intel } };
}
