import { statSync } from "node:fs";
import { MissingInputError, expandInputs } from "../batch/input-list.ts";
import { type InputOptions, readInput } from "../batch/input.ts";
import { textRecords } from "../batch/text.ts";
import type { EventFormat } from "../event/event.ts";
import { UsageError } from "./problems.ts";
import { Progress } from "./progress.ts";

export interface FeedOptions {
  readonly format: string;
  readonly source?: string;
  readonly service?: string;
  readonly host?: string;
  readonly tag?: readonly string[];
}

/** What reading the inputs came to, beside what the engine counts. */
export interface Fed {
  /** Inputs that could not be read to their end, and why. */
  readonly faults: readonly string[];
  /** Records over the limit; they never reach the engine. */
  readonly tooLarge: number;
}

export interface FeedTarget {
  /** @param lines the lines of text that the records were made of, where they were. */
  push(bytes: Uint8Array, input: InputOptions, file: string, lines?: readonly string[]): Promise<void>;
  /** Part of a record over the limit, to be kept. */
  tooLarge?(bytes: Uint8Array, ended: boolean): void;
  /** Lines go to standard output while reading: on a terminal a bar would get into their way. */
  readonly prints?: boolean;
}

const formats: readonly string[] = ["auto", "intake", "log", "raw", "syslog", "text"];

/** Files that inputs name; none is standard input. */
export function inputFiles(paths: readonly string[]): string[] {
  if (!paths.length && process.stdin.isTTY) throw new UsageError("no input: name files, folders or globs, or pipe logs in");
  try {
    return expandInputs(paths.length ? paths : ["-"]);
  } catch (error) {
    if (error instanceof MissingInputError) throw new UsageError(error.message);
    throw error;
  }
}

/** Reads inputs one after another and hands their whole records on. An input that cannot be read costs only itself. */
export async function feed(files: readonly string[], options: FeedOptions, target: FeedTarget, signal?: AbortSignal): Promise<Fed> {
  if (!formats.includes(options.format)) throw new UsageError(`--format ${options.format} is not known; use one of ${formats.join(", ")}`);
  const progress = new Progress(target.prints && process.stdout.isTTY ? undefined : totalBytes(files));
  const faults: string[] = [];
  let tooLarge = 0;
  const settings = {
    format: options.format as EventFormat | "auto", source: options.source, service: options.service, host: options.host,
    tags: options.tag?.length ? options.tag : undefined,
  };
  for (const file of files) {
    if (signal?.aborted) break;
    progress.begin(file);
    try {
      await readInput(file, {
        async push(bytes, input) {
          if (input.format !== "text" && input.format !== "syslog") return await target.push(bytes, input, file);
          const records = textRecords(bytes, input.format);
          await target.push(records.bytes, { ...input, format: "intake", source: input.source ?? (input.format === "syslog" ? "syslog" : undefined) }, file, records.lines);
        },
        tooLarge(bytes, ended) {
          if (ended) tooLarge++;
          target.tooLarge?.(bytes, ended);
        },
        progress: (bytes) => progress.advance(bytes),
      }, { settings, signal, nowMs: Date.now, arrange: async () => await (await import("../engine/reframing.ts")).createLineReframer() });
    } catch (error) {
      if (!isReadFault(error)) throw error;
      faults.push(`${file === "-" ? "standard input" : file}: ${faultText(error)}`);
    }
  }
  progress.end();
  return { faults, tooLarge };
}

function totalBytes(files: readonly string[]): number | undefined {
  if (files.includes("-")) return undefined;
  return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** Faults of files and their packing carry a code; ours do not and must not be swallowed. */
function isReadFault(error: unknown): error is Error & { code?: string } {
  return error instanceof Error && ("code" in error || error.name === "DamagedInputError");
}

function faultText(error: Error & { code?: string }): string {
  switch (error.code) {
    case "ENOENT": return "no such file";
    case "EACCES": case "EPERM": return "not permitted to read it";
    case "EISDIR": return "is a folder";
    case "Z_BUF_ERROR": return "is cut short: its packing has no end; what came before was read";
    case "Z_DATA_ERROR": return `is damaged: ${error.message}; what came before was read`;
    default: return error.message;
  }
}
