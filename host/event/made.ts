import { decodeEvent } from "./decode.ts";
import type { LogEvent } from "./event.ts";
import type { NormalizeOptions } from "./normalize.ts";
import type { Pipeline } from "./pipeline/pipeline.ts";
import { runPipelines } from "./pipeline/run.ts";

export interface MadeFrom extends NormalizeOptions {
  /** Ids of the pipelines its events pass; all when absent. */
  readonly pipelines?: readonly string[];
}

/** Pipelines that concern an input. An envelope is what pipelines make: it passes none. */
export function appliedPipelines(pipelines: readonly Pipeline[], input: MadeFrom): readonly Pipeline[] {
  if (input.format === "log") return [];
  const { pipelines: ids } = input;
  return ids ? pipelines.filter((pipeline) => ids.includes(pipeline.id)) : pipelines;
}

/** The event that one record becomes: its envelope, changed by the pipelines. Undefined when the record is unreadable. */
export function madeEvent(text: string, input: MadeFrom, pipelines: readonly Pipeline[], arrivalMs?: number): LogEvent | undefined {
  const event = decodeEvent(text, input);
  const applied = appliedPipelines(pipelines, input);
  return event && applied.length ? runPipelines(event, applied, arrivalMs) : event;
}
