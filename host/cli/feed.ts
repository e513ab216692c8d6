import { statSync } from "node:fs";
import { MissingInputError, expandInputs } from "../batch/input-list.ts";
import { FRAME_BYTES } from "../batch/framing.ts";
import { Lane, Merge, OPEN_CAP } from "../batch/input-merge.ts";
import { TimedRecords } from "../batch/input-time.ts";
import { type InputContext, type InputOptions, type InputSettings, isLive, readInput } from "../batch/input.ts";
import type { EventFormat } from "../event/event.ts";
import type { ChosenPipelines } from "./pipelines.ts";
import { UsageError } from "./problems.ts";
import { Progress } from "./progress.ts";

export interface FeedOptions {
  readonly format: string;
  readonly source?: string;
  readonly service?: string;
  readonly host?: string;
  readonly tag?: readonly string[];
  readonly pipelines?: readonly string[];
  readonly pack?: readonly string[];
  readonly geoip?: readonly string[];
}

/** What reading the inputs came to, beside what the engine counts. */
export interface Fed {
  /** Inputs that could not be read to their end, and why. */
  readonly faults: readonly string[];
  /** Records over the limit; they never reach the engine. */
  readonly tooLarge: number;
  /** Inputs read after others had passed their time, because too many overlap to be open at once. */
  readonly behind: number;
}

export interface FeedTarget {
  push(bytes: Uint8Array, input: InputOptions, file: string): Promise<void>;
  /** Memory that `push` takes its bytes from without copying them, if there is such; good until the next push. */
  room?(): Promise<Uint8Array>;
  /** What inputs' events pass before anybody looks at them. */
  readonly pipelines: ChosenPipelines;
  /** Nothing more comes of an input; told of those that are read beside others. */
  ended?(file: string): void;
  /** Part of a record over the limit, to be kept. */
  tooLarge?(bytes: Uint8Array, ended: boolean, file: string): void;
  /** Bytes of a recorded input's content to pass over, told from how it begins. */
  startAt?(file: string, head: Uint8Array): number;
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

/** Reads inputs one after another, in the order given. An input that cannot be read costs only itself. */
export async function feed(files: readonly string[], options: FeedOptions, target: FeedTarget, signal?: AbortSignal): Promise<Fed> {
  const feeder = new Feeder(files, options, target, signal);
  for (const file of files) await feeder.read(file);
  return feeder.end();
}

/**
 * Reads inputs joined by event time, as if they were one: what comes out does not depend on the order they are given in.
 * Live input follows what was recorded.
 */
export async function feedMerged(files: readonly string[], options: FeedOptions, target: FeedTarget, signal?: AbortSignal): Promise<Fed> {
  const feeder = new Feeder(files, options, target, signal);
  const recorded = files.filter((file) => !isLive(file)).sort();
  if (recorded.length < 2) for (const file of recorded) await feeder.read(file);
  else await feeder.readMerged(recorded);
  for (const file of files.filter(isLive)) await feeder.read(file);
  return feeder.end();
}

/** How inputs are read, by what the command line says. */
export function inputSettings(options: FeedOptions, pipelines: ChosenPipelines): InputSettings {
  if (!formats.includes(options.format)) throw new UsageError(`--format ${options.format} is not known; use one of ${formats.join(", ")}`);
  return {
    format: options.format as EventFormat | "auto", source: options.source, service: options.service, host: options.host,
    tags: options.tag?.length ? options.tag : undefined, pipelinesOf: pipelines.idsOf,
  };
}

/** Bytes handed on at once when many inputs are open. */
const MERGED_FRAME_BYTES = 256 * 1024;

type Push = (bytes: Uint8Array, input: InputOptions) => Promise<void>;

class Feeder {
  readonly #target: FeedTarget;
  readonly #progress: Progress;
  readonly #settings: InputSettings;
  readonly #signal: AbortSignal | undefined;
  readonly #faults: Array<{ readonly file: string; readonly text: string }> = [];
  #tooLarge = 0;
  #behind = 0;

  constructor(files: readonly string[], options: FeedOptions, target: FeedTarget, signal: AbortSignal | undefined) {
    this.#target = target;
    this.#signal = signal;
    this.#progress = new Progress(target.prints && process.stdout.isTTY ? undefined : totalBytes(files));
    this.#settings = inputSettings(options, target.pipelines);
  }

  end(): Fed {
    this.#progress.end();
    return { faults: this.#faults.map(({ text }) => text), tooLarge: this.#tooLarge, behind: this.#behind };
  }

  async read(file: string): Promise<void> {
    if (this.#signal?.aborted) return;
    this.#progress.begin(file);
    await this.#records(file, file, (bytes, input) => this.#target.push(bytes, input, file), FRAME_BYTES, this.#target.room);
  }

  async readMerged(files: readonly string[]): Promise<void> {
    const ordered = files.length > OPEN_CAP ? await this.#byFirstTime(files) : files;
    const fileOf = new Map<Lane, string>();
    const lanes = ordered.map((file, i) => {
      // A file named twice is two inputs.
      const lane = new Lane(ordered[i - 1] === file ? `${file}#${i}` : file, this.#target.pipelines.all);
      fileOf.set(lane, file);
      return lane;
    });
    let fatal: unknown;
    const merge = new Merge(lanes, (lane) => {
      const file = fileOf.get(lane)!;
      this.#progress.begin(file);
      this.#records(file, lane.name, (bytes, input) => lane.put(bytes, input), MERGED_FRAME_BYTES).catch((error: unknown) => {
        fatal ??= error;
      }).finally(() => lane.end());
    }, (lane) => this.#target.ended?.(lane.name));
    await merge.run((bytes, input, name) => this.#target.push(bytes, input, name));
    if (fatal !== undefined) throw fatal;
    this.#behind = merge.behind;
    // In the order of the files, not in that of their ends.
    this.#faults.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
  }

  /** Files in the order their events begin, for when there are more than are open at once. */
  async #byFirstTime(files: readonly string[]): Promise<string[]> {
    const timed: Array<{ readonly file: string; readonly timeMs: number }> = [];
    for (const file of files) {
      let timeMs: number | undefined;
      try {
        await readInput(file, {
          push: (bytes, input) => {
            timeMs ??= new TimedRecords(bytes, input, this.#target.pipelines.all).timeAt(0);
            return Promise.resolve();
          },
          tooLarge() {},
        }, { ...this.#context(PROBE_BYTES), enough: () => timeMs !== undefined });
      } catch (error) {
        // It is told when the file is read.
        if (!isReadFault(error)) throw error;
      }
      timed.push({ file, timeMs: timeMs ?? Number.POSITIVE_INFINITY });
    }
    return timed.sort((a, b) => (a.timeMs < b.timeMs ? -1 : a.timeMs > b.timeMs ? 1 : 0)).map(({ file }) => file);
  }

  /** @param name of the input: a file named twice is two. */
  async #records(file: string, name: string, push: Push, frameBytes: number, room?: () => Promise<Uint8Array>): Promise<void> {
    try {
      await readInput(file, {
        push,
        tooLarge: (bytes, ended) => {
          if (ended) this.#tooLarge++;
          this.#target.tooLarge?.(bytes, ended, name);
        },
        progress: (bytes) => this.#progress.advance(bytes),
      }, { ...this.#context(frameBytes), room, startAt: isLive(file) ? undefined : (head) => this.#target.startAt?.(name, head) ?? 0 });
    } catch (error) {
      if (!isReadFault(error)) throw error;
      this.#faults.push({ file, text: `${file === "-" ? "standard input" : file}: ${faultText(error)}` });
    }
  }

  #context(frameBytes: number): InputContext {
    return { settings: this.#settings, signal: this.#signal, nowMs: Date.now, frameBytes, arrange: async () => await (await import("../engine/reframing.ts")).createLineReframer() };
  }
}

const PROBE_BYTES = 64 * 1024;

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
