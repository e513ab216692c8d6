import { type FSWatcher, watch } from "node:fs";
import { join } from "node:path";

/** More are not watched: their files are found by looking now and then. */
const FOLDERS = 256;

/** Tells of changes in folders as they happen, where the system can. Looking now and then remains needed: it may tell of none. */
export class FolderWatch {
  readonly #onChange: (path: string | undefined) => void;
  readonly #watchers = new Map<string, FSWatcher>();

  /** @param onChange with the path that changed, or undefined when that is not known. */
  constructor(onChange: (path: string | undefined) => void) {
    this.#onChange = onChange;
  }

  /** Watches these folders, and no others. */
  follow(folders: ReadonlySet<string>): void {
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) {
      if (this.#watchers.has(folder) || this.#watchers.size >= FOLDERS) continue;
      try {
        const watcher = watch(folder, (_event, name) => this.#onChange(name === null ? undefined : join(folder, name)));
        // A folder that is removed, or too many watches: looking goes on.
        watcher.on("error", () => {
          watcher.close();
          this.#watchers.delete(folder);
        });
        this.#watchers.set(folder, watcher);
      } catch {
        // As above.
      }
    }
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }
}
