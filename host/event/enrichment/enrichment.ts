import { derived } from "../../query/values.ts";
import type { LogEvent } from "../event.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { INTEL, intelOf } from "./intel-find.ts";
import { type IntelData, intelTable } from "./intel-table.ts";

/** What is looked up for every event behind its pipelines. */
export interface Enrichment {
  /** Indicators of threat intelligence. */
  readonly intel?: IntelData;
}

const ID = "vespid.enrichment";
const NO_SPAN = { start: 0, end: 0 };

/**
 * The pipelines with an enrichment behind them, whatever was there before. It goes where pipelines go: to every thread, to searches, to
 * whoever reads an event again. It concerns every event, also those that pass no pipeline.
 */
export function withEnrichment(pipelines: readonly Pipeline[], enrichment: Enrichment | undefined): readonly Pipeline[] {
  const plain = plainPipelines(pipelines);
  if (!enrichment?.intel) return plain;
  return [...plain, { id: ID, name: "Enrichment", filter: { kind: "all", span: NO_SPAN }, enabled: true, processors: [], enrichment }];
}

export function enrichmentOf(pipelines: readonly Pipeline[]): Enrichment | undefined {
  return pipelines.at(-1)?.enrichment;
}

const plain = new WeakMap<readonly Pipeline[], readonly Pipeline[]>();

/** The pipelines themselves. */
export function plainPipelines(pipelines: readonly Pipeline[]): readonly Pipeline[] {
  if (!enrichmentOf(pipelines)) return pipelines;
  let without = plain.get(pipelines);
  if (!without) plain.set(pipelines, (without = pipelines.filter(({ enrichment }) => !enrichment)));
  return without;
}

/** The made event with what the enrichment knows of it. The kernels make the same of it on columns. @param decoded the event before its pipelines */
export function enriched(made: LogEvent, decoded: LogEvent, enrichment: Enrichment, arrivalMs: number | undefined): LogEvent {
  const intel = enrichment.intel && intelOf(intelTable(enrichment.intel), decoded, made, arrivalMs);
  if (!intel) return made;
  derived.add(intel);
  return { ...made, attributes: { ...made.attributes, [INTEL]: intel } };
}
