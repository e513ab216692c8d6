import { createHash } from "node:crypto";
import { textDefaults } from "../event/decode.ts";
import type { Json, LogEvent } from "../event/event.ts";
import { plainPipelines } from "../event/enrichment/enrichment.ts";
import { appliedPipelines } from "../event/made.ts";
import type { Pipeline, Processor } from "../event/pipeline/pipeline.ts";
import type { StoredEntry } from "../journal/contract.ts";
import type { QueryNode } from "../query/tree.ts";

/** Short name of a set of pipelines: the same pipelines have the same, in whatever process. What enrichment adds is no part of what is indexed. */
export function madeBy(pipelines: readonly Pipeline[]): string {
  const text = JSON.stringify(plainPipelines(pipelines), (name, value: unknown) => {
    if (name === "span" || name === "samples") return undefined; // where a query stood, and what it was tried on, change no event
    return value instanceof Map ? [...value] : value;
  });
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/**
 * Whether pipelines may put words into an event that do not stand in its record: cut out of the midst of one, spelled otherwise,
 * or made up. Those that only move values, or say what time and status are, do not.
 */
export class WordMakers {
  readonly #makers: readonly Pipeline[];
  readonly #all: readonly Pipeline[];

  constructor(pipelines: readonly Pipeline[]) {
    this.#all = pipelines;
    this.#makers = pipelines.filter((pipeline) => pipeline.enabled && pipeline.processors.some(makesWords));
  }

  /** Of one entry's records, those that they may do so to; undefined when there is none. */
  concerned(entry: StoredEntry): ((record: Uint8Array) => boolean) | undefined {
    if (this.#makers.length === 0) return undefined;
    const applied = appliedPipelines(this.#all, entry.profile);
    const makers = this.#makers.filter((pipeline) => applied.includes(pipeline));
    if (makers.length === 0) return undefined;
    const defaults = { ...entry.profile, source: textDefaults(entry.profile).source };
    return (record) => {
      const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
      return makers.some((pipeline) => mayPass(pipeline.filter, bytes, defaults));
    };
  }
}

function makesWords(processor: Processor): boolean {
  switch (processor.kind) {
    case "date-remapper":
    case "status-remapper":
    // What it finds depends on databases, and is no part of what is indexed.
    case "geo-ip-parser":
      return false;
    case "attribute-remapper":
      return processor.targetFormat !== "auto" || processor.target.kind !== "attribute" || processor.sources.some(({ kind }) => kind !== "attribute");
    case "pipeline":
      return processor.pipeline.enabled && processor.pipeline.processors.some(makesWords);
    default:
      return true;
  }
}

type Defaults = { readonly [name in "source" | "service" | "host"]?: string | undefined };

/** False only where the filter cannot be met: the text it asks for stands neither in the record nor among the input's defaults. */
function mayPass(filter: QueryNode, bytes: Buffer, defaults: Defaults): boolean {
  switch (filter.kind) {
    case "and":
      return filter.nodes.every((node) => mayPass(node, bytes, defaults));
    case "or":
      return filter.nodes.some((node) => mayPass(node, bytes, defaults));
    case "leaf": {
      const { field, test } = filter;
      if (field.kind !== "reserved" || (test.kind !== "equals" && test.kind !== "phrase")) return true;
      if (field.name !== "source" && field.name !== "service" && field.name !== "host") return true;
      // What JSON may spell otherwise could hide.
      return !PLAIN.test(test.text) || defaults[field.name] === test.text || bytes.includes(test.text) || bytes.includes("\\u");
    }
    default:
      return true;
  }
}

const PLAIN = /^[A-Za-z_.-]+$/;

/** Every text of an event that a search may look at, and every number as text. */
export function textsOf(event: LogEvent): string[] {
  const { attributes, tags, ...reserved } = event;
  const out: string[] = [];
  const take = (value: Json | undefined): void => {
    if (typeof value === "string") out.push(value);
    else if (typeof value === "number" || typeof value === "boolean") out.push(String(value));
    else if (value !== null && value !== undefined) for (const each of Object.values(value)) take(each);
  };
  take(reserved as Json);
  take(tags);
  take(attributes);
  return out;
}
