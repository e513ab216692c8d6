import { globSync, statSync } from "node:fs";
import { readInput } from "../batch/input.ts";
import { textRecords } from "../batch/text.ts";
import type { InputProfile } from "../engine/task.ts";
import type { EventFormat } from "../event/event.ts";
import { UsageError } from "./problems.ts";
import { byteSize } from "./text.ts";

export interface FeedOptions {
  readonly format: string;
  readonly source?: string;
  readonly service?: string;
  readonly host?: string;
  readonly tag?: readonly string[];
}

export type Push = (bytes: Uint8Array, input: InputProfile & { readonly arrivalMs: number }) => Promise<void>;

const formats: readonly string[] = ["auto", "intake", "log", "raw", "text"];
const PROGRESS_AFTER_MS = 400;
const PROGRESS_EVERY_MS = 100;

/** Files that paths, folders and globs name, in the order given; `-` is standard input. */
export function expandInputs(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (path === "-") return [path];
    const found = statSync(path, { throwIfNoEntry: false }) ? [path] : globSync(path).sort();
    const files = found.flatMap((each) => (statSync(each).isDirectory() ? globSync(`${each}/**/*`).filter((file) => statSync(file).isFile()).sort() : [each]));
    if (!files.length) throw new UsageError(`no file matches ${path}`);
    return files;
  });
}

/** Reads inputs one after another and hands whole records on. Returns the number of records that were too large. */
export async function feed(paths: readonly string[], options: FeedOptions, push: Push, onTooLarge?: (bytes: Uint8Array) => void): Promise<number> {
  if (!formats.includes(options.format)) throw new UsageError(`--format ${options.format} is not known; use one of ${formats.join(", ")}`);
  const files = expandInputs(paths.length ? paths : ["-"]);
  const progress = new Progress(files);
  let tooLarge = 0;
  for (const file of files) {
    progress.begin(file);
    await readInput(
      file,
      {
        push: async (bytes, input) => {
          // A text line is a record whose message it is.
          if (input.format === "text") await push(textRecords(bytes), { ...input, format: "intake" });
          else await push(bytes, input);
        },
        tooLarge(bytes, ended) {
          if (ended) tooLarge++;
          onTooLarge?.(bytes);
        },
        progress: (bytes) => progress.add(bytes),
      },
      {
        settings: { format: options.format as EventFormat | "auto", source: options.source, service: options.service, host: options.host, tags: options.tag?.length ? options.tag : undefined },
        arrange: async () => (await import("../engine/reframing.ts")).createLineReframer(),
        nowMs: () => Date.now(),
      },
    );
  }
  progress.done();
  return tooLarge;
}

/** A bar on a terminal's stderr when reading takes a while. */
class Progress {
  readonly #totalBytes: number;
  #readBytes = 0;
  #file = "";
  #nextMs = Date.now() + PROGRESS_AFTER_MS;
  #shown = false;

  constructor(files: readonly string[]) {
    this.#totalBytes = files.reduce((sum, file) => sum + (file === "-" ? Number.NaN : statSync(file).size), 0);
  }

  begin(file: string): void {
    this.#file = file;
  }

  add(bytes: number): void {
    this.#readBytes += bytes;
    if (!process.stderr.isTTY || this.#file === "-" || Date.now() < this.#nextMs) return;
    this.#nextMs = Date.now() + PROGRESS_EVERY_MS;
    this.#shown = true;
    const share = this.#readBytes / this.#totalBytes;
    const bar = Number.isNaN(share) ? "" : `[${"#".repeat(Math.round(share * 24)).padEnd(24, ".")}] ${Math.round(share * 100)}% `;
    process.stderr.write(`\r\u001b[2K${bar}${byteSize(this.#readBytes)}  ${this.#file}`);
  }

  done(): void {
    if (this.#shown) process.stderr.write("\r\u001b[2K");
  }
}
