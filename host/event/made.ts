import { decodeEvent, isTextFormat } from "./decode.ts";
import { type Enrichment, enriched, enrichmentOf, runPipelinesOf } from "./enrichment/enrichment.ts";
import { INTEL } from "./enrichment/intel-find.ts";
import type { Json, LogEvent } from "./event.ts";
import type { NormalizeOptions } from "./normalize.ts";
import { isMembers } from "./pipeline/members.ts";
import type { Pipeline } from "./pipeline/pipeline.ts";
import { runPipelines } from "./pipeline/run.ts";
import { readTags } from "./tags.ts";

export interface MadeFrom extends NormalizeOptions {
  /** Ids of the pipelines its events pass; all when absent. */
  readonly pipelines?: readonly string[];
}

/** Pipelines that concern an input. An envelope is what pipelines make: it passes none. */
export function appliedPipelines(pipelines: readonly Pipeline[], input: MadeFrom): readonly Pipeline[] {
  if (input.format === "log") return [];
  const { pipelines: ids } = input;
  const run = runPipelinesOf(pipelines);
  return ids ? run.filter((pipeline) => ids.includes(pipeline.id)) : run;
}

/** The event that one record becomes: its envelope, changed by the pipelines, not enriched. Undefined when the record is unreadable. */
export function madeEvent(text: string, input: MadeFrom, pipelines: readonly Pipeline[], arrivalMs?: number): LogEvent | undefined {
  const event = decodeEvent(text, input);
  const applied = appliedPipelines(pipelines, input);
  return event && applied.length ? runPipelines(event, applied, arrivalMs) : event;
}

/** Reads events that matched, from their bytes; what cannot be read as a record is its own message. */
export class EventReader {
  readonly #pipelines: readonly Pipeline[];
  /** Where it looks for more than pipelines do. */
  readonly #enrichment: Enrichment | undefined;
  readonly #decoder = new TextDecoder();
  readonly #more: ((event: LogEvent) => LogEvent) | undefined;

  /** @param more what somebody in particular sees of each event beside */
  constructor(pipelines: readonly Pipeline[] = [], more?: (event: LogEvent) => LogEvent) {
    this.#pipelines = pipelines;
    this.#more = more;
    const enrichment = enrichmentOf(pipelines);
    this.#enrichment = enrichment?.intel ? enrichment : undefined;
  }

  /** The event as detection saw it. */
  event(bytes: Uint8Array, input: MadeFrom, arrivalMs?: number): LogEvent {
    const event = this.#plainEvent(bytes, input, arrivalMs);
    return this.#more ? this.#more(event) : event;
  }

  #plainEvent(bytes: Uint8Array, input: MadeFrom, arrivalMs: number | undefined): LogEvent {
    const text = this.#decoder.decode(bytes);
    const made = madeEvent(text, input, this.#pipelines, arrivalMs);
    if (!made) return { message: text, attributes: {} };
    return this.#enrichment ? enriched(made, decodeEvent(text, input)!, this.#enrichment, arrivalMs) : made;
  }

  /** The event as it is shown: the record as received with what enrichment found, and of a line of text what was made of it. */
  record(bytes: Uint8Array, input: MadeFrom, arrivalMs?: number): Json {
    if (isTextFormat(input.format)) return this.event(bytes, input, arrivalMs) as Json;
    const text = this.#decoder.decode(bytes);
    try {
      const record = JSON.parse(text) as Json;
      return this.#enrichment && isMembers(record) ? this.#shown(record, bytes, input, arrivalMs) : record;
    } catch {
      return text;
    }
  }

  /** Where the record has its attributes, with what was found for it. */
  #shown(record: { [name: string]: Json }, bytes: Uint8Array, input: MadeFrom, arrivalMs: number | undefined): Json {
    const found = this.event(bytes, input, arrivalMs).attributes?.[INTEL];
    const held = input.format === "log" ? record.attributes : record;
    if (found === undefined || (isMembers(held) && held[INTEL] !== undefined)) return record;
    const attributes = { ...(isMembers(held) ? held : {}), [INTEL]: found };
    return input.format === "log" ? { ...record, attributes } : attributes;
  }

  /** The same as JSON text. A record that is one line of plain JSON already costs no reading. */
  recordText(bytes: Uint8Array, input: MadeFrom): string {
    if (!isTextFormat(input.format) && !this.#enrichment) {
      const text = this.#decoder.decode(bytes).trim();
      if (text.startsWith("{") && !ODD.test(text)) return text;
    }
    return JSON.stringify(this.record(bytes, input));
  }

  /** True only where no text of the event holds this one; told from the bytes alone, hence sometimes false in vain. */
  lacks(bytes: Uint8Array, input: MadeFrom, text: string): boolean {
    // What pipelines put together, or JSON spells by numbers, may not stand there as it is.
    if (this.#enrichment || appliedPipelines(this.#pipelines, input).length) return false;
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return !view.includes(text) && !view.includes("\\u");
  }

  /** The event's tags, and the event if it had to be read for them: where neither the record nor a pipeline speaks of tags, it is not. */
  tags(bytes: Uint8Array, input: MadeFrom): { readonly tags: readonly string[]; readonly event?: LogEvent } {
    const needle = input.format === "log" ? "tags" : "ddtags";
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isSilent = !isTextFormat(input.format) && !view.includes(needle) && !view.includes("\\u") && !appliedPipelines(this.#pipelines, input).some(makesTags);
    if (isSilent) return { tags: input.tags ? readTags([...input.tags]) : [] };
    const event = this.event(bytes, input);
    return { tags: event.tags ?? [], event };
  }
}

// Control characters, and what jsonLine writes as escapes.
// oxlint-disable-next-line no-control-regex
const ODD = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffd]/;

function makesTags(pipeline: Pipeline): boolean {
  return pipeline.enabled && pipeline.processors.some((processor) => (processor.kind === "pipeline" ? makesTags(processor.pipeline) : "target" in processor && processor.target.kind === "tag"));
}
