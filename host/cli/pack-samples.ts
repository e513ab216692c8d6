import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { decodeEvent } from "../event/decode.ts";
import type { EventFormat, LogEvent } from "../event/event.ts";
import { normalizeEvent } from "../event/normalize.ts";
import { runPipelines } from "../event/pipeline/run.ts";
import type { LoadedPack } from "../packs.ts";

/** A line of a pack's tests, what it becomes, and what it should. */
export interface PackSample {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
  readonly format: EventFormat;
  readonly source: string | undefined;
  readonly event: LogEvent | undefined;
  /** Undefined where the golden file has none for it. */
  readonly golden: LogEvent | undefined;
  readonly isEqual: boolean;
}

export interface PackSamples {
  readonly samples: readonly PackSample[];
  /** A pack without any golden events, and golden files that hold more events than there are lines. */
  readonly faults: readonly string[];
  /** Files that are held against nothing: scenarios are made of them. */
  readonly unproved: readonly string[];
}

/** Lines without a year in their time are read as of here. */
export const SAMPLE_ARRIVAL_MS = Date.UTC(2026, 2, 1, 12);

/**
 * A pack's samples: `tests/<name>.<ext>`, a record a line, and `golden/<name>.json`, the list of events they become. The golden event
 * tells of which source a record is that names none itself. JSON is read as the source's own record or as one that a shipper wrapped,
 * whichever is right: senders do both.
 */
export function readPackSamples(pack: LoadedPack): PackSamples {
  const folder = join(pack.folder, "tests");
  const faults: string[] = [];
  const unproved: string[] = [];
  const samples = (existsSync(folder) ? readdirSync(folder).sort() : []).flatMap((file): PackSample[] => {
    const lines = readFileSync(join(folder, file), "utf8").split("\n").filter((line) => line !== "");
    const goldenFile = `golden/${file.replace(/\..*$/, "")}.json`;
    const golden = existsSync(join(pack.folder, goldenFile)) ? (JSON.parse(readFileSync(join(pack.folder, goldenFile), "utf8")) as LogEvent[]) : undefined;
    if (!golden) unproved.push(file);
    else if (golden.length > lines.length) faults.push(`${goldenFile} holds ${golden.length} events, tests/${file} ${lines.length} lines`);
    return lines.map((text, i) => sampleOf(pack, file, i, text, golden?.[i]));
  });
  if (pack.pipelines.length && samples.every(({ golden }) => golden === undefined)) faults.push("no golden events: what its pipelines make is held against nothing");
  return { samples, faults, unproved };
}

function sampleOf(pack: LoadedPack, file: string, index: number, text: string, golden: LogEvent | undefined): PackSample {
  const source = golden?.source ?? guessed(pack.sources, file);
  const isJson = text.startsWith("{");
  const formats: EventFormat[] = isJson ? ["raw", "intake"] : pack.format === "syslog" ? ["syslog"] : ["text"];
  const named = source === undefined ? {} : { source };
  // A line of text may be told without the record it stands for.
  const readings = [...formats.map((format) => ({ format, read: decodeEvent(text, { format, ...named }) })), ...(isJson ? [] : [{ format: formats[0]!, read: normalizeEvent(text, { format: "text", ...named }) }])];
  const tried = readings.map(({ format, read }): PackSample => {
    const event = read && runPipelines(read, pack.pipelines, SAMPLE_ARRIVAL_MS);
    return { file, line: index + 1, text, format, source, event, golden, isEqual: golden !== undefined && isDeepStrictEqual(plain(event), golden) };
  });
  return tried.find(({ isEqual }) => isEqual) ?? tried[0]!;
}

/** As JSON tells it: what is undefined is not there. */
function plain(event: LogEvent | undefined): unknown {
  return event === undefined ? undefined : JSON.parse(JSON.stringify(event));
}

function guessed(sources: readonly string[], file: string): string | undefined {
  const name = file.replace(/\..*$/, "");
  return sources.find((source) => source === name || source.endsWith(`.${name}`)) ?? sources[0];
}
