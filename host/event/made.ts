import { decodeEvent, isTextFormat } from "./decode.ts";
import type { Json, LogEvent } from "./event.ts";
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

/** An event for people to see, and as data. */
export interface SeenEvent {
  readonly event: LogEvent;
  /** The record as received; where a line of text or pipelines made more of it, the event itself. */
  readonly record: Json;
}

/** Reads events that matched, from their bytes; what cannot be read as a record is its own message. */
export class EventReader {
  readonly #pipelines: readonly Pipeline[];
  readonly #decoder = new TextDecoder();

  constructor(pipelines: readonly Pipeline[] = []) {
    this.#pipelines = pipelines;
  }

  read(bytes: Uint8Array, input: MadeFrom, arrivalMs?: number): SeenEvent {
    const text = this.#decoder.decode(bytes);
    const applied = appliedPipelines(this.#pipelines, input);
    const event = madeEvent(text, input, applied, arrivalMs) ?? { message: text, attributes: {} };
    return { event, record: isTextFormat(input.format) || applied.length ? (event as Json) : recordOf(text) };
  }
}

function recordOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
