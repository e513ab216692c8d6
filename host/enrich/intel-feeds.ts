import { createHash } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { type Enrichment, plainPipelines, withEnrichment } from "../event/enrichment/enrichment.ts";
import { type IntelTable, intelTable } from "../event/enrichment/intel-table.ts";
import type { Pipeline } from "../event/pipeline/pipeline.ts";
import type { Problem } from "../problem.ts";
import type { Feed } from "./feed.ts";
import type { FeedFile, LoadedFeed, LoadedFeeds, UploadedIndicator } from "./load-feeds.ts";

/** A feed as the settings name it: of a file, or else of its address, which is asked again from time to time. */
export interface FeedSetting extends Feed {
  readonly path?: string;
  readonly refreshMs: number;
}

export interface FeedState extends Partial<LoadedFeed> {
  readonly name: string;
  /** Why what is known of it is old, or nothing. */
  readonly problem: string | undefined;
  /** When its content was last read. */
  readonly loadedMs: number | undefined;
}

const FETCH_MS = 120_000;
const MOST_FETCHED_BYTES = 384 * 1024 * 1024;

/**
 * The feeds of a server and the one table made of them. They are read in a thread of its own; whoever asks has the table of before
 * until the whole new one is there.
 */
export class IntelFeeds {
  readonly #settings: readonly FeedSetting[];
  readonly #folder: string;
  readonly #nowMs: () => number;
  #uploaded: () => readonly UploadedIndicator[] = () => [];
  #enrichment: Enrichment | undefined;
  readonly #states = new Map<string, FeedState>();
  readonly #askedMs = new Map<string, number>();
  #loading: Promise<unknown> = Promise.resolve();
  #last: { readonly plain: readonly Pipeline[]; readonly enrichment: Enrichment | undefined; readonly whole: readonly Pipeline[] } | undefined;

  /** @param folder where content of addresses is kept, for a start without them */
  constructor(settings: readonly FeedSetting[], folder: string, nowMs: () => number) {
    this.#settings = settings;
    this.#folder = join(folder, "intel");
    this.#nowMs = nowMs;
  }

  /** Whoever keeps what people upload. */
  takeUploads(uploaded: () => readonly UploadedIndicator[]): void {
    this.#uploaded = uploaded;
  }

  /** Files that are looked at for changes. */
  files(): string[] {
    return this.#settings.flatMap(({ path }) => path ?? []);
  }

  get table(): IntelTable | undefined {
    return this.#enrichment?.intel && intelTable(this.#enrichment.intel);
  }

  get states(): readonly FeedState[] {
    return this.#settings.map(({ name }) => this.#states.get(name) ?? { name, problem: undefined, loadedMs: undefined });
  }

  /** The pipelines with the table of now behind them; the same list for the same of both. */
  complete(pipelines: readonly Pipeline[]): readonly Pipeline[] {
    const plain = plainPipelines(pipelines);
    if (!this.#last || this.#last.plain !== plain || this.#last.enrichment !== this.#enrichment) {
      this.#last = { plain, enrichment: this.#enrichment, whole: this.#enrichment ? withEnrichment(plain, this.#enrichment) : plain };
    }
    return this.#last.whole;
  }

  /** Asks addresses that are due. @returns whether there is something new to load. */
  async fetchDue(): Promise<boolean> {
    const nowMs = this.#nowMs();
    let isNew = false;
    for (const setting of this.#settings) {
      if (setting.url === undefined || setting.path !== undefined || nowMs < (this.#askedMs.get(setting.name) ?? Number.NEGATIVE_INFINITY) + setting.refreshMs) continue;
      this.#askedMs.set(setting.name, nowMs);
      try {
        if (await this.#fetch(setting.url)) isNew = true;
        this.#note(setting.name, { problem: undefined });
      } catch (error) {
        this.#note(setting.name, { problem: `${setting.url} gives nothing: ${reasonOf(error)}` });
      }
    }
    return isNew;
  }

  /**
   * Reads all feeds anew. One after another, whoever asks.
   *
   * @returns what was wrong with them, and whether the table is another now.
   */
  async load(): Promise<{ readonly problems: readonly Problem[]; readonly isChanged: boolean }> {
    const turn = this.#loading.then(() => this.#load());
    this.#loading = turn.catch(() => {});
    return await turn;
  }

  async #load(): Promise<{ readonly problems: readonly Problem[]; readonly isChanged: boolean }> {
    const files = this.#settings.map(({ path, refreshMs: _, ...feed }): FeedFile => ({ ...feed, path: path ?? this.#keptAt(feed.url!) }));
    // An address that never gave anything has said so.
    const there = files.filter(({ path }, i) => this.#settings[i]!.path !== undefined || existsSync(path));
    const uploaded = this.#uploaded();
    const { data, feeds, problems } = there.length || uploaded.length ? await inThread(there, uploaded) : { data: undefined, feeds: [], problems: [] };
    const loadedMs = this.#nowMs();
    for (const feed of feeds) this.#note(feed.name, { ...feed, loadedMs });
    for (const { path, name } of there) {
      const problem = problems.find(({ file, level }) => level !== "warning" && (file === path || file === name));
      if (problem) this.#note(name, { problem: problem.message });
      else if (this.#settings.find((each) => each.name === name)!.path !== undefined) this.#note(name, { problem: undefined });
    }
    const isChanged = data?.version !== this.#enrichment?.intel?.version;
    if (isChanged) this.#enrichment = data && { intel: data };
    return { problems, isChanged };
  }

  #note(name: string, state: Partial<FeedState>): void {
    this.#states.set(name, { ...(this.#states.get(name) ?? { name, problem: undefined, loadedMs: undefined }), ...state });
  }

  #keptAt(url: string): string {
    return join(this.#folder, createHash("sha256").update(url).digest("hex").slice(0, 32));
  }

  /** @returns whether the content is another than the kept one. */
  async #fetch(url: string): Promise<boolean> {
    const path = this.#keptAt(url);
    const tagPath = `${path}.etag`;
    const tag = existsSync(path) && existsSync(tagPath) ? readFileSync(tagPath, "utf8") : undefined;
    const answer = await fetch(url, { headers: tag === undefined ? {} : { "if-none-match": tag }, signal: AbortSignal.timeout(FETCH_MS) });
    if (answer.status === 304) {
      await answer.body?.cancel();
      return false;
    }
    if (!answer.ok || !answer.body) {
      await answer.body?.cancel();
      throw new Error(`status ${answer.status}`);
    }
    mkdirSync(this.#folder, { recursive: true, mode: 0o750 });
    let bytes = 0;
    const bounded = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        done(bytes > MOST_FETCHED_BYTES ? new Error(`more than ${MOST_FETCHED_BYTES >> 20} MB`) : null, chunk);
      },
    });
    const part = `${path}.part`;
    try {
      await pipeline(Readable.fromWeb(answer.body as never), bounded, createWriteStream(part));
      renameSync(part, path);
    } finally {
      rmSync(part, { force: true });
    }
    const said = answer.headers.get("etag");
    if (said === null) rmSync(tagPath, { force: true });
    else writeFileSync(tagPath, said);
    return true;
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}

async function inThread(files: readonly FeedFile[], uploaded: readonly UploadedIndicator[]): Promise<LoadedFeeds> {
  const worker = new Worker(workerFile(), { workerData: { files, uploaded } });
  try {
    return await new Promise<LoadedFeeds>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", (code) => reject(new Error(`the thread that reads feeds ended with ${code}`)));
    });
  } finally {
    await worker.terminate();
  }
}

/** The thread's file beside this one: `.js` once built, `.ts` in a clone. */
function workerFile(): string {
  const built = fileURLToPath(new URL("./feeds-worker.js", import.meta.url));
  return existsSync(built) ? built : fileURLToPath(new URL("./feeds-worker.ts", import.meta.url));
}
