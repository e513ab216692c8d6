import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { enrichmentOf, withEnrichment } from "../event/enrichment/enrichment.ts";
import type { GeoipData } from "../event/enrichment/geoip-table.ts";
import type { Pipeline } from "../event/pipeline/pipeline.ts";
import type { Problem } from "../problem.ts";
import { type LoadedGeoip, geoipOf, loadGeoip } from "./load-geoip.ts";

/** A database that the settings name, and how its last reading went. */
export interface GeoipState {
  readonly path: string;
  /** Of the one in use; undefined where there never was a good one. */
  readonly inUse: { readonly name: string; readonly type: string; readonly builtMs: number; readonly loadedMs: number } | undefined;
  /** Why the file as it is now is not used. */
  readonly problem: string | undefined;
}

/** The databases of a server. A file that cannot be used leaves the one from before in its place. */
export class GeoipDatabases {
  readonly #paths: readonly string[];
  readonly #nowMs: () => number;
  readonly #loaded = new Map<string, LoadedGeoip & { readonly loadedMs: number }>();
  readonly #problems = new Map<string, string>();
  #data: GeoipData | undefined;
  #loading: Promise<unknown> = Promise.resolve();
  #last: { readonly pipelines: readonly Pipeline[]; readonly data: GeoipData | undefined; readonly whole: readonly Pipeline[] } | undefined;

  constructor(paths: readonly string[], nowMs: () => number) {
    this.#paths = paths;
    this.#nowMs = nowMs;
  }

  /** Files that are looked at for changes. */
  files(): readonly string[] {
    return this.#paths;
  }

  get states(): readonly GeoipState[] {
    return this.#paths.map((path) => {
      const loaded = this.#loaded.get(path);
      return {
        path, problem: this.#problems.get(path),
        inUse: loaded && { name: loaded.file.name, type: loaded.file.type, builtMs: loaded.file.builtMs, loadedMs: loaded.loadedMs },
      };
    });
  }

  /** The pipelines with the databases of now; the same list for the same of both. */
  complete(pipelines: readonly Pipeline[]): readonly Pipeline[] {
    if (!this.#last || this.#last.pipelines !== pipelines || this.#last.data !== this.#data) {
      const whole = this.#data ? withEnrichment(pipelines, { ...enrichmentOf(pipelines), geoip: this.#data }) : pipelines;
      this.#last = { pipelines, data: this.#data, whole };
    }
    return this.#last.whole;
  }

  /**
   * Reads all files anew, in a thread of its own. One after another, whoever asks.
   *
   * @returns what was wrong with them, and whether there is something else to look in now.
   */
  async load(): Promise<{ readonly problems: readonly Problem[]; readonly isChanged: boolean }> {
    const turn = this.#loading.then(() => this.#load());
    this.#loading = turn.catch(() => {});
    return await turn;
  }

  async #load(): Promise<{ readonly problems: readonly Problem[]; readonly isChanged: boolean }> {
    if (!this.#paths.length) return { problems: [], isChanged: false };
    const { loaded, problems } = await inThread(this.#paths);
    const loadedMs = this.#nowMs();
    for (const path of this.#paths) {
      const found = loaded.find((each) => each.path === path);
      if (found) this.#problems.delete(path);
      else this.#problems.set(path, problems.find(({ file }) => file === path)?.message ?? "it cannot be read");
      // The same content is not looked at anew.
      if (found && found.version !== this.#loaded.get(path)?.version) this.#loaded.set(path, { ...found, loadedMs });
    }
    const data = geoipOf(this.#paths.flatMap((path) => this.#loaded.get(path) ?? []));
    const isChanged = data?.version !== this.#data?.version;
    if (isChanged) this.#data = data;
    return { problems: problems.map((problem) => ({ ...problem, ...(this.#loaded.has(problem.file!) ? { hint: `${problem.hint}; the one from before goes on` } : {}), level: "warning" })), isChanged };
  }
}

async function inThread(paths: readonly string[]): Promise<ReturnType<typeof loadGeoip>> {
  const worker = new Worker(workerFile(), { workerData: paths });
  try {
    return await new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", (code) => reject(new Error(`the thread that reads GeoIP databases ended with ${code}`)));
    });
  } finally {
    await worker.terminate();
  }
}

/** The thread's file beside this one: `.js` once built, `.ts` in a clone. */
function workerFile(): string {
  const built = fileURLToPath(new URL("./geoip-worker.js", import.meta.url));
  return existsSync(built) ? built : fileURLToPath(new URL("./geoip-worker.ts", import.meta.url));
}
